"""What is done to windows instead of to mutants in full, by operation.

A rule gets the operation and its arguments, and returns the result or ``NotImplemented``: then the operation runs in full.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from seqdl.interpret.window_reach import convolve, largest, max_pool, mean_pool, reduce, softmax
from seqdl.interpret.windowed import Windowed, cut, with_defaults

Rule = Callable[..., Any]
aten = torch.ops.aten


def rule_of(operation: Any) -> Rule | None:
    """Return the rule of an operation of torch, if it has one."""
    return RULES.get(operation, _pointwise if torch.Tag.pointwise in operation.tags else None)


# position by position ---------------------------------------------------------------------------------


def _pointwise(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Do the same to the sequence and to the windows."""
    tensors = [a for a in args if isinstance(a, Tensor)]
    parts = [t for t in tensors if isinstance(t, Windowed)]
    ndim = max((t.ndim for t in tensors), default=0)
    if not parts or any(part.ndim != ndim for part in parts) or any(isinstance(value, Tensor) for value in kwargs.values()):
        return NotImplemented
    if func._schema.is_mutable:
        return _in_place(func, args, kwargs)
    if func is aten.mul.Tensor:
        scaled = _scaled(*args)
        if scaled is not NotImplemented:
            return scaled
    windows = None if any(part.scale is not None for part in parts) else _together(parts)
    if windows is None:
        return NotImplemented
    on_whole, on_patch, queue = [], [], iter(windows)
    for a in args:
        pair: tuple[Any, Any] | None = (a, a)
        if isinstance(a, Windowed):
            part = next(queue)
            pair = (part.whole, part.patch)
        elif isinstance(a, Tensor):
            pair = _beside(a, windows[0])
        if pair is None:
            return NotImplemented
        on_whole.append(pair[0])
        on_patch.append(pair[1])
    return windows[0].like(func(*on_whole, **kwargs), func(*on_patch, **kwargs))


def _in_place(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do what works in place anew, and give the result to the tensor that was to be changed."""
    name = func._schema.name.partition("::")[2]
    found = _pointwise(getattr(getattr(aten, name.removesuffix("_")), func._overloadname), *args, **kwargs)
    target = args[0]
    if not isinstance(target, Windowed) or not isinstance(found, Windowed) or found.shape != target.shape:
        return NotImplemented
    target.whole, target.patch, target.start, target.scale = found.whole, found.patch, found.start, found.scale
    return target


def _together(parts: Sequence[Windowed]) -> list[Windowed] | None:
    """Return tensors with one and the same windows; None where they cannot be brought together."""
    first = parts[0]
    if any(part.axis != first.axis or part.ndim != first.ndim or part.size_along != first.size_along for part in parts):
        return None
    if all(part.width == first.width and (part.start is first.start or torch.equal(part.start, first.start)) for part in parts):
        return list(parts)
    start = torch.stack([part.start for part in parts]).amin(0)
    end = torch.stack([part.start + part.width for part in parts]).amax(0)
    width = int((end - start).max())
    if width >= first.size_along:
        return None
    return [part.like(part.whole, part.seen_through(start, width), start=start) for part in parts]


def _beside(value: Tensor, like: Windowed) -> tuple[Tensor, Tensor] | None:
    """Return what a plain tensor is to the sequence and to the windows; None where it differs from mutant to mutant."""
    back = like.axis - like.ndim
    if value.ndim == like.ndim and value.shape[0] != 1:
        return None
    if value.ndim < -back or value.shape[back] == 1:
        return value, value
    spread = value.view(*[1] * (like.ndim - value.ndim), *value.shape)
    return value, cut(spread, like.start, width=like.width, axis=like.axis)


def _scaled(first: Any, second: Any) -> Any:
    """Multiply: factors that are one number a mutant, whatever the position, are kept apart."""
    if not isinstance(first, Windowed):
        first, second = second, first
    if isinstance(second, Windowed):
        factors = [part.scale for part in (first, second) if part.scale is not None]
        if not factors:
            return NotImplemented
        product = _pointwise(aten.mul.Tensor, *(part.like(part.whole, part.patch) for part in (first, second)))
    elif isinstance(second, Tensor) and second.ndim == first.ndim and second.shape[first.axis] == 1 and second.shape[0] != 1:
        factors = [second] if first.scale is None else [first.scale, second]
        product = first.like(first.whole, first.patch)
    else:
        return NotImplemented
    scale = factors[0] if len(factors) == 1 else factors[0] * factors[1]
    if not isinstance(product, Windowed) or any(s not in (1, n) for s, n in zip(scale.shape, product.shape, strict=True)):
        return NotImplemented
    return product.like(product.whole, product.patch, scale=scale)


def _each(func: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Copy or retype; shape and windows stay."""
    return NotImplemented if x.scale is not None else x.like(func(x.whole, *args, **kwargs), func(x.patch, *args, **kwargs))


def _look_up(func: Any, table: Any, places: Any) -> Any:
    """Take from a fixed table what numbers stand for, position by position; beyond the ends a window may hold any number."""
    if isinstance(table, Windowed) or not isinstance(places, Windowed):
        return NotImplemented
    return _each(lambda part: func(table, part.clamp(0, table.numel() - 1)), places)


def _norm(func: Any, x: Any, *args: Any) -> Any:
    """Normalise by fixed statistics of each channel; what else is returned is of the sequence, and nobody reads it."""
    weight, bias, mean, variance, training, _, eps = args
    if not isinstance(x, Windowed) or x.scale is not None or training or x.axis == 1:
        return NotImplemented
    whole, *rest = func(x.whole, *args)
    factor = (variance + eps).rsqrt() * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - mean * factor
    shape = [-1, *[1] * (x.ndim - 2)]
    return (x.like(whole, torch.addcmul(shift.view(shape), x.patch, factor.view(shape))), *rest)


# shape ------------------------------------------------------------------------------------------------


def _same_shape(func: Any, x: Any, shape: Sequence[int], **kwargs: Any) -> Any:
    """View or expand to the shape that is there already."""
    asked = [n if s == -1 else s for s, n in zip(shape, x.shape, strict=True)] if len(shape) == x.ndim else None
    return x.again() if asked == list(x.shape) else NotImplemented


def _reshape_beside(func: Any, x: Any, dim: int, *args: Any) -> Any:
    """Add, drop or pick along an axis other than those of mutants and positions."""
    adding = func is aten.unsqueeze.default
    dim = dim % (x.ndim + adding)
    if func is aten.squeeze.dim and x.shape[dim] != 1:
        return x.again()
    if func is aten.select.int and dim == x.axis and x.scale is None:
        at = torch.full_like(x.start, args[0] % x.size_along)
        return x.seen_through(at, 1).select(dim, 0)
    if x.scale is not None or dim == 0 or (dim == x.axis and not adding):
        return NotImplemented
    shift = (dim <= x.axis) if adding else -(dim < x.axis)
    return x.like(func(x.whole, dim, *args), func(x.patch, dim, *args), axis=x.axis + shift)


def _slice(func: Any, x: Any, *args: Any) -> Any:
    """Cut out channels or positions."""
    dim, first, last, step = with_defaults(args, 0, None, None, 1)
    dim = dim % x.ndim
    if x.scale is not None or dim == 0 or (dim == x.axis and step != 1):
        return NotImplemented
    whole = func(x.whole, dim, first, last, step)
    if dim != x.axis:
        return x.like(whole, func(x.patch, dim, first, last, step))
    return x.like(whole, x.patch, start=x.start - slice(first, last).indices(x.size_along)[0]) if whole.shape[dim] else NotImplemented


def _turn(func: Any, x: Any, dims: Sequence[int]) -> Any:
    """Turn axes round: the windows begin where they ended."""
    axes = [dim % x.ndim for dim in dims]
    if x.scale is not None or 0 in axes:
        return NotImplemented
    start = x.size_along - x.start - x.width if x.axis in axes else x.start
    return x.like(func(x.whole, dims), func(x.patch, dims), start=start)


def _transpose(func: Any, x: Any, *axes: int) -> Any:
    """Swap two axes, not that of the mutants."""
    first, second = (axis % x.ndim for axis in axes)
    if 0 in (first, second):
        return NotImplemented
    axis = {first: second, second: first}.get(x.axis, x.axis)
    scale = None if x.scale is None else func(x.scale, first, second)
    return x.like(func(x.whole, first, second), func(x.patch, first, second), axis=axis, scale=scale)


def _join(func: Any, tensors: Sequence[Any], dim: int = 0) -> Any:
    """Put tensors side by side, not along the mutants or the positions."""
    stacking = func is aten.stack.default
    if not all(isinstance(t, Windowed) and t.scale is None for t in tensors):
        return NotImplemented
    first = tensors[0]
    dim = dim % (first.ndim + stacking)
    windows = _together(tensors)
    if windows is None or dim == 0 or (dim == first.axis and not stacking) or any(t.ndim != first.ndim for t in tensors):
        return NotImplemented
    axis = first.axis + (stacking and dim <= first.axis)
    return windows[0].like(func([w.whole for w in windows], dim), func([w.patch for w in windows], dim), axis=axis)


def _pad(func: Any, x: Any, *args: Any) -> Any:
    """Add positions at the ends."""
    pad, value = with_defaults(args, (), 0.0)
    if x.scale is not None or x.axis != x.ndim - 1 or any(pad[2:]) or min(pad) < 0:
        return NotImplemented
    return x.like(func(x.whole, pad, value), x.filled(value), start=x.start + pad[0])


def _weighted_sum(func: Any, x: Any, weights: Any) -> Any:
    """Multiply (M, C, L) by one column of weights (M, L, 1): a sum over positions."""
    if not (isinstance(x, Windowed) and isinstance(weights, Windowed)) or x.axis != 2 or weights.axis != 1 or weights.shape[2] != 1:
        return NotImplemented
    product = _pointwise(aten.mul.Tensor, x, _transpose(aten.transpose.int, weights, 1, 2))
    return product if product is NotImplemented else reduce(aten.sum.dim_IntList, product, [2], True)


RULES: dict[Any, Rule] = {
    aten.alias.default: _each,
    aten.detach.default: _each,
    aten.clone.default: _each,
    aten._to_copy.default: _each,
    aten.take.default: _look_up,
    aten.native_batch_norm.default: _norm,
    aten.cudnn_batch_norm.default: _norm,
    aten.view.default: _same_shape,
    aten.expand.default: _same_shape,
    aten._unsafe_view.default: _same_shape,
    aten.unsqueeze.default: _reshape_beside,
    aten.squeeze.dim: _reshape_beside,
    aten.select.int: _reshape_beside,
    aten.slice.Tensor: _slice,
    aten.flip.default: _turn,
    aten.transpose.int: _transpose,
    aten.cat.default: _join,
    aten.stack.default: _join,
    aten.constant_pad_nd.default: _pad,
    aten.convolution.default: convolve,
    aten.max_pool2d_with_indices.default: max_pool,
    aten.avg_pool2d.default: mean_pool,
    aten.amax.default: reduce,
    aten.max.dim: largest,
    aten.adaptive_max_pool2d.default: largest,
    aten.sum.dim_IntList: reduce,
    aten.mean.dim: reduce,
    aten._softmax.default: softmax,
    aten.bmm.default: _weighted_sum,
}
