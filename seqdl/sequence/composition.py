"""What sequences are made of: GC content and k-mers."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError, ShapeError
from seqdl.sequence.alphabet import BASES
from seqdl.types import Codes, Ints

MAX_COUNTED_K = 12
"""Longest k-mer `kmer_counts` makes columns for: 4**12 is 17 million."""

MAX_HASHED_K = 31
"""Longest k-mer that fits into 64 bits with room to spare."""

_BLOCK = 1 << 18  # windows worked on at a time, so that the temporaries stay in the processor's cache
_MAX_BINS = 1 << 24  # bins counted at a time, 128 MiB


def gc_content(codes: Codes) -> NDArray[np.float64]:
    """Return the fraction of G and C among the unambiguous bases.

    Parameters
    ----------
    codes : uint8 array, (..., L)
        One or many sequences.

    Returns
    -------
    float64 array, (...)
        From 0 to 1; NaN where a sequence has no unambiguous base.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode, stack
    >>> gc_content(stack([encode("GCAT"), encode("GCAN"), encode("NNNN")]))
    array([0.5       , 0.66666667,        nan])
    """
    codes = np.asarray(codes)
    strong = np.count_nonzero((codes == 1) | (codes == 2), axis=-1)
    known = np.count_nonzero(codes < len(BASES), axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.true_divide(strong, known), dtype=np.float64)


def holds_ambiguous(codes: Codes, lengths: Ints | None = None) -> NDArray[np.bool_]:
    """Tell which sequences hold an ambiguous base, in little more memory than the answer takes.

    Parameters
    ----------
    codes : uint8 array, (N, L)
        Sequences.
    lengths : int array, (N,), optional
        True lengths of sequences that are padded at their end; padding does not count.

    Returns
    -------
    bool array, (N,)

    Examples
    --------
    >>> codes = np.array([[0, 1, 4], [0, 4, 2], [3, 3, 3]], dtype=np.uint8)
    >>> holds_ambiguous(codes).tolist(), holds_ambiguous(codes, np.array([2, 3, 3])).tolist()
    ([True, True, False], [False, True, False])
    """
    found = np.zeros(len(codes), dtype=np.bool_)
    step = max(1, _BLOCK // max(1, codes.shape[1]))
    for first in range(0, len(codes), step):
        unknown = codes[first : first + step] >= len(BASES)
        if lengths is not None:
            unknown &= np.arange(codes.shape[1]) < lengths[first : first + step, None]
        found[first : first + step] = unknown.any(axis=1)
    return found


def kmer_names(k: int, *, canonical: bool = False) -> list[str]:
    """Return the k-mers in the order of the columns of `kmer_counts`.

    Parameters
    ----------
    k : int, 1 to 12
        Length in bp.
    canonical : bool, default False
        Whether a k-mer and its reverse complement are one, named by the first of the two in the alphabet.

    Examples
    --------
    >>> kmer_names(1), kmer_names(2, canonical=True)
    (['A', 'C', 'G', 'T'], ['AA', 'AC', 'AG', 'AT', 'CA', 'CC', 'CG', 'GA', 'GC', 'TA'])
    """
    _check_k(k, MAX_COUNTED_K)
    names = ["".join(letters) for letters in itertools.product(BASES, repeat=k)]
    if not canonical:
        return names
    opposite = str.maketrans("ACGT", "TGCA")
    return [name for name in names if name <= name.translate(opposite)[::-1]]


def kmer_counts(codes: Codes, k: int, *, canonical: bool = False) -> NDArray[np.float32]:
    """Count the k-mers of each sequence; windows with an ambiguous base are skipped.

    Parameters
    ----------
    codes : uint8 array, (N, L)
        Sequences; shorter ones padded with 4.
    k : int, 1 to 12
        Length in bp.
    canonical : bool, default False
        Whether a k-mer and its reverse complement are counted as one.

    Returns
    -------
    float32 array, (N, n_kmers)
        Columns as in `kmer_names`.

    Raises
    ------
    InputError
        If `k` is out of range.
    ShapeError
        If `codes` is not (N, L).

    Examples
    --------
    >>> from seqdl.sequence.encode import encode
    >>> kmer_counts(encode("AACNTT")[None], 2)[0, [0, 1, 15]]         # AA, AC, TT
    array([1., 1., 1.], dtype=float32)
    """
    codes = np.asarray(codes)
    if codes.ndim != 2:
        raise ShapeError(f"codes have the shape {codes.shape}; sequences (N, L) were expected. Use codes[None] for one, stack() for many.")
    column = _columns(k, canonical=canonical)
    n_columns = int(column.max()) + 1
    counts = np.zeros((len(codes), n_columns), dtype=np.float32)
    if codes.shape[1] < k:
        return counts
    step = max(1, min(_MAX_BINS // n_columns, _BLOCK // codes.shape[1] or 1))
    for first in range(0, len(codes), step):
        words, valid = _words(codes[first : first + step], k)
        rows = len(words)
        flat = column[words.astype(np.intp)] + np.arange(rows)[:, None] * n_columns
        counts[first : first + rows] = np.bincount(flat[valid], minlength=rows * n_columns).reshape(rows, n_columns)
    return counts


def kmer_hashes(codes: Codes, k: int, *, canonical: bool = True) -> NDArray[np.uint64]:
    """Hash every k-mer of one sequence; windows with an ambiguous base are left out.

    Parameters
    ----------
    codes : uint8 array, (L,)
        One sequence.
    k : int, 1 to 31
        Length in bp.
    canonical : bool, default True
        Whether a k-mer and its reverse complement have the same hash.

    Returns
    -------
    uint64 array, (n,)
        In the order of the windows. Two hashes are equal exactly where the k-mers are; the values are well mixed, so the smallest are a fair sample.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode
    >>> hashes = kmer_hashes(encode("ACGTTNAACGT"), 5)
    >>> len(hashes), bool(hashes[0] == hashes[1])                     # ACGTT and AACGT
    (2, True)
    """
    codes = np.asarray(codes)
    if codes.ndim != 1:
        raise ShapeError(f"codes have the shape {codes.shape}; one sequence (L,) was expected. Use kmer_windows() for many.")
    hashes, valid = kmer_windows(codes, k, canonical=canonical)
    return hashes[valid]


def kmer_windows(codes: Codes, k: int, *, canonical: bool = True) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Hash every window of many sequences at once; the hashes are those of `kmer_hashes`.

    Parameters
    ----------
    codes : uint8 array, (..., L)
        One or many sequences.
    k : int, 1 to 31
        Length in bp.
    canonical : bool, default True
        Whether a k-mer and its reverse complement have the same hash.

    Returns
    -------
    hashes : uint64 array, (..., L - k + 1)
        One hash a window.
    valid : bool array, (..., L - k + 1)
        False where the window has an ambiguous base and its hash means nothing.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode
    >>> hashes, valid = kmer_windows(encode("ACGNT")[None], 2)
    >>> hashes.shape, valid[0].tolist()
    ((1, 4), [True, True, False, False])
    """
    _check_k(k, MAX_HASHED_K)
    codes = np.asarray(codes)
    n_windows = max(0, codes.shape[-1] - k + 1)
    rows = codes.reshape(-1, codes.shape[-1]) if codes.size else np.empty((int(np.prod(codes.shape[:-1])), codes.shape[-1]), np.uint8)
    hashes = np.empty((len(rows), n_windows), dtype=np.uint64)
    valid = np.zeros((len(rows), n_windows), dtype=np.bool_)
    step = max(1, _BLOCK // max(1, codes.shape[-1])) if n_windows else len(rows) + 1
    for first in range(0, len(rows) if n_windows else 0, step):
        block = rows[first : first + step]
        words, valid[first : first + step] = _words(block, k)
        if canonical:
            opposite, _ = _words(np.where(block < 4, 3 - block, 4)[:, ::-1], k)
            np.minimum(words, opposite[:, ::-1], out=words)
        hashes[first : first + step] = _mixed(words)
    return hashes.reshape(*codes.shape[:-1], n_windows), valid.reshape(*codes.shape[:-1], n_windows)


def _check_k(k: int, largest: int) -> None:
    if not 1 <= k <= largest:
        raise InputError(f"k is {k}; a k-mer length from 1 to {largest} was expected. Choose a k in that range.")


def _words(codes: Codes, k: int) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Pack the window at each position of (N, L) codes into 2 k bits, and say which windows have no ambiguous base.

    Words of length 1, 2, 4, ... are made by joining neighbours, so the work grows with log2(k).
    """
    known = codes < len(BASES)
    power = np.where(known, codes, 0).astype(np.uint64)
    result: NDArray[np.uint64] | None = None
    valid, done, width = known, 0, 1
    good = known
    n_windows = codes.shape[-1] - k + 1
    while True:
        if k & width:
            piece, clean = power[..., done : done + n_windows], good[..., done : done + n_windows]
            result, valid = (piece.copy(), clean.copy()) if result is None else (result << np.uint64(2 * width) | piece, valid & clean)
            done += width
        if done == k:
            return result, valid  # type: ignore[return-value]  # k >= 1, so that the first bit set made it an array
        power = power[..., :-width] << np.uint64(2 * width) | power[..., width:]
        good = good[..., :-width] & good[..., width:]
        width *= 2


def _columns(k: int, *, canonical: bool) -> NDArray[np.intp]:
    """Return the column of each packed k-mer in `kmer_counts`."""
    _check_k(k, MAX_COUNTED_K)
    words = np.arange(4**k, dtype=np.int64)
    if not canonical:
        return words.astype(np.intp)
    opposite, rest = np.zeros_like(words), words.copy()
    for _ in range(k):
        opposite = opposite << 2 | (3 - (rest & 3))
        rest >>= 2
    smaller = np.minimum(words, opposite)
    return np.searchsorted(np.flatnonzero(words == smaller), smaller).astype(np.intp)


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits one-to-one (the finaliser of splitmix64; Steele, Lea and Flood, OOPSLA 2014)."""
    words = (words + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
