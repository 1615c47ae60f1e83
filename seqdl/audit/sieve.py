"""Looking hashes up among many, fast and in little memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_MOST_BITS = 28  # of a hash: a table of 32 MiB, which a processor's last cache holds in part


class Sieve:
    """A table of one bit for each of the first bits of a hash: most hashes that it does not hold fall through.

    Parameters
    ----------
    parts : iterable of uint64 arrays
        The well mixed hashes it holds.
    most : int
        How many these are at most; up to 33 million, one in eight others passes.

    Examples
    --------
    >>> hashes = np.random.default_rng(0).integers(0, 1 << 63, 20_000, dtype=np.uint64) * np.uint64(2)
    >>> sieve = Sieve([hashes[:10_000]], 10_000)
    >>> bool(sieve.may_hold(hashes[:10_000]).all()), bool(sieve.may_hold(hashes[10_000:]).mean() < 0.2)
    (True, True)
    """

    def __init__(self, parts: Iterable[NDArray[np.uint64]], most: int) -> None:
        bits = min(max(3, (8 * most).bit_length()), _MOST_BITS)
        self._shift = np.uint64(64 - bits)
        table = np.zeros(1 << bits, dtype=bool)
        for hashes in parts:
            table[(hashes >> self._shift).astype(np.intp)] = True
        self._table = np.packbits(table, bitorder="little")

    def may_hold(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Tell which hashes pass: all that it holds, and a few more."""
        place = hashes >> self._shift
        return np.asarray((self._table[(place >> np.uint64(3)).astype(np.intp)] >> (place & np.uint64(7)).astype(np.uint8)) & 1, dtype=bool)


def among(hashes: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell which hashes are in an ordered list.

    Examples
    --------
    >>> among(np.array([1, 2, 9], dtype=np.uint64), np.array([2, 3], dtype=np.uint64)).tolist()
    [False, True, False]
    """
    if not ordered.size:
        return np.zeros(hashes.size, dtype=bool)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, hashes), ordered.size - 1)] == hashes)


def distinct(parts: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Return the different hashes of some arrays, in order; sorting is many times as fast as the table numpy makes for it.

    Examples
    --------
    >>> distinct([np.array([3, 1], dtype=np.uint64), np.array([3], dtype=np.uint64)]).tolist()
    [1, 3]
    """
    found = np.concatenate(list(parts))
    found.sort()
    return np.asarray(found[np.append(True, found[1:] != found[:-1])]) if found.size else found
