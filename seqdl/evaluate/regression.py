"""Measures of a predicted number: correlations, variance explained, errors; with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError, ShapeError, listing
from seqdl.evaluate.resampling import Interval, resampled

METRICS = ("pearson", "spearman", "r2", "rmse", "mae")
"""The names of the measures, in the order in which they are shown."""
_NO_SPREAD = 1e-13  # a variance below this share of the mean square is rounding


def check_numbers(target: ArrayLike, prediction: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check numbers and their predictions once, at the door.

    Parameters
    ----------
    target, prediction : array_like, (N,)
        The truth, and what was said about it.

    Returns
    -------
    tuple of float64 (N,) and float64 (N,)

    Raises
    ------
    ShapeError
        If the two are not one-dimensional and equally long.
    InputError
        If a value is not finite.
    """
    truth, score = np.asarray(target, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != score.shape:
        raise ShapeError(f"target has shape {truth.shape} and prediction {score.shape}; both should be (N,). Pass one output at a time.")
    for name, values, cure in (("targets", truth, "Leave these examples out"), ("predictions", score, "Check the training for divergence")):
        rows = np.flatnonzero(~np.isfinite(values))
        if rows.size:
            raise InputError(
                f"{rows.size} of {values.size} {name} are not finite (first: row {rows[0]}, {values[rows[0]]}); numbers are expected. {cure}."
            )
    return truth, score


class CountedRegression:
    """Measure one prediction under any number of weightings of its examples.

    A bootstrap resample is a count of how often each example was drawn. Values are sorted once; ranks among the drawn,
    ties included, are then running sums of the counts.

    Parameters
    ----------
    target, prediction : array_like, (N,)
        The truth, and what was said about it.
    """

    def __init__(self, target: ArrayLike, prediction: ArrayLike) -> None:
        truth, score = check_numbers(target, prediction)
        x, y = _standardised(score), _standardised(truth)
        error = score - truth
        # In the order of the prediction one of the two rank sums needs no gathering.
        self._order = np.argsort(score, kind="stable")
        self._sums = np.stack([np.ones(x.size), x, y, x * x, y * y, x * y, error * error, np.abs(error)], axis=1)
        self._scale = float(truth.std()) if truth.size else 0.0
        self._x, self._y = _Ranks(score[self._order]), _Ranks(truth[self._order])

    def measure(self, counts: NDArray[np.int32], names: Sequence[str] = METRICS) -> dict[str, NDArray[np.float64]]:
        """Measure R weightings.

        Parameters
        ----------
        counts : int32, (R, N)
            How often each example counts.
        names : sequence of str
            Which measures to take.

        Returns
        -------
        dict of str to float64 (R,)
            NaN where a measure is undefined, such as a correlation with a constant.
        """
        unknown = sorted(set(names) - set(METRICS))
        if unknown:
            raise InputError(f"no measure named {listing(unknown)}. Available: {listing(METRICS)}.")
        found = {}
        with np.errstate(divide="ignore", invalid="ignore"):
            n, x, y, xx, yy, xy, squared, absolute = (counts.astype(np.float64) @ self._sums).T
            spread = _variance(yy / n, y / n)
            found["pearson"] = _correlation(xy / n - x * y / n**2, _variance(xx / n, x / n), spread)
            found["r2"] = 1 - squared / n / (spread * self._scale**2)
            found["rmse"] = np.sqrt(squared / n)
            found["mae"] = absolute / n
            if "spearman" in names:
                found["spearman"] = self._spearman(counts[:, self._order], n)
        return {name: found[name] for name in names}

    def _spearman(self, counts: NDArray[np.int32], n: NDArray[np.float64]) -> NDArray[np.float64]:
        middle = (n[:, None] + 1) / 2
        x, y = self._x(counts) - middle, self._y(counts) - middle
        weighted = counts * x
        covariance, of_x = np.einsum("rn,rn->r", weighted, y), np.einsum("rn,rn->r", weighted, x)
        of_y = np.einsum("rn,rn->r", np.multiply(counts, y, out=weighted), y)
        return _correlation(covariance, np.where(of_x > 0, of_x, np.nan), np.where(of_y > 0, of_y, np.nan))


class _Ranks:
    """Ranks of values among those drawn, the same for ties, as running sums of counts."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        order = np.argsort(values, kind="stable")
        ascending = values[order]
        self._order = None if np.array_equal(order, np.arange(order.size)) else order
        # Counts before the first and up to the last of each group of ties, as places in the running sum.
        first, last = np.searchsorted(ascending, values, side="left"), np.searchsorted(ascending, values, side="right")
        self._first, self._last = first, last

    def __call__(self, counts: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the rank of each value, from 1, under counts (R, N)."""
        passed = np.zeros((counts.shape[0], counts.shape[1] + 1), dtype=np.int32)
        np.cumsum(counts if self._order is None else counts[:, self._order], axis=1, out=passed[:, 1:])
        ranks = passed[:, self._first] + passed[:, self._last] + 1.0
        ranks /= 2
        return np.asarray(ranks, dtype=np.float64)


def regression_metrics(target: ArrayLike, prediction: ArrayLike) -> dict[str, float]:
    """Measure a predicted number.

    Parameters
    ----------
    target, prediction : array_like, (N,)
        The truth, and what was said about it, in the same unit.

    Returns
    -------
    dict of str to float
        pearson, spearman, r2 (share of the variance explained; below 0 where the mean is the better guess), rmse and mae in the
        unit of the target. NaN where undefined: correlations with a constant, r2 of a constant target, everything without examples.

    Raises
    ------
    ShapeError, InputError
        If the arrays do not fit together or hold anything but finite numbers.

    Examples
    --------
    >>> found = regression_metrics([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0])
    >>> round(found["pearson"], 3), round(found["spearman"], 3), round(found["r2"], 3), found["mae"]
    (0.8, 0.8, 0.6, 0.5)
    """
    counted = CountedRegression(target, prediction)
    once = np.ones((1, np.asarray(target).size), dtype=np.int32)
    return {name: float(values[0]) for name, values in counted.measure(once).items()}


def regression_intervals(
    target: ArrayLike,
    prediction: ArrayLike,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    groups: ArrayLike | None = None,
    metrics: Sequence[str] = METRICS,
) -> dict[str, Interval]:
    """Measure a predicted number, with percentile bootstrap intervals.

    Parameters
    ----------
    target, prediction : array_like, (N,)
        The truth, and what was said about it.
    n_resamples : int, default 1000
        Number of bootstrap resamples.
    seed : int, default 0
        Seed of the resampling.
    level : float, in (0, 1), default 0.95
        Coverage of the interval.
    groups : array_like, (N,), optional
        Labels such as chromosomes or families; whole groups are then drawn.
    metrics : sequence of str, default all
        Which measures to take.

    Returns
    -------
    dict of str to dict
        Per measure ``{"value": ..., "low": ..., "high": ...}``; None where undefined.

    Raises
    ------
    InputError
        If `level`, `n_resamples` or a name in `metrics` is wrong, or a value is not finite.
    DataError
        If `groups` has fewer than 2 groups.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = rng.normal(size=300)
    >>> found = regression_intervals(target, target + rng.normal(size=300))
    >>> found["pearson"]["low"] < found["pearson"]["value"] < found["pearson"]["high"]
    True
    """
    counted = CountedRegression(target, prediction)
    rows = [np.arange(np.asarray(target).size)]
    return resampled(lambda counts: counted.measure(counts, metrics), rows, n_resamples=n_resamples, seed=seed, level=level, groups=groups)


def paired_difference(
    target: ArrayLike, first: ArrayLike, second: ArrayLike, *, metrics: Sequence[str] = METRICS, n_resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Measure by how much one prediction is better correlated, or more in error, than another on the same examples.

    Parameters
    ----------
    target : array_like, (N,)
        The truth.
    first, second : array_like, (N,)
        Two predictions of it.
    metrics : sequence of str, default all
    n_resamples : int, default 1000
    seed : int, default 0

    Returns
    -------
    dict of str to dict
        Per measure ``{"value": first minus second, "low": ..., "high": ...}``, 95 % intervals; None where undefined.
        For rmse and mae a negative difference speaks for the first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = rng.normal(size=300)
    >>> good = target + rng.normal(size=300)
    >>> found = paired_difference(target, good, good + rng.normal(size=300))
    >>> found["pearson"]["low"] > 0 > found["rmse"]["high"]
    True
    """
    one, other = CountedRegression(target, first), CountedRegression(target, second)

    def difference(counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        a, b = one.measure(counts, metrics), other.measure(counts, metrics)
        return {name: a[name] - b[name] for name in metrics}

    return resampled(difference, [np.arange(np.asarray(target).size)], n_resamples=n_resamples, seed=seed)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with mean 0 and spread 1, so that sums of squares lose no digits; zeros where they are constant."""
    if not values.size or values.min() == values.max():
        return np.zeros(values.size)
    # Largest first: squares of the largest float would be infinite.
    shifted = values - values.mean()
    shifted /= np.abs(shifted).max()
    return np.asarray(shifted / shifted.std(), dtype=np.float64)


def _variance(mean_square: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance, NaN where it is nothing but rounding."""
    variance = mean_square - mean**2
    return np.where(variance > _NO_SPREAD * mean_square, variance, np.nan)


def _correlation(covariance: NDArray[np.float64], of_x: NDArray[np.float64], of_y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(covariance / np.sqrt(of_x * of_y), -1.0, 1.0)
