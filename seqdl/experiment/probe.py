"""Does a network generalise or only memorise: random labels, a curve over training examples, a curve over width."""

from __future__ import annotations

import copy
import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqdl.data.dataset import SequenceData
from seqdl.errors import InputError, Interrupted, UnknownNameError
from seqdl.evaluate.metrics import auroc
from seqdl.experiment.build import build_task
from seqdl.experiment.checkpoint import read_checkpoint
from seqdl.experiment.complete import silent
from seqdl.experiment.config import Config, make_config
from seqdl.experiment.fit import Fitting
from seqdl.experiment.predict import data_logits, linked
from seqdl.experiment.probe_verdict import FROM_SCRATCH, PRETRAINED, RANDOM, summary, verdict
from seqdl.experiment.transfer import checkpoint_of
from seqdl.progress import track
from seqdl.registry import MODELS

if TYPE_CHECKING:
    from seqdl.experiment.run import Run
    from seqdl.types import Floats

WHAT = ("random-labels", "train-size", "width")
SIZES = (0.0625, 0.125, 0.25, 0.5, 1.0)
WIDTHS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
WIDE_OPTIONS = ("filters", "first_filters", "hidden")
"""Options of models that are numbers of channels or units."""
AT_RANDOM: dict[str, Any] = {"init": None, "init_motifs": None, "freeze": None}
"""Options of a training that starts from nothing but chance."""
SCORES = {"binary": ("AUROC", 0.5), "multiclass": ("mean AUROC", 0.5), "regression": ("Pearson r", 0.0), "counts": ("Pearson r", 0.0)}
"""Of each kind of targets: what is measured, and what nobody's guess reaches."""


@dataclass(frozen=True)
class Probe:
    """What to train, how often, and how.

    Parameters
    ----------
    repeats : int, default 3
        Trainings of each kind; each draws its examples and its weights anew.
    sizes : sequence of float, in (0, 1]
        Shares of the training examples.
    widths : sequence of float
        Factors on the numbers of channels.
    max_steps : int, optional
        Steps of each training; by default those of the run.
    init : str, optional
        A run to start from, beside training from scratch, in the curve over training examples.
    seed : int, optional
        Of the first repeat; by default the run's.
    device : str, optional
        By default the run's.
    """

    repeats: int = 3
    sizes: Sequence[float] = SIZES
    widths: Sequence[float] = WIDTHS
    max_steps: int | None = None
    init: str | None = None
    seed: int | None = None
    device: str | None = None


@dataclass(frozen=True)
class Arm:
    """One training to be done."""

    series: str
    x: float
    repeat: int
    config: Config
    data: SequenceData


def probe(run: Run, what: str, how: Probe | None = None, *, say: Callable[[str], None] = silent) -> dict[str, Any]:
    """Train variants of a run and see what they do on its test split.

    Parameters
    ----------
    run : Run
        Its data and config are taken; of an ensemble the first member.
    what : {"random-labels", "train-size", "width"}
    how : Probe, optional
    say : callable

    Returns
    -------
    dict
        "what", "score" (its name), "chance", "table" (DataFrame, a training a row: series, x, repeat, n_train, n_parameters,
        parameters_per_example, train_score, test_score, train_loss, test_loss, seconds), "summary" (a list, for each series and x: mean and
        Student's interval over the repeats) and "verdict", a sentence.

    Raises
    ------
    UnknownNameError
        If there is no such probe.
    InputError
        If the run predicts nothing of a sequence as a whole, or an option is out of range.
    """
    how = how or Probe()
    check_probe(run, what, how)
    config = _single(run, how)
    arms = list({"random-labels": _random_labels, "train-size": _train_sizes, "width": _widths}[what](config, run.data, how))
    say(f"{what}: {len(arms)} trainings of one {config.model['name']} each")
    table = pd.DataFrame([_row(arm) for arm in track(arms, what)])
    name, chance = SCORES[run.data.kind]
    found: dict[str, Any] = {"what": what, "score": name, "chance": chance, "table": table, "summary": summary(table)}
    return found | {"verdict": verdict(what, table, name=name, chance=chance)}


def check_probe(run: Run, what: str, how: Probe) -> None:
    """Raise what `probe` would, before anything is trained."""
    if what not in WHAT:
        raise UnknownNameError("probe", what, WHAT)
    if run.task.family != "supervised" or run.task.per_base:
        raise InputError(
            f"{run.folder}: what is probed are predictions of whole sequences, and its task makes none. Give a run that has classes or numbers."
        )
    if how.repeats < 1:
        raise InputError(f"--repeats {how.repeats}: 1 or more was expected; from 2 on there are intervals.")
    if not how.sizes or not all(0 < size <= 1 for size in how.sizes):
        raise InputError(f"--sizes {list(how.sizes)}: shares of the training examples were expected, above 0 and up to 1.")
    if not how.widths or not all(factor > 0 for factor in how.widths):
        raise InputError(f"--widths {list(how.widths)}: factors above 0 were expected.")
    if how.init is not None:
        read_checkpoint(checkpoint_of(how.init))


def _single(run: Run, how: Probe) -> Config:
    """Return the run's config with one network and the options of the probe."""
    config = make_config(run.config)
    config.ensemble, config.members = [], 1
    config.seed = config.seed if how.seed is None else how.seed
    config.device = how.device or config.device
    training = dataclasses.replace(config.training, logger="csv", find_lr=False)
    if how.max_steps is not None:
        training = dataclasses.replace(training, max_steps=how.max_steps, max_epochs=None)
    if how.init is not None:
        training = dataclasses.replace(training, init=str(how.init), init_motifs=None)
    config.training = training
    return config


def _variant(config: Config, repeat: int, **training: Any) -> Config:
    """Return a copy of a config for one repeat, with other options of the training."""
    made = copy.deepcopy(config)
    made.seed += repeat
    made.training = dataclasses.replace(made.training, **training)
    return made


# what is trained --------------------------------------------------------------------------------------


def _random_labels(config: Config, data: SequenceData, how: Probe) -> Iterator[Arm]:
    """Yield trainings on permuted targets; the last weights count, since no validation score means anything."""
    for repeat in range(how.repeats):
        variant = _variant(config, repeat, keep="last", patience=0, **AT_RANDOM)
        yield Arm(RANDOM, repeat + 1, repeat, variant, data.permuted(seed=variant.seed))


def _train_sizes(config: Config, data: SequenceData, how: Probe) -> Iterator[Arm]:
    """Yield trainings on ever more of the training split, and the same from another run's encoder where one is named."""
    starts: dict[str, dict[str, Any]] = {FROM_SCRATCH: {**AT_RANDOM, "encoder_lr": None}}
    if config.training.init:
        starts[PRETRAINED] = {}
    for share in sorted(set(how.sizes)):
        for repeat in range(how.repeats):
            part = data.subset(share, seed=config.seed + repeat)
            for series, options in starts.items():
                yield Arm(series, len(part.rows("train")), repeat, _variant(config, repeat, **options), part)


def _widths(config: Config, data: SequenceData, how: Probe) -> Iterator[Arm]:
    """Yield trainings of ever wider networks, to the end: what is stopped early shows no memorising."""
    for factor in sorted(set(how.widths)):
        for repeat in range(how.repeats):
            variant = _variant(config, repeat, keep="last", patience=0, **AT_RANDOM)
            variant.model = widened(config.model, factor)
            yield Arm("width", factor, repeat, variant, data)


def widened(model: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return a model with its numbers of channels and units multiplied, and never below 1.

    Examples
    --------
    >>> widened({"name": "basset", "filters": (8, 16, 3)}, 0.25)["filters"]
    (2, 4, 1)
    """
    options = {key: p.default for key, p in MODELS.options(model["name"]).items() if key in WIDE_OPTIONS} | model
    wide = [key for key in WIDE_OPTIONS if key in options]
    if not wide:
        raise InputError(
            f"the model '{model['name']}' has none of the options {', '.join(WIDE_OPTIONS)}, so that it has no width. Probe another run."
        )

    def times(value: Any) -> Any:
        return tuple(times(one) for one in value) if isinstance(value, list | tuple) else max(1, round(factor * int(value)))

    return model | {key: times(options[key]) for key in wide}


def _row(arm: Arm) -> dict[str, Any]:
    """Do a training and measure it."""
    began = time.monotonic()
    task = build_task(arm.config, arm.data)
    with tempfile.TemporaryDirectory(prefix="seqdl-probe-") as folder:
        try:
            Fitting(task, arm.data, Path(folder), arm.config.training, seed=arm.config.seed, device=arm.config.device).run()
        except Interrupted:
            raise Interrupted("the probe was stopped, and nothing was written. Start it again, with fewer --repeats or --max-steps.") from None
    n_parameters, n_train = sum(p.numel() for p in task.parameters()), len(arm.data.rows("train"))
    row: dict[str, Any] = {"series": arm.series, "x": arm.x, "repeat": arm.repeat, "n_train": n_train, "n_parameters": n_parameters}
    row["parameters_per_example"] = n_parameters / n_train
    measured = {split: _measure(task, arm, split) for split in ("train", "test")}
    row |= {f"{split}_score": score for split, (score, _) in measured.items()} | {f"{split}_loss": loss for split, (_, loss) in measured.items()}
    return row | {"seconds": round(time.monotonic() - began, 2)}


def _measure(task: Any, arm: Arm, split: str) -> tuple[float, float]:
    """Return the score and the loss of a task on a split."""
    import torch

    rows = arm.data.rows(split)
    logits, targets = data_logits(task, arm.data, rows, device=arm.config.device), arm.data.targets(split)
    with torch.inference_mode():
        loss = float(task.loss(torch.tensor(logits), torch.tensor(targets)))
    return score(arm.data.kind, targets, linked(task, logits)), loss


def score(kind: str, targets: Floats, predictions: Floats) -> float:
    """Return one number for predictions (N, T) of a kind of targets: a mean AUROC, or a mean correlation.

    Examples
    --------
    >>> score("binary", np.array([[0.0], [1.0]]), np.array([[0.2], [0.9]]))
    1.0
    """
    if kind == "multiclass":
        present = np.unique(targets[:, 0]).astype(int)
        return float(np.mean([auroc(targets[:, 0] == k, predictions[:, k]) for k in present]))
    columns = range(targets.shape[1])
    if kind == "binary":
        return float(np.mean([auroc(targets[:, t], predictions[:, t]) for t in columns]))
    with np.errstate(invalid="ignore"):
        return float(np.mean([np.corrcoef(targets[:, t], predictions[:, t])[0, 1] for t in columns]))
