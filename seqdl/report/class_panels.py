"""What is shown of a choice among classes: the confusion matrix, a row a class, one class against the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from seqdl.evaluate.calibration import reliability
from seqdl.report import charts
from seqdl.report.classes import ClassTable, class_scores, class_table
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import count, decimal, percent, plural
from seqdl.report.section import Section

MOST_CURVES = 6
"""Classes that get a curve of their own."""
MOST_COLUMNS = 20
"""Classes beyond this are left out of the confusion matrix, which would be a wall of digits."""


def class_section(run: RunFolder, title: str) -> Section:
    """Return how the classes are told apart."""
    table, scored = class_table(run), class_scores(run)
    if table is None:
        return Section(
            "curves",
            title,
            absent="Neither metrics.json nor predictions.tsv of this run folder says which class was taken for which on the test set.",
        )
    n = sum(sum(row) for row in table.confusion)
    lede = f"{plural(n, 'test example')} in {plural(len(table.names), 'class', 'classes')}; the call is the class with the highest probability."
    values: dict[str, Any] = {"legend": [], "panels": [], "confusion": confusion_rows(table), "classes": class_rows(table), "names": table.names}
    if scored is not None and len(scored[0]):
        target, probabilities = scored
        marks = {name: f"class{i}" for i, name in enumerate(table.names[:MOST_CURVES])}
        lines = [
            charts.Curve(name, mark, (target == i).astype(float), probabilities[:, i])
            for i, (name, mark) in enumerate(marks.items())
            if 0 < (target == i).sum() < len(target)
        ]
        pictures = []
        if lines:
            some = f" The first {MOST_CURVES} of {len(table.names)} classes are drawn." if len(table.names) > MOST_CURVES else ""
            caption = f"For each class: how many of its examples are found, and how many of all others called, from strict to loose.{some}"
            pictures.append(("One class against the rest", caption, Markup(charts.roc(lines, None))))
            values["legend"] = [(line.mark, line.name) for line in lines]
        if probabilities.min() >= 0 and probabilities.max() <= 1:
            right = (probabilities.argmax(axis=1) == target).astype(float)
            sure = reliability(right, probabilities.max(axis=1))
            caption = "On the diagonal, a call with a probability of 0.8 is right in 8 cases of 10. Larger dots hold more examples."
            picture = charts.calibration(sure, of="Probability of the call", share="Share of right calls", right="right")
            pictures.append(("How sure, and how right", caption, Markup(picture)))
        values["panels"] = [("", pictures)]
    return Section("curves", title, lede, values)


def confusion_rows(table: ClassTable) -> list[tuple[str, int, list[dict[str, Any]]]]:
    """Return (true class, its examples, cells) a row; a cell is shaded by its share of the row."""
    if len(table.names) > MOST_COLUMNS:
        return []
    rows = []
    for i, (name, counts) in enumerate(zip(table.names, table.confusion, strict=True)):
        total = sum(counts)
        cells = []
        for k, n in enumerate(counts):
            share = n / total if total else 0.0
            tip = f"{count(n)} of {plural(total, 'example')} of {name} called {table.names[k]}"
            cells.append({"n": n, "share": percent(share) if n else "", "strength": round(100 * float(np.sqrt(share))), "right": i == k, "tip": tip})
        rows.append((name, total, cells))
    return rows


def class_rows(table: ClassTable) -> list[tuple[str, str, list[str]]]:
    """Return (class, number of examples, recall, precision and AUROC in words) a row."""
    return [
        (str(row.get("name")), count(row.get("n")), [decimal(row.get(measure)) for measure in ("recall", "precision", "auroc")]) for row in table.rows
    ]
