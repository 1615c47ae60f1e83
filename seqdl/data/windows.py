"""The compiled loop that reads windows out of a genome, as text or as codes, into codes or one-hot."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seqdl.sequence.alphabet import CODE_OF_BYTE, INVALID
from seqdl.types import Codes

_WORTH_THREADS = 1 << 21  # bases from which a second thread pays
_NO_END = np.iinfo(np.int64).max  # of a line of codes that are not cut into lines
_LETTERS = np.frombuffer(CODE_OF_BYTE, dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Places:
    """Where windows lie in an array of bytes.

    Attributes
    ----------
    first : int64 array, (I,)
        Place of each window's first base.
    left : int64 array, (I,)
        Bases from there to the end of its line.
    line, gap : int64 array, (I,)
        Bases in a line, and bytes between two lines.
    minus : bool array, (I,)
        Whether a window is read on the other strand.
    """

    first: NDArray[np.int64]
    left: NDArray[np.int64]
    line: NDArray[np.int64]
    gap: NDArray[np.int64]
    minus: NDArray[np.bool_]

    @classmethod
    def unbroken(cls, first: NDArray[np.int64], minus: NDArray[np.bool_]) -> Places:
        """Return the places of windows in codes, which have no lines."""
        never = np.full(len(first), _NO_END, dtype=np.int64)
        return cls(first, never, never, np.zeros(len(first), dtype=np.int64), minus)


def read_windows(source: Codes, places: Places, out: NDArray[Any], *, text: bool) -> int:
    r"""Write windows into `out`, sharing them out over two threads where there are many.

    Parameters
    ----------
    source : uint8 array
        Codes, or the bytes of a FASTA.
    places : Places
    out : uint8 array, (I, L), or int8 array, (I, 4, L)
        Takes codes, or one-hot.
    text : bool
        Whether `source` is text.

    Returns
    -------
    int
        A window that holds a byte which is no nucleotide letter, as where the index of a FASTA is another's; -1 where none does.

    Examples
    --------
    >>> out = np.empty((1, 4), dtype=np.uint8)
    >>> places = Places(*(np.array([n]) for n in (1, 2, 3, 1)), np.array([False]))
    >>> read_windows(np.frombuffer(b"NAC\ngtu", dtype=np.uint8), places, out, text=True), out.tolist()
    (-1, [[0, 1, 2, 3]])
    """
    n = len(out)
    one_hot = out.ndim == 3
    codes = np.empty((0, 0), dtype=np.uint8) if one_hot else out
    hot = out if one_hot else np.empty((0, 4, 0), dtype=np.int8)

    def part(rows: slice) -> int:
        where = (places.first[rows], places.left[rows], places.line[rows], places.gap[rows], places.minus[rows])
        found = _read(source, where, codes[rows], hot[rows], (text, one_hot), _LETTERS)
        return found + rows.start if found >= 0 else -1

    n_threads = min(2, os.cpu_count() or 1)
    if n * out.shape[-1] < _WORTH_THREADS or n_threads < 2:
        return part(slice(0, n))
    cuts = [n * i // (4 * n_threads) for i in range(4 * n_threads + 1)]
    with ThreadPoolExecutor(n_threads) as pool:
        return max(pool.map(part, [slice(a, b) for a, b in itertools.pairwise(cuts)]))


def _jit(function: Any) -> Any:
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no folder it may keep its cache in
        return njit(nogil=True)(function)


@_jit
def _read(source: Codes, where: Any, codes: Codes, hot: NDArray[np.int8], kind: tuple[bool, bool], letters: Codes) -> int:
    """Do the work of `read_windows` on some windows.

    Places are unsigned, so that no loop asks whether one is negative, and all of them run on many bases at once.
    """
    first, left, line, gap, minus = where
    text, one_hot = kind
    length = np.uint64(hot.shape[2] if one_hot else codes.shape[1])
    raw = np.empty(length, dtype=np.uint8)
    window = np.empty(length, dtype=np.uint8)
    wrong = -1
    for i in range(len(first)):
        row = window if one_hot else codes[i]
        taken = raw if text else row
        at, room, done = np.uint64(first[i]), np.uint64(left[i]), np.uint64(0)
        while done < length:
            n = min(room, length - done)
            for j in range(n):
                taken[done + j] = source[at + j]
            done += n
            at += n + np.uint64(gap[i])
            room = np.uint64(line[i])
        if text and _translate(raw, row):
            for letter in raw:
                if letters[letter] == INVALID:
                    wrong = i
        if minus[i]:
            _turn(row)
        if one_hot:
            for base in range(4):
                channel = hot[i, base]
                for j in range(length):
                    channel[j] = row[j] == base
    return wrong


@_jit
def _translate(letters: Codes, out: Codes) -> Any:
    """Write the codes of letters; return whether any is none of A C G T U. Arithmetic, not a table, serves many letters at once."""
    odd = np.uint8(0)
    for i in range(len(letters)):
        letter = letters[i] & np.uint8(0xDF)  # upper case
        bits = (letter >> np.uint8(1)) & np.uint8(3)  # A C T G: 0 1 2 3, and U as T
        known = (letter == 65) | (letter == 67) | (letter == 71) | (letter == 84) | (letter == 85)
        out[i] = (bits ^ (bits >> np.uint8(1))) if known else np.uint8(4)
        odd |= np.uint8(not known)
    return odd


@_jit
def _turn(codes: Codes) -> None:
    """Replace codes by those of the other strand, in place."""
    n = len(codes)
    for i in range((n + 1) // 2):
        a, b = codes[i], codes[n - 1 - i]
        codes[i] = 3 - b if b < 4 else b
        codes[n - 1 - i] = 3 - a if a < 4 else a
