"""seqdl verify: does a run still hold."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")


def run(options: argparse.Namespace, console: Console) -> int:
    """Hash every file of the manifest again."""
    from seqdl.errors import CheckFailed
    from seqdl.experiment.provenance import verify

    found = verify(Path(options.run))
    console.emit({"files": found.n_files, "changed": found.changed, "missing": found.missing})
    for kind, names in (("changed", found.changed), ("missing", found.missing)):
        for name in names:
            console.result(f"{kind}: {name}")
    if not found.holds:
        raise CheckFailed(
            f"{len(found.changed)} files changed and {len(found.missing)} are missing, of {found.n_files} in the manifest of {options.run}."
        )
    console.result(f"{found.n_files} files are as the manifest says")
    return 0
