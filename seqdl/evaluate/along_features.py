"""What the linear baselines along the sequence see of a base: base composition, k-mers and codons around it.

Each is a sum over the surroundings, so that weights are applied to whole windows by running sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes

GC_REACHES = (2, 10, 30, 100, 250)
"""Bases (bp) on either side over which base composition is taken."""
CODON_REACH = 20
"""Codons on either side that are counted."""
STOPS = (48, 50, 56)
"""TAA, TAG and TGA as numbers, A C G T = 0 1 2 3."""
N_CODONS = 64

Sites = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Window and position of some bases."""


class BaseFeatures(Protocol):
    """Numbers for every base, the columns of a linear model."""

    def at(self, codes: Codes, sites: Sites) -> Any:
        """Return the columns (n, V) of some bases of codes (N, L), sparse or dense."""

    def scores(self, codes: Codes, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the columns of every base times weights (V,), (N, L)."""


@dataclass(frozen=True)
class LocalGc:
    """The share of G and C around a base, over several distances; of the bases that are known, 0.5 where none is."""

    reaches: tuple[int, ...] = GC_REACHES

    def at(self, codes: Codes, sites: Sites) -> NDArray[np.float64]:
        """Return a column for each distance, (n, V)."""
        return np.stack([self._share(codes, reach)[sites] for reach in self.reaches], axis=1)

    def scores(self, codes: Codes, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted sum at every base, (N, L)."""
        found = np.zeros(codes.shape)
        for weight, reach in zip(weights, self.reaches, strict=True):
            found += weight * self._share(codes, reach)
        return found

    def _share(self, codes: Codes, reach: int) -> NDArray[np.float64]:
        strong, known = running_sum((codes == 1) | (codes == 2), reach), running_sum(codes < 4, reach)
        return np.where(known > 0, strong / np.maximum(known, 1), 0.5)


@dataclass(frozen=True)
class LocalKmers:
    """How often each k-mer, on one strand or the other, lies around a base.

    Attributes
    ----------
    k : int
        Length (bp).
    reach : int
        Starts of k-mers (bp) on either side that are counted.
    """

    k: int
    reach: int

    def __str__(self) -> str:
        return f"{self.k}-mers (both strands as one) within {self.reach} bp"

    @property
    def n_columns(self) -> int:
        """Number of k-mers; a k-mer and its reverse complement share the lower number, the other stays empty."""
        return int(4**self.k)

    def at(self, codes: Codes, sites: Sites) -> Any:
        """Return counts of the k-mers around some bases over the square root of how many there may be, sparse (n, V)."""
        from scipy.sparse import csr_matrix

        words = np.pad(self._words(codes), ((0, 0), (self.reach, self.reach)), constant_values=-1)
        around = sites[1][:, None] + np.arange(2 * self.reach + 1)
        found = words[sites[0][:, None], around]
        row, _ = np.nonzero(found >= 0)
        ones = np.full(row.size, 1 / np.sqrt(2 * self.reach + 1), dtype=np.float32)
        return csr_matrix((ones, (row, found[found >= 0])), shape=(len(sites[0]), self.n_columns))

    def scores(self, codes: Codes, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted sum at every base, (N, L)."""
        table = np.append(weights, 0.0) / np.sqrt(2 * self.reach + 1)
        return running_sum(table[self._words(codes)], self.reach)

    def _words(self, codes: Codes) -> NDArray[np.int64]:
        """Return the number of the k-mer whose middle is at each base, (N, L); -1 where it leaves the window or holds an ambiguous base."""
        n = codes.shape[1] - self.k + 1
        found = np.full(codes.shape, -1, dtype=np.int64)
        if n < 1:
            return found
        forward, backward, known = np.zeros((len(codes), n), np.int64), np.zeros((len(codes), n), np.int64), np.ones((len(codes), n), bool)
        for offset in range(self.k):
            base = codes[:, offset : offset + n].astype(np.int64)
            known &= base < 4
            forward = forward * 4 + base
            backward += (3 - base) * 4**offset
        middle = (self.k - 1) // 2
        found[:, middle : middle + n] = np.where(known, np.minimum(forward, backward), -1)
        return found


@dataclass(frozen=True)
class OpenFrame:
    """The longest stretch without a stop codon that covers a base, in any of six frames, and the codons of that frame around it.

    A window shows no more of a reading frame than it holds: stretches end at its ends.
    """

    reach: int = CODON_REACH

    def at(self, codes: Codes, sites: Sites) -> NDArray[np.float64]:
        """Return codon counts (64), then the logarithms of the longest and second longest stretch, (n, 66)."""
        words = _codons(codes)
        best, lengths = self._best(words)
        frame = best[sites]
        steps = 3 * np.arange(-self.reach, self.reach + 1)
        counts = np.zeros((len(frame), N_CODONS))
        for strand in (0, 1):
            mine = np.flatnonzero(frame // 3 == strand)
            place = _in_frame(sites[1][mine], frame[mine] % 3)[:, None] + steps
            inside = (place >= 0) & (place < codes.shape[1])
            found = np.where(inside, words[strand][sites[0][mine][:, None], np.clip(place, 0, codes.shape[1] - 1)], -1)
            row, _ = np.nonzero(found >= 0)
            np.add.at(counts, (mine[row], found[found >= 0]), 1.0)
        return np.concatenate([counts / (2 * self.reach + 1), *(part[sites][:, None] for part in lengths)], axis=1)

    def scores(self, codes: Codes, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted sum at every base, (N, L)."""
        words = _codons(codes)
        best, lengths = self._best(words)
        table = np.append(weights[:N_CODONS], 0.0) / (2 * self.reach + 1)
        found = sum(weight * part for weight, part in zip(weights[N_CODONS:], lengths, strict=True))
        position = np.broadcast_to(np.arange(codes.shape[1]), codes.shape)
        for strand in (0, 1):
            usage = running_sum(table[words[strand]], self.reach, step=3)
            for phase in range(3):
                mine = best == 3 * strand + phase
                place = np.clip(_in_frame(position, np.full(1, phase)), 0, codes.shape[1] - 1)
                found = found + np.where(mine, np.take_along_axis(usage, place, axis=1), 0.0)
        return np.asarray(found, dtype=np.float64)

    def _best(self, words: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return the frame (N, L) with the longest open stretch at each base, and the logarithms of the two longest lengths."""
        open_lengths = np.stack([_open_lengths(words[strand], phase) for strand in (0, 1) for phase in range(3)])
        best = open_lengths.argmax(axis=0)
        top = np.partition(open_lengths, 4, axis=0)
        return best, (np.log1p(top[5]), np.log1p(top[4]))


def running_sum(values: NDArray[Any], reach: int, *, step: int = 1) -> NDArray[np.float64]:
    """Return the sum of values (N, L) at every `step`-th position up to `reach` steps away on either side, (N, L).

    Examples
    --------
    >>> running_sum(np.array([[1, 0, 0, 2, 0, 4]]), 1), running_sum(np.array([[1, 0, 0, 2, 0, 4]]), 1, step=3)
    (array([[1., 1., 2., 2., 6., 4.]]), array([[3., 0., 4., 3., 0., 4.]]))
    """
    n, length = values.shape
    padded_length = -(-length // step) * step
    shaped = np.zeros((n, padded_length))
    shaped[:, :length] = values
    lanes = shaped.reshape(n, padded_length // step, step)
    sums = np.cumsum(np.pad(lanes, ((0, 0), (reach + 1, reach), (0, 0))), axis=1)
    return np.asarray((sums[:, 2 * reach + 1 :] - sums[:, : -(2 * reach + 1)]).reshape(n, padded_length)[:, :length], dtype=np.float64)


def _codons(codes: Codes) -> NDArray[np.int64]:
    """Return the codon of each base and the two behind it, read on either strand, (2, N, L); -1 where one is unknown."""
    found = np.full((2, *codes.shape), -1, dtype=np.int64)
    for strand, read in enumerate((codes, reverse_complement(codes))):
        base = read.astype(np.int64)
        word = base[:, :-2] * 16 + base[:, 1:-1] * 4 + base[:, 2:]
        known = (read[:, :-2] < 4) & (read[:, 1:-1] < 4) & (read[:, 2:] < 4)
        found[strand, :, : codes.shape[1] - 2] = np.where(known, word, -1)
    found[1, :, : codes.shape[1] - 2] = found[1, :, : codes.shape[1] - 2][:, ::-1].copy()  # the same three bases, by their first place
    return found


def _in_frame(position: NDArray[np.int64], phase: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the codon of a frame that holds each position begins; of one that begins before the window, the next."""
    place = position - (position - phase) % 3
    return np.where(place < 0, place + 3, place)


def _open_lengths(words: NDArray[np.int64], phase: int) -> NDArray[np.int64]:
    """Return how many codons without a stop lie around each base in one frame, (N, L)."""
    n, length = words.shape
    lane = words[:, phase : length - 2 : 3]
    stop = np.isin(lane, STOPS)
    index = np.arange(lane.shape[1])
    before = np.maximum.accumulate(np.where(stop, index, -1), axis=1)
    after = np.minimum.accumulate(np.where(stop, index, lane.shape[1])[:, ::-1], axis=1)[:, ::-1]
    open_codons = np.where(stop, 0, after - before - 1)
    found = np.zeros((n, length), dtype=np.int64)
    codon = np.clip((np.arange(length) - phase) // 3, 0, max(0, lane.shape[1] - 1))
    if lane.shape[1]:
        found = open_codons[:, codon]
    return np.asarray(found, dtype=np.int64)
