"""The numbers of a run: metrics with intervals, baselines beside them, the leak-free part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.evaluate.baselines import fit_baselines
from seqdl.evaluate.bootstrap import paired_difference, with_intervals

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.motif.motif import Motif
    from seqdl.types import Ints

MOST_BASELINE_ROWS = 60_000
BASELINE_METRICS = ("auroc", "auprc")


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


def evaluate_predictions(predictions: pd.DataFrame, *, leaky: ArrayLike | None = None, seed: int = 0) -> dict[str, Any]:
    """Measure a predictions table by split.

    Parameters
    ----------
    predictions : DataFrame
        id, split, target, prediction, logit.
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
        part = predictions[rows]
        found[name] = dict(with_intervals(part["target"].to_numpy(), part["prediction"].to_numpy(), seed=seed)) if len(part) else {}
    return found


def evaluate_baselines(data: SequenceData, motifs: list[Motif] | None, *, seed: int = 0) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Fit the baselines on the training split and measure them on the test split.

    Parameters
    ----------
    data : SequenceData
    motifs : list of Motif or None
        Candidates for the best known motif.
    seed : int

    Returns
    -------
    entries : dict
        Baseline -> {"auroc": {...}, "auprc": {...}, "detail": str}.
    scores : dict
        Baseline -> its scores of the validation and the test split, in the order of `held_out_rows`.
    """
    rows = baseline_rows(data, seed)
    baselines = fit_baselines(data.codes[rows], data.targets()[rows, 0], motifs=motifs, seed=seed)
    entries: dict[str, Any] = {}
    held_out = data.held_out_rows()
    in_test = (data.examples["split"].to_numpy() == "test")[held_out]
    scores = {name: baseline.predict(data.codes[held_out]) for name, baseline in baselines.items()}
    for name, baseline in baselines.items():
        measured = with_intervals(data.targets("test")[:, 0], scores[name][in_test], seed=seed)
        entries[name] = {metric: measured[metric] for metric in BASELINE_METRICS} | {"detail": baseline.detail}
    return entries, scores


def add_differences(baselines: dict[str, Any], scores: Mapping[str, NDArray[np.float64]], predictions: pd.DataFrame, *, seed: int = 0) -> None:
    """Add to each baseline by how much the network is better on the same test examples: "network_minus_this".

    Parameters
    ----------
    baselines : dict
        From `evaluate_baselines`; changed in place.
    scores : dict
        From `evaluate_baselines`.
    predictions : DataFrame
        The network's, in the order of `SequenceData.held_out_rows`.
    seed : int
    """
    test = (predictions["split"] == "test").to_numpy()
    target, network = predictions["target"].to_numpy()[test], predictions["prediction"].to_numpy()[test]
    for name, entry in baselines.items():
        entry["network_minus_this"] = dict(paired_difference(target, network, scores[name][test], seed=seed))


def baseline_rows(data: SequenceData, seed: int) -> Ints:
    """Return the training rows the baselines are fitted on: all, or of very many negatives a draw."""
    rows = data.rows("train")
    if len(rows) <= MOST_BASELINE_ROWS:
        return rows
    positive = data.targets()[rows, 0] > 0
    n = max(int(positive.sum()), MOST_BASELINE_ROWS - int(positive.sum()))
    drawn = np.random.default_rng(seed).choice(rows[~positive], min(n, int((~positive).sum())), replace=False)
    return np.sort(np.concatenate([rows[positive], drawn]))


def comparison(metrics: Mapping[str, Any]) -> str:
    """Return the network beside its baselines as a small table for the terminal."""
    rows = [("network", metrics["test"], "")]
    rows += [(name, entry, str(entry.get("detail", ""))) for name, entry in (metrics.get("baselines") or {}).items()]
    lines = [f"{'':8}  {'AUROC':<20}  {'AUPRC':<20}"]
    lines += [
        f"{name:8}  {number(entry.get('auroc') or {}):<20}  {number(entry.get('auprc') or {}):<20}  {detail}".rstrip() for name, entry, detail in rows
    ]
    return "\n".join(lines)
