"""Counts for each sequence."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import UnknownNameError
from seqdl.layers.losses import mean_of_known, negative_binomial_nll, poisson_nll
from seqdl.registry import TASKS
from seqdl.tasks.along import check_counts, correlation
from seqdl.tasks.base import Task
from seqdl.types import Floats

LOSSES = ("nbinom", "poisson")


@TASKS.register("counts")
class Counts(Task):
    """A count for each output, such as reads in a window: the logit is the log of the expected count.

    Training begins at the mean count of the training set, whose logarithm is kept with the weights.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot (B, 4, L).
    outputs : list of str, optional
        Names of the outputs; one, "target", by default.
    strands : {"shared", "average", "augment", "single"}, default "shared"
        See `Task`.
    loss : {"nbinom", "poisson"}, default "nbinom"
        Negative binomial, whose dispersion is learned for each output, or Poisson. Counts of sequencing scatter more than
        Poisson's, the more so the larger they are.
    pooling : {"max", "mean", "attention", "last", "ends", "centre", "flatten", "sum"}, default "mean"
        From positions to one vector a sequence.
    activation : str, default "relu"
        Behind the normalisation of the pooled features.
    hidden : int, default 64
        Units of the dense layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.2
    length : int, optional
        Length of the sequences (bp); flatten pooling asks for it.

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Counts(CNN(filters=8), outputs=["reads"]).eval()
    >>> bool((task(torch.zeros(2, 4, 50)) > 0).all())
    True
    """

    serves = ("regression",)
    monitor = "val_log_pearson"
    higher_is_better = True
    logarithmic = True
    typical: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "shared",
        loss: str = "nbinom",
        pooling: str = "mean",
        activation: str = "relu",
        hidden: int = 64,
        dropout: float = 0.2,
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands)
        if loss not in LOSSES:
            raise UnknownNameError("loss of the task 'counts'", loss, LOSSES)
        self.head = self.pooled_head(pooling=pooling, activation=activation, hidden=hidden, dropout=dropout, length=length)
        self.register_buffer("typical", torch.ones(len(self.outputs)), persistent=False)
        self.log_dispersion = nn.Parameter(torch.zeros(len(self.outputs))) if loss == "nbinom" else None

    def prepare(self, targets: Floats) -> None:
        """Begin at the mean of the training targets (N, T).

        Raises
        ------
        InputError
            If one is negative.
        """
        check_counts(targets, "counts")
        mean = np.maximum(targets.mean(axis=0, dtype=np.float64), 1e-6)
        self.typical.copy_(torch.from_numpy(mean))
        self.calibrate(np.ones_like(mean), np.log(mean))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean negative log-likelihood; Poisson's is taken a typical count, so that it is of the order of 1."""
        if self.log_dispersion is None:
            return mean_of_known(poisson_nll(logits, targets) / self.typical.to(logits), targets)
        return mean_of_known(negative_binomial_nll(logits, targets, self.log_dispersion.to(logits)), targets)

    def link(self, logits: Tensor) -> Tensor:
        """Return the expected counts."""
        return torch.exp(logits)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return Pearson's correlation of log(1 + count), averaged over the outputs."""
        logs = [correlation(np.log1p(targets[:, t]), np.log1p(predictions[:, t])) for t in range(targets.shape[1])]
        return {"log_pearson": float(np.mean(logs))}
