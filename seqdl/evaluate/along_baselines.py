"""What a network along the sequence has to beat: models of the surroundings of a base, the mean profile, smoothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import DataError
from seqdl.evaluate.along_features import BaseFeatures, LocalGc, LocalKmers, OpenFrame, Sites
from seqdl.evaluate.metrics import auroc
from seqdl.evaluate.number_baselines import fit_number_baselines
from seqdl.evaluate.regression import regression_metrics
from seqdl.types import Codes, Floats

N_BASES, N_CHOICE = 60_000, 20_000
"""Bases that a model is fitted on, and those on which its k-mers are chosen."""
KMERS = ((4, 10), (6, 10), (5, 40), (6, 40), (6, 100))
"""Lengths of k-mers and distances (bp) to choose from."""
LOGISTIC_STRENGTH, RIDGE_PENALTY = 0.3, 30.0
SPANS = (1, 5, 11, 25, 51, 75, 101, 151, 201, 301)
"""Widths (bp) of a moving average to choose from; a Gaussian has a third of it as standard deviation."""


class AlongBaseline(Protocol):
    """A simple predictor of every base."""

    @property
    def name(self) -> str:
        """The key in metrics.json."""

    @property
    def detail(self) -> str:
        """What it is, in words for a reader."""

    def predict(self, codes: Codes, signal: Floats | None = None) -> NDArray[np.float64]:
        """Return predictions (N, L) for codes (N, L) and input signals (N, C, L)."""


@dataclass(frozen=True, eq=False)
class LinearAlong:
    """A linear model of what surrounds a base: of the log-odds of a label, or of log(1 + signal)."""

    name: str
    detail: str
    features: BaseFeatures
    weights: NDArray[np.float64]
    intercept: float
    labels: bool

    def predict(self, codes: Codes, signal: Floats | None = None) -> NDArray[np.float64]:
        """Return probabilities, or the signal that is expected, (N, L)."""
        from scipy.special import expit

        found = self.features.scores(codes, self.weights) + self.intercept
        return np.asarray(expit(found) if self.labels else np.expm1(np.clip(found, 0.0, 50.0)), dtype=np.float64)


def fit_label_baselines(codes: Codes, labels: Floats, *, seed: int = 0) -> dict[str, AlongBaseline]:
    """Fit the baselines of one label on the training windows alone.

    Parameters
    ----------
    codes : uint8, (N, L)
    labels : array, (N, L)
        0 and 1; NaN where nothing is known.
    seed : int, default 0
        Of the bases that are drawn.

    Returns
    -------
    dict of str to AlongBaseline
        gc and kmer: logistic regressions on base composition and on k-mers around a base; codon: on the longest open reading frame
        of the window at that base, and its codons.

    Raises
    ------
    DataError
        If all bases have the label, or none.
    """
    rng = np.random.default_rng(seed)
    sites = _draw(np.isfinite(labels), N_BASES, rng)
    target = labels[sites] > 0
    if target.all() or not target.any():
        raise DataError(f"of {target.size:,} training bases {int(target.sum()):,} have the label: some with it and some without were expected.")
    found: dict[str, AlongBaseline] = {}
    choice = _chosen_kmers(codes, sites, target.astype(np.float64), solve=_logistic, score=lambda truth, guess: auroc(truth > 0, guess), rng=rng)
    words = {"gc": "share of G and C within 2 to 250 bp", "kmer": str(choice), "codon": "longest open reading frame at the base, and its codons"}
    features: dict[str, BaseFeatures] = {"gc": LocalGc(), "kmer": choice, "codon": OpenFrame()}
    for name, feature in features.items():
        fitted = _logistic(feature.at(codes, sites), target.astype(np.float64))
        found[name] = LinearAlong(name, f"{words[name]}, logistic regression on {len(target):,} training bases", feature, *fitted, labels=True)
    return found


def fit_signal_baselines(codes: Codes, tracks: Floats, *, seed: int = 0) -> dict[str, AlongBaseline]:
    """Fit the baselines of one signal on the training windows alone.

    Parameters
    ----------
    codes : uint8, (N, L)
    tracks : array, (N, L)
        0 or more.
    seed : int, default 0

    Returns
    -------
    dict of str to AlongBaseline
        mean: the mean profile; kmer: the mean profile, its total by ridge regression on GC and k-mers; gc and context: ridge
        regressions of the logarithm at each base on base composition and k-mers around it.
    """
    rng = np.random.default_rng(seed)
    profile = np.asarray(np.nanmean(tracks, axis=0, dtype=np.float64), dtype=np.float64)
    found: dict[str, AlongBaseline] = {"mean": MeanProfile("mean", "mean profile of the training windows", profile)}
    totals = np.log1p(np.nansum(tracks, axis=1, dtype=np.float64))
    ridge = fit_number_baselines(codes, totals, seed=seed)["kmer"]
    found["kmer"] = TotalProfile("kmer", f"mean profile, its total by {ridge.detail}", profile, ridge)
    sites = _draw(np.isfinite(tracks), N_BASES, rng)
    target = np.log1p(np.maximum(tracks[sites].astype(np.float64), 0.0))
    choice = _chosen_kmers(codes, sites, target, solve=_ridge, score=lambda truth, guess: regression_metrics(truth, guess)["r2"], rng=rng)
    words = {"gc": "share of G and C within 2 to 250 bp", "context": str(choice)}
    features: dict[str, BaseFeatures] = {"gc": LocalGc(), "context": choice}
    for name, feature in features.items():
        fitted = _ridge(feature.at(codes, sites), target)
        found[name] = LinearAlong(name, f"{words[name]}, ridge regression of log(1 + signal)", feature, *fitted, labels=False)
    return found


@dataclass(frozen=True, eq=False)
class MeanProfile:
    """The same profile for every window."""

    name: str
    detail: str
    profile: NDArray[np.float64]

    def predict(self, codes: Codes, signal: Floats | None = None) -> NDArray[np.float64]:
        """Return the profile once a window, (N, L)."""
        return np.tile(self.profile, (len(codes), 1))


@dataclass(frozen=True, eq=False)
class TotalProfile:
    """The mean profile, as large as a model of the total says."""

    name: str
    detail: str
    profile: NDArray[np.float64]
    total: Any

    def predict(self, codes: Codes, signal: Floats | None = None) -> NDArray[np.float64]:
        """Return the profile times the total expected for each window, (N, L)."""
        totals = np.expm1(np.clip(self.total.predict(codes), 0.0, 50.0))
        return np.asarray(totals[:, None] * self.profile / max(float(self.profile.sum()), 1e-12), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Smoothing:
    """The input signal, smoothed and brought to the scale of the target."""

    name: str
    detail: str
    kernel: NDArray[np.float64]
    slope: float

    def predict(self, codes: Codes, signal: Floats | None = None) -> NDArray[np.float64]:
        """Return the smoothed mean of the input signals, (N, L)."""
        assert signal is not None
        return smoothed(np.asarray(signal, dtype=np.float64).mean(axis=1), self.kernel) * self.slope


def fit_smoothing(signal: Floats, tracks: Floats) -> dict[str, AlongBaseline]:
    """Choose, on the training windows, the smoothing of the input that agrees best with the target.

    Parameters
    ----------
    signal : array, (N, C, L)
    tracks : array, (N, L)

    Returns
    -------
    dict of str to AlongBaseline
        input, the input as it is, and smoothing, the best of moving averages and Gaussians.
    """
    mean = np.asarray(signal, dtype=np.float64).mean(axis=1)
    known = np.isfinite(tracks)
    kernels = {("moving average", span): np.full(span, 1 / span) for span in SPANS if span <= tracks.shape[1]}
    kernels |= {("Gaussian", span): _gaussian(span) for _, span in list(kernels) if span > 1}
    tried = []
    for (kind, span), kernel in kernels.items():
        smooth = smoothed(mean, kernel)
        correlation = float(np.corrcoef(smooth[known], tracks[known])[0, 1]) if smooth[known].std() > 0 else -1.0
        slope = float((smooth[known] * tracks[known]).sum() / max(float((smooth[known] ** 2).sum()), 1e-12))
        tried.append((correlation, kind, span, kernel, slope))
    raw = next(one for one in tried if one[2] == 1)
    _, kind, span, kernel, slope = max(tried, key=lambda one: one[0])
    detail = f"{kind} of the input over {span} bp, the best of {len(tried)} on the training set"
    return {"input": Smoothing("input", "the input signal as it is", raw[3], raw[4]), "smoothing": Smoothing("smoothing", detail, kernel, slope)}


def smoothed(values: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values (N, L) smoothed along their rows by an odd kernel; at the ends the rest of it counts in full.

    Examples
    --------
    >>> smoothed(np.array([[3.0, 0.0, 0.0, 9.0]]), np.full(3, 1 / 3)).tolist()
    [[1.5, 1.0, 3.0, 4.5]]
    """
    from scipy.signal import fftconvolve

    if kernel.size == 1:
        return values.copy()
    ones = np.ones((1, values.shape[1]))
    sums, weights = (fftconvolve(side, kernel[None], mode="same", axes=1) for side in (values, ones))
    return np.asarray((sums / weights).round(12), dtype=np.float64)


def _gaussian(span: int) -> NDArray[np.float64]:
    """Return a Gaussian of standard deviation span / 3, cut off at three of them."""
    half = span
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / (span / 3)) ** 2)
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def _draw(known: NDArray[np.bool_], n: int, rng: np.random.Generator) -> Sites:
    """Return window and position of at most n known bases, in order."""
    place = np.flatnonzero(known.ravel())
    chosen = np.sort(rng.choice(place, n, replace=False)) if place.size > n else place
    row, column = np.divmod(chosen, known.shape[1])
    return row, column


Solver = Callable[[Any, NDArray[np.float64]], tuple[NDArray[np.float64], float]]


def _chosen_kmers(
    codes: Codes,
    sites: Sites,
    target: NDArray[np.float64],
    *,
    solve: Solver,
    score: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
    rng: np.random.Generator,
) -> LocalKmers:
    """Return the k-mers and distance that predict a third of the training windows best from the others."""
    some = np.sort(rng.permutation(target.size)[:N_CHOICE])
    held = np.isin(sites[0][some], rng.permutation(len(codes))[: max(1, len(codes) // 3)])
    if held.all() or not held.any() or target[some][~held].std() == 0:
        return LocalKmers(*KMERS[0])
    tried: list[tuple[float, LocalKmers]] = []
    for k, reach in _fitting(codes.shape[1]):
        feature = LocalKmers(k, reach)
        matrix = feature.at(codes, (sites[0][some], sites[1][some]))
        weights, intercept = solve(matrix[~held], target[some][~held])
        tried.append((score(target[some][held], np.asarray(matrix[held] @ weights) + intercept), feature))
    return max(tried, key=lambda one: np.nan_to_num(one[0], nan=-np.inf))[1]


def _fitting(length: int) -> Sequence[tuple[int, int]]:
    return [(k, reach) for k, reach in KMERS if reach < length] or [(min(4, length), max(1, length // 2))]


def _logistic(matrix: Any, target: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return weights (V,) and intercept of a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    regression: Any = LogisticRegression
    fitted = regression(C=LOGISTIC_STRENGTH, max_iter=200, tol=1e-3).fit(matrix, target > 0)
    return np.asarray(fitted.coef_[0], dtype=np.float64), float(fitted.intercept_[0])


def _ridge(matrix: Any, target: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return weights (V,) and intercept of a ridge regression."""
    from sklearn.linear_model import Ridge

    regression: Any = Ridge
    fitted = regression(alpha=RIDGE_PENALTY, tol=1e-3).fit(matrix, target)
    return np.asarray(fitted.coef_, dtype=np.float64), float(fitted.intercept_)
