"""A genome as one flat, memory-mapped array of codes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.data import genome_cache
from seqdl.errors import InputError, UnknownNameError
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import decode
from seqdl.types import Codes, Ints

if TYPE_CHECKING:
    import pandas as pd


class Genome:
    """The bases of a genome, by chromosome.

    The FASTA is read once; its codes are kept in the cache folder (``SEQDL_CACHE``, else the user's)
    under the hash of the file's content and mapped read-only, so opening it again costs nothing and
    several processes share one copy in memory. Nothing is written beside the FASTA. A genome pickles
    by its path, never by its bases or by an open file.

    Parameters
    ----------
    path : str or Path
        FASTA, plain, gzip or bgzip. The name of a chromosome is the first word of its header.

    Attributes
    ----------
    path : Path or None
        The FASTA; None for a genome made by `from_codes`.
    sha256 : str
        Hash of the FASTA's bytes (of names and codes for a genome made by `from_codes`).
    lengths : dict of str to int
        Chromosome lengths in bp, in the order of the file.
    flat : array, (sum of lengths,), uint8
        All chromosomes one after the other, read-only: what batches are gathered from.
    offsets : dict of str to int
        Where each chromosome begins in `flat`.

    Raises
    ------
    MissingFileError
        If the FASTA is not there.
    FormatError
        If it is not a genome: not FASTA, empty, protein, two chromosomes of one name.

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
    sha256: str
    lengths: dict[str, int]
    flat: Codes
    offsets: dict[str, int]

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().absolute()
        stored = genome_cache.load(self.path)
        self._set(stored.flat, stored.lengths, stored.sha256)

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
        genome.path = None
        flat = np.concatenate([np.asarray(one, dtype=np.uint8) for one in codes.values()])
        flat.setflags(write=False)
        lengths = {str(name): len(one) for name, one in codes.items()}
        genome._set(flat, lengths, hashlib.sha256(repr(lengths).encode() + flat.tobytes()).hexdigest())
        return genome

    def _set(self, flat: Codes, lengths: dict[str, int], sha256: str) -> None:
        self.flat, self.lengths, self.sha256 = flat, lengths, sha256
        ends = np.cumsum([0, *lengths.values()])
        self.offsets = dict(zip(lengths, ends[:-1].tolist(), strict=True))

    def __getstate__(self) -> dict[str, Any]:
        if self.path is None:
            return {"path": None, "flat": np.asarray(self.flat), "lengths": self.lengths, "sha256": self.sha256}
        return {"path": self.path, "sha256": self.sha256}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        if self.path is None:
            flat: Codes = state["flat"]
            flat.setflags(write=False)
            self._set(flat, state["lengths"], state["sha256"])
            return
        stored = genome_cache.load(self.path, sha256=state["sha256"])
        self._set(stored.flat, stored.lengths, stored.sha256)

    def __repr__(self) -> str:
        return f"Genome({self.path or 'in memory'}: {len(self.lengths)} chromosomes, {len(self.flat):,} bp)"

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

    def locate(self, intervals: pd.DataFrame) -> Ints:
        """Return where each interval begins in `flat`, (I,) int64.

        Raises
        ------
        InputError
            If an interval is on an unknown chromosome or is not inside its chromosome.
        """
        from seqdl.data.intervals import check_intervals, of_chromosomes

        check_intervals(intervals, self.lengths)
        starts: Ints = of_chromosomes(intervals["chrom"], self.offsets) + intervals["start"].to_numpy(dtype=np.int64)
        return starts

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
        starts = self.locate(intervals)
        widths = (intervals["end"] - intervals["start"]).to_numpy()
        if widths.min() != widths.max():
            raise InputError(
                f"the intervals are {widths.min():,} to {widths.max():,} bp long; expected one length. "
                "Resize them first: seqdl.resize(intervals, width)."
            )
        found = self.gather(starts, int(widths[0]))
        if "strand" in intervals:
            minus = intervals["strand"].to_numpy() == "-"
            if minus.any():
                found[minus] = reverse_complement(found[minus])
        return found

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
