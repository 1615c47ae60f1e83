"""Editing codes: the other strand, another length."""

from __future__ import annotations

import numpy as np

from seqdl.errors import InputError, ShapeError
from seqdl.sequence.alphabet import AMBIGUOUS, COMPLEMENT
from seqdl.types import Codes


def reverse_complement(codes: Codes) -> Codes:
    """Return the opposite strand, read 5' to 3'.

    Parameters
    ----------
    codes : uint8 array, (..., L)
        One or many sequences.

    Returns
    -------
    uint8 array, (..., L)
        A new array.

    Examples
    --------
    >>> from seqdl.sequence.encode import decode, encode
    >>> decode(reverse_complement(encode("AACGN")))
    'NCGTT'
    """
    return COMPLEMENT[np.asarray(codes)[..., ::-1]]


def crop_or_pad(codes: Codes, length: int) -> Codes:
    """Bring a sequence to `length`, keeping its centre.

    Padding first and cropping after gives the sequence back; of an odd difference, the larger half is on the right.

    Parameters
    ----------
    codes : uint8 array, (L,)
        One sequence.
    length : int
        Length of the result in bp; what is added is ambiguous (4).

    Raises
    ------
    ShapeError
        If `codes` has not exactly one dimension.
    InputError
        If `length` is negative.

    Examples
    --------
    >>> from seqdl.sequence.encode import decode, encode
    >>> decode(crop_or_pad(encode("AACGT"), 3)), decode(crop_or_pad(encode("ACG"), 6))
    ('ACG', 'NACGNN')
    """
    codes = np.asarray(codes, dtype=np.uint8)
    if codes.ndim != 1:
        raise ShapeError(f"codes have the shape {codes.shape}; one sequence (L,) was expected. Use stack() for many.")
    if length < 0:
        raise InputError(f"length is {length}; a length in bp, 0 or more, was expected. Give a positive length.")
    excess = len(codes) - length
    if excess >= 0:
        start = excess // 2
        return codes[start : start + length].copy()
    result = np.full(length, AMBIGUOUS, dtype=np.uint8)
    start = -excess // 2
    result[start : start + len(codes)] = codes
    return result
