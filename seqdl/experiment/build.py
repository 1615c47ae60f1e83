"""From names and options to models and tasks, and what `auto` stands for."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError, SeqdlError
from seqdl.experiment.config import typed_options
from seqdl.registry import MODELS, TASKS

if TYPE_CHECKING:
    from torch import nn

    from seqdl.experiment.config import Config
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
    try:
        model: nn.Module = MODELS.get(name)(**options)
    except SeqdlError:
        raise
    except (RuntimeError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(
            f"the model '{name}' cannot be made with {options}: {' '.join(str(error).split())[:200]}. See seqdl models {name}."
        ) from None
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
    if "members" in recipe:
        from seqdl.tasks.ensemble import Ensemble

        return Ensemble([rebuild_task(member) for member in recipe["members"]])
    if not recipe.get("model"):
        raise InputError(
            "this checkpoint holds an encoder that was not made by seqdl.create_model, so it cannot be rebuilt from its name. "
            "Make the task yourself and load the weights with task.load_state_dict(torch.load(path, weights_only=True)['state_dict'])."
        )
    return create_task(encoder=create_model(**recipe["model"]), **recipe["task"])


def build_task(config: Config, outputs: list[str]) -> Task:
    """Make the task of a resolved config: one network, or an ensemble of several.

    Parameters
    ----------
    config : Config
        Without `auto`; its seed draws the weights.
    outputs : list of str
        Names of the outputs.
    """
    import torch

    from seqdl.tasks.ensemble import Ensemble

    torch.manual_seed(config.seed)
    made = [
        create_task(encoder=create_model(**one["model"]), **{"outputs": outputs, "strands": config.strands, **one["task"]})
        for one in ({"model": config.model, "task": config.task}, *config.ensemble)
    ]
    return made[0] if len(made) == 1 else Ensemble(made)


LARGE_SET = 8_000
"""Positives in training from which on more steps are taken."""

AUTO_MEMBERS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"width": 15}, {"activation": "exp", "dropout": 0.3}),
    ({"width": 11}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 21}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 11}, {"activation": "exp", "dropout": 0.3}),
    ({"width": 15}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 21}, {"activation": "exp", "dropout": 0.3}),
)
"""What `auto` trains, in this order: networks that differ, since the same one several times gains little. The first is read for
motifs: an exponential behind the pooling pushes filters towards whole motifs."""


def resolve_auto(config: Config, n_positives: int) -> tuple[Config, str]:
    """Return the config with `auto` replaced, and the reason in words.

    Parameters
    ----------
    config : Config
    n_positives : int
        Positives in the training set.
    """
    reasons = []
    task, model = dict(config.task), dict(config.model)
    if task["name"] == "auto":
        task["name"] = "binary"
        reasons.append("task binary for two classes")
    if model["name"] != "auto":
        n_more = (config.members or 1) - 1
        ensemble = config.ensemble or [{"model": model, "task": task} for _ in range(n_more)]
        return dataclasses.replace(config, model=model, task=task, ensemble=ensemble, members=1 + len(ensemble)), "; ".join(reasons)
    n_members = config.members or len(AUTO_MEMBERS)
    made = [
        {"model": {"name": "cnn", **options}, "task": {**task, **{key: value for key, value in head.items() if key not in task}}}
        for options, head in itertools.islice(itertools.cycle(AUTO_MEMBERS), n_members)
    ]
    reasons.append(f"{n_members} one-layer networks that differ in width and activation" if n_members > 1 else "one convolution and a global maximum")
    first, rest = made[0], made[1:]
    return dataclasses.replace(config, model=first["model"], task=first["task"], ensemble=rest, members=n_members), "; ".join(reasons)


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
