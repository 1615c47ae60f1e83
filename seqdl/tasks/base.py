"""What every task shares: an encoder read on one strand or both, an optimiser, a loss, metrics by epoch."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.heads import PooledHead, SumHead
from seqdl.layers.onehot import flip_positions, lengths_of_features, mask_positions, one_hot, reverse_complement
from seqdl.tasks.optimise import MeanLoss, Optimisation, optimisers_for
from seqdl.types import Ambiguous, Batch, Family, Floats, Strands

STRANDS: tuple[Strands, ...] = ("shared", "average", "augment", "single")


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

    serves: tuple[str, ...] = ()
    """Kinds of data (`SequenceData.kind`) it can be trained on."""
    family: Family = "supervised"
    """What is measured of it after training: predictions, reconstructions, likelihoods or samples."""
    own_strands: Strands = "single"
    """How strands are read by default, of a task that learns from the sequences alone."""
    budget: int | None = None
    """Optimiser steps where none are asked for; None leaves it to the number of examples."""
    per_base: bool = False
    """Whether logits lie along the sequence, (B, T, L)."""
    monitor: str = "val_loss"
    higher_is_better: bool = False
    calibrated: bool = False
    """Whether logits are brought to calibrated log-odds on the validation split after training."""
    exclusive: bool = False
    """Whether the outputs are classes that exclude each other."""
    two_classes: bool = False
    """Whether batches may be drawn with another share of positives than there is."""
    logarithmic: bool = False
    """Whether predictions, one for each sequence, are the exponential of the logits."""
    newer: ClassVar[dict[str, float]] = {}
    """Buffers that checkpoints written before there were any lack -> the value that stands for what was done then."""
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
        along = (1,) if self.per_base else ()
        self.register_buffer("scale", torch.ones(len(self.outputs), *along))
        self.register_buffer("shift", torch.zeros(len(self.outputs), *along))
        self.bend: nn.Module = nn.Identity()
        self.optimisation = Optimisation()
        self.recipe: dict[str, Any] = {}
        self.mean_loss = MeanLoss()
        self._seen: list[tuple[Tensor, Tensor]] = []

    def pooled_head(self, *, pooling: str, activation: str, hidden: int, dropout: float, length: int | None) -> PooledHead | SumHead:
        """Return a head over this task's encoder with one logit an output; flatten pooling is told the length in bp."""
        channels, stride = int(self.encoder.channels), int(self.encoder.stride)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        if pooling == "sum":
            return SumHead(channels, len(self.outputs))
        positions = length // stride if length else None
        if pooling == "last" and getattr(self.encoder, "directions", 1) == 2:
            pooling = "ends"  # what has read everything stands at the last position in one direction, at the first in the other
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

    def summary(self, logits: Tensor) -> Tensor:
        """Return one logit a sequence and output, (B, T): what attributions are taken through; of logits along the sequence those of the whole."""
        return logits

    def pool(self, predictions: Floats) -> Floats:
        """Return one prediction a sequence and output, (N, T); of predictions along the sequence, NaN in the padding, what sums them up."""
        return predictions

    # prediction -------------------------------------------------------------------------------------

    @property
    def ambiguous(self) -> Ambiguous:
        """How an ambiguous base is read: "zero" or "uniform"; it lies in the recipe, and so in the checkpoint."""
        way: Ambiguous = self.recipe.get("ambiguous", "zero")
        return way

    def one_hot(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return codes (B, L) as one-hot (B, 4, L), ambiguous bases read as in training."""
        return one_hot(codes, ambiguous=self.ambiguous, lengths=lengths)

    def inputs(self, batch: Batch) -> Tensor:
        """Return what the encoder reads of a batch: one-hot, and behind it the measured tracks where there are any, (B, 4 + C, L)."""
        x = self.one_hot(batch.codes, batch.lengths)
        return x if batch.signal is None else torch.cat([x, batch.signal], dim=1)

    def logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, T), or (B, T, L) of a task per base, for one-hot (B, 4, L), calibrated where that was done; attributions are of these."""
        return self.adjusted(self.raw_logits(x, lengths))

    def adjusted(self, raw: Tensor) -> Tensor:
        """Return logits, calibrated where that was done, for raw ones."""
        calibrated: Tensor = self.bend(raw * self.scale + self.shift)
        return calibrated

    def calibrate(self, scale: Floats, shift: Floats) -> None:
        """Set the line that brings raw logits (B, T) to calibrated ones: a scale and a shift for each output, (T,)."""
        self.scale.copy_(torch.from_numpy(np.asarray(scale, dtype=np.float32)).view_as(self.scale))
        self.shift.copy_(torch.from_numpy(np.asarray(shift, dtype=np.float32)).view_as(self.shift))

    def raw_logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, T) as the head gives them."""
        out = self._strand_logits(x, lengths)
        if self.strands == "average":
            other = self._strand_logits(reverse_complement(x, lengths), lengths)
            out = (out + (flip_positions(other, lengths) if self.per_base else other)) / 2
        return out

    def _strand_logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return logits (B, T) of one reading; with shared strands the head is given both, unless the encoder reads both itself."""
        features: Tensor = self.encoder(x, lengths)
        both = self.strands == "shared" and not getattr(self.encoder, "both_strands", False)
        other: Tensor | None = self.encoder(reverse_complement(x, lengths), lengths) if both else None
        stride = int(self.encoder.stride)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        out: Tensor = self.head(features, lengths_of_features(lengths, stride, features.shape[-1]), other)
        return out

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return predictions (B, T) for one-hot (B, 4, L)."""
        return self.link(self.logits(x, lengths))

    # training ---------------------------------------------------------------------------------------

    def known_targets(self, batch: Batch) -> Tensor:
        """Return the targets of a batch, those along the sequence NaN in the padding, where nothing is known."""
        return mask_positions(batch.targets, batch.lengths, float("nan")) if self.per_base else batch.targets

    def batch_loss(self, batch: Batch) -> Tensor:
        """Return the mean loss of a batch; an objective without targets gives its own."""
        return self.loss(self.logits(self.inputs(batch), batch.lengths), self.known_targets(batch))

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of one batch."""
        loss = self.batch_loss(batch)
        self.mean_loss.add(self, loss.detach(), n=len(batch.codes), batch_index=batch_index)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Keep the logits of one batch for the metrics of the epoch."""
        self._seen.append((self.logits(self.inputs(batch), batch.lengths).float().cpu(), self.known_targets(batch).cpu()))

    def on_validation_epoch_end(self) -> None:
        """Log the loss and the metrics over the whole validation set."""
        logits, targets = (torch.cat(parts) for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        self.log("val_loss", self.loss(logits, targets))
        for name, value in self.metrics(targets.numpy(), self.link(logits).numpy()).items():
            self.log(f"val_{name}", np.float32(value).item())

    def configure_optimizers(self) -> Any:
        """Return the optimiser and the schedule that `optimisation` names."""
        return optimisers_for(self, int(self.trainer.estimated_stepping_batches))

    def configure_gradient_clipping(
        self, optimizer: Optimizer, gradient_clip_val: int | float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Scale the gradient to the greatest norm asked for: what Lightning does, which refuses it for optimisers of one kernel."""
        if gradient_clip_val:
            nn.utils.clip_grad_norm_([weight for group in optimizer.param_groups for weight in group["params"]], gradient_clip_val)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the recipe, so that a checkpoint can be turned into a task without anything beside it."""
        checkpoint["seqdl"] = self.recipe

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        for name, value in self.newer.items():
            state_dict.setdefault(prefix + name, torch.full_like(getattr(self, name), value))
        super()._load_from_state_dict(state_dict, prefix, *args)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move a batch, one byte a base, to the device."""
        return batch.to(device)
