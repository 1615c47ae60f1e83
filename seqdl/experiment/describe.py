"""Models and tasks in words: their options, layers and parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError
from seqdl.experiment.build import create_model
from seqdl.registry import MODELS, Registry

if TYPE_CHECKING:
    from torch import nn


def summary_line(cls: type[Any]) -> str:
    """Return the first line of a class's docstring."""
    return (inspect.getdoc(cls) or "").splitlines()[0]


def one_liner(registry: Registry, name: str, length: int) -> dict[str, Any]:
    """Return name, number of parameters at a length (bp), and the first line of the docstring."""
    module = _built(name, {}, length)
    return {"name": name, "parameters": count_parameters(module), "summary": summary_line(registry.get(name))}


def count_parameters(module: nn.Module) -> int:
    """Return the number of trainable numbers of a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def describe_options(registry: Registry, name: str) -> str:
    """Return what a model or task is, and each of its options with its default."""
    text = inspect.getdoc(registry.get(name)) or ""
    flags = [
        f"  --{registry.kind}.{key} {_shown(parameter.default)}"
        for key, parameter in registry.options(name).items()
        if parameter.default is not inspect.Parameter.empty and key not in ("in_channels", "outputs", "strands")
    ]
    return f"{name}: {text}\n\noptions and defaults\n" + "\n".join(flags)


def _shown(default: Any) -> str:
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def _built(name: str, options: Mapping[str, Any], length: int) -> nn.Module:
    """Return a model, told the length where its constructor asks for it."""
    needs = {"length": length} if "length" in MODELS.options(name) else {}
    return create_model(name, **{**needs, **options})


def layer_table(name: str, options: Mapping[str, Any], length: int) -> str:
    """Return the layers of a model with the shape each gives and its parameters.

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
    """
    import torch

    module = _built(name, options, length).eval()
    rows: list[tuple[str, str, str, int]] = []

    def note(path: str) -> Any:
        def hook(layer: nn.Module, inputs: Any, output: Any) -> None:
            shape = " x ".join(["B", *map(str, output.shape[1:])]) if isinstance(output, torch.Tensor) else "-"
            rows.append((path, type(layer).__name__, shape, count_parameters(layer)))

        return hook

    for path, layer in module.named_modules():
        if path and not list(layer.children()):
            layer.register_forward_hook(note(path))
    try:
        with torch.inference_mode():
            out = module(torch.zeros(1, 4, length))
    except RuntimeError as error:
        raise InputError(f"the model '{name}' cannot take {length} bp: {str(error).splitlines()[0]}. Give a longer --length.") from None
    rows.append(("(features)", type(module).__name__, " x ".join(["B", *map(str, out.shape[1:])]), count_parameters(module)))
    widths = [max(len(str(row[i])) for row in [("layer", "kind", "shape", "parameters"), *rows]) for i in range(4)]
    header = f"{'layer':<{widths[0]}}  {'kind':<{widths[1]}}  {'shape':<{widths[2]}}  {'parameters':>{widths[3]}}"
    lines = [f"{path:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {n:>{widths[3]},}" for path, kind, shape, n in rows]
    return "\n".join([f"input B x 4 x {length}", header, "-" * len(header), *lines[:-1], "-" * len(header), lines[-1]])
