"""seqdl motifs: filters of a trained network as named motifs."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--database", metavar="DB", help="jaspar, jaspar:GROUP or a motif file (default: the run's own)")
    parser.add_argument("-o", "--output", metavar="DIR", help="where motifs.meme, motifs.tsv and logos/ go (default: RUN/motifs)")
    parser.add_argument("--top", type=int, default=10, metavar="N", help="rows to print (default 10)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Extract and name motifs, and print the most important."""
    from pathlib import Path

    from seqdl.experiment.motifs import extract_motifs, write_motifs
    from seqdl.experiment.provenance import refresh_outputs
    from seqdl.experiment.run import load_run
    from seqdl.experiment.train import check_output
    from seqdl.io.databases import load_database

    trained = load_run(options.run)
    folder = Path(options.output) if options.output else trained.folder / "motifs"
    if options.output:
        check_output(folder, force=options.force)
    known = load_database(options.database or trained.config.get("database") or "jaspar")
    seed = options.seed if options.seed is not None else int(trained.config.get("seed", 0))
    found, table = extract_motifs(trained.task, trained.data, known, seed=seed)
    write_motifs(folder, found, table)
    if not options.output:
        refresh_outputs(trained.folder)
    shown = table.head(options.top)[["name", "consensus", "information_bits", "importance", "match", "match_q"]]
    console.result(shown.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
    console.emit(table.to_dict(orient="records"))
    console.note(f"{len(table)} motifs in {folder}")
    return 0
