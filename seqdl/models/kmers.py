"""A weight for every word of DNA, gaps allowed: the gapped k-mer model as a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.onehot import mask_positions
from seqdl.layers.words import Words
from seqdl.registry import MODELS


@MODELS.register("kmers")
class Kmers(nn.Module):
    """Weights of words, looked up at every position: the linear model behind gkm-SVM [1]_, and the bag of words of fastText [2]_.

    A word is `kept` bases out of `width` neighbours; the others may be anything. There is a table of weights for every choice of places,
    and the features at a position are the sum of those of the words around it. No weight is shared between words that
    resemble each other, as a filter would: under ``pooling="sum"`` with as many dimensions as outputs this is logistic or linear
    regression on the counts of gapped k-mers. It needs no search for a motif, so that it is good on few or weak sites where filters are not, and
    beside them in an ensemble.

    Parameters
    ----------
    in_channels : int, default 4
        Bases, and whatever signals follow them.
    width : int, default 8
        Bases a word spans (bp).
    kept : int, default 6
        Bases of these that count; as many as `width` for words without gaps.
    dimensions : int, default 8
        Numbers a word is given; as many as outputs under ``pooling="sum"``.
    both_strands : bool, default False
        Whether a word and its reverse complement have the same weights.
    reach : int, default 1
        Bases (bp), odd, around a position over which features are averaged: what is asked at a base may depend on words far from it.

    References
    ----------
    .. [1] Ghandi et al., Enhanced regulatory sequence prediction using gapped k-mer features, PLoS Computational Biology 10 (2014).
    .. [2] Joulin et al., Bag of tricks for efficient text classification, EACL (2017), arXiv:1607.01759.

    Examples
    --------
    >>> import torch
    >>> Kmers(width=6, kept=4)(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 8, 50])
    """

    stride = 1
    readout = "sum"

    def __init__(
        self, *, in_channels: int = 4, width: int = 8, kept: int = 6, dimensions: int = 8, both_strands: bool = False, reach: int = 1
    ) -> None:
        super().__init__()
        if reach < 1 or reach % 2 == 0:
            raise InputError(f"words within {reach} bp were asked for: an odd number from 1 on was expected, so that a position lies in the middle.")
        self.words = Words(width=width, kept=kept, dimensions=dimensions, both_strands=both_strands)
        self.channels, self.both_strands, self.reach = dimensions, both_strands, reach
        self.signals = nn.Conv1d(in_channels - 4, dimensions, width | 1, padding="same") if in_channels > 4 else None

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, dimensions, L) for one-hot (B, 4, L); words that reach beyond the ends or over an ambiguous base count nothing."""
        found: Tensor = self.words(mask_positions(x[:, :4], lengths))
        if self.signals is not None:
            found = found + self.signals(mask_positions(x[:, 4:], lengths))
        found = mask_positions(found, lengths)
        return found if self.reach == 1 else mask_positions(self._around(found, lengths), lengths)

    def _around(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean of features (B, C, L) over the positions around each that are there."""
        there = mask_positions(torch.ones_like(features[:, :1]), lengths)
        total, count = (nn.functional.avg_pool1d(each, self.reach, stride=1, padding=self.reach // 2) for each in (features, there))
        return total / count.clamp(min=0.5 / self.reach)
