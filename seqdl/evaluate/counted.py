"""The measures of a binary prediction, for many weightings of the same examples at once.

A bootstrap resample is nothing but a count of how often each example was drawn. Scores are sorted once,
and every measure is a sum over counts: one resample or a thousand take the same few array operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import DataError, InputError, ShapeError, listing

METRICS = ("auroc", "auprc", "accuracy", "mcc", "f1", "brier", "log_loss", "ece")
"""The names of the measures, in the order in which they are shown."""
_RANKED = ("auroc", "auprc")
_SMALLEST = float(np.finfo(np.float64).eps)  # probabilities are clipped here before the logarithm, as scikit-learn does


def check_binary(target: ArrayLike, prediction: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Check a binary target and its predictions once, at the door.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        A score per example; higher means more likely positive.

    Returns
    -------
    tuple of bool (N,) and float64 (N,)

    Raises
    ------
    ShapeError
        If the two are not one-dimensional and equally long.
    InputError
        If the target holds anything but 0 and 1, or a prediction is not finite.
    """
    truth, score = np.asarray(target), np.asarray(prediction, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != score.shape:
        raise ShapeError(f"target has shape {truth.shape} and prediction {score.shape}; both should be (N,). Pass one output at a time.")
    strange = ~np.isin(truth, (0, 1))
    if strange.any():
        first = int(np.flatnonzero(strange)[0])
        values = listing(np.unique(truth[strange]), limit=3)
        raise InputError(f"target holds {values} (first in row {first}); a binary target is 0 or 1. Remove or recode these examples.")
    if not np.isfinite(score).all():
        rows = np.flatnonzero(~np.isfinite(score))
        raise InputError(
            f"{rows.size} of {score.size} predictions are not finite (first: row {rows[0]}, {score[rows[0]]}); numbers are expected. "
            "Check the training for divergence, or the inputs for missing values."
        )
    return truth.astype(bool), score


class CountedMetrics:
    """Measure one prediction under any number of weightings of its examples.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Scores. Measures other than AUROC and AUPRC need probabilities, and are NaN where a score is outside 0..1.
    bins : int, default 10
        Number of equally wide bins of the expected calibration error.

    Attributes
    ----------
    positive_rows, negative_rows : int64, (P,) and (Q,)
        Rows of the two classes from the highest score to the lowest: the order in which counts are given.
    """

    def __init__(self, target: ArrayLike, prediction: ArrayLike, *, bins: int = 10) -> None:
        if bins < 1:
            raise InputError(f"bins is {bins}; at least 1 bin is needed. The usual number is 10.")
        truth, score = check_binary(target, prediction)
        order = np.argsort(-score, kind="stable")
        self.positive_rows = order[truth[order]]
        self.negative_rows = order[~truth[order]]
        positive, negative = score[self.positive_rows], score[self.negative_rows]
        ascending = negative[::-1]
        # Of the negatives in descending order, so many score higher than (or at least as high as) each positive.
        self._above = negative.size - np.searchsorted(ascending, positive, side="right")
        self._reached = negative.size - np.searchsorted(ascending, positive, side="left")
        self._last_tied = positive.size - np.searchsorted(positive[::-1], positive, side="left") - 1
        self._is_probability = bool(score.size and score.min() >= 0 and score.max() <= 1)
        self._bins = bins
        self._positive_sums = _summands(positive, is_positive=True, bins=bins) if self._is_probability else None
        self._negative_sums = _summands(negative, is_positive=False, bins=bins) if self._is_probability else None

    def measure(self, positive_counts: NDArray[Any], negative_counts: NDArray[Any], names: Sequence[str] = METRICS) -> dict[str, NDArray[np.float64]]:
        """Measure R weightings.

        Parameters
        ----------
        positive_counts : array, (R, P)
            How often each positive counts, in the order of `positive_rows`.
        negative_counts : array, (R, Q)
            The same for the negatives.
        names : sequence of str
            Which measures to take.

        Returns
        -------
        dict of str to float64 (R,)
            NaN where a measure is undefined, such as AUROC with one class.
        """
        unknown = sorted(set(names) - set(METRICS))
        if unknown:
            raise InputError(f"no measure named {listing(unknown)}. Available: {listing(METRICS)}.")
        found: dict[str, NDArray[np.float64]] = {}
        with np.errstate(divide="ignore", invalid="ignore"):
            if any(name in _RANKED for name in names):
                found.update(self._ranked(positive_counts, negative_counts))
            if any(name not in _RANKED for name in names):
                found.update(self._summed(positive_counts, negative_counts))
        return {name: found[name] for name in names}

    def _ranked(self, positive: NDArray[Any], negative: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        n_positive, n_negative = positive.sum(1).astype(np.float64), negative.sum(1).astype(np.float64)
        passed = np.zeros((negative.shape[0], negative.shape[1] + 1), dtype=np.int32)
        np.cumsum(negative, axis=1, out=passed[:, 1:])
        reached = passed[:, self._reached]
        lost = np.einsum("rp,rp->r", positive, passed[:, self._above] + reached, dtype=np.float64) / 2  # ties lose one half
        auroc = 1 - lost / (n_positive * n_negative)
        hits = np.cumsum(positive, axis=1, dtype=np.int32)[:, self._last_tied]
        precision = hits / np.maximum(hits + reached, 1)
        auprc = np.einsum("rp,rp->r", positive, precision) / n_positive
        return {"auroc": auroc, "auprc": np.where(n_negative > 0, auprc, np.nan)}

    def _summed(self, positive: NDArray[Any], negative: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        if self._positive_sums is None or self._negative_sums is None:
            return {name: np.full(positive.shape[0], np.nan) for name in METRICS if name not in _RANKED}
        up, down = positive.astype(np.float64), negative.astype(np.float64)
        p, q = up @ self._positive_sums, down @ self._negative_sums  # (R, 3 + 2 bins)
        n_positive, n_negative = up.sum(1), down.sum(1)
        n = n_positive + n_negative
        tp, fp = p[:, 0], q[:, 0]
        fn, tn = n_positive - tp, n_negative - fp
        both = p + q
        gap = both[:, 3 : 3 + self._bins] - both[:, 3 + self._bins :]  # sum of predictions - number of positives, per bin
        return {
            "accuracy": (tp + tn) / n,
            "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
            "f1": 2 * tp / (2 * tp + fp + fn),
            "brier": both[:, 1] / n,
            "log_loss": both[:, 2] / n,
            "ece": np.abs(gap).sum(1) / n,
        }


def bin_of(prediction: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """Return the bin, 0 to bins - 1, of probabilities; a bin holds its lower edge, the last one also 1."""
    return np.minimum((prediction * bins).astype(np.int64), bins - 1)


def _summands(prediction: NDArray[np.float64], *, is_positive: bool, bins: int) -> NDArray[np.float64]:
    """Return what each example adds to the sums: called positive, squared error, log loss, then per bin prediction and truth."""
    right = prediction if is_positive else 1 - prediction
    rows = np.arange(prediction.size)
    parts = np.zeros((prediction.size, 3 + 2 * bins))
    parts[:, 0] = prediction >= 0.5
    parts[:, 1] = (1 - right) ** 2
    parts[:, 2] = -np.log(np.clip(right, _SMALLEST, 1.0))
    place = bin_of(prediction, bins)
    parts[rows, 3 + place] = prediction
    parts[rows, 3 + bins + place] = float(is_positive)
    return parts


def check_both_classes(target: NDArray[np.bool_], what: str) -> None:
    """Raise `DataError` unless both classes are there."""
    n_positive = int(target.sum())
    if n_positive in (0, target.size):
        raise DataError(
            f"{what}: {n_positive} of {target.size} examples are positive; both classes are needed. "
            f"Add {'positives' if n_positive == 0 else 'negatives'}."
        )
