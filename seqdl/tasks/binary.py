"""Yes or no for each output: binary and multi-label classification."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.evaluate.metrics import auprc, auroc
from seqdl.layers.losses import balanced_weights, focal_binary, mean_of_known
from seqdl.layers.onehot import keep_middle
from seqdl.registry import TASKS
from seqdl.tasks.base import Task
from seqdl.types import Floats

CLASS_WEIGHTS = ("none", "balanced")


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
    pooling : {"max", "mean", "attention", "last", "ends", "centre", "flatten", "sum"}, default "max"
        From positions to one vector a sequence. A maximum asks for the best site, and did best on
        transcription factors. "sum" adds up the features, one channel an output, and leaves out the rest of the head.
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 32
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1
    focal : float, default 0
        Exponent of the focal loss, which counts examples that are right already less; 0 is plain cross-entropy.
    class_weights : {"none", "balanced"}, default "none"
        Whether positives and negatives of an output count the same in all, however many there are of each.
    length : int, optional
        Length of the sequences (bp); flatten pooling asks for it.
    span : int, optional
        Bases in the middle of a sequence that are read, the others are blank; all by default.

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Binary(CNN(filters=8), outputs=["Reb1"])
    >>> task.eval()(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 1])
    """

    serves = ("binary",)
    monitor = "val_auroc"
    higher_is_better = True
    calibrated = True
    two_classes = True
    weights: Tensor

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
        focal: float = 0.0,
        class_weights: str = "none",
        length: int | None = None,
        span: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands)
        if span is not None and span < 1:
            raise InputError(f"the span is {span} bp: 1 or more in the middle of a sequence was expected. Leave it out to read all.")
        self.span = span
        if class_weights not in CLASS_WEIGHTS:
            raise UnknownNameError("way of weighing classes", class_weights, CLASS_WEIGHTS)
        self.focal, self.class_weights = focal, class_weights
        self.register_buffer("weights", torch.ones(2, len(self.outputs)), persistent=False)
        self.head = self.pooled_head(pooling=pooling, activation=activation, hidden=hidden, dropout=dropout, length=length)

    def prepare(self, targets: Floats) -> None:
        """Weigh the classes by the training targets (N, T), where that was asked for."""
        if self.class_weights == "balanced":
            n = np.stack([(targets == value).sum(axis=0) for value in (0, 1)])
            self.weights.copy_(balanced_weights(torch.from_numpy(n).float()))

    def _strand_logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return logits (B, T) of one reading, of no more than the span."""
        return super()._strand_logits(x if self.span is None else keep_middle(x, self.span, lengths), lengths)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy."""
        return mean_of_known(focal_binary(logits, targets, gamma=self.focal, weights=self.weights), targets)

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
