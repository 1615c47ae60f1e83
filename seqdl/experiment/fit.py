"""Train a task on data, into a run folder."""

from __future__ import annotations

import contextlib
import errno
import math
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping

from seqdl.data.augment import Augmentation
from seqdl.data.datamodule import Loading, SequenceDataModule
from seqdl.errors import InputError, Interrupted, MissingFileError, SeqdlError, UnknownNameError, listing
from seqdl.experiment.auto import default_steps, n_that_count
from seqdl.experiment.calibrate import calibrate_task, calibration_method, sharpen_critic
from seqdl.experiment.callbacks import EpochLog, EpochSeeds, FolderCheckpoint, KeepFrozen, LastCheckpoint, Penalty, Plateau, StepBar
from seqdl.experiment.checkpoint import fill_task
from seqdl.experiment.config import make_config
from seqdl.experiment.loggers import check_logger, make_logger
from seqdl.experiment.precision import choose_precision, few_threads, kept_memory
from seqdl.experiment.quiet import quiet_lightning
from seqdl.experiment.team import CheckTeam, Team, disband
from seqdl.experiment.training_config import TrainingConfig
from seqdl.experiment.transfer import freeze_encoder, start_from, start_from_known
from seqdl.experiment.weigh import weigh_members
from seqdl.layers.shared_norm import shared_norms
from seqdl.progress import bar_is_seen
from seqdl.tasks.base import Task
from seqdl.tasks.optimise import Optimisation

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData

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


def plan_schedule(training: TrainingConfig, n_train: int, n_positives: int, *, budget: int | None = None) -> Schedule:
    """Return the schedule for a budget of steps or of epochs; where neither is asked for, for the task's own budget or the data's.

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
    steps = training.max_steps or budget or default_steps(n_positives)
    epoch_steps = max(1, min(whole_pass, steps // LEAST_EPOCHS))
    return Schedule(max(1, round(steps / epoch_steps)), epoch_steps)


def training_options(options: dict[str, Any]) -> TrainingConfig:
    """Return a `TrainingConfig` from keyword arguments, or say which is unknown."""
    known = [f.name for f in fields(TrainingConfig)]
    for key in options:
        if key not in known:
            raise UnknownNameError("training option", key, known)
    return make_config({"training": options}).training


def optimisation_of(training: TrainingConfig) -> Optimisation:
    """Return the part of the options that says how weights are moved."""
    return Optimisation(**{f.name: getattr(training, f.name) for f in fields(Optimisation)})


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
        On Ctrl-C; last.ckpt holds the end of an epoch, written every 5 s at most.
    MissingFileError
        If there is nothing to resume.
    """
    return Fitting(task, data, folder, training, seed=seed, device=device, resume=resume).run()


@dataclass
class Fitting:
    """A training about to be done; the fields are those of `fit_task`, and what a search or a control adds.

    Parameters
    ----------
    callbacks : sequence of Callback
        Told of every epoch, besides those that every training has.
    team : Team
        The processes that share each batch; all of them run this, and only the first loads, calibrates and writes.
    """

    task: Task
    data: SequenceData
    folder: Path
    training: TrainingConfig
    seed: int = 0
    device: str = "auto"
    resume: bool = False
    callbacks: Sequence[pl.Callback] = ()
    team: Team = field(default_factory=Team)

    @property
    def checkpoints(self) -> Path:
        """Where best.ckpt and last.ckpt lie."""
        return self.folder / "checkpoints"

    def run(self) -> float:
        """Train, load the weights that count and calibrate them; return the seconds it took."""
        task, training, best, last = self.task, self.training, self.checkpoints / "best.ckpt", self.checkpoints / "last.ckpt"
        if self.resume and not last.is_file():
            raise MissingFileError(f"{self.folder}: there is no checkpoints/last.ckpt to go on from. Train anew, with --force.")
        method = calibration_method(task, training.calibration)
        schedule = plan_schedule(training, len(self.data.rows("train")), n_that_count(self.data), budget=self.task.budget)
        loading = replace(loading_of(training, task, self.data, epoch_steps=schedule.epoch_steps), part=(self.team.rank, self.team.size))
        self.prepare()
        self.folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        shape = _batch_shape(self.data, training.batch_size)
        sharing = shared_norms(task) if self.team.size > 1 else contextlib.nullcontext()
        threads = few_threads(task, shape, share=self.team.devices)
        with quiet_lightning(), threads, sharing, kept_memory(give_back=training.give_memory_back):
            loaders = SequenceDataModule(self.data, loading, seed=self.seed)
            _fit_or_interrupt(self._trainer(schedule), task, loaders, resume_from=last if self.resume else None, folder=self.folder)
        if not self.team.leads:
            return time.monotonic() - started
        if training.keep == "last" or not best.exists():
            shutil.copyfile(last, best)
        load_weights(task, best)
        weigh_members(task, self.data, best, device=self.device)
        sharpen_critic(task, self.data, best)
        if method != "none" and len(self.data.rows("val")):
            calibrate_task(task, self.data, best, method=method, device=self.device)
        return time.monotonic() - started

    def prepare(self) -> None:
        """Tell the task what it has to know before its first step, and give it the weights it starts from."""
        task, training = self.task, self.training
        task.optimisation = optimisation_of(training)
        task.recipe |= {"length": self.data.length, "ambiguous": self.data.ambiguous}
        if self.data.classes:
            task.recipe["classes"] = list(self.data.classes)
        task.prepare(self.data.truth()[self.data.rows("train")])
        if training.init and not self.resume:
            start_from(task, training.init)
        if training.init_motifs and not self.resume:
            start_from_known(task, training.init_motifs)
        freeze_encoder(task, training.freeze)

    def _trainer(self, schedule: Schedule) -> pl.Trainer:
        from seqdl.experiment.predict import device_name

        task, training, place = self.task, self.training, device_name(self.device)
        mode: Literal["min", "max"] = "max" if task.higher_is_better else "min"
        callbacks: list[pl.Callback] = [EpochSeeds(self.seed), EpochLog(self.folder / "log.csv")]
        if bar_is_seen():
            callbacks.append(StepBar())
        if training.l1 or training.l2:
            callbacks.append(Penalty(training.l1, training.l2))
        if not all(weight.requires_grad for weight in task.parameters()):
            callbacks.append(KeepFrozen())
        if training.schedule == "plateau":
            callbacks.append(Plateau(task.monitor, mode=mode, factor=training.decay, patience=training.plateau))
        if training.patience:
            callbacks.append(EarlyStopping(task.monitor, mode=mode, patience=training.patience))
        if self.team.size > 1:
            callbacks.append(CheckTeam(self.team))
        keep_best = FolderCheckpoint(self.checkpoints, filename="best", monitor=task.monitor, mode=mode, save_top_k=1, enable_version_counter=False)
        keep_last = LastCheckpoint(self.checkpoints, filename="last", save_top_k=1, enable_version_counter=False)
        return pl.Trainer(
            accelerator=accelerator(self.device),
            devices=self.team.devices,
            num_nodes=self.team.nodes,
            strategy=self.team.strategy(place),
            use_distributed_sampler=False,
            precision=choose_precision(training.precision, place).plugin,
            max_epochs=schedule.epochs,
            callbacks=[*callbacks, keep_best, keep_last, *self.callbacks],
            gradient_clip_val=(training.clip or None) if task.automatic_optimization else None,
            num_sanity_val_steps=0,
            logger=make_logger(training.logger, self.folder) or False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=self.folder,
        )


def loading_of(training: TrainingConfig, task: Task, data: SequenceData, *, epoch_steps: int) -> Loading:
    """Return how batches are drawn.

    Raises
    ------
    InputError
        If classes are to be balanced where there are none.
    """
    if training.balance and not (task.two_classes or data.kind == "multiclass"):
        raise InputError(f"--balance was given for {data.kind} targets: classes were expected, two or more. Leave it out.")
    varied = Augmentation(jitter=training.jitter, mask=training.mask, mutate=training.mutate)
    share = (0.5 if training.balance else training.positive_share) if task.two_classes else 0.0
    several = training.balance and not task.two_classes
    return Loading(training.batch_size, epoch_steps, share, balanced=several, workers=training.workers, augmentation=varied)


def check_training(training: TrainingConfig, task: Task, data: SequenceData, *, device: str) -> tuple[TrainingConfig, list[str]]:
    """Check options against task, data and machine, before anything is written.

    Parameters
    ----------
    training : TrainingConfig
    task : Task
        Takes the weights it starts from, and its frozen ones are frozen.
    data : SequenceData
    device : str

    Returns
    -------
    training : TrainingConfig
        Without `auto` in its precision.
    notes : list of str
        What was chosen, in words.

    Raises
    ------
    SeqdlError
        If something does not fit.
    """
    from seqdl.experiment.predict import device_name

    notes = []
    check_logger(training.logger)
    calibration_method(task, training.calibration)
    loading_of(training, task, data, epoch_steps=1)
    if training.init:
        start_from(task, training.init)
    if training.init_motifs:
        written = start_from_known(task, training.init_motifs)
        notes.append(f"{len(written)} filters start from the motifs of {training.init_motifs}")
    frozen = freeze_encoder(task, training.freeze)
    if frozen:
        left = sum(weight.numel() for weight in task.parameters() if weight.requires_grad)
        notes.append(f"{len(frozen)} weights of the encoder are frozen ({listing(frozen, 4)}); {left:,} parameters are left to train")
    chosen = choose_precision(training.precision, device_name(device))
    if training.precision == "auto":
        notes.append(f"precision {chosen.name}: {chosen.reason}")
    return replace(training, precision=chosen.name), notes


def load_weights(task: Task, path: Path) -> None:
    """Load the weights of a checkpoint into a task and make it ready to predict."""
    import torch

    fill_task(task, torch.load(path, map_location="cpu", weights_only=True)["state_dict"])
    task.to("cpu").eval()


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
        disband()
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


def _batch_shape(data: SequenceData, batch_size: int) -> tuple[int, int, int]:
    """Return the shape of what a network reads, (B, 4 + C, L)."""
    return batch_size, 4 + (0 if data.signal is None else data.signal.shape[1]), data.length
