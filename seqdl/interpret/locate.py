"""Find the layer that holds the filters, and where its outputs lie on the sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqdl.errors import InputError, NoFiltersError, UnknownNameError
from seqdl.interpret.patch import first_output, norm_behind
from seqdl.interpret.readout import Readout, evaluating

FilterLayer = nn.Conv1d | nn.Conv2d


@dataclass(frozen=True)
class Geometry:
    """Which bases an output position of a layer sees.

    Attributes
    ----------
    span : int
        Bases from the first to the last that it sees (bp).
    stride : int
        Bases from one output position to the next (bp).
    padding : int
        Bases by which the first position reaches beyond the left end of the sequence (bp).
    """

    span: int
    stride: int
    padding: int

    def starts(self, n_positions: int) -> Tensor:
        """Return the first base (n_positions,) that each output position sees; negative in the padding."""
        return torch.arange(n_positions) * self.stride - self.padding

    def inside(self, n_positions: int, length: int) -> slice:
        """Return the output positions whose bases all lie in a sequence of `length` bp."""
        first = max(0, -(-self.padding // self.stride))
        last = (length - self.span + self.padding) // self.stride
        return slice(first, max(first, min(n_positions, last + 1)))


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
    NoFiltersError
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
            layers = [name for name, part in named.items() if name and isinstance(part, nn.Conv1d | nn.Conv2d)]
            raise UnknownNameError("layer", layer, layers or [name for name in named if name])
        return layer, named[layer]
    for name, part in named.items():
        if reads_bases(part):
            return name, part
    raise NoFiltersError(
        f"{type(module).__name__} has no convolution over the four bases; expected a Conv1d with in_channels=4, or a Conv2d of height 1, since "
        "filters can be read as motifs only there. For such a network use attributions instead: seqdl attribute, or seqdl.attribute."
    )


def geometry_of(convolution: FilterLayer) -> Geometry:
    """Return where the outputs of a convolution over the bases lie on the sequence."""
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
        What gives the activations: the layer itself, or the batch norm right behind it.
    geometry : Geometry
        Where its outputs lie.
    run : callable
        One-hot (n, 4, L) -> activations (n, F, P).
    convolution : nn.Module, optional
        The convolution over the bases, where the filters are its own.
    """

    name: str
    layer: nn.Module
    geometry: Geometry
    run: Callable[[Tensor], Tensor]
    convolution: FilterLayer | None = None


def filter_bank(module: nn.Module, layer: str | None = None, *, length: int | None = None) -> FilterBank:
    """Return the filters of a module.

    A batch norm right behind the layer is taken with it: one of negative weight makes the filter fire where the
    convolution is lowest, so that the sites of a filter whose absence counts are those that it looks away from.

    A convolution over bases is run by itself. For any other layer (a later convolution, an activation) the module is run as far
    as the layer's first call, because later calls may see the other strand, and the bases that a position sees are found by
    spoiling some of them.

    Parameters
    ----------
    module : nn.Module
        The network.
    layer : str, optional
        A name as in ``module.named_modules()``; by default the first convolution over the bases.
    length : int, optional
        Length of the sequences it will be run on (bp). Without it no norm is looked for, and later layers cannot be taken.

    Raises
    ------
    NoFiltersError
        If there is no convolution over the bases.
    UnknownNameError
        If no layer has that name.
    InputError
        If the outputs of the layer do not lie along the sequence, each with bases of its own.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv1d(4, 8, 7), nn.MaxPool1d(3), nn.ReLU(), nn.Conv1d(8, 5, 3, padding=1))
    >>> filter_bank(net, "3", length=60).geometry
    Geometry(span=15, stride=3, padding=3)
    """
    name, found = find_layer(module, layer)
    norm = None
    if length is not None and isinstance(found, FilterLayer):
        with evaluating(module):
            norm = norm_behind(found, module, Readout(module).place(torch.zeros(1, 4, length)))
    if reads_bases(found):
        assert isinstance(found, FilterLayer)
        return FilterBank(name, norm or found, geometry_of(found), lambda x: _convolve(found, x, norm), found)
    taken = norm or found
    if length is None:
        raise InputError(f"layer '{name}' is no convolution over the bases; expected the length of the sequences for such a layer. Give length=.")

    def run(x: Tensor) -> Tensor:
        output = first_output(taken, lambda: module(x))
        if not isinstance(output, Tensor) or output.ndim < 3 or (output.ndim > 3 and output.shape[2] != 1):
            shape = tuple(output.shape) if isinstance(output, Tensor) else "no call" if output is None else type(output).__name__
            raise InputError(
                f"layer '{name}' gives {shape} for {tuple(x.shape)}; expected (B, F, positions). "
                "Name a convolution, or the norm or activation right behind it."
            )
        return output.flatten(2)

    with evaluating(module), torch.no_grad():
        geometry = _probed(run, Readout(module), name, length=length)
    return FilterBank(name, taken, geometry, run)


def _convolve(convolution: FilterLayer, x: Tensor, norm: nn.Module | None) -> Tensor:
    """Run a convolution over one-hot (n, 4, L) -> (n, F, P), and the norm behind it."""
    result: Tensor = convolution(x if isinstance(convolution, nn.Conv1d) else x[:, :, None])
    if norm is not None:
        result = norm(result.flatten(2) if isinstance(norm, nn.BatchNorm1d) else result)
    return result.flatten(2)


def _probed(run: Callable[[Tensor], Tensor], readout: Readout, name: str, *, length: int) -> Geometry:
    """Find what a layer's positions see: an output that is spoilt by spoilt bases (NaN) sees one of them.

    The two positions in the middle are asked, each for its first and its last base, by halving.
    """
    positions = run(readout.place(torch.zeros(1, 4, length))).shape[-1]
    middle = (positions - 1) // 2
    asked = torch.tensor([middle, middle + 1, middle, middle + 1])
    if positions > 1:
        low, high = torch.zeros(4, dtype=torch.int64), torch.full((4,), length)  # so many bases may be spoilt, so many may not
        while (high - low > 1).any():
            half = (low + high) // 2
            spoilt = torch.arange(length) < half[:, None]  # (4, L); the last two are spoilt from the right
            spoilt[2:] = spoilt[2:].flip(1)
            x = torch.zeros(4, 4, length).masked_fill(spoilt[:, None], torch.nan)
            touched = run(readout.place(x))[torch.arange(4), :, asked].isnan().any(1).cpu()
            low, high = torch.where(touched, low, half), torch.where(touched, half, high)
        first, last = low[:2], length - 1 - low[2:]
        span, stride = int(last[0] - first[0]) + 1, int(first[1] - first[0])
        if stride > 0 and int(last[1] - last[0]) == stride:
            return Geometry(span, stride, middle * stride - int(first[0]))
    raise InputError(
        f"the positions of layer '{name}' have no bases of their own in sequences of {length} bp; expected a layer of which each position "
        "sees a stretch that is shorter than the sequence. Name an earlier layer, or give longer sequences."
    )
