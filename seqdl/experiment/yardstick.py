"""How each kind of target is measured: its metrics, its baselines, its paired comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.motif.motif import Motif
    from seqdl.types import Codes, Floats

Array = NDArray[Any]


class Yardstick(Protocol):
    """What evaluation asks of a kind of target."""

    @property
    def headline(self) -> tuple[str, ...]:
        """The measures to lead with, and to give for baselines."""

    def scores(self, predictions: pd.DataFrame) -> tuple[Array, Array]:
        """Return targets (N,) and scores (N,) or (N, K) of a predictions table."""

    def measure(self, target: Array, scores: Array, *, seed: int) -> Mapping[str, Any]:
        """Return metric -> {"value", "low", "high"}."""

    def gain(self, target: Array, first: Array, second: Array, *, seed: int) -> Mapping[str, Any]:
        """Return metric -> {"value", "low", "high"} of the first minus the second, on the same resamples."""

    def fit(self, codes: Codes, target: Floats, *, motifs: list[Motif] | None, seed: int) -> Mapping[str, Any]:
        """Return name -> baseline, with .predict(codes) and .detail."""


@dataclass(frozen=True)
class BinaryYardstick:
    """Two classes: ranking first."""

    headline: tuple[str, ...] = ("auroc", "auprc")

    def scores(self, predictions: pd.DataFrame) -> tuple[Array, Array]:
        """Return targets and probabilities."""
        return predictions["target"].to_numpy(), predictions["prediction"].to_numpy()

    def measure(self, target: Array, scores: Array, *, seed: int) -> Mapping[str, Any]:
        """Return AUROC, AUPRC and the measures at a threshold, with intervals."""
        from seqdl.evaluate.bootstrap import with_intervals

        return with_intervals(target, scores, seed=seed)

    def gain(self, target: Array, first: Array, second: Array, *, seed: int) -> Mapping[str, Any]:
        """Return the paired difference in AUROC and AUPRC."""
        from seqdl.evaluate.bootstrap import paired_difference

        return paired_difference(target, first, second, seed=seed)

    def fit(self, codes: Codes, target: Floats, *, motifs: list[Motif] | None, seed: int) -> Mapping[str, Any]:
        """Fit GC, k-mers and the best known motif."""
        from seqdl.evaluate.baselines import fit_baselines

        return fit_baselines(codes, target, motifs=motifs, seed=seed)


@dataclass(frozen=True)
class NumberYardstick:
    """Numbers: correlation first."""

    headline: tuple[str, ...] = ("pearson", "spearman")

    def scores(self, predictions: pd.DataFrame) -> tuple[Array, Array]:
        """Return targets and predictions."""
        return predictions["target"].to_numpy(dtype=np.float64), predictions["prediction"].to_numpy(dtype=np.float64)

    def measure(self, target: Array, scores: Array, *, seed: int) -> Mapping[str, Any]:
        """Return correlations and errors, with intervals."""
        from seqdl.evaluate.regression import regression_intervals

        return regression_intervals(target, scores, seed=seed)

    def gain(self, target: Array, first: Array, second: Array, *, seed: int) -> Mapping[str, Any]:
        """Return the paired difference in the correlations."""
        from seqdl.evaluate.regression import paired_difference

        return paired_difference(target, first, second, metrics=self.headline, seed=seed)

    def fit(self, codes: Codes, target: Floats, *, motifs: list[Motif] | None, seed: int) -> Mapping[str, Any]:
        """Fit ridge regressions on GC and on k-mers."""
        from seqdl.evaluate.number_baselines import fit_number_baselines

        return fit_number_baselines(codes, target, seed=seed)


@dataclass(frozen=True)
class ClassYardstick:
    """Several classes: accuracy first.

    Parameters
    ----------
    classes : sequence of str
        In the order of their numbers.
    """

    classes: Sequence[str]
    headline: tuple[str, ...] = ("accuracy", "macro_auroc")

    def scores(self, predictions: pd.DataFrame) -> tuple[Array, Array]:
        """Return the numbers of the classes (N,) and probabilities (N, K)."""
        number = {name: k for k, name in enumerate(self.classes)}
        target = predictions["target"].map(number).to_numpy(dtype=np.int64)
        return target, predictions[[f"prediction_{name}" for name in self.classes]].to_numpy(dtype=np.float64)

    def measure(self, target: Array, scores: Array, *, seed: int) -> Mapping[str, Any]:
        """Return accuracy, AUROC of each class against the rest and others, with intervals."""
        from seqdl.evaluate.classes import class_intervals

        return class_intervals(target, scores, seed=seed)

    def gain(self, target: Array, first: Array, second: Array, *, seed: int) -> Mapping[str, Any]:
        """Return the paired difference in accuracy."""
        from seqdl.evaluate.classes import paired_difference

        return paired_difference(target, first, second, metrics=self.headline, seed=seed)

    def fit(self, codes: Codes, target: Floats, *, motifs: list[Motif] | None, seed: int) -> Mapping[str, Any]:
        """Fit logistic regressions on GC, on k-mers and, where all have one length, on the base at each position."""
        from seqdl.evaluate.class_baselines import fit_class_baselines

        return fit_class_baselines(codes, target.astype(np.int64), len(self.classes), seed=seed)


def yardstick(kind: str, classes: Sequence[str] = ()) -> Yardstick:
    """Return how a kind of target is measured: binary, multiclass or regression."""
    if kind == "multiclass":
        return ClassYardstick(tuple(classes))
    return NumberYardstick() if kind == "regression" else BinaryYardstick()
