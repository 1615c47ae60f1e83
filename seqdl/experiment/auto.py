"""What `auto` stands for: task, network and number of steps, from the data."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqdl.errors import InputError
from seqdl.registry import MODELS, TASKS

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
"""For bound or not, in this order: networks that differ, since the same one several times gains little. An exponential
behind the pooling pushes filters towards whole motifs; motifs are read from all of them."""

MANY_POSITIVES = 1_000
"""Positives in training from which on some networks are given more filters."""

MANY_MEMBERS: tuple[Member, ...] = (
    SITE_MEMBERS[0],
    ({"filters": 256, "width": 9}, {"activation": "relu", "dropout": 0.5}),
    ({"filters": 256, "width": 13}, {"activation": "relu", "dropout": 0.5}),
    SITE_MEMBERS[3],
    ({"filters": 256, "width": 11}, {"activation": "relu", "dropout": 0.5}),
    SITE_MEMBERS[2],
)
"""The same from 1,000 positives on: half of the networks have four times as many filters. On validation sets of SP1 and ARID3A (ENCODE, 3,000
positives, one seed) the six above together had an AUROC of .940 and .918, one network of 256 filters of 9 bp .941 and .906, two of 9 and 13 bp .945
and .918, the six with these two .947 and .923."""

PLACE_MEMBERS: tuple[Member, ...] = (
    ({"filters": (64, 64, 64), "widths": (11, 7, 5), "pools": (2, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
    ({"filters": (64, 64, 64), "widths": (11, 7, 5), "pools": (2, 2, 2)}, {"pooling": "mean"}),
    ({"filters": (64, 64, 64), "widths": (15, 7, 5), "pools": (3, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
)
"""For numbers: deeper networks, of which some read position by position and one does not. On a validation set of yeast promoters one network each
reached a Pearson r of .661 by flatten, with dropout .2 .378; .672 by mean pooling, .574 by max."""

CENTRED_MEMBERS: tuple[Member, ...] = (
    ({"filters": (64, 64, 64), "widths": (11, 7, 5), "pools": (2, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
    ({"name": "lstm"}, {"pooling": "centre"}),
    ({"name": "lstm", "width": 15}, {"pooling": "centre"}),
)
"""For classes, and for yes or no where one strand was asked for, where sequences have one length: they are mostly cut around what is asked about.
Yes or no of tables and RNA, which have one strand by default, stays with `SITE_MEMBERS` unless it is asked for. One network
each on validation sets, splice sites (accuracy, three folds) and promoters of E. coli (AUROC, one fold): an LSTM of both directions read in the
middle .974 and .976, under attention .922 and .958, by its maximum .898 and .957, at its ends .857 for splice sites; three convolutions read
position by position .959 and .970; six one-layer networks for sites together .957 for promoters."""

MOST_STEPWISE = 400
"""Length (bp) up to which networks are taken that go from base to base: what they cost grows with it, and they were measured on 60 and 81 bp."""

MODEL_FOR: dict[str, tuple[str, Sequence[Member], str]] = {
    "next_base": ("lstm", (({"bidirectional": False, "hidden": 128}, {}),), "a convolution and an LSTM that look back only"),
    "masked": ("lstm", (({"hidden": 64}, {}),), "a convolution and an LSTM of both directions"),
    "autoencoder": ("cnn", (({"filters": 64, "width": 9, "activation": "relu"}, {}),), "one convolution before the bottleneck"),
    "vae": ("cnn", (({"filters": 64, "width": 9, "activation": "relu"}, {}),), "one convolution before the bottleneck"),
    "autoencoder of sites": ("cnn", (({"filters": 64, "width": 21}, {}),), "one convolution, of which the best places count"),
    "gan": ("cnn", (({"filters": 48, "width": 9}, {}),), "one convolution in the critic, beside detectors"),
    "segmentation": ("dilated", (({"filters": 32, "layers": 7}, {}),), "dilated convolutions, read at every base"),
    "profile": ("dilated", (({"filters": 32, "layers": 7}, {}),), "dilated convolutions, read at every base"),
    "enhancement": ("dilated", (({"filters": 16, "layers": 4, "first_width": 15}, {}),), "dilated convolutions, read at every base"),
    "localisation": ("dilated", (({"filters": 32, "layers": 4, "first_width": 15}, {}),), "dilated convolutions, read at every base"),
    "counts": (
        "basset",
        (({"filters": (64, 64, 64), "widths": (15, 7, 5), "pools": (3, 4, 4)}, {"pooling": "mean"}),),
        "three convolutions, averaged over the window",
    ),
}
"""The network for tasks that read more than the best site or the place of a site: model, members, and what they are in words."""

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
    name, members, words = _members(task["name"] + of_sites, data, strands=config.strands)
    members = _with_spans(members, data)
    n_members = config.members or len(members)
    known = TASKS.options(task["name"])
    made = [
        {"model": {"name": name, **options}, "task": {**{key: value for key, value in head.items() if key in known}, **task}}
        for options, head in itertools.islice(itertools.cycle(members), n_members)
    ]
    reasons.append(words if n_members == 1 else f"{n_members} of them that differ: {words}")
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


def _with_spans(members: Sequence[Member], data: SequenceData) -> Sequence[Member]:
    """Return the members, every other of which reads the window alone where what surrounds it is read too.

    On a validation set of Fkh1 (fold 0, one seed) six that read 400 bp had an AUROC of .823, three of them with a span of 200 .846; for Reb1 and
    Abf1 networks of several widths together did as well as those of 400 bp.
    """
    if not data.context:
        return members
    window = data.length - 2 * data.context
    return [(options, head if number % 2 == 0 else {**head, "span": window}) for number, (options, head) in enumerate(members)]


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


def _members(task: str, data: SequenceData, *, strands: str | None) -> tuple[str, Sequence[Member], str]:
    """Return model, members, and what they are in words."""
    if task in MODEL_FOR:
        return MODEL_FOR[task]
    if data.kind == "binary" and (strands != "single" or data.lengths is not None or data.genome is not None):
        many = n_that_count(data) >= MANY_POSITIVES
        return "cnn", MANY_MEMBERS if many else SITE_MEMBERS, "one convolution and a global maximum"
    if data.kind in ("binary", "multiclass") and data.lengths is None and data.length <= MOST_STEPWISE:
        return "basset", CENTRED_MEMBERS, "three convolutions read position by position, and LSTMs read in the middle"
    if data.lengths is None:
        return "basset", PLACE_MEMBERS, "three convolutions, read position by position or averaged"
    anywhere = [(options, {**head, "pooling": "attention" if head["pooling"] == "flatten" else head["pooling"]}) for options, head in PLACE_MEMBERS]
    return "basset", anywhere, "three convolutions, averaged with and without attention, since lengths differ"


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
