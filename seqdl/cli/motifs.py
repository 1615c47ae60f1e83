"""seqdl motifs: filters of a trained network as named motifs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from seqdl.cli.console import Console

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from seqdl.experiment.motifs import Extraction, Reading
    from seqdl.experiment.run import Run

EPILOG = """examples:
  seqdl motifs RUN --database jaspar:fungi
  seqdl motifs RUN --layer encoder.blocks.1.conv --fasta peaks.fa -o deeper
  seqdl motifs RUNS                              RUNS/seed0 ... of seqdl train --seeds: how many of them each motif comes back in

Of an ensemble the filters of all its networks are read, and those that look alike (Tomtom p < 1e-4, shifts and reverse complements too) are laid
over each other and make one motif, named after its sharpest filter (member2_filter31). members says in how many of the networks it was found: these
share no weights and began differently, so that what several of them found is more believable than what one did. importance is what the ensemble
loses on the test split when every filter of the family is held at its mean, in all networks together.

Written are motifs.meme, motifs.jaspar, motifs.transfac, families.meme (one a family; of an ensemble they are the same), motifs.tsv, logos/,
gallery.svg and positions.svg; of an ensemble also filters.tsv and filters.meme, every filter with its family."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder, or the folder of several (--seeds, --folds)")
    parser.add_argument("--database", metavar="DB", help="jaspar, jaspar:GROUP or a motif file (default: the run's own)")
    parser.add_argument("--layer", metavar="NAME", help="which convolution (default: the first over the bases)")
    parser.add_argument("--fasta", metavar="X.fa", help="sequences to read the filters on (default: the run's positives); - is stdin")
    parser.add_argument("--split", choices=("all", "train", "val", "test"), default="all", help="whose positives to read them on (default all)")
    parser.add_argument(
        "--method",
        choices=("top", "fraction", "weighted"),
        default="top",
        help="windows that make a motif: the strongest (default), all over half of the filter's maximum, or these weighted by their activation",
    )
    parser.add_argument("--sites", type=int, default=100, metavar="N", help="windows a filter, of the method top (default 100)")
    parser.add_argument("--forward-only", action="store_true", help="read the strand as given only (default: both)")
    parser.add_argument("-o", "--output", metavar="DIR", help="where motifs.meme, motifs.tsv and logos/ go (default: RUN/motifs)")
    parser.add_argument("--top", type=int, default=10, metavar="N", help="rows to print (default 10)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Extract and name motifs, and print the most important."""
    from pathlib import Path

    from seqdl.experiment.motif_seeds import runs_below
    from seqdl.experiment.train import check_output

    if options.output:
        check_output(Path(options.output), force=options.force)
    several = runs_below(Path(options.run))
    table = _over_runs(several, options, console) if several else _of_run(options, console)
    columns = ["name", "consensus", "information_bits", "importance", "members", "filters", "match", "match_q", "match_family", "stability", "note"]
    shown = table.head(options.top)[[column for column in columns if column in table]]
    if "of_members" in table:
        shown = shown.assign(members=[f"{k:.0f} of {n:.0f}" for k, n in table.head(options.top)[["members", "of_members"]].to_numpy()])
    console.result(shown.to_string(index=False, float_format=lambda value: f"{value:.3g}", na_rep=""))
    console.emit(table.to_dict(orient="records"))
    return 0


def _of_run(options: argparse.Namespace, console: Console) -> pd.DataFrame:
    """Read the filters of one run."""
    from pathlib import Path

    from seqdl.experiment.motif_files import write_motifs
    from seqdl.experiment.provenance import refresh_outputs
    from seqdl.experiment.run import load_run

    trained = load_run(options.run)
    folder = Path(options.output) if options.output else trained.folder / "motifs"
    reading = _reading(options)
    length = trained.data.length if reading.codes is None else reading.codes.shape[1]
    found = _extract(trained, reading, options, console=console)
    write_motifs(folder, found, length=length)
    if not options.output:
        refresh_outputs(trained.folder)
    console.note(f"{found.summary()}, in {folder}")
    return found.table


def _over_runs(runs: list[Path], options: argparse.Namespace, console: Console) -> pd.DataFrame:
    """Read the filters of each run, and see which come back."""
    from pathlib import Path

    from seqdl.experiment.motif_files import write_motifs
    from seqdl.experiment.motif_seeds import write_over_runs
    from seqdl.experiment.run import load_run

    reading = _reading(options)
    for place in runs:
        trained = load_run(place)
        length = trained.data.length if reading.codes is None else reading.codes.shape[1]
        write_motifs(place / "motifs", _extract(trained, reading, options, console=console), length=length)
    folder = Path(options.output) if options.output else Path(options.run) / "motifs"
    table = write_over_runs(folder, runs)
    everywhere = int((table["stability"] == 1).sum())
    console.note(f"{len(table)} families of motifs over {len(runs)} runs, {everywhere} of them in every run, in {folder}")
    return table


def _reading(options: argparse.Namespace) -> Reading:
    """Return how the flags say that filters are to be read."""
    from seqdl.experiment.motifs import Reading

    codes = None
    if options.fasta:
        import numpy as np

        from seqdl.io.fasta import read_fasta

        sequences = [record.codes for record in read_fasta(options.fasta)]
        codes = np.full((len(sequences), max(map(len, sequences))), 4, dtype=np.uint8)  # 4: what is no base has no sites
        for row, sequence in zip(codes, sequences, strict=True):
            row[: len(sequence)] = sequence
    return Reading(options.layer, options.method, options.sites, both_strands=not options.forward_only, split=options.split, codes=codes)


def _extract(trained: Run, reading: Reading, options: argparse.Namespace, *, console: Console) -> Extraction:
    """Extract the motifs of a run."""
    from seqdl.cli.patience import patience
    from seqdl.experiment.motifs import extract_motifs
    from seqdl.io.databases import load_database

    known = load_database(options.database or trained.config.get("database") or "jaspar")
    with patience(console, "motif matching"):
        return extract_motifs(trained.task, trained.data, known, reading=reading, seed=trained.seed if options.seed is None else options.seed)
