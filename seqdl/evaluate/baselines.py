"""The baselines a network is shown beside: GC content, k-mers, the best known motif."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.evaluate.baseline import Baseline, LogisticCurve, check_codes
from seqdl.evaluate.counted import check_binary, check_both_classes
from seqdl.evaluate.kmer_baseline import fit_kmer
from seqdl.evaluate.motif_baseline import fit_motif
from seqdl.motif.motif import Motif
from seqdl.sequence.composition import gc_content
from seqdl.types import Codes

__all__ = ["Baseline", "GcBaseline", "fit_baselines", "fit_gc"]


@dataclass(frozen=True, eq=False)
class GcBaseline(Baseline):
    """Logistic regression on GC content; build it with `fit_gc`."""

    name: str
    detail: str
    curve: LogisticCurve

    def predict(self, codes: Codes) -> NDArray[np.float64]:
        """Return the probability of the positive class, (N,)."""
        return self.curve(gc_content(check_codes(codes)))


def fit_gc(codes: Codes, target: NDArray[np.bool_]) -> GcBaseline:
    """Fit the GC baseline to codes (N, L) and a boolean target (N,)."""
    curve = LogisticCurve.fit(gc_content(codes), target)
    return GcBaseline("gc", f"GC content, logistic regression (positives are {'richer' if curve.slope > 0 else 'poorer'} in GC)", curve)


def fit_baselines(train_codes: Codes, train_target: ArrayLike, *, motifs: Sequence[Motif] | None = None, seed: int = 0) -> dict[str, Baseline]:
    """Fit the baselines on the training set alone.

    Parameters
    ----------
    train_codes : uint8, (N, L)
        Training sequences.
    train_target : array_like, (N,)
        The truth, 0 or 1.
    motifs : sequence of Motif, optional
        Known motifs for the pwm baseline. Without any, a motif is made from the most enriched k-mer, and `detail` says so.
    seed : int, default 0
        Seed of folds and subsamples.

    Returns
    -------
    dict of str to Baseline
        gc, kmer and pwm, each with ``predict(codes) -> (N,)`` probabilities and ``detail``.

    Raises
    ------
    ShapeError
        If the codes are not (N, L) or the target is not (N,).
    DataError
        If the training set holds one class only.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 4, (200, 60)).astype(np.uint8)
    >>> codes[:100, 20:28] = [2, 0, 3, 3, 0, 1, 0, 2]
    >>> baselines = fit_baselines(codes, np.arange(200) < 100)
    >>> sorted(baselines), baselines["pwm"].predict(codes).shape
    (['gc', 'kmer', 'pwm'], (200,))
    """
    codes = check_codes(train_codes)
    target, _ = check_binary(train_target, np.zeros(codes.shape[0]))
    check_both_classes(target, "the training set of the baselines")
    return {
        "gc": fit_gc(codes, target),
        "kmer": fit_kmer(codes, target, seed=seed),
        "pwm": fit_motif(codes, target, motifs=motifs, seed=seed),
    }
