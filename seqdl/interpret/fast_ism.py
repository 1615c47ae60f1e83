"""In-silico mutagenesis that recomputes only what a substitution changes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdl.interpret.readout import Readout, batches
from seqdl.interpret.windowed import Windowed

MUTANTS = {"cpu": 1024}
"""Mutants at a time, by kind of device."""
MANY = 8192
NUMBERS_AT_ONCE = 2**22
"""Numbers that the mutants of one batch may take where a module needs them in full; more fall out of a processor's cache."""
N_CHECKED = 6
"""Mutants that are also run in full, before the rest is trusted."""
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Trial:
    """What came of running some mutants both ways.

    Attributes
    ----------
    fault : str or None
        What went wrong, or by how much outputs differ; None where they agree.
    batch_size : int
        Mutants that may be run at a time.
    """

    fault: str | None
    batch_size: int


def mutant_outputs(readout: Readout, x: Tensor, *, base: Tensor, position: Tensor, batch_size: int) -> Tensor:
    """Return the output of single-base substitutions of one sequence.

    Parameters
    ----------
    readout : Readout
        The module and its output; the module should be in evaluation mode.
    x : Tensor, (1, C, L)
        The sequence, placed; what follows the four bases is held fixed.
    base, position : Tensor, (M,), int64
        What is put where.
    batch_size : int
        Mutants at a time.

    Returns
    -------
    Tensor, (M,)

    Examples
    --------
    >>> net = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 5), torch.nn.ReLU(), torch.nn.AdaptiveMaxPool1d(1), torch.nn.Flatten())
    >>> x, base, position = torch.eye(4).repeat(1, 1, 50), torch.tensor([3, 0]), torch.tensor([0, 77])
    >>> with torch.no_grad():
    ...     fast = mutant_outputs(Readout(net), x, base=base, position=position, batch_size=10)
    ...     torch.allclose(fast, Readout(net)(mutants(x, base=base, position=position)))
    True
    """
    parts = []
    for some in batches(len(base), batch_size):
        output = readout(_windows(x, base[some], position[some]))
        parts.append(output.dense() if isinstance(output, Windowed) else output)
    return torch.cat(parts)


def _windows(x: Tensor, base: Tensor, position: Tensor) -> Windowed:
    """Return mutants as windows of one base."""
    column = x[0].T[position]  # (M, C)
    column[:, :4] = torch.eye(4, dtype=x.dtype, device=x.device)[base]
    return Windowed(x.clone(), column.unsqueeze(2), start=position, axis=2)


def mutants(x: Tensor, *, base: Tensor, position: Tensor) -> Tensor:
    """Return single-base substitutions of one sequence (1, C, L) in full, (M, C, L)."""
    changed = x.repeat(len(base), 1, 1)
    row = torch.arange(len(base), device=x.device)
    changed[row, :4, position] = 0
    changed[row, base, position] = 1
    return changed


def try_fast(readout: Readout, x: Tensor) -> Trial:
    """Run some mutants of one sequence (1, C, L) both ways.

    Parameters
    ----------
    readout : Readout
        The module and its output; the module should be in evaluation mode.
    x : Tensor, (1, C, L)
        The sequence, placed.
    """
    n = min(N_CHECKED, x.shape[-1])
    position = torch.linspace(0, x.shape[-1] - 1, n, device=x.device).round().long()
    base = (x[0, :4].argmax(0)[position] + 1) % 4
    expected = readout(mutants(x, base=base, position=position))
    windows = _windows(x, base, position)
    try:
        output = readout(windows)
        found = output.dense() if isinstance(output, Windowed) else output
    except Exception as error:  # whatever a module may do that no rule foresees
        return Trial(f"{type(error).__name__}: {(str(error) or 'no message').splitlines()[0]}", 1)
    gap = float((found - expected).abs().max())
    fault = None if gap <= TOLERANCE * max(1.0, float(expected.abs().max())) else f"some mutants differ by {gap:.2g}"
    in_full = max(readout.batch_size(), NUMBERS_AT_ONCE // max([1, *windows.in_full]))
    return Trial(fault, min(MUTANTS.get(x.device.type, MANY), in_full))
