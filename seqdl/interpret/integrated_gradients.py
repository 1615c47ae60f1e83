"""Integrated gradients: the gradient averaged on the way from a reference to the sequence."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdl.errors import InputError
from seqdl.interpret.method import METHODS
from seqdl.interpret.readout import Readout, batches
from seqdl.interpret.references import ReferenceSpec, contributions, make_references
from seqdl.progress import track


@METHODS.register("integrated-gradients")
@dataclass(frozen=True, kw_only=True)
class IntegratedGradients:
    """The path integral of the gradient from each reference to the sequence, by the midpoint rule [1]_.

    Contributions add up to the output less its mean over the references, as far as the number of steps allows.

    Parameters
    ----------
    references : int, "uniform", "zeros" or array, default 10
        See `seqdl.interpret.references.make_references`.
    seed : int, default 0
        Seed of the shuffles.
    n_steps : int, default 50
        Points on the way from a reference to the sequence.
    hypothetical : bool, default False
        Return what every base would contribute, not only the one that is there.
    batch_size : int, optional
        Rows through the network at a time; by default what suits the device.

    References
    ----------
    .. [1] Sundararajan, Taly & Yan (2017), ICML, arXiv:1703.01365.
    """

    references: ReferenceSpec = 10
    seed: int = 0
    n_steps: int = 50
    hypothetical: bool = False
    batch_size: int | None = None

    def __post_init__(self) -> None:
        if self.n_steps < 1:
            raise InputError(f"n_steps is {self.n_steps}; expected at least 1. Fifty is a good choice.")

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return contributions (N, 4, L)."""
        references = make_references(x, self.references, seed=self.seed)
        scores = torch.zeros(len(x), 4, x.shape[-1])
        for rows in track(list(batches(len(x), max(1, readout.batch_size(self.batch_size) // references.count))), "integrated gradients"):
            reference = readout.place(references.rows(rows))  # (n, R, 4, L)
            sequence = readout.place(x[rows])[:, None].expand_as(reference)
            total = torch.zeros_like(reference[:, :, :4])
            for step in range(self.n_steps):
                here = reference + (step + 0.5) / self.n_steps * (sequence - reference)
                total += readout.gradient(here.flatten(0, 1))[1].view_as(total)
            parts = contributions(sequence, reference, total / self.n_steps, hypothetical=self.hypothetical)
            scores[rows] = parts.float().cpu()
        return scores
