"""Train a task on data, into a run folder."""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import shutil
import signal
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from seqdl.data.augment import Augmentation
from seqdl.data.datamodule import Loading, SequenceDataModule
from seqdl.errors import InputError, Interrupted, MissingFileError, SeqdlError, UnknownNameError
from seqdl.experiment.auto import default_steps, n_that_count
from seqdl.experiment.callbacks import EpochLog, EpochSeeds, StepBar
from seqdl.experiment.config import TrainingConfig, make_config
from seqdl.tasks.base import Optimisation, Task

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData

SMALL_STEP_FLOPS = 3e8
"""Forward operations in a batch below which a second thread gains little on free cores and costs much on busy ones."""
LEAST_EPOCHS = 12
"""A step budget is cut into at least this many epochs, so that the loss curve has points."""


@dataclass(frozen=True)
class Schedule:
    """How many steps there are, and how they fall into epochs."""

    epochs: int
    epoch_steps: int

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.epochs * self.epoch_steps


def plan_schedule(training: TrainingConfig, n_train: int, n_positives: int) -> Schedule:
    """Return the schedule for a budget of steps or of epochs.

    Examples
    --------
    >>> plan_schedule(TrainingConfig(max_epochs=20), 3_200, 1_000)
    Schedule(epochs=20, epoch_steps=50)
    >>> plan_schedule(TrainingConfig(max_steps=600), 64_000, 20_000)
    Schedule(epochs=12, epoch_steps=50)
    """
    whole_pass = max(1, math.ceil(n_train / training.batch_size))
    if training.max_epochs is not None:
        return Schedule(training.max_epochs, whole_pass)
    steps = training.max_steps or default_steps(n_positives)
    epoch_steps = max(1, min(whole_pass, steps // LEAST_EPOCHS))
    return Schedule(max(1, round(steps / epoch_steps)), epoch_steps)


def training_options(options: dict[str, Any]) -> TrainingConfig:
    """Return a `TrainingConfig` from keyword arguments, or say which is unknown."""
    known = [f.name for f in fields(TrainingConfig)]
    for key in options:
        if key not in known:
            raise UnknownNameError("training option", key, known)
    return make_config({"training": options}).training


def fit_task(
    task: Task, data: SequenceData, folder: Path, *, training: TrainingConfig, seed: int = 0, device: str = "auto", resume: bool = False
) -> float:
    """Train `task` and leave checkpoints and log.csv in `folder`.

    Parameters
    ----------
    task : Task
        Trained in place; afterwards it holds the weights that count (`training.keep`), on the CPU.
    data : SequenceData
    folder : Path
        The run folder; it is made where it is missing.
    training : TrainingConfig
    seed : int
        Of batches and dropout (weights are drawn before, by whoever made the task).
    device : str, default "auto"
    resume : bool, default False
        Go on from checkpoints/last.ckpt.

    Returns
    -------
    float
        Seconds it took.

    Raises
    ------
    Interrupted
        On Ctrl-C; the last whole epoch is in last.ckpt.
    MissingFileError
        If there is nothing to resume.
    """
    train_rows = data.rows("train")
    targets = data.targets("train")
    schedule = plan_schedule(training, len(train_rows), n_that_count(data))
    task.optimisation = Optimisation(training.lr, training.weight_decay, training.warmup)
    task.recipe |= {"length": data.length, "ambiguous": data.ambiguous}
    task.prepare(targets)
    varied = Augmentation(jitter=training.jitter, mask=training.mask, mutate=training.mutate)
    share = training.positive_share if task.two_classes else 0.0
    loading = Loading(training.batch_size, schedule.epoch_steps, share, workers=training.workers, augmentation=varied)
    last = folder / "checkpoints" / "last.ckpt"
    if resume and not last.is_file():
        raise MissingFileError(f"{folder}: there is no checkpoints/last.ckpt to go on from. Train anew, with --force.")
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with _quiet_lightning(), _few_threads(task, training.batch_size, data.length):
        trainer = _trainer(task, folder, schedule, training=training, seed=seed, device=device)
        _fit_or_interrupt(trainer, task, SequenceDataModule(data, loading, seed=seed), resume_from=last if resume else None, folder=folder)
    best = folder / "checkpoints" / "best.ckpt"
    if training.keep == "last" or not best.exists():
        shutil.copyfile(last, best)
    load_weights(task, best)
    if task.calibrated and len(data.rows("val")):
        _calibrate(task, data, best, device=device)
    return time.monotonic() - started


def load_weights(task: Task, path: Path) -> None:
    """Load the weights of a checkpoint into a task and make it ready to predict."""
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    task.load_state_dict(state["state_dict"])
    task.to("cpu").eval()


def _calibrate(task: Task, data: SequenceData, path: Path, *, device: str) -> None:
    """Bring the logits to calibrated log-odds on the validation split, and keep that in the checkpoint."""
    import torch

    from seqdl.evaluate.calibration import calibration_line
    from seqdl.experiment.predict import predict_logits

    rows = data.rows("val")
    task.calibrate(np.ones(len(task.outputs)), np.zeros(len(task.outputs)))
    logits = predict_logits(task, data.codes[rows], lengths=None if data.lengths is None else data.lengths[rows], device=device)
    lines = [calibration_line(logits[:, t], data.targets("val")[:, t]) for t in range(logits.shape[1])]
    task.calibrate(np.array([scale for scale, _ in lines]), np.array([shift for _, shift in lines]))
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    checkpoint["state_dict"] |= {"scale": task.scale, "shift": task.shift}
    temporary = path.with_suffix(".part")
    torch.save(checkpoint, temporary)
    temporary.replace(path)


def _trainer(task: Task, folder: Path, schedule: Schedule, *, training: TrainingConfig, seed: int, device: str) -> pl.Trainer:
    mode = "max" if task.higher_is_better else "min"
    checkpoints = folder / "checkpoints"
    keep_best = ModelCheckpoint(checkpoints, filename="best", monitor=task.monitor, mode=mode, save_top_k=1, enable_version_counter=False)
    keep_last = ModelCheckpoint(checkpoints, filename="last", save_top_k=1, enable_version_counter=False)
    callbacks: list[pl.Callback] = [EpochSeeds(seed), EpochLog(folder / "log.csv"), StepBar()]
    if training.patience:
        callbacks.append(EarlyStopping(task.monitor, mode=mode, patience=training.patience))
    return pl.Trainer(
        accelerator=accelerator(device),
        devices=1,
        max_epochs=schedule.epochs,
        callbacks=[*callbacks, keep_best, keep_last],
        gradient_clip_val=training.clip or None,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )


def accelerator(device: str) -> str:
    """Return Lightning's name of a device.

    Raises
    ------
    InputError
        If this machine has no such device.
    """
    import torch

    names = {"auto": "auto", "cpu": "cpu", "cuda": "gpu", "mps": "mps"}
    if device not in names:
        raise UnknownNameError("device", device, names)
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(device, True):
        raise InputError(f"--device {device}: this machine has none that torch can use. Use --device cpu or auto.")
    return names[device]


def _fit_or_interrupt(trainer: pl.Trainer, task: Task, loaders: SequenceDataModule, *, resume_from: Path | None, folder: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(task, datamodule=loaders, ckpt_path=resume_from, weights_only=True)
    except SystemExit:
        if not trainer.interrupted:
            raise
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _drop_half_written(folder / "checkpoints")
        raise SeqdlError(f"{folder}: the disk is full, and training stopped. Make room, then go on with: seqdl train --resume -o {folder}") from None
    finally:
        with contextlib.suppress(ValueError):  # only the main thread may set a handler
            signal.signal(signal.SIGINT, handler)
    if trainer.interrupted:
        raise Interrupted(f"training was stopped after epoch {trainer.current_epoch}. Go on with: seqdl train --resume -o {folder}")
    if not all(np.isfinite(p.detach().cpu().numpy()).all() for p in task.parameters()):
        raise InputError("the weights became infinite while training: a finite loss was expected. Lower --lr.")


def _drop_half_written(checkpoints: Path) -> None:
    """Remove checkpoints that cannot be read; where the last is one of them, training goes on from the best."""
    import torch

    for path in checkpoints.glob("*.ckpt"):
        try:
            torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, OSError):
            path.unlink()
    best, last = checkpoints / "best.ckpt", checkpoints / "last.ckpt"
    if best.is_file() and not last.is_file():
        best.rename(last)


@contextlib.contextmanager
def _few_threads(task: Task, batch_size: int, length: int) -> Iterator[None]:
    """Train a small network on one thread of the processor: sharing out its steps costs more than it gains.

    The choice depends on the network alone, never on a measurement, so that a run repeats to the last digit.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    before = torch.get_num_threads()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter, contextlib.suppress(RuntimeError):
        task.eval()(torch.zeros(batch_size, 4, length))
    task.train()
    if counter.get_total_flops() / len(getattr(task, "members", [task])) < SMALL_STEP_FLOPS:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence what Lightning and its libraries say of themselves."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.pytorch", "lightning.fabric", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
