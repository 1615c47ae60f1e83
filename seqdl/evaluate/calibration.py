"""Calibration: whether examples predicted at 0.8 are positive in 8 cases of 10."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError
from seqdl.evaluate.baseline import LogisticCurve
from seqdl.evaluate.counted import bin_of, check_binary


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability diagram: predicted beside observed, in equally wide bins.

    Attributes
    ----------
    edges : float64, (K + 1,)
        The edges of the K bins.
    prediction : float64, (K,)
        Mean predicted probability in the bin; NaN where the bin is empty.
    observed : float64, (K,)
        Share of positives in the bin; NaN where the bin is empty.
    low, high : float64, (K,)
        Wilson 95 % interval of `observed`.
    n : int64, (K,)
        Number of examples in the bin.
    """

    edges: NDArray[np.float64]
    prediction: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance of predicted and observed, weighted by the number of examples; NaN without examples."""
        if not self.n.sum():
            return float("nan")
        used = self.n > 0
        return float(np.sum(self.n[used] * np.abs(self.prediction[used] - self.observed[used])) / self.n.sum())


def reliability(target: ArrayLike, prediction: ArrayLike, *, bins: int = 10) -> Reliability:
    """Compare predicted probabilities with observed frequencies, bin by bin.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Probabilities, 0 to 1.
    bins : int, default 10
        Number of equally wide bins.

    Returns
    -------
    Reliability

    Raises
    ------
    InputError
        If a prediction is no probability, or `bins` is below 1.

    References
    ----------
    Niculescu-Mizil and Caruana (2005), ICML, 625-632. Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.

    Examples
    --------
    >>> table = reliability([0, 1, 1, 1], [0.2, 0.3, 0.9, 0.7], bins=2)
    >>> table.n.tolist(), table.observed.tolist(), table.prediction.tolist()
    ([2, 2], [0.5, 1.0], [0.25, 0.8])
    """
    truth, score = check_binary(target, prediction)
    if bins < 1:
        raise InputError(f"bins is {bins}; at least 1 bin is needed. The usual number is 10.")
    if score.size and not (score.min() >= 0 and score.max() <= 1):
        raise InputError(
            f"predictions reach from {score.min():.4g} to {score.max():.4g}; probabilities lie in 0..1. Apply the sigmoid to logits first."
        )
    place = bin_of(score, bins)
    n = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(place, weights=score, minlength=bins) / n
        observed = np.bincount(place, weights=truth, minlength=bins) / n
        z = 1.959964
        centre = (observed + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(observed * (1 - observed) / n + z**2 / (4 * n**2))
    return Reliability(np.linspace(0, 1, bins + 1), mean, observed, np.maximum(centre - half, 0), np.minimum(centre + half, 1), n.astype(np.int64))


def expected_calibration_error(target: ArrayLike, prediction: ArrayLike, *, bins: int = 10) -> float:
    """Return the mean distance of predicted probability and observed frequency, weighted by the examples in each bin.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Probabilities, 0 to 1.
    bins : int, default 10
        Number of equally wide bins.

    Returns
    -------
    float
        0 (calibrated) to 1; NaN without examples.

    References
    ----------
    Guo et al. (2017), On Calibration of Modern Neural Networks, ICML, equation 3 (here for the probability of the positive class).

    Examples
    --------
    >>> round(expected_calibration_error([0, 1, 1, 1], [0.2, 0.3, 0.9, 0.7], bins=2), 3)
    0.225
    """
    return reliability(target, prediction, bins=bins).expected_calibration_error


def calibration_line(logits: ArrayLike, target: ArrayLike) -> tuple[float, float]:
    """Return the scale and the shift that bring logits to calibrated log-odds (Platt scaling [1]_).

    Parameters
    ----------
    logits : array_like, (N,)
        Of examples that were not trained on.
    target : array_like, (N,)
        The truth, 0 or 1.

    Returns
    -------
    scale, shift : float
        The ranking stays as it is: the scale is positive, and (1, 0) where nothing better can be fitted.

    References
    ----------
    .. [1] Platt, Probabilistic outputs for support vector machines (1999).

    Examples
    --------
    >>> scale, shift = calibration_line([-40.0, -20.0, 20.0, 40.0], [0, 1, 0, 1])
    >>> bool(0 < scale < 0.1), bool(abs(shift) < 1e-6)
    (True, True)
    """
    truth, scores = check_binary(target, logits)
    if truth.all() or not truth.any():
        return 1.0, 0.0
    curve = LogisticCurve.fit(scores, truth)
    if curve.slope <= 0:
        return 1.0, 0.0
    return curve.slope / curve.scale, curve.intercept - curve.slope * curve.mean / curve.scale
