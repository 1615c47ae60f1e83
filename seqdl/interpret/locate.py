"""Find the layer that holds the filters, and where its outputs lie on the sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.interpret.patch import record_calls

FilterLayer = nn.Conv1d | nn.Conv2d


@dataclass(frozen=True)
class Geometry:
    """Which bases an output position of a convolution sees.

    Attributes
    ----------
    span : int
        Bases from the first to the last tap of a filter (bp).
    stride : int
        Bases from one output position to the next (bp).
    padding : int
        Positions added on the left of the sequence (bp).
    """

    span: int
    stride: int
    padding: int

    def starts(self, n_positions: int) -> Tensor:
        """Return the first base (n_positions,) that each output position sees; negative in the padding."""
        return torch.arange(n_positions) * self.stride - self.padding


def reads_bases(layer: nn.Module) -> bool:
    """Tell whether a layer is a convolution over one-hot bases: Conv1d of four channels, or Conv2d of height 1."""
    if isinstance(layer, nn.Conv1d):
        return layer.in_channels == 4
    return isinstance(layer, nn.Conv2d) and layer.in_channels == 4 and layer.kernel_size[0] == 1


def find_layer(module: nn.Module, layer: str | None = None) -> tuple[str, nn.Module]:
    """Return the layer whose filters are meant, with its name.

    Parameters
    ----------
    module : nn.Module
        The network.
    layer : str, optional
        A name as in ``module.named_modules()``; by default the first convolution over the four bases.

    Raises
    ------
    InputError
        If there is no convolution over the four bases.
    UnknownNameError
        If no layer has that name.

    Examples
    --------
    >>> find_layer(nn.Sequential(nn.Conv1d(4, 8, 15), nn.ReLU()))[0]
    '0'
    """
    named = dict(module.named_modules())
    if layer is not None:
        if layer not in named:
            raise UnknownNameError("layer", layer, [name for name in named if name])
        return layer, named[layer]
    for name, part in named.items():
        if reads_bases(part):
            return name, part
    raise InputError(
        f"{type(module).__name__} has no convolution over the four bases; expected a Conv1d with in_channels=4, or a Conv2d of height 1. "
        "Filters can be read as motifs only there; for other networks use attributions."
    )


def geometry_of(convolution: FilterLayer) -> Geometry:
    """Return where the outputs of a convolution lie on the sequence."""
    width, stride, dilation = convolution.kernel_size[-1], convolution.stride[-1], convolution.dilation[-1]
    span = (width - 1) * dilation + 1
    same = (span - 1) // 2 if convolution.padding == "same" else 0
    padding = same if isinstance(convolution.padding, str) else convolution.padding[-1]
    return Geometry(span, stride, padding)


@dataclass(frozen=True)
class FilterBank:
    """Filters ready to be run over sequences.

    Attributes
    ----------
    name : str
        Name of the layer in the module.
    layer : nn.Module
        The layer itself.
    geometry : Geometry
        Where its outputs lie.
    run : callable
        One-hot (n, 4, L) -> activations (n, F, P).
    """

    name: str
    layer: nn.Module
    geometry: Geometry
    run: Callable[[Tensor], Tensor]


def filter_bank(module: nn.Module, layer: str | None = None) -> FilterBank:
    """Return the filters of a module.

    A convolution over bases is run by itself. Any other layer may be named if its outputs lie on the positions of
    the first convolution (its norm, its activation); then the module is run and the layer's first call taken, because
    later calls may see the other strand.

    Raises
    ------
    InputError, UnknownNameError
        If there is no such layer, or its outputs lie elsewhere.
    """
    name, found = find_layer(module, layer)
    if reads_bases(found):
        assert isinstance(found, nn.Conv1d | nn.Conv2d)
        return FilterBank(name, found, geometry_of(found), lambda x: _convolve(found, x))
    _, first = find_layer(module)
    assert isinstance(first, nn.Conv1d | nn.Conv2d)

    def run(x: Tensor) -> Tensor:
        calls = record_calls(found, lambda: module(x))
        expected = _convolve(first, x[:1]).shape[-1]
        output = calls[0].flatten(1, -2) if calls and calls[0].ndim > 2 else None
        if output is None or output.shape[-1] != expected:
            shape = tuple(calls[0].shape) if calls else "no call"
            raise InputError(
                f"layer '{name}' gives {shape}; expected (B, F, {expected}), the positions of the first convolution. "
                "Name that convolution, or the norm or activation right behind it."
            )
        return output

    return FilterBank(name, found, geometry_of(first), run)


def _convolve(convolution: FilterLayer, x: Tensor) -> Tensor:
    """Run a convolution over one-hot (n, 4, L) -> (n, F, P)."""
    result: Tensor = convolution(x) if isinstance(convolution, nn.Conv1d) else convolution(x[:, :, None]).squeeze(2)
    return result
