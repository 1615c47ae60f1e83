"""Predictions along the sequence: a few test windows, chosen by rule."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from seqdl.report.along import Along, Stretch, read_along, stretches
from seqdl.report.along_charts import label_track, profile_track
from seqdl.report.facts import ALONG
from seqdl.report.folder import RunFolder
from seqdl.report.section import Section

MOST_OUTPUTS = 3


def along(run: RunFolder) -> Section | None:
    """Return tracks of a few test windows; None for a task that predicts one thing of a whole sequence."""
    if run.task not in ALONG:
        return None
    title = "Along the sequence"
    found = read_along(run)
    shown = [] if found is None else stretches(run, found)
    if found is None or not shown:
        return Section("along", title, absent="There is no predictions.npz in this run folder, or no window in it that shows anything.")
    outputs = found.outputs[:MOST_OUTPUTS]
    tracks = [
        (one.place, one.words + (f", {name}" if len(found.outputs) > 1 else ""), _picture(run, found, one, t=t))
        for one in shown
        for t, name in enumerate(outputs)
    ]
    lede = f"Windows of the test set, chosen by a rule and not by looks: all are ranked by {_measure(run)}, and three of the ranks are drawn."
    if len(found.outputs) > MOST_OUTPUTS:
        lede += f" The first {MOST_OUTPUTS} of {len(found.outputs)} outputs are drawn."
    return Section("along", title, lede, {"tracks": tracks, "legend": _legend(run, found)})


def _measure(run: RunFolder) -> str:
    if run.task == "segmentation":
        return "the share of bases called right, of windows that hold a border of a label"
    return (
        "how near the likeliest base lies to the site"
        if run.task == "localisation"
        else "the correlation of prediction and measurement along the window"
    )


def _legend(run: RunFolder, found: Along) -> list[tuple[str, str]]:
    truth = "labels" if run.task in ("segmentation", "localisation") else "measured"
    return [("measured", truth), ("network", "predicted"), *([("gc", "input")] if found.input is not None else [])]


def _picture(run: RunFolder, found: Along, one: Stretch, *, t: int) -> Markup:
    """Return the track of one output over a stretch."""
    target, prediction = (np.concatenate([values[row, t] for row in one.rows]) for values in (found.target, found.prediction))
    if run.task in ("segmentation", "localisation"):
        place = float(prediction.argmax()) if run.task == "localisation" else None
        return Markup(label_track(target, prediction, start=one.start, place=place))
    given = None if found.input is None else np.concatenate([found.input[row].mean(axis=0) for row in one.rows])
    return Markup(profile_track(target, prediction, start=one.start, given=given))
