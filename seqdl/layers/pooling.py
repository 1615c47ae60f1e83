"""From features along a sequence to one vector a sequence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.layers.onehot import mask_positions


class GlobalMax(nn.Module):
    """The maximum over the last axis: how well the best place fits.

    A module rather than a call, so that attribution methods can give it a rule of its own.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the maximum of `x` (..., L) over its last axis, (...)."""
        # With a gradient, remembering where the maximum lies is twice as fast as amax, which looks for it again; without, it is slower,
        # and so it is where neighbours on the axis are not neighbours in memory, as recurrent layers leave them (measured at 60 and 200 bp).
        if not x.requires_grad:
            return x.amax(-1)
        return x.max(-1).values if x.stride(-1) == 1 else _found_again(x)


class _Amax(torch.autograd.Function):
    """amax over the last axis with the gradient of amax, looked for in floats: twice as fast as torch's own, which counts booleans."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the maximum of x (..., L), (...)."""
        best = x.amax(-1)
        ctx.save_for_backward(x, best)
        return best

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Share the gradient out among the places of the maximum, (..., L)."""
        x, best = (saved.detach() for saved in ctx.saved_tensors)
        there = torch.eq(x, best.unsqueeze(-1), out=torch.empty_like(x))
        return there * (gradient / there.sum(-1)).unsqueeze(-1)


def _found_again(x: Tensor) -> Tensor:
    """Return the maximum over the last axis, whose place is looked for when the gradient is asked for."""
    best: Tensor = _Amax.apply(x)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return best


class MaxPool(nn.Module):
    """Global max pooling, (B, C, L) -> (B, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.maximum = GlobalMax()

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the maximum over each row's own length, (B, C)."""
        pooled: Tensor = self.maximum(mask_positions(x, lengths, float("-inf")))
        return pooled


class MeanPool(nn.Module):
    """Global average pooling, (B, C, L) -> (B, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the mean over each row's own length, (B, C)."""
        if lengths is None:
            return x.mean(-1)
        return mask_positions(x, lengths).sum(-1) / lengths.unsqueeze(1).to(x.dtype)


class AttentionPool(nn.Module):
    """A learnt weighting of positions, (B, C, L) -> (B, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.score = nn.Conv1d(channels, 1, 1)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the mean weighted by a softmax over each row's own length, (B, C)."""
        return (x @ self.weights(x, lengths).transpose(1, 2)).squeeze(-1)

    def weights(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the weight of each position, (B, 1, L), which add up to 1."""
        return torch.softmax(mask_positions(self.score(x), lengths, float("-inf")), dim=-1)


class LastPool(nn.Module):
    """The last position of each row, (B, C, L) -> (B, C): what a network that reads from left to right knows at the end.

    It is far from what stood at the beginning: of splice junctions in the middle of 60 bp, an LSTM in both directions
    classified .79 rightly when read here, .86 when each direction was read where it ends (`EndsPool`), and .97 when read
    at the junction (`CentrePool`); validation, three folds.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the features at the last position of each row's own length, (B, C)."""
        return x[..., -1] if lengths is None else at_position(x, lengths - 1)


class EndsPool(nn.Module):
    """The final state of either direction, (B, C, L) -> (B, C).

    Of a network that reads from both ends (`.directions` 2), the first half of the channels has read everything at the
    last position, the second half at the first one.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels % 2:
            raise InputError(f"pooling 'ends' was asked for over {channels} channels: half of them for each direction were expected. Use 'last'.")
        self.channels = channels
        self.last = LastPool(channels // 2)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the first half of the channels at each row's last position, and the second half at its first, (B, C)."""
        ahead, back = x.chunk(2, dim=1)
        return torch.cat([self.last(ahead, lengths), back[..., 0]], dim=1)


class CentrePool(nn.Module):
    """The middle of each row, (B, C, L) -> (B, C): for sequences that are centred on what they are asked about."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the features in the middle of each row's own length, the mean of the two there where it is even, (B, C)."""
        if lengths is None:
            n = x.shape[-1]
            return (x[..., (n - 1) // 2] + x[..., n // 2]) / 2
        return (at_position(x, (lengths - 1) // 2) + at_position(x, lengths // 2)) / 2


def at_position(x: Tensor, position: Tensor) -> Tensor:
    """Return the features of x (B, C, L) at one position of each row (B,), (B, C).

    Examples
    --------
    >>> at_position(torch.arange(6.0).view(2, 1, 3), torch.tensor([0, 2])).flatten().tolist()
    [0.0, 5.0]
    """
    return x.gather(-1, position.view(-1, 1, 1).expand(-1, x.shape[1], 1)).squeeze(-1)


class Flatten(nn.Module):
    """Every position on its own, (B, C, L) -> (B, C * L): for aligned sequences, where the place tells.

    Parameters
    ----------
    channels, positions : int
        Of the features; other lengths are refused.
    """

    def __init__(self, channels: int, positions: int) -> None:
        super().__init__()
        self.channels, self.positions = channels * positions, positions

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return all features of each row; what lies beyond its length is zero."""
        if x.shape[-1] != self.positions:
            raise ShapeError(
                f"the features have {x.shape[-1]} positions: {self.positions} were expected, since flatten pooling reads the length it was made for. "
                "Give sequences of that length, or train with another pooling."
            )
        return mask_positions(x, lengths).flatten(1)


POOLINGS: dict[str, type[MaxPool | MeanPool | AttentionPool | LastPool | EndsPool | CentrePool]] = {
    "max": MaxPool,
    "mean": MeanPool,
    "attention": AttentionPool,
    "last": LastPool,
    "ends": EndsPool,
    "centre": CentrePool,
}
POOLED_FIRST = (MaxPool, LastPool, EndsPool, Flatten)
"""Where two strands are read, each is pooled before they are compared: a maximum is the same either way and cheaper so, and an
end or a place of one strand is another one of the other."""


def pooling(name: str, channels: int, *, positions: int | None = None) -> nn.Module:
    """Return a new pooling module (B, C, L) -> (B, its .channels).

    Parameters
    ----------
    name : {"max", "mean", "attention", "last", "ends", "centre", "flatten"}
    channels : int
        Of the features.
    positions : int, optional
        Length of the features L; flatten asks for it.

    Raises
    ------
    UnknownNameError
        If there is no pooling of that name.
    InputError
        If flatten is not told the length.
    """
    if name == "flatten":
        if positions is None:
            raise InputError("pooling 'flatten' was asked for without a length: it reads sequences of one length. Give the task length=BP.")
        return Flatten(channels, positions)
    if name not in POOLINGS:
        raise UnknownNameError("pooling", name, [*POOLINGS, "flatten"])
    return POOLINGS[name](channels)
