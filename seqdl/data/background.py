"""Intervals that stand for the background: what the peaks are compared with."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.genome import Genome
from seqdl.data.intervals import check_intervals, overlaps_sorted
from seqdl.data.matching import Pick, match_windows
from seqdl.errors import DataError, InputError, listing
from seqdl.ledger import Ledger

Match: TypeAlias = Literal["gc", "genomic", "flank"]
Starts: TypeAlias = NDArray[np.int64]

_CANDIDATES = 4_000_000  # windows looked at on one chromosome; beyond, neighbours differ too little to be worth it
_FLANK_STEPS = 200  # half windows: how far a flank may lie from its peak


def sample_background(
    peaks: pd.DataFrame,
    genome: Genome,
    match: Match = "gc",
    *,
    ratio: int = 2,
    seed: int = 0,
    exclude: pd.DataFrame | None = None,
    ledger: Ledger | None = None,
) -> pd.DataFrame:
    """Sample background intervals for peaks, on the same chromosomes and of the same lengths.

    No background interval holds an N, overlaps a peak or overlaps `exclude`. Each chromosome gets `ratio` times its
    peaks, so that every split by chromosome has the same ratio and the same match.

    Parameters
    ----------
    peaks : DataFrame
        Columns chrom, start, end, and strand where the peaks have one; resized already.
    genome : Genome
        Where the background is taken from.
    match : {"gc", "genomic", "flank"}, default "gc"
        ``"gc"``: as many G and C as a peak has, base for base where the chromosome has such a window, so that GC content
        alone tells nothing. ``"genomic"``: anywhere. ``"flank"``: the nearest free windows, at least half a window away
        from the peak. Networks trained against one kind are not comparable with those trained against another.
    ratio : int, default 2
        Background intervals a peak.
    seed : int, default 0
        The same seed gives the same intervals, whatever else is in the table or on the machine.
    exclude : DataFrame, optional
        Further intervals to keep away from (weak peaks, a blacklist); chromosomes the genome lacks are passed over.
    ledger : Ledger, optional
        Takes a note where there was less, or less well matched, background than asked for.

    Returns
    -------
    DataFrame
        chrom, start, end, name, score, strand, sorted by place. The strand is that of the peak an interval stands for.
        Background intervals overlap each other only where the chromosome has no better matched place left.

    Raises
    ------
    InputError
        If `match` or `ratio` is not among what is offered, or a peak is not inside its chromosome.
    DataError
        If there is no peak, or no window at all that could serve.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genome = Genome.from_codes({"chrI": rng.integers(0, 4, 5000, dtype=np.uint8)})
    >>> peaks = pd.DataFrame({"chrom": ["chrI", "chrI"], "start": [1000, 2000], "end": [1100, 2100]})
    >>> background = sample_background(peaks, genome, ratio=3)
    >>> gc = [np.isin(genome.fetch(table), (1, 2)).sum(axis=1) for table in (peaks, background)]
    >>> sorted(gc[0].repeat(3)) == sorted(gc[1])
    True
    """
    if match not in ("gc", "genomic", "flank"):
        raise InputError(f"no background is called '{match}'; expected 'gc', 'genomic' or 'flank'. Choose one of them.")
    if ratio < 1 or ratio != int(ratio):
        raise InputError(f"the ratio is {ratio}; expected a whole number of background intervals a peak, 1 or more. Give --ratio 2, for example.")
    if not len(peaks):
        raise DataError("there are no peaks to sample background for; expected at least one interval. Look into the BED file and the ledger.")
    check_intervals(peaks, genome.lengths, source="peaks")
    away = pd.concat([table[["chrom", "start", "end"]] for table in (peaks, exclude) if table is not None], ignore_index=True)
    parts = []
    for chrom, here in peaks.reset_index(drop=True).groupby("chrom", sort=False):
        rng = np.random.default_rng((seed & 0xFFFFFFFF, zlib.crc32(str(chrom).encode())))  # of its own, so that other chromosomes do not matter
        forbidden = _forbidden(genome.codes(str(chrom)), away[away["chrom"] == chrom])
        slots = here.loc[here.index.repeat(int(ratio))]
        if match == "flank":
            parts.append(_flanks(slots, genome, forbidden, rng=rng))
        else:
            parts.append(_windows(slots, genome, forbidden, rng=rng, by_gc=match == "gc"))
    found = pd.concat(parts, ignore_index=True)
    _report(found, peaks, ratio, ledger=ledger)
    order = {chrom: i for i, chrom in enumerate(genome.lengths)}
    found = found.sort_values(["chrom", "start", "end"], key=lambda s: s.map(order) if s.name == "chrom" else s, kind="stable", ignore_index=True)
    found["name"] = [f"background{i + 1}" for i in range(len(found))]
    return found.assign(score=0)[["chrom", "start", "end", "name", "score", "strand"]]


class _Forbidden:
    """The merged places of one chromosome that no background may touch."""

    def __init__(self, starts: Starts, ends: Starts) -> None:
        order = np.argsort(starts, kind="stable")
        self.starts, self.ends = starts[order], ends[order]

    def hit(self, starts: Starts, width: int) -> NDArray[np.bool_]:
        """Tell which windows of `width` touch one of them."""
        return overlaps_sorted(starts, starts + width, starts=self.starts, ends=self.ends)


def _forbidden(codes: NDArray[np.uint8], away: pd.DataFrame) -> _Forbidden:
    """Join the runs of N of a chromosome with the intervals to keep away from."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], codes > 3, [False]]).view(np.int8)))
    starts = np.concatenate([edges[::2], away["start"].to_numpy(dtype=np.int64)])
    ends = np.concatenate([edges[1::2], away["end"].to_numpy(dtype=np.int64)])
    return _Forbidden(starts, ends)


def _windows(slots: pd.DataFrame, genome: Genome, forbidden: _Forbidden, *, rng: np.random.Generator, by_gc: bool) -> pd.DataFrame:
    """Choose a window for every slot of one chromosome, matched in GC or not."""
    chrom = str(slots["chrom"].iloc[0])
    codes = genome.codes(chrom)
    strong = np.zeros(len(codes) + 1, dtype=np.int32)  # strong[i]: G and C before base i
    if by_gc:
        np.cumsum((codes == 1) | (codes == 2), out=strong[1:])
    widths = (slots["end"] - slots["start"]).to_numpy(dtype=np.int64)
    kinds = np.unique(widths)
    starts, off = np.full(len(slots), -1, dtype=np.int64), np.zeros(len(slots))
    taken: list[Pick] = []
    for width in kinds[::-1]:  # the longest first: they are the hardest to place
        rows = np.flatnonzero(widths == width)
        # of very long chromosomes, or for many lengths, every stride-th window is looked at
        stride = max(1, (len(codes) - width + 1) * len(kinds) // _CANDIDATES)
        places = np.arange(rng.integers(stride), len(codes) - width + 1, stride, dtype=np.int64)
        places = places[~forbidden.hit(places, int(width))]
        mine = slots["start"].to_numpy(dtype=np.int64)[rows]
        wanted, offered = (strong[at + width] - strong[at] for at in (mine, places))
        picked = match_windows(wanted, places, offered, width=int(width), taken=taken, rng=rng)
        starts[rows] = picked
        good = picked >= 0
        off[rows[good]] = np.abs(strong[picked[good] + width] - strong[picked[good]] - wanted[good]) / width
        taken += [Pick(int(start), int(start + width)) for start in picked[good]]
    return _table(slots, starts, widths, off=off)


def _flanks(slots: pd.DataFrame, genome: Genome, forbidden: _Forbidden, *, rng: np.random.Generator) -> pd.DataFrame:
    """Choose for every slot the nearest free window, half a window or more from its peak."""
    size = genome.lengths[str(slots["chrom"].iloc[0])]
    widths = (slots["end"] - slots["start"]).to_numpy(dtype=np.int64)
    own = slots["start"].to_numpy(dtype=np.int64)
    starts = np.full(len(slots), -1, dtype=np.int64)
    taken = np.zeros(size, dtype=bool)
    nearest: dict[tuple[int, int], Iterator[int]] = {}  # what is left of the places around each peak
    for row in rng.permutation(len(slots)):
        peak = (int(own[row]), int(widths[row]))
        if peak not in nearest:
            nearest[peak] = iter(_around(*peak, size=size, forbidden=forbidden, rng=rng))
        for start in nearest[peak]:
            if not taken[start : start + peak[1]].any():
                starts[row] = start
                taken[start : start + peak[1]] = True
                break
    return _table(slots, starts, widths, off=np.zeros(len(slots)))


def _around(start: int, width: int, *, size: int, forbidden: _Forbidden, rng: np.random.Generator) -> list[int]:
    """List the places beside a peak, the nearest first, from either side in turn."""
    steps = np.arange(3, _FLANK_STEPS, dtype=np.int64) * width // 2
    sides = (1, -1) if rng.random() < 0.5 else (-1, 1)
    places = np.stack([start + side * steps for side in sides], axis=1).ravel()
    places = places[(places >= 0) & (places + width <= size)]
    return [int(place) for place in places[~forbidden.hit(places, width)]]


def _table(slots: pd.DataFrame, starts: Starts, widths: Starts, *, off: NDArray[np.float64]) -> pd.DataFrame:
    strand = slots["strand"].to_numpy() if "strand" in slots else np.full(len(slots), ".", dtype=object)
    table = pd.DataFrame({"chrom": slots["chrom"].to_numpy(), "start": starts, "end": starts + widths, "strand": strand, "off": off})
    return table[starts >= 0]


def _report(found: pd.DataFrame, peaks: pd.DataFrame, ratio: int, *, ledger: Ledger | None) -> None:
    """Note what is missing or off; raise where nothing was found."""
    wanted = len(peaks) * int(ratio)
    if not len(found):
        raise DataError(
            f"no background window was found for {len(peaks):,} peaks: "
            "their chromosomes are covered by peaks, excluded places and N. Give negatives as a BED or use --negatives dinuc."
        )
    if ledger is None:
        return
    if len(found) < wanted:
        full, got = peaks["chrom"].value_counts() * int(ratio), found["chrom"].value_counts()
        short = [str(chrom) for chrom in full.index if got.get(chrom, 0) < full[chrom]]
        ledger.note(f"{len(found):,} of {wanted:,} background intervals were found; there was no room for more on {listing(short, 6)}")
    far = int((found["off"] > 0.02).sum())
    if far:
        ledger.note(
            f"{far:,} of {len(found):,} background intervals differ by more than 2 % GC from their peak; their chromosome has no closer window"
        )
    repeated = _n_overlapping(found)
    if repeated:
        ledger.note(
            f"{repeated:,} of {len(found):,} background intervals overlap another; their chromosome has too few separate windows of that kind"
        )


def _n_overlapping(found: pd.DataFrame) -> int:
    """Count the intervals that begin before an earlier one ends."""
    ordered = found.sort_values(["chrom", "start"])
    reach = ordered.groupby("chrom")["end"].cummax().groupby(ordered["chrom"]).shift()
    return int((ordered["start"] < reach).sum())
