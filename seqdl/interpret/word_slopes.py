"""How far words of DNA change from a reference to a sequence, shared out among their bases."""

from __future__ import annotations

from math import factorial

import torch
from torch import Tensor

from seqdl.layers.words import Words


def word_slopes(words: Words, sequence: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean slope of each word, on the straight way from a reference to a sequence, towards the base that either has at each place.

    A word is a product of bases, so that the mean slope towards one of them is a weighted mean over the words in which every other base is
    taken from either sequence: the Shapley value [1]_. All of these words are looked up.

    Parameters
    ----------
    words : Words
    sequence, reference : Tensor, (B, 4, L)
        Known bases, and none in the same places.

    Returns
    -------
    Tensor, Tensor, (B, dimensions, width, L)
        The slope, of what the words around each position say, towards the sequence's and the reference's base at each place of theirs. Where the
        two have the same base, the second is zero.

    References
    ----------
    .. [1] Owen, Multilinear extensions of games, Management Science 18 (1972).

    Examples
    --------
    >>> made = Words(width=2, kept=2, dimensions=1, both_strands=False)
    >>> _ = made.weight.data.zero_()
    >>> made.weight.data[0, 1] = 1.0 / made.step                                                 # AC
    >>> ac, gg = (torch.eye(4)[codes].T[None] for codes in ([0, 1], [2, 2]))
    >>> there, gone = word_slopes(made, ac, gg)
    >>> (there - gone)[0, 0, :, 0].tolist()                                                      # each base is half of the change
    [0.5, 0.5]
    """
    own, other = (words.padded(bases) for bases in (sequence, reference))
    here, there = (bases.argmax(1) for bases in (own, other))  # (B, L + width - 1)
    length, table = sequence.shape[-1], words.table()
    shares = subset_shares(words.kept).to(own)
    towards = own.new_zeros(2, words.width, words.dimensions, len(own), length)
    for mask, offset in zip(words.masks, words.offsets.tolist(), strict=True):
        numbers = torch.full((1, len(own), length), offset, device=own.device)
        for k, place in enumerate(mask):
            digit = 4 ** (words.kept - 1 - k)
            ours, theirs = (codes[:, place : place + length] * digit for codes in (here, there))
            numbers = torch.cat([numbers + theirs, numbers + ours])  # (2^kept, B, L): bit k tells whose base k is
        for d, weights in enumerate(table):
            slopes = shares @ weights.take(numbers).flatten(1)
            towards[:, list(mask), d] += slopes.view(2, words.kept, len(own), length)
    known = own.sum(1).unfold(-1, words.width, 1).sum(-1) > words.width - 0.5  # (B, L)
    differ = (here != there).unfold(-1, words.width, 1).permute(2, 0, 1).unsqueeze(1)  # (width, 1, B, L)
    towards = towards * known
    to_sequence, to_reference = towards[0], towards[1] * differ
    return to_sequence.permute(2, 1, 0, 3), to_reference.permute(2, 1, 0, 3)


def subset_shares(n: int) -> Tensor:
    """Return by which shares the words with the bases of a subset from the sequence count, (2n, 2^n): towards its n bases, then the reference's.

    Examples
    --------
    >>> subset_shares(2).tolist()                     # of neither, the first, the second, both
    [[0.0, 0.5, 0.0, 0.5], [0.0, 0.0, 0.5, 0.5], [0.5, 0.0, 0.5, 0.0], [0.5, 0.5, 0.0, 0.0]]
    """
    chosen = torch.arange(2**n) >> torch.arange(n)[:, None] & 1  # (n, 2^n)
    others = chosen.sum(0) - chosen
    share = torch.tensor([factorial(k) * factorial(n - 1 - k) / factorial(n) for k in range(n)] + [0.0])[others]
    return torch.cat([share * chosen, share * (1 - chosen)])
