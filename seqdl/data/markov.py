"""Random bases that look like a genome's."""

from __future__ import annotations

import numpy as np

from seqdl.types import Codes

_CHAINS = 4096  # chains that run side by side: a step of all of them is one operation


def markov_bases(length: int, *, gc: float, rng: np.random.Generator) -> Codes:
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
    lean = rng.normal(0, 0.12, size=(4, 4, 4))
    lean = (lean + lean[::-1, ::-1, ::-1].transpose(2, 1, 0)) / 2  # the word xyz as often as its reverse complement
    weights = base * np.exp(lean)
    # within each context, strong and weak bases keep their shares, and with them the genome its GC content
    for pair, share in (((1, 2), gc), ((0, 3), 1 - gc)):
        weights[..., pair] *= share / weights[..., pair].sum(axis=-1, keepdims=True)
    edges = np.cumsum(weights.reshape(16, 4), axis=1)[:, :3]
    steps = -(-length // _CHAINS)
    out = np.empty((steps, _CHAINS), dtype=np.uint8)
    context = rng.integers(0, 16, size=_CHAINS)
    for step in range(steps):
        drawn = (rng.random(_CHAINS)[:, None] > edges[context]).sum(axis=1)
        out[step] = drawn
        context = (context * 4 + drawn) % 16
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
