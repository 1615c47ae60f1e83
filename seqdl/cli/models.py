"""seqdl models: what architectures there are."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console
from seqdl.errors import InputError

DOTTED = True
EPILOG = "Options of a model apply to its layer table: seqdl models basset --model.filters 32,64,64 --length 500"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this model's options and layers")
    parser.add_argument("--length", type=int, default=200, metavar="BP", help="length of the input (default 200)")


def run(options: argparse.Namespace, console: Console) -> int:
    """List the models, or show one with its layer table."""
    given = _of_the_model(options.dotted)
    if options.name:
        _show(options.name, given, options.length, console=console)
        return 0
    if given:
        raise InputError(f"--model.{next(iter(given))} was given without the model it is meant for: NAME was expected. Try seqdl models cnn.")
    _list(options.length, console)
    return 0


def _of_the_model(dotted: dict[str, str]) -> dict[str, str]:
    """Return the options under --model; others are refused."""
    for key in dotted:
        if not key.startswith("model."):
            raise InputError(f"--{key}: options of a model, such as --model.filters, were expected here. Leave it out.")
    return {key.removeprefix("model."): value for key, value in dotted.items()}


def _show(name: str, given: dict[str, str], length: int, *, console: Console) -> None:
    """Write what a model is, its options and its layers."""
    import dataclasses

    from seqdl.experiment.describe import describe_options, layer_table, layers
    from seqdl.registry import MODELS

    console.result(describe_options(MODELS, name) + "\n\n" + layer_table(name, given, length))
    known = {key: repr(parameter.default) for key, parameter in MODELS.options(name).items()}
    console.emit({"name": name, "options": known, "layers": [dataclasses.asdict(row) for row in layers(name, given, length)]})


def _list(length: int, console: Console) -> None:
    """Write a line for each model."""
    from seqdl.experiment.describe import one_liner
    from seqdl.registry import MODELS

    rows = [one_liner(MODELS, name, length) for name in MODELS.names()]
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        n = "-" if row["parameters"] is None else f"{row['parameters']:,}"
        console.result(f"{row['name']:<{width}}  {n:>10}  {row['summary']}" + (f" (not at {length} bp)" if row["problem"] else ""))
    console.note(f"(parameters at {length} bp; seqdl models NAME shows options and layers)")
    console.emit(rows)
