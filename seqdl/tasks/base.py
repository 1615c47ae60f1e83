"""What every task shares: an encoder read on one strand or both, an optimiser, a loss, metrics by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.heads import PooledHead
from seqdl.layers.onehot import lengths_of_features, one_hot, reverse_complement
from seqdl.types import Ambiguous, Batch, Floats, Strands

STRANDS: tuple[Strands, ...] = ("shared", "average", "augment", "single")


@dataclass(frozen=True)
class Optimisation:
    """How the weights are moved.

    Parameters
    ----------
    lr : float, default 0.01
        Peak learning rate of the one-cycle schedule [1]_.
    weight_decay : float, default 0.01
        Of AdamW [2]_.
    warmup : float, in (0, 1), default 0.25
        Share of the steps in which the rate rises.

    References
    ----------
    .. [1] Smith & Topin, Super-convergence (2018). .. [2] Loshchilov & Hutter, Decoupled weight decay (2019).
    """

    lr: float = 0.01
    weight_decay: float = 0.01
    warmup: float = 0.25


class Task(pl.LightningModule):
    """An encoder with an objective.

    Subclasses give a `head`, `loss`, `link` and `metrics`; everything else is here.

    Parameters
    ----------
    encoder : nn.Module
        One-hot (B, 4, L) -> features (B, C, L // stride), with ``.channels`` and ``.stride``.
    outputs : list of str
        Names of the T outputs.
    strands : {"shared", "average", "augment", "single"}, default "shared"
        Weights shared over both strands; predictions averaged over them; the other strand as
        augmentation of the training set only; or the given strand alone.
    """

    monitor: str = "val_loss"
    higher_is_better: bool = False
    calibrated: bool = False
    """Whether logits are brought to calibrated log-odds on the validation split after training."""
    exclusive: bool = False
    """Whether the outputs are classes that exclude each other."""
    two_classes: bool = False
    """Whether batches may be drawn with another share of positives than there is."""
    head: nn.Module
    scale: Tensor
    shift: Tensor

    def __init__(self, encoder: nn.Module, *, outputs: list[str] | None = None, strands: str = "shared") -> None:
        super().__init__()
        if strands not in STRANDS:
            raise UnknownNameError("way of reading strands", strands, STRANDS)
        for attribute in ("channels", "stride"):
            if not hasattr(encoder, attribute):
                raise InputError(
                    f"the encoder {type(encoder).__name__} has no .{attribute}: an encoder maps one-hot (B, 4, L) to features "
                    "(B, channels, L // stride) and says both numbers. Give it the attribute."
                )
        self.encoder = encoder
        self.outputs = list(outputs or ["target"])
        self.strands = strands
        self.register_buffer("scale", torch.ones(len(self.outputs)))
        self.register_buffer("shift", torch.zeros(len(self.outputs)))
        self.optimisation = Optimisation()
        self.recipe: dict[str, Any] = {}
        self._seen: list[tuple[Tensor, Tensor]] = []

    def pooled_head(self, *, pooling: str, activation: str, hidden: int, dropout: float, length: int | None) -> PooledHead:
        """Return a head over this task's encoder with one logit an output; flatten pooling is told the length in bp."""
        channels, stride = int(self.encoder.channels), int(self.encoder.stride)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        positions = length // stride if length else None
        return PooledHead(channels, len(self.outputs), pooling=pooling, activation=activation, hidden=hidden, dropout=dropout, positions=positions)

    # what a subclass gives ---------------------------------------------------------------------------

    def prepare(self, targets: Floats) -> None:
        """Take note of the training targets (N, T) before the first step, where the objective needs their scale."""

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of logits (B, T) against targets (B, T)."""
        raise TypeError(f"{type(self).__name__} defines no loss")

    def link(self, logits: Tensor) -> Tensor:
        """Return predictions for logits, of the same shape."""
        return logits

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return the metrics of predictions (N, T) against targets (N, T) that are followed while training."""
        raise TypeError(f"{type(self).__name__} defines no metrics")

    # prediction -------------------------------------------------------------------------------------

    @property
    def ambiguous(self) -> Ambiguous:
        """How an ambiguous base is read: "zero" or "uniform"; it lies in the recipe, and so in the checkpoint."""
        way: Ambiguous = self.recipe.get("ambiguous", "zero")
        return way

    def one_hot(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return codes (B, L) as one-hot (B, 4, L), ambiguous bases read as in training."""
        return one_hot(codes, ambiguous=self.ambiguous, lengths=lengths)

    def logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, T) for one-hot (B, 4, L), calibrated where `calibrate` was called; attributions are taken through these."""
        return self.raw_logits(x, lengths) * self.scale + self.shift

    def calibrate(self, scale: Floats, shift: Floats) -> None:
        """Set the line that brings raw logits (B, T) to calibrated ones: a scale and a shift for each output, (T,)."""
        self.scale.copy_(torch.from_numpy(np.asarray(scale, dtype=np.float32)))
        self.shift.copy_(torch.from_numpy(np.asarray(shift, dtype=np.float32)))

    def raw_logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, T) as the head gives them."""
        out = self._strand_logits(x, lengths)
        if self.strands == "average":
            out = (out + self._strand_logits(reverse_complement(x, lengths), lengths)) / 2
        return out

    def _strand_logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return logits (B, T) of one reading; with shared strands the head is given the features of both."""
        features: Tensor = self.encoder(x, lengths)
        other: Tensor | None = self.encoder(reverse_complement(x, lengths), lengths) if self.strands == "shared" else None
        stride = int(self.encoder.stride)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        out: Tensor = self.head(features, lengths_of_features(lengths, stride, features.shape[-1]), other)
        return out

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return predictions (B, T) for one-hot (B, 4, L)."""
        return self.link(self.logits(x, lengths))

    # training ---------------------------------------------------------------------------------------

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of one batch."""
        loss = self.loss(self.logits(self.one_hot(batch.codes, batch.lengths), batch.lengths), batch.targets)
        self.log("train_loss", loss.detach(), on_step=False, on_epoch=True, batch_size=len(batch.codes))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Keep the logits of one batch for the metrics of the epoch."""
        self._seen.append((self.logits(self.one_hot(batch.codes, batch.lengths), batch.lengths).float().cpu(), batch.targets.cpu()))

    def on_validation_epoch_end(self) -> None:
        """Log the loss and the metrics over the whole validation set."""
        logits, targets = (torch.cat(parts) for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        self.log("val_loss", self.loss(logits, targets))
        for name, value in self.metrics(targets.numpy(), self.link(logits).numpy()).items():
            self.log(f"val_{name}", np.float32(value).item())

    def configure_optimizers(self) -> Any:
        """Return AdamW under a one-cycle schedule over all steps."""
        options = self.optimisation
        optimiser = torch.optim.AdamW(self.parameters(), lr=options.lr, weight_decay=options.weight_decay)
        steps = int(self.trainer.estimated_stepping_batches)
        rise = options.warmup if options.warmup * steps != 1 else 0.5 / steps  # a rise of exactly one step makes torch divide by zero
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=options.lr, total_steps=steps, pct_start=rise)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the recipe, so that a checkpoint can be turned into a task without anything beside it."""
        checkpoint["seqdl"] = self.recipe

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move a batch, one byte a base, to the device."""
        return batch.to(device)
