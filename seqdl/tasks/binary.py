"""Yes or no for each output: binary and multi-label classification."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.evaluate.metrics import auprc, auroc
from seqdl.layers.heads import PooledHead
from seqdl.registry import TASKS
from seqdl.tasks.base import Task
from seqdl.types import Floats


@TASKS.register("binary")
class Binary(Task):
    """Bound or not, for one output or several; cross-entropy on logits.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot (B, 4, L).
    outputs : list of str, optional
        Names of the outputs; one, "target", by default.
    strands : {"shared", "average", "augment", "single"}, default "shared"
        See `Task`.
    pooling : {"max", "mean", "attention"}, default "max"
        From positions to one vector a sequence. A maximum asks for the best site, and did best on
        transcription factors.
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 32
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Binary(CNN(filters=8), outputs=["Reb1"])
    >>> task.eval()(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 1])
    """

    monitor = "val_auroc"
    offset: Tensor
    higher_is_better = True

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "shared",
        pooling: str = "max",
        activation: str = "relu",
        hidden: int = 32,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands)
        channels = int(encoder.channels)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        self.head = PooledHead(channels, len(self.outputs), pooling=pooling, activation=activation, hidden=hidden, dropout=dropout)
        self.register_buffer("offset", torch.zeros(len(self.outputs)))  # sampling more positives than there are is undone here

    def set_sampling(self, targets: Floats, positive_share: float) -> None:
        """Set the offset that brings log-odds back to the class frequencies of the training set."""
        frequency = targets.mean(axis=0).clip(1e-6, 1 - 1e-6)
        if positive_share and len(self.outputs) == 1:
            shift = np.log(frequency / (1 - frequency)) - np.log(positive_share / (1 - positive_share))
            self.offset.copy_(torch.from_numpy(shift))

    def logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return log-odds (B, T), at the class frequencies of the training set."""
        out = super().logits(x, lengths)
        return out if self.training else out + self.offset

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy."""
        return nn.functional.binary_cross_entropy_with_logits(logits, targets)

    def link(self, logits: Tensor) -> Tensor:
        """Return probabilities."""
        return torch.sigmoid(logits)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return AUROC and AUPRC, averaged over the outputs."""
        columns = range(targets.shape[1])
        return {name: sum(score(targets[:, t], predictions[:, t]) for t in columns) / targets.shape[1] for name, score in (("auroc", auroc), ("auprc", auprc))}
