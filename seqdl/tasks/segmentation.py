"""A label for every base."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.evaluate.metrics import auprc, auroc
from seqdl.layers.losses import focal_binary, mean_of_known
from seqdl.registry import TASKS
from seqdl.tasks.along import AlongTask
from seqdl.types import Floats

MOST_FOLLOWED = 400_000
"""Bases of the validation set that the metrics are followed on while training; of more every second, third ... is taken."""


@TASKS.register("segmentation")
class Segmentation(AlongTask):
    """A yes or no for every base, such as coding or not; cross-entropy on logits.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot (B, 4, L).
    outputs : list of str, optional
        Names of the labels; one, "target", by default. A base may have several.
    strands : {"shared", "average", "augment", "single"}, default "shared"
        See `Task`.
    activation : str, default "relu"
        Behind the normalisation of the features.
    hidden : int, default 32
        Units of a further layer at every base; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1
    positive_weight : float, default 1
        What a base with the label counts, beside 1 for one without; 0 makes both count the same in all.
    focal : float, default 0
        Exponent of the focal loss; 0 is plain cross-entropy.
    length : int, optional
        Length of the sequences (bp).

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Segmentation(CNN(filters=8), outputs=["CDS"]).eval()
    >>> task(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 1, 50])
    """

    serves = ("labels",)
    monitor = "val_auroc"
    higher_is_better = True
    weights: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "shared",
        activation: str = "relu",
        hidden: int = 32,
        dropout: float = 0.1,
        positive_weight: float = 1.0,
        focal: float = 0.0,
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands, activation=activation, hidden=hidden, dropout=dropout, length=length)
        self.positive_weight, self.focal = positive_weight, focal
        weights = torch.stack([torch.ones(len(self.outputs)), torch.full((len(self.outputs),), positive_weight or 1.0)])
        self.register_buffer("weights", weights, persistent=False)

    def prepare(self, targets: Floats) -> None:
        """Weigh positives by the training targets (N, T, L) where that was asked for, and begin at their share."""
        share = np.clip(np.nanmean(targets, axis=(0, 2), dtype=np.float64), 1e-4, 1 - 1e-4)
        self.calibrate(np.ones_like(share), np.log(share / (1 - share)) if self.positive_weight == 1 else np.zeros_like(share))
        if not self.positive_weight:
            self.weights.copy_(torch.from_numpy(np.stack([0.5 / (1 - share), 0.5 / share])))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy over the bases that are known."""
        return mean_of_known(focal_binary(logits, targets, gamma=self.focal, weights=self.weights), targets)

    def link(self, logits: Tensor) -> Tensor:
        """Return the probability of the label at every base."""
        return torch.sigmoid(logits)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return AUROC and AUPRC over bases, averaged over the outputs."""
        found: dict[str, list[float]] = {"auroc": [], "auprc": []}
        for t in range(targets.shape[1]):
            truth, guess = targets[:, t].ravel(), predictions[:, t].ravel()
            truth, guess = (values[np.isfinite(truth)][:: max(1, truth.size // MOST_FOLLOWED)] for values in (truth, guess))
            found["auroc"].append(auroc(truth > 0, guess))
            found["auprc"].append(auprc(truth > 0, guess))
        return {name: float(np.mean(values)) for name, values in found.items()}
