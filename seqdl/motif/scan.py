"""Motifs in sequences: every hit below a p-value, or the best score of each sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.errors import InputError, ShapeError
from seqdl.motif.kernels import BLOCK, SIEVE, best_of_rows, find_hits, word_codes
from seqdl.motif.motif import Motif
from seqdl.types import Codes

COLUMNS = ("sequence", "start", "end", "motif", "score", "p", "strand")
_PIECE = 8_000_000  # bp scanned at once where sequences are short
_HITS_HELD = 4_000_000  # hits that there is room for at once, 24 bytes each


def scan(
    motifs: Sequence[Motif],
    sequences: Sequence[Codes] | Codes,
    *,
    names: Sequence[str] | None = None,
    pvalue: float = 1e-4,
    both_strands: bool = True,
    pseudocount: float = 1.0,
) -> pd.DataFrame:
    """Find the hits of motifs in sequences.

    A hit is a window whose log-odds score has a p-value of at most `pvalue`: the chance that a window of independent bases of
    the motif's background scores as much [1]_. The null distribution is exact but for rounding scores up by less than 1/16384 of
    their range a position, so p-values are never optimistic. Windows with an ambiguous base are no hits.

    Parameters
    ----------
    motifs : sequence of Motif
        What is looked for.
    sequences : sequence of uint8 (L,), or uint8 (N, L)
        Codes of the sequences, of any lengths.
    names : sequence of str, optional
        Names of the sequences; by default their numbers from 0, as text.
    pvalue : float, in (0, 1], default 1e-4
        Bound on the p-value of one window on one strand; it is not corrected for the number of windows.
    both_strands : bool, default True
        Whether to look for the reverse complement too.
    pseudocount : float, default 1.0
        See `Motif.pwm`.

    Returns
    -------
    DataFrame
        ``sequence`` name, ``start`` and ``end`` (0-based, half-open, on the strand as given), ``motif`` name, ``score`` in bits,
        ``p``, ``strand``; sorted by sequence, start, end, motif.

    Raises
    ------
    InputError
        If there is no motif, `pvalue` is not in (0, 1], or the names are not one a sequence.

    References
    ----------
    .. [1] Staden (1989), Computer Applications in the Biosciences 5:89; Grant, Bailey and Noble (2011), Bioinformatics 27:1017.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode
    >>> motif = Motif("m", [[9, 0, 0, 0, 9], [0, 9, 0, 0, 0], [0, 0, 9, 0, 0], [0, 0, 0, 9, 0]])
    >>> scan([motif], [encode("TTTACGTATTT"), encode("TTACGTT")], names=["a", "b"], pvalue=1e-3).drop(columns=["score", "p"])
      sequence  start  end motif strand
    0        a      2    7     m      -
    1        a      3    8     m      +
    2        b      1    6     m      -
    """
    _check_motifs(motifs)
    if not 0 < pvalue <= 1:
        raise InputError(f"pvalue is {pvalue}; expected a probability above 0 and at most 1. Try 1e-4.")
    named = [str(name) for name in names] if names is not None else [str(i) for i in range(len(sequences))]
    if len(named) != len(sequences):
        raise InputError(f"there are {len(named)} names for {len(sequences)} sequences; expected one each. Leave names out to number them.")
    query = _Query(motifs, pvalue=pvalue, both_strands=both_strands, pseudocount=pseudocount)
    found = [query.hits(piece, first) for first, piece in _pieces(sequences)]
    return _table(found, motifs, named)


def best_scores(motifs: Sequence[Motif], codes: Codes, *, both_strands: bool = True, pseudocount: float = 1.0) -> NDArray[np.float32]:
    """Return the best log-odds score of each motif in each sequence.

    Parameters
    ----------
    motifs : sequence of Motif
        The motifs.
    codes : uint8, (N, L)
        Sequences; windows with an ambiguous base are passed over.
    both_strands : bool, default True
        Whether to take the better of both strands.
    pseudocount : float, default 1.0
        See `Motif.pwm`.

    Returns
    -------
    float32, (N, n_motifs)
        Bits. A sequence without any clean window, or shorter than the motif, gets the lowest score the motif can give.

    Raises
    ------
    ShapeError
        If `codes` is not (N, L).
    InputError
        If there is no motif.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode
    >>> motif = Motif("m", [[9, 0], [0, 9], [0, 0], [0, 0]])
    >>> best_scores([motif], np.stack([encode("GGACGG"), encode("GGGTGG"), encode("GGGGGG")])).round(1)
    array([[ 3.8],
           [ 3.8],
           [-1.4]], dtype=float32)
    """
    _check_motifs(motifs)
    codes = np.asarray(codes, dtype=np.uint8)
    if codes.ndim != 2:
        raise ShapeError(f"the codes have the shape {codes.shape}; expected (sequences, length). Stack unequal lengths with sequence.encode.stack.")
    best = np.empty((len(codes), len(motifs)), np.float32)
    if codes.size == 0:
        best[:] = [motif.pwm(pseudocount).min(axis=0).sum() for motif in motifs]
        return best
    sizes = np.array([min(motif.width, BLOCK) for motif in motifs])
    flat = np.ascontiguousarray(codes).ravel()  # a word that reaches into the next row belongs to no window of this one
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        pwms, widths = _padded([motifs[int(i)].pwm(pseudocount) for i in chosen])
        best[:, chosen] = best_of_rows(word_codes(flat, int(size)).reshape(codes.shape), (pwms, widths), 2 if both_strands else 1)
    return best


@dataclass(frozen=True)
class _Hits:
    """Hits of one piece: sequence numbers, starts, motif numbers, strands (0 or 1), scores and p-values, each (n,)."""

    sequence: NDArray[np.int64]
    start: NDArray[np.int64]
    motif: NDArray[np.int64]
    strand: NDArray[np.int64]
    score: NDArray[np.float64]
    p: NDArray[np.float64]


class _Query:
    """Motifs made ready to be looked for."""

    def __init__(self, motifs: Sequence[Motif], *, pvalue: float, both_strands: bool, pseudocount: float) -> None:
        self.pvalue, self.n_strands = float(pvalue), 2 if both_strands else 1
        self.pwms, self.widths = _padded([motif.pwm(pseudocount) for motif in motifs])
        self.backgrounds = np.array([motif.background for motif in motifs])

    def hits(self, piece: Sequence[Codes], first: int) -> _Hits:
        """Scan sequences that are numbered from `first`; they are joined with an ambiguous base in between."""
        ends = np.cumsum([len(codes) + 1 for codes in piece])
        joined = np.full(ends[-1], 4, np.uint8)
        for codes, end in zip(piece, ends, strict=True):
            joined[end - len(codes) - 1 : end - 1] = codes
        sequence = joined, word_codes(joined, SIEVE)
        room = min(int(64 + 3 * self.pvalue * len(joined)), len(joined))
        n_motifs = max(1, _HITS_HELD // (2 * room))
        parts = [self._some_hits(sequence, slice(start, start + n_motifs), room) for start in range(0, len(self.widths), n_motifs)]
        at, motif, strand, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        number = np.searchsorted(ends, at, side="right")
        begins = np.concatenate([[0], ends[:-1]])
        return _Hits(number + first, at - begins[number], motif, strand, value[:, 0], value[:, 1])

    def _some_hits(self, sequence: tuple[Codes, NDArray[np.uint16]], some: slice, room: int) -> tuple[NDArray[Any], ...]:
        """Return position, motif number, strand, and (score, p) of the hits of some motifs."""
        motifs = self.pwms[some], self.widths[some], self.backgrounds[some]
        count, where, values = find_hits(sequence, motifs, (self.pvalue, self.n_strands, room))
        if count.max() > room:
            room = int(count.max())
            count, where, values = find_hits(sequence, motifs, (self.pvalue, self.n_strands, room))
        taken = np.arange(room) < count[:, :, None]
        motif, strand, _ = np.nonzero(taken)
        return where[taken], motif + some.start, strand, values[taken]


def _pieces(sequences: Sequence[Codes] | Codes) -> Iterator[tuple[int, list[Codes]]]:
    """Yield runs of sequences of about `_PIECE` bases, and the number of the first of each."""
    piece: list[Codes] = []
    first = held = 0
    for i, codes in enumerate(sequences):
        if piece and held + len(codes) > _PIECE:
            yield first, piece
            piece, first, held = [], i, 0
        piece.append(codes)
        held += len(codes)
    if piece:
        yield first, piece


def _table(found: list[_Hits], motifs: Sequence[Motif], names: list[str]) -> pd.DataFrame:
    """Turn hits into the sorted table."""
    if not found:
        types = {"start": "int64", "end": "int64", "score": "float64", "p": "float64"}
        return pd.DataFrame({name: pd.Series(dtype=types.get(name, "str")) for name in COLUMNS})
    sequence, start, motif, strand, score, p = (np.concatenate([getattr(hits, name) for hits in found]) for name in _Hits.__dataclass_fields__)
    end = start + np.array([one.width for one in motifs])[motif]
    order = np.lexsort((strand, motif, end, start, sequence))
    return pd.DataFrame(
        {
            "sequence": np.array(names, dtype=object)[sequence[order]],
            "start": start[order],
            "end": end[order],
            "motif": np.array([one.name for one in motifs], dtype=object)[motif[order]],
            "score": score[order],
            "p": p[order],
            "strand": np.array(["+", "-"], dtype=object)[strand[order]],
        }
    ).astype({"sequence": "str", "motif": "str", "strand": "str"})


def _padded(pwms: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Stack matrices of unequal width: (n, 4, widest), and their widths."""
    widths = np.array([pwm.shape[1] for pwm in pwms], dtype=np.int64)
    stacked = np.zeros((len(pwms), 4, widths.max()))
    for row, pwm in zip(stacked, pwms, strict=True):
        row[:, : pwm.shape[1]] = pwm
    return stacked, widths


def _check_motifs(motifs: Sequence[Motif]) -> None:
    if not len(motifs):
        raise InputError("there are 0 motifs to scan with; expected at least one. Read some with read_motifs or load_database.")
