"""Strand symmetry: one set of weights for both strands."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.layers.onehot import flip_positions, reverse_complement
from seqdl.layers.pooling import GlobalMax


class SharedStrands(nn.Module):
    """Run any encoder over both strands and keep the better of the two at each position.

    Features of the reverse complement are turned round, so that both strands lie on the same
    coordinates; a prediction pooled from them does not change when the input is reverse-complemented.

    Parameters
    ----------
    encoder : nn.Module
        One-hot (B, 4, L) -> features (B, C, L // stride).
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.better = GlobalMax()

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, C, L // stride): the maximum over the two strands."""
        forward: Tensor = self.encoder(x, lengths)
        reverse: Tensor = self.encoder(reverse_complement(x, lengths), lengths)
        feature_lengths = None if lengths is None else feature_length(lengths, x.shape[-1], forward.shape[-1])
        both: Tensor = self.better(torch.stack([forward, flip_positions(reverse, feature_lengths)], dim=-1))
        return both


def feature_length(lengths: Tensor, n_positions: int, n_features: int) -> Tensor:
    """Return how many feature positions stand for each row's bases, at least one.

    Parameters
    ----------
    lengths : Tensor, (B,)
        Bases in each row.
    n_positions, n_features : int
        Length of the padded input, and of the features made from it.

    Returns
    -------
    Tensor, (B,)
    """
    stride = max(1, n_positions // max(1, n_features))
    return (lengths // stride).clamp(min=1, max=n_features)
