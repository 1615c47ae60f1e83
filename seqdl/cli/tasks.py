"""seqdl tasks: what objectives there are."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this task's options")


def run(options: argparse.Namespace, console: Console) -> int:
    """List the tasks, or show one with its options."""
    from seqdl.experiment.describe import describe_options, summary_line
    from seqdl.registry import TASKS

    if options.name:
        console.result(describe_options(TASKS, options.name))
        console.emit({"name": options.name, "options": {k: repr(p.default) for k, p in TASKS.options(options.name).items()}})
        return 0
    rows = [{"name": name, "summary": summary_line(TASKS.get(name))} for name in TASKS.names()]
    console.result("\n".join(f"{row['name']:<12}  {row['summary']}" for row in rows))
    console.emit(rows)
    return 0
