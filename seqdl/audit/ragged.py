"""Sequences of any length, looked at block by block so that a million of them need no more memory than a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError, ShapeError, listing
from seqdl.sequence.composition import kmer_windows
from seqdl.types import SPLITS, Codes

_BLOCK = 1 << 18  # bases looked at in one go, so that the temporaries stay in the processor's cache
_COMPLEMENT = bytes([3, 2, 1, 0, *range(4, 256)])


@dataclass(frozen=True, eq=False)
class Block:
    """Some sequences in one flat array, each followed by an ambiguous base so that no window spans two.

    Attributes
    ----------
    rows : int64 array, (n,)
        Which sequences these are.
    flat : uint8 array, (total,)
        The codes.
    start, end : int64 array, (n,)
        Where each sequence lies in `flat`.
    """

    rows: NDArray[np.int64]
    flat: Codes
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def count(self, is_counted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the marked positions of `flat` in each sequence, (n,)."""
        before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(is_counted, dtype=np.int64)])
        return np.asarray(before[self.end] - before[self.start], dtype=np.int64)

    def texts(self) -> list[bytes]:
        """Return each sequence as bytes without ambiguous ends: equal bytes, equal sequence."""
        whole = self.flat.tobytes()
        return [whole[start:end].strip(b"\x04") for start, end in zip(self.start.tolist(), self.end.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class Ragged:
    """N sequences of any length; nothing is copied before it is looked at.

    Attributes
    ----------
    codes : uint8 array, (N, L), or a list of N arrays (L,)
        What they lie in.
    start, end : int64 array, (N,)
        Where each lies in its row.
    """

    codes: Codes | Sequence[Codes]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(cls, codes: Codes | Sequence[Codes] | Ragged, lengths: ArrayLike | None = None) -> Ragged:
        """Take an array (N, L) or a list of (L,).

        Parameters
        ----------
        codes : uint8 array, (N, L), or a list of N arrays (L,)
        lengths : int array, (N,), optional
            True lengths of the rows of an array; without them ambiguous bases at the ends of a row are taken for padding. Those
            of a list are no padding in either case.

        Raises
        ------
        ShapeError
            If the array is not (N, L), something in the list is not (L,), or there is not a length for each.

        Examples
        --------
        >>> padded = np.array([[4, 0, 1, 4], [2, 2, 2, 2]], dtype=np.uint8)
        >>> Ragged.of(padded).length.tolist(), Ragged.of(padded, [3, 4]).length.tolist()
        ([2, 4], [3, 4])
        >>> Ragged.of([np.array([4, 0, 1], dtype=np.uint8), np.array([], dtype=np.uint8)]).length.tolist()
        [3, 0]
        """
        if isinstance(codes, Ragged):
            return codes
        n = len(codes)
        if not isinstance(codes, np.ndarray):
            for i, sequence in enumerate(codes):
                if np.ndim(sequence) != 1:
                    raise ShapeError(
                        f"sequence {i} has shape {np.shape(sequence)}; (L,) is expected. Pass an array (N, L) instead of a list of batches."
                    )
            return cls(codes, np.zeros(n, dtype=np.int64), np.array([len(sequence) for sequence in codes], dtype=np.int64))
        if codes.ndim != 2:
            raise ShapeError(f"codes has shape {codes.shape}; (N, L) or a list of (L,) is expected. Pass codes[None] for a single sequence.")
        if lengths is None:
            return cls(codes, *_without_padding(codes))
        end = np.asarray(lengths, dtype=np.int64)
        if end.shape != (n,) or (n and not 0 <= end.min() <= end.max() <= codes.shape[1]):
            raise ShapeError(f"lengths has shape {end.shape}; one for each of the {n} sequences, up to {codes.shape[1]}, is needed.")
        return cls(codes, np.zeros(n, dtype=np.int64), end)

    def __len__(self) -> int:
        return int(self.start.size)

    @property
    def length(self) -> NDArray[np.int64]:
        """Length of each sequence in bp, (N,)."""
        return np.asarray(self.end - self.start, dtype=np.int64)

    def blocks(self, rows: NDArray[np.bool_] | None = None) -> Iterator[Block]:
        """Yield all sequences, or those of the rows that are marked (N,), some at a time."""
        chosen = np.arange(len(self)) if rows is None else np.flatnonzero(rows)
        size = np.full(len(chosen), self.codes.shape[1]) if isinstance(self.codes, np.ndarray) else self.end[chosen]
        number = np.cumsum(size + 1) // _BLOCK
        cuts = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1, [len(chosen)]])
        for first, after in pairwise(cuts.tolist()):
            if after > first:
                yield self._block(chosen[first:after])

    def _block(self, rows: NDArray[np.int64]) -> Block:
        if isinstance(self.codes, np.ndarray):
            length = self.codes.shape[1]
            flat = np.full((len(rows), length + 1), 4, dtype=np.uint8)
            flat[:, :length] = self.codes[rows]
            at = np.arange(len(rows), dtype=np.int64) * (length + 1)
            return Block(rows, flat.ravel(), at + self.start[rows], at + self.end[rows])
        size = self.end[rows]
        start = np.cumsum(size + 1) - (size + 1)
        flat = np.full(int((size + 1).sum()), 4, dtype=np.uint8)
        for row, at, n in zip(rows.tolist(), start.tolist(), size.tolist(), strict=True):
            flat[at : at + n] = self.codes[row]
        return Block(rows, flat, start, start + size)

    @cached_property
    def prints(self) -> NDArray[np.uint64]:
        """Fingerprints of each sequence and of its reverse complement, (N, 2), ambiguous ends left out; 0 for a sequence of nothing else.

        Equal sequences have equal ones. That two different ones of a million have, too, has a chance of 3e-8.
        """
        found = np.zeros((len(self), 2), dtype=np.uint64)
        for block in self.blocks():
            both = b"".join(_print_of(text) + _print_of(opposite(text)) for text in block.texts())
            found[block.rows] = np.frombuffer(both, dtype=np.uint64).reshape(-1, 2)
        return found

    def kmers(self, rows: NDArray[np.bool_], k: int, *, every: int = 1) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        """Yield the canonical k-mer hashes of the sequences in `rows` (N,) with the sequence of each, block by block.

        With `every` above 1, of all k-mers there are only one in so many is looked at, the same ones wherever they occur.
        """
        for block in self.blocks(rows):
            hashes, valid = kmer_windows(block.flat, k, canonical=True)
            if every > 1:
                valid &= hashes % np.uint64(every) == 0
            at = np.flatnonzero(valid)
            yield hashes[at], block.rows[np.searchsorted(block.start, at, side="right") - 1]


def _print_of(text: bytes) -> bytes:
    return blake2b(text, digest_size=8).digest() if text else bytes(8)


def _without_padding(codes: Codes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the rows of an array begin and end when ambiguous ends are left out; a row of nothing else is empty."""
    n, length = codes.shape
    start, end = np.zeros(n, dtype=np.int64), np.full(n, length, dtype=np.int64)
    padded = np.flatnonzero((codes[:, 0] > 3) | (codes[:, -1] > 3)) if length else np.arange(0)
    step = max(1, _BLOCK // max(1, length))
    for first in range(0, len(padded), step):
        rows = padded[first : first + step]
        known = codes[rows] < 4
        some = known.any(axis=1)
        start[rows] = np.where(some, known.argmax(axis=1), 0)
        end[rows] = np.where(some, length - known[:, ::-1].argmax(axis=1), 0)
    return start, end


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
