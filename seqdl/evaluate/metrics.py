"""Measures of a binary prediction: AUROC, AUPRC and company, NaN where undefined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.evaluate.counted import CountedMetrics, check_binary

__all__ = ["PrecisionRecallCurve", "RocCurve", "auprc", "auroc", "binary_metrics", "precision_recall_curve", "roc_curve"]


def binary_metrics(target: ArrayLike, prediction: ArrayLike) -> dict[str, float]:
    """Measure a binary prediction.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Probabilities. For scores outside 0..1 only AUROC and AUPRC are defined.

    Returns
    -------
    dict of str to float
        auroc, auprc (average precision), accuracy, mcc and f1 at the threshold .5, brier, log_loss (nats), ece (10 bins).
        NaN where undefined: auroc, auprc and mcc with one class, everything without examples.

    Raises
    ------
    ShapeError, InputError
        If the arrays do not fit together or hold anything but 0, 1 and finite numbers.

    Examples
    --------
    >>> found = binary_metrics([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    >>> found["auroc"], found["accuracy"]
    (0.75, 0.5)
    """
    counted = CountedMetrics(target, prediction)
    once = np.ones((1, counted.positive_rows.size), dtype=np.int32), np.ones((1, counted.negative_rows.size), dtype=np.int32)
    return {name: float(values[0]) for name, values in counted.measure(*once).items()}


def auroc(target: ArrayLike, prediction: ArrayLike) -> float:
    """Return the area under the ROC curve, by ranks: P(score of a positive > score of a negative), ties one half.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Scores of any scale.

    Returns
    -------
    float
        0 to 1; NaN with one class.

    References
    ----------
    Hanley and McNeil (1982), Radiology 143, 29-36.

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [1.0, 2.0, 2.0, 3.0])
    0.875
    """
    return _ranked(target, prediction, "auroc")


def auprc(target: ArrayLike, prediction: ArrayLike) -> float:
    """Return the average precision, the area under the precision-recall curve without interpolation.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Scores of any scale.

    Returns
    -------
    float
        0 to 1, by chance the share of positives; NaN with one class.

    Examples
    --------
    >>> round(auprc([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9]), 4)
    0.8333
    """
    return _ranked(target, prediction, "auprc")


def _ranked(target: ArrayLike, prediction: ArrayLike, name: str) -> float:
    counted = CountedMetrics(target, prediction)
    once = np.ones((1, counted.positive_rows.size), dtype=np.int32), np.ones((1, counted.negative_rows.size), dtype=np.int32)
    return float(counted.measure(*once, names=(name,))[name][0])


@dataclass(frozen=True, eq=False)
class RocCurve:
    """The corners of a ROC curve, from (0, 0) to (1, 1).

    Attributes
    ----------
    false_positive_rate, true_positive_rate : float64, (K,)
        The corners; points on a straight line between two others are left out.
    threshold : float64, (K,)
        Called positive: scores of at least this; the first is infinite.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    threshold: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurve:
    """Precision and recall at every distinct score, from recall 0 upwards.

    Attributes
    ----------
    recall, precision : float64, (K,)
        The first point is recall 0 at the precision of the highest score.
    threshold : float64, (K,)
        Called positive: scores of at least this; the first is infinite.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    threshold: NDArray[np.float64]


def roc_curve(target: ArrayLike, prediction: ArrayLike) -> RocCurve:
    """Return the ROC curve.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Scores of any scale.

    Returns
    -------
    RocCurve
        Rates are NaN where there is one class only.

    Examples
    --------
    >>> curve = roc_curve([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    >>> curve.true_positive_rate.tolist(), curve.false_positive_rate.tolist()
    ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    hits, alarms, threshold = _cumulated(target, prediction)
    corner = np.ones(hits.size, dtype=bool)
    up, right = np.diff(hits), np.diff(alarms)
    corner[1:-1] = up[:-1] * right[1:] != up[1:] * right[:-1]  # the direction changes
    with np.errstate(invalid="ignore"):
        return RocCurve((alarms / alarms[-1])[corner], (hits / hits[-1])[corner], threshold[corner])


def precision_recall_curve(target: ArrayLike, prediction: ArrayLike) -> PrecisionRecallCurve:
    """Return the precision-recall curve.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Scores of any scale.

    Returns
    -------
    PrecisionRecallCurve
        Points after the last positive are left out: recall is 1 from there on.

    Examples
    --------
    >>> curve = precision_recall_curve([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9])
    >>> curve.recall.tolist(), curve.precision.round(2).tolist()
    ([0.0, 0.5, 0.5, 1.0], [1.0, 1.0, 0.5, 0.67])
    """
    hits, alarms, threshold = _cumulated(target, prediction)
    end = int(np.argmax(hits == hits[-1])) + 1 if hits[-1] > 0 else hits.size
    hits, alarms, threshold = hits[:end], alarms[:end], threshold[:end]
    with np.errstate(invalid="ignore"):
        precision = hits / (hits + alarms)
        recall = hits / hits[-1]
    if precision.size > 1:
        precision[0] = precision[1]
    return PrecisionRecallCurve(recall, precision, threshold)


def _cumulated(target: ArrayLike, prediction: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return true positives, false positives and score after each group of tied scores, from the highest, with a leading zero."""
    truth, score = check_binary(target, prediction)
    order = np.argsort(-score, kind="stable")
    truth, score = truth[order], score[order]
    ends = np.append(np.flatnonzero(np.diff(score)), score.size - 1) if score.size else np.empty(0, dtype=np.int64)
    hits = np.cumsum(truth, dtype=np.float64)[ends]
    start = np.zeros(1)
    return np.concatenate([start, hits]), np.concatenate([start, ends + 1 - hits]), np.concatenate([start + np.inf, score[ends]])
