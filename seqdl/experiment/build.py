"""From names and options to models and tasks, and what `auto` stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError, SeqdlError
from seqdl.experiment.config import typed_options
from seqdl.registry import MODELS, TASKS

if TYPE_CHECKING:
    from torch import nn

    from seqdl.data.dataset import SequenceData
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


def build_task(config: Config, data: SequenceData) -> Task:
    """Make the task of a resolved config: one network, or an ensemble of several.

    Parameters
    ----------
    config : Config
        Without `auto`; its seed draws the weights.
    data : SequenceData
        Names the outputs, and the length where a head asks for it.
    """
    import torch

    from seqdl.tasks.ensemble import Ensemble

    torch.manual_seed(config.seed)
    made = []
    for one in ({"model": config.model, "task": config.task}, *config.ensemble):
        encoder = create_model(**{**_model_from_data(one, data, strands=config.strands), **one["model"]})
        made.append(create_task(encoder=encoder, **{**_task_from_data(one["task"], data), "strands": config.strands, **one["task"]}))
    return made[0] if len(made) == 1 else Ensemble(made)


def _model_from_data(one: dict[str, Any], data: SequenceData, *, strands: str | None) -> dict[str, Any]:
    """Return the options of a model that follow from the data: channels, the length where it sees the whole window, strands and outputs of words."""
    options, found = MODELS.options(one["model"]["name"]), {}
    if data.signal is not None:
        found["in_channels"] = 4 + data.signal.shape[1]
    if "length" in options:
        found["length"] = data.length
    if "both_strands" in options:
        found["both_strands"] = strands == "shared"
    if "dimensions" in options and one["task"].get("pooling") == "sum":
        found["dimensions"] = len(data.classes or data.outputs)
    return found


def _task_from_data(task: dict[str, Any], data: SequenceData) -> dict[str, Any]:
    """Return the options of a task that follow from the data: outputs, and the length where it reads one length only."""
    options = TASKS.options(task["name"])
    wants_length = "length" in options and ("pooling" not in options or task.get("pooling") == "flatten")
    return {"outputs": data.classes or data.outputs, **({"length": data.length} if wants_length else {})}
