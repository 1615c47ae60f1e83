"""Leaks: validation and test examples that are already in the training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.audit.ragged import Ragged, check_split
from seqdl.audit.sieve import Sieve, among, distinct
from seqdl.errors import InputError, ShapeError, listing
from seqdl.types import Codes

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("exact", "reverse_complement", "near_copy", "overlap")
"""The ways in which an example can leak."""
K = 24
CONTAINMENT = 0.8
OVERLAP = 0.5
RELATED = 0.5
"""Share of its 24-mers from which a sequence that does not leak is related to the training set; a homology split keeps such pairs together."""
CONSTANT = 0.9
MOST_LOOKED_UP = 1 << 25
"""24-mers of held-out sequences (33.6 million) up to which all are looked up; of more, one in so many that as many are left."""
_ENOUGH = 2000  # held-out sequences that tell which 24-mers nearly all of them hold
_MOST_CANDIDATES = 1 << 24


@dataclass(frozen=True, eq=False)
class LeakTable:
    """Which validation and test examples are in the training set, and how.

    Attributes
    ----------
    kinds : dict of str to bool (N,)
        For each of `KINDS`, whether the example leaks in this way:
        exact, the same sequence is in training;
        reverse_complement, not exact, but its reverse complement is;
        near_copy, neither, but at least 80 % of its 24-mers (either strand) are;
        overlap, at least half of its interval is.
    leaky : bool, (N,)
        Whether the example leaks in any way; never a training example.
    related : bool, (N,)
        Whether the example does not leak, but shares at least half of its 24-mers with the training set, as variants of one
        sequence do: a single substitution changes 24 of them. Constant flanks, which nearly all held-out sequences hold, do not count.
    split : str, (N,)
        train, val or test.
    every : int
        Of so many 24-mers one was looked up: 1, but for sets with more than 33.6 million in held-out sequences.
    """

    kinds: dict[str, NDArray[np.bool_]]
    leaky: NDArray[np.bool_]
    related: NDArray[np.bool_]
    split: NDArray[np.str_]
    every: int = 1

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return counts and rates for val and test, ready for JSON.

        Examples
        --------
        >>> codes = np.array([[0, 1, 1, 2], [0, 1, 1, 2], [3, 3, 3, 3]], dtype=np.uint8)
        >>> found = find_leaks(codes, np.array(["train", "test", "test"])).as_dict()["test"]
        >>> found["n"], found["n_exact"], found["n_leaky"], found["leaky_rate"]
        (2, 1, 1, 0.5)
        """
        table: dict[str, dict[str, Any]] = {}
        for name in ("val", "test"):
            here = self.split == name
            n = int(here.sum())
            row: dict[str, Any] = {"n": n}
            for kind, mask in [*self.kinds.items(), ("leaky", self.leaky), ("related", self.related)]:
                found = int((mask & here).sum())
                row[f"n_{kind}"] = found
                row[f"{kind}_rate"] = found / n if n else None
            table[name] = row
        return table


def find_leaks(
    codes: Codes | Sequence[Codes] | Ragged, split: object, *, lengths: ArrayLike | None = None, intervals: pd.DataFrame | None = None
) -> LeakTable:
    """Find the validation and test examples that are in the training set.

    Parameters
    ----------
    codes : uint8, (N, L), or a list of N arrays (L,)
        Sequences.
    split : array_like of str, (N,)
        train, val or test for each.
    lengths : int array, (N,), optional
        True lengths of the rows of an array; without them ambiguous bases at the ends of a row are taken for padding.
    intervals : DataFrame, optional
        Columns chrom, start, end, one row per sequence in the same order; rows with an empty chrom are skipped.

    Returns
    -------
    LeakTable

    Raises
    ------
    ShapeError
        If the lengths of `codes`, `split` and `intervals` differ.
    InputError
        If `split` holds other names, or `intervals` lacks a column.

    Notes
    -----
    A 24-mer is counted wherever in the training set it lies, so an example pieced together from several training sequences is a
    near-copy too. Windows with an ambiguous base are skipped; sequences shorter than 24 bp have no near-copies. Memory is bounded: copies
    go by fingerprints of 64 bits, and of very many 24-mers a fixed share is looked up (`LeakTable.every`; the same ones in every sequence, so that
    a share of .8 of n 24-mers is measured to within a standard error of .4 / sqrt(n)).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 4, (3, 100)).astype(np.uint8)
    >>> codes[2, 5:] = codes[0, 5:]                                     # all but the first bases
    >>> find_leaks(codes, ["train", "test", "test"]).leaky.tolist()
    [False, False, True]
    """
    sequences = Ragged.of(codes, lengths)
    names = check_split(split, len(sequences))
    training, held_out = names == "train", names != "train"
    exact, reverse = _copies(sequences, training)
    every = _thinning(sequences, held_out)
    share, variable_share = _shares(sequences, training, held_out, every=every)
    near = held_out & ~exact & ~reverse & (share >= CONTAINMENT)
    overlap = _overlaps(intervals, training, held_out) if intervals is not None else np.zeros(len(sequences), dtype=bool)
    kinds = dict(zip(KINDS, (exact, reverse, near, overlap), strict=True))
    leaky = exact | reverse | near | overlap
    return LeakTable(kinds, leaky, held_out & ~leaky & (variable_share >= RELATED), names, every)


def _copies(sequences: Ragged, training: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark held-out sequences that are in training as they are, and those of which only the reverse complement is."""
    forward, backward = sequences.prints.T
    known = distinct([forward[training]])
    asked = ~training & (forward != 0)  # a sequence of nothing but N says nothing
    exact = asked & among(forward, known)
    return exact, asked & ~exact & among(backward, known)


def containment(sequences: Ragged, training: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of each held-out sequence's 24-mers that occur in training, on either strand.

    Parameters
    ----------
    sequences : Ragged
        N sequences.
    training, held_out : bool, (N,)
        The sequences to search, and those to look up.

    Returns
    -------
    float64, (N,)
        0 to 1; 0 for sequences that are not looked up or have no 24-mer.
    """
    return _shares(sequences, training, held_out, every=_thinning(sequences, held_out))[0]


def _thinning(sequences: Ragged, held_out: NDArray[np.bool_]) -> int:
    """Return of how many 24-mers one is looked up."""
    return max(1, -(-_n_windows(sequences, held_out) // MOST_LOOKED_UP))


def _n_windows(sequences: Ragged, held_out: NDArray[np.bool_]) -> int:
    return int(np.maximum(sequences.length[held_out] - K + 1, 0).sum())


def _shares(
    sequences: Ragged, training: NDArray[np.bool_], held_out: NDArray[np.bool_], *, every: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the `containment`, and the same without the constant 24-mers of a library."""
    n = len(sequences)
    known = _known(sequences, training, held_out, every=every)
    constant = _constant(sequences, held_out, every=every)
    sieve = Sieve([known], known.size)
    n_all, n_found, n_variable, n_variable_found = (np.zeros(n, dtype=np.int64) for _ in range(4))
    for hashes, owner in sequences.kmers(held_out, K, every=every):
        if not owner.size:
            continue
        first = int(owner[0])
        found = sieve.may_hold(hashes)
        found[found] = among(hashes[found], known)
        rows, variable = owner - first, ~among(hashes, constant)
        here = slice(first, int(owner[-1]) + 1)
        size = here.stop - first
        for tally, counted in ((n_all, None), (n_found, found), (n_variable, variable), (n_variable_found, found & variable)):
            tally[here] += np.bincount(rows if counted is None else rows[counted], minlength=size)
    return n_found / np.maximum(n_all, 1), n_variable_found / np.maximum(n_variable, 1)


def _known(sequences: Ragged, training: NDArray[np.bool_], held_out: NDArray[np.bool_], *, every: int) -> NDArray[np.uint64]:
    """Return the 24-mers of the training set that held-out sequences may hold, in order; nearly all others pass by without being sorted."""
    asked = Sieve((hashes for hashes, _ in sequences.kmers(held_out, K, every=every)), _n_windows(sequences, held_out) // every)
    known, waiting, n_waiting = np.empty(0, dtype=np.uint64), list[NDArray[np.uint64]](), 0
    for hashes, _ in sequences.kmers(training, K, every=every):
        waiting.append(hashes[asked.may_hold(hashes)])
        n_waiting += waiting[-1].size
        if n_waiting > _MOST_CANDIDATES:
            known, waiting, n_waiting = distinct([known, *waiting]), [], 0
    return distinct([known, *waiting])


def _constant(sequences: Ragged, held_out: NDArray[np.bool_], *, every: int) -> NDArray[np.uint64]:
    """Return the k-mers that nearly all held-out sequences hold, in order, as the flanks of a library, unless most of every sequence is made of such.

    Among the variants of one sequence, another part is changed in each, so few k-mers are in nearly all. Of very many sequences
    some, evenly spread, stand for all.
    """
    rows = np.flatnonzero(held_out)
    looked_at = np.zeros(len(sequences), dtype=bool)
    looked_at[rows[:: max(1, len(rows) // _ENOUGH)]] = True
    parts = list(sequences.kmers(looked_at, K, every=every))
    hashes = np.concatenate([np.empty(0, dtype=np.uint64), *(part for part, _ in parts)])
    owner = np.concatenate([np.empty(0, dtype=np.int64), *(part for _, part in parts)])
    holders, owner = np.unique(owner, return_inverse=True)
    kinds, kmer, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    least = max(CONSTANT * holders.size, 10)
    often = counts[kmer] > least
    if not often.any():
        return kinds[:0]
    pairs = np.unique(kmer[often].astype(np.int64) * holders.size + owner[often])  # a k-mer counts once a sequence
    constant = np.bincount(pairs // holders.size, minlength=counts.size) > least
    share = np.bincount(owner, weights=constant[kmer], minlength=holders.size) / np.bincount(owner, minlength=holders.size)
    return kinds[constant] if np.median(share) < CONTAINMENT else kinds[:0]


def _overlaps(intervals: pd.DataFrame, training: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    missing = [column for column in ("chrom", "start", "end") if column not in intervals]
    if missing:
        raise InputError(f"the intervals have no column {listing(missing)}; chrom, start and end are needed. They have {listing(intervals.columns)}.")
    if len(intervals) != training.size:
        raise ShapeError(f"there are {len(intervals)} intervals for {training.size} sequences; one per sequence, in the same order, is needed.")
    placed = (intervals["chrom"].notna() & (intervals["chrom"].astype(str) != "")).to_numpy()
    result = np.zeros(training.size, dtype=bool)
    asked = np.flatnonzero(held_out & placed)
    if asked.size and (training & placed).any():
        result[asked] = covered_share(intervals.iloc[asked], intervals[training & placed]) >= OVERLAP
    return result


def covered_share(intervals: pd.DataFrame, cover: pd.DataFrame) -> NDArray[np.float64]:
    """Return the share of each interval that a set of intervals covers together.

    Parameters
    ----------
    intervals : DataFrame
        Columns chrom, start, end (0-based, half-open); I rows.
    cover : DataFrame
        The same columns, at least one row; may overlap each other. Strands play no part.

    Returns
    -------
    float64, (I,)
        0 to 1; 0 for an empty interval.

    Examples
    --------
    >>> import pandas as pd
    >>> asked = pd.DataFrame({"chrom": ["I", "II"], "start": [0, 0], "end": [10, 10]})
    >>> covered_share(asked, pd.DataFrame({"chrom": ["I", "I"], "start": [2, 4], "end": [6, 8]})).tolist()
    [0.6, 0.0]
    """
    import pandas as pd

    # Chromosomes are laid end to end, so that one sorted search serves them all.
    number, _ = pd.factorize(pd.concat([cover["chrom"], intervals["chrom"]], ignore_index=True).astype(str))
    stride = int(max(cover["end"].max(), intervals["end"].max())) + 1
    shift = number.astype(np.int64) * stride
    left = cover["start"].to_numpy(np.int64) + shift[: len(cover)]
    right = cover["end"].to_numpy(np.int64) + shift[: len(cover)]
    order = np.argsort(left, kind="stable")
    left, right = left[order], np.maximum.accumulate(right[order])
    opens = np.append(True, left[1:] > right[:-1])  # a gap before it: a new merged stretch begins
    left, right = left[opens], right[np.append(np.flatnonzero(opens)[1:] - 1, opens.size - 1)]
    before = np.cumsum(right - left) - (right - left)

    def covered_below(x: NDArray[np.int64]) -> NDArray[np.int64]:
        i = np.maximum(np.searchsorted(left, x, side="right") - 1, 0)
        return np.asarray(before[i] + np.clip(x - left[i], 0, right[i] - left[i]), dtype=np.int64)

    start = intervals["start"].to_numpy(np.int64) + shift[len(cover) :]
    end = intervals["end"].to_numpy(np.int64) + shift[len(cover) :]
    return np.asarray((covered_below(end) - covered_below(start)) / np.maximum(end - start, 1), dtype=np.float64)


def find_repeats(codes: Codes | Sequence[Codes] | Ragged) -> NDArray[np.bool_]:
    """Mark the sequences that stand earlier already, as they are or as their reverse complement, in whichever split.

    Parameters
    ----------
    codes : uint8, (N, L), or a list of N arrays (L,)
        Sequences. Ambiguous ends do not count; a sequence of nothing else repeats none.

    Returns
    -------
    bool, (N,)

    Examples
    --------
    >>> find_repeats(np.array([[0, 1, 1], [0, 1, 2], [2, 2, 3], [0, 1, 1]], dtype=np.uint8)).tolist()
    [False, False, True, True]
    """
    either = Ragged.of(codes).prints.min(axis=1)  # of both strands the smaller: one for both
    repeated = np.ones(len(either), dtype=bool)
    repeated[np.unique(either, return_index=True)[1]] = False
    return np.asarray(repeated & (either != 0))


def count_contradictions(codes: Codes | Sequence[Codes] | Ragged, target: NDArray[np.bool_]) -> int:
    """Count the examples whose sequence (on either strand) is also there with the other label.

    Parameters
    ----------
    codes : uint8, (N, L), or a list of N arrays (L,)
        Sequences.
    target : bool, (N,)
        The truth.

    Examples
    --------
    >>> count_contradictions(np.array([[0, 1], [2, 3], [1, 1]], dtype=np.uint8), np.array([True, False, False]))
    2
    """
    either = Ragged.of(codes).prints.min(axis=1)
    _, number, n_all = np.unique(either, return_inverse=True, return_counts=True)
    n_true = np.bincount(number, weights=target, minlength=n_all.size)
    both = (n_true > 0) & (n_true < n_all)
    return int((both[number] & (either != 0)).sum())
