"""Input x gradient: the gradient at the base that is there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdl.interpret.method import METHODS
from seqdl.interpret.readout import Readout, batches


@METHODS.register("input-x-gradient")
@dataclass(frozen=True, kw_only=True)
class InputXGradient:
    """The gradient times the one-hot sequence [1]_; zero off the sequence.

    It equals the contributions against the all-zero reference where the network is linear between the two.

    Parameters
    ----------
    batch_size : int, optional
        Sequences at a time; by default what suits the device.

    References
    ----------
    .. [1] Shrikumar et al. (2016), arXiv:1605.01713.
    """

    batch_size: int | None = None

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return the products (N, 4, L)."""
        scores = torch.zeros(x.shape)
        for rows in batches(len(x), readout.batch_size(self.batch_size)):
            scores[rows] = readout.gradient(readout.place(x[rows]))[1].float().cpu() * x[rows].cpu()
        return scores
