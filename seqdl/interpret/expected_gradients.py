"""Expected gradients: integrated gradients over a distribution of references, by drawing points on the way."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdl.errors import InputError
from seqdl.interpret.method import METHODS
from seqdl.interpret.readout import Readout, batches
from seqdl.interpret.references import ReferenceSpec, contributions, make_references
from seqdl.progress import track


@METHODS.register("expected-gradients")
@dataclass(frozen=True, kw_only=True)
class ExpectedGradients:
    """The gradient at points drawn between the references and the sequence, times their difference [1]_.

    It is integrated gradients averaged over the references, with draws in place of the steps; each share of the way is drawn once, so
    that sums are closer to the change of the output than with free draws.

    Parameters
    ----------
    references : int, "uniform", "zeros" or array, default 10
        See `seqdl.interpret.references.make_references`.
    seed : int, default 0
        Seed of the shuffles and of the points.
    n_samples : int, default 100
        Points for each sequence, shared out among its references in turn.
    hypothetical : bool, default False
        Return what every base would contribute, not only the one that is there.
    batch_size : int, optional
        Rows through the network at a time; by default what suits the device.

    References
    ----------
    .. [1] Erion, Janizek, Sturmfels, Lundberg & Lee (2021), Nature Machine Intelligence 3:620.
    """

    references: ReferenceSpec = 10
    seed: int = 0
    n_samples: int = 100
    hypothetical: bool = False
    batch_size: int | None = None

    def __post_init__(self) -> None:
        if self.n_samples < 1:
            raise InputError(f"n_samples is {self.n_samples}; expected at least 1. A hundred is a good choice.")

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return contributions (N, 4, L)."""
        references = make_references(x, self.references, seed=self.seed)
        used = min(references.count, self.n_samples)
        shares = self._shares(len(x))
        scores = torch.zeros(len(x), 4, x.shape[-1])
        for rows in track(list(batches(len(x), readout.batch_size(self.batch_size))), "expected gradients"):
            reference = readout.place(references.rows(rows)[:, :used])  # (n, R, 4, L)
            sequence, share = readout.place(x[rows]), readout.place(shares[rows])
            multiplier = torch.zeros_like(reference[:, :, :4])
            for sample in range(self.n_samples):
                start = reference[:, sample % used]
                point = start + share[:, sample, None, None] * (sequence - start)
                multiplier[:, sample % used] += readout.gradient(point)[1]
            counts = torch.tensor([len(range(first, self.n_samples, used)) for first in range(used)], device=readout.device)
            multiplier /= counts.view(1, -1, 1, 1)
            parts = contributions(sequence[:, None].expand_as(reference), reference, multiplier, hypothetical=self.hypothetical)
            scores[rows] = parts.float().cpu()
        return scores

    def _shares(self, n: int) -> Tensor:
        """Return how far along the way the points (n, n_samples) lie: one in each of n_samples equal parts, in random order."""
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.rand(n, self.n_samples, generator=generator).argsort(1)
        return (order + torch.rand(n, self.n_samples, generator=generator)) / self.n_samples
