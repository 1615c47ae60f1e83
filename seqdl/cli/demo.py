"""seqdl demo: the whole path on simulated peaks, offline."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console
from seqdl.cli.simulate import DEFAULT_MOTIFS


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("-o", "--output", default="demo", metavar="DIR", help="where data and run go (default: demo)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the demonstration and end with a verdict."""
    from seqdl.cli.simulate import from_jaspar
    from seqdl.errors import CheckFailed
    from seqdl.experiment.demo import demo
    from seqdl.experiment.evaluate import comparison
    from seqdl.experiment.train import check_output
    from seqdl.io.databases import load_database

    folder = Path(options.output)
    check_output(folder, force=options.force)
    trained, recovery = demo(
        folder, from_jaspar(DEFAULT_MOTIFS), load_database("jaspar"), seed=options.seed or 0, force=options.force, say=console.note
    )
    console.result(comparison(trained.metrics))
    console.result("\n" + recovery.table.to_string(index=False, float_format=lambda value: f"{value:.2g}"))
    console.result(f"\nreport: {trained.folder / 'report.html'}")
    console.result(recovery.verdict())
    console.emit(
        {"recovered": recovery.found, "n_planted": recovery.n_planted, "metrics": trained.metrics, "report": str(trained.folder / "report.html")}
    )
    if not recovery.found:
        raise CheckFailed(f"none of the {recovery.n_planted} planted motifs was recovered.")
    return 0
