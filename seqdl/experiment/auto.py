"""What `auto` stands for: task, network and number of steps, from the data."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError
from seqdl.experiment.members import members_for, with_spans
from seqdl.registry import MODELS, TASKS

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.config import Config

LARGE_SET = 8_000
"""Positives in training from which on more steps are taken."""

DEEP_LR = 0.003
"""Learning rate for these where none is named: a dilated network labelled coding bases of yeast with a validation AUROC of .907 at it,
and .773 at .01 (600 steps of 32 windows, one seed each)."""
DEEP_TASKS = ("segmentation", "profile", "enhancement", "localisation", "counts")


def resolve_auto(config: Config, data: SequenceData) -> tuple[Config, str]:
    """Return the config with `auto` replaced, and the reason in words.

    Parameters
    ----------
    config : Config
    data : SequenceData

    Raises
    ------
    InputError
        If the task that was named does not fit the targets.
    """
    reasons = []
    task, model = dict(config.task), dict(config.model)
    if task["name"] == "auto":
        task["name"] = _task_for(config, data)
        reasons.append(f"task {task['name']}, from the targets")
    _check_fit(task["name"], data)
    if model["name"] != "auto":
        task |= _readout(model, task, data)
        n_more = (config.members or 1) - 1
        ensemble = config.ensemble or [{"model": model, "task": task} for _ in range(n_more)]
        return dataclasses.replace(config, model=model, task=task, ensemble=ensemble, members=1 + len(ensemble)), "; ".join(reasons)
    if task["name"] in DEEP_TASKS and config.training.lr == type(config.training)().lr:
        config = dataclasses.replace(config, training=dataclasses.replace(config.training, lr=DEEP_LR))
        reasons.append(f"learning rate {DEEP_LR:g}")
    of_sites = " of sites" if task.get("bottleneck") == "sites" else ""
    name, members, words = members_for(task["name"] + of_sites, data, strands=config.strands, n_positives=n_that_count(data))
    members = with_spans(members, data)
    n_members = config.members or len(members)
    known = TASKS.options(task["name"])
    made = [
        {"model": {"name": name, **options}, "task": {**{key: value for key, value in head.items() if key in known}, **task}}
        for options, head in itertools.islice(itertools.cycle(members), n_members)
    ]
    if n_members < len(members):
        words = f"the first of {words}" if n_members == 1 else f"the first {n_members} of {words}"
    elif len(members) > 1:
        words = f"{n_members} of them that differ: {words}"
    reasons.append(words)
    first, rest = made[0], made[1:]
    return dataclasses.replace(config, model=first["model"], task=first["task"], ensemble=rest, members=n_members), "; ".join(reasons)


def _readout(model: dict[str, Any], task: dict[str, Any], data: SequenceData) -> dict[str, str]:
    """Return where a network that reads along a sequence is read, if that was left open.

    One that looks back only has read everything at the end; recurrent ones of both directions are read in the middle of sequences of one length;
    what else there is by attention.
    """
    kind = MODELS.get(model["name"])
    own = getattr(kind, "readout", None)
    if own is None or "pooling" in task or "pooling" not in TASKS.options(task["name"]):
        return {}
    if not hasattr(kind, "cell"):
        return {"pooling": own}
    if model.get("bidirectional") is False:
        return {"pooling": "last"}
    return {"pooling": own if data.lengths is not None else "centre"}


def _task_for(config: Config, data: SequenceData) -> str:
    """Return the task that the targets ask for."""
    if data.kind == "none":
        raise InputError(
            "the data have no targets, and no --task was named: one that learns from sequences alone was expected, such as autoencoder, vae, gan, "
            "masked or next_base. Add --task NAME, or give targets."
        )
    if config.data.signal:
        return "enhancement" if data.signal is not None else "counts" if data.counts else "regression"
    return {"labels": "segmentation", "signal": "profile"}.get(data.kind, data.kind)


def _check_fit(name: str, data: SequenceData) -> None:
    """Raise `InputError` if a task cannot be trained on what is known of these examples."""
    serves = TASKS.get(name).serves
    if data.kind not in serves and serves:
        fitting = [other for other in TASKS.names() if data.kind in TASKS.get(other).serves]
        raise InputError(
            f"--task {name} was given, but the targets are for {data.kind}: it needs {' or '.join(serves)}. "
            f"Leave --task out, name one of {', '.join(fitting) or 'none'}, or give other targets."
        )
    if name == "enhancement" and data.signal is None:
        raise InputError(
            "--task enhancement was given without an input signal: a noisy track to begin from was expected. Add --input-signal I.bw, "
            "or use --task profile to predict the signal from the sequence alone."
        )


def n_that_count(data: SequenceData) -> int:
    """Return how many training examples set the number of steps: the positives; of classes and numbers half of all."""
    sizes = data.sizes()["train"]
    return sizes.get("positives", sum(sizes.values()) // 2)


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
