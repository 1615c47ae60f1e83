"""What happens while Lightning trains: a progress bar, a row in log.csv an epoch, seeds by epoch."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch

if TYPE_CHECKING:
    from tqdm import tqdm

FIRST_COLUMNS, LAST_COLUMNS = ("epoch", "step", "train_loss", "val_loss"), ("lr", "seconds")
"""Of log.csv; the task's own metrics stand between them."""


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
        found |= {"epoch": trainer.current_epoch, "step": trainer.global_step, "lr": trainer.optimizers[0].param_groups[0]["lr"]}
        found["seconds"] = round(time.monotonic() - self.started, 2)
        own = [name for name in found if name.startswith("val_") and name not in FIRST_COLUMNS]
        columns = (*FIRST_COLUMNS, *own, *LAST_COLUMNS)
        self.rows.append({name: _shorten(found.get(name, "")) for name in columns})
        temporary = self.path.with_suffix(".part")
        with temporary.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        temporary.replace(self.path)


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
            torch.manual_seed(self.seed * 100_003 + trainer.current_epoch)


class StepBar(pl.Callback):
    """One bar over all steps, with the latest validation score; only on a terminal."""

    def __init__(self) -> None:
        self.bar: tqdm[Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the bar."""
        from tqdm import tqdm

        disable = True if os.environ.get("SEQDL_QUIET") else None
        total = int(trainer.estimated_stepping_batches)
        self.bar = tqdm(total=total, initial=trainer.global_step, desc="training", unit="step", disable=disable, leave=False)

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
