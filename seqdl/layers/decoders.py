"""From a latent vector back to bases: decoders built from a number of latents and a length."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError

DECODERS = ("conv", "dense", "recurrent")


class Decoder(Protocol):
    """Latents (B, Z) -> logits of the bases (B, 4, L)."""

    def __call__(self, latent: Tensor) -> Tensor:
        """Return logits (B, 4, L) for latents (B, Z)."""


class DenseDecoder(nn.Module):
    """Dense layers: every base from every latent.

    Parameters
    ----------
    latent, length : int
        Z, and L in bp.
    hidden : int, default 256
        Units of the layer in between; 0 makes the decoder linear, as that of PCA is.
    dropout : float, in [0, 1), default 0

    Examples
    --------
    >>> DenseDecoder(8, 50)(torch.zeros(2, 8)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(self, latent: int, length: int, *, hidden: int = 256, dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(latent, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(dropout)] if hidden else []
        self.dense = nn.Sequential(*layers, nn.Linear(hidden or latent, 4 * length))
        self.length = length

    def forward(self, latent: Tensor) -> Tensor:
        """Return logits (B, 4, L)."""
        logits: Tensor = self.dense(latent)
        return logits.view(len(latent), 4, self.length)


class ConvDecoder(nn.Module):
    """A dense layer to a short sequence of features, doubled and convolved until it is long enough, and cropped.

    Parameters
    ----------
    latent, length : int
        Z, and L in bp.
    channels : int, default 64
    doublings : int, default 3
        Up-sampling steps; each doubles the positions.
    width : int, default 7
        Of the convolutions, odd.

    Examples
    --------
    >>> ConvDecoder(8, 50)(torch.zeros(2, 8)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(self, latent: int, length: int, *, channels: int = 64, doublings: int = 3, width: int = 7) -> None:
        super().__init__()
        self.length, self.channels = length, channels
        self.begin = nn.Linear(latent, channels * math.ceil(length / 2**doublings))
        self.grow = nn.Sequential(*[_doubled(channels, width) for _ in range(doublings)])
        self.end = nn.Conv1d(channels, 4, width, padding=width // 2)

    def forward(self, latent: Tensor) -> Tensor:
        """Return logits (B, 4, L)."""
        features = torch.relu(self.begin(latent)).view(len(latent), self.channels, -1)
        logits: Tensor = self.end(self.grow(features))
        return logits[..., : self.length]


def _doubled(channels: int, width: int) -> nn.Module:
    layers = [nn.Upsample(scale_factor=2), nn.Conv1d(channels, channels, width, padding=width // 2), nn.BatchNorm1d(channels), nn.ReLU()]
    return nn.Sequential(*layers)


class RecurrentDecoder(nn.Module):
    """A convolutional decoder whose features a bidirectional LSTM reads once more, for windows with far-off dependence.

    Parameters
    ----------
    latent, length : int
        Z, and L in bp.
    channels : int, default 64

    Examples
    --------
    >>> RecurrentDecoder(8, 50)(torch.zeros(2, 8)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(self, latent: int, length: int, *, channels: int = 64) -> None:
        super().__init__()
        self.grow = ConvDecoder(latent, length, channels=channels)
        self.grow.end = nn.Conv1d(channels, channels, 1)
        self.read = nn.LSTM(channels, channels // 2, bidirectional=True, batch_first=True)
        self.end = nn.Conv1d(channels, 4, 1)

    def forward(self, latent: Tensor) -> Tensor:
        """Return logits (B, 4, L)."""
        features = self.grow(latent)  # (B, C, L)
        logits: Tensor = self.end(features + self.read(features.transpose(1, 2))[0].transpose(1, 2))
        return logits


class LocalDecoder(nn.Module):
    """Each position's latents back to the bases they stand for, with a view of the neighbours.

    Parameters
    ----------
    latent : int
        Latents of each position.
    stride, length : int
        Bases a position stands for, and L in bp.
    channels : int, default 64
    width : int, default 3
        Positions that are seen at a time, odd.

    Examples
    --------
    >>> LocalDecoder(4, stride=3, length=50)(torch.zeros(2, 4 * 16)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(self, latent: int, *, stride: int, length: int, channels: int = 128, width: int = 3) -> None:
        super().__init__()
        self.latent, self.stride, self.length = latent, stride, length
        self.read = nn.Sequential(
            nn.Conv1d(latent, channels, width, padding=width // 2),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Conv1d(channels, channels, 1),
            nn.ReLU(),
            nn.Conv1d(channels, 4 * stride, 1),
        )

    def forward(self, latent: Tensor) -> Tensor:
        """Return logits (B, 4, L); what is left of L behind the last whole stride is predicted from the last position."""
        positions = latent.view(len(latent), self.latent, -1)  # (B, Z', L')
        found: Tensor = self.read(positions).view(len(latent), 4, self.stride, -1).transpose(2, 3).flatten(2)  # (B, 4, L' * stride)
        left = self.length - found.shape[-1]
        return found[..., : self.length] if left <= 0 else torch.cat([found, found[..., -1:].expand(-1, -1, left)], dim=-1)


def decoder(name: str, latent: int, length: int, *, dropout: float = 0.0) -> nn.Module:
    """Return a new decoder of the whole window.

    Parameters
    ----------
    name : {"conv", "dense", "recurrent"}
    latent, length : int
        Z, and L in bp.
    dropout : float, default 0
        Of the dense one.

    Raises
    ------
    UnknownNameError
        If there is no decoder of that name.
    InputError
        If there is no latent or no base.
    """
    if min(latent, length) < 1:
        raise InputError(f"a decoder of {latent} latents to {length} bp was asked for: at least one of each was expected.")
    if name == "dense":
        return DenseDecoder(latent, length, dropout=dropout)
    if name == "conv":
        return ConvDecoder(latent, length)
    if name == "recurrent":
        return RecurrentDecoder(latent, length)
    raise UnknownNameError("decoder", name, DECODERS)
