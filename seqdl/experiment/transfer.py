"""Start from another run: take its encoder, freeze some of it or all, train the rest."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError, UnknownNameError, listing
from seqdl.experiment.auto import resolve_auto
from seqdl.experiment.checkpoint import read_checkpoint
from seqdl.registry import MODELS
from seqdl.tasks.optimise import encoders_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.config import Config
    from seqdl.tasks.base import Task

FROM_DATA = ("in_channels", "length", "both_strands")
"""Options of a model that follow from the data, and so are not taken over."""


def checkpoint_of(place: str | Path) -> Path:
    """Return the checkpoint that a run folder holds, or the path itself where it is a file."""
    path = Path(place)
    return path / "checkpoints" / "best.ckpt" if path.is_dir() else path


def resolve_start(config: Config, data: SequenceData) -> tuple[Config, str]:
    """Return the config with `auto` replaced, and the reason in words: by the model of the run it starts from, where it starts from one.

    Parameters
    ----------
    config : Config
    data : SequenceData

    Raises
    ------
    MissingFileError, FormatError
        If `training.init` is no run or checkpoint.
    InputError
        If its encoder was not made by name, or the task does not fit the targets.
    """
    init = config.training.init
    if config.training.freeze is not None and init is None and config.training.init_motifs is None:
        raise InputError(
            f"--freeze {config.training.freeze} was given without --init: the frozen weights would stay as they were drawn. Add --init RUN, "
            "or --init-motifs FILE."
        )
    if init is not None and config.training.init_motifs is not None:
        raise InputError("--init and --init-motifs were both given, and both say what the filters start from: one was expected. Leave one out.")
    if init is None or config.model["name"] != "auto":
        return resolve_auto(config, data)
    recipe = read_checkpoint(checkpoint_of(init))["seqdl"]
    models = [_adopted(member.get("model"), init) for member in recipe.get("members") or [recipe]]
    n_members = config.members or len(models)
    models = [models[number % len(models)] for number in range(n_members)]
    config, reason = resolve_auto(dataclasses.replace(config, model=models[0], members=n_members), data)
    config.ensemble = [member | {"model": model} for member, model in zip(config.ensemble, models[1:], strict=True)]
    return config, "; ".join(filter(None, [reason, f"the encoder of {Path(init).name}"]))


def _adopted(model: dict[str, Any] | None, init: str) -> dict[str, Any]:
    if not model:
        raise InputError(f"{init}: its encoder was not made by name, so that it cannot be made again. Name its --model.")
    options = MODELS.options(model["name"])
    return {key: value for key, value in model.items() if key == "name" or (key in options and key not in FROM_DATA)}


def start_from(task: Task, place: str | Path) -> Path:
    """Give the encoder of a task the weights that another run's encoder has.

    Parameters
    ----------
    task : Task
        Its head stays as it was drawn. Members of an ensemble each take the member in their place, over and over where there are fewer.
    place : str or Path
        Run folder or checkpoint.

    Returns
    -------
    Path
        The checkpoint.

    Raises
    ------
    MissingFileError, FormatError
        If it is no run or checkpoint.
    InputError
        If the weights do not fit; the message holds both shapes.
    """
    path = checkpoint_of(place)
    found = _encoder_weights(read_checkpoint(path)["state_dict"])
    for number, encoder in enumerate(encoders_of(task)):
        weights = found[number % len(found)]
        _check_fit(encoder, weights, path)
        encoder.load_state_dict(weights)
    return path


def start_from_known(task: Task, path: str | Path) -> list[int]:
    """Write known motifs into the first filters of a task's encoder, and of every member's.

    Parameters
    ----------
    task : Task
        Where it shares weights over the strands a motif takes one filter, else two. Members without a convolution are passed over.
    path : str or Path
        Motif file.

    Returns
    -------
    list of int
        Numbers of the filters.

    Raises
    ------
    MissingFileError, FormatError
        If it is no file of motifs.
    InputError
        If the first layer is no convolution over the bases, or has fewer filters than are needed.
    """
    from torch.nn import Conv1d

    from seqdl.io.motifs import read_motifs
    from seqdl.layers.conv import start_from_motifs

    motifs = read_motifs(path)
    written: list[int] = []
    encoders = encoders_of(task)
    scanning = [encoder for encoder in encoders if any(isinstance(part, Conv1d) for part in encoder.modules())]
    for encoder in scanning or encoders:
        written = start_from_motifs(encoder, motifs, both_strands=task.strands != "shared")
    return written


def _encoder_weights(state: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return the weights of each encoder in a checkpoint, named from the encoder on."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        owner, inside, rest = name.partition("encoder.")
        if inside and (not owner or owner.startswith("members.")):
            found.setdefault(owner, {})[rest] = value
    return [found[owner] for owner in sorted(found, key=lambda text: [int(word) for word in text.split(".") if word.isdigit()])]


def _check_fit(encoder: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Raise `InputError` unless names and shapes are the same, with the shapes of both sides."""
    own = encoder.state_dict()
    kind = type(encoder).__name__
    wrong = [
        f"{name} is {tuple(weights[name].shape)} there and {tuple(own[name].shape)} here"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    if wrong:
        raise InputError(
            f"{path}: its encoder does not fit this {kind}: {'; '.join(wrong[:4])}. Give --model the same options, or leave --model out."
        )
    lacking, more = sorted(set(own) - set(weights)), sorted(set(weights) - set(own))
    if lacking or more:
        raise InputError(
            f"{path}: its encoder is no {kind} of this kind: it lacks {listing(lacking, 4)} and has {listing(more, 4)} instead. Name the model it "
            "was made with, or leave --model out."
        )


def freeze_encoder(task: nn.Module, which: str | None) -> list[str]:
    """Freeze weights of the encoder (of every member); they stay as they are, and so do the statistics of their norms.

    Parameters
    ----------
    task : nn.Module
        A task, or an ensemble of them.
    which : str, optional
        "all", the number of the first layers with weights, or names of parts such as blocks.0, with commas between.

    Returns
    -------
    list of str
        The weights that were frozen, by name.

    Raises
    ------
    UnknownNameError
        If there is no such layer.
    InputError
        If there are fewer layers.

    Examples
    --------
    >>> from seqdl.experiment.build import create_model, create_task
    >>> task = create_task("binary", create_model("basset"))
    >>> len(freeze_encoder(task, "1")), len(freeze_encoder(task, "all"))
    (3, 9)
    """
    if which is None:
        return []
    return [name for encoder in encoders_of(task) for name in _freeze(encoder, str(which))]


def layers_of(encoder: nn.Module) -> dict[str, list[str]]:
    """Return the layers of an encoder in order, each with its weights: what holds a kernel or a matrix, and the norm and bias behind it."""
    layers: dict[str, list[str]] = {}
    for path, part in encoder.named_modules():
        own = [f"{path}.{name}".lstrip(".") for name, _ in part.named_parameters(recurse=False)]
        if own and (not layers or any(weight.ndim > 1 for weight in part.parameters(recurse=False))):
            layers[path or "encoder"] = own
        elif own:
            layers[list(layers)[-1]] += own
    return layers


def _freeze(encoder: nn.Module, which: str) -> list[str]:
    layers, weights = layers_of(encoder), dict(encoder.named_parameters())
    if which == "all":
        names = list(weights)
    elif which.isdigit():
        n = int(which)
        if not 1 <= n <= len(layers):
            raise InputError(f"--freeze {n}: the encoder has {len(layers)} layers ({listing(layers)}): 1 to {len(layers)} was expected.")
        names = [name for own in list(layers.values())[:n] for name in own]
    else:
        names = []
        for word in which.split(","):
            found = [name for name in weights if name == word or name.startswith(word + ".")]
            if not found:
                raise UnknownNameError("layer of the encoder", word, layers, hint="Or give all, or how many of the first.")
            names += found
    for name in names:
        weights[name].requires_grad_(False)
    return names
