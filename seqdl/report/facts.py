"""What the sections and the verdict both need to know about a run, read off its files once and the same way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import pandas as pd

from seqdl.report.folder import RunFolder
from seqdl.report.numbers import Estimate, estimate, number
from seqdl.types import Floats

BASELINES = {
    "pwm": "best known motif",
    "kmer": "k-mer model",
    "position": "position model",
    "gc": "GC content",
    "codon": "reading-frame model",
    "context": "local k-mer model",
    "mean": "mean profile",
    "smoothing": "best smoothing",
    "input": "input signal",
    "centre": "window's middle",
    "real": "real, held out",
    **{f"markov{order}": f"order-{order} Markov chain" for order in range(6)},
    "positions": "bases by position",
    "dinucleotide_shuffle": "dinucleotide shuffle",
}
MEASURES = {
    "auroc": ("AUROC", "the chance that a random positive scores above a random negative; guessing gives 0.5"),
    "auprc": ("AUPRC", "average precision: how pure the top of the ranking is; guessing gives the share of positives"),
    "accuracy": ("accuracy", "share of right calls at a threshold of 0.5"),
    "mcc": ("MCC", "Matthews correlation of calls and truth, −1 to 1; guessing gives 0"),
    "f1": ("F1", "harmonic mean of precision and recall at a threshold of 0.5"),
    "brier": ("Brier score", "mean squared error of the probabilities; lower is better"),
    "log_loss": ("log loss", "cross-entropy of the probabilities; lower is better"),
    "ece": ("calibration error", "mean gap between predicted probability and observed share; lower is better"),
    "pearson": ("Pearson r", "linear correlation of prediction and truth"),
    "spearman": ("Spearman ρ", "rank correlation of prediction and truth"),
    "r2": ("R²", "share of the variance that is explained"),
    "rmse": ("RMSE", "root of the mean squared error, in the unit of the target; lower is better"),
    "mae": ("mean error", "mean absolute error, in the unit of the target; lower is better"),
    "balanced_accuracy": ("balanced accuracy", "mean of the recall of each class, however many examples it has"),
    "macro_auroc": ("mean AUROC", "of each class against the rest; guessing gives 0.5"),
    "macro_f1": ("mean F1", "harmonic mean of precision and recall, averaged over the classes"),
    "mse": ("mean squared error", "lower is better"),
    "perplexity": ("perplexity", "2 to the bits per base: among how many bases a choice is left; 4 is guessing"),
    "bits_per_base": ("bits per base", "lower is better; 2 is guessing"),
    "iou": ("IoU", "overlap of call and truth: the bases of both over the bases of either, 0 to 1"),
    "log_pearson": ("Pearson r of logs", "linear correlation of log(1 + value), predicted and true"),
    "deviance_explained": ("deviance explained", "share of the Poisson deviance from the mean that the prediction takes away"),
    "profile_pearson": ("r within windows", "linear correlation along a window, averaged over windows; a flat prediction gets 0"),
    "jsd": ("Jensen-Shannon distance", "between the predicted and the true profile of a window, 0 to 1; lower is better"),
    "within_10": ("found within 10 bp", "share of the sites whose predicted place is 10 bp or less away"),
    "kmer_auroc": ("AUROC of 4-mers", "the chance that a fresh 4-mer model scores a sample above a real sequence; 0.5, not told apart, is best"),
    "cnn_auroc": ("AUROC of a CNN", "the same of a fresh network; 0.5 is best"),
    "js_6": ("6-mer divergence", "Jensen-Shannon divergence from the 6-mers of real sequences, in bits; lower is better"),
    "median_distance": ("median distance", "between predicted and true place, in bp; lower is better"),
}
LEADING = {
    "binary": ("auroc", "auprc"),
    "regression": ("pearson", "spearman"),
    "multiclass": ("accuracy", "macro_auroc"),
    "counts": ("log_pearson", "spearman"),
    "segmentation": ("auroc", "auprc"),
    "profile": ("profile_pearson", "log_pearson", "jsd"),
    "enhancement": ("pearson", "log_pearson"),
    "localisation": ("within_10", "median_distance", "iou"),
}
"""The measures a page leads with; the first is the one a network is judged by."""
UP_IS_WORSE = frozenset({"brier", "log_loss", "ece", "mse", "mae", "rmse", "bits_per_base", "loss", "jsd", "median_distance"}) | {
    "kmer_auroc",
    "cnn_auroc",
    "js_6",
}
ALONG = frozenset({"segmentation", "profile", "enhancement", "localisation"})
"""Tasks whose truth lies along the sequence."""
NUMBERS = frozenset({"regression", "counts", *ALONG})
"""Tasks whose predictions of an example are numbers, and no probability of a class."""
UNNAMED = frozenset({"target", "positive", "label", "y"})
"""Names of outputs that say nothing."""
NEGATIVES = {
    "gc": "windows of the genome matched for GC content",
    "dinuc": "dinucleotide shuffles of the positives",
    "genomic": "random windows of the genome",
    "flank": "the flanks of the positives",
}


def label_of(measure: str) -> str:
    """Return how the page writes the name of a measure."""
    return MEASURES.get(measure, (measure.replace("_", " "), ""))[0]


def meaning_of(run: RunFolder, measure: str) -> str:
    """Return what a measure is, in words."""
    if measure == "accuracy" and run.metrics.get("family") == "autoencoder":
        return "share of the bases that are given back"
    if measure == "accuracy" and run.task == "multiclass":
        return "share of right calls; guessing, here and below, is to name the largest class every time"
    return MEASURES.get(measure, ("", ""))[1]


def judged_by(run: RunFolder) -> str | None:
    """Return the measure by which the network is held against its baselines; None where the task has none."""
    if is_binary(run):
        return "auroc"
    return LEADING[run.task][0] if run.task in LEADING else None


def guess(run: RunFolder, measure: str) -> float | None:
    """Return what guessing reaches; None where there is nothing to say."""
    if measure == "auprc" and run.task != "segmentation":
        outcome = calls(run)
        return outcome.prevalence if outcome else None
    if measure == "accuracy" and run.task == "multiclass":
        n = list(class_counts(run).get("test", {}).values())
        total = sum(n)
        return max(n) / total if len(n) > 1 and total else None
    if measure == "auprc" and run.task == "segmentation":
        return labelled_share(run)
    return {"auroc": 0.5, "macro_auroc": 0.5, "pearson": 0.0, "spearman": 0.0, "log_pearson": 0.0, "profile_pearson": 0.0}.get(measure)


def labelled_share(run: RunFolder) -> float | None:
    """Return the share of the test bases that have a label, averaged over the labels."""
    row = dict((run.metrics.get("n_bases") or {}).get("test") or {})
    whole = number(row.pop("all", None))
    return float(np.mean([float(n) for n in row.values()])) / whole if whole and row else None


def score(run: RunFolder, measure: str, split: str = "test") -> Estimate | None:
    """Return a measure of the network on a split (``val``, ``test``, ``test_leak_free``)."""
    return estimate((run.metrics.get(split) or {}).get(measure))


def baselines(run: RunFolder, measure: str) -> dict[str, Estimate]:
    """Return a measure of each baseline that has it, best first."""
    found = {}
    for name, entry in (run.metrics.get("baselines") or {}).items():
        value = estimate(entry.get(measure)) if isinstance(entry, dict) else None
        if value is not None:
            found[str(name)] = value
    return dict(sorted(found.items(), key=lambda item: item[1].value, reverse=measure not in UP_IS_WORSE))


def gain_over(run: RunFolder, baseline: str, measure: str) -> Estimate | None:
    """Return a measure of the network less that of a baseline, on the same resamples of the same examples."""
    entry = (run.metrics.get("baselines") or {}).get(baseline)
    gains = entry.get("network_minus_this") if isinstance(entry, dict) else None
    return estimate(gains.get(measure)) if isinstance(gains, dict) else None


def headline_measures(run: RunFolder) -> list[str]:
    """Return the one or two measures the page leads with."""
    test = run.metrics.get("test") or {}
    defined = [name for name in test if estimate(test[name]) is not None]
    first = [name for name in run.metrics.get("headline") or LEADING.get(run.task, LEADING["binary"]) if name in defined]
    return first or [name for name in defined if baselines(run, name)][:2] or defined[:1]


def is_binary(run: RunFolder) -> bool:
    """Tell whether the run separates two classes with one output."""
    if run.task:
        return run.task == "binary"
    return bool(run.scored()) and two_classes(run.scored()[0][1])


def two_classes(target: Floats) -> bool:
    """Tell whether the targets hold both 0 and 1 and nothing else."""
    return set(np.unique(target).tolist()) == {0.0, 1.0}


def class_counts(run: RunFolder) -> dict[str, dict[str, int]]:
    """Return split -> class -> number of examples, from metrics.json or, failing that, from examples.tsv."""
    stated = run.metrics.get("n")
    if isinstance(stated, dict) and stated:
        return {
            str(split): {str(name): int(n) for name, n in entry.items() if number(n) is not None}
            if isinstance(entry, dict)
            else {"examples": int(entry)}
            for split, entry in stated.items()
        }
    table = run.examples
    if table is None:
        return {}
    columns = [column for column in ("target", *run.outputs) if column in table.columns]
    if run.task == "multiclass" and columns:
        return {
            str(split): {str(name): int(n) for name, n in table.loc[rows, columns[0]].astype(str).value_counts(sort=False).items()}
            for split, rows in table.groupby("split").groups.items()
        }
    if not columns or not two_classes(pd.to_numeric(table[columns[0]], errors="coerce").dropna().to_numpy(dtype=np.float64)):
        return {str(split): {"examples": int(n)} for split, n in table["split"].value_counts().items()}
    positive = pd.to_numeric(table[columns[0]], errors="coerce") == 1
    return {
        str(split): {"positives": int(positive[rows].sum()), "negatives": int((~positive[rows]).sum())}
        for split, rows in table.groupby("split").groups.items()
    }


def steps(run: RunFolder) -> int | None:
    """Return the number of optimiser steps taken."""
    if run.log is None or "step" not in run.log:
        return None
    taken = pd.to_numeric(run.log["step"], errors="coerce").max()
    return None if pd.isna(taken) else int(taken)


def best_epoch(log: pd.DataFrame) -> float | None:
    """Return the epoch with the best card of samples, bound, AUROC, correlation, or loss on validation: the first of these that there is."""
    for column, largest in (
        ("val_card", False),
        ("val_elbo_loss", False),
        ("val_auroc", True),
        ("val_pearson", True),
        ("val_log_pearson", True),
        ("val_loss", False),
    ):
        values = pd.to_numeric(log[column], errors="coerce") if column in log else pd.Series(dtype=float)
        if values.notna().any() and "epoch" in log:
            return float(log["epoch"].iloc[int((values if largest else -values).argmax())])
    return None


def negatives_kind(run: RunFolder) -> str:
    """Return ``gc``, ``dinuc``, ``genomic``, ``flank``, ``file``, or empty where the config does not say."""
    data = run.section("data")
    given = data.get("negatives")
    if given is None:
        return "gc" if data.get("peaks") else ""  # what a BED of peaks gets by default
    return str(given) if str(given) in NEGATIVES else "file"


def baseline_detail(run: RunFolder, name: str) -> str:
    """Return what a baseline is, in the words of who fitted it."""
    entry = (run.metrics.get("baselines") or {}).get(name)
    return str(entry.get("detail") or "") if isinstance(entry, dict) else ""


def subject(run: RunFolder) -> str:
    """Return what the run is about: its outputs, or the file its positives came from."""
    names = [name for name in run.outputs if name not in UNNAMED]
    if names:
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    data = run.section("data")
    for key in ("peaks", "fasta", "table", "labels", "signal", "regions"):
        given = data.get(key)
        first = given[0] if isinstance(given, list) and given else given
        if isinstance(first, str):
            return PurePath(first).name.split(".")[0]
    return run.path.resolve().name


def quantity(run: RunFolder) -> str:
    """Return the name of the number that is predicted: the output, or the column of the table it came from."""
    columns = run.section("data").get("target_columns") or []
    names = [str(name) for name in [*run.outputs, *(columns if isinstance(columns, list) else [columns])] if str(name) not in UNNAMED]
    return names[0].replace("_", " ") if names else "the target"


@dataclass(frozen=True)
class Calls:
    """How the network's calls at a threshold of .5 fall on the test set.

    Attributes
    ----------
    found : float
        Share of the positives that are called.
    false_alarms : float
        Share of the negatives that are called.
    prevalence : float
        Share of positives in the test set.
    """

    found: float
    false_alarms: float
    prevalence: float

    def precision_at(self, prevalence: float) -> float:
        """Return the share of calls that would be right where positives have this prevalence."""
        right, wrong = self.found * prevalence, self.false_alarms * (1 - prevalence)
        return right / (right + wrong) if right + wrong else float("nan")


def calls(run: RunFolder) -> Calls | None:
    """Return the network's calls on the test set, for a binary run with predictions."""
    if not is_binary(run) or len(run.outputs) > 1 or not run.scored():
        return None
    _, target, prediction = run.scored()[0]
    if not two_classes(target):
        return None
    called, positive = prediction >= 0.5, target == 1
    return Calls(float(called[positive].mean()), float(called[~positive].mean()), float(positive.mean()))
