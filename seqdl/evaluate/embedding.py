"""Precision and recall of synthetic sequences in a space where alike sequences lie near."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import ShapeError
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.sequence.composition import kmer_counts
from seqdl.types import Floats

K = 4
N_DIMENSIONS = 16
NEIGHBOURS = 5
_ROWS = 1_000  # points compared with all others at a time: 40 MB for 10,000


class KmerSpace:
    """The main directions of 4-mer content: roots of frequencies, centred, and the principal components of a reference.

    Parameters
    ----------
    reference : SequenceSet
        Real sequences that the directions are taken from.
    n_dimensions : int, default 16
    """

    def __init__(self, reference: SequenceSet, *, n_dimensions: int = N_DIMENSIONS) -> None:
        points = _roots(reference)
        self.mean = points.mean(axis=0)
        centred = points - self.mean
        _, vectors = np.linalg.eigh(centred.T @ centred / len(points))
        self.directions = np.ascontiguousarray(vectors[:, ::-1][:, :n_dimensions])

    def embed(self, some: SequenceSet) -> NDArray[np.float64]:
        """Return the place of each sequence, (N, n_dimensions)."""
        return np.asarray((_roots(some) - self.mean) @ self.directions, dtype=np.float64)


def _roots(some: SequenceSet) -> NDArray[np.float64]:
    counts = kmer_counts(some.codes, K).astype(np.float64)
    return np.asarray(np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)), dtype=np.float64)


def precision_recall(sample: Floats, real: Floats, *, neighbours: int = NEIGHBOURS) -> dict[str, float]:
    """Return how much of the sample lies among real points, and how much of the real points among the sample [1]_.

    A point lies among others where it is nearer to one of them than that one's k-th neighbour is.

    Parameters
    ----------
    sample, real : float array, (N, D) and (M, D)
        Best of equal sizes: both figures depend on them.
    neighbours : int, default 5
        k.

    Returns
    -------
    dict
        "precision", "recall"; NaN where a set has no more than k points.

    Raises
    ------
    ShapeError
        If the two have not the same number of dimensions.

    References
    ----------
    .. [1] Kynkäänniemi et al. (2019), Advances in Neural Information Processing Systems 32.

    Examples
    --------
    >>> real = np.random.default_rng(0).normal(size=(400, 2))
    >>> found = precision_recall(np.abs(real), real)                       # one quarter of the plane only
    >>> found["precision"] > 0.9, found["recall"] < 0.5
    (True, True)
    """
    if sample.ndim != 2 or real.ndim != 2 or sample.shape[1] != real.shape[1]:
        raise ShapeError(f"the embeddings have the shapes {sample.shape} and {real.shape}; (N, D) and (M, D) were expected. Embed both alike.")
    if min(len(sample), len(real)) <= neighbours:
        return {"precision": float("nan"), "recall": float("nan")}
    return {"precision": _covered(sample, real, neighbours), "recall": _covered(real, sample, neighbours)}


def _covered(points: Floats, others: Floats, neighbours: int) -> float:
    """Return the share of points within the ball of any of the others, which reaches to its k-th neighbour."""
    squares = (others**2).sum(axis=1)
    radius = np.empty(len(others))
    for first in range(0, len(others), _ROWS):
        some = others[first : first + _ROWS]
        apart = squares[first : first + _ROWS, None] + squares - 2 * some @ others.T
        radius[first : first + _ROWS] = np.partition(apart, neighbours, axis=1)[:, neighbours]  # the nearest is the point itself
    covered = 0
    for first in range(0, len(points), _ROWS):
        some = points[first : first + _ROWS]
        apart = (some**2).sum(axis=1)[:, None] + squares - 2 * some @ others.T
        covered += int((apart <= radius + 1e-12).any(axis=1).sum())
    return covered / len(points)
