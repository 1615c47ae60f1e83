"""Numbers for each sequence."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from seqdl.registry import TASKS
from seqdl.tasks.base import Task
from seqdl.types import Floats


@TASKS.register("regression")
class Regression(Task):
    """A number for each output; squared error, in standard deviations of the training targets.

    Predictions are in the targets' own units: the mean and the spread of the training set are kept with the weights.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot (B, 4, L).
    outputs : list of str, optional
        Names of the outputs; one, "target", by default.
    strands : {"shared", "average", "augment", "single"}, default "single"
        See `Task`.
    pooling : {"max", "mean", "attention", "last", "ends", "centre", "flatten", "sum"}, default "max"
        From positions to one vector a sequence; flatten where the place in the sequence matters.
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 64
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.2
    length : int, optional
        Length of the sequences (bp); flatten pooling asks for it.

    Examples
    --------
    >>> import torch
    >>> from seqdl.models.cnn import CNN
    >>> task = Regression(CNN(filters=8), outputs=["expression"]).eval()
    >>> task(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 1])
    """

    serves = ("regression",)
    monitor = "val_pearson"
    higher_is_better = True

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "single",
        pooling: str = "max",
        activation: str = "relu",
        hidden: int = 64,
        dropout: float = 0.2,
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands)
        self.head = self.pooled_head(pooling=pooling, activation=activation, hidden=hidden, dropout=dropout, length=length)

    def prepare(self, targets: Floats) -> None:
        """Keep the mean and the spread of the training targets (N, T)."""
        spread = targets.std(axis=0)
        self.calibrate(np.where(spread > 0, spread, 1.0), targets.mean(axis=0))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error, in variances of the training targets."""
        return nn.functional.mse_loss(logits / self.scale.to(logits), targets / self.scale.to(logits))

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return Pearson's correlation, averaged over the outputs."""
        return {"pearson": float(np.mean([_pearson(targets[:, t], predictions[:, t]) for t in range(targets.shape[1])]))}


def _pearson(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else float("nan")
