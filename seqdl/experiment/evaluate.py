"""The numbers of a run: metrics with intervals, baselines beside them, the leak-free part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.experiment.yardstick import Yardstick, yardstick

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.motif.motif import Motif
    from seqdl.types import Codes, Ints

MOST_BASELINE_ROWS = 60_000
HEADINGS = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "macro_auroc": "mean AUROC",
    "pearson": "Pearson r",
    "spearman": "Spearman r",
    "bits_per_base": "bits per base",
    "log_pearson": "Pearson r of logs",
    "profile_pearson": "r within windows",
    "within_10": "within 10 bp",
    "median_distance": "median distance",
}


class Evaluation(dict[str, Any]):
    """Metrics by name, each {"value", "low", "high"}; prints as a table."""

    def __str__(self) -> str:
        """Return one line a metric."""
        width = max((len(name) for name in self), default=0)
        return "\n".join(f"{name:<{width}}  {number(entry)}" for name, entry in self.items())


def number(entry: Mapping[str, Any]) -> str:
    """Return a value with its interval as text.

    Examples
    --------
    >>> number({"value": 0.93, "low": 0.912, "high": 0.95}), number({"value": None})
    ('0.930 (0.912-0.950)', 'undefined')
    """
    if entry.get("value") is None:
        return "undefined"
    if entry.get("low") is None:
        return f"{entry['value']:.3f}"
    return f"{entry['value']:.3f} ({entry['low']:.3f}-{entry['high']:.3f})"


def evaluate_predictions(predictions: pd.DataFrame, by: Yardstick, *, leaky: ArrayLike | None = None, seed: int = 0) -> dict[str, Any]:
    """Measure a predictions table by split.

    Parameters
    ----------
    predictions : DataFrame
        id, split, target, prediction, logit.
    by : Yardstick
        How this kind of target is measured.
    leaky : bool array (N,), optional
        Which rows are leaks, and so left out of "test_leak_free".
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        "val", "test" and, with `leaky`, "test_leak_free": metric -> {"value", "low", "high"}.
    """
    found: dict[str, Any] = {}
    split = predictions["split"].to_numpy()
    parts = {name: split == name for name in ("val", "test")}
    if leaky is not None:
        parts["test_leak_free"] = parts["test"] & ~np.asarray(leaky)
    for name, rows in parts.items():
        found[name] = dict(by.measure(*by.scores(predictions[rows]), seed=seed)) if rows.any() else {}
    return found


def evaluate_baselines(
    data: SequenceData, predictions: pd.DataFrame, by: Yardstick, *, motifs: list[Motif] | None = None, seed: int = 0
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Fit the baselines on the training split and hold the network against them on the test split.

    Parameters
    ----------
    data : SequenceData
    predictions : DataFrame
        The network's, in the order of `SequenceData.held_out_rows`.
    by : Yardstick
    motifs : list of Motif, optional
        Candidates for the best known motif.
    seed : int

    Returns
    -------
    entries : dict
        Baseline -> its headline metrics, "detail", and "network_minus_this": by how much the network is better on the
        same resamples of the same examples.
    scores : dict
        Baseline -> its scores of the validation and the test split, in the order of `predictions`.
    """
    rows, held_out = baseline_rows(data, seed), data.held_out_rows()
    targets = data.targets()[rows]
    targets = targets if targets.shape[1] > 1 else targets[:, 0]
    baselines = dict(by.fit(data.codes[rows], targets, motifs=motifs, seed=seed))
    scores = {name: np.asarray(baseline.predict(data.codes[held_out])) for name, baseline in baselines.items()}
    test = (predictions["split"] == "test").to_numpy()
    if data.context and not test.all():
        inner = by.fit(data.codes[rows][:, data.context : -data.context], targets, motifs=motifs, seed=seed)
        val_target, lead = by.scores(predictions[~test])[0], by.headline[0]
        for name in [name for name in inner if name != "gc"]:  # GC content is a shortcut, of whatever the network reads
            window = Inner(inner[name], data.context)
            read = window.predict(data.codes[held_out])
            reached = [by.measure(val_target, one[~test], seed=0)[lead]["value"] for one in (scores[name], read)]
            if None not in reached and reached[1] >= reached[0]:
                baselines[name], scores[name] = window, read
    target, network = by.scores(predictions[test])
    entries: dict[str, Any] = {}
    for name, baseline in baselines.items():
        measured = by.measure(target, scores[name][test], seed=seed)
        entries[name] = {metric: measured[metric] for metric in by.headline} | {"detail": baseline.detail}
        entries[name]["network_minus_this"] = dict(by.gain(target, network, scores[name][test], seed=seed))
    return entries, scores


@dataclass(frozen=True)
class Inner:
    """A baseline that reads a window without what surrounds it.

    Attributes
    ----------
    of : baseline
        Fitted to the windows.
    context : int
        Bases at either end that are left out (bp).
    """

    of: Any
    context: int

    @property
    def detail(self) -> str:
        """What it is, in words for a reader."""
        return f"{self.of.detail}, of the window without its surroundings"

    def predict(self, codes: Codes) -> NDArray[Any]:
        """Return what the baseline says of codes (N, L)."""
        return np.asarray(self.of.predict(codes[:, self.context : codes.shape[1] - self.context]))


def baseline_rows(data: SequenceData, seed: int) -> Ints:
    """Return the training rows the baselines are fitted on: all, or of very many a draw that keeps the positives."""
    rows = data.rows("train")
    if len(rows) <= MOST_BASELINE_ROWS:
        return rows
    rng = np.random.default_rng(seed)
    if data.kind != "binary":
        return np.sort(rng.choice(rows, MOST_BASELINE_ROWS, replace=False))
    positive = (data.targets()[rows] > 0).any(axis=1)
    n = max(int(positive.sum()), MOST_BASELINE_ROWS - int(positive.sum()))
    drawn = rng.choice(rows[~positive], min(n, int((~positive).sum())), replace=False)
    return np.sort(np.concatenate([rows[positive], drawn]))


def comparison(metrics: Mapping[str, Any]) -> str:
    """Return the network beside its baselines as a small table for the terminal."""
    shown = metrics.get("headline") or yardstick(str(metrics.get("task") or "binary"), metrics.get("outputs") or ()).headline
    rows = [("network", metrics["test"], "")]
    rows += [(name, entry, str(entry.get("detail", ""))) for name, entry in (metrics.get("baselines") or {}).items()]
    width = max(len(name) for name, _, _ in rows)
    lines = ["  ".join([f"{'':{width}}", *(f"{HEADINGS.get(metric, metric):<20}" for metric in shown)])]
    for name, entry, detail in rows:
        lines.append("  ".join([f"{name:{width}}", *(f"{number(entry.get(metric) or {}):<20}" for metric in shown), detail]).rstrip())
    return "\n".join(lines)
