"""The simple generators that synthetic sequences are held against: Markov chains, base frequencies by position, shuffles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.evaluate.spectra import kmer_spectrum
from seqdl.sequence.shuffle import dinucleotide_shuffle
from seqdl.types import Codes

ORDERS = (0, 1, 2, 3, 4, 5)
"""Orders of the ladder."""
HIGHEST_ORDER = 11
_BACK_OFF = 1.0  # observations that the next lower order counts for


@dataclass(frozen=True, eq=False)
class MarkovChain:
    """A Markov chain over bases; build it with `MarkovChain.fit`.

    Attributes
    ----------
    tables : tuple of float64 arrays, (4**k, 4) for k = 0 .. order
        Probability of the next base behind each word of k bases; the lower orders serve the first bases of a sequence.
    """

    tables: tuple[NDArray[np.float64], ...]

    @property
    def order(self) -> int:
        """How many bases the next one depends on."""
        return len(self.tables) - 1

    @classmethod
    def fit(cls, codes: Codes, order: int) -> MarkovChain:
        """Count words and turn them into probabilities.

        Each order is smoothed with the next lower one, which counts as one observation of each context.

        Parameters
        ----------
        codes : uint8 array, (N, L)
            Sequences; shorter ones padded with 4. Windows with an ambiguous base are skipped.
        order : int, 0 to 11

        Raises
        ------
        InputError
            If the order is out of range.

        Examples
        --------
        >>> chain = MarkovChain.fit(np.array([[0, 1, 0, 1, 0, 1, 0, 1]], dtype=np.uint8), 1)
        >>> chain.tables[1][0].round(2).tolist()                          # behind an A, in ACACACAC
        [0.09, 0.89, 0.01, 0.01]
        """
        if not 0 <= order <= HIGHEST_ORDER:
            raise InputError(f"the order of the Markov chain is {order}; 0 to {HIGHEST_ORDER} was expected. Choose one in that range.")
        tables: list[NDArray[np.float64]] = []
        lower = np.full((1, 4), 0.25)
        for k in range(order + 1):
            table = kmer_spectrum(codes, k + 1).reshape(-1, 4) + _BACK_OFF * (lower if k == 0 else np.tile(lower, (4, 1)))
            lower = table / table.sum(axis=1, keepdims=True)
            tables.append(lower)
        return cls(tuple(tables))

    def sample(self, n: int, length: int, *, rng: np.random.Generator) -> Codes:
        """Draw sequences.

        Parameters
        ----------
        n, length : int
            How many, and of how many bp.
        rng : Generator
            Source of chance.

        Returns
        -------
        uint8 array, (n, length)
        """
        out = np.empty((length, n), dtype=np.uint8)
        edges = [np.cumsum(table, axis=1)[:, :3] for table in self.tables]
        context = np.zeros(n, dtype=np.int64)
        for i in range(length):
            k = min(i, self.order)
            drawn = (rng.random(n)[:, None] > edges[k][context]).sum(axis=1)
            out[i] = drawn
            context = (context * 4 + drawn) % 4 ** min(i + 1, self.order)
        return np.ascontiguousarray(out.T)

    def bits_per_base(self, codes: Codes) -> float:
        """Return the mean information of a base in bits: how well the chain predicts sequences, 2 for one that knows nothing.

        Parameters
        ----------
        codes : uint8 array, (N, L)
            Sequences; shorter ones padded with 4. Ambiguous bases are not counted, and what is behind one is predicted from the bases after it.

        Returns
        -------
        float
            NaN where there is no base.

        Examples
        --------
        >>> chain = MarkovChain.fit(np.array([[0, 1, 2, 3]], dtype=np.uint8), 0)
        >>> chain.bits_per_base(np.array([[3, 3, 4, 0]], dtype=np.uint8))
        2.0
        """
        logs = [-np.log2(table) for table in self.tables]
        total, n = 0.0, 0
        context, known = np.zeros(len(codes), dtype=np.int64), np.zeros(len(codes), dtype=np.int64)
        for column in codes.T:
            clean = column < 4
            for k in range(self.order + 1):
                rows = clean & (known == k)
                total += float(logs[k][context[rows] % 4**k, column[rows]].sum())
            n += int(clean.sum())
            context = np.where(clean, (context * 4 + column) % 4**self.order, 0)
            known = np.where(clean, np.minimum(known + 1, self.order), 0)
        return total / n if n else float("nan")


def position_sample(codes: Codes, n: int, *, rng: np.random.Generator) -> Codes:
    """Draw sequences that have the base frequencies of each position and nothing else, (n, L).

    Parameters
    ----------
    codes : uint8 array, (N, L)
        What the frequencies are taken from; a position without any base counts as uniform.
    n : int
    rng : Generator

    Examples
    --------
    >>> position_sample(np.array([[0, 3], [0, 3]], dtype=np.uint8), 2, rng=np.random.default_rng(0)).tolist()
    [[0, 3], [0, 3]]
    """
    counts = np.stack([(codes == base).sum(axis=0) for base in range(4)]).astype(np.float64)
    counts[:, counts.sum(axis=0) == 0] = 1
    edges = np.cumsum(counts / counts.sum(axis=0), axis=0)[:3]
    out = np.zeros((n, codes.shape[1]), dtype=np.uint8)
    drawn = rng.random(out.shape)
    for edge in edges:
        out += drawn >= edge
    return out


def simple_generators(source: SequenceSet, n: int, *, seed: int = 0) -> dict[str, SequenceSet | None]:
    """Draw from each of the simple generators, fitted on `source`.

    Parameters
    ----------
    source : SequenceSet
        Real sequences.
    n : int
        How many to draw from each; shuffles are at most as many as there are sequences.
    seed : int, default 0

    Returns
    -------
    dict of str to SequenceSet or None
        markov0 .. markov5; positions (None where lengths differ); dinucleotide_shuffle. Lengths are drawn from those of `source`.
    """
    rng = np.random.default_rng(seed)
    made: dict[str, SequenceSet | None] = {}
    for order in ORDERS:
        lengths = np.full(n, source.length) if source.length else rng.choice(source.lengths, size=n)
        codes = MarkovChain.fit(source.codes, order).sample(n, int(lengths.max()), rng=rng)
        codes[np.arange(codes.shape[1]) >= lengths[:, None]] = 4
        made[f"markov{order}"] = SequenceSet(codes, lengths.astype(np.int64))
    made["positions"] = SequenceSet.of(position_sample(source.codes, n, rng=rng)) if source.length else None
    chosen = source.drawn(n, rng)
    made["dinucleotide_shuffle"] = SequenceSet(dinucleotide_shuffle(chosen.codes, seed=seed), chosen.lengths)
    return made
