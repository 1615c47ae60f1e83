"""The entry point: find the verb, import it alone, turn errors into exit codes."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from seqdl.cli.console import Console
from seqdl.errors import CheckFailed, InputError, Interrupted, SeqdlError

VERBS = {
    "demo": "offline, in minutes: simulate peaks, train, find the planted motifs, write the report",
    "simulate": "a genome, peaks and a truth table with planted motifs",
    "audit": "leaks between splits, shortcuts and what was dropped, before a network sees the data",
    "train": "prepare, audit, fit, evaluate, motifs and report: one command, one folder",
    "evaluate": "metrics with bootstrap intervals, beside GC, k-mer and motif baselines",
    "compare": "runs against each other on one test set: paired differences with intervals",
    "probe": "does it only memorise: random labels, a curve over training size, a curve over width",
    "tune": "search hyper-parameters, judged on the validation split",
    "predict": "predictions for sequences or for regions of a genome",
    "models": "the architectures, or one with its options and layer table",
    "tasks": "the objectives, or one with its options",
    "motifs": "filters of a trained network as motifs, named against a database",
    "attribute": "which bases a prediction rests on: attributions with their checks, tracks, seqlets",
    "maximize": "sequences that drive a filter or an output as far as it goes",
    "spike": "the effect of a motif put into backgrounds, or taken out; spacing curve of a pair",
    "variants": "effects of variants, with REF checked against the genome",
    "logo": "sequence logos of motif files, aligned FASTA or attributions",
    "match": "motif against motif: Tomtom p- and q-values",
    "scan": "motif hits in sequences or a genome, with p-values, as BED",
    "embed": "latents of sequences, with a map, clusters and nearest neighbours",
    "reconstruct": "what an autoencoder gives back, and a score per sequence",
    "generate": "sequences from a language model, a VAE or a GAN",
    "judge": "the report card of synthetic sequences, beside held-out real ones and simple generators",
    "design": "sequences towards a prediction, under constraints, checked by another network",
    "report": "rebuild report.html of a run",
    "verify": "hash a run's inputs and outputs again and compare with its manifest",
    "doctor": "versions, devices, and a short training with a PASS or FAIL",
}
DONE, WRONG_INPUT, WRONG_USAGE, NOT_PASSED, INTERRUPTED = 0, 1, 2, 3, 130
SHARED_OUT = ("train", "evaluate", "predict")
"""Verbs whose work several devices or machines share."""
TAKES_VALUE = ("--seed", "--device", "--workers", "--devices", "--nodes")


class Parser(argparse.ArgumentParser):
    """argparse without abbreviations, and with a guess at a mistyped flag."""

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse types it as NoReturn; exit() does not return either
        """Print the message and leave with the exit code of a malformed command line."""
        unknown = message.removeprefix("unrecognized arguments: ").split()
        if message.startswith("unrecognized") and unknown[0].startswith("-"):
            near = difflib.get_close_matches(unknown[0].split("=")[0], self._option_string_actions, n=1)
            message = f"unknown flag {unknown[0]}." + (f" Did you mean {near[0]}?" if near else "")
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message} See {self.prog} --help.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; by default those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        verb, rest = _find_verb(words)
        if verb is None:
            return _overview(rest)
        options = _parse(verb, rest)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    console = Console(quiet=options.quiet, json_mode=options.json)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait must not burn a busy processor (30x on two shared cores)
    if options.quiet:
        os.environ["SEQDL_QUIET"] = "1"
    return _guarded(verb, options, console)


def _guarded(verb: str, options: argparse.Namespace, console: Console) -> int:
    """Run a verb; errors of the user's become one line and an exit code."""
    try:
        if verb not in SHARED_OUT:
            _check_one_device(options)
        return int(importlib.import_module(f"seqdl.cli.{verb}").run(options, console))
    except CheckFailed as error:
        console.error(str(error))
        return NOT_PASSED
    except (Interrupted, KeyboardInterrupt) as error:
        console.error(str(error) or "stopped.")
        return INTERRUPTED
    except SeqdlError as error:
        if options.debug:
            raise
        console.error(" ".join(str(error).split()))
        return WRONG_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        if options.debug:
            raise
        console.error(f"{error.filename or 'output'}: {error.strerror or error}.")
        return WRONG_INPUT


def _check_one_device(options: argparse.Namespace) -> None:
    """Raise `InputError` where several devices or machines are asked for, rather than work on one and say nothing."""
    for flag in ("devices", "nodes"):
        if (getattr(options, flag) or 1) != 1:
            raise InputError(
                f"--{flag} {getattr(options, flag)}: 1 was expected, since only train, evaluate and predict share their work out. Leave --{flag} out."
            )


def _find_verb(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the verb and the other words; common flags may stand before it."""
    skip = False
    for position, word in enumerate(words):
        if skip:
            skip = False
        elif word in TAKES_VALUE:
            skip = True
        elif not word.startswith("-"):
            if word not in VERBS:
                near = difflib.get_close_matches(word, VERBS, n=1)
                guess = f" Did you mean '{near[0]}'?" if near else ""
                sys.stderr.write(f"seqdl: error: no verb '{word}'.{guess} See seqdl --help.\n")
                raise SystemExit(WRONG_USAGE)
            return word, words[:position] + words[position + 1 :]
    return None, words


def _overview(words: list[str]) -> int:
    """Answer `seqdl`, `seqdl --help` and `seqdl --version`."""
    if "--version" in words:
        from importlib.metadata import version

        sys.stdout.write(f"seqdl {version('seqdl')}\n")
        return DONE
    width = max(map(len, VERBS))
    lines = [
        "usage: seqdl VERB [options]",
        "",
        "Deep learning on genomic sequence: from FASTA or BED to a trained network,",
        "its motifs and an honest report.",
        "",
    ]
    lines += [f"  {verb:<{width}}  {text}" for verb, text in VERBS.items()]
    lines += ["", "seqdl VERB --help tells the options of each. Start with: seqdl demo"]
    asked = not words or "-h" in words or "--help" in words
    (sys.stdout if asked else sys.stderr).write("\n".join(lines) + "\n")
    return DONE if asked else WRONG_USAGE


def _parse(verb: str, words: list[str]) -> argparse.Namespace:
    """Parse the words behind a verb; dotted flags such as --model.filters are kept apart."""
    module = importlib.import_module(f"seqdl.cli.{verb}")
    parser = Parser(
        prog=f"seqdl {verb}", description=VERBS[verb][0].upper() + VERBS[verb][1:] + ".", allow_abbrev=False, epilog=getattr(module, "EPILOG", None)
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    module.configure(parser)
    common = parser.add_argument_group("common options")
    common.add_argument("--seed", type=_seed, metavar="N", help="seed of every random choice (default 0)")
    common.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), help="where networks run")
    common.add_argument("--workers", type=int, metavar="N", help="loader processes (default 0: batches are gathered whole)")
    common.add_argument("--devices", type=_count, metavar="N", help="devices a machine, which share the work (train, evaluate, predict; default 1)")
    common.add_argument("--nodes", type=_count, metavar="N", help="machines, each running this command (train, evaluate, predict; default 1)")
    common.add_argument("--force", action="store_true", help="overwrite what is there")
    common.add_argument("--quiet", action="store_true", help="nothing on stderr but errors")
    common.add_argument("--json", action="store_true", help="results as JSON on stdout")
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    dotted, plain = _dotted(words) if getattr(module, "DOTTED", False) else ({}, words)
    options = parser.parse_args(plain)
    options.dotted = dotted
    options.command = "seqdl " + " ".join([verb, *words])
    return options


def _seed(text: str) -> int:
    """Return a seed that every random generator takes."""
    if not 0 <= int(text) < 2**32:
        raise argparse.ArgumentTypeError(f"{text}: a whole number from 0 to {2**32 - 1} was expected.")
    return int(text)


def _count(text: str) -> int:
    """Return a whole number from 1 on."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: 1 or more was expected.")
    return int(text)


def _dotted(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take ``--section.key value`` and ``--section.key=value`` out of the words."""
    dotted: dict[str, str] = {}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        key, equals, value = word.partition("=")
        if key.startswith("--") and "." in key:
            dotted[key[2:]] = value if equals else next(rest, "")
        else:
            plain.append(word)
    return dotted, plain


if __name__ == "__main__":
    sys.exit(main())
