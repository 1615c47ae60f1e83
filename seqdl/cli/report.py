"""`seqdl report`: rebuild the page of a run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdl.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.description = "Rebuild report.html from the files of a run folder. The page is one file, fetches nothing and can be mailed."
    parser.add_argument("run_folder", metavar="RUN", help="folder of a training run, as given to `seqdl train -o`")


def run(options: argparse.Namespace, console: Console) -> int:
    """Build the page and say where it is."""
    from seqdl.report.build import build_report

    page = build_report(options.run_folder)
    if console.json_mode:
        console.emit({"report": str(page)})
    else:
        console.result(str(page))
    return 0
