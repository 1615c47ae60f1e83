"""Text <-> codes <-> one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.sequence.alphabet import AMBIGUOUS, BASES, CODE_OF_BYTE, INVALID
from seqdl.sequence.edit import crop_or_pad
from seqdl.types import Ambiguous, Codes, Ints

_LETTER_OF_CODE = (BASES + "N").encode() + b"?" * 251
_PROTEIN_ONLY = frozenset("EFILPQXZJO*")  # in proteins, but no nucleotide letter
_NUCLEOTIDES = frozenset("ACGTUN")


def encode(sequence: str | bytes) -> Codes:
    """Turn nucleotide letters into codes.

    Either case is read, U as T, and an IUPAC ambiguity letter as ambiguous.

    Parameters
    ----------
    sequence : str or bytes, of length L
        Nucleotide letters and nothing else: no gaps, no white space.

    Returns
    -------
    uint8 array, (L,)
        A C G T = 0 1 2 3, an ambiguous base 4.

    Raises
    ------
    InputError
        If there is any other letter; the message has the letter and its 1-based position.

    Examples
    --------
    >>> encode("ACGTNacgu")
    array([0, 1, 2, 3, 4, 0, 1, 2, 3], dtype=uint8)
    """
    # "replace" puts one '?' for each foreign character, so that positions stay
    raw = sequence.encode("ascii", "replace") if isinstance(sequence, str) else sequence
    codes = bytearray(raw).translate(CODE_OF_BYTE)  # a bytearray, because an array over bytes would be read-only
    wrong = codes.find(INVALID)
    if wrong >= 0:
        raise InputError(_explain(sequence if isinstance(sequence, str) else sequence.decode("latin-1"), wrong))
    return np.frombuffer(codes, dtype=np.uint8)


def looks_like_protein(text: str) -> bool:
    """Tell whether letters read as amino acids rather than as nucleotides.

    Examples
    --------
    >>> looks_like_protein("MKLVEEPLRQ"), looks_like_protein("ACGTXACGTACGT")
    (True, False)
    """
    letters = text.upper()
    foreign = sum(letter not in _NUCLEOTIDES for letter in letters)
    return any(letter in _PROTEIN_ONLY for letter in letters) and letters.replace("*", "").isalpha() and foreign >= 0.3 * len(letters)


def _explain(text: str, position: int) -> str:
    letter = text[position]
    where = f"letter {letter!r} at position {position + 1:,} is no nucleotide"
    if looks_like_protein(text[max(0, position - 500) : position + 500]):
        return f"{where}: the sequence reads as protein. DNA or RNA was expected (A C G T U N or IUPAC letters). Give the nucleotide sequence."
    hint = "Remove gaps." if letter in "-." else "Remove white space." if letter.isspace() else "Write N for an unknown base."
    return f"{where}; A C G T U N or IUPAC letters were expected. {hint}"


def decode(codes: Codes) -> str:
    """Turn codes into letters, an ambiguous base into N.

    Parameters
    ----------
    codes : uint8 array, (L,)
        One sequence.

    Raises
    ------
    ShapeError
        If `codes` has not exactly one dimension.
    InputError
        If there is a code above 4.

    Examples
    --------
    >>> decode(encode("acgun"))
    'ACGTN'
    """
    codes = np.asarray(codes)
    if codes.ndim != 1:
        raise ShapeError(f"codes have the shape {codes.shape}; one sequence (L,) was expected. Decode row by row.")
    if codes.size and (codes.min() < 0 or codes.max() > AMBIGUOUS):
        raise InputError(
            f"there is a code {codes.max() if codes.max() > AMBIGUOUS else codes.min()}; codes run from 0 to 4. Make them with encode()."
        )
    return codes.astype(np.uint8).tobytes().translate(_LETTER_OF_CODE).decode("ascii")


def one_hot(codes: Codes, *, ambiguous: Ambiguous = "zero", lengths: Ints | None = None) -> NDArray[np.float32]:
    """Turn codes into one-hot, channels before length.

    Parameters
    ----------
    codes : uint8 array, (..., L)
        One or many sequences.
    ambiguous : {"zero", "uniform"}, default "zero"
        Whether an ambiguous base is a column of zeros or of quarters.
    lengths : int array, (...), optional
        True lengths of sequences that are padded at their end: padding is zeros in either case.

    Returns
    -------
    float32 array, (..., 4, L)
        Rows A C G T.

    Raises
    ------
    UnknownNameError
        If `ambiguous` is neither word.

    Examples
    --------
    >>> one_hot(encode("ACN"))
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    >>> one_hot(encode("ANN"), ambiguous="uniform", lengths=np.array(2))[0]      # the last is padding
    array([1.  , 0.25, 0.  ], dtype=float32)
    """
    check_ambiguous(ambiguous)
    codes = np.asarray(codes)
    if codes.ndim == 0:
        raise ShapeError("codes are a single number; an array (..., L) was expected. Wrap the base in a list.")
    onehot = np.empty((*codes.shape[:-1], len(BASES), codes.shape[-1]), dtype=np.float32)
    for base in range(len(BASES)):
        onehot[..., base, :] = codes == base
    if ambiguous == "uniform":
        unknown = codes >= len(BASES)
        if lengths is not None:
            unknown &= np.arange(codes.shape[-1]) < np.asarray(lengths)[..., None]
        np.swapaxes(onehot, -1, -2)[unknown] = 1 / len(BASES)
    return onehot


def check_ambiguous(word: str) -> None:
    """Raise `UnknownNameError` unless `word` says how a network may read an ambiguous base."""
    if word not in get_args(Ambiguous):
        raise UnknownNameError("reading of ambiguous bases", word, get_args(Ambiguous))


def codes_of(onehot: NDArray[np.floating | np.integer | np.bool_]) -> Codes:
    """Turn one-hot back into codes.

    Parameters
    ----------
    onehot : array, (..., 4, L)
        One-hot, or base probabilities: the largest counts.

    Returns
    -------
    uint8 array, (..., L)
        A column without a single largest value (all zeros, all .25) is ambiguous: 4.

    Raises
    ------
    ShapeError
        If the second last dimension is not 4.

    Examples
    --------
    >>> decode(codes_of(one_hot(encode("GATTNACA"))))
    'GATTNACA'
    """
    onehot = np.asarray(onehot)
    if onehot.ndim < 2 or onehot.shape[-2] != len(BASES):
        hint = " It looks transposed: swap its last two axes." if onehot.ndim >= 2 and onehot.shape[-1] == len(BASES) else ""
        raise ShapeError(f"one-hot has the shape {onehot.shape}; (..., 4, L) was expected.{hint or ' Put the bases A C G T before the length.'}")
    top = onehot.max(axis=-2, keepdims=True) if onehot.shape[-1] else onehot[..., :1, :]
    codes: Codes = onehot.argmax(axis=-2).astype(np.uint8)
    codes[(onehot == top).sum(axis=-2) != 1] = AMBIGUOUS
    return codes


def stack(sequences: Sequence[Codes], length: int | None = None) -> Codes:
    """Stack sequences of any lengths into one array, centred.

    Parameters
    ----------
    sequences : sequence of N uint8 arrays, each (L_i,)
        Codes; longer ones are cropped to their centre, shorter ones padded on both sides with 4.
    length : int, optional
        Length L of the result in bp; by default the longest.

    Returns
    -------
    uint8 array, (N, L)

    Examples
    --------
    >>> stack([encode("ACGT"), encode("GG")])
    array([[0, 1, 2, 3],
           [4, 2, 2, 4]], dtype=uint8)
    """
    if length is None:
        length = max((len(codes) for codes in sequences), default=0)
    if not len(sequences):
        return np.empty((0, length), dtype=np.uint8)
    if all(len(codes) == length for codes in sequences):
        return np.array(sequences, dtype=np.uint8)
    return np.array([crop_or_pad(codes, length) for codes in sequences], dtype=np.uint8)
