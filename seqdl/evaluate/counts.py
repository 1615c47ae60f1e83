"""Measures of predicted counts: correlations of their logarithms and ranks, and the deviance explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from seqdl.errors import InputError
from seqdl.evaluate.regression import CountedRegression, check_numbers
from seqdl.evaluate.resampling import Interval, resampled

METRICS = ("log_pearson", "spearman", "deviance_explained", "pearson")
"""The names of the measures, in the order in which they are shown."""
_LEAST_RATE = 1e-6  # of the mean count: a rate of 0 would have an infinite deviance


class CountedCounts:
    """Measure one prediction of counts under any number of weightings of its examples.

    Parameters
    ----------
    target, prediction : array_like, (N,)
        Counts, and the counts that were expected.

    Raises
    ------
    ShapeError, InputError
        If the two do not fit, are not finite, or a count is negative.
    """

    def __init__(self, target: ArrayLike, prediction: ArrayLike) -> None:
        counts, rate = check_numbers(target, prediction)
        if counts.size and counts.min() < 0:
            raise InputError(f"a target is {counts.min():g}: counts of 0 or more were expected. Measure other numbers as numbers.")
        self._logs = CountedRegression(np.log1p(counts), np.log1p(np.maximum(rate, 0.0)))
        self._plain = CountedRegression(counts, rate)
        floor = max(float(counts.mean()) if counts.size else 1.0, 1e-12) * _LEAST_RATE
        rate = np.maximum(rate, floor)
        own = xlogy(counts, counts)
        self._sums = np.stack([np.ones(counts.size), counts, own, own - xlogy(counts, rate) - counts + rate], axis=1)

    def measure(self, counts: NDArray[np.int32], names: Sequence[str] = METRICS) -> dict[str, NDArray[np.float64]]:
        """Measure R weightings.

        Parameters
        ----------
        counts : int32, (R, N)
            How often each example counts.
        names : sequence of str

        Returns
        -------
        dict of str to float64 (R,)
            log_pearson, the correlation of log(1 + count); spearman; pearson, that of the counts; deviance_explained, the share
            of Poisson's deviance from the mean that the prediction takes away. NaN where undefined.
        """
        logs = self._logs.measure(counts, ("pearson", "spearman"))
        found = {"log_pearson": logs["pearson"], "spearman": logs["spearman"], "pearson": self._plain.measure(counts, ("pearson",))["pearson"]}
        n, total, own, deviance = (counts.astype(np.float64) @ self._sums).T
        with np.errstate(divide="ignore", invalid="ignore"):
            from_mean = own - xlogy(total, total / n)
            found["deviance_explained"] = np.where(from_mean > 0, 1 - deviance / from_mean, np.nan)
        return {name: found[name] for name in names}


def count_intervals(target: ArrayLike, prediction: ArrayLike, *, n_resamples: int = 1000, seed: int = 0) -> dict[str, Interval]:
    """Measure predicted counts, with percentile bootstrap intervals.

    Parameters
    ----------
    target, prediction : array_like, (N,)
    n_resamples : int, default 1000
    seed : int, default 0

    Returns
    -------
    dict of str to dict
        Per measure ``{"value": ..., "low": ..., "high": ...}``; None where undefined.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rate = rng.gamma(2.0, 5.0, 400)
    >>> found = count_intervals(rng.poisson(rate), rate)
    >>> found["deviance_explained"]["value"] > 0.5
    True
    """
    counted = CountedCounts(target, prediction)
    return resampled(counted.measure, [np.arange(np.asarray(target).size)], n_resamples=n_resamples, seed=seed)


def count_difference(
    target: ArrayLike, first: ArrayLike, second: ArrayLike, *, metrics: Sequence[str] = METRICS, n_resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Measure by how much one prediction of counts is better than another, on the same resamples."""
    one, other = CountedCounts(target, first), CountedCounts(target, second)

    def difference(counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        a, b = one.measure(counts, metrics), other.measure(counts, metrics)
        return {name: a[name] - b[name] for name in metrics}

    return resampled(difference, [np.arange(np.asarray(target).size)], n_resamples=n_resamples, seed=seed)
