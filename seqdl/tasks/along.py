"""What tasks along the sequence share: a logit for every base, what pools them, and targets that may be unknown in places."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.onehot import mask_positions, reverse_complement
from seqdl.layers.position_head import PositionHead
from seqdl.tasks.base import Task
from seqdl.types import Floats


class AlongTask(Task):
    """An encoder with an objective at every base: logits are (B, T, L).

    Subclasses give `loss`, `link`, `metrics` and, where it is not the mean, what pools a window.

    Parameters
    ----------
    encoder : nn.Module
        One-hot (B, 4, L) -> features (B, C, L // stride).
    outputs : list of str, optional
        Names of the T outputs.
    strands : {"shared", "average", "augment", "single"}, default "shared"
        See `Task`; of two strands the features are averaged base by base.
    activation : str, default "relu"
        Behind the normalisation of the features.
    hidden : int, default 0
        Units of a further layer at every base; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1
    length : int, optional
        Length of the sequences (bp): an encoder that sums a whole window up in one position is refused.
    """

    per_base = True

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "shared",
        activation: str = "relu",
        hidden: int = 0,
        dropout: float = 0.1,
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands)
        channels, stride = int(self.encoder.channels), int(self.encoder.stride)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        whole = length or getattr(encoder, "length", None)
        if whole and stride >= whole > 1:
            raise InputError(
                f"the encoder {type(encoder).__name__} gives one position for {whole} bp, and this task predicts every base: features along the "
                "sequence were expected. Use a model such as unet, dilated, lstm or cnn."
            )
        self.head: PositionHead = PositionHead(channels, len(self.outputs), stride=stride, activation=activation, hidden=hidden, dropout=dropout)

    # what a subclass may change ----------------------------------------------------------------------

    def summary(self, logits: Tensor) -> Tensor:
        """Return one logit a window and output, (B, T), for logits (B, T, L): what attributions of a window are taken through."""
        return logits.mean(-1)

    def pool(self, predictions: Floats) -> Floats:
        """Return one prediction a window and output, (N, T), for predictions (N, T, L): their mean, NaN left out."""
        return np.asarray(np.nanmean(predictions, axis=-1))

    # what is the same for all ------------------------------------------------------------------------

    def both_readings(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the features of the sequence, and of the other strand where strands are shared."""
        features: Tensor = self.encoder(x, lengths)
        other: Tensor | None = self.encoder(reverse_complement(x, lengths), lengths) if self.strands == "shared" else None
        return features, other

    def _strand_logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return logits (B, T, L) of one reading; with shared strands the head is given the features of both."""
        features, other = self.both_readings(x, lengths)
        return mask_positions(self.head(features, x.shape[-1], lengths=lengths, other=other), lengths)


def check_counts(targets: Floats, task: str) -> None:
    """Raise `InputError` where targets of a task of counts are negative.

    Parameters
    ----------
    targets : array, of any shape
    task : str
        Named in the message.
    """
    lowest = float(np.nanmin(targets)) if targets.size and not np.isnan(targets).all() else 0.0
    if lowest < 0:
        raise InputError(
            f"the training targets reach down to {lowest:g}, and the task {task} reads them as counts: 0 or more was expected. "
            "Use --task regression (or enhancement with --task.loss mse along the sequence), or give the counts themselves."
        )


def correlation(a: Floats, b: Floats) -> float:
    """Return Pearson's correlation of two arrays of one shape where both are known; NaN where one does not vary."""
    known = np.isfinite(a) & np.isfinite(b)
    x, y = np.asarray(a[known], dtype=np.float64), np.asarray(b[known], dtype=np.float64)
    if x.size < 2 or x.std() == 0 or y.std() == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def masked_totals(values: Tensor, targets: Tensor) -> Tensor:
    """Return sums along the sequence, (B, T), over the bases whose target is known."""
    return torch.where(targets.isnan(), 0.0, values).sum(-1)
