"""What a baseline is, and the one-number logistic curve that turns a score into a probability."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import ShapeError
from seqdl.types import Codes


class Baseline(ABC):
    """A simple predictor that a network has to beat.

    Attributes
    ----------
    name : str
        The key in ``metrics.json``: gc, kmer, pwm or position.
    detail : str
        What it is, in words for a reader.
    """

    name: str
    detail: str

    @abstractmethod
    def predict(self, codes: Codes) -> NDArray[np.float64]:
        """Return the probability of the positive class, of each class, or the number that is expected.

        Parameters
        ----------
        codes : uint8, (N, L)
            Sequences.

        Returns
        -------
        float64, (N,)
            (N, K) where there are K classes.
        """


def check_codes(codes: ArrayLike) -> Codes:
    """Return `codes` as uint8 (N, L), or raise `ShapeError`."""
    rows = np.asarray(codes, dtype=np.uint8)
    if rows.ndim != 2:
        raise ShapeError(f"codes has shape {rows.shape}; (N, L) is expected. Stack sequences of different lengths with seqdl.sequence.encode.stack.")
    return rows


@dataclass(frozen=True)
class LogisticCurve:
    """A logistic curve over one score.

    Attributes
    ----------
    slope, intercept : float
        Of the logit, for the standardised score.
    mean, scale : float
        The score's mean and standard deviation in training; a score that is not a number counts as the mean.
    floor : float
        Smallest finite score in training; anything below counts as this.
    """

    slope: float
    intercept: float
    mean: float
    scale: float
    floor: float

    @classmethod
    def fit(cls, score: NDArray[np.floating], target: NDArray[np.bool_]) -> LogisticCurve:
        """Fit the curve.

        Parameters
        ----------
        score : float, (N,)
            One score per example; NaN and infinities are taken as the mean and the smallest finite score.
        target : bool, (N,)
            The truth, both classes.

        Examples
        --------
        >>> curve = LogisticCurve.fit(np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True]))
        >>> bool(curve(np.array([3.0]))[0] > curve(np.array([0.0]))[0])
        True
        """
        from sklearn.linear_model import LogisticRegression

        values = np.asarray(score, dtype=np.float64)
        finite = values[np.isfinite(values)]
        mean, floor = (float(finite.mean()), float(finite.min())) if finite.size else (0.0, 0.0)
        scale = float(finite.std()) if finite.size else 0.0
        unfitted = cls(0.0, 0.0, mean, scale if scale > 0 else 1.0, floor)
        # The penalty is next to nothing: it only keeps the slope finite where the classes are separated.
        regression: Any = LogisticRegression
        fitted = regression(C=100.0).fit(unfitted.standardise(values)[:, None], target)
        return cls(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]), unfitted.mean, unfitted.scale, unfitted.floor)

    def standardise(self, score: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the score in standard deviations from the training mean."""
        values = np.where(np.isnan(score), self.mean, score).astype(np.float64)
        return (np.clip(values, self.floor, np.finfo(np.float32).max) - self.mean) / self.scale

    def __call__(self, score: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the probability of the positive class, (N,)."""
        from scipy.special import expit

        return np.asarray(expit(self.slope * self.standardise(score) + self.intercept), dtype=np.float64)


def balanced_rows(target: NDArray[np.bool_], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw at most `n` rows without replacement, half of them positive where there are enough, in ascending order."""
    positive, negative = rng.permutation(np.flatnonzero(target)), rng.permutation(np.flatnonzero(~target))
    n_positive = min(positive.size, max(n // 2, n - negative.size))
    n_negative = min(negative.size, n - n_positive)
    return np.sort(np.concatenate([positive[:n_positive], negative[:n_negative]]))
