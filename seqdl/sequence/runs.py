"""Runs of bases with one value each: what bedGraph lines and merged features are, painted onto windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import ShapeError
from seqdl.types import Ints

_BASES_AT_ONCE = 1 << 21
"""Bases painted in one go: the indices of more would need more memory than the windows."""


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of bases of one chromosome, in order and without overlap.

    Attributes
    ----------
    starts, ends : array, (R,), int64
        0-based, half-open, bp; sorted, and no run begins before the one before it ends.
    values : array, (R,)
        What every base of a run has.

    Examples
    --------
    >>> runs = Runs(np.array([2, 7]), np.array([5, 8]), np.array([1.0, 3.0]))
    >>> out = np.zeros((2, 5))
    >>> runs.paint(out, rows=np.array([0, 1]), starts=np.array([0, 4]))
    >>> out
    array([[0., 0., 1., 1., 1.],
           [1., 0., 0., 3., 0.]])
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.starts)

    def paint(self, out: NDArray[Any], *, rows: Ints, starts: Ints) -> None:
        """Write the value of every covered base into windows; the other bases keep what they have.

        Parameters
        ----------
        out : array, (I, L), C-contiguous
            Windows of one length, written in place.
        rows : array, (n,)
            Rows of `out` that are windows of this chromosome.
        starts : array, (n,)
            Where each of these begins, bp.

        Raises
        ------
        ShapeError
            If `out` is not a C-contiguous (I, L).
        """
        if out.ndim != 2 or not out.flags.c_contiguous:
            raise ShapeError(f"windows of shape {out.shape} were given; a C-contiguous (I, L) was expected. Make a copy with np.ascontiguousarray.")
        at_once = max(1, _BASES_AT_ONCE // max(1, out.shape[1]))
        for begin in range(0, len(rows), at_once):
            self._paint(out, np.asarray(rows[begin : begin + at_once], np.int64), np.asarray(starts[begin : begin + at_once], np.int64))

    def _paint(self, out: NDArray[Any], rows: NDArray[np.int64], starts: NDArray[np.int64]) -> None:
        length = out.shape[1]
        first = np.searchsorted(self.ends, starts, side="right")  # the first run that ends after the window begins
        n_runs = np.searchsorted(self.starts, starts + length, side="left") - first
        window = np.repeat(np.arange(len(rows)), n_runs)
        run = _ranges(first, n_runs)
        begin = np.maximum(self.starts[run], starts[window])
        n_bases = np.minimum(self.ends[run], starts[window] + length) - begin
        flat = _ranges(rows[window] * length + begin - starts[window], n_bases)
        out.reshape(-1)[flat] = np.repeat(self.values[run], n_bases)


def merge(starts: Ints, ends: Ints, value: Any) -> Runs:
    """Make runs of one value from intervals that may overlap, touch and lie in any order.

    Parameters
    ----------
    starts, ends : array, (n,)
        0-based, half-open, bp.
    value : scalar
        The value of all.

    Examples
    --------
    >>> runs = merge(np.array([8, 1, 2]), np.array([9, 5, 3]), value=1)
    >>> runs.starts, runs.ends
    (array([1, 8]), array([5, 9]))
    """
    order = np.argsort(starts, kind="stable")
    first, last = np.asarray(starts, np.int64)[order], np.maximum.accumulate(np.asarray(ends, np.int64)[order])
    opens = np.ones(len(order), dtype=bool)
    opens[1:] = first[1:] > last[:-1]
    closes = np.roll(opens, -1)  # the one before the next that opens; the first always opens, so the last closes
    return Runs(first[opens], last[closes], np.full(int(opens.sum()), value))


def _ranges(first: Ints, count: Ints) -> NDArray[np.int64]:
    """Return first[0], first[0] + 1, ... (count[0] numbers), first[1], ...: all ranges one after the other."""
    ends = np.cumsum(count)
    found: NDArray[np.int64] = np.repeat(first - (ends - count), count) + np.arange(ends[-1] if len(ends) else 0)
    return found
