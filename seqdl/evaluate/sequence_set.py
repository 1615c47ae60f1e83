"""Sequences of one length or of many, as the measures of the report card take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import DataError, ShapeError
from seqdl.types import Codes, Ints

Sequences = Codes | Sequence[Codes]
"""Codes (N, L), or N arrays (L_i,)."""


@dataclass(frozen=True, eq=False)
class SequenceSet:
    """Codes with the true length of each row.

    Attributes
    ----------
    codes : uint8 array, (N, L)
        Shorter sequences are padded at their end with 4.
    lengths : int64 array, (N,)
        bp.
    """

    codes: Codes
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Sequences, *, name: str = "sequences") -> SequenceSet:
        """Take codes (N, L), or a list of codes of any lengths.

        Parameters
        ----------
        sequences : uint8 array (N, L), or sequence of N uint8 arrays (L_i,)
        name : str
            What they are called in messages.

        Raises
        ------
        ShapeError
            If an array is not (N, L), or one in the list is not (L_i,).
        DataError
            If there are none, one is empty, or a code is above 4.

        Examples
        --------
        >>> some = SequenceSet.of([np.array([0, 1, 2], dtype=np.uint8), np.array([3], dtype=np.uint8)])
        >>> some.codes.tolist(), some.lengths.tolist(), some.length
        ([[0, 1, 2], [3, 4, 4]], [3, 1], None)
        """
        if isinstance(sequences, np.ndarray):
            if sequences.ndim != 2:
                raise ShapeError(f"the {name} have the shape {sequences.shape}; (N, L) was expected. Pass one row a sequence, or a list of arrays.")
            codes, lengths = np.ascontiguousarray(sequences, dtype=np.uint8), np.full(len(sequences), sequences.shape[1], dtype=np.int64)
        else:
            rows = [np.asarray(row, dtype=np.uint8) for row in sequences]
            odd = next((row.shape for row in rows if row.ndim != 1), None)
            if odd is not None:
                raise ShapeError(f"one of the {name} has the shape {odd}; (L,) was expected. Pass one array of codes a sequence.")
            lengths = np.array([len(row) for row in rows], dtype=np.int64)
            codes = np.full((len(rows), int(lengths.max(initial=0))), 4, dtype=np.uint8)
            codes[np.arange(codes.shape[1]) < lengths[:, None]] = np.concatenate([np.empty(0, np.uint8), *rows])
        if not len(codes) or lengths.min() < 1:
            what = "one of them is empty" if len(codes) else "there are none"
            raise DataError(f"the {name} cannot be read: {what}. Sequences of at least one base were expected. Check the step before.")
        if codes.max() > 4:
            raise DataError(f"the {name} hold a code {codes.max()}; codes run from 0 to 4. Make them with seqdl.encode().")
        return cls(codes, lengths)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def length(self) -> int | None:
        """The one length in bp; None where they differ."""
        first = int(self.lengths[0])
        return first if bool((self.lengths == first).all()) else None

    def take(self, rows: Ints) -> SequenceSet:
        """Return some of the sequences, in the order of `rows`."""
        lengths = self.lengths[rows]
        return SequenceSet(np.ascontiguousarray(self.codes[rows, : int(lengths.max(initial=1))]), lengths)

    def drawn(self, n: int, rng: np.random.Generator) -> SequenceSet:
        """Return `n` of the sequences at random, in their order; all of them where there are no more."""
        return self if n >= len(self) else self.take(np.sort(rng.permutation(len(self))[:n]))

    def list(self) -> list[Codes]:
        """Return the sequences one by one, without padding."""
        return [row[:length] for row, length in zip(self.codes, self.lengths.tolist(), strict=True)]
