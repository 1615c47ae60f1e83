"""What a simulated genome is made of, before anything is planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from seqdl.data.markov import CHAINS, fit_markov, markov_bases, walk
from seqdl.errors import InputError, UnknownNameError
from seqdl.types import Codes

Kind: TypeAlias = Literal["chain", "uniform", "markov", "dinuc"]
PIECE = 1_000
"""Longest stretch of real sequence that is shuffled by itself, bp: composition changes along a genome."""


@dataclass(frozen=True, eq=False)
class Background:
    """How the bases of a simulated genome are drawn.

    Parameters
    ----------
    kind : {"chain", "uniform", "markov", "dinuc"}, default "chain"
        ``"chain"``: a Markov chain of order 2 that is itself drawn, with the GC content of the layout. ``"uniform"``: every base as often.
        ``"markov"``: a chain fitted to `source`. ``"dinuc"``: stretches of `source` of up to 1,000 bp, each shuffled so that it keeps its
        dinucleotides.
    source : sequence of uint8 arrays, each (L,), optional
        Real sequences, of the last two kinds.
    order : int, default 3
        Bases that the next one depends on, of a fitted chain.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    InputError
        If sequences are given where none are read, or none where some are.

    Examples
    --------
    >>> real = [np.array([0, 1, 1, 2, 3] * 20, dtype=np.uint8)]
    >>> background = Background("dinuc", real)
    >>> background.gc(0.42)
    0.6
    """

    kind: Kind = "chain"
    source: Sequence[Codes] = ()
    order: int = 3

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UnknownNameError("background", self.kind, get_args(Kind))
        if self.is_real and not any(len(codes) for codes in self.source):
            raise InputError(f"a background of the kind {self.kind} was asked for without sequences; expected some. Give --background-fasta FILE.")
        if not self.is_real and len(self.source):
            raise InputError(f"sequences were given for a background of the kind {self.kind}, which reads none. Choose --background markov or dinuc.")

    @property
    def is_real(self) -> bool:
        """Whether it is made after real sequences."""
        return self.kind in ("markov", "dinuc")

    def gc(self, of_layout: float) -> float:
        """Return the GC content it has: the layout's, a half, or that of the real sequences."""
        if not self.is_real:
            return 0.5 if self.kind == "uniform" else of_layout
        counts = sum((np.bincount(codes, minlength=5)[:4] for codes in self.source), start=np.zeros(4, dtype=np.int64))
        if not counts.sum():
            raise InputError("the sequences of the background hold no base but N; expected DNA. Look into the file.")
        return float(counts[1:3].sum() / counts.sum())

    def draw(self, length: int, *, gc: float, rng: np.random.Generator) -> Codes:
        """Return `length` bases; `gc` is the GC content of the layout."""
        if self.kind == "chain":
            return markov_bases(length, gc=gc, rng=rng)
        if self.kind == "uniform":
            return rng.integers(0, 4, size=length, dtype=np.uint8)
        if self.kind == "markov":
            weights, counts = fit_markov(self.source, self.order)
            return walk(weights, length, rng=rng, start=rng.choice(len(counts), size=CHAINS, p=counts / counts.sum()))
        return self._shuffled(length, rng)

    def _shuffled(self, length: int, rng: np.random.Generator) -> Codes:
        """Lay shuffled stretches of the source end to end; those with an ambiguous base are passed over."""
        from seqdl.sequence.shuffle import dinucleotide_shuffle

        sizes = np.array([len(codes) for codes in self.source])
        out, at, missed = np.empty(length, dtype=np.uint8), 0, 0
        while at < length:
            codes = self.source[int(rng.choice(len(sizes), p=sizes / sizes.sum()))]
            start = int(rng.integers(max(1, len(codes) - PIECE + 1)))
            piece = codes[start : start + PIECE]
            if (piece > 3).any():
                missed += 1
                if missed > 1_000 and not at:
                    raise InputError(f"no stretch of {PIECE:,} bp of the sequences is without N; expected some. Give longer or cleaner sequences.")
                continue
            n = min(len(piece), length - at)
            out[at : at + n] = dinucleotide_shuffle(piece, seed=int(rng.integers(1 << 62)))[:n]
            at += n
        return out
