"""What happens while Lightning trains: a progress bar, a row in log.csv an epoch, notices, seeds by epoch, penalties, frozen layers, checkpoints."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch.optim.lr_scheduler import ReduceLROnPlateau

if TYPE_CHECKING:
    from tqdm import tqdm

FIRST_COLUMNS, LAST_COLUMNS = ("epoch", "step", "train_loss", "val_loss"), ("lr", "seconds")
"""Of log.csv; the task's own metrics stand between them."""
SECONDS_BETWEEN = 5.0
"""Least time between two writings of last.ckpt: a kill undoes this and an epoch at most."""


class EpochLog(pl.Callback):
    """Writes one row of log.csv an epoch; rows of epochs that are done again are replaced.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started = time.monotonic()
        self.rows: list[dict[str, Any]] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the rows of epochs that lie before the one training starts from."""
        if self.path.exists():
            with self.path.open(newline="") as handle:
                self.rows = [row for row in csv.DictReader(handle) if int(row["epoch"]) < trainer.current_epoch]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the row of this epoch and write the file anew."""
        found = {name: float(value) for name, value in trainer.callback_metrics.items()}
        # where two networks move in turn, Lightning counts the moves of both
        step = trainer.global_step if pl_module.automatic_optimization else trainer.fit_loop.total_batch_idx + 1
        found |= {"epoch": trainer.current_epoch, "step": step, "lr": trainer.optimizers[0].param_groups[0]["lr"]}
        found["seconds"] = round(time.monotonic() - self.started, 2)
        own = [name for start in ("train_", "val_") for name in found if name.startswith(start) and name not in FIRST_COLUMNS]
        columns = (*FIRST_COLUMNS, *own, *LAST_COLUMNS)
        self.rows.append({name: _shorten(found.get(name, "")) for name in columns})
        if not trainer.is_global_zero:
            return
        temporary = self.path.with_suffix(".part")
        with temporary.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        temporary.replace(self.path)


class Notices(pl.Callback):
    """Says what a task has to say at the end of an epoch, such as that its samples have collapsed.

    Parameters
    ----------
    say : callable
        Told of each, in a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say it, and forget it."""
        notices: list[str] = getattr(pl_module, "notices", [])
        for text in notices:
            self.say(f"epoch {trainer.current_epoch}: {text}")
        notices.clear()


class EpochSeeds(pl.Callback):
    """Seeds each epoch by its number, so that a run taken up again draws what it would have drawn.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Seed torch, for dropout, at the first batch: opening the loaders draws too, once more in a run that was taken up again."""
        if batch_idx == 0:
            torch.manual_seed(self.seed * 100_003 + trainer.current_epoch + 1_000_003 * trainer.global_rank)


class Penalty(pl.Callback):
    """Adds the gradient of l1 * sum |w| + l2 / 2 * sum w^2 over kernels and matrices; biases and norms are left alone.

    It is no part of the loss that is logged, so that losses compare between penalties.

    Parameters
    ----------
    l1, l2 : float
    """

    def __init__(self, l1: float, l2: float) -> None:
        self.l1, self.l2 = l1, l2

    def on_after_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add it, before the gradient is clipped."""
        for weight in pl_module.parameters():
            if weight.grad is not None and weight.ndim > 1:
                weight.grad.add_(weight.detach().sign(), alpha=self.l1).add_(weight.detach(), alpha=self.l2)


class KeepFrozen(pl.Callback):
    """Keeps frozen parts as they are at prediction: no dropout in them, and no new statistics in their norms."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put every part whose weights are all frozen into evaluation mode."""
        for part in pl_module.modules():
            weights = list(part.parameters())
            if weights and not any(weight.requires_grad for weight in weights):
                part.eval()


class Plateau(pl.Callback):
    """Lowers the learning rate where the validation score has not become better for some epochs.

    Lightning itself would do so only when the epoch's checkpoint is already written, and a run taken up again would miss it.

    Parameters
    ----------
    monitor : str
    mode : {"min", "max"}
    factor : float
        What the rate is multiplied by.
    patience : int
        Epochs without a better score.
    """

    def __init__(self, monitor: str, *, mode: Literal["min", "max"], factor: float, patience: int) -> None:
        self.monitor = monitor
        self.options: dict[str, Any] = {"mode": mode, "factor": factor, "patience": patience}
        self.states: list[dict[str, Any]] = []
        self.schedules: list[ReduceLROnPlateau] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Watch every optimiser, from where it was left."""
        self.schedules = [ReduceLROnPlateau(optimiser, **self.options) for optimiser in trainer.optimizers]
        for schedule, state in zip(self.schedules, self.states, strict=False):
            schedule.load_state_dict(state)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take note of the score."""
        for schedule in self.schedules:
            schedule.step(float(trainer.callback_metrics[self.monitor]))

    def state_dict(self) -> dict[str, Any]:
        """Return what has to be known to go on."""
        return {"schedules": [schedule.state_dict() for schedule in self.schedules]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep it until training starts."""
        self.states = state_dict["schedules"]


class FolderCheckpoint(ModelCheckpoint):
    """A checkpoint that knows its best score again in a folder that was moved or copied."""

    @cached_property
    def state_key(self) -> str:  # Lightning asks for it several times a step
        """The name under which a checkpoint holds its state: the same as that of the class it refines."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state over, with its paths in this folder."""
        paths = {name: self._here(state_dict[name]) for name in ("best_model_path", "kth_best_model_path", "last_model_path")}
        models = {self._here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict(state_dict | paths | {"best_k_models": models, "dirpath": self.dirpath})

    def _here(self, path: str) -> str:
        return str(Path(str(self.dirpath)) / Path(path).name) if path else path


class LastCheckpoint(FolderCheckpoint):
    """The state at the end of an epoch, to go on from: of the first, of the last, and of others where some seconds have passed since.

    A checkpoint of a small network takes as long as a step or two of it. What a kill undoes is done again on resuming, to the same numbers.
    """

    written: float | None = None

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write it, unless it was written a moment ago."""
        ends = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        due = ends or self.written is None or time.monotonic() - self.written >= SECONDS_BETWEEN
        if trainer.strategy.broadcast(due):  # all processes of a team write it together, or none
            super().on_train_epoch_end(trainer, pl_module)
            self.written = time.monotonic()


class StepBar(pl.Callback):
    """One bar over all steps, with the latest validation score; only on a terminal."""

    def __init__(self) -> None:
        self.bar: tqdm[Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the bar."""
        from tqdm import tqdm

        total = int(trainer.estimated_stepping_batches)
        self.bar = tqdm(total=total, initial=trainer.global_step, desc="training", unit="step", disable=not trainer.is_global_zero, leave=False)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the bar by one step."""
        if self.bar is not None:
            self.bar.update()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the latest score."""
        score = trainer.callback_metrics.get(getattr(pl_module, "monitor", ""))
        if self.bar is not None and score is not None:
            self.bar.set_postfix_str(f"{pl_module.monitor} {float(score):.3f}")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Close the bar, also where training breaks off."""
        if self.bar is not None:
            self.bar.close()


def _shorten(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
