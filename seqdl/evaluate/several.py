"""Measures of several outputs at once: those of each, and their mean, on the same resamples of the same examples."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.evaluate.counted import METRICS as BINARY_METRICS
from seqdl.evaluate.counted import CountedMetrics
from seqdl.evaluate.regression import CountedRegression
from seqdl.evaluate.resampling import Interval, Measure, resampled


@dataclass(frozen=True)
class SeveralIntervals:
    """What was measured of several outputs.

    Attributes
    ----------
    mean : dict of str to Interval
        Measure -> its mean over the outputs for which it is defined.
    each : list of dict
        The same for every output.
    """

    mean: dict[str, Interval]
    each: list[dict[str, Interval]]


def several_intervals(measures: Sequence[Measure], n: int, *, n_resamples: int = 1000, seed: int = 0) -> SeveralIntervals:
    """Measure several outputs of the same examples, with percentile bootstrap intervals over the examples.

    Parameters
    ----------
    measures : sequence of functions
        One an output: from counts int32 (R, N) to a mapping of name to float64 (R,).
    n : int
        Examples N; what is resampled.
    n_resamples : int, default 1000
    seed : int, default 0

    Returns
    -------
    SeveralIntervals

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = rng.integers(0, 2, (300, 2))
    >>> found = several_intervals([binary_measure(target[:, t], rng.random(300) + t * target[:, t]) for t in (0, 1)], 300)
    >>> means = np.mean([one["auroc"]["value"] for one in found.each])
    >>> bool(abs(found.mean["auroc"]["value"] - means) < 1e-12)
    True
    """
    found = resampled(lambda counts: _together([measure(counts) for measure in measures]), [np.arange(n)], n_resamples=n_resamples, seed=seed)
    return _apart(found, len(measures))


def several_difference(
    first: Sequence[Measure], second: Sequence[Measure], n: int, *, names: Sequence[str], n_resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Measure by how much one prediction of several outputs is better than another, in the mean over the outputs.

    Parameters
    ----------
    first, second : sequence of functions
        As for `several_intervals`.
    n : int
        Examples N.
    names : sequence of str
        Measures to compare.
    n_resamples : int, default 1000
    seed : int, default 0

    Returns
    -------
    dict of str to Interval
        First minus second.
    """

    def difference(counts: NDArray[np.int32]) -> Mapping[str, NDArray[np.float64]]:
        one, other = (_together([measure(counts) for measure in side]) for side in (first, second))
        return {name: one[name] - other[name] for name in names}

    return resampled(difference, [np.arange(n)], n_resamples=n_resamples, seed=seed)


def binary_measure(target: ArrayLike, prediction: ArrayLike, names: Sequence[str] = BINARY_METRICS) -> Measure:
    """Return what measures a prediction of yes or no under any weighting of its examples."""
    counted = CountedMetrics(target, prediction)
    return lambda counts: counted.measure(counts[:, counted.positive_rows], counts[:, counted.negative_rows], names)


def number_measure(target: ArrayLike, prediction: ArrayLike) -> Measure:
    """Return what measures a predicted number under any weighting of its examples."""
    return CountedRegression(target, prediction).measure


Maker = Callable[[ArrayLike, ArrayLike], Measure]
"""From targets and predictions (N,) of one output to what measures them."""


def each_output(make: Maker, targets: NDArray[np.floating], predictions: NDArray[np.floating]) -> list[Measure]:
    """Return what measures each column of targets and predictions, (N, T)."""
    return [make(targets[:, t], predictions[:, t]) for t in range(targets.shape[1])]


def _together(found: Sequence[Mapping[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    """Return the mean of every measure under its name, and that of each output under number/name."""
    joined: dict[str, NDArray[np.float64]] = {}
    for name in found[0]:
        values = np.stack([one[name] for one in found])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # no output defines it: NaN
            joined[name] = np.nanmean(values, axis=0)
    for t, one in enumerate(found):
        joined |= {f"{t}/{name}": values for name, values in one.items()}
    return joined


def _apart(found: Mapping[str, Interval], n_outputs: int) -> SeveralIntervals:
    mean = {name: entry for name, entry in found.items() if "/" not in name}
    return SeveralIntervals(mean, [{name: found[f"{t}/{name}"] for name in mean} for t in range(n_outputs)])
