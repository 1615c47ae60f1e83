"""Heads: from pooled features to outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.activation import activation as make_activation
from seqdl.layers.onehot import flip_positions, mask_positions
from seqdl.layers.pooling import POOLED_FIRST, GlobalMax
from seqdl.layers.pooling import pooling as make_pooling


class PooledHead(nn.Module):
    """Pool over the sequence, normalise, and score with a small dense network.

    The normalisation stands *behind* the pooling: a maximum passes its gradient to one window a
    channel, and a monotone activation may as well be taken after it.

    Parameters
    ----------
    channels : int
        Channels of the features.
    n_outputs : int
        Number of outputs T.
    pooling : {"max", "mean", "attention", "last", "ends", "centre", "flatten"}, default "max"
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 32
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1
    positions : int, optional
        Length of the features; flatten asks for it.
    """

    def __init__(
        self,
        channels: int,
        n_outputs: int,
        *,
        pooling: str = "max",
        activation: str = "relu",
        hidden: int = 32,
        dropout: float = 0.1,
        positions: int | None = None,
    ) -> None:
        super().__init__()
        self.pool = make_pooling(pooling, channels, positions=positions)
        self.better = GlobalMax()
        pooled = int(self.pool.channels)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        layers: list[nn.Module] = [nn.BatchNorm1d(pooled), make_activation(activation), nn.Dropout(dropout)]
        if hidden:
            layers += [nn.Linear(pooled, hidden), nn.ReLU(), nn.Dropout(dropout)]
        self.dense = nn.Sequential(*layers, nn.Linear(hidden or pooled, n_outputs))

    def forward(self, features: Tensor, lengths: Tensor | None = None, other: Tensor | None = None) -> Tensor:
        """Return logits (B, T) for features (B, C, L') and, where both strands are read, those of the other strand.

        Of the two strands the better counts: at each position, or behind the pooling where that is a maximum or reads a place of its own strand.
        """
        if other is None:
            pooled = self.pool(features, lengths)
        elif isinstance(self.pool, POOLED_FIRST):
            pooled = self.better(torch.stack([self.pool(features, lengths), self.pool(other, lengths)], dim=-1))
        else:
            turned = flip_positions(other, lengths)
            pooled = self.pool(self.better(torch.stack([features, turned], dim=-1)), lengths)
        logits: Tensor = self.dense(pooled)
        return logits


class SumHead(nn.Module):
    """Add up what the positions say, a channel for each output, and a constant: an additive model, in which nothing bends.

    There is neither normalisation nor a scale to learn: behind `seqdl.models.kmers.Kmers` either cost .01 in AUROC (validation, SP1).

    Parameters
    ----------
    channels, n_outputs : int
        Of the features and of the logits: the same number.

    Raises
    ------
    InputError
        If they differ.
    """

    def __init__(self, channels: int, n_outputs: int) -> None:
        super().__init__()
        if channels != n_outputs:
            raise InputError(
                f"pooling 'sum' was asked for with {channels} channels for {n_outputs} outputs: one channel for each output was expected. "
                f"Give the model {n_outputs} (of kmers: dimensions), or use pooling 'mean'."
            )
        self.constant = nn.Parameter(torch.zeros(n_outputs))
        self.better = GlobalMax()

    def forward(self, features: Tensor, lengths: Tensor | None = None, other: Tensor | None = None) -> Tensor:
        """Return logits (B, T) for features (B, T, L') and, where both strands are read, those of the other strand: of the two sums the greater."""
        total = mask_positions(features, lengths).sum(-1)
        if other is not None:
            total = self.better(torch.stack([total, mask_positions(other, lengths).sum(-1)], dim=-1))
        return total + self.constant


class BaseHead(nn.Module):
    """Logits of the four bases at every position, (B, C, L) -> (B, 4, L).

    Parameters
    ----------
    channels : int
        Channels of the features.
    hidden : int, default 0
        Units of a dense layer in between; 0 leaves it out.
    """

    def __init__(self, channels: int, *, hidden: int = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv1d(channels, hidden, 1), nn.GELU()] if hidden else []
        self.dense = nn.Sequential(*layers, nn.Conv1d(hidden or channels, 4, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (B, 4, L)."""
        logits: Tensor = self.dense(features)
        return logits
