"""What stands outside simulated peaks, and the tables of what was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.planting import Pairing, Planter, Site
from seqdl.data.split import split_by_chromosome
from seqdl.errors import DataError, InputError
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import decode
from seqdl.types import Codes

if TYPE_CHECKING:
    from seqdl.data.simulate import Layout

TRUTH_COLUMNS = ("chrom", "start", "end", "strand", "motif", "peak", "kind")
MAKE_PEAKS = ("site", "pair")
"""Kinds of sites that make a peak a peak."""


@dataclass(frozen=True)
class Counts:
    """How a count follows from the sites of a peak: Poisson, and every site multiplies what is expected.

    Parameters
    ----------
    base : float, default 10
        Expected in a peak without a site.
    fold : float, default 2
        By what each site multiplies it; the sites of a pair count as one.

    Raises
    ------
    InputError
        If one of them is not above 0.

    Examples
    --------
    >>> Counts().expected(np.array([0, 1, 3])).tolist()
    [10.0, 20.0, 80.0]
    """

    base: float = 10.0
    fold: float = 2.0

    def __post_init__(self) -> None:
        if self.base <= 0 or self.fold <= 0:
            raise InputError(f"counts were asked for with a base of {self.base:g} and a fold of {self.fold:g}; expected both above 0. Try 10 and 2.")

    def expected(self, n_sites: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the expected count for numbers of sites."""
        return np.asarray(self.base * self.fold**n_sites, dtype=np.float64)


def peak_table(starts: NDArray[np.int64], length: int, width: int) -> pd.DataFrame:
    """Return the intervals of peaks that begin at `starts` in chromosomes of `length` laid end to end."""
    begin = starts % length
    chrom = [f"chr{i + 1}" for i in (starts // length).tolist()]
    names = [f"peak{i + 1}" for i in range(len(starts))]
    return pd.DataFrame({"chrom": chrom, "start": begin, "end": begin + width, "name": names, "score": 0, "strand": "."})


def plant_outside(
    planter: Planter,
    starts: NDArray[np.int64],
    plan: Layout,
    *,
    pair: tuple[Motif, Motif] | None,
    pairing: Pairing | None,
    decoys: Sequence[Motif],
) -> None:
    """Plant decoys everywhere, and the motifs of a pair outside peaks: one by one, or together in another arrangement."""
    rng, size = planter.rng, len(planter.bases)
    length = size // plan.n_chromosomes
    inside = np.zeros(size, dtype=bool)
    for start in starts.tolist():
        inside[start : start + plan.peak_width] = True
    names = dict(zip(starts.tolist(), (f"peak{i + 1}" for i in range(len(starts))), strict=True))
    jobs = [("decoy", motif, size // plan.decoy_distance // max(1, len(decoys))) for motif in decoys]
    if pair is not None and pairing is not None:
        n_pairs = int(sum(site.kind == "pair" for site in planter.sites) / 2 / (len(starts) * plan.peak_width) * size)
        if pairing.outside == "lone":
            jobs += [("lone", motif, n_pairs) for motif in pair]
        else:
            _plant_rearranged(planter, pair, pairing, inside=inside, plan=plan, n=n_pairs)
    for kind, motif, n in jobs:
        for at in rng.integers(0, size - motif.width + 1, size=n).tolist():
            end = at + motif.width
            whole = inside[at:end].all()
            crosses = at // length != (end - 1) // length or (inside[at:end].any() and not whole)
            if crosses or (kind == "lone" and whole):
                continue
            home = int(np.searchsorted(starts, at, side="right")) - 1
            planter.plant(motif, at, end, peak=names[int(starts[home])] if whole else "", kind=kind)


def _plant_rearranged(planter: Planter, pair: tuple[Motif, Motif], pairing: Pairing, *, inside: NDArray[np.bool_], plan: Layout, n: int) -> None:
    """Plant pairs outside peaks in arrangements that no peak has."""
    size = len(planter.bases)
    length = size // plan.n_chromosomes
    room = plan.peak_width - pair[0].width - pair[1].width
    if pairing.orientation == "any" and pairing.spacing[0] == 0 and pairing.spacing[1] >= room:
        raise InputError("pairs in any arrangement stand in peaks; expected another one to be left for outside. Narrow the spacing.")
    for _ in range(n):
        arrangement = pairing.other(room, planter.rng)
        width = pair[0].width + arrangement[0] + pair[1].width
        at = int(planter.rng.integers(0, size - width + 1))
        if at // length == (at + width - 1) // length and not inside[at : at + width].any():
            planter.plant_pair(pair, at, at + width, arrangement=arrangement, kind="rearranged")


def truth_table(sites: Sequence[Site], length: int) -> pd.DataFrame:
    """Return the truth table of sites, sorted by place."""
    rows = [
        (
            f"chr{site.start // length + 1}",
            site.start % length,
            site.start % length + site.end - site.start,
            site.strand,
            site.motif,
            site.peak,
            site.kind,
        )
        for site in sorted(sites, key=lambda site: site.start)
    ]
    return pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))


def count_table(counts: Counts, peaks: pd.DataFrame, sites: Sequence[Site], *, genome: Mapping[str, Codes], rng: np.random.Generator) -> pd.DataFrame:
    """Return id, sequence, expected and drawn count of every peak, and its split by chromosome (train where there are too few chromosomes)."""
    weight = {"site": 1.0, "pair": 0.5}
    planted = pd.Series([weight[site.kind] for site in sites if site.kind in MAKE_PEAKS], dtype=np.float64)
    of = [site.peak for site in sites if site.kind in MAKE_PEAKS]
    n_sites = planted.groupby(np.array(of, dtype=object)).sum().reindex(peaks["name"]).fillna(0).to_numpy(dtype=np.float64)
    expected = counts.expected(n_sites)
    texts = [decode(genome[chrom][start:end]) for chrom, start, end in zip(peaks["chrom"], peaks["start"], peaks["end"], strict=True)]
    try:
        split = split_by_chromosome(peaks["chrom"], {name: len(codes) for name, codes in genome.items()})
    except DataError:
        split = np.full(len(peaks), "train")
    return pd.DataFrame({"id": peaks["name"], "sequence": texts, "expected": expected, "count": rng.poisson(expected), "split": split})
