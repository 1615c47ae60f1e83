"""The nearest sequence of a set: exact mismatches where all have one length, edits among a few candidates where they have not.

Mismatches are counted on bits: a base is two bits and a third says that it is known, 64 bases a machine word, so that every pair of two
sets of 5,000 sequences of 200 bp is compared within a second. Edits (Levenshtein distance) are exact too [1]_, [2]_, but are counted only
for the `CANDIDATES` sequences that share most 4-mers with the one in question, and are given per base of the longer sequence.

References
----------
.. [1] Myers (1999), Journal of the ACM 46:395.
.. [2] Hyyrö (2003), Nordic Journal of Computing 10:29.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import ShapeError
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.motif.kernels import _compiled
from seqdl.sequence.composition import kmer_counts
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes

Unit = Literal["mismatches", "edits per base"]
CANDIDATES = 8
"""Sequences, out of a whole set, to which edits are counted."""
_BLOCK = 1024  # targets compared at a time: their words stay in the first cache
_ROWS = 512  # queries whose 4-mers are compared at a time
Words = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest sequence of each of N queries.

    Attributes
    ----------
    distance : float64 array, (N,)
        Infinite where there is nothing to be near to.
    index : int64 array, (N,)
        Row of the nearest; -1 where there is none.
    unit : {"mismatches", "edits per base"}
    """

    distance: NDArray[np.float64]
    index: NDArray[np.int64]
    unit: Unit


def unit_of(*sets: SequenceSet) -> Unit:
    """Return the unit in which sequences of these sets can all be compared."""
    return "mismatches" if len({some.length for some in sets}) == 1 and sets[0].length else "edits per base"


def nearest(queries: SequenceSet, targets: SequenceSet | None = None, *, unit: Unit = "mismatches", both_strands: bool = False) -> Nearest:
    """Find the nearest target of each query.

    Parameters
    ----------
    queries : SequenceSet
    targets : SequenceSet, optional
        By default the other queries.
    unit : {"mismatches", "edits per base"}
        See `unit_of`. An ambiguous base differs from every base.
    both_strands : bool, default False
        Whether the reverse complement of a target counts too.

    Returns
    -------
    Nearest

    Raises
    ------
    ShapeError
        If mismatches are asked for between sequences of different lengths.

    Examples
    --------
    >>> some = SequenceSet.of(np.array([[0, 1, 2, 3], [0, 1, 2, 2], [3, 3, 3, 3]], dtype=np.uint8))
    >>> found = nearest(some)
    >>> found.distance.tolist(), found.index.tolist()
    ([1.0, 1.0, 3.0], [1, 0, 0])
    """
    others = queries if targets is None else targets
    if unit == "mismatches" and unit_of(queries, others) != "mismatches":
        raise ShapeError(
            "mismatches were asked for between sequences of different lengths; one length was expected. Use the unit 'edits per base' for these."
        )
    search = _fewest_mismatches if unit == "mismatches" else _fewest_edits
    distance, index = search(queries, others, itself=targets is None)
    if both_strands:
        back, back_index = search(reversed_set(queries), others, itself=targets is None)
        index = np.where(back < distance, back_index, index)
        distance = np.minimum(distance, back)
    return Nearest(distance, index, unit)


def reversed_set(some: SequenceSet) -> SequenceSet:
    """Return the reverse complements, padded at their end again."""
    if some.length:
        return SequenceSet(np.ascontiguousarray(reverse_complement(some.codes)), some.lengths)
    return SequenceSet.of([reverse_complement(codes) for codes in some.list()])


def _fewest_mismatches(queries: SequenceSet, targets: SequenceSet, *, itself: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    high, low, known = (np.ascontiguousarray(plane.T) for plane in _planes(targets.codes))  # (words, targets)
    surplus = 64 * high.shape[0] - targets.codes.shape[1]  # what lies behind the last base differs in every pair
    fewest, index = _scan(*_planes(queries.codes), high, low, known, itself)
    found = index >= 0
    return np.where(found, fewest.astype(np.float64) - surplus, np.inf), index


def _planes(codes: Codes) -> tuple[Words, Words, Words]:
    """Return the high bits, the low bits and what is known of codes (N, L), each (N, words)."""
    n, length = codes.shape
    n_words = -(-length // 64)
    planes = []
    for bits in (codes >> 1 & 1, codes & 1, codes < 4):
        padded = np.zeros((n, 64 * n_words), dtype=np.uint8)
        padded[:, :length] = bits
        planes.append(np.packbits(padded, axis=1, bitorder="little").view(np.uint64))
    return planes[0], planes[1], planes[2]


@_compiled()
def _scan(q_high: Any, q_low: Any, q_known: Any, high: Any, low: Any, known: Any, itself: bool) -> Any:
    """Return the fewest mismatches of each query with any target, and which it is: (N,) and (N,)."""
    n_words, n_targets = high.shape
    n = len(q_high)
    fewest = np.full(n, 1 << 40, np.int64)
    index = np.full(n, -1, np.int64)
    sums = np.empty(_BLOCK, np.uint64)
    m1, m2, m4 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
    ones = np.uint64(0x0101010101010101)
    for first in range(0, n_targets, _BLOCK):
        size = min(_BLOCK, n_targets - first)
        for i in range(n):
            for j in range(size):
                sums[j] = 0
            for word in range(n_words):
                a, b, c = q_high[i, word], q_low[i, word], q_known[i, word]
                for j in range(size):
                    x = (a ^ high[word, first + j]) | (b ^ low[word, first + j]) | ~(c & known[word, first + j])
                    x = x - ((x >> np.uint64(1)) & m1)
                    x = (x & m2) + ((x >> np.uint64(2)) & m2)
                    x = (x + (x >> np.uint64(4))) & m4
                    sums[j] += (x * ones) >> np.uint64(56)
            best, at = fewest[i], index[i]
            for j in range(size):
                if np.int64(sums[j]) < best and not (itself and first + j == i):
                    best, at = np.int64(sums[j]), first + j
            fewest[i], index[i] = best, at
    return fewest, index


def _fewest_edits(queries: SequenceSet, targets: SequenceSet, *, itself: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    theirs = _profile(targets)
    distance, index = np.full(len(queries), np.inf), np.full(len(queries), -1, dtype=np.int64)
    n_candidates = min(CANDIDATES, len(targets) - itself)
    if n_candidates < 1:
        return distance, index
    for first in range(0, len(queries), _ROWS):
        rows = np.arange(first, min(first + _ROWS, len(queries)))
        shared = _profile(queries.take(rows)) @ theirs.T
        if itself:
            shared[np.arange(len(rows)), rows] = -1
        chosen = np.argpartition(-shared, n_candidates - 1, axis=1)[:, :n_candidates].astype(np.int64)
        edits = _edits_of_pairs(queries.codes[rows], queries.lengths[rows], targets.codes, targets.lengths, chosen)
        per_base = edits / np.maximum(queries.lengths[rows, None], targets.lengths[chosen])
        best = per_base.argmin(axis=1)
        distance[rows], index[rows] = per_base[np.arange(len(rows)), best], chosen[np.arange(len(rows)), best]
    return distance, index


def _profile(some: SequenceSet) -> NDArray[np.float32]:
    """Return the roots of 4-mer counts, each row of length 1, so that a product of two says how much they share."""
    profile = np.sqrt(kmer_counts(some.codes, 4))
    return np.asarray(profile / np.maximum(np.linalg.norm(profile, axis=1, keepdims=True), 1e-9), dtype=np.float32)


@_compiled()
def _edits_of_pairs(codes: Any, lengths: Any, targets: Any, target_lengths: Any, chosen: Any) -> Any:
    """Return the edits between each row of codes (n, L) and its chosen targets (n, c), int64 (n, c)."""
    n, c = chosen.shape
    edits = np.empty((n, c), np.int64)
    for i in range(n):
        query = codes[i, : lengths[i]]
        patterns = _patterns(query)
        for k in range(c):
            j = chosen[i, k]
            edits[i, k] = _edits(patterns, len(query), targets[j, : target_lengths[j]])
    return edits


@_compiled()
def _patterns(query: Any) -> Any:
    """Return where each base stands in the query as bits, (5, words); the ambiguous base stands nowhere."""
    patterns = np.zeros((5, (len(query) + 63) // 64), np.uint64)
    for i in range(len(query)):
        if query[i] < 4:
            patterns[query[i], i // 64] |= np.uint64(1) << np.uint64(i % 64)
    return patterns


@_compiled()
def _edits(patterns: Any, length: int, text: Any) -> Any:
    """Return the Levenshtein distance of a query of `length`, given by its patterns, to a text: a column of differences a step."""
    n_words = patterns.shape[1]
    plus, minus = np.full(n_words, ~np.uint64(0), np.uint64), np.zeros(n_words, np.uint64)
    one, top = np.uint64(1), np.uint64(63)
    last = np.uint64((length - 1) % 64)
    score = np.int64(length)
    for at in range(len(text)):
        up, down = one, np.uint64(0)  # the first row grows by one a column
        for word in range(n_words):
            equal, p, m = patterns[text[at], word], plus[word], minus[word]
            vertical = equal | m
            equal |= down
            horizontal = (((equal & p) + p) ^ p) | equal
            grows, falls = m | ~(horizontal | p), p & horizontal
            if word == n_words - 1:
                score += np.int64((grows >> last) & one) - np.int64((falls >> last) & one)
            next_up, next_down = grows >> top, falls >> top
            grows, falls = (grows << one) | up, (falls << one) | down
            plus[word], minus[word] = falls | ~(vertical | grows), grows & vertical
            up, down = next_up, next_down
    return score
