"""Normalisation by name, blind to padding."""

from __future__ import annotations

from math import gcd
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from seqdl.errors import UnknownNameError
from seqdl.layers.onehot import mask_positions

Norm: TypeAlias = Literal["batch", "layer", "group", "none"]
N_GROUPS = 8
"""Groups of channels, or the largest number below that divides the channels."""


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position [1]_, (B, C, L) -> (B, C, L).

    References
    ----------
    .. [1] Ba, Kiros & Hinton, Layer normalization, arXiv:1607.06450 (2016).

    Examples
    --------
    >>> ChannelNorm(2)(torch.tensor([[[3.0], [1.0]]])).flatten().round().tolist()
    [1.0, -1.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (B, C, L) with mean 0 and variance 1 over the channels of each position, then scaled and shifted."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class GroupNorm(nn.GroupNorm):
    """Group normalisation [1]_ over each row's own positions, (B, C, L) -> (B, C, L).

    Parameters
    ----------
    channels : int
        They are divided into eight groups, or as many as divide them.

    References
    ----------
    .. [1] Wu & He, Group normalization, ECCV (2018).

    Examples
    --------
    >>> x = torch.tensor([[[1.0, 3.0, 50.0]]])
    >>> GroupNorm(1)(x, torch.tensor([2]))[..., :2].flatten().round().tolist()
    [-1.0, 1.0]
    """

    def __init__(self, channels: int) -> None:
        super().__init__(gcd(channels, N_GROUPS), channels)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return `x` normalised; what lies beyond a row's length is not counted."""
        if lengths is None:
            return super().forward(x)
        grouped = (len(x), self.num_groups, -1)
        n = (lengths * (self.num_channels // self.num_groups)).view(-1, 1, 1).to(x.dtype)
        mean = mask_positions(x, lengths).reshape(grouped).sum(-1, keepdim=True) / n  # (B, groups, 1)
        centred = mask_positions((x.reshape(grouped) - mean).view(x.shape), lengths).reshape(grouped)
        variance = centred.square().sum(-1, keepdim=True) / n
        normed = (centred * torch.rsqrt(variance + self.eps)).view(x.shape)
        return normed * self.weight.unsqueeze(-1) + self.bias.unsqueeze(-1)


NORMS: dict[str, type[nn.BatchNorm1d | ChannelNorm | GroupNorm | nn.Identity]] = {
    "batch": nn.BatchNorm1d,
    "layer": ChannelNorm,
    "group": GroupNorm,
    "none": nn.Identity,
}


def norm(name: str, channels: int) -> nn.Module:
    """Return a new normalisation of (B, C, L).

    Parameters
    ----------
    name : {"batch", "layer", "group", "none"}
        Over the batch; over the channels of a position; over groups of channels along the sequence; not at all.
    channels : int

    Raises
    ------
    UnknownNameError
        If there is no normalisation of that name.

    Examples
    --------
    >>> norm("group", 12).num_groups
    4
    """
    if name not in NORMS:
        raise UnknownNameError("normalisation", name, NORMS)
    return NORMS[name](channels)
