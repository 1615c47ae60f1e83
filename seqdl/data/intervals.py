"""Operations on interval tables: plain DataFrames with chrom start end name score strand, 0-based half-open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.chromosomes import organelles, rename_chromosomes
from seqdl.errors import InputError, listing

if TYPE_CHECKING:
    from seqdl.ledger import Ledger

__all__ = ["check_intervals", "clip_to_genome", "organelles", "overlaps", "overlaps_sorted", "rename_chromosomes", "resize"]

LEAVES_CHROMOSOME = "reaches past the chromosome end after resizing"
_NEEDED = ("chrom", "start", "end")


def check_intervals(intervals: pd.DataFrame, genome_lengths: Mapping[str, int], *, source: str = "intervals") -> None:
    """Raise unless every interval lies inside a chromosome of the genome.

    Parameters
    ----------
    intervals : DataFrame
        Columns chrom, start, end.
    genome_lengths : mapping of str to int
        Chromosome lengths in bp.
    source : str, optional
        Where the intervals come from, for the message.

    Raises
    ------
    InputError
        If a column is missing, a chromosome is not in the genome, or an interval is empty, turned round or not inside its chromosome.

    Examples
    --------
    >>> check_intervals(pd.DataFrame({"chrom": ["chrI"], "start": [5], "end": [25]}), {"chrI": 20}, source="peaks.bed")
    Traceback (most recent call last):
    seqdl.errors.InputError: peaks.bed: 1 of 1 intervals are not inside their chromosome; first: chrI:5-25 (chrI is 20 bp). ...
    """
    missing = [column for column in _NEEDED if column not in intervals]
    if missing:
        raise InputError(
            f"{source} lacks the column {listing(missing)}; it has {listing(intervals.columns)}. "
            "Expected chrom, start and end; read BED files with seqdl.read_bed."
        )
    if not len(intervals):
        return
    sizes = of_chromosomes(intervals["chrom"], genome_lengths)
    unknown = sizes < 0
    if unknown.any():
        names = list(dict.fromkeys(intervals["chrom"][unknown]))
        raise InputError(
            f"{source}: {unknown.sum():,} of {len(intervals):,} intervals are on chromosomes the genome does not have: {listing(names, 6)}. "
            f"The genome has {listing(genome_lengths, 6)}. Pass --rename-chromosomes (seqdl.rename_chromosomes) or take their genome."
        )
    start, end = intervals["start"].to_numpy(), intervals["end"].to_numpy()
    turned = end <= start
    if turned.any():
        raise InputError(
            f"{source}: {turned.sum():,} of {len(intervals):,} intervals have no length; first: {_place(intervals, turned)}. "
            "Expected start < end (0-based, half-open). Fix or remove them."
        )
    outside = (start < 0) | (end > sizes)
    if outside.any():
        chrom = str(intervals["chrom"].iloc[int(np.argmax(outside))])
        raise InputError(
            f"{source}: {outside.sum():,} of {len(intervals):,} intervals are not inside their chromosome; first: {_place(intervals, outside)} "
            f"({chrom} is {genome_lengths[chrom]:,} bp). Expected 0 <= start < end <= length. Is it the same genome build?"
        )


def of_chromosomes(chroms: pd.Series[str], values: Mapping[str, int]) -> NDArray[np.int64]:
    """Return a number for each row by its chromosome, -1 where there is none; each name is looked up once, not each row.

    Parameters
    ----------
    chroms : Series, (I,)
        Chromosome names.
    values : mapping of str to int
        The number of each chromosome, such as its length.

    Examples
    --------
    >>> of_chromosomes(pd.Series(["b", "a", "c"]), {"a": 5, "b": 7}).tolist()
    [7, 5, -1]
    """
    number, names = pd.factorize(chroms)  # a missing name is number -1, and so the last
    return np.array([*(values.get(name, -1) for name in names), -1], dtype=np.int64)[number]


def _place(intervals: pd.DataFrame, mask: NDArray[np.bool_]) -> str:
    """Write the first interval of a mask as chrom:start-end."""
    row = intervals.iloc[int(np.argmax(mask))]
    return f"{row['chrom']}:{int(row['start']):,}-{int(row['end']):,}"


def resize(intervals: pd.DataFrame, width: int, *, center: Literal["midpoint", "summit"] = "midpoint") -> pd.DataFrame:
    """Give every interval one width around its midpoint or summit.

    Parameters
    ----------
    intervals : DataFrame
        Columns chrom, start, end, and summit (absolute position) where `center` asks for it.
    width : int
        New width, bp.
    center : {"midpoint", "summit"}, default "midpoint"
        What stays in the middle; of an even width, the middle is the first base of the right half.

    Returns
    -------
    DataFrame
        A copy with new start and end, which may lie outside the chromosome: see `clip_to_genome`.

    Examples
    --------
    >>> resize(pd.DataFrame({"chrom": ["chrI"], "start": [100], "end": [101]}), 20)
      chrom  start  end
    0  chrI     90  110
    """
    if width < 1:
        raise InputError(f"the width is {width} bp; expected 1 or more. Choose the length of sequence the model should see, for example 200.")
    if center not in ("midpoint", "summit"):
        raise InputError(f"no centre is called '{center}'; expected 'midpoint' or 'summit'. Choose one of them.")
    if center == "summit":
        if "summit" not in intervals or intervals["summit"].isna().any():
            raise InputError("the intervals have no summit; expected narrowPeak files with 10 columns. Use the midpoint (--center midpoint) instead.")
        middle = intervals["summit"].to_numpy(dtype=np.int64)
    else:
        middle = (intervals["start"].to_numpy(dtype=np.int64) + intervals["end"].to_numpy(dtype=np.int64)) // 2
    start = middle - width // 2
    return intervals.assign(start=start, end=start + width)


def clip_to_genome(intervals: pd.DataFrame, lengths: Mapping[str, int], ledger: Ledger | None = None, *, source: str = "") -> pd.DataFrame:
    """Leave out the intervals that leave their chromosome, and enter them in the ledger.

    They are dropped whole, not shortened, so that all keep one width.

    Parameters
    ----------
    intervals : DataFrame
        Resized intervals on chromosomes the genome has.
    lengths : mapping of str to int
        Chromosome lengths, bp.
    ledger : Ledger, optional
        Takes the rows that are left out.
    source : str, optional
        Where they come from, for the ledger.

    Returns
    -------
    DataFrame
        The others, numbered anew.
    """
    outside = (intervals["start"] < 0) | (intervals["end"] > of_chromosomes(intervals["chrom"], lengths))
    if ledger is not None and outside.any():
        dropped = intervals[outside]
        if "name" not in dropped:
            dropped = dropped.assign(name=[f"{row.chrom}:{row.start}-{row.end}" for row in dropped.itertuples()])
        ledger.drop_intervals(dropped, LEAVES_CHROMOSOME, source)
    return intervals[~outside].reset_index(drop=True)


def tile(lengths: Mapping[str, int], width: int, *, step: int | None = None) -> pd.DataFrame:
    """Return windows of one width over every chromosome, from its first base on.

    Parameters
    ----------
    lengths : mapping of str to int
        Chromosome lengths (bp).
    width : int
        Of a window (bp).
    step : int, optional
        Bases from one window to the next; by default they lie side by side.

    Returns
    -------
    DataFrame
        chrom start end name score strand; what is left at a chromosome's end is shorter than a window and in none.

    Raises
    ------
    InputError
        If width or step are below 1.

    Examples
    --------
    >>> tile({"chrI": 10, "chrII": 3}, 4)[["chrom", "start", "end"]].values.tolist()
    [['chrI', 0, 4], ['chrI', 4, 8]]
    """
    step = width if step is None else step
    if width < 1 or step < 1:
        raise InputError(f"windows of {width} bp every {step} bp were asked for: at least 1 bp each was expected. Check --window and --step.")
    starts = {chrom: np.arange(0, length - width + 1, step) for chrom, length in lengths.items()}
    chroms = np.repeat(list(starts), [len(of) for of in starts.values()])
    start = np.concatenate([np.empty(0, dtype=np.int64), *starts.values()])
    table = pd.DataFrame({"chrom": chroms.astype(object), "start": start, "end": start + width})
    names = table["chrom"] + ":" + table["start"].astype(str) + "-" + table["end"].astype(str)
    return table.assign(name=names, score=0.0, strand=".")


def overlaps(a: pd.DataFrame, b: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which intervals of `a` share at least one base with any of `b`.

    Parameters
    ----------
    a, b : DataFrame
        Columns chrom, start, end.

    Returns
    -------
    bool array, (len(a),)

    Examples
    --------
    >>> a = pd.DataFrame({"chrom": "chrI", "start": [0, 10], "end": [10, 20]})
    >>> overlaps(a, pd.DataFrame({"chrom": ["chrI"], "start": [19], "end": [30]})).tolist()
    [False, True]
    """
    found = np.zeros(len(a), dtype=bool)
    groups = cast("dict[Any, NDArray[np.intp]]", b.groupby("chrom", sort=False).indices)
    starts, ends = (b[column].to_numpy(dtype=np.int64) for column in ("start", "end"))
    for chrom, mine in cast("dict[Any, NDArray[np.intp]]", a.groupby("chrom", sort=False).indices).items():
        if chrom in groups:
            theirs = groups[chrom]
            order = theirs[np.argsort(starts[theirs], kind="stable")]
            found[mine] = overlaps_sorted(
                a["start"].to_numpy(dtype=np.int64)[mine],
                a["end"].to_numpy(dtype=np.int64)[mine],
                starts=starts[order],
                ends=ends[order],
            )
    return found


def overlaps_sorted(a_start: NDArray[np.int64], a_end: NDArray[np.int64], *, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Do the work of `overlaps` on one chromosome; `starts` are sorted."""
    if not len(starts):
        return np.zeros(len(a_start), dtype=bool)
    reach = np.maximum.accumulate(ends)  # the furthest end among all that begin no later
    before = np.searchsorted(starts, a_end, side="left")  # how many begin before the end of a
    return (before > 0) & (reach[np.maximum(before - 1, 0)] > a_start)
