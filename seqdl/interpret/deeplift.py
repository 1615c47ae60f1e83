"""DeepLIFT: contributions against reference sequences by the rescale rule."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.interpret.deeplift_rules import pair, rescaled
from seqdl.interpret.method import METHODS
from seqdl.interpret.patch import patched
from seqdl.interpret.readout import Readout, batches
from seqdl.interpret.references import ReferenceSpec, contributions, make_references
from seqdl.progress import track

TOLERANCE = 0.01
"""Share of the change of the output that contributions may miss without a warning."""


@dataclass
class _Balance:
    """Keeps count of what contributions miss."""

    missed: float = 0.0
    change: float = 0.0

    def add(self, found: Tensor, expected: Tensor) -> None:
        self.missed += float((found - expected).abs().sum())
        self.change += float(expected.abs().sum())

    def warn(self, name: str) -> None:
        if self.missed > TOLERANCE * self.change and self.missed > 1e-4:
            share = self.missed / self.change if self.change else float("inf")
            warnings.warn(
                f"deeplift's contributions miss {share:.0%} of the change of {name}'s output: it bends somewhere outside the modules "
                "that have a rule (a functional call such as torch.relu or amax, attention between positions). "
                "Write those as modules, or use method='integrated-gradients' or 'ism'.",
                UserWarning,
                stacklevel=2,
            )


def _check_rules(module: nn.Module) -> None:
    """Raise `InputError` where a module has layers that DeepLIFT is not defined for."""
    recurrent = next((name for name, part in module.named_modules() if isinstance(part, nn.RNNBase | nn.RNNCellBase)), None)
    if recurrent is not None:
        raise InputError(
            f"deeplift has no rule for recurrent layers, and {type(module).__name__} has one ('{recurrent}'); a network of convolutions, dense "
            "layers and pooling was expected. Use method='integrated-gradients', which holds for any differentiable network, or 'ism'."
        )


@METHODS.register("deeplift")
@dataclass(frozen=True, kw_only=True)
class DeepLift:
    """Contributions by the rescale rule [1]_, averaged over the references of each sequence [2]_.

    They add up to the output less its mean over the references; a warning says by how much where they do not. Recurrent layers
    have no rule and are refused.

    Parameters
    ----------
    references : int, "uniform", "zeros" or array, default 10
        See `seqdl.interpret.references.make_references`.
    seed : int, default 0
        Seed of the shuffles.
    hypothetical : bool, default False
        Return what every base would contribute, not only the one that is there.
    batch_size : int, optional
        Pairs of sequence and reference through the network at a time; by default what suits the device.

    References
    ----------
    .. [1] Shrikumar, Greenside & Kundaje (2017), ICML, arXiv:1704.02685.
    .. [2] Lundberg & Lee (2017), NeurIPS, arXiv:1705.07874.
    """

    references: ReferenceSpec = 10
    seed: int = 0
    hypothetical: bool = False
    batch_size: int | None = None

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return contributions (N, 4, L)."""
        _check_rules(readout.module)
        references = make_references(x, self.references, seed=self.seed)
        scores, balance = torch.zeros(len(x), 4, x.shape[-1]), _Balance()
        with patched(rescaled(readout.module, hypothetical=self.hypothetical)):
            for rows in track(list(batches(len(x), max(1, readout.batch_size(self.batch_size) // references.count))), "deeplift"):
                reference = readout.place(references.rows(rows))  # (n, R, 4, L)
                sequence = readout.place(x[rows])[:, None].expand_as(reference)
                output, gradient = readout.gradient(pair(sequence.flatten(0, 1), reference.flatten(0, 1)))
                multiplier = gradient[0::2].view(*reference.shape[:2], 4, -1)
                change = (sequence - reference)[:, :, :4]
                balance.add((change * multiplier).sum((2, 3)).flatten(), output[0::2] - output[1::2])
                scores[rows] = contributions(sequence, reference, multiplier, hypothetical=self.hypothetical).float().cpu()
        balance.warn(type(readout.module).__name__)
        return scores
