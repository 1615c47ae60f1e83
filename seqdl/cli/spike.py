"""seqdl spike: what a motif does when it is put into backgrounds, or taken out."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console
from seqdl.cli.outputs import add_output_flags, folder_and_output

EPILOG = """examples:
  seqdl spike RUN --motif REB1 -o reb1
  seqdl spike RUN --motif MA0363 --with my.meme:ABF1 --spacing 0:60 -o pair
  seqdl spike RUN --motif TTACCCG --backgrounds promoters.fa -o letters

A motif is an identifier or a factor of the database, a motif file, FILE:NAME, or IUPAC letters.
Written are effect.tsv, position.tsv, position.svg and knockout.tsv; with --with, spacing.tsv and spacing.svg. The verdict goes to stdout."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--motif", metavar="M", required=True, help="what is put in")
    parser.add_argument("--with", dest="other", metavar="M2", help="a second motif, at every distance and orientation")
    parser.add_argument("--spacing", metavar="FROM:TO", default="0:60", help="bases between the two, the last included (default 0:60)")
    parser.add_argument("--backgrounds", metavar="shuffled|X.fa", default="shuffled", help="shuffles of test sequences (default), or a FASTA")
    parser.add_argument("-n", type=int, default=100, metavar="N", help="number of backgrounds (default 100)")
    parser.add_argument(
        "--draw", choices=("consensus", "sample"), default="consensus", help="the motif's consensus (default), or sites drawn from it"
    )
    parser.add_argument("--step", type=int, default=5, metavar="BP", help="bases from place to place of the position curve (default 5)")
    parser.add_argument("--database", metavar="DB", help="where motifs are looked up (default: the run's own)")
    add_output_flags(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Do the experiments, write them, and say what they found."""
    from pathlib import Path

    from seqdl.errors import InputError
    from seqdl.experiment.find_motif import find_motif
    from seqdl.experiment.run import load_run
    from seqdl.experiment.spike import backgrounds_of, spike, spike_pair, write_findings
    from seqdl.experiment.train import check_output
    from seqdl.interpret.spike import Trial

    if options.n < 1:
        raise InputError(f"-n {options.n}: at least one background was expected. A hundred is a good choice.")
    spacings = parse_spacing(options.spacing)
    trained = load_run(options.run)
    folder, output = folder_and_output(options, trained.task.outputs)
    check_output(Path(folder), force=options.force)
    database = options.database or trained.config.get("database") or "jaspar"
    motif = find_motif(options.motif, database)
    other = find_motif(options.other, database) if options.other else None
    seed = options.seed or 0
    data = trained.data
    length = data.length if data.lengths is None else None
    codes = backgrounds_of(data, options.backgrounds, n=options.n, length=length, seed=seed)
    trial = Trial(options.draw, output, seed=seed, ambiguous=trained.task.ambiguous)
    if other is None:
        found = spike(trained, motif, codes, trial=trial, step=options.step)
    else:
        found = spike_pair(trained, motif, other, backgrounds=codes, spacings=spacings, trial=trial)
    write_findings(Path(folder), found)
    for line in found.verdict:
        console.result(line)
    console.emit({"verdict": found.verdict, **{name: table.to_dict(orient="records") for name, table in found.tables.items() if name != "effect"}})
    console.note(f"{', '.join(f'{name}.tsv' for name in found.tables)} in {folder}")
    return 0


def parse_spacing(text: str) -> range:
    """Return the spacings of ``FROM:TO``, the last included.

    Examples
    --------
    >>> parse_spacing("0:60"), parse_spacing("12")
    (range(0, 61), range(12, 13))
    """
    from seqdl.errors import InputError

    first, _, last = text.partition(":")
    if not first.isdigit() or not (last or first).isdigit() or int(last or first) < int(first):
        raise InputError(f"--spacing {text}: FROM:TO in bp was expected, such as 0:60.")
    return range(int(first), int(last or first) + 1)
