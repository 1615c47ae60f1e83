"""Models and tasks in words: their options, layers and parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from seqdl.errors import InputError, SeqdlError
from seqdl.experiment.build import create_model
from seqdl.registry import MODELS, Registry

if TYPE_CHECKING:
    from torch import Tensor, nn

FROM_THE_DATA = ("in_channels", "outputs", "strands", "length")
"""Options that a training fills in itself."""
BATCH = 2


def summary_line(cls: type[Any]) -> str:
    """Return the first line of a class's docstring, without the numbers of its references."""
    first = (inspect.getdoc(cls) or "").partition("\n")[0]
    return re.sub(r" ?\[\d+\]_", "", first)


def one_liner(registry: Registry, name: str, length: int) -> dict[str, Any]:
    """Return a model in a line.

    Parameters
    ----------
    registry : Registry
        Of models.
    name : str
    length : int
        Of the input (bp).

    Returns
    -------
    dict
        `name`; `parameters`, their number, None where the model cannot even be made for that length; `summary`, the first
        line of the docstring; `problem`, why the model cannot take that length, mostly None.
    """
    row: dict[str, Any] = {"name": name, "parameters": None, "summary": summary_line(registry.get(name)), "problem": None}
    try:
        module = built(name, {}, length)
        row["parameters"] = count_parameters(module)
        _run(module, name, length)
    except SeqdlError as error:
        row["problem"] = str(error)
    return row


def count_parameters(module: nn.Module) -> int:
    """Return the number of trainable numbers of a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def describe_options(registry: Registry, name: str) -> str:
    """Return what a model or task is, and each of its options with its default and the words it may be."""
    cls = registry.get(name)
    hints = get_type_hints(cls.__init__)
    flags = [
        (f"  --{registry.kind}.{key} {_shown(parameter.default)}", _words(key, hints.get(key)))
        for key, parameter in registry.options(name).items()
        if parameter.default is not inspect.Parameter.empty and key not in FROM_THE_DATA
    ]
    width = max((len(flag) for flag, words in flags if words), default=0)
    lines = [f"{flag:<{width}}  ({', '.join(words)})" if words else flag for flag, words in flags]
    return f"{name}: {inspect.getdoc(cls) or ''}\n\noptions and defaults\n" + "\n".join(lines or ["  none"])


def _shown(default: Any) -> str:
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def _words(key: str, hint: Any) -> tuple[str, ...]:
    """Return the words an option may be, where its type lists them or it names an activation."""
    if key.endswith("activation"):
        from seqdl.layers.activation import ACTIVATIONS

        return tuple(ACTIVATIONS)
    kinds = [hint, *get_args(hint)]
    return next((tuple(map(str, get_args(kind))) for kind in kinds if get_origin(kind) is Literal), ())


def built(name: str, options: Mapping[str, Any], length: int) -> nn.Module:
    """Return a model, told the length (bp) where its constructor asks for it."""
    if length < 1:
        raise InputError(f"--length {length}: 1 bp or more was expected. Give the length of your sequences.")
    needs = {"length": length} if "length" in MODELS.options(name) else {}
    return create_model(name, **{**needs, **options}).eval()


def in_channels(module: nn.Module) -> int:
    """Return the channels that a model of `create_model` reads."""
    recipe: Mapping[str, Any] = module.recipe  # type: ignore[assignment]  # nn.Module types every attribute as Tensor | Module
    return int(recipe.get("in_channels", 4))


def _run(module: nn.Module, name: str, length: int) -> Tensor:
    """Return the features of an empty batch, or say that the model cannot take its length."""
    import torch

    try:
        with torch.inference_mode():
            features: Tensor = module(torch.zeros(BATCH, in_channels(module), length))
    except (RuntimeError, IndexError) as error:
        stride = int(module.stride)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        why = f"each of its features stands for {stride} bp" if length < stride else str(error).splitlines()[0]
        raise InputError(f"the model '{name}' cannot take {length} bp: {why}. Give a longer --length.") from None
    return features


@dataclass(frozen=True)
class Layer:
    """A layer of a model, as a row of its table.

    Attributes
    ----------
    layer : str
        Its name in the module.
    kind : str
        Its class.
    shape : str
        Of what it gives, with B for the batch.
    parameters : int
        Trainable numbers of its own.
    """

    layer: str
    kind: str
    shape: str
    parameters: int


def layers(name: str, options: Mapping[str, Any], length: int) -> list[Layer]:
    """Return the layers of a model in the order they are called; the last row is the whole of it.

    Parameters
    ----------
    name : str
    options : mapping
        Of the model's constructor.
    length : int
        Of the input (bp).

    Raises
    ------
    InputError
        If the model cannot take that length.

    Examples
    --------
    >>> [row.shape for row in layers("basset", {}, 200)][-1]
    'B x 96 x 8'
    """
    module = built(name, options, length)
    rows: list[Layer] = []
    counted: set[str] = set()

    def note(path: str) -> Any:
        def hook(layer: nn.Module, inputs: Any, output: Any) -> None:
            own = 0 if path in counted else sum(p.numel() for p in layer.parameters(recurse=False) if p.requires_grad)
            counted.add(path)
            rows.append(Layer(path, type(layer).__name__, _shape(output), own))

        return hook

    for path, layer in module.named_modules():
        if path and type(layer).__name__ != "Identity" and (not list(layer.children()) or list(layer.parameters(recurse=False))):
            layer.register_forward_hook(note(path))
    features = _run(module, name, length)
    rest = count_parameters(module) - sum(row.parameters for row in rows)
    if rest:
        rows.append(Layer("(beside layers)", "Parameter", "-", rest))
    return [*rows, Layer("(features)", type(module).__name__, _shape(features), count_parameters(module))]


def _shape(output: Any) -> str:
    """Return the shape of a tensor, or of the first of several, with B for the batch."""
    import torch

    first = output[0] if isinstance(output, tuple | list) and output else output
    if not isinstance(first, torch.Tensor):
        return "-"
    sizes = list(first.shape)
    batch = sizes.index(BATCH) if BATCH in sizes else -1  # a recurrent layer may have it behind the length
    return " x ".join("B" if axis == batch else str(size) for axis, size in enumerate(sizes))


def layer_table(name: str, options: Mapping[str, Any], length: int) -> str:
    """Return the layers of a model as a table: the shape each gives, and its parameters.

    Parameters
    ----------
    name, options, length
        As in `layers`.

    Raises
    ------
    InputError
        If the model cannot take that length.
    """
    rows = layers(name, options, length)
    head = ("layer", "kind", "shape", "parameters")
    cells = [(row.layer, row.kind, row.shape, f"{row.parameters:,}") for row in rows]
    widths = [max(len(row[i]) for row in [head, *cells]) for i in range(4)]
    lines = [
        "  ".join(f"{cell:>{width}}" if i == 3 else f"{cell:<{width}}" for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in [head, *cells]
    ]
    rule = "-" * len(lines[0])
    n = int(options.get("in_channels") or 4)
    return "\n".join([f"input B x {n} x {length}", lines[0], rule, *lines[1:-1], rule, lines[-1]])
