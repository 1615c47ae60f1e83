"""Pictures of all predictions along the sequence together: bases of a label, totals of a signal, distances of a site."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from seqdl.evaluate.calibration import reliability
from seqdl.report import charts, number_charts
from seqdl.report.along import Along, read_along
from seqdl.report.facts import two_classes
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import plural
from seqdl.report.section import Section
from seqdl.types import Floats

MOST_BASES = 60_000
"""Bases that curves are drawn from; of more every second, third ... is taken."""
MOST_OUTPUTS = 6

Panel = list[tuple[str, str, Markup]]


def along_curves(run: RunFolder, title: str) -> Section:
    """Return the pictures of a task along the sequence."""
    found = read_along(run)
    absent = "There is no predictions.npz in this run folder, so no curve can be drawn. Training again writes it."
    if found is None or not found.names:
        return Section("curves", title, absent=absent)
    if run.task == "segmentation":
        panels = [(name, _labels(found, t)) for t, name in enumerate(found.outputs[:MOST_OUTPUTS])]
        lede = f"From the bases of {plural(len(found.names), 'test window')} in predictions.npz. Rest the pointer on a mark for its numbers."
    else:
        panels = [(name, _numbers(run, truth, guess)) for name, truth, guess in run.scored("test")[:MOST_OUTPUTS]]
        lede = f"From {plural(len(found.names), 'test window')} in predictions.tsv. Rest the pointer on a bar for its numbers."
    panels = [(name if len(panels) > 1 else "", panel) for name, panel in panels if panel]
    if not panels:
        return Section("curves", title, absent="The test windows show one class only, and no curve can be drawn of that.")
    return Section("curves", title, lede, {"panels": panels, "legend": []})


def _labels(found: Along, t: int) -> Panel:
    """Return ROC, precision and recall, and calibration of one label over bases."""
    step = truth_step(found)
    truth, guess = (values[:, t].ravel()[::step].astype(np.float64) for values in (found.target, found.prediction))
    known = np.isfinite(guess)
    truth, guess = truth[known], guess[known]
    target = (truth > 0).astype(np.float64)
    if not two_classes(target):
        return []
    some = f" One base of {step} is drawn." if step > 1 else ""
    curve = [charts.Curve("network", "network", target, guess)]
    pictures = [
        ("ROC", f"Labelled bases found against other bases called, from strict to loose.{some}", charts.roc(curve)),
        ("Precision and recall", "How many of the called bases have the label, as more of them are found.", charts.precision_recall(curve)),
        (
            "Calibration",
            "On the diagonal, 8 of 10 bases with a prediction of 0.8 have the label. Larger dots hold more bases.",
            charts.calibration(reliability(target, np.clip(guess, 0, 1)), share="Share of labelled bases", right="labelled"),
        ),
        ("Scores by class", "Labelled bases upwards, others downwards, each as shares of their own.", charts.histogram(target, guess)),
    ]
    return [(title, caption, Markup(picture)) for title, caption, picture in pictures]


def truth_step(found: Along) -> int:
    """Return of how many bases one is drawn."""
    return max(1, found.target[:, 0].size // MOST_BASES)


def _numbers(run: RunFolder, truth: Floats, guess: Floats) -> Panel:
    """Return a scatter of totals on the scale of their logarithm, or how far off places are."""
    if run.task == "localisation":
        caption = "Predicted minus true place (bp), in the direction of reading."
        return [("How far off", caption, Markup(number_charts.residuals(truth, guess)))]
    logs = [np.log1p(np.maximum(values, 0.0)) for values in (truth, guess)]
    return [
        ("Totals of windows", "log(1 + total); on the dashed line a prediction is the truth.", Markup(number_charts.scatter(*logs))),
        ("How far off", "log(1 + total), prediction minus target.", Markup(number_charts.residuals(*logs))),
    ]
