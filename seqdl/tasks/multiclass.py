"""One of several classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.registry import TASKS
from seqdl.tasks.base import Task
from seqdl.types import Floats


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
    pooling : {"max", "mean", "attention", "flatten"}, default "max"
        From positions to one vector a sequence; flatten for sequences that are aligned, as around a splice site.
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 64
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.3
    length : int, optional
        Length of the sequences (bp); flatten pooling asks for it.

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Multiclass(CNN(filters=8), outputs=["donor", "acceptor", "neither"]).eval()
    >>> torch.allclose(task(torch.zeros(2, 4, 60)).sum(1), torch.ones(2))
    True
    """

    exclusive = True

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
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs or ["0", "1"], strands=strands)
        self.head = self.pooled_head(pooling=pooling, activation=activation, hidden=hidden, dropout=dropout, length=length)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits (B, K) against the numbers of the classes (B, 1)."""
        return nn.functional.cross_entropy(logits, targets[:, 0].long())

    def link(self, logits: Tensor) -> Tensor:
        """Return the probability of each class."""
        return torch.softmax(logits, dim=-1)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return the accuracy."""
        return {"accuracy": float((predictions.argmax(axis=1) == targets[:, 0]).mean())}
