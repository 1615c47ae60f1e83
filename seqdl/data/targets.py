"""Targets along the genome: binned counts, profiles per base, and labels per base, for intervals of one length.

All read in the direction of the interval's strand, like `Genome.fetch`: base i of a target is that of base i of the sequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.errors import InputError, UnknownNameError, listing
from seqdl.io.signal import Signal, common_width
from seqdl.io.table import require_columns
from seqdl.sequence.runs import merge

if TYPE_CHECKING:
    from seqdl.ledger import Ledger

_BASES_AT_ONCE = 1 << 24
_MOST_CLASSES = 255  # labels are one byte, and 0 is none


def binned_counts(signal: Signal, intervals: pd.DataFrame, *, bins: int, ledger: Ledger | None = None) -> NDArray[np.float32]:
    """Return the sum of a signal in equal bins of intervals.

    The sums are exact (no zoom levels) and bases without a value count 0. Memory beside the result does not grow with the intervals.

    Parameters
    ----------
    signal : Signal
        From `open_signal`.
    intervals : DataFrame
        Columns chrom, start, end of one length L; where there is a column strand, the bins of ``"-"`` rows go from right to left.
    bins : int
        Bins an interval, a divisor of L.
    ledger : Ledger, optional
        Where to note how many bases and intervals have no value.

    Returns
    -------
    float32 array, (I, bins)

    Raises
    ------
    InputError
        If `bins` does not divide L, or the intervals do not fit the signal.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from seqdl.io.signal import open_signal
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.bedGraph")
    ...     _ = path.write_text("chr1 0 3 2")
    ...     signal = open_signal(path)
    >>> binned_counts(signal, pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [8]}), bins=4)
    array([[4., 2., 0., 0.]], dtype=float32)
    """
    length = common_width(intervals)
    if bins < 1 or length % bins:
        raise InputError(f"{bins} bins of {length:,} bp were asked for; a divisor of {length:,} was expected. Choose another number or width.")
    found = np.zeros((len(intervals), bins), dtype=np.float32)
    for rows, values in _pieces(signal, intervals, ledger=ledger):
        found[rows] = np.nan_to_num(values, nan=0.0).reshape(len(values), bins, length // bins).sum(axis=2, dtype=np.float64)
    return _along_strand(found, intervals)


def base_profile(signal: Signal, intervals: pd.DataFrame, *, missing: float = 0.0, ledger: Ledger | None = None) -> NDArray[np.float32]:
    """Return the value of a signal at every base of intervals.

    Parameters
    ----------
    signal : Signal
        From `open_signal`.
    intervals : DataFrame
        Columns chrom, start, end of one length L; where there is a column strand, ``"-"`` rows are read from right to left.
    missing : float, default 0
        What a base without a value gets: in counts, nothing was seen there. NaN keeps it apart.
    ledger : Ledger, optional
        Where to note how many bases and intervals have no value.

    Returns
    -------
    float32 array, (I, L)

    Raises
    ------
    InputError
        If the intervals do not fit the signal.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from seqdl.io.signal import open_signal
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.bedGraph")
    ...     _ = path.write_text("chr1 0 3 2")
    ...     signal = open_signal(path)
    >>> base_profile(signal, pd.DataFrame({"chrom": ["chr1"], "start": [2], "end": [5], "strand": ["-"]}))
    array([[0., 0., 2.]], dtype=float32)
    """
    return _along_strand(signal.values(intervals, missing=missing, ledger=ledger), intervals)


def base_labels(
    features: pd.DataFrame, intervals: pd.DataFrame, *, classes: Sequence[str] | None = None, stranded: bool = False
) -> NDArray[np.uint8]:
    """Return the class of every base of intervals: what feature it lies in.

    A base in features of several classes has the class that is named first in `classes`.

    Parameters
    ----------
    features : DataFrame
        Columns chrom, start, end, strand (if `stranded`), as `read_gff` or `read_bed` give them. The class is the column feature; without
        one, as in a BED, all are of one class.
    intervals : DataFrame
        Columns chrom, start, end of one length L; where there is a column strand, ``"-"`` rows are read from right to left.
    classes : sequence of str, optional
        The kinds of feature that are labels 1, 2, ... in this order; others are not used. By default all kinds, by name.
    stranded : bool, default False
        Whether only features on the strand of the interval count. A feature without a strand counts on both, an interval without one
        is read forward.

    Returns
    -------
    uint8 array, (I, L)
        0 where there is no feature, else 1 + the place of the class in `classes`.

    Raises
    ------
    UnknownNameError
        If there is no feature of a class.
    InputError
        If a column is missing, features and intervals have no chromosome in common, or there are more than 255 classes.

    Examples
    --------
    >>> features = pd.DataFrame({"chrom": "chrI", "start": [2, 3], "end": [6, 5], "feature": ["gene", "CDS"]})
    >>> base_labels(features, pd.DataFrame({"chrom": ["chrI"], "start": [0], "end": [8]}), classes=["CDS", "gene"])
    array([[0, 0, 2, 1, 1, 2, 0, 0]], dtype=uint8)
    """
    require_columns(features, ["chrom", "start", "end", *(["strand"] if stranded else [])], "the table of features")
    found = np.zeros((len(intervals), common_width(intervals)), dtype=np.uint8)
    kinds = _kinds(features, classes)
    if not len(intervals):
        return found
    if not set(intervals["chrom"]) & set(features["chrom"]):
        raise InputError(
            f"features and intervals have no chromosome in common: features are on {listing(features['chrom'].unique(), 6)}, "
            f"intervals on {listing(intervals['chrom'].unique(), 6)}. One naming of one genome was expected. "
            "Write them alike: seqdl.rename_chromosomes(features, genome.lengths)."
        )
    minus = _is_minus(intervals)
    for label, mine in reversed(list(enumerate(kinds, 1))):  # the first class is painted last, over the others
        for strand in (False, True) if stranded else (None,):
            rows = np.arange(len(intervals)) if strand is None else np.flatnonzero(minus == strand)
            here = mine if strand is None else mine[mine["strand"] != ("+" if strand else "-")]
            _paint(found, here, intervals.iloc[rows], rows=rows, label=label)
    return _along_strand(found, intervals)


def site_map(places: pd.DataFrame, intervals: pd.DataFrame, *, half_width: int) -> NDArray[np.uint8]:
    """Return a label over every site of intervals: the base it lies at and those on either side.

    Parameters
    ----------
    places : DataFrame
        Columns chrom and start: the base of each site.
    intervals : DataFrame
        Columns chrom, start, end of one length L; where there is a column strand, ``"-"`` rows are read from right to left.
    half_width : int
        Bases (bp) on either side of a site that are labelled too.

    Returns
    -------
    uint8 array, (I, L)
        1 on a site, else 0. All sites that reach into an interval are shown, not only one.

    Examples
    --------
    >>> places = pd.DataFrame({"chrom": ["chrI"], "start": [4]})
    >>> site_map(places, pd.DataFrame({"chrom": ["chrI"], "start": [0], "end": [8]}), half_width=1)
    array([[0, 0, 0, 1, 1, 1, 0, 0]], dtype=uint8)
    """
    start = places["start"].to_numpy(np.int64)
    around = pd.DataFrame({"chrom": places["chrom"].to_numpy(), "start": start - half_width, "end": start + half_width + 1})
    return base_labels(around, intervals)


def _paint(out: NDArray[np.uint8], features: pd.DataFrame, intervals: pd.DataFrame, *, rows: NDArray[np.intp], label: int) -> None:
    """Write a label over all bases of some rows that lie in a feature."""
    groups = cast("dict[Any, NDArray[np.intp]]", features.groupby("chrom", sort=False).indices)
    first, last = features["start"].to_numpy(np.int64), features["end"].to_numpy(np.int64)
    starts = intervals["start"].to_numpy(np.int64)
    for chrom, mine in cast("dict[Any, NDArray[np.intp]]", intervals.groupby("chrom", sort=False).indices).items():
        if chrom in groups:
            theirs = groups[chrom]
            merge(first[theirs], last[theirs], np.uint8(label)).paint(out, rows=rows[mine], starts=starts[mine])


def _kinds(features: pd.DataFrame, classes: Sequence[str] | None) -> list[pd.DataFrame]:
    """Return the features of each class, in order."""
    if "feature" not in features:
        if classes is not None:
            raise InputError(
                f"the classes {listing(classes)} were asked for, but the features have no column feature that says their kind; they have "
                f"{listing(features.columns)}. Read them with seqdl.read_gff, add the column, or leave out classes."
            )
        return [features]
    names = sorted(features["feature"].unique()) if classes is None else list(classes)
    if len(names) > _MOST_CLASSES:
        raise InputError(f"there are {len(names)} classes; at most {_MOST_CLASSES} were expected. Name the ones to use: classes=[...].")
    if isinstance(classes, str) or len(set(names)) < len(names):
        raise InputError(f"classes is {classes!r}; a list of different names was expected. Write for instance classes=['CDS', 'gene'].")
    groups = cast("dict[Any, pd.DataFrame]", dict(list(features.groupby("feature", sort=False))))
    for name in names:
        if name not in groups:
            raise UnknownNameError("feature", name, [str(kind) for kind in groups])
    return [groups[name] for name in names]


def _pieces(signal: Signal, intervals: pd.DataFrame, *, ledger: Ledger | None) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield rows and their values (NaN where there is none) in pieces of bounded size; check first, note last."""
    signal.check(intervals, missing=0.0, ledger=ledger)
    length = common_width(intervals)
    here = intervals["chrom"].isin(list(signal.lengths)).to_numpy()
    at_once = max(1, _BASES_AT_ONCE // max(1, length))
    n_empty = 0
    for begin in range(0, len(intervals), at_once):
        rows = slice(begin, begin + at_once)
        values = signal.read(intervals.iloc[rows])
        n_empty += int(np.isnan(values[here[rows]]).sum())
        yield rows, values
    signal.note_empty(n_empty, int(here.sum()) * length, missing=0.0, ledger=ledger)


def _is_minus(intervals: pd.DataFrame) -> NDArray[np.bool_]:
    if "strand" not in intervals:
        return np.zeros(len(intervals), dtype=bool)
    return np.asarray(intervals["strand"].to_numpy() == "-", dtype=bool)


def _along_strand(values: NDArray[Any], intervals: pd.DataFrame) -> NDArray[Any]:
    """Turn round the rows of the minus strand."""
    minus = _is_minus(intervals)
    if minus.any():
        values[minus] = values[minus, ::-1]
    return values
