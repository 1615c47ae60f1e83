"""Filters that look for the same: families over one network, and how often a motif comes back over several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqdl.motif.compare import match_motifs
from seqdl.motif.motif import Motif

ALIKE_P = 1e-4
"""Tomtom p-value below which two filters are taken to look for the same."""


def families_of(motifs: Sequence[Motif], *, largest_p: float = ALIKE_P) -> list[list[int]]:
    """Part motifs into families of those that look alike, reverse complements included.

    Parameters
    ----------
    motifs : sequence of Motif
        The most important first: each in turn takes in what looks like it and is still free, so that the first of a family
        stands for it.
    largest_p : float, default 1e-4
        Tomtom p-value that two of a family have at most.

    Returns
    -------
    list of list of int
        Places of the members in `motifs`, the first of each family first; the families in the order of their firsts.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> one, two = (Motif(name, rng.dirichlet([0.1] * 4, 10).T) for name in "ab")
    >>> families_of([one, two, replace(one.reverse_complement(), name="c")])
    [[0, 2], [1]]
    """
    alike = _alike(motifs, largest_p=largest_p)
    free = np.ones(len(motifs), dtype=bool)
    families = []
    for first in range(len(motifs)):
        if free[first]:
            free[first] = False
            others = np.flatnonzero(alike[first] & free)
            free[others] = False
            families.append([first, *others.tolist()])
    return families


def merged(motifs: Sequence[Motif]) -> Motif:
    """Add the counts of motifs up, each laid over the first as Tomtom lays it.

    Parameters
    ----------
    motifs : sequence of Motif
        A family; the first gives the name and the strand.

    Returns
    -------
    Motif
        From the leftmost to the rightmost column of any; trimmed.

    Examples
    --------
    >>> whole = Motif("a", np.eye(4)[[0, 1, 2, 0, 3, 3, 1, 0]].T * 8)
    >>> part = Motif("b", whole.reverse_complement().pfm[:, :6])              # without its first two bases
    >>> merged([whole, part]).consensus, merged([whole, part]).n_sites
    ('ACGATTCA', 16.0)
    """
    first, width = motifs[0], motifs[0].width
    if len(motifs) == 1:
        return first.trim()
    table = match_motifs([replace(motif, name=str(k)) for k, motif in enumerate(motifs)], [first], top=1)
    placed = [(0, first.ppm * first.n_sites)]
    for motif, offset, strand in zip(motifs[1:], table["offset"].tolist()[1:], table["strand"].tolist()[1:], strict=True):
        turned = motif if strand == "+" else motif.reverse_complement()
        start = offset if strand == "+" else width - offset - motif.width
        placed.append((start, turned.ppm * motif.n_sites))
    left = min(start for start, _ in placed)
    right = max(start + counts.shape[1] for start, counts in placed)
    total = float(sum(motif.n_sites for motif in motifs))
    sums = np.zeros((4, right - left))
    for start, counts in placed:
        sums[:, start - left : start - left + counts.shape[1]] += counts
    sums += np.maximum(total - sums.sum(0), 0) / 4  # where a member has no column, it has not seen any base more than another
    return replace(first, pfm=sums, n_sites=total).trim()


def recurrence(motifs: Sequence[Sequence[Motif]], *, largest_p: float = ALIKE_P) -> list[NDArray[np.float64]]:
    """Return the share of networks in which each motif comes back.

    Parameters
    ----------
    motifs : sequence of K sequences of Motif
        The motifs of networks that differ in nothing but their seed, or their fold.
    largest_p : float, default 1e-4
        Tomtom p-value, against all motifs of all networks, at which a motif counts as found again.

    Returns
    -------
    list of K arrays
        For each motif the share of the K networks that have one like it, its own included: 1 / K is none but its own.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, c = (Motif(name, rng.dirichlet([0.1] * 4, 10).T) for name in "abc")
    >>> [shares.tolist() for shares in recurrence([[a, b], [c, a]])]
    [[1.0, 0.5], [0.5, 1.0]]
    """
    network = np.repeat(np.arange(len(motifs)), [len(some) for some in motifs])
    alike = _alike([motif for some in motifs for motif in some], largest_p=largest_p)
    found = np.array([alike[:, network == k].any(1) for k in range(len(motifs))]).reshape(len(motifs), len(network))
    share = found.mean(0) if len(motifs) else np.zeros(0)
    return [share[network == k] for k in range(len(motifs))]


def _alike(motifs: Sequence[Motif], *, largest_p: float) -> NDArray[np.bool_]:
    """Return which motifs look alike, (n, n); each looks like itself."""
    n = len(motifs)
    alike = np.eye(n, dtype=bool)
    if n > 1:
        numbered = [Motif(str(k), motif.pfm, n_sites=motif.n_sites) for k, motif in enumerate(motifs)]
        matches = match_motifs(numbered, numbered, top=None)
        near = matches[matches["p"] < largest_p]
        alike[near["query"].astype(int), near["target"].astype(int)] = True
    return alike
