"""Sequences of any length laid end to end, so that one array operation sees them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError, ShapeError, listing
from seqdl.sequence.composition import kmer_windows
from seqdl.types import SPLITS, Codes

_BLOCK = 1 << 18  # bases hashed at a time, so that the temporaries stay in the processor's cache
_COMPLEMENT = bytes([3, 2, 1, 0, *range(4, 256)])


@dataclass(frozen=True, eq=False)
class Ragged:
    """N sequences in one flat array, each followed by an ambiguous base so that no window spans two.

    Attributes
    ----------
    flat : uint8, (total,)
        The codes.
    start, end : int64, (N,)
        Where each sequence lies. The padding of a rectangular array is no part of it.
    """

    flat: Codes
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(cls, codes: Codes | Sequence[Codes]) -> Ragged:
        """Lay out an array (N, L), whose ambiguous ends are taken for padding, or a list of (L,) as it is.

        Raises
        ------
        ShapeError
            If the array is not (N, L), or something in the list is not (L,).

        Examples
        --------
        >>> Ragged.of(np.array([[4, 0, 1, 4], [2, 2, 2, 2]], dtype=np.uint8)).length.tolist()
        [2, 4]
        >>> Ragged.of([np.array([4, 0, 1], dtype=np.uint8), np.array([], dtype=np.uint8)]).length.tolist()
        [3, 0]
        """
        if isinstance(codes, np.ndarray):
            if codes.ndim != 2:
                raise ShapeError(f"codes has shape {codes.shape}; (N, L) or a list of (L,) is expected. Pass codes[None] for a single sequence.")
            n, length = codes.shape
            padded = np.full((n, length + 1), 4, dtype=np.uint8)
            padded[:, :length] = codes
            known = padded < 4
            row = np.arange(n, dtype=np.int64) * (length + 1)
            some = known.any(axis=1)
            first = np.where(some, known.argmax(axis=1), 0)
            last = np.where(some, length + 1 - known[:, ::-1].argmax(axis=1), 0)
            return cls(padded.ravel(), row + first, row + last)
        for i, sequence in enumerate(codes):
            if np.ndim(sequence) != 1:
                raise ShapeError(f"sequence {i} has shape {np.shape(sequence)}; (L,) is expected. Pass an array (N, L) instead of a list of batches.")
        lengths = np.array([len(sequence) for sequence in codes], dtype=np.int64)
        start = np.cumsum(lengths + 1) - (lengths + 1)
        flat = np.full(int((lengths + 1).sum()), 4, dtype=np.uint8)
        for sequence, at in zip(codes, start, strict=True):
            flat[at : at + len(sequence)] = sequence
        return cls(flat, start, start + lengths)

    def __len__(self) -> int:
        return int(self.start.size)

    @property
    def length(self) -> NDArray[np.int64]:
        """Length of each sequence in bp, (N,)."""
        return np.asarray(self.end - self.start, dtype=np.int64)

    def count(self, is_counted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the marked positions of `flat` in each sequence, (N,)."""
        before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(is_counted, dtype=np.int64)])
        return np.asarray(before[self.end] - before[self.start], dtype=np.int64)

    def texts(self) -> list[bytes]:
        """Return each sequence as bytes without ambiguous ends: equal bytes, equal sequence."""
        whole = self.flat.tobytes()
        return [whole[start:end].strip(b"\x04") for start, end in zip(self.start.tolist(), self.end.tolist(), strict=True)]

    def kmers(self, rows: NDArray[np.bool_], k: int) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        """Yield the canonical k-mer hashes of the sequences in `rows` (N,) with the sequence of each, block by block."""
        owner_start = self.start
        for begin in range(0, self.flat.size, _BLOCK):
            hashes, valid = kmer_windows(self.flat[begin : begin + _BLOCK + k - 1], k, canonical=True)
            at = np.flatnonzero(valid)
            owner = np.searchsorted(owner_start, at + begin, side="right") - 1
            wanted = rows[owner]
            yield hashes[at[wanted]], owner[wanted]


def opposite(text: bytes) -> bytes:
    """Return the reverse complement of codes held as bytes.

    Examples
    --------
    >>> list(opposite(bytes([0, 1, 4])))
    [4, 2, 3]
    """
    return text.translate(_COMPLEMENT)[::-1]


def check_split(split: object, n: int) -> NDArray[np.str_]:
    """Return `split` as an array of train, val and test, (N,), or say what is wrong with it."""
    names = np.asarray(split).astype(str)
    if names.shape != (n,):
        raise ShapeError(f"split has shape {names.shape}; one of {', '.join(SPLITS)} for each of the {n} sequences is needed.")
    unknown = sorted(set(np.unique(names).tolist()) - set(SPLITS))
    if unknown:
        raise InputError(f"split holds {listing(unknown)}; only {', '.join(SPLITS)} are known. Rename the values of the split column.")
    return names
