"""A weight for every word of DNA, looked up along a sequence."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn

from seqdl.errors import InputError

MOST_WEIGHTS = 20_000_000
ENTRIES = 4_000_000  # looked up at a time: 32 MB of places
SPREAD = 1e-3  # of the weights before training; words that are never seen keep theirs
STEP = 0.05  # how much a step of an optimiser that goes equally far for every weight, such as Adam, changes what all words at a position say


class Words(nn.Module):
    """The sum of the weights of all gapped words around a position, (B, 4, L) -> (B, dimensions, L).

    A word that reaches beyond the ends or over an ambiguous base counts nothing. Of known bases the weights are looked up; of probabilities, and
    where a gradient with respect to the bases is asked for, the sum that is expected is worked out, which is linear in every base.

    Parameters
    ----------
    width, kept : int
        Bases a word spans (bp), and how many of these count, in every choice of places.
    dimensions : int
        Numbers a word is given.
    both_strands : bool
        Whether a word and its reverse complement have the same weights.

    Raises
    ------
    InputError
        If more bases are to count than a word has, or the tables would hold more than 20 million weights.

    Examples
    --------
    >>> words = Words(width=2, kept=2, dimensions=1, both_strands=False)
    >>> _ = words.weight.data.zero_()
    >>> words.weight.data[0, 1] = 1.0 / words.step                                               # AC
    >>> onehot = torch.eye(4)[torch.tensor([0, 1, 2, 0, 1])].T[None]                             # ACGAC
    >>> words(onehot)[0, 0].tolist()
    [1.0, 0.0, 0.0, 1.0, 0.0]
    """

    powers: Tensor
    offsets: Tensor
    mirror: Tensor

    def __init__(self, *, width: int, kept: int, dimensions: int, both_strands: bool) -> None:
        super().__init__()
        if not 2 <= kept <= width:
            raise InputError(
                f"words of {width} bp of which {kept} count were asked for: from 2 to {width} that count were expected. Change kept or width."
            )
        self.masks = places_that_count(width, kept)
        n_words = len(self.masks) * 4**kept
        if n_words * dimensions > MOST_WEIGHTS:
            raise InputError(
                f"words of {width} bp of which {kept} count, with {dimensions} numbers each, need {n_words * dimensions:,} weights: "
                f"at most {MOST_WEIGHTS:,} were expected. Let fewer bases count, or give fewer dimensions."
            )
        self.dimensions, self.width, self.kept = dimensions, width, kept
        self.step = STEP / len(self.masks) ** 0.5
        self.both_strands = both_strands
        self.weight = nn.Parameter(SPREAD * torch.randn(dimensions, n_words))
        powers = torch.zeros(len(self.masks), 1, width)
        for row, mask in enumerate(self.masks):
            powers[row, 0, list(mask)] = 4.0 ** torch.arange(kept - 1, -1, -1)
        self.register_buffer("powers", powers, persistent=False)
        self.register_buffer("offsets", torch.arange(len(self.masks)) * 4**kept, persistent=False)
        self.register_buffer("mirror", other_strand(self.masks, width) if both_strands else torch.empty(0, dtype=torch.long), persistent=False)

    def forward(self, bases: Tensor) -> Tensor:
        """Return what the words around each position say, (B, dimensions, L), for bases (B, 4, L)."""
        padded = self.padded(bases)
        return self._look_up(padded) if is_exact(bases) and not bases.requires_grad else self._expected(padded)

    def table(self) -> Tensor:
        """Return what every word says, (dimensions, words): by choice of places, then by number, A C G T as digits 0 to 3."""
        found: Tensor = self.step * (self.weight + self.weight[:, self.mirror] if self.both_strands else self.weight)
        return found

    def padded(self, bases: Tensor) -> Tensor:
        """Return (B, 4, L + width - 1): a window of `width` for every position, none of the bases known beyond the ends."""
        before = (self.width - 1) // 2
        return nn.functional.pad(bases, (before, self.width - 1 - before))

    def _look_up(self, bases: Tensor) -> Tensor:
        """Return the features of sequences of known bases: a look into the table for every word."""
        numbers = bases * torch.arange(4, device=bases.device, dtype=bases.dtype)[:, None]
        codes, known = numbers.sum(1, keepdim=True), bases.sum(1, keepdim=True)
        whole = nn.functional.conv1d(known, torch.ones_like(self.powers[:1])) > self.width - 0.5  # (B, 1, L)
        found = codes
        table, step = self.table(), max(1, ENTRIES // codes.numel())
        for first in range(0, len(self.masks), step):  # masks rather than sequences, so that windows of mutants stay windows
            some = slice(first, first + step)
            places = nn.functional.conv1d(codes, self.powers[some]).long() + self.offsets[some, None]  # (B, m, L)
            part = [weights.take(places).sum(1, keepdim=True) for weights in table]
            found = torch.cat(part, dim=1) if first == 0 else found + torch.cat(part, dim=1)
        return found * whole

    def _expected(self, bases: Tensor) -> Tensor:
        """Return the features that are expected of bases with probabilities, linear in each: what gradients are taken of."""
        table, length, half = self.table(), bases.shape[-1] - self.width + 1, self.kept // 2
        at = [bases[..., place : place + length].transpose(1, 2).contiguous() for place in range(self.width)]  # (B, L, 4) each
        words: dict[tuple[int, ...], Tensor] = {}
        found = bases.new_zeros(len(bases), length, self.dimensions)
        for mask, weights in zip(self.masks, table.view(self.dimensions, len(self.masks), 4**half, -1).unbind(1), strict=True):
            for part in (mask[:half], mask[half:]):
                words[part] = words[part] if part in words else joint([at[place] for place in part])
            by_second = torch.einsum("blf,cfs->blcs", words[mask[:half]], weights)
            found = found + (by_second @ words[mask[half:]].unsqueeze(-1)).squeeze(-1)
        known = torch.stack([base.sum(-1) for base in at]).prod(0)
        return found.transpose(1, 2) * known.unsqueeze(1)


def places_that_count(width: int, kept: int) -> list[tuple[int, ...]]:
    """Return the choices of `kept` places out of `width`.

    Examples
    --------
    >>> places_that_count(4, 3)
    [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]
    """
    return list(combinations(range(width), kept))


def other_strand(masks: list[tuple[int, ...]], width: int) -> Tensor:
    """Return for the number of each word that of its reverse complement, (len(masks) * 4**kept,).

    Examples
    --------
    >>> other_strand([(0, 1)], 2)[:4].tolist()                                                    # AA AC AG AT -> TT GT CT AT
    [15, 11, 7, 3]
    """
    kept = len(masks[0])
    number = {mask: row for row, mask in enumerate(masks)}
    digits = torch.arange(4**kept)[:, None] // 4 ** torch.arange(kept - 1, -1, -1) % 4
    turned = ((3 - digits) * 4 ** torch.arange(kept)).sum(1)
    return torch.cat([number[tuple(width - 1 - place for place in reversed(mask))] * 4**kept + turned for mask in masks])


def joint(bases: list[Tensor]) -> Tensor:
    """Return the probabilities of words from those of their k bases (B, L, 4), which are taken as independent: (B, L, 4^k)."""
    found = bases[0]
    for base in bases[1:]:
        found = (found.unsqueeze(-1) * base.unsqueeze(-2)).flatten(-2)
    return found


def is_exact(bases: Tensor) -> bool:
    """Whether every position of (B, 4, L) is one base, or none."""
    known = bases.sum(1)
    off = (bases * bases - bases).abs().sum((1, 2)) + (known * known - known).abs().sum(1)
    return bool((off == 0).all().item())
