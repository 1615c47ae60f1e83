"""Resampling for any measure: how often each example counts, and the interval of what is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import DataError, InputError, ShapeError

Interval: TypeAlias = dict[str, float | None]
"""The keys value, low and high; None where the measure is undefined."""
Measure: TypeAlias = Callable[[NDArray[np.int32]], Mapping[str, NDArray[np.float64]]]
"""From counts (R, N), how often each example counts, to values (R,) by name; NaN where undefined."""
_CHUNK = 2_000_000  # counts held at once: 16 MB, so that a resample stays near the processor
_MIN_DEFINED = 0.5  # an interval is given where at least this share of the resamples defines the measure


def resampled(
    measure: Measure,
    strata: Sequence[NDArray[np.int64]],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    groups: ArrayLike | None = None,
) -> dict[str, Interval]:
    """Return what is measured, with percentile bootstrap intervals.

    Parameters
    ----------
    measure : function
        From counts int32 (R, N) to a mapping of name to float64 (R,).
    strata : sequence of int64 (n,)
        Rows that are drawn among themselves, such as those of one class; together they are all N rows.
    n_resamples : int, default 1000
        Number of bootstrap resamples.
    seed : int, default 0
        Seed of the resampling.
    level : float, in (0, 1), default 0.95
        Coverage of the interval.
    groups : array_like, (N,), optional
        Labels; whole groups are then drawn, and strata play no part.

    Returns
    -------
    dict of str to dict
        Per measure ``{"value": ..., "low": ..., "high": ...}``; None where undefined.

    Raises
    ------
    InputError
        If `level` or `n_resamples` is wrong.
    DataError
        If `groups` has fewer than 2 groups.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> found = resampled(lambda counts: {"mean": counts @ values / counts.sum(1)}, [np.arange(100)])
    >>> found["mean"]["low"] < found["mean"]["value"] == 49.5 < found["mean"]["high"]
    True
    """
    check_resampling(n_resamples, level)
    n = sum(rows.size for rows in strata)
    value = measure(np.ones((1, n), dtype=np.int32))
    if n == 0:
        return {name: interval_of(np.nan, np.full(1, np.nan), level) for name in value}
    parts = [measure(counts) for counts in _draws(strata, groups, n_resamples=n_resamples, rng=np.random.default_rng(seed))]
    return {name: interval_of(float(value[name][0]), np.concatenate([part[name] for part in parts]), level) for name in value}


def _draws(
    strata: Sequence[NDArray[np.int64]], groups: ArrayLike | None, *, n_resamples: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int32]]:
    n = sum(rows.size for rows in strata)
    n_groups, member = check_groups(np.asarray(groups), n) if groups is not None else (0, np.empty(0, dtype=np.int64))
    for size in chunk_sizes(n_resamples, n):
        if groups is not None:
            yield draw_counts(size, n_groups, rng)[:, member]
        elif len(strata) == 1:
            yield draw_counts(size, n, rng)
        else:
            counts = np.zeros((size, n), dtype=np.int32)
            for rows in strata:
                counts[:, rows] = draw_counts(size, rows.size, rng)
            yield counts


def check_resampling(n_resamples: int, level: float) -> None:
    """Raise `InputError` for a level or a number of resamples that makes no sense."""
    if not 0 < level < 1:
        raise InputError(f"level is {level}; it should lie between 0 and 1. The usual level is 0.95.")
    if n_resamples < 1:
        raise InputError(f"n_resamples is {n_resamples}; at least 1 is needed. The usual number is 1000.")


def check_groups(groups: NDArray[Any], n_examples: int) -> tuple[int, NDArray[np.int64]]:
    """Return the number of groups and the group of each example, (N,); raise where there is nothing to draw."""
    if groups.shape != (n_examples,):
        raise ShapeError(f"groups has shape {groups.shape}; one label for each of the {n_examples} examples is needed. Pass a column such as chrom.")
    labels, member = np.unique(groups, return_inverse=True)
    if labels.size < 2:
        raise DataError(f"groups holds {labels.size} group; drawing groups needs at least 2. Leave groups out to draw single examples.")
    return labels.size, np.asarray(member, dtype=np.int64)


def chunk_sizes(n_resamples: int, n_examples: int) -> list[int]:
    """Return how many resamples are held at once, chunk by chunk."""
    size = max(1, min(n_resamples, _CHUNK // max(1, n_examples)))
    return [min(size, n_resamples - start) for start in range(0, n_resamples, size)]


def draw_counts(n_resamples: int, n: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Count how often each of n things is drawn when n are drawn with replacement, (R, n)."""
    if n == 0:
        return np.zeros((n_resamples, 0), dtype=np.int32)
    drawn = rng.integers(0, n, size=(n_resamples, n), dtype=np.int64)
    drawn += np.arange(n_resamples)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=n_resamples * n).astype(np.int32).reshape(n_resamples, n)


def interval_of(value: float, resampled_values: NDArray[np.float64], level: float) -> Interval:
    """Return the percentile interval of a measure; None where the measure is undefined."""
    defined = resampled_values[np.isfinite(resampled_values)]
    if not np.isfinite(value):
        return {"value": None, "low": None, "high": None}
    if defined.size < _MIN_DEFINED * resampled_values.size:
        return {"value": value, "low": None, "high": None}
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    # A measure that resampling biases, as it does the calibration error, can lie outside its own interval: that is widened to hold it.
    return {"value": value, "low": min(float(low), value), "high": max(float(high), value)}
