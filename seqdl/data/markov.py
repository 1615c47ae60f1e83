"""Random bases that look like a genome's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.types import Codes, Ints

MAX_ORDER = 10
"""Largest order of a fitted chain: 4 million probabilities."""
_AT_ONCE = 1 << 22  # bases counted in one go
CHAINS = 4096
"""Chains that run side by side: a step of all of them is one operation."""


def markov_bases(length: int, *, gc: float, rng: np.random.Generator, chain: np.random.Generator | None = None) -> Codes:
    """Draw bases from a Markov chain of order 2.

    The chain is drawn too: each context leans a little to other bases, so that k-mers are not equally frequent, and equally
    on both strands within the error of the draw. Its stationary GC content is close to `gc`.

    Parameters
    ----------
    length : int
        bp.
    gc : float, in (0, 1)
        GC content.
    rng : Generator
        Source of chance.
    chain : Generator, optional
        Source of chance of the chain itself, so that several draws can come from one chain; by default `rng`.

    Returns
    -------
    uint8 array, (length,)

    Examples
    --------
    >>> bases = markov_bases(100_000, gc=0.4, rng=np.random.default_rng(0))
    >>> round(float(np.isin(bases, (1, 2)).mean()), 1)
    0.4
    """
    base = np.array([1 - gc, gc, gc, 1 - gc]) / 2
    lean = (chain or rng).normal(0, 0.12, size=(4, 4, 4))
    lean = (lean + lean[::-1, ::-1, ::-1].transpose(2, 1, 0)) / 2  # the word xyz as often as its reverse complement
    weights = base * np.exp(lean)
    # within each context, strong and weak bases keep their shares, and with them the genome its GC content
    for pair, share in (((1, 2), gc), ((0, 3), 1 - gc)):
        weights[..., pair] *= share / weights[..., pair].sum(axis=-1, keepdims=True)
    return walk(weights.reshape(16, 4), length, rng=rng, start=rng.integers(0, 16, size=CHAINS))


def fit_markov(sequences: Sequence[Codes], order: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Fit a Markov chain to sequences, on their own strand; words with an ambiguous base are passed over.

    Parameters
    ----------
    sequences : sequence of uint8 arrays, each (L,)
        Codes.
    order : int, 0 to 10
        Bases that the next one depends on.

    Returns
    -------
    weights : float64 array, (4**order, 4)
        Probability of the next base after each word, words in the order of the alphabet. A word counts four bases more than it was
        met with, of the frequencies of all, so that none is a dead end.
    counts : int64 array, (4**order,)
        How often each word was met.

    Raises
    ------
    InputError
        If the order is out of its range, or the sequences hold no word of ``order + 1`` bases.

    Examples
    --------
    >>> weights, counts = fit_markov([np.tile(np.array([0, 1], dtype=np.uint8), 1000)], 1)
    >>> weights[0].round(2).tolist(), counts.tolist()
    ([0.0, 1.0, 0.0, 0.0], [1000, 999, 0, 0])
    """
    if not 0 <= order <= MAX_ORDER:
        raise InputError(f"the order is {order}; expected 0 to {MAX_ORDER} bases that the next one depends on. Try --order 3.")
    counts = np.zeros(4 ** (order + 1), dtype=np.int64)
    for sequence in sequences:
        for start in range(0, len(sequence), _AT_ONCE):
            piece = sequence[start : start + _AT_ONCE + order]
            n = len(piece) - order
            if n > 0:
                words, known = np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool)
                for i in range(order + 1):
                    words = words * 4 + piece[i : i + n]
                    known &= piece[i : i + n] < 4
                counts += np.bincount(words[known], minlength=counts.size)
    table = counts.reshape(-1, 4)
    if not table.any():
        raise InputError(f"the sequences hold no word of {order + 1} bases; expected DNA longer than the order of the chain. Lower --order.")
    weights = table + 4 * table.sum(axis=0) / table.sum()
    return weights / weights.sum(axis=1, keepdims=True), table.sum(axis=1)


def walk(weights: NDArray[np.float64], length: int, *, rng: np.random.Generator, start: Ints) -> Codes:
    """Draw bases from a Markov chain, in stretches that are laid end to end.

    Parameters
    ----------
    weights : float64 array, (4**order, 4)
        Probability of the next base after each word.
    length : int
        bp.
    rng : Generator
        Source of chance.
    start : int array, (n,)
        The word before each stretch; as many stretches are drawn side by side.

    Returns
    -------
    uint8 array, (length,)
    """
    edges = np.cumsum(weights, axis=1)[:, :3]
    steps = -(-length // len(start))
    out = np.empty((steps, len(start)), dtype=np.uint8)
    word = start
    for step in range(steps):
        drawn = (rng.random(len(start))[:, None] > edges[word]).sum(axis=1)
        out[step] = drawn
        word = (word * 4 + drawn) % len(weights)
    return np.ascontiguousarray(out.T).ravel()[:length]


def shift_gc(bases: Codes, by: float, *, gc: float, rng: np.random.Generator) -> None:
    """Turn some weak bases into strong ones (or the other way for a negative shift), in place.

    Parameters
    ----------
    bases : uint8 array, (L,)
        Changed in place.
    by : float
        Change of the GC content.
    gc : float
        GC content before.
    rng : Generator
        Source of chance.
    """
    strong = np.isin(bases, (1, 2))
    turn = (~strong if by > 0 else strong) & (rng.random(len(bases)) < abs(by) / (1 - gc if by > 0 else gc))
    new = np.array([1, 2] if by > 0 else [0, 3], dtype=np.uint8)
    bases[turn] = new[rng.integers(0, 2, size=int(turn.sum()))]
