"""Signals along a genome: bigWig and bedGraph, read as values per base."""

from __future__ import annotations

import struct
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.errors import FormatError, InputError, listing
from seqdl.io.bedgraph import read_bedgraph
from seqdl.io.files import PathLike, compression, open_binary, shown
from seqdl.io.table import require_columns
from seqdl.ledger import Ledger
from seqdl.types import Ints

_BIGWIG = {b"\x26\xfc\x8f\x88": "<", b"\x88\x8f\xfc\x26": ">"}  # by byte order
_BIGBED = (b"\xeb\xf2\x89\x87", b"\x87\x89\xf2\xeb")
_OTHER_NAMES = "Write them as the signal does: seqdl.rename_chromosomes(intervals, signal.lengths)."


class Signal(ABC):
    """Values along a genome.

    Made by `open_signal`. It holds no open file, so it may be pickled and used in several processes.

    Attributes
    ----------
    name : str
        The file, as messages call it.
    lengths : dict of str to int
        Chromosomes that have values, with their lengths in bp; of a bedGraph, which does not say them, the end of the last value.
    whole_lengths : bool
        Whether `lengths` are those of the chromosomes.
    """

    name: str
    lengths: dict[str, int]
    whole_lengths: bool

    @abstractmethod
    def _fill(self, out: NDArray[np.float32], chrom: str, *, rows: Ints, starts: Ints) -> None:
        """Write the values of windows of one chromosome into rows of `out` (I, L); bases without one stay as they are."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}: {len(self.lengths)} chromosomes)"

    def values(self, intervals: pd.DataFrame, *, missing: float = np.nan, ledger: Ledger | None = None) -> NDArray[np.float32]:
        """Return the value of every base of intervals of one length, from left to right on the genome whatever the strand.

        Parameters
        ----------
        intervals : DataFrame
            Columns chrom, start, end; I rows of one length L.
        missing : float, default NaN
            What a base without a value gets, and every base of a chromosome that the signal lacks.
        ledger : Ledger, optional
            Where to note how many bases and intervals have no value. Without it, chromosomes that the signal lacks are warned of.

        Returns
        -------
        float32 array, (I, L)

        Raises
        ------
        InputError
            If the intervals are not of one length, are not inside their chromosome, or are all on chromosomes that the signal lacks.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "a.bedGraph")
        ...     _ = path.write_text("chr1 2 4 0.5")
        ...     signal = open_signal(path)
        >>> signal.values(pd.DataFrame({"chrom": ["chr1"], "start": [1], "end": [5]}), missing=0)
        array([[0. , 0.5, 0.5, 0. ]], dtype=float32)
        """
        self.check(intervals, missing=missing, ledger=ledger)
        found = self.read(intervals)
        empty = np.isnan(found)
        here = intervals["chrom"].isin(list(self.lengths)).to_numpy()
        self.note_empty(int(empty[here].sum()), int(here.sum()) * found.shape[1], missing=missing, ledger=ledger)
        if not np.isnan(missing):
            found[empty] = missing
        return found

    def check(self, intervals: pd.DataFrame, *, missing: float = np.nan, ledger: Ledger | None = None) -> None:
        """Raise what `values` would raise, and say which chromosomes the signal lacks."""
        if not len(intervals):
            return
        common_width(intervals)
        start, end = intervals["start"].to_numpy(), intervals["end"].to_numpy()
        lengths = intervals["chrom"].map(self.lengths)
        absent = lengths.isna().to_numpy()
        if absent.all():
            raise InputError(
                f"{self.name} has no value on the chromosomes of the intervals, {listing(intervals['chrom'].unique(), 6)}. "
                f"It has {listing(self.lengths, 6)}. {_OTHER_NAMES}"
            )
        outside = (start < 0) | ((end > lengths.to_numpy()) & self.whole_lengths)
        if outside.any():
            row = intervals.iloc[int(np.argmax(outside))]
            raise InputError(
                f"{outside.sum():,} of {len(intervals):,} intervals are not inside their chromosome in {self.name}; first: "
                f"{row['chrom']}:{row['start']:,}-{row['end']:,} ({self.lengths.get(row['chrom'], 0):,} bp). "
                "0 <= start and end <= length were expected. Is it the same genome build?"
            )
        if absent.any():
            names = listing(intervals["chrom"][absent].unique(), 6)
            text = f"{self.name}: {absent.sum():,} of {len(intervals):,} intervals are on chromosomes without a value ({names}); taken as {missing:g}"
            if ledger is None:
                warnings.warn(text, stacklevel=3)
            else:
                ledger.note(text)

    def read(self, intervals: pd.DataFrame) -> NDArray[np.float32]:
        """Return the values of checked intervals, (I, L), NaN where there is none; nothing is checked or noted."""
        length = common_width(intervals) if len(intervals) else 0
        found = np.full((len(intervals), length), np.nan, dtype=np.float32)
        starts = intervals["start"].to_numpy(np.int64)
        for chrom, rows in cast("dict[Any, NDArray[np.intp]]", intervals.groupby("chrom", sort=False).indices).items():
            if chrom in self.lengths:
                self._fill(found, str(chrom), rows=rows, starts=starts[rows])
        return found

    def note_empty(self, n_empty: int, n_bases: int, *, missing: float, ledger: Ledger | None) -> None:
        """Note how many of the bases that were asked for have no value."""
        if ledger is not None and n_empty:
            ledger.note(f"{self.name}: {n_empty:,} of {n_bases:,} bases have no value (NaN); taken as {missing:g}")


class BigWig(Signal):
    """A bigWig. The file is opened for each read, which takes some microseconds, so that no handle is shared between processes."""

    whole_lengths = True

    def __init__(self, path: PathLike) -> None:
        self.name = shown(path)
        self.path = Path(path).absolute()
        _refuse_cut(self.path, self.name)
        self.lengths = {str(chrom): int(length) for chrom, length in self._ask(lambda reader: reader.chroms()).items()}

    def _fill(self, out: NDArray[np.float32], chrom: str, *, rows: Ints, starts: Ints) -> None:
        length = out.shape[1]
        order = np.argsort(starts, kind="stable")  # neighbours lie in one compressed block

        def fill(reader: Any) -> None:
            for row, start in zip(rows[order].tolist(), starts[order].tolist(), strict=True):
                out[row] = reader.values(chrom, start, start + length, fillna=np.nan)

        self._ask(fill)

    def _ask(self, question: Any) -> Any:
        """Open the file, ask its reader, and close it; whatever goes wrong in it is the file's fault."""
        import pybigtools

        try:
            with pybigtools.open(str(self.path)) as reader:  # type: ignore[no-untyped-call]
                return question(reader)
        except BaseException as error:
            if type(error).__name__ not in ("BBIReadError", "PanicException"):  # a panic of the reader is no Exception and has no public name
                raise
            raise FormatError(
                f"{self.name} is damaged or cut short: {error} A whole bigWig was expected. Copy, download or make it again."
            ) from error


class BedGraph(Signal):
    """A bedGraph, held in memory: 20 bytes a line."""

    whole_lengths = False

    def __init__(self, path: PathLike, *, ledger: Ledger | None = None) -> None:
        self.name = shown(path)
        self._runs = read_bedgraph(path, ledger=ledger)
        self.lengths = {chrom: int(runs.ends[-1]) for chrom, runs in self._runs.items()}

    def _fill(self, out: NDArray[np.float32], chrom: str, *, rows: Ints, starts: Ints) -> None:
        self._runs[chrom].paint(out, rows=rows, starts=starts)


def open_signal(path: PathLike, *, ledger: Ledger | None = None) -> Signal:
    """Open a signal: a bigWig, or a bedGraph (plain, gzip or bgzip), told apart by content.

    Parameters
    ----------
    path : path or "-"
        The file; standard input is read as bedGraph.
    ledger : Ledger, optional
        Where to note what was skipped.

    Returns
    -------
    Signal
        Its `values` are read when they are asked for (bigWig) or are in memory (bedGraph).

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is neither, is cut short or damaged.
    """
    if str(path) == "-":
        return BedGraph(path, ledger=ledger)
    with open_binary(path) as stream:
        magic = stream.read(4)
    if magic in _BIGBED:
        raise FormatError(f"{path} is a bigBed, which holds intervals. A bigWig or bedGraph was expected. Convert it to BED to use its intervals.")
    if magic not in _BIGWIG:
        return BedGraph(path, ledger=ledger)
    if compression(path) != "plain":
        raise FormatError(f"{path} is a bigWig in gzip, which cannot be read in place. A bigWig was expected. Unpack it first (gunzip).")
    return BigWig(path)


def check_signal(signal: Signal, genome_lengths: Mapping[str, int], *, ledger: Ledger | None = None) -> None:
    """Raise unless a signal may belong to a genome.

    Parameters
    ----------
    signal : Signal
    genome_lengths : mapping of str to int
        Chromosome lengths of the genome, bp.
    ledger : Ledger, optional
        Where to note chromosomes that only one of them has.

    Raises
    ------
    InputError
        If they have no chromosome in common, or a chromosome's length differs (of a bedGraph: if its values reach past the end).

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.bedGraph")
    ...     _ = path.write_text("chr1 2 4 0.5")
    ...     signal = open_signal(path)
    >>> check_signal(signal, {"chr1": 4, "chr2": 7})
    """
    shared = [chrom for chrom in signal.lengths if chrom in genome_lengths]
    if not shared:
        raise InputError(
            f"{signal.name} and the genome have no chromosome in common: the signal has {listing(signal.lengths, 6)}, "
            f"the genome {listing(genome_lengths, 6)}. One naming of one genome was expected. {_OTHER_NAMES}"
        )
    exact = signal.whole_lengths
    wrong = [c for c in shared if signal.lengths[c] > genome_lengths[c] or (exact and signal.lengths[c] != genome_lengths[c])]
    if wrong:
        chrom = wrong[0]
        what = "is" if exact else "has values up to"
        raise InputError(
            f"{signal.name} is of another genome: {len(wrong)} of {len(shared)} chromosomes do not fit; first: {chrom} "
            f"{what} {signal.lengths[chrom]:,} bp there and is {genome_lengths[chrom]:,} bp in the genome. One genome build was expected. "
            "Take the signal that was made on this genome, or the genome of the signal."
        )
    if ledger is not None:
        without = [chrom for chrom in genome_lengths if chrom not in signal.lengths]
        foreign = [chrom for chrom in signal.lengths if chrom not in genome_lengths]
        if without:
            ledger.note(f"{signal.name}: {len(without):,} of {len(genome_lengths):,} chromosomes have no value: {listing(without, 6)}")
        if foreign:
            ledger.note(f"{signal.name}: {len(foreign):,} chromosomes are not in the genome and are not used: {listing(foreign, 6)}")


def common_width(intervals: pd.DataFrame) -> int:
    """Return the one length of intervals, in bp; 0 if there are none.

    Raises
    ------
    InputError
        If a column is missing, the lengths differ, or an interval has none.

    Examples
    --------
    >>> common_width(pd.DataFrame({"chrom": ["chr1"], "start": [5], "end": [9]}))
    4
    """
    require_columns(intervals, ("chrom", "start", "end"), "the table of intervals")
    widths = (intervals["end"] - intervals["start"]).to_numpy(np.int64)
    if not len(widths):
        return 0
    if widths.min() != widths.max() or widths[0] < 1:
        raise InputError(
            f"the intervals are {widths.min():,} to {widths.max():,} bp long; one length of 1 bp or more was expected. "
            "Resize them first: seqdl.resize(intervals, width)."
        )
    return int(widths[0])


def _refuse_cut(path: Path, name: str) -> None:
    """Raise where a bigWig ends before the parts that its header points to: the reader would find out late, or never."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(64)
        order = _BIGWIG[head[:4]]
        places = list(struct.unpack(f"{order}6xH3Q32x", head)) if len(head) == 64 else [0, size]
        n_zooms, ends = int(places[0]), [int(place) for place in places[1:]]
        zooms = stream.read(24 * n_zooms)
    if len(zooms) == 24 * n_zooms:
        ends += [place for zoom in struct.iter_unpack(f"{order}8x2Q", zooms) for place in zoom]
    else:
        ends.append(size)
    if max(ends) >= size:
        raise FormatError(
            f"{name} is cut short: it has {size:,} bytes, and its header points to byte {max(ends):,}. "
            "A whole bigWig was expected. Copy or download it again."
        )
