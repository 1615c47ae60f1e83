"""What tasks share that predict bases from bases."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.tasks.base import Task
from seqdl.types import PAD, Batch, Family, Strands

BASES = ("A", "C", "G", "T")


class Language(Task):
    """A task whose logits (B, 4, L) are those of the bases themselves; targets are not read.

    Parameters
    ----------
    encoder : nn.Module
        Of stride 1.
    strands : {"single", "augment"}, default "single"
        A strand is read in one direction; augment shows either in training.

    Raises
    ------
    InputError
        If the encoder has another stride than 1, or another way of reading strands is asked for.
    """

    family: Family = "language"
    own_strands: Strands = "augment"
    per_base = True
    monitor = "val_bits_per_base"

    def __init__(self, encoder: nn.Module, *, strands: str = "single") -> None:
        super().__init__(encoder, outputs=list(BASES), strands=strands)
        if strands not in ("single", "augment"):
            raise InputError(f"strands '{strands}' were asked for: a language model reads one strand. Say single, or augment to see both.")
        if encoder.stride != 1:
            raise InputError(
                f"the encoder {type(encoder).__name__} has a stride of {encoder.stride} bp: features for every base were expected. "
                "Use one of stride 1, such as lstm, dilated, unet or cnn."
            )
        self._bits: list[tuple[float, int]] = []

    def corrupt(self, codes: Tensor, *, seed: int | None = None) -> tuple[Tensor, Tensor]:
        """Return codes (B, L) as the encoder reads them, and as they are to be predicted, with 4 where nothing is asked."""
        raise TypeError(f"{type(self).__name__} does not say what it hides")

    def examine(self, codes: Tensor, *, seed: int | None = None) -> tuple[Tensor, Tensor]:
        """Return codes as the encoder reads them when it is measured, and as they are to be predicted; by default as in training."""
        return self.corrupt(codes, seed=seed)

    def link(self, logits: Tensor) -> Tensor:
        """Return the probability of each base, (B, 4, L)."""
        return torch.softmax(logits, dim=1)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits (B, 4, L) against codes (B, L), in nats a base; 4 is not asked."""
        return nn.functional.cross_entropy(logits, targets.long(), ignore_index=PAD)

    def batch_loss(self, batch: Batch) -> Tensor:
        """Return the loss of one batch; its targets are not read."""
        seen, truth = self.corrupt(batch.codes)
        return self.loss(self.logits(self.one_hot(seen, batch.lengths), batch.lengths), truth)

    def base_bits(self, codes: Tensor, lengths: Tensor | None = None, *, seed: int | None = None) -> Tensor:
        """Return the information of each base that is asked, in bits, (B, L); NaN elsewhere."""
        seen, truth = self.examine(codes, seed=seed)
        logits = self.logits(self.one_hot(seen, lengths), lengths)
        nats = nn.functional.cross_entropy(logits, truth.long(), ignore_index=PAD, reduction="none")
        return torch.where(truth < PAD, nats / math.log(2), torch.nan)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Add up the bits of one batch; what is hidden is the same in every epoch."""
        bits = self.base_bits(batch.codes, batch.lengths, seed=batch_index)
        asked = ~bits.isnan()
        self._bits.append((float(bits[asked].sum()), int(asked.sum())))

    def on_validation_epoch_end(self) -> None:
        """Log the bits per base over the whole validation set, and the same as a loss in nats."""
        total, n = (sum(parts) for parts in zip(*self._bits, strict=True))
        self._bits.clear()
        bits = total / n if n else math.nan
        self.log("val_bits_per_base", bits)
        self.log("val_loss", bits * math.log(2))
