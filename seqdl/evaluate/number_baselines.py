"""The baselines of a predicted number: ridge regression on GC content, on k-mers, and on positions where sequences are aligned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import DataError
from seqdl.evaluate.baseline import Baseline, check_codes
from seqdl.evaluate.linear import (
    Features,
    GcFeature,
    PositionVocabulary,
    are_aligned,
    choose,
    chosen_on,
    folds_of,
    how_chosen,
    kmer_choices,
    linear_scores,
    trained_on,
)
from seqdl.evaluate.regression import check_numbers, regression_metrics
from seqdl.types import Codes

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""L2 penalties to choose from, for a target of unit variance."""
_NEXT_TO_NONE = 1e-3


@dataclass(frozen=True, eq=False)
class NumberBaseline(Baseline):
    """A linear model of a number; build it with `fit_number_baselines`.

    Attributes
    ----------
    features : Features
        What is counted.
    weights : float64, (V,)
        Of its columns, in units of the target.
    intercept : float
        In units of the target.
    """

    name: str
    detail: str
    features: Features
    weights: NDArray[np.float64]
    intercept: float

    def predict(self, codes: Codes) -> NDArray[np.float64]:
        """Return the number expected for each sequence, (N,)."""
        return linear_scores(self.features, self.weights, check_codes(codes)) + self.intercept


def fit_number_baselines(train_codes: Codes, train_target: ArrayLike, *, seed: int = 0) -> dict[str, NumberBaseline]:
    """Fit the baselines on the training set alone.

    Lengths and strands of the k-mers, and every penalty, are chosen by the variance explained over three folds of it.

    Parameters
    ----------
    train_codes : uint8, (N, L)
        Training sequences.
    train_target : array_like, (N,)
        The numbers to predict.
    seed : int, default 0
        Seed of folds and subsamples.

    Returns
    -------
    dict of str to NumberBaseline
        gc and kmer, and position where all sequences have one length; each with ``predict(codes) -> (N,)`` and ``detail``.

    Raises
    ------
    ShapeError, InputError
        If the codes are not (N, L), or the target is not (N,) or not finite.
    DataError
        If there are fewer than two sequences.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 4, (300, 50)).astype(np.uint8)
    >>> gc = ((codes == 1) | (codes == 2)).mean(1)
    >>> baselines = fit_number_baselines(codes, gc)
    >>> sorted(baselines), bool(np.abs(baselines["gc"].predict(codes) - gc).max() < 1e-3)
    (['gc', 'kmer', 'position'], True)
    """
    codes = check_codes(train_codes)
    target, _ = check_numbers(train_target, np.zeros(codes.shape[0]))
    if target.size < 2:
        raise DataError(f"the training set of the baselines holds {target.size} of at least 2 sequences. Add training examples.")
    rng = np.random.default_rng(seed)
    gc = _fit(GcFeature.of(codes), codes, target, penalty=_NEXT_TO_NONE)
    rises = "rises" if gc[0][0] > 0 else "falls"
    found = {"gc": NumberBaseline("gc", f"GC content, ridge regression (the target {rises} with it)", GcFeature.of(codes), *gc)}
    choices = kmer_choices(codes.shape[1])
    found["kmer"] = _chosen("kmer", choices, codes, target=target, rng=rng)
    if are_aligned(codes):
        found["position"] = _chosen("position", [lambda some: PositionVocabulary(some.shape[1])], codes, target=target, rng=rng)
    return found


def _chosen(name: str, makers: Any, codes: Codes, *, target: NDArray[np.float64], rng: np.random.Generator) -> NumberBaseline:
    """Fit one baseline, its features and penalty chosen on the training set."""
    rows = trained_on(codes, rng)
    codes_used, used = codes[rows], target[rows]
    some = chosen_on(codes_used, rng)
    fold = folds_of(np.zeros(some.size, dtype=np.int64), rng)
    place, penalty = choose(makers, PENALTIES, codes_used[some], fold=fold, score=_scorer(used[some]))
    features = makers[place](codes_used)
    weights, intercept = _fit(features, codes_used, used, penalty=penalty)
    what = f"{makers[place]}, ridge regression" if name == "kmer" else "base at each position, ridge regression"
    return NumberBaseline(name, how_chosen(what, f"penalty {penalty:g}", n=rows.size, n_all=target.size), features, weights, intercept)


def _scorer(target: NDArray[np.float64]) -> Callable[[Any, NDArray[np.bool_], float], float]:
    def score(matrix: Any, inside: NDArray[np.bool_], penalty: float) -> float:
        weights, intercept = _solve(matrix[inside], target[inside], penalty)
        return regression_metrics(target[~inside], np.asarray(matrix[~inside] @ weights) + intercept)["r2"]

    return score


def _fit(features: Features, codes: Codes, target: NDArray[np.float64], *, penalty: float) -> tuple[NDArray[np.float64], float]:
    return _solve(features.count(codes), target, penalty)


def _solve(matrix: Any, target: NDArray[np.float64], penalty: float) -> tuple[NDArray[np.float64], float]:
    """Return weights (V,) and intercept of a ridge regression; the penalty is that for a target of unit variance."""
    from sklearn.linear_model import Ridge

    regression: Any = Ridge
    scale = float(target.std()) or 1.0
    fitted = regression(alpha=penalty, tol=1e-4).fit(matrix, (target - target.mean()) / scale)
    return np.asarray(fitted.coef_, dtype=np.float64) * scale, float(fitted.intercept_) * scale + float(target.mean())
