"""One of several classes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import UnknownNameError
from seqdl.layers.losses import balanced_weights, focal_classes
from seqdl.registry import TASKS
from seqdl.tasks.base import Task
from seqdl.types import Floats

CLASS_WEIGHTS = ("none", "balanced")


@TASKS.register("multiclass")
class Multiclass(Task):
    """One of several classes that exclude each other; cross-entropy on logits.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot (B, 4, L).
    outputs : list of str
        Names of the K classes, two or more.
    strands : {"shared", "average", "augment", "single"}, default "single"
        See `Task`; a class such as donor or acceptor lies on one strand.
    pooling : {"max", "mean", "attention", "last", "ends", "centre", "flatten", "sum"}, default "max"
        From positions to one vector a sequence; flatten for sequences that are aligned, as around a splice site.
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 64
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.3
    focal : float, default 0
        Exponent of the focal loss, which counts examples that are right already less; 0 is plain cross-entropy.
    class_weights : {"none", "balanced"}, default "none"
        Whether all classes count the same in all, however many examples each has.
    length : int, optional
        Length of the sequences (bp); flatten pooling asks for it.

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Multiclass(CNN(filters=8), outputs=["donor", "acceptor", "neither"]).eval()
    >>> torch.allclose(task(torch.zeros(2, 4, 60)).sum(1), torch.ones(2))
    True
    """

    serves = ("multiclass",)
    exclusive = True
    weights: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "single",
        pooling: str = "max",
        activation: str = "relu",
        hidden: int = 64,
        dropout: float = 0.3,
        focal: float = 0.0,
        class_weights: str = "none",
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs or ["0", "1"], strands=strands)
        if class_weights not in CLASS_WEIGHTS:
            raise UnknownNameError("way of weighing classes", class_weights, CLASS_WEIGHTS)
        self.focal, self.class_weights = focal, class_weights
        self.register_buffer("weights", torch.ones(len(self.outputs)), persistent=False)
        self.head = self.pooled_head(pooling=pooling, activation=activation, hidden=hidden, dropout=dropout, length=length)

    def prepare(self, targets: Floats) -> None:
        """Weigh the classes by their numbers in the training targets (N, 1), where that was asked for."""
        if self.class_weights == "balanced":
            n = np.bincount(targets[:, 0].astype(np.int64), minlength=len(self.outputs))
            self.weights.copy_(balanced_weights(torch.from_numpy(n).float()))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits (B, K) against the numbers of the classes (B, 1)."""
        return focal_classes(logits, targets[:, 0].long(), gamma=self.focal, weights=self.weights).mean()

    def link(self, logits: Tensor) -> Tensor:
        """Return the probability of each class."""
        return torch.softmax(logits, dim=-1)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return the accuracy."""
        return {"accuracy": float((predictions.argmax(axis=1) == targets[:, 0]).mean())}
