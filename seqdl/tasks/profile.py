"""A count for every base: how much there is in a window, and where in it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import UnknownNameError
from seqdl.layers.losses import multinomial_nll, poisson_nll
from seqdl.layers.onehot import lengths_of_features, mask_positions
from seqdl.registry import TASKS
from seqdl.tasks.along import AlongTask, check_counts, correlation, masked_totals
from seqdl.types import Floats

TOTAL_LOSSES = ("mse", "poisson")
NOTHING = -1e4
"""The logit of a base that is not there; exp of it is 0."""


@TASKS.register("profile")
class Profile(AlongTask):
    """A count for every base, such as coverage: the total of a window and its shape are scored apart.

    The logit of a base is the log of the count expected there. The shape, their softmax, is scored by the multinomial
    likelihood of where the counts fell; the total, their logsumexp, on the scale of its logarithm [1]_.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot (B, 4, L).
    outputs : list of str, optional
        Names of the signals; one, "target", by default.
    strands : {"shared", "average", "augment", "single"}, default "shared"
        See `Task`.
    activation : str, default "relu"
        Behind the normalisation of the features.
    hidden : int, default 32
        Units of a further layer at every base, and of one for the total; 0 leaves both out.
    dropout : float, in [0, 1), default 0.1
    total_loss : {"mse", "poisson"}, default "mse"
        Of the total: squared error of log(1 + total), or Poisson's likelihood.
    total_weight : float, default 1
        What the loss of the total counts beside that of the shape, which is taken a typical count.
    length : int, optional
        Length of the sequences (bp).

    References
    ----------
    .. [1] Avsec et al., Base-resolution models of transcription-factor binding reveal soft motif syntax, Nature
       Genetics 53 (2021).

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Profile(CNN(filters=8), outputs=["ATAC"]).eval()
    >>> task.prepare(np.full((3, 1, 50), 2.0))
    >>> round(task(torch.zeros(1, 4, 50)).mean().item(), 1) > 0
    True
    """

    serves = ("signal",)
    budget = 400  # more, and the default fits the noise of sparse coverage: see PROFILE_MEMBERS
    typical: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "shared",
        activation: str = "relu",
        hidden: int = 32,
        dropout: float = 0.1,
        total_loss: str = "mse",
        total_weight: float = 1.0,
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands, activation=activation, hidden=hidden, dropout=dropout, length=length)
        if total_loss not in TOTAL_LOSSES:
            raise UnknownNameError("loss of the total", total_loss, TOTAL_LOSSES)
        self.total_loss, self.total_weight = total_loss, total_weight
        self.total: nn.Module = self.pooled_head(pooling="mean", activation=activation, hidden=hidden, dropout=dropout, length=None)
        self.register_buffer("typical", torch.ones(len(self.outputs)), persistent=False)

    def prepare(self, targets: Floats) -> None:
        """Begin at the mean total of the training targets (N, T, L).

        Raises
        ------
        InputError
            If one is negative.
        """
        check_counts(targets, "profile")
        total = np.maximum(np.nansum(targets, axis=2, dtype=np.float64).mean(axis=0), 1e-6)
        self.typical.copy_(torch.from_numpy(total))
        self.calibrate(np.ones_like(total), np.log(total))

    def _strand_logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the log of the expected counts (B, T, L), less the log of the typical total."""
        features, other = self.both_readings(x, lengths)
        shape = mask_positions(self.head(features, x.shape[-1], lengths=lengths, other=other), lengths, NOTHING)
        total = self.total(features, lengths_of_features(lengths, self.head.stride, features.shape[-1]), other)
        return torch.log_softmax(shape, dim=-1) + torch.as_tensor(total).unsqueeze(-1)

    def summary(self, logits: Tensor) -> Tensor:
        """Return the log of the expected total, (B, T)."""
        return logits.logsumexp(-1)

    def pool(self, predictions: Floats) -> Floats:
        """Return the expected total of each window, (N, T)."""
        return np.asarray(np.nansum(predictions, axis=-1))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of shape and total over the bases that are known."""
        logits = logits.masked_fill(targets.isnan(), NOTHING)
        typical = self.typical.to(logits)
        shape = multinomial_nll(logits, targets) / typical
        expected, total = self.summary(logits), masked_totals(targets, targets)
        squared = (nn.functional.softplus(expected) - total.log1p()) ** 2  # softplus is log(1 + exp)
        off = squared if self.total_loss == "mse" else poisson_nll(expected, total) / typical
        return (shape + self.total_weight * off).mean()

    def link(self, logits: Tensor) -> Tensor:
        """Return the expected count of every base."""
        return torch.exp(logits)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return Pearson's correlation of log(1 + total) over windows, and that of the profiles within them, averaged over the outputs."""
        totals, shapes = [], []
        for t in range(targets.shape[1]):
            truth, guess = targets[:, t], predictions[:, t]
            totals.append(correlation(np.log1p(np.nansum(truth, axis=-1)), np.log1p(guess.sum(axis=-1))))
            shapes.append(np.nanmean([correlation(a, b) for a, b in zip(truth, guess, strict=True)] or [np.nan]))
        return {"total_pearson": float(np.mean(totals)), "profile_pearson": float(np.mean(shapes))}
