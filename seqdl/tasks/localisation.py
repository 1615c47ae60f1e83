"""Where in a window a site lies."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.evaluate.along_sites import site_distances, site_places
from seqdl.layers.onehot import mask_positions
from seqdl.layers.pooling import GlobalMax
from seqdl.registry import TASKS
from seqdl.tasks.along import AlongTask
from seqdl.types import Floats

NOTHING = -1e4
"""The logit of a base that is not there."""
NEAR = 10
"""Distance (bp) within which a site counts as found."""


@TASKS.register("localisation")
class Localisation(AlongTask):
    """Where in a window the site lies: a probability for every base, which add up to 1.

    The truth is a label over the `half_width` bases on either side of the site. It is scored against a heat map that is
    highest in the middle of it and falls to nothing over the width of the label.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot (B, 4, L).
    outputs : list of str, optional
        Names of the kinds of site; one, "target", by default.
    strands : {"shared", "average", "augment", "single"}, default "shared"
        See `Task`.
    activation : str, default "relu"
        Behind the normalisation of the features.
    hidden : int, default 32
        Units of a further layer at every base; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1
    half_width : int, default 10
        Bases (bp) on either side of a site that its label holds, and that the predicted interval holds.
    length : int, optional
        Length of the sequences (bp).

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Localisation(CNN(filters=8), outputs=["Abf1"]).eval()
    >>> torch.allclose(task(torch.zeros(2, 4, 50)).sum(-1), torch.ones(2, 1))
    True
    """

    serves = ("labels",)

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "shared",
        activation: str = "relu",
        hidden: int = 32,
        dropout: float = 0.1,
        half_width: int = 10,
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands, activation=activation, hidden=hidden, dropout=dropout, length=length)
        if half_width < 0 or (length is not None and 2 * half_width >= length):
            raise InputError(
                f"half_width is {half_width} bp: 0 or more, and less than half of the window, was expected. Give half_width such a value."
            )
        self.half_width = half_width
        self.maximum = GlobalMax()

    def _strand_logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return logits (B, T, L) of one reading, next to nothing in the padding."""
        return mask_positions(super()._strand_logits(x, lengths), lengths, NOTHING)

    def summary(self, logits: Tensor) -> Tensor:
        """Return the logit of the likeliest place, (B, T)."""
        out: Tensor = self.maximum(logits)
        return out

    def pool(self, predictions: Floats) -> Floats:
        """Return the place of each site, in bases from the begin of the window, (N, T)."""
        return np.stack([site_places(np.nan_to_num(predictions[:, t]), self.half_width) for t in range(predictions.shape[1])], axis=1).astype(
            np.float64
        )

    def heat(self, targets: Tensor) -> Tensor:
        """Return what the probabilities should be for labels (B, T, L): the labels smoothed by a label, adding up to 1; zeros where there is none."""
        labels = targets.nan_to_num()
        width = 2 * self.half_width + 1
        kernel = torch.ones(1, 1, width).to(labels)
        smooth = nn.functional.conv1d(labels.flatten(0, 1).unsqueeze(1), kernel, padding=self.half_width).view_as(labels)
        smooth = smooth.masked_fill(targets.isnan(), 0.0)
        return smooth / smooth.sum(-1, keepdim=True).clamp(min=1e-9)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of the place, over windows that hold a site."""
        heat = self.heat(targets)
        loss = -(heat * torch.log_softmax(logits, dim=-1)).sum(-1)
        holds = heat.sum(-1) > 0
        return torch.where(holds, loss, 0.0).sum() / holds.sum().clamp(min=1)

    def link(self, logits: Tensor) -> Tensor:
        """Return the probability that the site lies at each base."""
        return torch.softmax(logits, dim=-1)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return the share of the sites that are found within 10 bp, averaged over the outputs."""
        off = [site_distances(targets[:, t], predictions[:, t], self.half_width) for t in range(targets.shape[1])]
        return {"within_10": float(np.mean([np.mean(distance[np.isfinite(distance)] <= NEAR) for distance in off]))}
