"""seqdl compare: runs against each other on one test set."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl compare RUN_A RUN_B                      B minus A, with a 95 % interval
  seqdl compare RUN_A RUN_B RUN_C --against best every run against the one that is best on validation
  seqdl compare FOLDS_A FOLDS_B                  folders of --folds or --seeds: differences over the pairs

Two runs are measured on the same resamples of the same test examples: the interval says how far their difference could move with
other examples, not with other seeds, for which there are --seeds. Runs whose test sets differ are refused.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, two or more")
    parser.add_argument("--against", default="first", metavar="first|best|RUN", help="what the others are held against (default first)")
    parser.add_argument("-o", "--output", metavar="FILE.json", help="also write the comparison here")


def run(options: argparse.Namespace, console: Console) -> int:
    """Compare, and print the table."""
    from seqdl.experiment.compare import compare_runs
    from seqdl.experiment.provenance import write_json
    from seqdl.io.files import check_writable

    if options.output:
        check_writable(options.output, force=options.force)
    found = compare_runs(options.runs, against=options.against, seed=options.seed or 0)
    if options.output:
        write_json(Path(options.output), dict(found))
    console.result(str(found))
    console.emit(found)
    return 0
