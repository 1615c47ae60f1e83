"""Mutants that travel through a network as what differs from the sequence they were made of.

A substitution changes one base. A convolution carries the change on to the positions whose windows hold that base, and to
no others; so a batch of mutants is kept as the activations of the sequence itself, computed once, and of each mutant only
the window that differs [1]_. Whatever the module calls on such a tensor is looked up among the rules of
`seqdl.interpret.window_rules`. Convolutions,
pooling and everything that works position by position keep the window; maxima, sums and the softmax over all positions
need no more than the window and what lies left and right of it; anything else gets the mutants in full, so that the result
is right for every module, and quick for those that look at windows.

A window may reach over an end of the sequence; what it holds there is arbitrary and counts for nothing.

References
----------
.. [1] Nair, Shrikumar, Schreiber & Kundaje (2022), fastISM, Bioinformatics 38:2397.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

aten = torch.ops.aten


class CannotFollowError(Exception):
    """A module does something to a batch of windows that no rule covers and that cannot be done in full either."""


class Windowed(Tensor):
    """M tensors that differ from one tensor only within a window each.

    To the module that gets it, it is a tensor (M, ..., L, ...) like any other.

    Parameters
    ----------
    whole : Tensor, (1, ..., L, ...)
        The tensor they all differ from.
    patch : Tensor, (M, ..., W, ...)
        What each of them holds in its window.
    start : Tensor, (M,), int64
        First position of each window; it may be negative.
    axis : int
        The axis of positions.
    scale : Tensor, (M, ..., 1, ...), optional
        What each of them is multiplied by, window and all.
    """

    whole: Tensor
    patch: Tensor
    start: Tensor
    axis: int
    scale: Tensor | None
    in_full: list[int]
    """How many numbers a mutant took wherever it had to be made in full, on the whole way from the first of these tensors."""

    @staticmethod
    def __new__(cls, whole: Tensor, patch: Tensor, *, start: Tensor, axis: int, scale: Tensor | None = None) -> Windowed:
        """Wrap the tensors."""
        size = (len(patch), *whole.shape[1:])
        made: Windowed = Tensor._make_wrapper_subclass(cls, size, dtype=whole.dtype, device=whole.device)  # torch's own way to wrap tensors
        made.whole, made.patch, made.start, made.axis, made.scale, made.in_full = whole, patch, start, axis, scale, []
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # operations are met below autograd, where there are few

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch calls it as a method of the class, whatever its stub says
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation by its rule, or in full."""
        from seqdl.interpret.window_rules import rule_of

        kwargs = kwargs or {}
        rule = rule_of(func)
        found = NotImplemented if rule is None else rule(func, *args, **kwargs)
        if found is not NotImplemented:
            return found
        if func._schema.is_mutable:
            raise CannotFollowError(f"{func} works in place")
        return func(*tree_map(densely, args), **tree_map(densely, kwargs))

    @property
    def size_along(self) -> int:
        """Number of positions L."""
        return int(self.whole.shape[self.axis])

    @property
    def width(self) -> int:
        """Width W of the windows."""
        return int(self.patch.shape[self.axis])

    def like(self, whole: Tensor, patch: Tensor, *, start: Tensor | None = None, axis: int | None = None, scale: Tensor | None = None) -> Windowed:
        """Return the same windows, or shifted ones, with other contents."""
        made = Windowed(whole, patch, start=self.start if start is None else start, axis=self.axis if axis is None else axis, scale=scale)
        made.in_full = self.in_full
        return made

    def again(self) -> Windowed:
        """Return another tensor that holds the same; a view may not be the tensor it is taken of."""
        return self.like(self.whole, self.patch, scale=self.scale)

    def filled(self, value: float) -> Tensor:
        """Return the windows, having put `value` where they reach over an end: what was there is arbitrary."""
        at = self.start[:, None] + torch.arange(self.width, device=self.start.device)
        beyond = (at < 0) | (at >= self.size_along)
        row, column = torch.nonzero(beyond, as_tuple=True)  # few, so that numbers are faster than a mask
        if len(row):
            self.patch.movedim(self.axis, 1)[row, column] = value
        return self.patch

    def seen_through(self, start: Tensor, width: int, fill: float = 0.0) -> Tensor:
        """Return what other windows (M, ..., width, ...) hold, which reach as far as these or end before; `fill` beyond the ends."""
        wide = start - self.start  # how far the others begin before these
        there = cut(self.whole, start, width=width, axis=self.axis).movedim(self.axis, 1)  # (M, width, ...)
        at = torch.arange(self.width, device=start.device) - wide[:, None]  # (M, W): where ours lie in theirs
        rows = torch.arange(len(at), device=start.device)[:, None] * width + at
        flat = there.reshape(-1, *there.shape[2:])  # a view: `cut` lays windows out as runs of rows
        mine = self.patch.movedim(self.axis, 1)
        seen = (at >= 0) & (at < width)
        if bool(seen.all()):
            flat.index_copy_(0, rows.flatten(), mine.reshape(-1, *mine.shape[2:]))
        else:
            flat.index_copy_(0, rows[seen], mine[seen])
        beyond = start[:, None] + torch.arange(width, device=start.device)
        row, column = torch.nonzero((beyond < 0) | (beyond >= self.size_along), as_tuple=True)
        if len(row):
            there[row, column] = fill
        return there.movedim(1, self.axis)

    def dense(self) -> Tensor:
        """Return all of them in full, (M, ..., L, ...)."""
        self.in_full.append(self.whole.numel())
        full = self.whole.repeat(len(self.patch), *[1] * (self.whole.ndim - 1))
        at = self.start[:, None] + torch.arange(self.width, device=self.start.device)
        row, column = torch.nonzero((at >= 0) & (at < self.size_along), as_tuple=True)
        full.movedim(self.axis, 1)[row, at[row, column]] = self.patch.movedim(self.axis, 1)[row, column]
        return full if self.scale is None else full * self.scale


class Unread(Tensor):
    """A result that an operation gives beside the one that is wanted, such as the places of maxima; it has a shape and nothing else."""

    outline: Tensor

    @staticmethod
    def __new__(cls, outline: Tensor, *, device: torch.device) -> Unread:
        """Wrap a shape."""
        made: Unread = Tensor._make_wrapper_subclass(cls, outline.shape, dtype=outline.dtype, device=device)  # torch's own way to wrap tensors
        made.outline = outline
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # as above

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch calls it as a method of the class, whatever its stub says
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Change the shape; anything else would read what is not there."""
        if func not in (aten.squeeze.dim, aten.unsqueeze.default, aten.alias.default):
            raise CannotFollowError(f"{func} reads what was not computed")
        return cls(func(args[0].outline, *args[1:]), device=args[0].device)


def densely(value: Any) -> Any:
    """Return a windowed tensor in full, and anything else as it is."""
    return value.dense() if isinstance(value, Windowed) else value


def cut(whole: Tensor, start: Tensor, *, width: int, axis: int) -> Tensor:
    """Return windows (M, ..., width, ...) of one tensor (1, ..., L, ...); arbitrary beyond its ends."""
    along = whole[0].movedim(axis - 1, 0).contiguous()  # (L, ...): a window is then a run of rows
    at = (start[:, None] + torch.arange(width, device=start.device)).clamp_(0, len(along) - 1)
    return along.index_select(0, at.flatten()).view(len(start), width, *along.shape[1:]).movedim(1, axis)


def with_defaults(given: Sequence[Any], *defaults: Any) -> list[Any]:
    """Return arguments with the defaults of those that were left out."""
    return [*given, *defaults[len(given) :]]
