"""Yes or no for each output: binary and multi-label classification."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.evaluate.metrics import auprc, auroc
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
    pooling : {"max", "mean", "attention", "flatten"}, default "max"
        From positions to one vector a sequence. A maximum asks for the best site, and did best on
        transcription factors.
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 32
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1
    length : int, optional
        Length of the sequences (bp); flatten pooling asks for it.

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Binary(CNN(filters=8), outputs=["Reb1"])
    >>> task.eval()(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 1])
    """

    monitor = "val_auroc"
    higher_is_better = True
    calibrated = True
    two_classes = True

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
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands)
        self.head = self.pooled_head(pooling=pooling, activation=activation, hidden=hidden, dropout=dropout, length=length)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy."""
        return nn.functional.binary_cross_entropy_with_logits(logits, targets)

    def link(self, logits: Tensor) -> Tensor:
        """Return probabilities."""
        return torch.sigmoid(logits)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return AUROC and AUPRC, averaged over the outputs."""
        columns = range(targets.shape[1])
        return {
            name: sum(score(targets[:, t], predictions[:, t]) for t in columns) / targets.shape[1]
            for name, score in (("auroc", auroc), ("auprc", auprc))
        }
