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

    One-hot sequences move only within the simplex, so what the gradient has in common at all four bases of a position changes no
    prediction and is taken off first [2]_. It then equals the contributions against a quarter of each base where the
    network is linear between the two; without the correction, those against no base at all.

    Parameters
    ----------
    centred : bool, default True
        Take the mean of the gradient over the four bases off.
    batch_size : int, optional
        Sequences at a time; by default what suits the device.

    References
    ----------
    .. [1] Shrikumar et al. (2016), arXiv:1605.01713.
    .. [2] Majdandzic et al. (2023), Genome Biology 24:109.
    """

    centred: bool = True
    batch_size: int | None = None

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return the products (N, 4, L)."""
        scores = torch.zeros(len(x), 4, x.shape[-1])
        for rows in batches(len(x), readout.batch_size(self.batch_size)):
            gradient = readout.gradient(readout.place(x[rows]))[1].float().cpu()
            scores[rows] = (gradient - gradient.mean(1, keepdim=True) if self.centred else gradient) * x[rows, :4].cpu()
        return scores
