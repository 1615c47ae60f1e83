"""Families of sequences that are near copies of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from seqdl.sequence.composition import kmer_windows
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes

_ROW = 4096
_ALL_PAIRS = 40  # k-mers shared by more sequences link each to the first and to the next only; 12 left families of variants apart


def sequence_families(sequences: Sequence[Codes], *, k: int = 24, containment: float = 0.5) -> NDArray[np.int64]:
    """Give the sequences of one family of near copies, of either strand, one number.

    Two sequences belong together if one holds at least `containment` of the other's k-mers, or if they are equal, as
    they stand or reverse-complemented; a family is everything linked that way. k-mers that more than half of all
    sequences hold, such as the constant flanks of a library, are set aside, unless most of every sequence is made of them.

    Parameters
    ----------
    sequences : sequence of N uint8 arrays, each (L_i,)
        Codes.
    k : int, default 24
        Length of the k-mers, bp.
    containment : float, in (0, 1], default 0.5
        Share of the k-mers of one that the other must hold. The default is stricter than the definition of a leak (0.8).

    Returns
    -------
    int64 array, (N,)
        Family of each, from 0, in the order of first appearance.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode
    >>> sequence_families([encode("ACCCCGT"), encode("ACGGGGT"), encode("TTTTTT")]).tolist()
    [0, 0, 1]
    """
    return families_of(sequences, SharedKmers(sequences, k), containment)


def families_of(sequences: Sequence[Codes], shared: SharedKmers, containment: float) -> NDArray[np.int64]:
    """Do the work of `sequence_families` on k-mers that are counted already."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(sequences)
    one, other = np.concatenate([_equal_pairs(sequences), shared.near_pairs(containment)], axis=1)
    graph = coo_matrix((np.ones(len(one), dtype=np.int8), (one, other)), shape=(n, n))
    _, family = connected_components(graph, directed=False)
    _, first, number = np.unique(family, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[number]


class SharedKmers:
    """The k-mers, of either strand, that at least two of many sequences hold.

    Parameters
    ----------
    sequences : sequence of N uint8 arrays
        Codes.
    k : int, default 24
        Length of the k-mers, bp.
    """

    def __init__(self, sequences: Sequence[Codes], k: int = 24) -> None:
        self.n = len(sequences)
        hashes, owner = _kmers(sequences, k)
        order = np.argsort(hashes)
        ordered = hashes[order]
        same = np.concatenate([[False], ordered[1:] == ordered[:-1], [False]])
        again = (same[1:] | same[:-1])[: len(hashes)]  # most k-mers are met once: they only count for the total
        total = np.bincount(owner[order[~again]], minlength=self.n)
        hashes, owner = ordered[again], owner[order[again]]
        order = np.lexsort((owner, hashes))
        hashes, owner = hashes[order], owner[order]
        fresh = np.ones(len(hashes), dtype=bool)  # a k-mer counts once a sequence
        fresh[1:] = (hashes[1:] != hashes[:-1]) | (owner[1:] != owner[:-1])
        hashes, self.owner = hashes[fresh], owner[fresh]
        self.total = total + np.bincount(self.owner, minlength=self.n)  # (N,) different k-mers of each sequence
        new = np.concatenate([[True], hashes[1:] != hashes[:-1]])[: len(hashes)]
        self.begin = np.flatnonzero(new)
        self.sizes = np.diff(np.append(self.begin, len(hashes)))

    def near_pairs(self, containment: float) -> NDArray[np.int64]:
        """Return the pairs of sequences of which one holds enough of the other's k-mers, (2, n_pairs)."""
        begin, sizes, total = self.begin, self.sizes, self.total
        flank = sizes > max(self.n / 2, 10)
        if flank.any():
            constant = np.bincount(self.owner[np.repeat(flank, sizes)], minlength=self.n)
            if np.median(constant / np.maximum(total, 1)) < 0.8:
                begin, sizes, total = begin[~flank], sizes[~flank], total - constant
        pair, shared = np.unique(_count_pairs(self.owner, begin, sizes, n=self.n), return_counts=True)
        one, other = pair // self.n, pair % self.n
        near = shared >= containment * np.minimum(total[one], total[other])
        return np.stack([one[near], other[near]])

    def in_training(self, training: NDArray[np.bool_], *, containment: float = 0.8) -> NDArray[np.bool_]:
        """Tell which sequences have at least `containment` of their k-mers in the training set as a whole.

        Parameters
        ----------
        training : bool array, (N,)
            Which sequences train.
        containment : float, default 0.8
            Share of its different k-mers that makes a sequence a near copy.

        Returns
        -------
        bool array, (N,)
            False for sequences that train and for those without a k-mer.
        """
        if not len(self.begin):
            return np.zeros(self.n, dtype=bool)
        known = np.repeat(np.logical_or.reduceat(training[self.owner], self.begin), self.sizes)
        shared = np.bincount(self.owner[known], minlength=self.n)
        return np.asarray(~training & (self.total > 0) & (shared >= containment * self.total))


def _equal_pairs(sequences: Sequence[Codes]) -> NDArray[np.int64]:
    """Link every sequence to the first that is equal to it or to its reverse complement, (2, n)."""
    first: dict[bytes, int] = {}
    pairs = []
    for i, codes in enumerate(sequences):
        key = min(codes.tobytes(), reverse_complement(codes).tobytes())
        if first.setdefault(key, i) != i:
            pairs.append((first[key], i))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T


def _kmers(sequences: Sequence[Codes], k: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hashes of the k-mers of all sequences, either strand, and whose they are."""
    lengths = np.array([len(codes) for codes in sequences], dtype=np.int64)
    gap = np.full(1, 4, dtype=np.uint8)  # no window reaches from one sequence into the next
    joined = np.concatenate([gap[:0], *(part for codes in sequences for part in (codes, gap))])
    # cut into rows that overlap by k - 1: the hashing works on blocks of rows that fit the processor's cache
    rows = max(1, -(-len(joined) // _ROW))
    padded = np.full(rows * _ROW + k - 1, 4, dtype=np.uint8)
    padded[: len(joined)] = joined
    hashes, valid = kmer_windows(sliding_window_view(padded, _ROW + k - 1)[::_ROW], k)
    good = valid.ravel()[: len(joined)]
    owner = np.repeat(np.arange(len(sequences), dtype=np.int64), lengths + 1)
    return hashes.ravel()[: len(joined)][good], owner[good]


def _count_pairs(owner: NDArray[np.int64], begin: NDArray[np.int64], sizes: NDArray[np.int64], *, n: int) -> NDArray[np.int64]:
    """Return one number, first * n + second, for every k-mer that a pair shares."""
    found = [np.empty(0, dtype=np.int64)]
    for size in range(2, _ALL_PAIRS + 1):
        groups = owner[begin[sizes == size][:, None] + np.arange(size)]  # (groups, size), ascending in each row
        found += [(groups[:, i : i + 1] * n + groups[:, i + 1 :]).ravel() for i in range(size - 1)]
    large = np.flatnonzero(sizes > _ALL_PAIRS)
    if len(large):
        count = sizes[large]
        first = np.repeat(begin[large], count - 1)
        step = np.arange(len(first)) - np.repeat(np.cumsum(count - 1) - (count - 1), count - 1)
        second = first + step + 1
        found += [owner[first] * n + owner[second], (owner[second - 1] * n + owner[second])[step > 0]]
    return np.concatenate(found)
