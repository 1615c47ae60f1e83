"""In-silico mutagenesis: every base replaced by every other, or left out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.interpret.fast_ism import Trial, mutant_outputs, mutants, try_fast
from seqdl.interpret.method import METHODS
from seqdl.interpret.readout import OneHot, Readout, as_tensor, batches, evaluating
from seqdl.progress import track

FAST = ("auto", "yes", "no")


def mutation_effects(
    module: nn.Module, x: OneHot, *, output: int | str = 0, batch_size: int | None = None, fast: str = "auto"
) -> NDArray[np.float32]:
    """Return the change of the output for each single-base substitution.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L).
    x : array or Tensor, (N, 4, L)
        One-hot sequences; further channels are held fixed.
    output : int or str, default 0
        Which output, by number or by name.
    batch_size : int, optional
        Mutants through the network at a time; by default what suits the device.
    fast : {"auto", "yes", "no"}, default "auto"
        Whether to recompute only the windows that a substitution changes; see `InSilicoMutagenesis`.

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
    readout, sequences = Readout(module, output), as_tensor(x, signals=True)
    with evaluating(module):
        return np.asarray(_effects(readout, sequences, batch_size=batch_size, fast=fast).numpy(), dtype=np.float32)


def deletion_effects(module: nn.Module, x: OneHot, *, output: int | str = 0, batch_size: int | None = None) -> NDArray[np.float32]:
    """Return the change of the output for each base that is left out.

    The shorter of the two flanks moves up into the gap and leaves no base at its end, so that most of the sequence stays
    where it is.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L).
    x : array or Tensor, (N, 4, L)
        One-hot sequences; further channels are held fixed.
    output : int or str, default 0
        Which output, by number or by name.
    batch_size : int, optional
        Sequences through the network at a time; by default what suits the device.

    Returns
    -------
    array, (N, L), float32
        ``f(shortened) - f(sequence)``.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv1d(4, 1, 1, bias=False), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    >>> _ = net[0].weight.data.copy_(torch.tensor([[[0.0], [0], [5], [1]]]))
    >>> deletion_effects(net, np.eye(4)[[0, 2, 3]].T[None])           # AGT: without the G, the T is the best there is
    array([[ 0., -4.,  0.]], dtype=float32)
    """
    readout, sequences = Readout(module, output), as_tensor(x, signals=True)
    with evaluating(module):
        return np.asarray(_deletions(readout, sequences, readout.batch_size(batch_size)).numpy(), dtype=np.float32)


def _effects(readout: Readout, x: Tensor, *, batch_size: int | None, fast: str) -> Tensor:
    """Run all mutants, (N, 4, L) on the CPU."""
    if fast not in FAST:
        raise UnknownNameError("way of ism's option fast", fast, FAST)
    size = readout.batch_size(batch_size)
    effects = torch.zeros(len(x), 4, x.shape[-1])
    with torch.inference_mode(False), torch.no_grad():
        trial = _trial(readout, x, fast) if len(x) and x.shape[-1] else None
        for row in track(range(len(x)), "in-silico mutagenesis"):
            sequence = readout.place(x[row : row + 1].clone())
            base, position = torch.nonzero(sequence[0, :4] < 1, as_tuple=True)  # an ambiguous base may be read as quarters
            if trial is None:
                parts = [readout(mutants(sequence, base=base[some], position=position[some])) for some in batches(len(base), size)]
                outputs = torch.cat(parts) if parts else sequence.new_zeros(0)
            else:
                outputs = mutant_outputs(readout, sequence, base=base, position=position, batch_size=batch_size or trial.batch_size)
            effects[row, base.cpu(), position.cpu()] = (outputs - readout(sequence)).float().cpu()
    return effects


def _trial(readout: Readout, x: Tensor, fast: str) -> Trial | None:
    """Return how the fast way may be gone, or None where every mutant has to be run in full."""
    if fast == "no":
        return None
    trial = try_fast(readout, readout.place(x[:1].clone()))
    if trial.fault is None:
        return trial
    name = type(readout.module).__name__
    if fast == "yes":
        raise InputError(f"ism cannot follow windows through {name} ({trial.fault}); a module that it can follow was expected. Use fast='auto'.")
    warnings.warn(f"ism runs every mutant through the whole of {name} ({trial.fault}). That is right, and slow.", UserWarning, stacklevel=2)
    return None


def _deletions(readout: Readout, x: Tensor, batch_size: int) -> Tensor:
    """Run all deletions, (N, L) on the CPU."""
    length = x.shape[-1]
    effects = torch.zeros(len(x), length)
    gap, at = torch.arange(length)[:, None], torch.arange(length)[None]
    on_the_right = (gap >= length // 2) & (at >= gap)
    source = torch.where(on_the_right, at + 1, torch.where((gap < length // 2) & (at <= gap), at - 1, at))  # (deletion, position)
    empty = (source < 0) | (source >= length)
    source = source.clamp(0, max(length - 1, 0))
    with torch.inference_mode(False), torch.no_grad():
        for row in track(range(len(x)), "deletions"):
            sequence = readout.place(x[row : row + 1].clone())
            original = readout(sequence)
            for some in batches(length, batch_size):
                shortened = sequence.repeat(len(source[some]), 1, 1)
                moved = sequence[0, :4][:, source[some].to(sequence.device)].transpose(0, 1)  # (n, 4, L)
                shortened[:, :4] = moved.masked_fill(empty[some, None].to(sequence.device), 0)
                effects[row, some] = (readout(shortened) - original).float().cpu()
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
    fast : {"auto", "yes", "no"}, default "auto"
        Whether to recompute only what a substitution changes: the windows of convolutions and pooling that hold the
        base. A few mutants are run both ways first; where they disagree, or the module does what cannot be followed, "auto"
        runs all of them in full and warns, and "yes" refuses. What looks at all positions (a recurrent layer, a dense
        layer behind a flatten) is run in full either way.
    deletions : bool, default False
        Leave bases out instead of replacing them: what is lost with a base stands at the base, and nothing off the sequence.
    batch_size : int, optional
        Mutants through the network at a time; by default what suits the device.

    References
    ----------
    .. [1] Zhou & Troyanskaya (2015), Nature Methods 12:931.
    """

    fast: str = "auto"
    deletions: bool = False
    batch_size: int | None = None

    def __call__(self, readout: Readout, x: Tensor) -> Tensor:
        """Return centred effects (N, 4, L)."""
        if self.deletions:
            lost = -_deletions(readout, x, readout.batch_size(self.batch_size))
            return lost[:, None] * x[:, :4].cpu()
        effects = _effects(readout, x, batch_size=self.batch_size, fast=self.fast)
        return effects - effects.mean(1, keepdim=True)
