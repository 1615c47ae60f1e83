"""Measures along the sequence, for many weightings of the same windows at once.

Neighbouring bases are no independent examples: what is resampled are whole windows, and every measure is made of sums over
windows.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import ShapeError

Array = NDArray[np.floating]
MOST_BINS, LEAST_BINS, MOST_CELLS = 512, 64, 8_000_000
"""Scores are cut into bins before they are ranked; as many as fit into so many cells of windows times bins."""
_NO_SPREAD = 1e-12  # a variance below this share of the mean square is rounding


class Windows(Protocol):
    """Measures one prediction of one output under any number of weightings of its windows."""

    def measure(self, counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        """Return measure -> values (R,) for counts (R, N), how often each window counts; NaN where undefined."""


class LabelWindows:
    """Yes or no at every base.

    AUROC and AUPRC are those of scores cut into at most 512 bins of equal content: within .001 of the exact ones.

    Parameters
    ----------
    target : array, (N, L)
        0 and 1; NaN where nothing is known.
    prediction : array, (N, L)
        Probabilities.
    """

    names: ClassVar[tuple[str, ...]] = ("auroc", "auprc", "accuracy", "iou", "mcc", "brier", "ece")

    def __init__(self, target: Array, prediction: Array) -> None:
        truth, score = _same_shape(target, prediction)
        n = len(truth)
        known = np.isfinite(truth).ravel()
        window = np.repeat(np.arange(n), truth.shape[1])[known]
        yes, value = truth.ravel()[known] > 0, score.ravel()[known].astype(np.float64)
        edges = _edges(value, int(np.clip(MOST_CELLS // max(1, n), LEAST_BINS, MOST_BINS)))
        place = np.searchsorted(edges, value, side="right")
        self._positive, self._negative = (_table(window[side], place[side], n, width=edges.size + 1) for side in (yes, ~yes))
        called, tenth = value >= 0.5, np.minimum((np.clip(value, 0, 1) * 10).astype(np.int64), 9)
        sums = [np.bincount(window, weights=part, minlength=n) for part in (yes & called, ~yes & called, yes & ~called, ~yes & ~called)]
        self._calls = np.stack([*sums, np.bincount(window, weights=(value - yes) ** 2, minlength=n)], axis=1)
        gaps = np.bincount(window * 10 + tenth, weights=value - yes, minlength=10 * n)
        self._gaps = gaps.reshape(n, 10)

    def measure(self, counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        """Return the measures of R weightings of the windows."""
        weights = counts.astype(np.float32)
        p, q = ((weights @ side).astype(np.float64)[:, ::-1] for side in (self._positive, self._negative))  # the highest bin first
        hits, alarms = p.cumsum(1), q.cumsum(1)
        n_positive, n_negative = hits[:, -1], alarms[:, -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ranked = (q * (hits - p / 2)).sum(1) / (n_positive * n_negative)
            precise = np.nan_to_num(hits / (hits + alarms))
            auprc = np.where((n_positive > 0) & (n_negative > 0), (p * precise).sum(1) / n_positive, np.nan)
            tp, fp, fn, tn, squared = (counts.astype(np.float64) @ self._calls).T
            n = tp + fp + fn + tn
            gaps = counts.astype(np.float64) @ self._gaps
            return {
                "auroc": ranked,
                "auprc": auprc,
                "accuracy": (tp + tn) / n,
                "iou": tp / (tp + fp + fn),
                "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
                "brier": squared / n,
                "ece": np.abs(gaps).sum(1) / n,
            }


class SignalWindows:
    """A number at every base: correlations over all bases, and the share of the variance that is explained.

    Parameters
    ----------
    target, prediction : array, (N, L)
        A target that is NaN is not known.
    """

    names: ClassVar[tuple[str, ...]] = ("pearson", "log_pearson", "r2")

    def __init__(self, target: Array, prediction: Array) -> None:
        truth, score = _same_shape(target, prediction)
        self._plain = _moments(truth, score)
        self._logs = _moments(np.log1p(np.maximum(truth, 0)), np.log1p(np.maximum(score, 0)))

    def measure(self, counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        """Return the measures of R weightings of the windows."""
        weights = counts.astype(np.float64)
        sums = weights @ self._plain
        n, _, y, _, yy, _, squared = sums.T
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = yy / n - (y / n) ** 2
            explained = np.where(spread > _NO_SPREAD * yy / n, 1 - squared / n / spread, np.nan)
        return {"pearson": _correlation(sums), "log_pearson": _correlation(weights @ self._logs), "r2": explained}


class ProfileWindows:
    """Counts at every base: how much there is in each window, and where in it.

    log_pearson is the correlation of log(1 + total) over windows; profile_pearson the mean correlation within a window, 0 for a
    flat prediction; jsd the mean Jensen-Shannon distance (base 2, 0 to 1) of the two profiles, each adding up to 1; pearson the
    correlation over all bases. Windows that are empty or flat have no profile, and are left out of the two in the middle.

    Parameters
    ----------
    target, prediction : array, (N, L)
        A target that is NaN is not known.
    """

    names: ClassVar[tuple[str, ...]] = ("log_pearson", "profile_pearson", "jsd", "pearson")

    def __init__(self, target: Array, prediction: Array) -> None:
        truth, score = _same_shape(target, prediction)
        known = np.isfinite(truth)
        truth, score = np.where(known, truth, 0.0), np.where(known, np.maximum(score, 0.0), 0.0)
        self._bases = _moments(np.where(known, truth, np.nan), score)
        totals = [np.log1p(values.sum(axis=1, dtype=np.float64))[:, None] for values in (truth, score)]
        self._totals = _moments(totals[0], totals[1])
        shape, far = _shape_correlation(truth, score, known), _distance(truth, score)
        defined = np.isfinite(shape) & np.isfinite(far)
        self._shapes = np.stack([defined, np.where(defined, shape, 0.0), np.where(defined, far, 0.0)], axis=1).astype(np.float64)

    def measure(self, counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        """Return the measures of R weightings of the windows."""
        weights = counts.astype(np.float64)
        n, shape, far = (weights @ self._shapes).T
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                "log_pearson": _correlation(weights @ self._totals),
                "profile_pearson": shape / n,
                "jsd": far / n,
                "pearson": _correlation(weights @ self._bases),
            }


def _same_shape(target: Array, prediction: Array) -> tuple[Array, Array]:
    """Return both as (N, L), or raise `ShapeError`."""
    truth, score = np.asarray(target), np.asarray(prediction)
    if truth.ndim != 2 or truth.shape != score.shape:
        raise ShapeError(f"target has shape {truth.shape} and prediction {score.shape}; both should be (N, L). Pass one output at a time.")
    return truth, score


def _edges(values: NDArray[np.float64], n_bins: int) -> NDArray[np.float64]:
    """Return where bins begin: each distinct value its own, or bins of equal content where there are too many."""
    some = values[:: max(1, values.size // 1_000_000)]
    distinct = np.unique(some)
    if distinct.size <= n_bins and some.size == values.size:
        return distinct
    return np.unique(np.quantile(some, np.linspace(0, 1, n_bins + 1)[1:-1]))


def _table(window: NDArray[np.int64], place: NDArray[np.int64], n: int, *, width: int) -> NDArray[np.float32]:
    """Return how many bases of each window fall into each bin, (N, K)."""
    return np.bincount(window * width + place, minlength=n * width).reshape(n, width).astype(np.float32)


def _moments(truth: Array, score: Array) -> NDArray[np.float64]:
    """Return the sums of 1, x, y, xx, yy, xy and squared error over each window, (N, 7); x and y from their means over all."""
    known = np.isfinite(truth)
    y, x = np.where(known, truth, 0.0).astype(np.float64), np.where(known, score, 0.0).astype(np.float64)
    squared = (x - y) ** 2
    if known.any():  # sums of squares keep their digits
        y, x = np.where(known, y - y[known].mean(), 0.0), np.where(known, x - x[known].mean(), 0.0)
    return np.stack([part.sum(axis=1) for part in (known.astype(np.float64), x, y, x * x, y * y, x * y, squared)], axis=1)


def _correlation(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlation (R,) from sums (R, 7)."""
    n, x, y, xx, yy, xy, _ = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        of_x, of_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
        defined = (of_x > _NO_SPREAD * xx / n) & (of_y > _NO_SPREAD * yy / n)
        found = (xy / n - x * y / n**2) / np.sqrt(of_x * of_y)
    return np.where(defined, np.clip(found, -1.0, 1.0), np.nan)


def _shape_correlation(truth: Array, score: Array, known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the correlation within each window (N,): NaN where the truth is flat, 0 where only the prediction is."""
    n = np.maximum(known.sum(axis=1, keepdims=True), 1)
    y, x = (np.where(known, values - values.sum(axis=1, keepdims=True) / n, 0.0).astype(np.float64) for values in (truth, score))
    of_y, of_x = (y * y).sum(axis=1), (x * x).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (x * y).sum(axis=1) / np.sqrt(of_x * of_y)
    flat = of_x <= _NO_SPREAD * (score.astype(np.float64) ** 2).sum(axis=1)
    return np.where(of_y <= 0, np.nan, np.where(flat, 0.0, found))


def _distance(truth: Array, score: Array) -> NDArray[np.float64]:
    """Return the Jensen-Shannon distance (base 2) of the two profiles of each window, (N,); NaN where one is empty."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q = (values.astype(np.float64) / values.sum(axis=1, dtype=np.float64, keepdims=True) for values in (truth, score))
        middle = (p + q) / 2
        parts = [np.where(side > 0, side * np.log2(side / middle), 0.0).sum(axis=1) for side in (p, q)]
    empty = (truth.sum(axis=1) <= 0) | (score.sum(axis=1) <= 0)
    return np.where(empty, np.nan, np.sqrt(np.maximum((parts[0] + parts[1]) / 2, 0.0)))
