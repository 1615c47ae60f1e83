"""From names and options to models and tasks, and what `auto` stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError
from seqdl.experiment.config import typed_options
from seqdl.registry import MODELS, TASKS

if TYPE_CHECKING:
    from torch import nn

    from seqdl.tasks.base import Task


def create_model(name: str, **options: Any) -> nn.Module:
    """Make an encoder by its name.

    Parameters
    ----------
    name : str
        One of `seqdl models`.
    **options
        Options of its constructor; `seqdl models NAME` shows them.

    Returns
    -------
    nn.Module
        One-hot (B, 4, L) -> features (B, C, L // stride).

    Raises
    ------
    UnknownNameError
        If there is no such model or option.

    Examples
    --------
    >>> create_model("cnn", filters=8).channels
    8
    """
    MODELS.check_options(name, options)
    options = typed_options(MODELS, name, options)
    model: nn.Module = MODELS.get(name)(**options)
    model.recipe = {"name": name, **options}  # type: ignore[assignment]  # plain data; nn.Module types every attribute as Tensor | Module
    return model


def create_task(name: str, encoder: nn.Module, **options: Any) -> Task:
    """Make a task around an encoder.

    Parameters
    ----------
    name : str
        One of `seqdl tasks`.
    encoder : nn.Module
        From `create_model`, or any module that keeps the contract.
    **options
        Options of the task's constructor, such as ``outputs=["Reb1"]``; `seqdl tasks NAME` shows them.

    Returns
    -------
    Task
        A LightningModule.

    Raises
    ------
    UnknownNameError
        If there is no such task or option.

    Examples
    --------
    >>> create_task("binary", create_model("cnn"), outputs=["Reb1"]).outputs
    ['Reb1']
    """
    TASKS.check_options(name, options)
    options = typed_options(TASKS, name, options)
    task: Task = TASKS.get(name)(encoder, **options)
    task.recipe = {"model": getattr(encoder, "recipe", None), "task": {"name": name, **options}}
    return task


def rebuild_task(recipe: dict[str, Any]) -> Task:
    """Make the untrained twin of a task from the recipe in its checkpoint.

    Raises
    ------
    InputError
        If its encoder was not made by `create_model`.
    """
    if not recipe.get("model"):
        raise InputError(
            "this checkpoint holds an encoder that was not made by seqdl.create_model, so it cannot be rebuilt from its name. "
            "Make the task yourself and load the weights with task.load_state_dict(torch.load(path, weights_only=True)['state_dict'])."
        )
    return create_task(encoder=create_model(**recipe["model"]), **recipe["task"])


LARGE_SET = 8_000
"""Positives in training above which a deeper network wins."""


def resolve_auto(model: dict[str, Any], task: dict[str, Any], n_positives: int) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return model and task with `auto` replaced, and the reason in words.

    Parameters
    ----------
    model, task : dict
        {"name": ..., option: ...}.
    n_positives : int
        Positives in the training set: capacity follows the data.
    """
    reasons = []
    if task["name"] == "auto":
        task = {"name": "binary"}
        reasons.append("task binary, for two classes")
    if model["name"] == "auto":
        model = {"name": "cnn"}
        reasons.append(f"model cnn, for {n_positives:,} positives")
    return model, task, "; ".join(reasons)


def default_steps(n_positives: int) -> int:
    """Return the budget of optimiser steps for a number of training positives.

    Examples
    --------
    >>> default_steps(500), default_steps(5_000), default_steps(20_000)
    (600, 1000, 1500)
    """
    if n_positives < 1_000:
        return 600
    return 1_000 if n_positives < LARGE_SET else 1_500
