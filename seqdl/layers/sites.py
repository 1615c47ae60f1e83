"""A bottleneck of sites: each latent says how well its own pattern fits at its best place, on either strand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.layers.onehot import reverse_complement


class SiteBottleneck(nn.Module):
    """Scores of Z patterns along both strands; of each only the best place is passed on, as in a winner-take-all autoencoder [1]_.

    Parameters
    ----------
    channels : int
        Of the encoder's features, which have a stride of 1 bp.
    latent : int
        Number of patterns Z.

    References
    ----------
    .. [1] Makhzani & Frey, Winner-take-all autoencoders, Advances in Neural Information Processing Systems 28 (2015).

    Examples
    --------
    >>> found = SiteBottleneck(8, 3)(torch.zeros(2, 8, 50), torch.zeros(2, 8, 50))
    >>> found.shape, SiteBottleneck.best(found).shape
    (torch.Size([2, 3, 100]), torch.Size([2, 3]))
    """

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        self.score = nn.Conv1d(channels, latent, 1)
        self.norm = nn.BatchNorm1d(latent)

    def forward(self, features: Tensor, other: Tensor) -> Tensor:
        """Return the scores (B, Z, 2 L) along one strand and then along the other for features (B, C, L) of both."""
        scores: Tensor = self.norm(self.score(torch.cat([features, other], dim=2)))
        return scores

    @staticmethod
    def best(scores: Tensor) -> Tensor:
        """Return the best score of each pattern, (B, Z)."""
        return scores.amax(2)


class SiteDecoder(nn.Module):
    """Patterns put back where they fit best, on the strand they fit best on, over the composition of the sequence.

    Parameters
    ----------
    latent : int
        Number of patterns Z.
    width : int, default 21
        Of a pattern (bp), odd.

    Examples
    --------
    >>> SiteDecoder(3)(torch.zeros(2, 3, 100), torch.zeros(2, 4, 50)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(self, latent: int, *, width: int = 21) -> None:
        super().__init__()
        self.patterns = nn.ConvTranspose1d(latent, 4, width, padding=width // 2)

    def forward(self, scores: Tensor, x: Tensor) -> Tensor:
        """Return logits (B, 4, L) for scores (B, Z, 2 L) and the one-hot (B, 4, L) that they are of.

        Of `x` the share of each base is taken alone, so that no pattern is spent on it.
        """
        best, place = scores.max(dim=2, keepdim=True)
        placed = torch.zeros_like(scores).scatter(2, place, torch.relu(best))
        here, there = placed.chunk(2, dim=2)
        logits: Tensor = self.patterns(here) + reverse_complement(self.patterns(there))
        share = (x.sum(2) + 1) / (x.sum((1, 2)).unsqueeze(1) + x.shape[1])
        return logits + share.log().unsqueeze(2)
