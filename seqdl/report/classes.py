"""Which class is taken for which: read off metrics.json or, failing that, counted from predictions.tsv."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqdl.evaluate.classes import confusion_matrix, per_class
from seqdl.report.folder import RunFolder
from seqdl.types import Floats, Ints


@dataclass(frozen=True)
class ClassTable:
    """How the classes of a run are told apart on the test set.

    Attributes
    ----------
    names : list of str, (K,)
        The classes.
    confusion : list of list of int, (K, K)
        A row for each true class, a column for each call.
    rows : list of mapping
        A class each: name, n, recall, precision, auroc.
    """

    names: list[str]
    confusion: list[list[int]]
    rows: list[Mapping[str, Any]]


def class_table(run: RunFolder) -> ClassTable | None:
    """Return how the classes of a run are told apart; None where the run has none, or nothing says it."""
    if run.task != "multiclass":
        return None
    names = run.outputs
    confusion, rows = run.metrics.get("confusion"), run.metrics.get("per_class")
    if (
        isinstance(confusion, list)
        and _is_square(confusion, len(names))
        and isinstance(rows, list)
        and {str(row.get("name")) for row in rows} == set(names)
    ):
        return ClassTable(names, confusion, rows)
    scored = class_scores(run)
    if scored is None:
        return None
    target, probabilities = scored
    matrix = confusion_matrix(target, probabilities.argmax(axis=1), len(names))
    return ClassTable(names, matrix.tolist(), list(per_class(target, probabilities, names)))


def class_scores(run: RunFolder, split: str = "test") -> tuple[Ints, Floats] | None:
    """Return the numbers of the true classes (n,) and the probabilities (n, K) of one split; None where there are none."""
    table, names = run.predictions, run.outputs
    columns = [f"prediction_{name}" for name in names]
    if run.task != "multiclass" or table is None or "target" not in table or not set(columns) <= set(table.columns):
        return None
    number = {name: k for k, name in enumerate(names)}
    rows = table[table["split"] == split]
    target = rows["target"].astype(str).map(number)
    probabilities = rows[columns].apply(pd.to_numeric, errors="coerce")
    known = target.notna() & probabilities.notna().all(axis=1)
    if not known.any() or len(names) < 2:
        return None
    return target[known].to_numpy(dtype=np.int64), probabilities[known].to_numpy(dtype=np.float64)


def _is_square(matrix: list[Any], size: int) -> bool:
    return len(matrix) == size and all(isinstance(row, list) and len(row) == size for row in matrix)
