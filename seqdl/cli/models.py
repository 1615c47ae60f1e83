"""seqdl models: what architectures there are."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console

DOTTED = True


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this model's options and layers")
    parser.add_argument("--length", type=int, default=200, metavar="BP", help="length of the input (default 200)")


def run(options: argparse.Namespace, console: Console) -> int:
    """List the models, or show one with its layer table."""
    from seqdl.experiment.describe import describe_options, layer_table, one_liner
    from seqdl.registry import MODELS

    if options.name:
        given = {key.removeprefix("model."): value for key, value in options.dotted.items()}
        console.result(describe_options(MODELS, options.name) + "\n\n" + layer_table(options.name, given, options.length))
        console.emit({"name": options.name, "options": {k: repr(p.default) for k, p in MODELS.options(options.name).items()}})
        return 0
    rows = [one_liner(MODELS, name, options.length) for name in MODELS.names()]
    width = max(len(row["name"]) for row in rows)
    console.result("\n".join(f"{row['name']:<{width}}  {row['parameters']:>10,}  {row['summary']}" for row in rows))
    console.note(f"(parameters at {options.length} bp; seqdl models NAME shows options and layers)")
    console.emit(rows)
    return 0
