"""A genome as one flat, memory-mapped array of codes, or as a mapped FASTA that is looked into once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.data import genome_cache
from seqdl.data.fasta_map import FastaMap
from seqdl.errors import InputError, UnknownNameError
from seqdl.io.cache import roomy_array
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import decode
from seqdl.types import Codes, Ints

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_AT_ONCE = 1 << 24  # bases gathered in one go into an array that lies in a file
_READ_AS_TEXT = 4
"""Bases for each of the genome up to which windows are read from the FASTA itself: encoding all of it takes as long as reading many times more."""


class Genome:
    """The bases of a genome, by chromosome.

    The file is read once; its codes are kept in the cache folder (``SEQDL_CACHE``, else the user's)
    under the hash of its content and mapped read-only, so opening it again costs nothing and
    several processes share one copy in memory. Of a plain FASTA with its index (.fai) beside it, `fetch` and `one_hot` read
    the windows from the file itself, until something needs the whole genome. Nothing is written beside the input. A genome pickles
    by its path, never by its bases or by an open file.

    Parameters
    ----------
    path : str or Path
        FASTA, plain, gzip or bgzip, or 2bit. The name of a chromosome is the first word of its header.

    Attributes
    ----------
    path : Path or None
        The file; None for a genome made by `from_codes`.
    lengths : dict of str to int
        Chromosome lengths in bp, in the order of the file.
    offsets : dict of str to int
        Where each chromosome begins in `flat`.

    Raises
    ------
    MissingFileError
        If the file is not there.
    FormatError
        If it is not a genome: neither format, empty, protein, two chromosomes of one name.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode
    >>> genome = Genome.from_codes({"chrI": encode("ACGTN"), "chrII": encode("GGGA")})
    >>> genome.lengths
    {'chrI': 5, 'chrII': 4}
    >>> genome.sequence("chrII", 1, 4, strand="-")
    'TCC'
    """

    path: Path | None
    lengths: dict[str, int]
    offsets: dict[str, int]
    _stored: genome_cache.StoredGenome | None
    _text: FastaMap | None
    _stamp: genome_cache.Stamp

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().absolute()
        self._open(None)

    def _open(self, sha256: str | None) -> None:
        """Map the codes where the cache has them, else the FASTA where it has an index; else make the codes."""
        path = self._file()
        self._text = None
        if sha256 is None:
            self._stamp = genome_cache.Stamp.of(path)
            self._stored = genome_cache.stored_already(path, self._stamp)
            if self._stored is None and (text := FastaMap.open(path)) is not None:
                self._text = text
                return self._place(text.lengths)
        self._stored = stored = genome_cache.load(path, sha256=sha256)
        return self._place(stored.lengths)

    @classmethod
    def from_codes(cls, codes: Mapping[str, Codes]) -> Genome:
        """Make a genome from arrays in memory.

        Parameters
        ----------
        codes : mapping of str to (L,) uint8
            Codes of each chromosome.
        """
        if not codes:
            raise InputError("a genome of no chromosomes was given; expected at least one (L,) array of codes by name")
        genome = cls.__new__(cls)
        flat = np.concatenate([np.asarray(one, dtype=np.uint8) for one in codes.values()])
        lengths = {str(name): len(one) for name, one in codes.items()}
        genome._keep(flat, lengths, hashlib.sha256(repr(lengths).encode() + flat.tobytes()).hexdigest())
        return genome

    def _keep(self, flat: Codes, lengths: dict[str, int], sha256: str) -> None:
        flat.setflags(write=False)
        self.path, self._text, self._stored = None, None, genome_cache.StoredGenome(flat, lengths, sha256)
        self._place(lengths)

    def _place(self, lengths: dict[str, int]) -> None:
        self.lengths = lengths
        ends = np.cumsum([0, *lengths.values()])
        self.offsets = dict(zip(lengths, ends[:-1].tolist(), strict=True))

    def _file(self) -> Path:
        assert self.path is not None  # only a genome of a file is ever not in memory
        return self.path

    def _whole(self) -> genome_cache.StoredGenome:
        """Return the codes of the whole genome, made now where only the FASTA was mapped."""
        if self._stored is None:
            path = self._file()
            if genome_cache.Stamp.of(path) != self._stamp:
                raise InputError(f"{path} has changed since it was opened; the same file was expected. Open the genome again.")
            self._stored = genome_cache.load(path)
            self._text = None
        return self._stored

    @property
    def flat(self) -> Codes:
        """All chromosomes one after the other, (sum of lengths,) uint8, read-only: what batches are gathered from."""
        return self._whole().flat

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes (of names and codes for a genome made by `from_codes`)."""
        return self._whole().sha256

    def __getstate__(self) -> dict[str, Any]:
        if self.path is None:
            return {"path": None, "flat": np.asarray(self.flat), "lengths": self.lengths, "sha256": self.sha256}
        return {"path": self.path, "sha256": self.sha256} if self._stored else {"path": self.path, "stamp": self._stamp}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        if self.path is None:
            self._keep(state["flat"], state["lengths"], state["sha256"])
            return
        self._open(state.get("sha256"))
        if "stamp" in state and state["stamp"] != self._stamp:
            raise InputError(f"{self.path} has changed since it was opened; the same file was expected. Open the genome again.")

    def __repr__(self) -> str:
        return f"Genome({self.path or 'in memory'}: {len(self.lengths)} chromosomes, {sum(self.lengths.values()):,} bp)"

    def __iter__(self) -> Iterator[str]:
        return iter(self.lengths)

    def __contains__(self, chrom: object) -> bool:
        return chrom in self.lengths

    def codes(self, chrom: str) -> Codes:
        """Return the codes of one chromosome, (L,), a read-only view.

        Raises
        ------
        UnknownNameError
            If the genome has no such chromosome.
        """
        if chrom not in self.lengths:
            raise UnknownNameError("chromosome", chrom, self.lengths)
        start = self.offsets[chrom]
        return self.flat[start : start + self.lengths[chrom]]

    def sequence(self, chrom: str, start: int, end: int, *, strand: str = "+") -> str:
        """Return the bases of one interval as text (0-based, half-open).

        Parameters
        ----------
        chrom : str
            Chromosome.
        start, end : int
            First base, and the base after the last, in bp.
        strand : str, default "+"
            ``"-"`` gives the reverse complement.
        """
        codes = self.codes(chrom)
        if not 0 <= start <= end <= len(codes):
            raise InputError(f"{chrom}:{start:,}-{end:,} is not inside {chrom}, which is {len(codes):,} bp; expected 0 <= start <= end <= length")
        piece = np.asarray(codes[start:end])
        return decode(reverse_complement(piece) if strand == "-" else piece)

    def locate(self, intervals: pd.DataFrame) -> NDArray[np.int64]:
        """Return where each interval begins in `flat`, (I,) int64.

        Raises
        ------
        InputError
            If an interval is on an unknown chromosome or is not inside its chromosome.
        """
        from seqdl.data.intervals import check_intervals, of_chromosomes

        if not {"chrom", "start", "end"} <= set(intervals):
            check_intervals(intervals, self.lengths)
        number = of_chromosomes(intervals["chrom"], {name: i for i, name in enumerate(self.lengths)})
        start, end = (intervals[column].to_numpy(dtype=np.int64) for column in ("start", "end"))
        sizes, offsets = (np.array([*values.values(), -1], dtype=np.int64) for values in (self.lengths, self.offsets))
        if ((start < 0) | (end <= start) | (end > sizes[number])).any():  # on an unknown chromosome, too
            check_intervals(intervals, self.lengths)
        return np.asarray(offsets[number] + start)

    def fetch(self, intervals: pd.DataFrame) -> Codes:
        """Return the codes of many intervals of one length, (I, L).

        Parameters
        ----------
        intervals : DataFrame
            Columns chrom, start, end; where there is a column strand, ``"-"`` rows are reverse-complemented.

        Raises
        ------
        InputError
            If the lengths differ, or an interval is not inside its chromosome.

        Examples
        --------
        >>> import pandas as pd
        >>> genome = Genome.from_codes({"chrI": np.array([0, 1, 2, 3, 4], dtype=np.uint8)})
        >>> genome.fetch(pd.DataFrame({"chrom": "chrI", "start": [0, 1], "end": [3, 4], "strand": ["+", "-"]}))
        array([[0, 1, 2],
               [0, 1, 2]], dtype=uint8)
        """
        if not len(intervals):
            return np.empty((0, 0), dtype=np.uint8)
        starts, length = self.locate(intervals), _one_length(intervals)
        found = roomy_array((len(starts), length), np.uint8)
        minus = _minus(intervals)
        if self._reads_text(found.size) and self._read_text(intervals, starts, found):
            return found
        step = max(1, _AT_ONCE // length)
        for first in range(0, len(starts), step):
            part = found[first : first + step]
            part[:] = self.gather(starts[first : first + step], length)
            turned = minus[first : first + step]
            if turned.any():
                part[turned] = reverse_complement(part[turned])
        return found

    def one_hot(self, intervals: pd.DataFrame | str | Path) -> NDArray[np.int8]:
        """Return many intervals of one length as one-hot, (I, 4, L) int8, in one pass over the genome.

        Parameters
        ----------
        intervals : DataFrame or path
            Columns chrom, start, end, and strand as in `fetch`; or a BED file. A row of an ambiguous base is all zeros.

        Raises
        ------
        InputError
            If the lengths differ, or an interval is not inside its chromosome.

        Examples
        --------
        >>> import pandas as pd
        >>> genome = Genome.from_codes({"chrI": np.array([0, 1, 2, 3, 4], dtype=np.uint8)})
        >>> genome.one_hot(pd.DataFrame({"chrom": ["chrI"], "start": [2], "end": [5]}))[0]
        array([[0, 0, 0],
               [0, 0, 0],
               [1, 0, 0],
               [0, 1, 0]], dtype=int8)
        """
        from seqdl.data.windows import Places, read_windows
        from seqdl.io.bed import read_places

        table = read_places(intervals) if isinstance(intervals, str | Path) else intervals
        if not len(table):
            return np.empty((0, 4, 0), dtype=np.int8)
        starts, length = self.locate(table), _one_length(table)
        found = roomy_array((len(starts), 4, length), np.int8)
        if not (self._reads_text(len(starts) * length) and self._read_text(table, starts, found)):
            read_windows(self.flat, Places.unbroken(starts, _minus(table)), found, text=False)
        return found

    def _reads_text(self, n_bases: int) -> bool:
        """Tell whether so many bases are sooner read from the FASTA than from codes that are still to be made."""
        return self._text is not None and n_bases <= _READ_AS_TEXT * sum(self.lengths.values())

    def _read_text(self, intervals: pd.DataFrame, starts: NDArray[np.int64], out: NDArray[Any]) -> bool:
        """Read windows from the mapped FASTA; where a byte is no letter, return False, and the whole file is read and says what is wrong."""
        from seqdl.data.windows import Places, read_windows

        text = self._text
        assert text is not None  # `_reads_text` said so
        first, line, width = text.layout[np.searchsorted(list(self.offsets.values()), starts, side="right") - 1].T
        start = intervals["start"].to_numpy(dtype=np.int64)
        row, column = np.divmod(start, line)
        places = Places(first + row * width + column, line - column, line, width - line, _minus(intervals))
        return read_windows(text.raw, places, out, text=True) < 0

    def gather(self, starts: Ints, length: int) -> Codes:
        """Return windows of `flat`, (I, length), without any check: the inner loop of loading.

        Parameters
        ----------
        starts : array, (I,), int64
            Begin of each window in `flat`, as `locate` gives it.
        length : int
            Length of the windows, bp.
        """
        windows = np.lib.stride_tricks.sliding_window_view(self.flat, length)
        return np.asarray(windows[starts])


def _one_length(intervals: pd.DataFrame) -> int:
    """Return the length that all intervals have."""
    widths = intervals["end"].to_numpy(dtype=np.int64) - intervals["start"].to_numpy(dtype=np.int64)
    if widths.min() != widths.max():
        raise InputError(
            f"the intervals are {widths.min():,} to {widths.max():,} bp long; expected one length. Resize them first: seqdl.resize(intervals, width)."
        )
    return int(widths[0])


def _minus(intervals: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which intervals are read on the other strand."""
    if "strand" not in intervals:
        return np.zeros(len(intervals), dtype=np.bool_)
    return np.asarray(intervals["strand"].to_numpy() == "-", dtype=np.bool_)
