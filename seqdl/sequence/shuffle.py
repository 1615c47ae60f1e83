"""Shuffling sequences: keeping their bases, or keeping their dinucleotides.

A sequence is a walk over its dinucleotides: the bases are the places, and each dinucleotide is a step from its first base to
its second. Every Euler walk over the same steps from the first base to the last has the same dinucleotides. One of them is drawn, each
with the same probability [1]_, [2]_: draw a random tree of last steps towards the last base by Wilson's algorithm [3]_ (walk at random
until the tree is met, and keep the step taken last from each base), put the other steps of each base in random order before its last one, and
walk. Drawing the last steps in any quicker way reaches only some of the walks.

References
----------
.. [1] Altschul and Erickson (1985), Mol. Biol. Evol. 2:526-538.
.. [2] Kandel, Matias, Unger and Winkler (1996), Discrete Appl. Math. 71:171-185.
.. [3] Wilson (1996), Proc. 28th ACM Symposium on Theory of Computing, 296-303.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seqdl.errors import InputError, ShapeError
from seqdl.types import Codes

_MASK = (1 << 64) - 1


def dinucleotide_shuffle(codes: Codes, *, seed: int) -> Codes:
    """Shuffle sequences so that every dinucleotide keeps its count, all such sequences being equally likely.

    Parameters
    ----------
    codes : uint8 array, (L,) or (N, L)
        One or many sequences. Ambiguous bases stay where they are, and each run of bases between them is shuffled by itself.
    seed : int
        The result depends on `seed`, on the row's number and on the row alone.

    Returns
    -------
    uint8 array, as `codes`
        Each run keeps its first and its last base.

    Raises
    ------
    ShapeError
        If `codes` has neither one nor two dimensions.
    InputError
        If there is a code above 4.

    References
    ----------
    Altschul and Erickson (1985), Mol. Biol. Evol. 2:526-538; Wilson (1996), STOC '96, 296-303.

    Examples
    --------
    >>> from seqdl.sequence.encode import decode, encode
    >>> decode(dinucleotide_shuffle(encode("ACGTTGCATGNNACGACT"), seed=0))
    'ACATTGCGTGNNACGACT'
    """
    return _shuffled(codes, seed, dinucleotides=True)


def shuffle(codes: Codes, *, seed: int) -> Codes:
    """Shuffle sequences so that every base keeps its count, all such sequences being equally likely.

    Parameters
    ----------
    codes : uint8 array, (L,) or (N, L)
        One or many sequences. Ambiguous bases stay where they are; the bases change places over the whole sequence.
    seed : int
        The result depends on `seed`, on the row's number and on the row alone.

    Returns
    -------
    uint8 array, as `codes`

    Raises
    ------
    ShapeError
        If `codes` has neither one nor two dimensions.
    InputError
        If there is a code above 4.

    Examples
    --------
    >>> from seqdl.sequence.encode import decode, encode
    >>> decode(shuffle(encode("AACCNGGTT"), seed=0))
    'CGACNGTTA'
    """
    return _shuffled(codes, seed, dinucleotides=False)


def _shuffled(codes: Codes, seed: int, *, dinucleotides: bool) -> Codes:
    codes = np.asarray(codes)
    if codes.ndim not in {1, 2}:
        raise ShapeError(f"codes have the shape {codes.shape}; one sequence (L,) or many (N, L) were expected. Reshape them.")
    if codes.size and (codes.min() < 0 or codes.max() > 4):
        raise InputError(f"there is a code {codes.max() if codes.max() > 4 else codes.min()}; codes run from 0 to 4. Make them with encode().")
    result = np.array(codes, dtype=np.uint8, order="C")  # shuffled in place
    rows = result[None] if codes.ndim == 1 else result
    kernel = _shuffle_dinucleotides if dinucleotides else _shuffle_bases
    kernel(rows, np.uint64(int(seed) & _MASK))
    return result


def _jit(function: Any) -> Any:
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no folder it may keep its cache in
        return njit(nogil=True)(function)


@_jit
def _next(state: NDArray[np.uint64]) -> Any:
    """Draw 64 random bits (splitmix64; Steele, Lea and Flood, OOPSLA 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@_jit
def _below(state: NDArray[np.uint64], n: int) -> Any:
    """Draw an integer from 0 to n - 1, exactly uniform for n < 2**32 (Lemire, ACM TOMACS 29:3, 2019)."""
    size = np.uint64(n)
    low_bits = np.uint64(0xFFFFFFFF)
    product = (_next(state) >> np.uint64(32)) * size
    if (product & low_bits) < size:
        threshold = (np.uint64(1) << np.uint64(32)) % size
        while (product & low_bits) < threshold:
            product = (_next(state) >> np.uint64(32)) * size
    return np.int64(product >> np.uint64(32))


@_jit
def _start(state: NDArray[np.uint64], seed: np.uint64, row: int) -> None:
    """Begin the random numbers of one row: far from those of its neighbours and of nearby seeds."""
    state[0] = seed
    first = _next(state)
    state[0] = first ^ (np.uint64(row) * np.uint64(0xD1342543DE82EF95))
    state[0] = _next(state)


@_jit
def _shuffle_bases(codes: Codes, seed: np.uint64) -> None:
    n_rows, length = codes.shape
    state = np.zeros(1, dtype=np.uint64)
    places = np.empty(length, dtype=np.int64)
    for row in range(n_rows):
        _start(state, seed, row)
        n = 0
        for i in range(length):
            if codes[row, i] < 4:
                places[n] = i
                n += 1
        for i in range(n - 1, 0, -1):
            a, b = places[i], places[_below(state, i + 1)]
            codes[row, a], codes[row, b] = codes[row, b], codes[row, a]


@_jit
def _shuffle_dinucleotides(codes: Codes, seed: np.uint64) -> None:
    n_rows, length = codes.shape
    state = np.zeros(1, dtype=np.uint64)
    steps = np.empty(length, dtype=np.uint8)
    for row in range(n_rows):
        _start(state, seed, row)
        first = 0
        while first < length:
            if codes[row, first] > 3:
                first += 1
                continue
            end = first + 1
            while end < length and codes[row, end] < 4:
                end += 1
            if end - first > 3:  # of three bases or fewer there is one walk only
                _shuffle_run(codes[row, first:end], steps, state)
            first = end


@_jit
def _shuffle_run(run: Codes, steps: Codes, state: NDArray[np.uint64]) -> None:
    """Replace one run of bases by a random Euler walk over its dinucleotides."""
    n = len(run)
    last = run[n - 1]
    begin = np.zeros(5, dtype=np.int64)  # steps[begin[b]:begin[b + 1]] are where the steps from base b lead
    for i in range(n - 1):
        begin[run[i] + 1] += 1
    for base in range(4):
        begin[base + 1] += begin[base]
    fill = begin.copy()
    for i in range(n - 1):
        steps[fill[run[i]]] = run[i + 1]
        fill[run[i]] += 1

    in_tree = np.zeros(4, dtype=np.bool_)
    in_tree[last] = True
    chosen = np.zeros(4, dtype=np.int64)
    for base in range(4):
        if begin[base + 1] == begin[base]:
            continue
        here = np.int64(base)
        while not in_tree[here]:
            chosen[here] = begin[here] + _below(state, begin[here + 1] - begin[here])
            here = np.int64(steps[chosen[here]])
        here = np.int64(base)
        while not in_tree[here]:
            in_tree[here] = True
            here = np.int64(steps[chosen[here]])

    for base in range(4):
        low, high = begin[base], begin[base + 1]
        if base != last and high > low:
            high -= 1
            steps[chosen[base]], steps[high] = steps[high], steps[chosen[base]]
        for i in range(high - 1, low, -1):
            j = low + _below(state, i - low + 1)
            steps[i], steps[j] = steps[j], steps[i]

    here = np.int64(run[0])
    for i in range(1, n):
        there = steps[begin[here]]
        begin[here] += 1
        run[i] = there
        here = np.int64(there)
