"""What `auto` stands for: task, network and number of steps, from the data."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.config import Config

Member = tuple[dict[str, Any], dict[str, Any]]

LARGE_SET = 8_000
"""Positives in training from which on more steps are taken."""

SITE_MEMBERS: tuple[Member, ...] = (
    ({"width": 15}, {"activation": "exp", "dropout": 0.3}),
    ({"width": 11}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 21}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 11}, {"activation": "exp", "dropout": 0.3}),
    ({"width": 15}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 21}, {"activation": "exp", "dropout": 0.3}),
)
"""For bound or not, in this order: networks that differ, since the same one several times gains little. The first is read for
motifs: an exponential behind the pooling pushes filters towards whole motifs."""

PLACE_MEMBERS: tuple[Member, ...] = (
    ({"filters": (64, 64, 64), "widths": (11, 7, 5), "pools": (2, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
    ({"filters": (64, 64, 64), "widths": (11, 7, 5), "pools": (2, 2, 2)}, {"pooling": "mean"}),
    ({"filters": (64, 64, 64), "widths": (15, 7, 5), "pools": (3, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
)
"""For classes and numbers: deeper networks, of which some read position by position and one does not. On the validation sets of
splice sites (accuracy) and of yeast promoters (Pearson r), one network each: flatten .959 and .661, with dropout .2 .966 and .378;
mean pooling less than .94 and .672; max .922 and .574."""


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
        task["name"] = data.kind
        reasons.append(f"task {data.kind}, from the targets")
    elif task["name"] != data.kind:
        raise InputError(f"--task {task['name']} was given, but the targets are for {data.kind}. Leave --task out, or give other targets.")
    if model["name"] != "auto":
        n_more = (config.members or 1) - 1
        ensemble = config.ensemble or [{"model": model, "task": task} for _ in range(n_more)]
        return dataclasses.replace(config, model=model, task=task, ensemble=ensemble, members=1 + len(ensemble)), "; ".join(reasons)
    name, members, words = _members(data)
    n_members = config.members or len(members)
    made = [{"model": {"name": name, **options}, "task": {**head, **task}} for options, head in itertools.islice(itertools.cycle(members), n_members)]
    reasons.append(words if n_members == 1 else f"{n_members} of them that differ: {words}")
    first, rest = made[0], made[1:]
    return dataclasses.replace(config, model=first["model"], task=first["task"], ensemble=rest, members=n_members), "; ".join(reasons)


def _members(data: SequenceData) -> tuple[str, Sequence[Member], str]:
    """Return model, members, and what they are in words."""
    if data.kind == "binary":
        return "cnn", SITE_MEMBERS, "one convolution and a global maximum"
    if data.lengths is None:
        return "basset", PLACE_MEMBERS, "three convolutions, read position by position or averaged"
    anywhere = [(options, {**head, "pooling": "attention" if head["pooling"] == "flatten" else head["pooling"]}) for options, head in PLACE_MEMBERS]
    return "basset", anywhere, "three convolutions, averaged with and without attention, since lengths differ"


def n_that_count(data: SequenceData) -> int:
    """Return how many training examples set the number of steps: the positives; of classes and numbers half of all."""
    counts = data.counts()["train"]
    return counts["positives"] if data.kind == "binary" else sum(counts.values()) // 2


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
