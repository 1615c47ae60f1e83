"""How much each network of an ensemble counts, by the validation split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqdl.experiment.calibrate import keep_in_checkpoint
from seqdl.tasks.ensemble import Ensemble

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.tasks.base import Task
    from seqdl.types import Floats

LEAST_ROWS = 50
"""Validation examples below which all networks count the same."""


def weigh_members(task: Task, data: SequenceData, path: Path, *, device: str) -> None:
    """Set the weights of an ensemble's members, and keep them in the checkpoint at `path`; other tasks stay as they are.

    For yes or no, logits are brought to one scale, so that no network counts more for being surer of itself: on validation sets of Reb1 and NFE2
    (one fold and seed) eight members had an AUROC of .947 and .9947 so, .944 and .9944 as they were, and weights fitted by logistic regression
    gained nothing over it. For numbers the weights are fitted by least squares, none below zero, which also stretches predictions that keep too
    near to the mean: networks differ more there in how good they are.

    Parameters
    ----------
    task : Task
        Trained; weighed in place.
    data : SequenceData
    path : Path
        The checkpoint of the same weights.
    device : str
    """
    from seqdl.experiment.predict import data_logits

    rows = data.rows("val")
    numbers = "regression" in task.serves
    if not isinstance(task, Ensemble) or len(rows) < LEAST_ROWS or not (numbers or task.two_classes):
        return
    logits = np.stack([data_logits(member, data, rows, device=device) for member in task.tasks]).astype(np.float64)  # (M, N, T)
    if numbers:
        weights, lines = zip(*(fit_weights(logits[:, :, t], truth) for t, truth in enumerate(data.truth()[rows].T)), strict=True)
        task.weigh(np.stack(weights, axis=1))
        task.calibrate(*np.array(lines).T)
    else:
        task.weigh(1 / np.maximum(logits.std(axis=1), 1e-6))
    keep_in_checkpoint(task, path)


def fit_weights(predictions: Floats, truth: Floats) -> tuple[Floats, tuple[float, float]]:
    """Return weights that add up to 1, none below zero, and the line that brings what they give to the truth.

    Parameters
    ----------
    predictions : array, (M, N)
        Of M networks.
    truth : array, (N,)
        NaN where it is not known.

    Returns
    -------
    weights : array, (M,)
    line : (float, float)
        Scale and shift.

    Examples
    --------
    >>> truth = np.array([0.0, 1.0, 2.0, 3.0])
    >>> weights, (scale, shift) = fit_weights(np.stack([truth / 2 + 1, [1.0, 0.0, 0.0, 1.0]]), truth)
    >>> weights.round(6).tolist(), round(scale, 6), round(shift, 6)
    ([1.0, 0.0], 2.0, -2.0)
    """
    from scipy.optimize import nnls

    known = np.isfinite(truth)
    predictions, truth = predictions[:, known], truth[known]
    centres, mean = predictions.mean(axis=1), truth.mean()
    found, _ = nnls((predictions - centres[:, None]).T, truth - mean)
    total = float(found.sum())
    if not total > 0:  # none of them goes with the truth: as they were
        return np.full(len(predictions), 1 / len(predictions)), (1.0, 0.0)
    return found / total, (total, float(mean - found @ centres))
