"""From features along a sequence to one vector a sequence."""

from __future__ import annotations

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
        # With a gradient, remembering where the maximum lies is twice as fast as amax, which looks for it again; without, it is slower.
        return x.max(-1).values if x.requires_grad else x.amax(-1)


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
        weights = torch.softmax(mask_positions(self.score(x), lengths, float("-inf")), dim=-1)  # (B, 1, L)
        return (x * weights).sum(-1)


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


POOLINGS: dict[str, type[MaxPool] | type[MeanPool] | type[AttentionPool]] = {"max": MaxPool, "mean": MeanPool, "attention": AttentionPool}


def pooling(name: str, channels: int, *, positions: int | None = None) -> nn.Module:
    """Return a new pooling module (B, C, L) -> (B, its .channels).

    Parameters
    ----------
    name : {"max", "mean", "attention", "flatten"}
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
