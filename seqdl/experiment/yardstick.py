"""How each kind of target is measured: its metrics, its baselines, its paired comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.evaluate.resampling import Measure
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task
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


class OneYardstick(Yardstick, Protocol):
    """What is asked of a kind of target that may come several at a time."""

    def counted(self, target: Array, scores: Array) -> Measure:
        """Return what measures targets and scores (N,) under any weighting of the examples."""


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

    def counted(self, target: Array, scores: Array) -> Measure:
        """Return what measures one output under any weighting of the examples."""
        from seqdl.evaluate.several import binary_measure

        return binary_measure(target, scores)


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

    def counted(self, target: Array, scores: Array) -> Measure:
        """Return what measures one output under any weighting of the examples."""
        from seqdl.evaluate.several import number_measure

        return number_measure(target, scores)


@dataclass(frozen=True)
class CountYardstick:
    """Counts: the correlation of their logarithms first."""

    headline: tuple[str, ...] = ("log_pearson", "spearman")

    def scores(self, predictions: pd.DataFrame) -> tuple[Array, Array]:
        """Return counts, and the counts that were expected."""
        return predictions["target"].to_numpy(dtype=np.float64), predictions["prediction"].to_numpy(dtype=np.float64)

    def measure(self, target: Array, scores: Array, *, seed: int) -> Mapping[str, Any]:
        """Return correlations and the deviance explained, with intervals."""
        from seqdl.evaluate.counts import count_intervals

        return count_intervals(target, scores, seed=seed)

    def gain(self, target: Array, first: Array, second: Array, *, seed: int) -> Mapping[str, Any]:
        """Return the paired difference in the correlations."""
        from seqdl.evaluate.counts import count_difference

        return count_difference(target, first, second, metrics=self.headline, seed=seed)

    def fit(self, codes: Codes, target: Floats, *, motifs: list[Motif] | None, seed: int) -> Mapping[str, Any]:
        """Fit ridge regressions of the logarithm on GC and on k-mers."""
        from seqdl.evaluate.number_baselines import fit_number_baselines

        return {name: LogBaseline(model) for name, model in fit_number_baselines(codes, np.log1p(target), seed=seed).items()}

    def counted(self, target: Array, scores: Array) -> Measure:
        """Return what measures one output under any weighting of the examples."""
        from seqdl.evaluate.counts import CountedCounts

        return CountedCounts(target, scores).measure


@dataclass(frozen=True)
class LogBaseline:
    """A model of log(1 + count), read as counts."""

    of: Any

    @property
    def detail(self) -> str:
        """What it is, in words for a reader."""
        return f"{self.of.detail}, of log(1 + count)"

    def predict(self, codes: Codes) -> Array:
        """Return the counts that are expected, (N,)."""
        return np.asarray(np.expm1(np.clip(self.of.predict(codes), 0.0, 700.0)))


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


@dataclass(frozen=True)
class SeveralYardstick:
    """Several outputs of one kind: the mean of their measures, and each beside it.

    Parameters
    ----------
    of : yardstick of one output
    outputs : tuple of str
        Their names.
    """

    of: OneYardstick
    outputs: tuple[str, ...]

    @property
    def headline(self) -> tuple[str, ...]:
        """The measures to lead with."""
        return self.of.headline

    def scores(self, predictions: pd.DataFrame) -> tuple[Array, Array]:
        """Return targets and predictions, (N, T)."""
        pairs = [self.of.scores(self._one(predictions, name)) for name in self.outputs]
        targets, scores = (np.stack(side, axis=1) for side in zip(*pairs, strict=True))
        return targets, scores

    def _one(self, predictions: pd.DataFrame, name: str) -> pd.DataFrame:
        """Return the columns of one output under the names that a single one has."""
        words = ("target", "prediction")
        return predictions[[f"{word}_{name}" for word in words]].set_axis(list(words), axis=1)

    def measures(self, target: Array, scores: Array) -> list[Measure]:
        """Return what measures each output."""
        return [self.of.counted(target[:, t], scores[:, t]) for t in range(target.shape[1])]

    def measure(self, target: Array, scores: Array, *, seed: int) -> Mapping[str, Any]:
        """Return the mean of every measure over the outputs, with intervals over examples."""
        from seqdl.evaluate.several import several_intervals

        return several_intervals(self.measures(target, scores), len(target), seed=seed).mean

    def per_output(self, target: Array, scores: Array, *, seed: int) -> dict[str, Any]:
        """Return output -> metric -> {"value", "low", "high"}."""
        from seqdl.evaluate.several import several_intervals

        return dict(zip(self.outputs, several_intervals(self.measures(target, scores), len(target), seed=seed).each, strict=True))

    def gain(self, target: Array, first: Array, second: Array, *, seed: int) -> Mapping[str, Any]:
        """Return the paired difference in the means over the outputs."""
        from seqdl.evaluate.several import several_difference

        sides = self.measures(target, first), self.measures(target, second)
        return several_difference(*sides, len(target), names=self.headline, seed=seed)

    def fit(self, codes: Codes, target: Floats, *, motifs: list[Motif] | None, seed: int) -> Mapping[str, Any]:
        """Fit the baselines of every output, (N, T)."""
        fitted = [self._fit_one(codes, target[:, t], motifs, seed=seed) for t in range(target.shape[1])]
        names = next((list(one) for one in fitted if one), [])
        return {name: SeveralBaseline(tuple(one.get(name) for one in fitted)) for name in names}

    def _fit_one(self, codes: Codes, target: Floats, motifs: list[Motif] | None, *, seed: int) -> Mapping[str, Any]:
        """Return the baselines of one output; none where training shows one class of it only."""
        try:
            return self.of.fit(codes, target, motifs=motifs, seed=seed)
        except DataError:
            return {}


@dataclass(frozen=True)
class SeveralBaseline:
    """One baseline an output; None where an output has none, which then scores 0.5 everywhere."""

    each: tuple[Any | None, ...]

    @property
    def detail(self) -> str:
        """What they are, in words for a reader."""
        details = [one.detail for one in self.each if one is not None]
        kind = str(details[0]).partition(" (")[0]
        return f"one an output: {kind if len(set(details)) > 1 else details[0]}"

    def predict(self, codes: Codes) -> Array:
        """Return scores of every output, (N, T)."""
        return np.stack([np.full(len(codes), 0.5) if one is None else one.predict(codes) for one in self.each], axis=1)


def yardstick(kind: str, outputs: Sequence[str] = ()) -> Yardstick:
    """Return how a kind of target is measured.

    Parameters
    ----------
    kind : str
        binary, multiclass, regression or counts.
    outputs : sequence of str
        Names of the classes, or of several outputs.
    """
    if kind == "multiclass":
        return ClassYardstick(tuple(outputs))
    one: OneYardstick = CountYardstick() if kind == "counts" else NumberYardstick() if kind == "regression" else BinaryYardstick()
    return SeveralYardstick(one, tuple(outputs)) if len(outputs) > 1 else one


def measured_as(task: Task, data: SequenceData) -> str:
    """Return the kind that `yardstick` goes by: that of the data, or counts where the task reads numbers as such."""
    from seqdl.tasks.counts import Counts

    return "counts" if isinstance(getattr(task, "reader", task), Counts) else data.kind
