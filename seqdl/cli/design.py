"""seqdl design: sequences towards a prediction, under constraints."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Literal

from seqdl.cli.console import Console
from seqdl.cli.outputs import add_output_flags, folder_and_output

if TYPE_CHECKING:
    from seqdl.experiment.design import Wanted
    from seqdl.experiment.design_starts import Starts
    from seqdl.experiment.run import Run

EPILOG = """examples:
  seqdl design RUN -n 20 --gc 0.35:0.55 --forbid GGTACC,GAATTC --check RUN2 -o designs
  seqdl design RUN --fasta promoter.fa --protect 80:100 --max-changes 6 --towards 0.5 -o weaker
  seqdl design RUN --generator VAE_RUN -n 10 --method gradient -o natural

Written are designs.fa, designs.tsv (scores before and after, those of the check, changes, GC) and design.json. A network can be fooled by its
own optimum: name a run that was trained apart with --check. Without it the last member of an ensemble is left out, and checks."""
METHODS = ("greedy", "beam", "evolutionary", "gradient")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="the run folder of the predictor: binary, multiclass, regression or counts")
    parser.add_argument("--towards", default="max", metavar="max|min|NUMBER", help="where the prediction should go (default max)")
    parser.add_argument("--method", choices=METHODS, help="default greedy; with --generator evolutionary, or gradient")
    parser.add_argument("--steps", type=int, default=100, metavar="N", help="rounds, generations or steps at most (default 100)")
    parser.add_argument("--check", metavar="RUN2", help="a run that was trained apart, to score the designs with")
    starts = parser.add_argument_group("starts")
    starts.add_argument("--fasta", metavar="START.fa", help="sequences to begin with")
    starts.add_argument("-n", type=int, metavar="N", help="number of random starts, without --fasta (default 10)")
    starts.add_argument(
        "--starts", choices=("shuffled", "uniform"), help="shuffles of test sequences that keep dinucleotides (default), or any bases"
    )
    starts.add_argument("--generator", metavar="RUN", help="a vae or gan run, whose latents are searched instead of the sequence itself")
    starts.add_argument("--condition", metavar="WHAT", help="of a conditional generator: the class by name, or the number")
    limits = parser.add_argument_group("constraints, which every design keeps")
    limits.add_argument("--gc", metavar="LOW:HIGH", help="range of the GC content, such as 0.3:0.6")
    limits.add_argument("--forbid", metavar="WORD,FILE", help="IUPAC words and motif files that may not occur, on either strand")
    limits.add_argument("--pvalue", type=float, default=1e-4, metavar="P", help="of a hit of a forbidden motif (default 1e-4)")
    limits.add_argument("--protect", metavar="A:B,C:D", help="stretches of the starts that stay (0-based, half-open); with --fasta")
    limits.add_argument("--max-changes", type=int, metavar="N", help="bases that may differ from the start, at most")
    add_output_flags(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Design, write the designs, and say how far they went and what checked them."""
    from pathlib import Path

    from seqdl.experiment.design import design, write_designs
    from seqdl.experiment.design_scores import check_predicts
    from seqdl.experiment.run import load_run
    from seqdl.experiment.train import check_output

    trained = load_run(options.run)
    check_predicts(trained)
    folder, output = folder_and_output(options, trained.task.outputs)
    check_output(Path(folder), force=options.force)
    wanted = _wanted(options, output)
    other = load_run(options.check) if options.check else None
    found = design(trained, _starts(options, trained), wanted, check=other)
    write_designs(Path(folder), found)
    for line in found.verdict:
        console.result(line)
    console.emit({"verdict": found.verdict, "designs": found.table.to_dict(orient="records")})
    console.note(f"{len(found.table)} sequences in {folder}")
    return 0


def _wanted(options: argparse.Namespace, output: int) -> Wanted:
    """Return what is asked for, checked."""
    from seqdl.errors import InputError
    from seqdl.experiment.design import Wanted, forbidden
    from seqdl.interpret.constraints import Constraints
    from seqdl.interpret.search import Search

    method = options.method or ("evolutionary" if options.generator else "greedy")
    words, motifs = forbidden(options.forbid) if options.forbid is not None else ((), ())
    if options.protect and not options.fasta:
        raise InputError("--protect was given without --fasta: the bases to keep were expected in a start. Add --fasta START.fa.")
    limits = Constraints(
        parse_gc(options.gc) if options.gc else (0.0, 1.0),
        words,
        motifs,
        options.pvalue,
        parse_stretches(options.protect) if options.protect else (),
        options.max_changes,
    )
    search = Search(method=method, steps=options.steps, seed=options.seed or 0)
    return Wanted(output, parse_towards(options.towards), limits, search, options.device or "auto")


def _starts(options: argparse.Namespace, trained: Run) -> Starts:
    """Return what designs begin with."""
    from seqdl.errors import InputError
    from seqdl.experiment.design_starts import latent_starts, random_starts, starts_from_fasta
    from seqdl.experiment.run import load_run

    for name in ("n", "starts"):
        if options.fasta and getattr(options, name) is not None:
            raise InputError(
                f"{'-n' if name == 'n' else '--starts'} was given with --fasta: starts of one kind were expected. Leave one of them out."
            )
    if options.starts and options.generator:
        raise InputError("--starts was given with --generator, which draws its own starts: one of them was expected. Leave --starts out.")
    if options.condition is not None and not options.generator:
        raise InputError("--condition was given without --generator: a generator that takes it was expected. Add --generator RUN.")
    n, seed = 10 if options.n is None else options.n, options.seed or 0
    if n < 1:
        raise InputError(f"-n {n}: at least one start was expected. Ten is a good choice.")
    given = starts_from_fasta(options.fasta) if options.fasta else None
    if options.generator:
        return latent_starts(load_run(options.generator), n=n, starts=given, condition=options.condition, seed=seed)
    return given or random_starts(trained, options.starts or "shuffled", n=n, seed=seed)


def parse_towards(text: str) -> Literal["max", "min"] | float:
    """Return where ``max``, ``min`` or a number says.

    Examples
    --------
    >>> parse_towards("max"), parse_towards("0.5")
    ('max', 0.5)
    """
    return "max" if text == "max" else "min" if text == "min" else _number(text, "--towards", "max, min or a number")


def parse_gc(text: str) -> tuple[float, float]:
    """Return the range of ``LOW:HIGH``.

    Examples
    --------
    >>> parse_gc("0.3:0.6")
    (0.3, 0.6)
    """
    low, _, high = text.partition(":")
    return _number(low, f"--gc {text}", "LOW:HIGH, such as 0.3:0.6,"), _number(high, f"--gc {text}", "LOW:HIGH, such as 0.3:0.6,")


def parse_stretches(text: str) -> tuple[tuple[int, int], ...]:
    """Return the stretches of ``A:B,C:D``.

    Examples
    --------
    >>> parse_stretches("10:20,50:60")
    ((10, 20), (50, 60))
    """
    from seqdl.errors import InputError

    ends: list[Any] = [word.strip().partition(":")[::2] for word in text.split(",")]
    if not all(start.isdigit() and end.isdigit() for start, end in ends):
        raise InputError(f"--protect {text}: stretches START:END in bp were expected, 0-based and half-open, such as 10:20,50:60. Write them so.")
    return tuple((int(start), int(end)) for start, end in ends)


def _number(text: str, flag: str, expected: str) -> float:
    from seqdl.errors import InputError

    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < float("inf"):
        raise InputError(f"{flag}: '{text}' is no number; {expected} was expected. Write it so.")
    return number
