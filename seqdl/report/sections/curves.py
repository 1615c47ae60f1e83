"""The predictions themselves: curves for two classes, a scatter for numbers, a confusion matrix for several classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from seqdl.evaluate.calibration import reliability
from seqdl.report import charts, number_charts
from seqdl.report.along_panels import along_curves
from seqdl.report.class_panels import class_section
from seqdl.report.facts import ALONG, BASELINES, two_classes
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import decimal, plural
from seqdl.report.section import Section
from seqdl.types import Floats

MOST_OUTPUTS = 6


def curves(run: RunFolder) -> Section:
    """Return the pictures made from predictions.tsv."""
    title = "The scores themselves"
    if run.task == "multiclass" or run.task in ALONG:
        return (along_curves if run.task in ALONG else class_section)(run, title)
    if run.predictions is None:
        return Section(
            "curves",
            title,
            absent="There is no predictions.tsv in this run folder, so no curve can be drawn. `seqdl evaluate` on this run writes it.",
        )
    scored = run.scored("test")
    if not scored:
        return Section("curves", title, absent="predictions.tsv holds no test example with a known target, so no curve can be drawn.")
    if run.task in ("regression", "counts"):
        return _numbers(title, scored, counts=run.task == "counts")
    drawn = [(name, target, prediction) for name, target, prediction in scored if two_classes(target)]
    if not drawn:
        words = (
            "The test targets are numbers or a single class, and ROC, "
            "precision and calibration need two classes; the measures above say how well they are predicted."
        )
        return Section("curves", title, absent=words)
    others = _baseline_curves(run) if len(scored) == 1 else []
    panels = [(name if len(scored) > 1 else "", _panel(target, prediction, others)) for name, target, prediction in drawn[:MOST_OUTPUTS]]
    _, target, _ = drawn[0]
    lede = (
        f"From {plural(len(target), 'test example')} in predictions.tsv, "
        f"{plural(int(target.sum()), 'positive')} among them. Rest the pointer on a mark for its numbers."
    )
    if len(drawn) > MOST_OUTPUTS:
        lede += f" The first {MOST_OUTPUTS} of {len(drawn)} outputs are drawn."
    legend = [("network", "network"), *[(curve.mark, curve.name) for curve in others]]
    return Section("curves", title, lede, {"panels": panels, "legend": legend})


def _numbers(title: str, scored: list[tuple[str, Floats, Floats]], *, counts: bool) -> Section:
    """Return a scatter and the residuals of every output; of counts those of their logarithms."""
    unit = "as log(1 + count)" if counts else "in the unit of the target"
    if counts:
        scored = [(name, np.log1p(target), np.log1p(prediction)) for name, target, prediction in scored]
    panels = []
    for name, target, prediction in scored[:MOST_OUTPUTS]:
        off = prediction - target
        drawn = min(len(target), number_charts.MOST_POINTS)
        some = f" {drawn:,} of {len(target):,} examples are drawn, at random." if drawn < len(target) else ""
        pictures = [
            ("Prediction against target", f"On the dashed line a prediction is the truth.{some}", number_charts.scatter(target, prediction)),
            (
                "How far off",
                f"Prediction minus target: mean {decimal(off.mean())}, standard deviation {decimal(off.std())}.",
                number_charts.residuals(target, prediction),
            ),
        ]
        panels.append((name if len(scored) > 1 else "", [(head, caption, Markup(picture)) for head, caption, picture in pictures]))
    lede = f"From {plural(len(scored[0][1]), 'test example')} in predictions.tsv, {unit}. Rest the pointer on a bar for its numbers."
    if len(scored) > MOST_OUTPUTS:
        lede += f" The first {MOST_OUTPUTS} of {len(scored)} outputs are drawn."
    return Section("curves", title, lede, {"panels": panels, "legend": []})


def _panel(target: Floats, prediction: Floats, others: list[charts.Curve]) -> list[tuple[str, str, Markup]]:
    """Return (title, caption, picture) for one output."""
    probability = bool(prediction.min() >= 0 and prediction.max() <= 1)
    lines = [charts.Curve("network", "network", target, prediction), *others]
    found = [
        (
            "ROC",
            "Positives found against negatives called, from strict to loose." + (" The dot is a threshold of 0.5." if probability else ""),
            charts.roc(lines, 0.5 if probability else None),
        ),
        ("Precision and recall", "How many of the calls are right, as more of the positives are found.", charts.precision_recall(lines)),
        ("Scores by class", "Positives upwards, negatives downwards, each as shares of its class.", charts.histogram(target, prediction)),
    ]
    if probability:
        found.append(
            (
                "Calibration",
                "On the diagonal, a prediction of 0.8 is right in 8 cases of 10. Larger dots hold more examples.",
                charts.calibration(reliability(target, prediction)),
            )
        )
    return [(title, caption, Markup(picture)) for title, caption, picture in found]


def _baseline_curves(run: RunFolder) -> list[charts.Curve]:
    """Return the baselines whose scores stand in predictions.tsv as baseline_NAME."""
    assert run.predictions is not None
    test = run.predictions[run.predictions["split"] == "test"]
    found = []
    for name, words in BASELINES.items():
        if f"baseline_{name}" in test and "target" in test:
            pair = test[["target", f"baseline_{name}"]].apply(pd.to_numeric, errors="coerce").dropna().to_numpy(dtype=float)
            if two_classes(pair[:, 0]):
                found.append(charts.Curve(words, name, pair[:, 0], pair[:, 1]))
    return found
