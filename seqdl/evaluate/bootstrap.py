"""Bootstrap intervals: how far a measure could move with another test set of the same kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.evaluate.counted import METRICS, CountedMetrics
from seqdl.evaluate.resampling import Interval, check_groups, check_resampling, chunk_sizes, draw_counts, interval_of

__all__ = ["Interval", "paired_difference", "with_intervals"]


def with_intervals(
    target: ArrayLike,
    prediction: ArrayLike,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    groups: ArrayLike | None = None,
    metrics: Sequence[str] = METRICS,
) -> dict[str, Interval]:
    """Measure a binary prediction, with percentile bootstrap intervals.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Probabilities, or scores of any scale for AUROC and AUPRC.
    n_resamples : int, default 1000
        Number of bootstrap resamples.
    seed : int, default 0
        Seed of the resampling.
    level : float, in (0, 1), default 0.95
        Coverage of the interval.
    groups : array_like, (N,), optional
        Labels such as chromosomes. Whole groups are then drawn, which is honest where examples of a group resemble each other,
        and needs a handful of groups. Without it, positives and negatives are drawn each among themselves.
    metrics : sequence of str, default all
        Which measures to take.

    Returns
    -------
    dict of str to dict
        Per measure ``{"value": ..., "low": ..., "high": ...}``; None where undefined, so it can go into JSON as it is.

    Raises
    ------
    InputError
        If `level`, `n_resamples` or a name in `metrics` is wrong, or the arrays are not binary and finite.
    DataError
        If `groups` has fewer than 2 groups.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = rng.integers(0, 2, 500)
    >>> found = with_intervals(target, rng.random(500) * 0.6 + 0.4 * target, metrics=["auroc"])
    >>> found["auroc"]["low"] < found["auroc"]["value"] < found["auroc"]["high"]
    True
    """
    check_resampling(n_resamples, level)
    counted = CountedMetrics(target, prediction)
    n_positive, n_negative = counted.positive_rows.size, counted.negative_rows.size
    value = counted.measure(np.ones((1, n_positive), dtype=np.int32), np.ones((1, n_negative), dtype=np.int32), metrics)
    if n_positive + n_negative == 0:
        return {name: interval_of(np.nan, np.full(1, np.nan), level) for name in metrics}
    rng = np.random.default_rng(seed)
    draws = _draw_groups(counted, np.asarray(groups), n_resamples, rng=rng) if groups is not None else _draw(counted, n_resamples, rng)
    parts = [counted.measure(positive, negative, metrics) for positive, negative in draws]
    return {name: interval_of(float(value[name][0]), np.concatenate([part[name] for part in parts]), level) for name in metrics}


def paired_difference(
    target: ArrayLike, first: ArrayLike, second: ArrayLike, *, metrics: Sequence[str] = ("auroc", "auprc"), n_resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Measure by how much one prediction is better than another on the same examples.

    Both are measured on the same resamples, so that what makes a resample easy or hard for both cancels out: the interval
    is narrower than two separate ones suggest.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    first, second : array_like, (N,)
        Two predictions of it, on any scales where the metrics are AUROC and AUPRC.
    metrics : sequence of str, default auroc and auprc
    n_resamples : int, default 1000
    seed : int, default 0

    Returns
    -------
    dict of str to dict
        Per measure ``{"value": first minus second, "low": ..., "high": ...}``, 95 % intervals; None where undefined.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = rng.integers(0, 2, 500)
    >>> good = rng.random(500) + target
    >>> found = paired_difference(target, good, good + rng.normal(size=500))
    >>> found["auroc"]["low"] > 0
    True
    """
    counted = CountedMetrics(target, first), CountedMetrics(target, second)
    sides = [(one.positive_rows, one.negative_rows) for one in counted]
    n = len(np.asarray(target))
    rng = np.random.default_rng(seed)
    rows = np.sort(sides[0][0]), np.sort(sides[0][1])
    parts: list[dict[str, NDArray[np.float64]]] = []
    for size in chunk_sizes(n_resamples, n):
        counts = np.zeros((size, n), dtype=np.int32)
        for side in rows:
            counts[:, side] = draw_counts(size, side.size, rng)
        a, b = (one.measure(counts[:, positive], counts[:, negative], metrics) for one, (positive, negative) in zip(counted, sides, strict=True))
        parts.append({name: a[name] - b[name] for name in metrics})
    once = np.ones((1, n), dtype=np.int32)
    values = [one.measure(once[:, positive], once[:, negative], metrics) for one, (positive, negative) in zip(counted, sides, strict=True)]
    return {
        name: interval_of(float(values[0][name][0] - values[1][name][0]), np.concatenate([part[name] for part in parts]), 0.95) for name in metrics
    }


def _draw(counted: CountedMetrics, n_resamples: int, rng: np.random.Generator) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Draw examples with replacement, each class among itself; yield counts (R, P) and (R, Q)."""
    n_positive, n_negative = counted.positive_rows.size, counted.negative_rows.size
    for size in chunk_sizes(n_resamples, n_positive + n_negative):
        yield draw_counts(size, n_positive, rng), draw_counts(size, n_negative, rng)


def _draw_groups(
    counted: CountedMetrics, groups: NDArray[Any], n_resamples: int, *, rng: np.random.Generator
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Draw whole groups with replacement; yield how often each example then counts."""
    n_examples = counted.positive_rows.size + counted.negative_rows.size
    n_groups, member = check_groups(groups, n_examples)
    for size in chunk_sizes(n_resamples, n_examples):
        drawn = draw_counts(size, n_groups, rng)
        yield drawn[:, member[counted.positive_rows]], drawn[:, member[counted.negative_rows]]
