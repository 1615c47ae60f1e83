"""Sequences that become one-hot a batch at a time, so that memory does not grow with their number."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdl.interpret.readout import OneHot, Readout, as_tensor, batches, evaluating
from seqdl.layers.onehot import one_hot
from seqdl.types import Ambiguous, Codes

SequenceInput: TypeAlias = OneHot | Codes
"""One-hot (N, 4, L), or codes (N, L) of the type uint8, which take a sixteenth of the memory."""


class Sequences:
    """Sequences given as codes or as one-hot, read as one-hot.

    Parameters
    ----------
    x : array or Tensor, (N, L) uint8 or (N, 4, L)
        Codes (a memory map will do), or one-hot sequences.
    ambiguous : {"zero", "uniform"}, default "zero"
        How an ambiguous base among codes is read.

    Attributes
    ----------
    length : int
        L (bp).
    codes : Codes, (N, L), or None
        The sequences, where they were given as codes.

    Raises
    ------
    ShapeError
        If `x` is neither.

    Examples
    --------
    >>> x = Sequences(np.array([[0, 1], [2, 4]], dtype=np.uint8))
    >>> len(x), x.length, x.one_hot(slice(0, 1)).tolist()
    (2, 2, [[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]])
    """

    def __init__(self, x: SequenceInput, *, ambiguous: Ambiguous = "zero") -> None:
        given = x.numpy() if isinstance(x, Tensor) and x.dtype == torch.uint8 else x
        self.ambiguous = ambiguous
        self.codes: Codes | None = given if isinstance(given, np.ndarray) and given.dtype == np.uint8 and given.ndim == 2 else None
        self._dense = as_tensor(given) if self.codes is None else None
        self.length = int(given.shape[-1])

    def __len__(self) -> int:
        held = self.codes if self.codes is not None else self._dense
        assert held is not None
        return len(held)

    def one_hot(self, rows: slice | np.ndarray) -> Tensor:
        """Return some sequences as one-hot (n, 4, L), float32, on the CPU or where `x` was."""
        if self.codes is not None:
            return one_hot(torch.from_numpy(np.ascontiguousarray(self.codes[rows])), ambiguous=self.ambiguous)
        assert self._dense is not None
        return self._dense[rows if isinstance(rows, slice) else torch.from_numpy(rows)]

    def all(self) -> Tensor:
        """Return all sequences as one-hot (N, 4, L)."""
        return self.one_hot(slice(0, len(self)))


def scores_of(readout: Readout, x: SequenceInput, *, ambiguous: Ambiguous = "zero", batch_size: int = 256) -> NDArray[np.float64]:
    """Return the output (N,) of a readout for sequences, a batch of one-hot at a time.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(8, 1, bias=False))
    >>> _ = net[1].weight.data.copy_(torch.arange(8.0))
    >>> scores_of(Readout(net), np.array([[0, 0], [3, 3]], dtype=np.uint8))
    array([ 1., 13.])
    """
    sequences = Sequences(x, ambiguous=ambiguous)
    with torch.no_grad(), evaluating(readout.module):
        parts = [readout(readout.place(sequences.one_hot(rows))).double().cpu().numpy() for rows in batches(len(sequences), batch_size)]
    return np.concatenate(parts) if parts else np.zeros(0)
