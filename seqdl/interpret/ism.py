"""In-silico mutagenesis: every base replaced by every other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.interpret.method import METHODS
from seqdl.interpret.readout import OneHot, Readout, as_tensor, batches, evaluating


def mutation_effects(module: nn.Module, x: OneHot, *, output: int | str = 0, batch_size: int | None = None) -> NDArray[np.float32]:
    """Return the change of the output for each single-base substitution.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L).
    x : array or Tensor, (N, 4, L)
        One-hot sequences.
    output : int or str, default 0
        Which output, by number or by name.
    batch_size : int, optional
        Mutants through the network at a time; by default what suits the device.

    Returns
    -------
    array, (N, 4, L), float32
        ``f(mutant) - f(sequence)``; zero at the base that is there.

    Examples
    --------
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(8, 1, bias=False))
    >>> _ = net[1].weight.data.copy_(torch.arange(8.0))
    >>> x = np.zeros((1, 4, 2)); x[0, 0] = 1                      # AA
    >>> mutation_effects(net, x)[0, :, 0]
    array([0., 2., 4., 6.], dtype=float32)
    """
    readout, sequences = Readout(module, output), as_tensor(x)
    with evaluating(module):
        return np.asarray(_effects(readout, sequences, readout.batch_size(batch_size)).numpy(), dtype=np.float32)


def _effects(readout: Readout, x: Tensor, batch_size: int) -> Tensor:
    """Run all mutants; (N, 4, L) on the CPU."""
    effects = torch.zeros(x.shape)
    with torch.no_grad():
        for start in range(0, len(x), batch_size):
            part = readout.place(x[start : start + batch_size])
            original = torch.cat([readout(part[rows]) for rows in batches(len(part), batch_size)])
            row, base, position = torch.nonzero(part < 1, as_tuple=True)  # an ambiguous base may be read as quarters
            changes = torch.empty(len(row))
            for some in batches(len(row), batch_size):
                mutant = part[row[some]]
                one = torch.arange(len(mutant), device=mutant.device)
                mutant[one, :, position[some]] = 0
                mutant[one, base[some], position[some]] = 1
                changes[some] = (readout(mutant) - original[row[some]]).float().cpu()
            effects[start + row.cpu(), base.cpu(), position.cpu()] = changes
    return effects


@METHODS.register("ism")
@dataclass(frozen=True, kw_only=True)
class InSilicoMutagenesis:
    """The effects of all substitutions, less their mean over the four bases of a position.

    Centred in this way, the value at the base that is there says how much better it is than an average base, and can
    be drawn as a track; differences between two bases are the mutation effects themselves, which
    `mutation_effects` returns as they are [1]_.

    Parameters
    ----------
    batch_size : int, optional
        Mutants through the network at a time; by default what suits the device.

    References
    ----------
    .. [1] Zhou & Troyanskaya (2015), Nature Methods 12:931.
    """

    batch_size: int | None = None

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return centred effects (N, 4, L)."""
        effects = _effects(readout, x, readout.batch_size(self.batch_size))
        return effects - effects.mean(1, keepdim=True)
