"""Predictions brought to what was observed: a map of the logits, fitted on the validation split, kept in the checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from seqdl.errors import InputError
from seqdl.evaluate.calibration import calibration_line, expected_calibration_error
from seqdl.evaluate.recalibration import class_line, classes_calibration_error, isotonic_knots, temperature
from seqdl.layers.monotone import Monotone

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.tasks.base import Task
    from seqdl.types import Floats

Array = NDArray[Any]

LEAST_HELD_OUT = 100
"""Validation sequences below which a critic's scores are taken for nothing."""


def calibration_method(task: Task, asked: str) -> str:
    """Return how a task is calibrated: what was asked for, or of `auto` what the task takes by default.

    Raises
    ------
    InputError
        If its predictions are no probabilities, or the method is not for classes.
    """
    if asked == "auto":
        return "platt" if task.calibrated else "none"
    if asked != "none" and not (task.calibrated or task.exclusive):
        raise InputError(
            f"--calibration {asked} was given, but what {type(task).__name__} predicts is no probability: auto or none was expected. Leave it out."
        )
    if asked == "isotonic" and task.exclusive:
        raise InputError("--calibration isotonic was given for several classes: it is for yes or no. Use temperature or platt.")
    return asked


def calibrate_task(task: Task, data: SequenceData, path: Path, *, method: str, device: str) -> None:
    """Fit the map on the validation split, and keep it in the checkpoint at `path`.

    Parameters
    ----------
    task : Task
        Trained; calibrated in place.
    data : SequenceData
    path : Path
        The checkpoint of the same weights.
    method : {"platt", "temperature", "isotonic"}
        A scale and a shift for each output; one scale for all; or a map that rises, for each output.
    device : str
    """
    from seqdl.experiment.predict import data_logits

    rows = data.rows("val")
    forget_calibration(task)
    logits = data_logits(task, data, rows, device=device)
    columns = _columns(logits, data.truth()[rows], None if data.lengths is None else data.lengths[rows])
    if method == "isotonic":
        task.bend = Monotone([isotonic_knots(scores, truth) for scores, truth in columns])
    elif task.exclusive:
        n_classes = logits.shape[1]
        scale, shift = (temperature(logits, columns[0][1]), np.zeros(n_classes)) if method == "temperature" else class_line(logits, columns[0][1])
        task.calibrate(np.full(n_classes, scale), shift)
    elif method == "temperature":
        task.calibrate(np.array([temperature(scores, truth) for scores, truth in columns]), np.zeros(len(columns)))
    else:
        lines = [calibration_line(scores, truth) for scores, truth in columns]
        task.calibrate(np.array([scale for scale, _ in lines]), np.array([shift for _, shift in lines]))
    task.recipe["calibration"] = method
    keep_in_checkpoint(task, path)


def sharpen_critic(task: Task, data: SequenceData, path: Path) -> None:
    """Calibrate the critic of a GAN on the validation split, and keep that in the checkpoint at `path`; other tasks stay as they are."""
    from seqdl.tasks.gan import GAN

    rows = data.rows("val")
    if isinstance(task, GAN) and len(rows) >= LEAST_HELD_OUT:
        task.eval().sharpen(torch.from_numpy(data.codes[rows]), torch.from_numpy(np.asarray(data.targets()[rows])))
        keep_in_checkpoint(task, path)


def keep_in_checkpoint(task: Task, path: Path) -> None:
    """Write recipe and weights of a task into the checkpoint that it was loaded from."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    checkpoint["seqdl"] = task.recipe
    checkpoint["state_dict"] |= task.state_dict()
    temporary = path.with_suffix(".part")
    torch.save(checkpoint, temporary)
    temporary.replace(path)


def forget_calibration(task: Task) -> None:
    """Let logits be those of the head again."""
    task.bend = nn.Identity()
    task.calibrate(np.ones(len(task.outputs)), np.zeros(len(task.outputs)))


def _columns(logits: Floats, truth: Array, lengths: Array | None) -> list[tuple[Array, Array]]:
    """Return logits and truth of each output, (n,) each; of a task per base those of every base that is no padding."""
    if logits.ndim == 2:
        return [(logits[:, t], truth[:, t] if t < truth.shape[1] else truth[:, 0]) for t in range(logits.shape[1])]
    inside = np.arange(logits.shape[2]) < (np.full(len(logits), logits.shape[2]) if lengths is None else lengths)[:, None]
    return [(logits[:, t][inside], truth[:, t][inside]) for t in range(logits.shape[1])]


def calibration_errors(task: Task, predictions: pd.DataFrame) -> dict[str, Any] | None:
    """Return the expected calibration error before and after calibration; None for a task that was not calibrated.

    Parameters
    ----------
    task : Task
        Trained.
    predictions : DataFrame
        id, split, target, prediction, logit.

    Returns
    -------
    dict
        "method", and for "val" and "test" {"ece_before", "ece_after"}: of several outputs their mean, of classes that of the predicted one.
        The map was fitted on "val", so that only "test" tells what it is worth.
    """
    method = task.recipe.get("calibration")
    if method is None:
        return None
    found: dict[str, Any] = {"method": method}
    names = [f"logit_{name}" for name in task.outputs] if len(task.outputs) > 1 else ["logit"]
    for split in ("val", "test"):
        part = predictions[predictions["split"] == split]
        if len(part):
            after = part[names].to_numpy(dtype=np.float64)
            found[split] = {"ece_before": _error(task, part, uncalibrated(task, after)), "ece_after": _error(task, part, after)}
    return found


def uncalibrated(task: Task, logits: Floats) -> Array:
    """Return logits (N, T) as they were before calibration."""
    values = torch.tensor(np.asarray(logits), dtype=torch.float64)
    if isinstance(task.bend, Monotone):
        values = task.bend.inverse()(values)
    raw: Array = ((values - task.shift) / task.scale).numpy()
    return raw


def _error(task: Task, part: pd.DataFrame, logits: Array) -> float:
    predictions = task.link(torch.tensor(logits)).numpy()
    if task.exclusive:
        number = {name: k for k, name in enumerate(task.outputs)}
        return classes_calibration_error(part["target"].astype(str).map(number).to_numpy(), predictions)
    names = [f"target_{name}" for name in task.outputs] if len(task.outputs) > 1 else ["target"]
    return float(np.mean([expected_calibration_error(part[name].to_numpy(), predictions[:, t]) for t, name in enumerate(names)]))
