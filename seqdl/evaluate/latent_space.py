"""How much an embedding is worth: what can be read off it, whether neighbours belong together, and whether a map of it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.evaluate.metrics import auroc
from seqdl.types import Floats

Labelled: TypeAlias = tuple[Floats, NDArray[np.int64]]
"""Embeddings (n, Z), and the numbers of their classes (n,)."""
N_NEIGHBOURS = 10
MOST_PAIRS = 3_000
"""Examples a map is judged on: every distance between them is looked at."""


@dataclass(frozen=True)
class Probe:
    """What can be read off an embedding by the simplest means.

    Attributes
    ----------
    accuracy, auroc : float
        Of a logistic regression; AUROC is the mean over classes against the rest.
    knn_accuracy : float
        Of the vote of the ten nearest training examples.
    """

    accuracy: float
    auroc: float
    knn_accuracy: float


def probe(train: Labelled, test: Labelled, *, seed: int = 0) -> Probe:
    """Predict labels from an embedding by a logistic regression and by nearest neighbours.

    Parameters
    ----------
    train, test : (array (n, Z), int array (n,))
        Embeddings, and the numbers of their classes; each feature is brought to unit variance of the training part.
    seed : int
        Of the regression's solver.

    Raises
    ------
    InputError
        If the labels are as many as other rows, or training holds one class only.

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [1.0], [1.1]] * 10)
    >>> probe((x, np.tile([0, 0, 1, 1], 10)), (x, np.tile([0, 0, 1, 1], 10))).auroc
    1.0
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    (train_rows, train_labels), (test_rows, test_labels) = train, test
    for rows, labels, name in ((train_rows, train_labels, "training"), (test_rows, test_labels, "test")):
        if len(rows) != len(labels):
            raise InputError(f"{len(labels):,} labels were given for {len(rows):,} {name} rows: one each was expected. Check the order of both.")
    if len(np.unique(train_labels)) < 2:
        raise InputError("the training labels hold one class: two or more were expected, to be told apart.")
    centre, spread = train_rows.mean(axis=0), train_rows.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    a, b = (train_rows - centre) / spread, (test_rows - centre) / spread
    logistic: Any = LogisticRegression
    nearest: Any = KNeighborsClassifier
    regression = logistic(C=1.0, max_iter=500, random_state=seed).fit(a, train_labels)
    odds = regression.predict_proba(b)
    areas = [auroc((test_labels == k).astype(np.float64), odds[:, column]) for column, k in enumerate(regression.classes_)]
    neighbours = nearest(min(N_NEIGHBOURS, len(a))).fit(a, train_labels)
    return Probe(
        accuracy=float((regression.predict(b) == test_labels).mean()),
        auroc=float(np.mean(areas)),
        knn_accuracy=float((neighbours.predict(b) == test_labels).mean()),
    )


def principal_components(train: Floats, others: list[Floats], n: int) -> tuple[list[Floats], Floats, Floats]:
    """Return the first principal components of other rows, fitted on training rows.

    Parameters
    ----------
    train : array, (n, D)
    others : list of array (m, D)
    n : int
        Components; at most what the training rows allow.

    Returns
    -------
    components : list of array (m, n)
    mean : array, (D,)
    axes : array, (n, D)
        So that components @ axes + mean gives rows back.
    """
    from sklearn.decomposition import PCA

    components: Any = PCA
    fitted = components(min(n, *train.shape), svd_solver="randomized", random_state=0).fit(train)
    return [fitted.transform(rows) for rows in others], fitted.mean_, fitted.components_


def trustworthiness(high: Floats, low: Floats, *, neighbours: int = N_NEIGHBOURS, seed: int = 0) -> float:
    """Return how far neighbours on a map are neighbours in the embedding: 1 if all are, about .5 by chance [1]_.

    Parameters
    ----------
    high, low : array, (N, Z) and (N, 2)
        The same examples; of more than 3,000 a draw is judged.
    neighbours : int, default 10
    seed : int
        Of that draw.

    References
    ----------
    .. [1] Venna & Kaski, Neighborhood preservation in nonlinear projection methods, ICANN (2001).
    """
    from sklearn.manifold import trustworthiness as measured

    if len(high) > MOST_PAIRS:
        rows = np.sort(np.random.default_rng(seed).choice(len(high), MOST_PAIRS, replace=False))
        high, low = high[rows], low[rows]
    if len(high) <= 2 * neighbours:
        return float("nan")
    return float(measured(high, low, n_neighbors=neighbours))


def strand_agreement(embedding: Floats, other: Floats) -> float:
    """Return the share of sequences that are nearer to their own other strand than to half of all other sequences' other strands.

    1 where an embedding does not care for the strand, about .5 where it knows nothing of the other.

    Parameters
    ----------
    embedding, other : array, (N, Z)
        Of sequences, and of their reverse complements in the same order.

    Examples
    --------
    >>> x = np.arange(10.0)[:, None]
    >>> strand_agreement(x, x)
    1.0
    """
    n = min(len(embedding), MOST_PAIRS)
    a, b = embedding[:n], other[:n]
    square = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)[None]
    own = np.diagonal(square)
    return float(np.mean((square > own[:, None]).mean(axis=1) * n / max(1, n - 1) >= 0.5))
