"""The baselines of a choice among classes: logistic regression on GC content, on k-mers, and on positions where sequences are aligned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import DataError, ShapeError
from seqdl.evaluate.baseline import Baseline, check_codes
from seqdl.evaluate.classes import check_class_numbers, class_metrics
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
from seqdl.types import Codes

PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Inverse strengths C of the L2 penalty to choose from."""
_NEXT_TO_NONE = 100.0


@dataclass(frozen=True, eq=False)
class ClassBaseline(Baseline):
    """Multinomial logistic regression; build it with `fit_class_baselines`.

    Attributes
    ----------
    features : Features
        What is counted.
    weights : float64, (V, K)
        Of its columns.
    intercept : float64, (K,)
        Minus infinity for a class that is not in the training set.
    """

    name: str
    detail: str
    features: Features
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def predict(self, codes: Codes) -> NDArray[np.float64]:
        """Return the probability of each class, (N, K)."""
        return _probabilities(linear_scores(self.features, self.weights, check_codes(codes)), self.intercept)


def fit_class_baselines(train_codes: Codes, train_target: ArrayLike, n_classes: int, *, seed: int = 0) -> dict[str, ClassBaseline]:
    """Fit the baselines on the training set alone.

    Lengths and strands of the k-mers, and every penalty, are chosen by the log loss over three folds of it.

    Parameters
    ----------
    train_codes : uint8, (N, L)
        Training sequences.
    train_target : array_like, (N,)
        The number of the class, 0 to K - 1.
    n_classes : int
        K.
    seed : int, default 0
        Seed of folds and subsamples.

    Returns
    -------
    dict of str to ClassBaseline
        gc and kmer, and position where all sequences have one length; each with ``predict(codes) -> (N, K)`` and ``detail``.

    Raises
    ------
    ShapeError, InputError
        If the codes are not (N, L), the target is not (N,), or holds a number that is no class.
    DataError
        If the training set holds one class only.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 4, (300, 40)).astype(np.uint8)
    >>> target = codes[:, 20] // 2 + (codes[:, 20] == 3)                  # the base at one position: A or C, G, T
    >>> baselines = fit_class_baselines(codes, target, 3)
    >>> sorted(baselines), baselines["position"].predict(codes).shape
    (['gc', 'kmer', 'position'], (300, 3))
    >>> bool((baselines["position"].predict(codes).argmax(1) == target).all())
    True
    """
    codes = check_codes(train_codes)
    given = np.asarray(train_target)
    if given.shape != (codes.shape[0],):
        raise ShapeError(f"target has shape {given.shape}; one class for each of the {codes.shape[0]} sequences is expected. Pass (N,).")
    target = check_class_numbers(given, n_classes, "target")
    if np.unique(target).size < 2:
        raise DataError(f"the training set of the baselines holds {np.unique(target).size} of {n_classes} classes; two are needed. Add the others.")
    rng = np.random.default_rng(seed)
    feature = GcFeature.of(codes)
    found = {
        "gc": ClassBaseline(
            "gc", "GC content, logistic regression", feature, *_solve(feature.count(codes), target, _NEXT_TO_NONE, n_classes=n_classes)
        )
    }
    found["kmer"] = _chosen("kmer", kmer_choices(codes.shape[1]), codes, target=target, n_classes=n_classes, rng=rng)
    if are_aligned(codes):
        positions = [lambda some: PositionVocabulary(some.shape[1])]
        found["position"] = _chosen("position", positions, codes, target=target, n_classes=n_classes, rng=rng)
    return found


def _chosen(name: str, makers: Any, codes: Codes, *, target: NDArray[np.int64], n_classes: int, rng: np.random.Generator) -> ClassBaseline:
    """Fit one baseline, its features and penalty chosen on the training set."""
    rows = trained_on(codes, rng)
    if np.unique(target[rows]).size < np.unique(target).size:  # a rare class was not drawn
        rows = np.union1d(rows, np.unique(target, return_index=True)[1])
    codes_used, used = codes[rows], target[rows]
    some = chosen_on(codes_used, rng)
    fold = folds_of(_with_rare_as_one(used[some]), rng)
    place, penalty = choose(makers, PENALTIES, codes_used[some], fold=fold, score=_scorer(used[some], n_classes))
    features = makers[place](codes_used)
    weights, intercept = _solve(features.count(codes_used), used, penalty, n_classes=n_classes)
    what = f"{makers[place]}, logistic regression" if name == "kmer" else "base at each position, logistic regression"
    return ClassBaseline(name, how_chosen(what, f"C = {penalty:g}", n=rows.size, n_all=target.size), features, weights, intercept)


def _with_rare_as_one(target: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the strata of the folds: the classes, but one for all that are too rare to be in every fold."""
    n = np.bincount(target)
    return np.where(n[target] < 6, n.argmax(), target)


def _scorer(target: NDArray[np.int64], n_classes: int) -> Callable[[Any, NDArray[np.bool_], float], float]:
    def score(matrix: Any, inside: NDArray[np.bool_], penalty: float) -> float:
        if np.unique(target[inside]).size < 2:
            return float("nan")
        weights, intercept = _solve(matrix[inside], target[inside], penalty, n_classes=n_classes)
        return -class_metrics(target[~inside], _probabilities(np.asarray(matrix[~inside] @ weights), intercept))["log_loss"]

    return score


def _probabilities(scores: NDArray[np.float64], intercept: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import softmax

    return np.asarray(softmax(scores + intercept, axis=1), dtype=np.float64)


def _solve(matrix: Any, target: NDArray[np.int64], penalty: float, *, n_classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights (V, K) and intercepts (K,) of a multinomial logistic regression."""
    from sklearn.linear_model import LogisticRegression

    regression: Any = LogisticRegression
    fitted = regression(C=penalty, max_iter=200, tol=1e-3).fit(matrix, target)
    present = fitted.classes_
    weights, intercept = np.zeros((matrix.shape[1], n_classes)), np.full(n_classes, -np.inf)
    if present.size == 2:  # one curve tells two classes apart
        weights[:, present[1]] = fitted.coef_[0]
        intercept[present] = 0.0, float(fitted.intercept_[0])
    else:
        weights[:, present] = fitted.coef_.T
        intercept[present] = fitted.intercept_
    return weights, intercept
