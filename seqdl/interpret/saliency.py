"""Saliency: the gradient of the output with respect to each base."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdl.interpret.method import METHODS
from seqdl.interpret.readout import Readout, batches


@METHODS.register("saliency")
@dataclass(frozen=True, kw_only=True)
class Saliency:
    """The gradient at all four bases of a position [1]_, less their mean [2]_.

    One-hot sequences move only within the simplex: adding a constant to the gradient of all four bases of a position
    changes no prediction, so that part is taken off.

    Parameters
    ----------
    centred : bool, default True
        Take the mean over the four bases off; False gives the plain gradient.
    batch_size : int, optional
        Sequences at a time; by default what suits the device.

    References
    ----------
    .. [1] Simonyan, Vedaldi & Zisserman (2013), arXiv:1312.6034.
    .. [2] Majdandzic et al. (2023), Genome Biology 24:109.
    """

    centred: bool = True
    batch_size: int | None = None

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return the gradient (N, 4, L)."""
        scores = torch.zeros(len(x), 4, x.shape[-1])
        for rows in batches(len(x), readout.batch_size(self.batch_size)):
            gradient = readout.gradient(readout.place(x[rows]))[1].float().cpu()
            scores[rows] = gradient - gradient.mean(1, keepdim=True) if self.centred else gradient
        return scores
