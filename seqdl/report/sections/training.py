"""How the training went."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from seqdl.report import charts
from seqdl.report.facts import best_epoch, label_of, steps
from seqdl.report.folder import RunFolder
from seqdl.report.game import game_figures, legend_of
from seqdl.report.numbers import duration, number, plural
from seqdl.report.section import Figure, Section
from seqdl.types import Floats

FOLLOWED = ("auroc", "pearson", "log_pearson", "profile_pearson", "within_10", "accuracy")
"""Measures that log.csv may follow on the validation set; the first that it has is drawn."""


def training(run: RunFolder) -> Section:
    """Return the loss, and the measure that was followed on the validation set, over the epochs."""
    title = "How it was trained"
    log = run.log
    if log is None or "epoch" not in log or log.empty:
        return Section("training", title, absent="There is no log of the epochs in this run folder (log.csv), so the training cannot be shown.")
    epochs = pd.to_numeric(log["epoch"]).to_numpy(dtype=np.float64)
    best = best_epoch(log)
    figures = game_figures(log, epochs, best) if charts.column(log, "val_gap") is not None else _learning(log, epochs, best)
    if not figures:
        return Section("training", title, absent="log.csv holds no loss and no validation score, so the training cannot be shown.")
    words = [plural(len(epochs), "epoch")]
    taken = steps(run)
    if taken is not None:
        words.append(plural(taken, "step"))
    if number(run.manifest.get("seconds")) is not None:
        words.append(f"{duration(run.manifest['seconds'])} in all")
    if run.manifest.get("device") not in (None, "", "auto"):
        words.append(f"on {run.manifest['device']}")
    lede = ", ".join(words) + "." + (f" Epoch {best:g} was the best on the validation set and was kept." if best is not None else "")
    facts = [(name, _plain(value)) for part in ("model", "task", "training") for name, value in run.section(part).items()]
    return Section("training", title, lede, {"figures": figures, "options": facts})


def _learning(log: pd.DataFrame, epochs: Floats, best: float | None) -> list[Figure]:
    """Return the loss, and the measure that was followed."""
    figures = []
    found = (("training", "pale", charts.column(log, "train_loss")), ("validation", "network", charts.column(log, "val_loss")))
    losses = {name: (mark, values) for name, mark, values in found if values is not None}
    if losses:
        words = "Where training keeps falling while validation rises, the network memorises."
        figures.append(Figure("Loss", words, Markup(charts.history(epochs, losses, best, y_label="Loss")), legend_of(losses)))
    measure = next((name for name in FOLLOWED if charts.column(log, f"val_{name}") is not None), None)
    followed = charts.column(log, f"val_{measure}") if measure else None
    if measure and followed is not None:
        label = label_of(measure)
        picture = charts.history(epochs, {"validation": ("network", followed)}, best, y_label=f"{label[0].upper()}{label[1:]}")
        figures.append(Figure(f"Validation {label}", "The epoch with the dashed line was kept.", Markup(picture)))
    return figures


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
