"""What linear baselines stand on: features of sequences, and the choice among them by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import ShapeError
from seqdl.evaluate.kmer_baseline import K_SETS, MAX_BASES, KmerVocabulary, in_words
from seqdl.sequence.composition import gc_content
from seqdl.types import Codes

SHORT_KS = (1, 2, 3)
"""K-mer lengths for sequences too short for longer ones."""
N_FOLDS = 3
MAX_CHOICE_ROWS, MAX_CHOICE_BASES = 3_000, 1_000_000  # what the choice is made on, whichever is more: some seconds
_CHUNK = 20_000  # sequences counted at once
_ALIGNED = 0.99  # share of sequences without an ambiguous base at either end from which on they have one length


class Features(Protocol):
    """Numbers for each sequence, the columns of a linear model."""

    def count(self, codes: Codes) -> Any:
        """Return a matrix (N, n_columns), sparse or dense, of codes (N, L)."""


@dataclass(frozen=True)
class GcFeature:
    """GC content in standard deviations from the training mean; a sequence without a base counts as the mean.

    Attributes
    ----------
    mean, scale : float
        Of the training sequences.
    """

    mean: float
    scale: float

    @classmethod
    def of(cls, codes: Codes) -> GcFeature:
        """Take mean and spread from codes (N, L)."""
        gc = gc_content(codes)
        gc = gc[np.isfinite(gc)]
        return cls(float(gc.mean()) if gc.size else 0.0, float(gc.std()) if gc.size and gc.std() > 0 else 1.0)

    def count(self, codes: Codes) -> NDArray[np.float64]:
        """Return the standardised GC content, (N, 1)."""
        return np.asarray(np.nan_to_num((gc_content(codes) - self.mean) / self.scale)[:, None], dtype=np.float64)


@dataclass(frozen=True)
class PositionVocabulary:
    """A column for each base at each position: what a position weight matrix sees in aligned sequences.

    Attributes
    ----------
    length : int
        Length of every sequence (bp).
    """

    length: int

    def count(self, codes: Codes) -> Any:
        """Return the one-hot encoding as a sparse matrix, float32 (N, 4 L); an ambiguous base is all zeros."""
        from scipy.sparse import csr_matrix

        if codes.shape[1] != self.length:
            raise ShapeError(
                f"the sequences are {codes.shape[1]} bp long; {self.length} bp are expected, as in training. Cut or pad them to that length."
            )
        row, place = np.nonzero(codes < 4)
        column = place * 4 + codes[row, place]
        return csr_matrix((np.ones(row.size, dtype=np.float32), (row, column)), shape=(codes.shape[0], 4 * self.length))


def are_aligned(codes: Codes) -> bool:
    """Tell whether sequences (N, L) have one length: shorter ones are padded with ambiguous codes at their ends.

    Examples
    --------
    >>> are_aligned(np.array([[0, 1, 2], [3, 4, 1]], dtype=np.uint8)), are_aligned(np.array([[0, 1, 2], [4, 1, 4]], dtype=np.uint8))
    (True, False)
    """
    if not codes.size:
        return False
    return float(((codes[:, 0] < 4) & (codes[:, -1] < 4)).mean()) >= _ALIGNED


@dataclass(frozen=True)
class KmerChoice:
    """Lengths of k-mers, and whether strands are told apart.

    Attributes
    ----------
    ks : tuple of int
        Lengths (bp).
    canonical : bool
        Whether a k-mer and its reverse complement are one.
    """

    ks: tuple[int, ...]
    canonical: bool

    def __call__(self, codes: Codes) -> KmerVocabulary:
        """Collect the vocabulary of codes (N, L)."""
        return KmerVocabulary.of(codes, self.ks, canonical=self.canonical)

    def __str__(self) -> str:
        return f"k-mers of {in_words(self.ks)} bp ({'both strands as one' if self.canonical else 'strands told apart'})"


def kmer_choices(length: int) -> list[KmerChoice]:
    """Return the k-mers to choose from for sequences of a length; a k-mer as long as the sequence is the sequence."""
    sets = [tuple(k for k in SHORT_KS if k <= max(1, length)), *[ks for ks in K_SETS if max(ks) <= length // 2]]
    return [KmerChoice(ks, canonical) for ks in sets for canonical in (True, False)]


def choose(
    makers: Sequence[Callable[[Codes], Features]],
    penalties: Sequence[float],
    codes: Codes,
    *,
    fold: NDArray[np.int64],
    score: Callable[[Any, NDArray[np.bool_], float], float],
) -> tuple[int, float]:
    """Choose features and penalty by held-out scores: the features at the middle penalty, then the penalty for these.

    Parameters
    ----------
    makers : sequence of functions
        From codes to features.
    penalties : sequence of float
        To choose from.
    codes : uint8, (N, L)
        The sequences on which the choice is made.
    fold : int64, (N,)
        The fold that holds each sequence out; all the same where there are too few to choose.
    score : function
        From the matrix (N, n_columns), which rows are trained on, and the penalty to how good the rest is predicted; NaN is the worst.

    Returns
    -------
    tuple of int and float
        The place of the features in `makers`, and the penalty.
    """
    middle = penalties[len(penalties) // 2]
    folds = np.unique(fold)
    if folds.size < 2:
        return 0, middle

    def held_out(matrix: Any, penalty: float) -> float:
        scores = [score(matrix, fold != held, penalty) for held in folds]
        return float(np.mean(scores)) if np.isfinite(scores).all() else -np.inf

    best, place, matrix = -np.inf, 0, makers[0](codes).count(codes)
    reached = {middle: held_out(matrix, middle)}
    best = reached[middle]
    for i, maker in enumerate(makers[1:], start=1):
        other = maker(codes).count(codes)
        found = held_out(other, middle)
        if found > best:
            best, place, matrix, reached = found, i, other, {middle: found}
    for penalty in penalties:
        if penalty != middle:
            reached[penalty] = held_out(matrix, penalty)
    return place, max(reached, key=lambda penalty: reached[penalty])


def folds_of(strata: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a fold for each row (N,), the rows of each stratum spread over all; one fold for all rows where a stratum is too small."""
    fold = np.zeros(strata.size, dtype=np.int64)
    members = [np.flatnonzero(strata == value) for value in np.unique(strata)]
    if min((rows.size for rows in members), default=0) < 2 * N_FOLDS:
        return fold
    for rows in members:
        fold[rng.permutation(rows)] = np.arange(rows.size) % N_FOLDS
    return fold


def trained_on(codes: Codes, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the rows to train on: all, or as many as make 10 million bases."""
    n = codes.shape[0]
    return _some(n, max(2, MAX_BASES // max(1, codes.shape[1])) if codes.size > MAX_BASES else n, rng)


def chosen_on(codes: Codes, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the rows on which features and penalty are chosen."""
    return _some(codes.shape[0], max(MAX_CHOICE_ROWS, MAX_CHOICE_BASES // max(1, codes.shape[1])), rng)


def _some(n: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.arange(n) if n <= most else np.sort(rng.permutation(n)[:most])


def linear_scores(features: Features, weights: NDArray[np.float64], codes: Codes) -> NDArray[np.float64]:
    """Return features of codes (N, L) times weights (V,) or (V, K): (N,) or (N, K)."""
    parts = [np.empty((0, *weights.shape[1:]))]
    parts += [np.asarray(features.count(codes[start : start + _CHUNK]) @ weights) for start in range(0, codes.shape[0], _CHUNK)]
    return np.concatenate(parts)


def how_chosen(what: str, penalty: str, *, n: int, n_all: int) -> str:
    """Return the detail of a baseline whose penalty was chosen on n of n_all training sequences."""
    some = f", trained on {n:,} of {n_all:,} sequences" if n < n_all else ""
    return f"{what} ({penalty}, chosen on the training set{some})"
