"""The k-mer baseline: logistic regression on the canonical k-mers of a sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqdl.evaluate.baseline import Baseline, balanced_rows, check_codes
from seqdl.evaluate.metrics import auroc
from seqdl.sequence.composition import kmer_windows
from seqdl.types import Codes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

K_SETS = ((3, 4, 5), (5, 6, 7), (6, 7, 8))
"""Sets of k-mer lengths to choose from. Held-out AUROC on yeast ChIP-exo and ENCODE sets, three lengths against 6-mers alone: +.00 to +.02."""
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1)
"""Inverse strengths C of the L2 penalty to choose from; on every set tried, of 400 to 16,000 sequences, .01 or .03 was chosen."""
N_FOLDS = 3
MAX_CHOICE_ROWS = 3_000  # sequences on which the choice is made
MAX_BASES = 10_000_000  # bases trained on: some seconds and 1 GB
_DEFAULT = ((5, 6, 7), 0.01)  # where there are too few sequences to choose


@dataclass(frozen=True, eq=False)
class KmerVocabulary:
    """The k-mers of the training sequences, as columns of a sparse matrix.

    Attributes
    ----------
    hashes : dict of int to uint64 (V,)
        Sorted hashes of the k-mers of each length.
    canonical : bool, default True
        Whether a k-mer and its reverse complement are one column.
    """

    hashes: dict[int, NDArray[np.uint64]]
    canonical: bool = True

    @classmethod
    def of(cls, codes: Codes, ks: tuple[int, ...], *, canonical: bool = True) -> KmerVocabulary:
        """Collect the k-mers of lengths `ks` that occur in `codes`, (N, L)."""
        found = {}
        for k in ks:
            windows, valid = kmer_windows(codes, k, canonical=canonical)
            found[k] = np.unique(windows[valid])
        return cls(found, canonical)

    def count(self, codes: Codes) -> csr_matrix:
        """Return log(1 + count) of each k-mer of the vocabulary, float32 (N, n_columns).

        The logarithm keeps a repeat from outweighing a site.
        """
        from scipy.sparse import csr_matrix, hstack

        blocks = []
        for k, known in self.hashes.items():
            windows, valid = kmer_windows(codes, k, canonical=self.canonical)
            row = np.nonzero(valid)[0]
            found = windows[valid]
            column = np.searchsorted(known, found)
            seen = known[np.minimum(column, known.size - 1)] == found if known.size else np.zeros(found.size, dtype=bool)
            ones = np.ones(int(seen.sum()), dtype=np.float32)
            block = csr_matrix((ones, (row[seen].astype(np.int32), column[seen].astype(np.int32))), shape=(codes.shape[0], known.size))
            block.sum_duplicates()
            block.data = np.log1p(block.data)
            blocks.append(block)
        return csr_matrix(hstack(blocks, format="csr"))


@dataclass(frozen=True, eq=False)
class KmerBaseline(Baseline):
    """Logistic regression on canonical k-mer counts; build it with `fit_kmer`."""

    name: str
    detail: str
    vocabulary: KmerVocabulary
    weights: NDArray[np.float64]
    intercept: float
    chunk: int = field(default=20_000, repr=False)

    def predict(self, codes: Codes) -> NDArray[np.float64]:
        """Return the probability of the positive class, (N,)."""
        from scipy.special import expit

        rows = check_codes(codes)
        parts = [self.vocabulary.count(rows[start : start + self.chunk]) @ self.weights for start in range(0, rows.shape[0], self.chunk)]
        return np.asarray(expit(np.concatenate([np.empty(0), *parts]) + self.intercept), dtype=np.float64)


def fit_kmer(codes: Codes, target: NDArray[np.bool_], *, seed: int = 0) -> KmerBaseline:
    """Fit the k-mer baseline, its k-mer lengths and penalty chosen by cross-validation within the training set.

    Parameters
    ----------
    codes : uint8, (N, L)
        Training sequences.
    target : bool, (N,)
        The truth, both classes.
    seed : int, default 0
        Seed of the folds, and of the subsample where there are more than 10 million bases.

    Returns
    -------
    KmerBaseline

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 4, (200, 60)).astype(np.uint8)
    >>> codes[:100, 20:28] = [2, 2, 2, 2, 1, 1, 1, 1]                   # a planted site
    >>> target = np.arange(200) < 100
    >>> baseline = fit_kmer(codes, target)
    >>> bool(baseline.predict(codes[:100]).min() > baseline.predict(codes[100:]).max())
    True
    """
    rng = np.random.default_rng(seed)
    n_all = codes.shape[0]
    rows = balanced_rows(target, max(2, MAX_BASES // max(1, codes.shape[1])), rng) if codes.size > MAX_BASES else np.arange(n_all)
    codes, target = codes[rows], target[rows]
    ks, penalty = _choose(codes, target, rng)
    vocabulary = KmerVocabulary.of(codes, ks)
    model = _fit(vocabulary.count(codes), target, penalty)
    some = f", trained on {rows.size:,} of {n_all:,} sequences" if rows.size < n_all else ""
    detail = f"k-mers of {in_words(ks)} bp (canonical), logistic regression (C = {penalty:g}, chosen on the training set{some})"
    return KmerBaseline("kmer", detail, vocabulary, np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0]))


def in_words(ks: tuple[int, ...]) -> str:
    """Return lengths as "5, 6 and 7"."""
    return ", ".join(str(k) for k in ks[:-1]) + f" and {ks[-1]}" if len(ks) > 1 else str(ks[0])


def _fit(counts: csr_matrix, target: NDArray[np.bool_], penalty: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    regression: Any = LogisticRegression
    return regression(C=penalty, max_iter=200, tol=1e-3).fit(counts, target)


def _choose(codes: Codes, target: NDArray[np.bool_], rng: np.random.Generator) -> tuple[tuple[int, ...], float]:
    """Choose k-mer lengths and penalty by the mean AUROC over stratified folds."""
    longest = codes.shape[1] // 2  # a k-mer as long as the sequence is the sequence
    choices = [ks for ks in K_SETS if max(ks) <= longest]
    if not choices:
        return tuple(k for k in (1, 2, 3) if k <= max(1, codes.shape[1])), 0.1
    rows = balanced_rows(target, MAX_CHOICE_ROWS, rng)
    codes, target = codes[rows], target[rows]
    if min(target.sum(), (~target).sum()) < 2 * N_FOLDS:
        return (_DEFAULT[0] if _DEFAULT[0] in choices else choices[-1]), _DEFAULT[1]
    fold = np.empty(target.size, dtype=np.int64)
    for members in (np.flatnonzero(target), np.flatnonzero(~target)):
        fold[rng.permutation(members)] = np.arange(members.size) % N_FOLDS
    best, choice = -1.0, _DEFAULT
    for ks in choices:
        counts = KmerVocabulary.of(codes, ks).count(codes)
        for penalty in PENALTIES:
            scores = []
            for held in range(N_FOLDS):
                inside = fold != held
                model = _fit(counts[inside], target[inside], penalty)
                scores.append(auroc(target[~inside], model.decision_function(counts[~inside])))
            if np.mean(scores) > best:
                best, choice = float(np.mean(scores)), (ks, penalty)
    return choice
