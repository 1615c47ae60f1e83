"""Checkpoints as tasks: weights and plain data only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.errors import FormatError, MissingFileError
from seqdl.experiment.build import rebuild_task
from seqdl.layers.monotone import Monotone

if TYPE_CHECKING:
    from seqdl.tasks.base import Task


def load_task(path: Path) -> Task:
    """Rebuild a trained task from its checkpoint, ready to predict.

    Parameters
    ----------
    path : Path
        A checkpoint that seqdl wrote.

    Returns
    -------
    Task
        On the CPU, in evaluation mode.

    Raises
    ------
    MissingFileError, FormatError
        If there is no such file, or it is not a checkpoint of seqdl.
    """
    state = read_checkpoint(path)
    task = rebuild_task(state["seqdl"])
    task.recipe = state["seqdl"]
    try:
        fill_task(task, state["state_dict"])
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise FormatError(
            f"{path}: its weights do not fit the network it names, so another version of seqdl wrote it ({reason}). Train it anew."
        ) from None
    task.eval()
    return task


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return what a checkpoint of seqdl holds: "state_dict", its weights, and "seqdl", the recipe of its task.

    Raises
    ------
    MissingFileError, FormatError
        If there is no such file, or it is not a checkpoint of seqdl.
    """
    import pickle

    import torch

    if not path.is_file():
        raise MissingFileError(f"{path}: there is no checkpoint. Give a run folder whose training has finished.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise FormatError(
            f"{path}: not a checkpoint that holds weights and plain data only ({' '.join(str(error).split())[:120] or 'it ends too early'})."
        ) from None
    if not isinstance(state, dict) or "seqdl" not in state:
        raise FormatError(
            f"{path}: a checkpoint, but not one that seqdl wrote: it has no recipe of its model. Load it with torch and pass the module."
        )
    return state


def fill_task(task: Task, weights: dict[str, Any]) -> None:
    """Load weights into a task, with the map that calibrates it where there is one."""
    if "bend.x" in weights:
        task.bend = Monotone([(x, y) for x, y in zip(weights["bend.x"].double().numpy(), weights["bend.y"].double().numpy(), strict=True)])
    task.load_state_dict(weights)
