"""Heads: from pooled features to outputs."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.layers.activation import activation as make_activation
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
    pooling : {"max", "mean", "attention"}, default "max"
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 32
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1
    """

    def __init__(
        self, channels: int, n_outputs: int, *, pooling: str = "max", activation: str = "relu", hidden: int = 32, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.pool = make_pooling(pooling, channels)
        layers: list[nn.Module] = [nn.BatchNorm1d(channels), make_activation(activation), nn.Dropout(dropout)]
        if hidden:
            layers += [nn.Linear(channels, hidden), nn.ReLU(), nn.Dropout(dropout)]
        self.dense = nn.Sequential(*layers, nn.Linear(hidden or channels, n_outputs))

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, T) for features (B, C, L')."""
        logits: Tensor = self.dense(self.pool(features, lengths))
        return logits
