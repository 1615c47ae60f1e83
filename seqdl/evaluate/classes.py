"""Measures of a choice among several classes: accuracies, one against rest, the confusion matrix; with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError, ShapeError, listing
from seqdl.evaluate.counted import CountedMetrics
from seqdl.evaluate.metrics import auroc
from seqdl.evaluate.resampling import Interval, resampled

METRICS = ("accuracy", "balanced_accuracy", "macro_auroc", "macro_f1", "log_loss", "mcc")
"""The names of the measures, in the order in which they are shown."""
_SMALLEST = float(np.finfo(np.float64).eps)  # probabilities are clipped here before the logarithm, as scikit-learn does
_SUM_TOLERANCE = 1e-3  # single precision and nine written digits stay well within


def check_classes(target: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Check classes and their probabilities once, at the door.

    Parameters
    ----------
    target : array_like, (N,)
        The number of the true class, 0 to K - 1.
    probabilities : array_like, (N, K)
        A score for each class.

    Returns
    -------
    tuple of int64 (N,) and float64 (N, K)

    Raises
    ------
    ShapeError
        If the two do not fit together, or there is a single class.
    InputError
        If a target is no class, or a probability is not finite.
    """
    truth, scores = np.asarray(target), np.asarray(probabilities, dtype=np.float64)
    if truth.ndim != 1 or scores.ndim != 2 or scores.shape[0] != truth.size or scores.shape[1] < 2:
        raise ShapeError(
            f"target has shape {truth.shape} and probabilities {scores.shape}; (N,) and (N, K) with two classes or more are expected. "
            "Pass a column a class."
        )
    truth = check_class_numbers(truth, scores.shape[1], "target")
    strange = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if strange.size:
        raise InputError(
            f"{strange.size} of {truth.size} rows of probabilities are not finite (first: row {strange[0]}); numbers are expected. "
            "Check the training for divergence."
        )
    return truth, scores


def check_class_numbers(values: ArrayLike, n_classes: int, what: str) -> NDArray[np.int64]:
    """Return numbers of classes (N,) as int64, or raise `InputError` where one is none of 0 to `n_classes` - 1."""
    given = np.asarray(values)
    strange = ~np.isin(given, np.arange(n_classes))
    if strange.any():
        first = int(np.flatnonzero(strange)[0])
        raise InputError(
            f"{what} holds {listing(np.unique(given[strange]), limit=3)} (first in row {first}); with {n_classes} classes, "
            f"0 to {n_classes - 1} are expected. Number the classes from 0."
        )
    return given.astype(np.int64)


class CountedClasses:
    """Measure one prediction under any number of weightings of its examples.

    Parameters
    ----------
    target : array_like, (N,)
        The number of the true class, 0 to K - 1.
    probabilities : array_like, (N, K)
        A score for each class; log_loss needs probabilities, and is NaN where rows do not sum to 1.
    """

    def __init__(self, target: ArrayLike, probabilities: ArrayLike) -> None:
        from scipy.sparse import csr_matrix

        truth, scores = check_classes(target, probabilities)
        n, self._k = scores.shape
        cell = truth * self._k + scores.argmax(axis=1)
        self._cells = csr_matrix((np.ones(n), (cell, np.arange(n))), shape=(self._k**2, n))
        is_probability = n > 0 and scores.min() >= 0 and bool((np.abs(scores.sum(axis=1) - 1) <= _SUM_TOLERANCE).all())
        self._losses = -np.log(np.clip(scores[np.arange(n), truth], _SMALLEST, 1.0)) if is_probability else np.full(n, np.nan)
        self._one_against_rest = [CountedMetrics(truth == k, scores[:, k]) for k in range(self._k)]

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
            NaN where a measure is undefined.
        """
        unknown = sorted(set(names) - set(METRICS))
        if unknown:
            raise InputError(f"no measure named {listing(unknown)}. Available: {listing(METRICS)}.")
        weights = counts.astype(np.float64)
        table = np.asarray(self._cells @ weights.T).T.reshape(-1, self._k, self._k)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = _of_confusion(table)
            found["log_loss"] = weights @ self._losses / weights.sum(axis=1)
            if "macro_auroc" in names:
                areas = [one.measure(counts[:, one.positive_rows], counts[:, one.negative_rows], ("auroc",)) for one in self._one_against_rest]
                found["macro_auroc"] = _mean_of_defined(np.stack([area["auroc"] for area in areas], axis=1))
        return {name: found[name] for name in names}


def _of_confusion(table: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return what follows from confusion matrices (R, K, K) alone."""
    n, right = table.sum(axis=(1, 2)), np.trace(table, axis1=1, axis2=2)
    of_truth, of_calls = table.sum(axis=2), table.sum(axis=1)
    hits = np.diagonal(table, axis1=1, axis2=2)
    covariance = right * n - (of_truth * of_calls).sum(axis=1)
    spread = (n**2 - (of_calls**2).sum(axis=1)) * (n**2 - (of_truth**2).sum(axis=1))
    return {
        "accuracy": right / n,
        "balanced_accuracy": _mean_of_defined(hits / of_truth),
        "macro_f1": _mean_of_defined(2 * hits / (of_truth + of_calls)),
        "mcc": covariance / np.sqrt(spread),
    }


def _mean_of_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over classes (R, K) for which a value is defined; NaN where there is none."""
    defined = np.isfinite(values)
    return np.asarray(np.where(defined, values, 0).sum(axis=1) / defined.sum(axis=1), dtype=np.float64)


def class_metrics(target: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """Measure a choice among classes; the most probable one is the call.

    Parameters
    ----------
    target : array_like, (N,)
        The number of the true class, 0 to K - 1.
    probabilities : array_like, (N, K)
        The probability of each class.

    Returns
    -------
    dict of str to float
        accuracy; balanced_accuracy (mean recall), macro_auroc (each class against the rest) and macro_f1, over the classes for which
        they are defined; log_loss (nats); mcc of the whole table. NaN where undefined.

    Raises
    ------
    ShapeError, InputError
        If the arrays do not fit together, a target is no class, or a probability is not finite.

    References
    ----------
    Gorodkin (2004), Computational Biology and Chemistry 28, 367-374 (mcc of more than two classes).

    Examples
    --------
    >>> found = class_metrics([0, 1, 2, 2], [[0.8, 0.1, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6], [0.5, 0.2, 0.3]])
    >>> found["accuracy"], round(found["balanced_accuracy"], 3)
    (0.75, 0.833)
    """
    counted = CountedClasses(target, probabilities)
    once = np.ones((1, np.asarray(target).size), dtype=np.int32)
    return {name: float(values[0]) for name, values in counted.measure(once).items()}


def class_intervals(
    target: ArrayLike,
    probabilities: ArrayLike,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    groups: ArrayLike | None = None,
    metrics: Sequence[str] = METRICS,
) -> dict[str, Interval]:
    """Measure a choice among classes, with percentile bootstrap intervals; each class is drawn among itself.

    Parameters
    ----------
    target : array_like, (N,)
        The number of the true class, 0 to K - 1.
    probabilities : array_like, (N, K)
        The probability of each class.
    n_resamples : int, default 1000
        Number of bootstrap resamples.
    seed : int, default 0
        Seed of the resampling.
    level : float, in (0, 1), default 0.95
        Coverage of the interval.
    groups : array_like, (N,), optional
        Labels such as chromosomes; whole groups are then drawn.
    metrics : sequence of str, default all
        Which measures to take.

    Returns
    -------
    dict of str to dict
        Per measure ``{"value": ..., "low": ..., "high": ...}``; None where undefined.

    Raises
    ------
    InputError
        If `level`, `n_resamples` or a name in `metrics` is wrong, or the arrays are not what `class_metrics` takes.
    DataError
        If `groups` has fewer than 2 groups.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = rng.integers(0, 3, 300)
    >>> weight = rng.random((300, 3)) + 0.4 * np.eye(3)[target]
    >>> found = class_intervals(target, weight / weight.sum(1, keepdims=True))
    >>> found["accuracy"]["low"] < found["accuracy"]["value"] < found["accuracy"]["high"]
    True
    """
    counted = CountedClasses(target, probabilities)
    return resampled(lambda counts: counted.measure(counts, metrics), _strata(target), n_resamples=n_resamples, seed=seed, level=level, groups=groups)


def paired_difference(
    target: ArrayLike, first: ArrayLike, second: ArrayLike, *, metrics: Sequence[str] = METRICS, n_resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Measure by how much one prediction of classes differs from another on the same examples.

    Parameters
    ----------
    target : array_like, (N,)
        The number of the true class, 0 to K - 1.
    first, second : array_like, (N, K)
        Two predictions of it.
    metrics : sequence of str, default all
    n_resamples : int, default 1000
    seed : int, default 0

    Returns
    -------
    dict of str to dict
        Per measure ``{"value": first minus second, "low": ..., "high": ...}``, 95 % intervals; None where undefined.
        For log_loss a negative difference speaks for the first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = rng.integers(0, 3, 300)
    >>> good = rng.random((300, 3)) + np.eye(3)[target]
    >>> paired_difference(target, good, rng.random((300, 3)), metrics=["accuracy"])["accuracy"]["low"] > 0
    True
    """
    one, other = CountedClasses(target, first), CountedClasses(target, second)

    def difference(counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        a, b = one.measure(counts, metrics), other.measure(counts, metrics)
        return {name: a[name] - b[name] for name in metrics}

    return resampled(difference, _strata(target), n_resamples=n_resamples, seed=seed)


def confusion_matrix(target: ArrayLike, predicted: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Count how often each class is called each class.

    Parameters
    ----------
    target, predicted : array_like, (N,)
        The numbers of the true and of the called class, 0 to K - 1.
    n_classes : int
        K.

    Returns
    -------
    int64, (K, K)
        A row for each true class, a column for each call.

    Raises
    ------
    ShapeError, InputError
        If the two are not equally long, or hold a number that is no class.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2], 3).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    """
    truth, calls = np.asarray(target), np.asarray(predicted)
    if truth.ndim != 1 or truth.shape != calls.shape:
        raise ShapeError(f"target has shape {truth.shape} and predicted {calls.shape}; both should be (N,). Pass the number of a class an example.")
    truth, calls = check_class_numbers(truth, n_classes, "target"), check_class_numbers(calls, n_classes, "predicted")
    return np.bincount(truth * n_classes + calls, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64)


def per_class(target: ArrayLike, probabilities: ArrayLike, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Measure each class against the rest.

    Parameters
    ----------
    target : array_like, (N,)
        The number of the true class, 0 to K - 1.
    probabilities : array_like, (N, K)
        The probability of each class; the most probable one is the call.
    names : sequence of str, (K,), optional
        Names of the classes.

    Returns
    -------
    list of dict
        A row a class, ready for JSON: name (where `names` are given), n (its examples), recall (sensitivity), precision and
        auroc; None where undefined.

    Raises
    ------
    ShapeError, InputError
        If the arrays do not fit together, or there is not a name a class.

    Examples
    --------
    >>> per_class([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]], ["donor", "acceptor"])[0]
    {'name': 'donor', 'n': 2, 'recall': 0.5, 'precision': 1.0, 'auroc': 1.0}
    """
    truth, scores = check_classes(target, probabilities)
    k = scores.shape[1]
    if names is not None and len(names) != k:
        raise InputError(f"there are {len(names)} names for {k} classes; a name a column is expected. Pass the task's outputs.")
    table = confusion_matrix(truth, scores.argmax(axis=1), k)
    rows = []
    for i in range(k):
        area = auroc(truth == i, scores[:, i])
        rows.append(
            {
                **({"name": str(names[i])} if names is not None else {}),
                "n": int(table[i].sum()),
                "recall": _share(table[i, i], table[i].sum()),
                "precision": _share(table[i, i], table[:, i].sum()),
                "auroc": float(area) if np.isfinite(area) else None,
            }
        )
    return rows


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _strata(target: ArrayLike) -> list[NDArray[np.int64]]:
    truth = np.asarray(target)
    return [np.flatnonzero(truth == value) for value in np.unique(truth)]
