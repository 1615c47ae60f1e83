"""Whether synthetic sequences are new: how near they come to what the generator has seen, against how near real ones come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdl.evaluate.nearest import Unit, nearest, reversed_set
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.motif.kernels import _compiled

NEAR_SHARE = 0.1
"""A near copy differs from a known sequence in at most this share of its bases."""
TAIL = 0.005
"""Quantile of the distances of held-out real sequences below which a sequence is called nearer than real ones."""
WORD = 21
"""bp in a machine word, three bits each: shared runs are exact up to here, however often they occur."""
MOST_PLACES = 1_000
"""Places of one word of 21 bp, out of all in the known sequences, from which a longer run is looked for."""
_UNKNOWN, _OTHER = 5, 6  # an ambiguous base, or no base, in a known sequence and in one that is asked: they never match


@dataclass(frozen=True, eq=False)
class Known:
    """What the generator may have copied: the training sequences, ready to be asked.

    Attributes
    ----------
    sequences : SequenceSet
    unit : {"mismatches", "edits per base"}
        In which distances are given.
    """

    sequences: SequenceSet
    unit: Unit

    @cached_property
    def _texts(self) -> set[bytes]:
        """Every sequence and its reverse complement, as bytes."""
        return {codes.tobytes() for some in (self.sequences, reversed_set(self.sequences)) for codes in some.list()}

    @cached_property
    def _words(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64]]:
        """The joined bases of both strands, the words of 21 bp in order, and where each begins."""
        end = np.full(1, 4, dtype=np.uint8)  # between any two sequences, so that no run crosses over
        parts = [part for some in (self.sequences, reversed_set(self.sequences)) for codes in some.list() for part in (codes, end)]
        joined = np.concatenate([*parts, np.full(WORD, 4, dtype=np.uint8)])
        joined[joined > 3] = _UNKNOWN
        keys = _packed(joined)
        order = np.argsort(keys, kind="stable")
        return joined, keys[order], order

    def copies(self, some: SequenceSet) -> NDArray[np.bool_]:
        """Return whether each whole sequence, or its reverse complement, is a known one, (N,)."""
        return np.array([codes.tobytes() in self._texts for codes in some.list()], dtype=np.bool_)

    def distances(self, some: SequenceSet) -> NDArray[np.float64]:
        """Return the distance of each sequence to the nearest known one on either strand, (N,)."""
        return nearest(some, self.sequences, unit=self.unit, both_strands=True).distance

    def longest_runs(self, some: SequenceSet) -> NDArray[np.int64]:
        """Return the bp of the longest stretch that each sequence shares with a known one on either strand, (N,).

        Examples
        --------
        >>> known = Known(SequenceSet.of(np.array([[0, 1, 2, 3, 0, 0, 1, 1]], dtype=np.uint8)), "mismatches")
        >>> asked = SequenceSet.of(np.array([[2, 2, 3, 3, 0, 1, 2, 3], [0, 1, 2, 3, 3, 3, 3, 3]], dtype=np.uint8))
        >>> known.longest_runs(asked).tolist(), known.copies(asked).tolist()           # the first is the reverse complement
        ([8, 4], [True, False])
        """
        joined, keys, places = self._words
        padded = np.full((len(some), some.codes.shape[1] + WORD), 4, dtype=np.uint8)
        padded[:, : some.codes.shape[1]] = some.codes
        padded[padded > 3] = _OTHER
        asked = _packed(padded)
        runs: NDArray[np.int64] = _longest_runs(padded, asked, np.searchsorted(keys, asked.ravel()).reshape(asked.shape), keys, places, joined)
        return runs


def _packed(symbols: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Pack the word at each place of symbols (..., L + 21) into three bits a base, (..., L)."""
    n = symbols.shape[-1] - WORD
    keys = np.zeros((*symbols.shape[:-1], n), dtype=np.uint64)
    for i in range(WORD):
        keys <<= np.uint64(3)
        keys |= symbols[..., i : i + n]
    return keys


@_compiled()
def _shared(a: Any, b: Any) -> Any:
    """Return how many symbols two words share from their beginning."""
    shift = np.uint64(3 * (WORD - 1))
    n = 0
    different = a ^ b
    while n < WORD and (different >> shift) == 0:
        n += 1
        if n < WORD:
            shift -= np.uint64(3)
    return n


@_compiled()
def _longest_runs(symbols: Any, asked: Any, found: Any, keys: Any, places: Any, joined: Any) -> Any:
    """Return the longest run of each row: between neighbours in the order of words, and beyond a word base by base."""
    n, length = asked.shape
    runs = np.zeros(n, np.int64)
    for row in range(n):
        longest = 0
        for i in range(length):
            at = found[row, i]
            word = asked[row, i]
            if at > 0:
                longest = max(longest, _shared(word, keys[at - 1]))
            if at < len(keys):
                longest = max(longest, _shared(word, keys[at]))
            tried = 0
            while at < len(keys) and keys[at] == word and tried < MOST_PLACES:
                place = places[at]
                if i == 0 or place == 0 or symbols[row, i - 1] != joined[place - 1]:  # else it was followed from the base before
                    run = WORD
                    while place + run < len(joined) and i + run < symbols.shape[1] and symbols[row, i + run] == joined[place + run]:
                        run += 1
                    longest = max(longest, run)
                at += 1
                tried += 1
        runs[row] = longest
    return runs


@dataclass(frozen=True, eq=False)
class Novelty:
    """How sequences lie to the known ones.

    Attributes
    ----------
    distance : float64 array, (N,)
        To the nearest known sequence.
    copied : bool array, (N,)
        Whole sequences that are known, on either strand.
    near : bool array, (N,)
        Copies, and those that differ from a known sequence in at most a tenth of their bases.
    run : int64 array, (N,)
        bp of the longest stretch shared with a known sequence.
    """

    distance: NDArray[np.float64]
    copied: NDArray[np.bool_]
    near: NDArray[np.bool_]
    run: NDArray[np.int64]

    @classmethod
    def of(cls, some: SequenceSet, known: Known) -> Novelty:
        """Measure how new sequences are."""
        distance, copied = known.distances(some), known.copies(some)
        allowed = NEAR_SHARE * (some.lengths if known.unit == "mismatches" else 1)
        return cls(distance, copied, copied | (distance <= allowed), known.longest_runs(some))

    def figures(self, real: Novelty) -> dict[str, float]:
        """Return the figures of the card; `real` are held-out real sequences, the measure of what is near."""
        return {
            "nearest_median": float(np.median(self.distance)),
            "nearer_than_real": float((self.distance < np.quantile(real.distance, TAIL)).mean()),
            "exact_copies": int(self.copied.sum()),
            "exact_rate": float(self.copied.mean()),
            "near_rate": float(self.near.mean()),
            "run_median": float(np.median(self.run)),
            "run_longest": int(self.run.max()),
        }
