"""Training examples varied each time they are shown: pure functions on codes.

They only take what is real: a window is moved over bases of its own genome, a base is replaced by another base, and what
is ambiguous or padding stays that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.sequence.alphabet import AMBIGUOUS
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes, Ints

N_BASES = 4


@dataclass(frozen=True)
class Augmentation:
    """What is done to training examples, and how often.

    Parameters
    ----------
    turned : float, in [0, 1], default 0
        Share of the sequences that are shown as their reverse complement.
    jitter : int, default 0
        Bases (bp) by which a window is moved at most, either way.
    mask : float, in [0, 1], default 0
        Share of the bases that are made ambiguous.
    mutate : float, in [0, 1], default 0
        Share of the bases that are replaced by another.

    Raises
    ------
    InputError
        If a share is not one, or `jitter` is negative.

    Examples
    --------
    >>> bool(Augmentation()), bool(Augmentation(mask=0.1))
    (False, True)
    """

    turned: float = 0.0
    jitter: int = 0
    mask: float = 0.0
    mutate: float = 0.0

    def __post_init__(self) -> None:
        for name in ("turned", "mask", "mutate"):
            _check_share(getattr(self, name), name)
        if self.jitter < 0:
            raise InputError(f"jitter is {self.jitter} bp: 0 or more was expected. Give jitter such a value.")

    def __bool__(self) -> bool:
        """Return whether anything is done at all."""
        return any((self.turned, self.jitter, self.mask, self.mutate))

    def apply(self, codes: Codes, rng: np.random.Generator, *, lengths: Ints | None = None, along: Sequence[NDArray[Any]] = ()) -> Codes:
        """Return a batch turned, mutated and masked; windows are moved before, since that takes more than the codes.

        Parameters
        ----------
        codes : Codes, (B, L)
        rng : numpy Generator
        lengths : int array (B,), optional
            True lengths of sequences that are padded at their end.
        along : sequence of arrays (B, C, L)
            What lies along the sequences, such as signals: turned round with them, in place.
        """
        if self.turned:
            chosen = _chosen(codes, self.turned, rng)
            codes = _turned(codes, chosen, lengths)
            for values in along:
                _turn_round(values, chosen, lengths)
        if self.mutate:
            codes = mutate(codes, self.mutate, rng)
        return mask(codes, self.mask, rng) if self.mask else codes


def turn(codes: Codes, share: float, rng: np.random.Generator, *, lengths: Ints | None = None) -> Codes:
    """Show some sequences as their reverse complement.

    Parameters
    ----------
    codes : Codes, (B, L)
    share : float, in [0, 1]
        Chance of each sequence.
    rng : numpy Generator
    lengths : int array (B,), optional
        True lengths; padding stays at the end.

    Returns
    -------
    Codes, (B, L)
        A new array.

    Examples
    --------
    >>> turn(np.array([[0, 0, 1, 4]], dtype=np.uint8), 1, np.random.default_rng(0), lengths=np.array([3]))
    array([[2, 3, 3, 4]], dtype=uint8)
    """
    _check_share(share, "share")
    return _turned(codes, _chosen(codes, share, rng), lengths)


def _chosen(codes: Codes, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which sequences are turned, (B,)."""
    return rng.random(len(codes)) < share


def _turned(codes: Codes, chosen: NDArray[np.bool_], lengths: Ints | None) -> Codes:
    """Return a copy with the chosen sequences as their reverse complement."""
    turned = codes.copy()
    if lengths is None:
        turned[chosen] = reverse_complement(codes[chosen])
        return turned
    for row in np.flatnonzero(chosen):
        turned[row, : lengths[row]] = reverse_complement(codes[row, : lengths[row]])
    return turned


def _turn_round(values: NDArray[Any], chosen: NDArray[np.bool_], lengths: Ints | None) -> None:
    """Turn round what lies along the chosen sequences, (B, C, L), in place."""
    if lengths is None:
        values[chosen] = values[chosen, :, ::-1]
        return
    for row in np.flatnonzero(chosen):
        values[row, :, : lengths[row]] = values[row, :, : lengths[row]][:, ::-1].copy()


def mask(codes: Codes, share: float, rng: np.random.Generator) -> Codes:
    """Make some bases ambiguous (4).

    Parameters
    ----------
    codes : Codes, (B, L)
    share : float, in [0, 1]
        Chance of each base.
    rng : numpy Generator

    Returns
    -------
    Codes, (B, L)
        A new array.

    Examples
    --------
    >>> mask(np.array([[0, 1, 2, 3]], dtype=np.uint8), 1, np.random.default_rng(0))
    array([[4, 4, 4, 4]], dtype=uint8)
    """
    _check_share(share, "share")
    masked = codes.copy()
    masked[rng.random(codes.shape, dtype=np.float32) < share] = AMBIGUOUS
    return masked


def mutate(codes: Codes, share: float, rng: np.random.Generator) -> Codes:
    """Replace some bases by another base, each of the three others as likely; what is ambiguous stays so.

    Parameters
    ----------
    codes : Codes, (B, L)
    share : float, in [0, 1]
        Chance of each base.
    rng : numpy Generator

    Returns
    -------
    Codes, (B, L)
        A new array.

    Examples
    --------
    >>> found = mutate(np.array([[0, 1, 2, 4]], dtype=np.uint8), 1, np.random.default_rng(0))
    >>> (found == [0, 1, 2, 4]).tolist()
    [[False, False, False, True]]
    """
    _check_share(share, "share")
    chosen = (rng.random(codes.shape, dtype=np.float32) < share) & (codes < N_BASES)
    mutated = codes.copy()
    step = rng.integers(1, N_BASES, int(chosen.sum()), dtype=np.uint8)
    mutated[chosen] = (codes[chosen] + step) % N_BASES
    return mutated


def _check_share(share: float, name: str) -> None:
    if not 0 <= share <= 1:
        raise InputError(f"{name} is {share}: a share, 0 to 1, was expected. Give {name} such a value.")
