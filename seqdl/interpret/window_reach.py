"""Rules for what looks beyond one position: convolutions and pooling, maxima, sums and softmax over all positions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from seqdl.interpret.windowed import Unread, Windowed, cut, with_defaults

aten = torch.ops.aten

# windows of windows -----------------------------------------------------------------------------------


def convolve(func: Any, x: Any, *args: Any) -> Any:
    """Convolve: the sequence in full, and of the mutants the windows that see theirs."""
    weight, bias, stride, padding, dilation, transposed, *rest = args
    if not isinstance(x, Windowed) or isinstance(weight, Windowed) or x.scale is not None or transposed or x.axis != x.ndim - 1 or x.ndim < 3:
        return NotImplemented
    span, groups = (weight.shape[-1] - 1) * dilation[-1] + 1, rest[-1]
    whole = func(x.whole, *args)
    if stride[-1] == 1 and groups == 1 and x.ndim == 3:
        return _add_change(x, whole, weight, padding=padding[-1], dilation=dilation[-1])

    def run(slab: Tensor) -> Any:
        return func(slab.contiguous(), weight, bias, stride, [*padding[:-1], 0], dilation, transposed, *rest)

    return _slide(x, whole, (span, stride[-1], padding[-1]), fill=0.0, run=run)


def _add_change(x: Windowed, whole: Tensor, weight: Tensor, *, padding: int, dilation: int) -> Any:
    """Convolve the difference from the sequence alone, which is zero outside the windows, and add it."""
    span = (weight.shape[-1] - 1) * dilation + 1
    width = x.width + span - 1
    if 2 * width > whole.shape[-1]:
        return NotImplemented
    change = x.like(x.whole, x.patch - cut(x.whole, x.start, width=x.width, axis=x.axis)).filled(0.0)
    turned = weight.flip(-1).transpose(0, 1)  # (C, F, W)
    start = x.start + padding - (span - 1)
    before = cut(whole, start, width=width, axis=x.axis)
    if x.width == 1 and dilation == 1:
        kernel = turned.transpose(1, 2).reshape(len(turned), -1)  # (C, W * F)
        before.transpose(1, 2).view(len(change), -1).addmm_(change[:, :, 0], kernel)
    else:
        before += torch.nn.functional.conv_transpose1d(change.contiguous(), turned.contiguous(), dilation=dilation)
    return x.like(whole, before, start=start)


def _slide(x: Windowed, whole: Tensor, geometry: tuple[int, int, int], *, fill: float, run: Callable[[Tensor], Any]) -> Any:
    """Run what slides over positions on as much of each mutant as it needs; geometry is span, stride and padding."""
    span, stride, padding = geometry
    width = (x.width + span - 2) // stride + 1
    if 2 * width > whole.shape[x.axis]:
        return NotImplemented
    start = -torch.div(span - 1 - padding - x.start, stride, rounding_mode="floor")  # the first output that sees the window
    slab = x.seen_through(start * stride - padding, (width - 1) * stride + span, fill)
    return x.like(whole, run(slab), start=start)


def _flat(x: Any, kernel: Sequence[int], padding: Sequence[int]) -> bool:
    """Tell whether a pooling over two axes only moves along the positions."""
    return bool(x.scale is None and x.axis == 3 and x.ndim == 4 and x.shape[2] == 1 and [*kernel][:-1] in ([], [1]) and not any([*padding][:-1]))


def max_pool(func: Any, x: Any, kernel: Sequence[int], *args: Any) -> Any:
    """Take maxima of neighbouring positions."""
    stride, padding, dilation, ceil = with_defaults(args, [], [0, 0], [1, 1], False)
    if not _flat(x, kernel, padding) or len(kernel) != 2:
        return NotImplemented
    step, apart = (stride or kernel)[-1], dilation[-1]
    value, index = func(x.whole, kernel, stride, padding, dilation, ceil)

    def run(slab: Tensor) -> Tensor:
        along = slab.movedim(3, 1)  # (M, ..., C, 1): rows of channels, which the processor takes in one go
        last = along.shape[1] - (kernel[-1] - 1) * apart
        taps = (along[:, tap * apart : tap * apart + last : step] for tap in range(kernel[-1]))
        return functools.reduce(torch.maximum, taps).movedim(1, 3)

    found = _slide(x, value, ((kernel[-1] - 1) * apart + 1, step, padding[-1]), fill=-torch.inf, run=run)
    if found is NotImplemented:
        return found
    return found, Unread(torch.empty(found.shape, dtype=index.dtype, device="meta"), device=index.device)


def mean_pool(func: Any, x: Any, kernel: Sequence[int], *args: Any) -> Any:
    """Average neighbouring positions."""
    stride, padding, ceil, with_padding, divisor = with_defaults(args, [], [0, 0], False, True, None)
    if not _flat(x, kernel, padding) or ceil or (any(padding) and not with_padding):
        return NotImplemented
    stride = stride or kernel

    def run(slab: Tensor) -> Any:
        return func(slab.contiguous(), kernel, stride, [0, 0], False, True, divisor)

    whole = func(x.whole, kernel, stride, padding, False, with_padding, divisor)
    return _slide(x, whole, (kernel[-1], stride[-1], padding[-1]), fill=0.0, run=run)


# over all positions -----------------------------------------------------------------------------------


def _left_and_right(x: Windowed, running: Callable[[Tensor], Tensor], empty: float) -> tuple[Tensor, Tensor]:
    """Return a running quantity of what lies left of each window, and of what lies right of it, (M, ...)."""
    along = x.whole[0].movedim(x.axis - 1, 0)  # (L, ...)
    nothing = along.new_full((1, *along.shape[1:]), empty)
    left = torch.cat([nothing, running(along)])
    right = torch.cat([nothing, running(along.flip(0))]).flip(0)
    return left[x.start.clamp(0, len(along))], right[(x.start + x.width).clamp(0, len(along))]


def _sum_over_all(x: Windowed) -> Tensor:
    """Return the sum over all positions, (M, ..., 1, ...)."""
    left, right = _left_and_right(x, lambda along: along.cumsum(0), 0.0)
    return (left + right).unsqueeze(x.axis) + x.filled(0.0).sum(x.axis, keepdim=True)


def _max_over_all(x: Windowed) -> Tensor:
    """Return the maximum over all positions, (M, ..., 1, ...)."""
    left, right = _left_and_right(x, lambda along: along.cummax(0).values, -torch.inf)
    return torch.maximum(torch.maximum(left, right).unsqueeze(x.axis), x.filled(-torch.inf).amax(x.axis, keepdim=True))


def largest(func: Any, x: Any, *args: Any) -> Any:
    """Find the maximum over positions and its place, (M, ..., 1, ...) or (M, ...)."""
    if func is aten.adaptive_max_pool2d.default:
        dim, keepdim = 3, True
        fits = x.ndim == 4 and x.shape[2] == 1 and list(args[0]) == [1, 1]
    else:
        dim, keepdim = with_defaults(args, 0, False)
        fits = True
    if x.scale is not None or not fits or dim % x.ndim != x.axis:
        return NotImplemented
    last = x.size_along - 1
    values = _left_and_right(x, lambda along: along.cummax(0).values, -torch.inf)
    left, right = _left_and_right(x, lambda along: along.cummax(0).indices.to(along.dtype), 0.0)
    here = x.filled(-torch.inf).max(x.axis)
    begin = x.start.view(-1, *[1] * (here.values.ndim - 1))
    value, which = torch.stack([values[0], here.values, values[1]]).max(0)
    place = torch.stack([left.long(), here.indices + begin, last - right.long()]).gather(0, which[None])[0]
    return (value.unsqueeze(x.axis), place.unsqueeze(x.axis)) if keepdim else (value, place)


def reduce(func: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Reduce by maximum, sum or mean, over positions or beside them."""
    dims, keepdim = with_defaults(args, (), False)
    axes = sorted({dim % x.ndim for dim in dims or ()})
    if not axes or 0 in axes or any(value is not None for value in kwargs.values()):
        return NotImplemented
    if x.scale is not None and (func is aten.amax.default or axes != [x.axis]):
        return NotImplemented
    beside, dropped = [axis for axis in axes if axis != x.axis], [] if keepdim else axes
    part = x.like(*(func(t, beside, True) for t in (x.whole, x.patch))) if beside else x.like(x.whole, x.patch)
    if x.axis not in axes:
        return part.like(part.whole.squeeze(dropped), part.patch.squeeze(dropped), axis=x.axis - sum(axis < x.axis for axis in dropped))
    total = _max_over_all(part) if func is aten.amax.default else _sum_over_all(part)
    total = total / x.size_along if func is aten.mean.dim else total
    return (total if x.scale is None else total * x.scale).squeeze(dropped)


def softmax(func: Any, x: Any, *args: Any) -> Any:
    """Take the softmax over positions: exponentials, scaled by one number a mutant."""
    dim, half = args
    if x.scale is not None or dim % x.ndim != x.axis or half:
        return NotImplemented
    patch = x.filled(-torch.inf)
    top = torch.maximum(x.whole.amax(x.axis, keepdim=True), patch.amax((0, x.axis), keepdim=True))
    made = x.like((x.whole - top).exp(), (patch - top).exp())
    return made.like(made.whole, made.patch, scale=1 / _sum_over_all(made))
