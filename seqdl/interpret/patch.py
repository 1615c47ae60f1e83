"""Stand in for a part of a module while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def patched(forwards: dict[nn.Module, Callable[..., Any]]) -> Iterator[None]:
    """Replace the ``forward`` of some modules for a while.

    Parameters
    ----------
    forwards : dict of nn.Module to callable
        What each module does instead.
    """
    before: dict[nn.Module, Callable[..., Any] | None] = {module: module.__dict__.get("forward") for module in forwards}
    try:
        for module, forward in forwards.items():
            object.__setattr__(module, "forward", forward)
        yield
    finally:
        for module, own in before.items():
            module.__dict__.pop("forward", None)
            if own is not None:
                object.__setattr__(module, "forward", own)


def record_calls(layer: nn.Module, run: Callable[[], object]) -> list[Tensor]:
    """Return what `layer` gave in each of its calls during ``run()``; a layer used for both strands is called twice.

    Outputs are copied, for what comes next may work in place.
    """
    outputs: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _module, _inputs, output: outputs.append(output.detach().clone()))
    try:
        run()
    finally:
        handle.remove()
    return outputs


class _Reached(Exception):
    """Carries the output of a layer out of a forward pass that need not go on."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output


def first_output(layer: nn.Module, run: Callable[[], object]) -> Any:
    """Return what `layer` gives in its first call during ``run()``, which is left there; None if it is never called."""

    def leave(_module: nn.Module, _inputs: Any, output: Any) -> None:
        raise _Reached(output)

    handle = layer.register_forward_hook(leave)
    try:
        run()
    except _Reached as reached:
        return reached.output
    finally:
        handle.remove()
    return None


def norm_behind(layer: nn.Module, module: nn.Module, x: Tensor) -> nn.Module | None:
    """Return the batch norm that reads the output of a layer as it is, before anything else is done to it; None without one.

    Parameters
    ----------
    layer : nn.Module
        A convolution of `module`.
    module : nn.Module
        Is run once, in evaluation mode.
    x : Tensor
        What it is run on.
    """
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return None
    outputs: list[Tensor] = []  # held, so that no other tensor can take their place in memory
    found: list[nn.Module] = []

    def look(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        same = any(inputs[0].data_ptr() == output.data_ptr() and inputs[0].numel() == output.numel() for output in outputs)
        if same and norm not in found:
            found.append(norm)

    handles = [layer.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))]
    handles += [norm.register_forward_pre_hook(look) for norm in norms]
    try:
        with torch.no_grad():
            module(x)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if len(found) == 1 else None
