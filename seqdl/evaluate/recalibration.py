"""Maps that bring the logits of a network to calibrated ones, fitted on examples it was not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError
from seqdl.evaluate.calibration import expected_calibration_error
from seqdl.evaluate.counted import check_binary

LARGEST_LOG_SCALE = 5.0
FLAT = 0.01
"""Slope of the isotonic map where isotonic regression itself is level."""


def temperature(logits: ArrayLike, target: ArrayLike) -> float:
    """Return the scale that makes logits calibrated, the ranking and the most probable class staying as they are.

    Parameters
    ----------
    logits : array_like, (N,) or (N, K)
        Log-odds of yes, or the logits of K classes.
    target : array_like, (N,)
        The truth: 0 or 1, or the number of the class.

    Returns
    -------
    float
        One over the temperature [1]_: the positive number of least cross-entropy when logits are multiplied by it.

    References
    ----------
    .. [1] Guo et al., On calibration of modern neural networks, ICML (2017).

    Examples
    --------
    >>> logits = np.tile([4.0, 4.0, 4.0, -4.0, -4.0, -4.0], 10)
    >>> round(4 * temperature(logits, np.tile([1, 1, 0, 0, 0, 1], 10)), 3)            # two in three are right: log-odds of ln 2
    0.693
    """
    from scipy.optimize import minimize_scalar

    scores, truth = _classes(logits, target)
    if len(np.unique(truth)) < 2:
        return 1.0
    found = minimize_scalar(
        lambda log_scale: _cross_entropy(np.exp(log_scale) * scores, truth), bounds=(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE), method="bounded"
    )
    return float(np.exp(found.x))


def class_line(logits: ArrayLike, target: ArrayLike) -> tuple[float, NDArray[np.float64]]:
    """Return a scale for all classes and a shift for each (K,), which bring the logits of classes to calibrated ones.

    Parameters
    ----------
    logits : array_like, (N, K)
    target : array_like, (N,)
        The numbers of the classes.

    Returns
    -------
    scale : float
    shift : array, (K,)
        Of mean 0. (1, 0) where a class is missing, since its shift could not be told.

    Examples
    --------
    >>> scale, shift = class_line(np.zeros((4, 2)) + [0.001, 0], [0, 0, 0, 1])
    >>> round(float(shift[0] - shift[1]) + 0.001 * scale, 3)                          # ln 3
    1.099
    """
    from scipy.optimize import minimize

    scores, truth = _classes(logits, target)
    n_classes = scores.shape[1]
    if len(np.unique(truth)) < n_classes:
        return 1.0, np.zeros(n_classes)
    hits = np.eye(n_classes)[truth]

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scale = np.exp(values[0])
        moved = scale * scores + values[1:]
        gap = (_softmax(moved) - hits) / len(truth)
        return _cross_entropy(moved, truth), np.r_[scale * (gap * scores).sum(), gap.sum(0)]

    bounds = [(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE), *[(-30.0, 30.0)] * n_classes]
    found = minimize(loss, np.zeros(n_classes + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(np.exp(found[0])), found[1:] - found[1:].mean()


def isotonic_knots(logits: ArrayLike, target: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the knots of a rising map from logits to calibrated log-odds: isotonic regression [1]_.

    Parameters
    ----------
    logits : array_like, (N,)
    target : array_like, (N,)
        The truth, 0 or 1.

    Returns
    -------
    x, y : array, (M,)
        The ends of each stretch of examples that gets one probability, and its log-odds. Within a stretch they rise by a hundredth of what
        the logits do, so that the ranking stays; k positives among n make (k + 1/2) / (n + 1), so that no probability is 0 or 1.

    References
    ----------
    .. [1] Zadrozny & Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD (2002).

    Examples
    --------
    >>> x, y = isotonic_knots([-2, -2, -2, 1, 1, 1], [0, 0, 1, 1, 1, 0])
    >>> x.tolist(), y.round(3).tolist()
    ([-2.0, 1.0], [-0.511, 0.511])
    """
    from sklearn.isotonic import IsotonicRegression

    regression: Any = IsotonicRegression  # untyped
    truth, scores = check_binary(target, logits)
    order = np.argsort(scores, kind="stable")
    ranked, hits = scores[order], truth[order].astype(np.float64)
    stretch = np.unique(regression().fit_transform(ranked, hits), return_inverse=True)[1]
    n = np.bincount(stretch)
    share = regression().fit_transform(np.arange(len(n)), (np.bincount(stretch, hits) + 0.5) / (n + 1), sample_weight=n)
    last = np.cumsum(n) - 1
    first, middle = last - n + 1, np.bincount(stretch, ranked) / n
    x = np.stack([ranked[first], ranked[last]], axis=1)
    y = (np.log(share) - np.log1p(-share))[:, None] + FLAT * (x - middle[:, None])
    return _rising(x.ravel(), y.ravel())


def _rising(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points whose x rises, with y lifted to where it rises too."""
    kept = np.r_[True, np.diff(x) > 0]
    x, y = x[kept], y[kept]
    for k in range(1, len(y)):
        y[k] = max(y[k], y[k - 1] + FLAT * (x[k] - x[k - 1]))
    return x, y


def classes_calibration_error(target: ArrayLike, probabilities: ArrayLike, *, bins: int = 10) -> float:
    """Return the calibration error of the class that is predicted: how often it is right, against its probability.

    Parameters
    ----------
    target : array_like, (N,)
        The numbers of the classes.
    probabilities : array_like, (N, K)
    bins : int, default 10

    Examples
    --------
    >>> round(classes_calibration_error([0, 0, 1, 0], [[0.75, 0.25]] * 4), 3)
    0.0
    """
    table = np.asarray(probabilities, dtype=np.float64)
    right = (table.argmax(axis=1) == np.asarray(target)).astype(np.float64)
    return expected_calibration_error(right, np.clip(table.max(axis=1), 0, 1), bins=bins)


def _classes(logits: ArrayLike, target: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return logits (N, K) and numbers of classes; log-odds (N,) become those of two classes."""
    scores, truth = np.asarray(logits, dtype=np.float64), np.asarray(target)
    if scores.ndim == 1:
        scores = np.stack([np.zeros_like(scores), scores], axis=1)
    if len(scores) != len(truth) or not np.isfinite(scores).all():
        raise InputError(
            f"{len(scores):,} logits for {len(truth):,} targets, {int((~np.isfinite(scores)).sum()):,} of them not finite: a finite one each was "
            "expected. Check the predictions."
        )
    return scores, truth.astype(np.intp)


def _cross_entropy(scores: NDArray[np.float64], truth: NDArray[np.intp]) -> float:
    top = scores.max(axis=1)
    return float((top + np.log(np.exp(scores - top[:, None]).sum(axis=1)) - scores[np.arange(len(truth)), truth]).mean())


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
