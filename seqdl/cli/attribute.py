"""seqdl attribute: which bases a prediction rests on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from seqdl.cli.console import Console
from seqdl.cli.outputs import add_output_flags, folder_and_output

if TYPE_CHECKING:
    from pathlib import Path

    from seqdl.experiment.attribute import Asked, Explained, How
    from seqdl.experiment.run import Run
    from seqdl.ledger import Ledger

DOTTED = True
EPILOG = """examples:
  seqdl attribute RUN -o why                                        the run's own test positives, by deeplift
  seqdl attribute RUN --fasta X.fa --method ism --checks -o why
  seqdl attribute RUN --genome G.fa --regions B.bed --seqlets -o why
  seqdl attribute RUN --method integrated-gradients --method.n_steps 100 -o why.npz

methods: deeplift, expected-gradients, input-x-gradient, integrated-gradients, ism, saliency; their options are --method.OPTION VALUE, such
as --method.deletions true of ism. Written are attributions.npz, sequences.tsv, checks.json and tracks/; with a name that ends in .npz the
arrays alone. seqlets.tsv and seqlets.bed hold the stretches that stand out against shuffled sequences."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--fasta", metavar="X.fa", help="sequences to explain (default: the run's test positives); - is stdin")
    parser.add_argument("--genome", metavar="G.fa", help="genome of --regions")
    parser.add_argument("--regions", metavar="B.bed", help="windows around the middle of these intervals are explained")
    parser.add_argument("--input-signal", nargs="+", metavar="I.bw", help="signals that the network reads beside the bases")
    parser.add_argument("--limit", type=int, metavar="N", help="explain the first N sequences (default: all; of the run's own 200)")
    parser.add_argument("--method", default="deeplift", metavar="NAME", help="how (default deeplift; see below)")
    parser.add_argument("--references", default="10", metavar="N", help="shuffles of each to compare with, or uniform or zeros (default 10)")
    parser.add_argument("--checks", action="store_true", help="also against shuffled weights, other methods and the other strand")
    parser.add_argument("--seqlets", action="store_true", help="also list the stretches that stand out, with p-values")
    parser.add_argument("--pvalue", type=float, default=1e-3, metavar="P", help="p-value that a seqlet may have at most (default 1e-3)")
    parser.add_argument("--modisco", action="store_true", help="also cluster seqlets into motifs (needs pip install 'seqdl[modisco]')")
    parser.add_argument("--database", metavar="DB", help="of --modisco: jaspar, jaspar:GROUP or a motif file (default: the run's own)")
    parser.add_argument("--tracks", type=int, metavar="N", help="sequences to draw (default 10)")
    add_output_flags(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Explain, check, and write."""
    from seqdl.experiment.attribute import check_seqlets, explain
    from seqdl.experiment.attribute_files import write_arrays
    from seqdl.experiment.run import load_run
    from seqdl.ledger import Ledger

    trained, ledger = load_run(options.run), Ledger()
    place, how = _checked(options, trained)
    asked = _asked(options, trained, ledger)
    for line in [*ledger.notes, *(f"dropped {n:,}: {reason}" for reason, n in ledger.counts().items())]:
        console.note(f"note: {line}")
    if options.seqlets:
        check_seqlets(asked, pvalue=options.pvalue)
    found = explain(trained.task, asked, how)
    for line in found.notes:
        console.note(f"note: {line}")
    summary = {"method": how.method, "n_sequences": len(found.table), "output": str(place)}
    if place.suffix == ".npz":
        write_arrays(place, found, force=options.force)
    else:
        place.mkdir(parents=True, exist_ok=True)
        write_arrays(place / "attributions.npz", found, force=True)
        summary |= _write_rest(options, console, place, trained=trained, found=found)
    console.emit(summary)
    console.note(f"{how.method} of {len(found.table):,} sequences in {place}")
    return 0


def _checked(options: argparse.Namespace, trained: Run) -> tuple[Path, How]:
    """Check what was asked for before anything runs; return where to write, and how to explain."""
    from pathlib import Path

    from seqdl.errors import InputError
    from seqdl.experiment.attribute import How
    from seqdl.experiment.attribute_files import tells_of_all_bases
    from seqdl.experiment.train import check_output
    from seqdl.interpret.modisco import check_modisco
    from seqdl.io.files import check_writable

    outputs = trained.task.outputs
    text, number = folder_and_output(options, outputs)
    named = options.output is not None and (options.folder is not None or options.output in outputs)
    references: Any = int(options.references) if options.references.lstrip("-").isdigit() else options.references
    how = How(options.method, outputs[number] if named else None, references, options.seed or 0, options.device or "auto", _method_options(options))
    how.check(outputs)
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit {options.limit}: at least 1 sequence was expected. Leave --limit out for all.")
    place = Path(text)
    if place.suffix == ".npz":
        extra = [f"--{name}" for name in ("checks", "seqlets", "modisco", "tracks") if getattr(options, name) not in (False, None)]
        if extra:
            raise InputError(f"-o {place} with {extra[0]}: a folder was expected, since an .npz holds arrays alone. Leave the .npz out of its name.")
        check_writable(place, force=options.force)
    else:
        check_output(place, force=options.force)
    if options.modisco:
        check_modisco()
        if not tells_of_all_bases(options.method) or how.options.get("deletions"):
            raise InputError(
                f"--modisco with --method {options.method}: a method that says what every base would contribute was expected. "
                "Use deeplift, integrated-gradients, expected-gradients, ism or saliency."
            )
        if "hypothetical" in _options_of(options.method):
            how.options["hypothetical"] = True
    return place, how


def _options_of(method: str) -> list[str]:
    """Return the names of a method's options."""
    from seqdl.interpret.method import METHODS

    return list(METHODS.options(method))


def _method_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return what --method.OPTION VALUE say."""
    from seqdl.errors import InputError
    from seqdl.experiment.config import apply_setting

    nested: dict[str, Any] = {}
    for key, text in options.dotted.items():
        section, _, name = key.partition(".")
        if section != "method" or not name:
            raise InputError(f"--{key}: an option of the method was expected, such as --method.n_steps 100. See seqdl attribute --help.")
        apply_setting(nested, f"{name}={text}")
    return nested


def _asked(options: argparse.Namespace, trained: Run, ledger: Ledger) -> Asked:
    """Return the sequences to explain."""
    from seqdl.data.genome import Genome
    from seqdl.errors import InputError
    from seqdl.experiment.attribute import N_OWN, from_fasta, from_regions, from_run
    from seqdl.io.signal import open_signal

    if options.fasta and (options.genome or options.regions):
        raise InputError("both --fasta and --genome or --regions were given: one kind of input was expected. Leave one out.")
    if bool(options.genome) != bool(options.regions):
        given, lacking = ("--genome", "--regions B.bed") if options.genome else ("--regions", "--genome G.fa")
        raise InputError(f"{given} was given without {lacking.split()[0]}: both were expected. Add {lacking}.")
    if options.input_signal and not options.genome:
        raise InputError("--input-signal was given without --genome: signals lie along a genome. Add --genome G.fa and --regions B.bed.")
    if options.fasta:
        return from_fasta(trained.task, options.fasta, ledger).first(options.limit)
    if options.genome:
        signals = [open_signal(path, ledger=ledger) for path in options.input_signal or []]
        return from_regions(trained.task, Genome(options.genome), options.regions, ledger=ledger, signals=signals).first(options.limit)
    return from_run(trained).first(options.limit or N_OWN)


def _write_rest(options: argparse.Namespace, console: Console, folder: Path, *, trained: Run, found: Explained) -> dict[str, Any]:
    """Write what stands beside the arrays, say what the checks found, and return it."""
    from seqdl.experiment.attribute import check, seqlets, sums
    from seqdl.experiment.attribute_files import write_seqlets, write_tracks
    from seqdl.experiment.provenance import write_json
    from seqdl.interpret.checks import said_of_sums
    from seqdl.io.table import write_tsv

    write_tsv(folder / "sequences.tsv", found.table, force=True)
    write_tracks(folder / "tracks", found, n=10 if options.tracks is None else options.tracks)
    total = sums(found)
    checks: dict[str, Any] = {"method": found.how.method, "n_sequences": len(found.table), "warnings": []}
    if options.checks:
        checks |= check(trained.task, found).as_dict()
    else:
        checks["warnings"] = said_of_sums(total, found.how.method, len(found.table))
    checks["sums"] = total
    write_json(folder / "checks.json", checks)
    for line in checks["warnings"]:
        console.note(f"warning: {line}")
    console.result(_told(checks))
    summary: dict[str, Any] = {"checks": checks}
    if options.seqlets:
        table = seqlets(trained.task, found, pvalue=options.pvalue)
        write_seqlets(folder, table)
        console.result(f"{len(table)} seqlets (p <= {options.pvalue:g}), {int((table['q'] <= 0.05).sum())} of them with q <= .05")
        console.result(table.head(5)[["id", "start", "end", "score", "p", "q", "bases"]].to_string(index=False, float_format=lambda v: f"{v:.3g}"))
        summary["n_seqlets"] = len(table)
    if options.modisco:
        summary["motifs"] = _motifs(options, console, folder, trained=trained, found=found)
    return summary


def _told(checks: dict[str, Any]) -> str:
    """Return the checks in a few lines."""
    lines = []
    sums = checks["sums"]
    if sums is not None:
        lines.append(f"sums: contributions miss {sums['median']:.2%} of the change of the output (median; worst {sums['worst']:.2%})")
    for name, text in (("randomised", "shuffled weights"), ("strands", "the other strand")):
        if checks.get(name) is not None:
            lines.append(f"correlation with {text}: {checks[name]:.2f}")
    lines += [f"correlation with {name}: {value:.2f}" for name, value in checks.get("agreement", {}).items() if value is not None]
    return "\n".join(lines or ["no check of sums: the values of this method are not meant to add up; see --checks"])


def _motifs(options: argparse.Namespace, console: Console, folder: Path, *, trained: Run, found: Explained) -> list[dict[str, Any]]:
    """Cluster seqlets into motifs, name and write them."""
    from seqdl.experiment.attribute_files import write_patterns
    from seqdl.interpret.modisco import discover_motifs
    from seqdl.io.databases import load_database
    from seqdl.sequence.encode import one_hot

    database = load_database(options.database or trained.config.get("database") or "jaspar")
    assert found.every_base is not None, "checked before anything ran"
    patterns = discover_motifs(found.every_base, one_hot(found.asked.codes, lengths=found.asked.lengths))
    table = write_patterns(folder / "motifs", patterns, database)
    shown = table.head(10)[["name", "n_sites", "consensus", "importance", "match", "match_q"]]
    console.result(
        shown.to_string(index=False, float_format=lambda value: f"{value:.3g}")
        if len(table)
        else "no motif: too few seqlets that are alike, or too near the ends"
    )
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]
