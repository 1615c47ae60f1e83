"""Stand in for a part of a module while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
