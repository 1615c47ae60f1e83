"""The base in the middle of a word, from the bases on both sides of it: what a masked language model is held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.types import PAD, Codes

MOST_FLANKS = 5
_BACK_OFF = 1.0  # observations that the next shorter flanks count for


@dataclass(frozen=True, eq=False)
class FlankModel:
    """The base given k bases on either side; build it with `FlankModel.fit`.

    Attributes
    ----------
    tables : tuple of float64 arrays, (16**k, 4) for k = 0 .. flanks
        Probability of the base between each pair of flanks; shorter flanks serve the ends of a sequence.
    """

    tables: tuple[NDArray[np.float64], ...]

    @classmethod
    def fit(cls, codes: Codes, flanks: int) -> FlankModel:
        """Count words of 2 k + 1 bases; each k is smoothed with the next smaller one, which counts as one observation.

        Parameters
        ----------
        codes : uint8 array, (N, L)
        flanks : int, 0 to 5
            Bases on either side.

        Raises
        ------
        InputError
            If there are more flanks than that, or fewer than none.

        Examples
        --------
        >>> model = FlankModel.fit(np.array([[0, 1, 0, 1, 0, 1, 0, 1]], dtype=np.uint8), 1)
        >>> model.tables[1][0].round(2).tolist()                          # between two A, in ACACACAC
        [0.12, 0.87, 0.01, 0.01]
        """
        if not 0 <= flanks <= MOST_FLANKS:
            raise InputError(f"{flanks} bases on either side were asked for; 0 to {MOST_FLANKS} were expected. Choose one in that range.")
        tables: list[NDArray[np.float64]] = []
        lower = np.full((1, 4), 0.25)
        for k in range(flanks + 1):
            words, base = _words(codes, k)
            counts = np.bincount(words * 4 + base, minlength=4 * 16**k).reshape(-1, 4)
            prior = lower if k == 0 else lower[_inner(k)]
            table = counts + _BACK_OFF * prior
            lower = table / table.sum(axis=1, keepdims=True)
            tables.append(lower)
        return cls(tuple(tables))

    def probabilities(self, codes: Codes) -> NDArray[np.float64]:
        """Return the probability of each base at each place, (N, L, 4), by the longest flanks that are whole; the base itself is not looked at."""
        found = np.broadcast_to(self.tables[0][0], (*codes.shape, 4)).copy()
        for k in range(1, len(self.tables)):
            if codes.shape[1] > 2 * k:
                word, known = _flank_words(codes, k)
                inside = found[:, k : codes.shape[1] - k]
                inside[known] = self.tables[k][word[known]]
        return found


def _flank_words(codes: Codes, k: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the flanks of every place that has k bases on both sides as a number, (N, L - 2 k), and whether all are bases."""
    width = codes.shape[1] - 2 * k
    word = np.zeros((len(codes), max(0, width)), dtype=np.int64)
    known = np.ones(word.shape, dtype=bool)
    for shift in (*range(-k, 0), *range(1, k + 1)):
        column = codes[:, k + shift : k + shift + max(0, width)]
        known &= column < PAD
        word = word * 4 + np.minimum(column, 3)
    return word, known


def _words(codes: Codes, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return flanks and bases of every whole word."""
    word, known = _flank_words(codes, k)
    middle = codes[:, k : k + word.shape[1]]
    whole = known & (middle < PAD)
    return word[whole], middle[whole].astype(np.int64)


def _inner(k: int) -> NDArray[np.int64]:
    """Return for each pair of flanks of k bases the number of the flanks without their outermost bases."""
    word = np.arange(16**k)
    left, right = word // 4**k, word % 4**k
    found: NDArray[np.int64] = (left % 4 ** (k - 1)) * 4 ** (k - 1) + right // 4
    return found
