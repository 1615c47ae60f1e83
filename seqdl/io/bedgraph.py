"""BedGraph: a value for runs of bases, read once into arrays."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.errors import FormatError
from seqdl.io.files import PathLike, open_text, shown
from seqdl.ledger import Ledger
from seqdl.sequence.runs import Runs

_BYTES_AT_ONCE = 1 << 24
_SKIPPED = ("#", "track", "browser")
_INTEGER = re.compile(r"\+?[0-9]{1,18}")
_LARGEST = float(np.finfo(np.float32).max)
_WIGGLE = re.compile(r"(fixed|variable)Step\b")


@dataclass
class _Lines:
    """Columns of the lines read so far, block by block; chromosomes by their number in `names`."""

    names: dict[str, int] = field(default_factory=dict)
    chroms: list[NDArray[np.int32]] = field(default_factory=list)
    starts: list[NDArray[np.int64]] = field(default_factory=list)
    ends: list[NDArray[np.int64]] = field(default_factory=list)
    values: list[NDArray[np.float32]] = field(default_factory=list)
    skipped: int = 0


def read_bedgraph(path: PathLike, *, ledger: Ledger | None = None) -> dict[str, Runs]:
    r"""Read a bedGraph: chrom, start, end (0-based, half-open) and a value in each line.

    Comment, track and browser lines are skipped; the lines may lie in any order, but no two may cover one base.

    Parameters
    ----------
    path : path or "-"
        Plain, gzip or bgzip.
    ledger : Ledger, optional
        Where to note what was skipped.

    Returns
    -------
    dict of str to Runs
        Sorted runs with float32 values, by chromosome in the order of the file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If a line is not chrom, start, end, value, if two lines cover one base, or if there is no line; the message has file and line.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.bedGraph")
    ...     _ = path.write_text("track type=bedGraph\nchr1\t5\t9\t0.5\nchr1\t0\t5\t2\n")
    ...     print(read_bedgraph(path)["chr1"].values)
    [2.  0.5]
    """
    name = shown(path)
    lines = _Lines()
    number = 1
    with open_text(path) as stream:
        while block := stream.readlines(_BYTES_AT_ONCE):
            _read_block(lines, block, where=name, first=number)
            number += len(block)
    if not lines.chroms:
        raise FormatError(f"{name} holds no value. Lines with chrom, start, end and value were expected. Give a bedGraph or bigWig with values.")
    if ledger is not None and lines.skipped:
        ledger.note(f"{name}: {lines.skipped:,} comment, track or browser line(s) skipped")
    return _by_chromosome(lines, name)


def _read_block(lines: _Lines, block: list[str], *, where: str, first: int) -> None:
    """Read a block of lines, by the fast parser where it takes them all and line by line otherwise."""
    table = _parse_fast(block)
    if table is None:
        table = pd.DataFrame(_parse(lines, block, where=where, first=first), columns=["chrom", "start", "end", "value"])
        if table.empty:
            return
    for chrom in table["chrom"].unique().tolist():
        lines.names.setdefault(chrom, len(lines.names))
    lines.chroms.append(np.asarray(table["chrom"].map(lines.names), dtype=np.int32))
    lines.starts.append(table["start"].to_numpy(np.int64))
    lines.ends.append(table["end"].to_numpy(np.int64))
    lines.values.append(table["value"].to_numpy(np.float32))


def _parse_fast(block: list[str]) -> pd.DataFrame | None:
    """Parse clean tab-separated lines; None if any line needs a closer look."""
    if block[0].startswith(_SKIPPED):
        return None
    dtypes = {0: str, 1: np.int64, 2: np.int64, 3: np.float64}
    try:
        table = pd.read_csv(io.StringIO("".join(block)), sep="\t", header=None, dtype=dtypes, keep_default_na=False, quoting=3)
    except (ValueError, OverflowError):  # pandas' ParserError is a ValueError
        return None
    if table.shape[1] != 4:
        return None
    table.columns = pd.Index(["chrom", "start", "end", "value"])
    start, end, value = (table[column].to_numpy() for column in ("start", "end", "value"))
    clean = np.isfinite(value).all() and (np.abs(value) <= _LARGEST).all() and (start >= 0).all() and (start < end).all()
    chroms = table["chrom"].unique().tolist()
    return table if clean and all(chrom and chrom == chrom.strip() and not chrom.startswith(_SKIPPED) for chrom in chroms) else None


def _parse(lines: _Lines, block: list[str], *, where: str, first: int) -> Iterator[tuple[str, int, int, float]]:
    for number, line in enumerate(block, first):
        cells = line.split()
        if not cells:
            continue
        if line.startswith("#") or (line.startswith(_SKIPPED) and not (len(cells) == 4 and _INTEGER.fullmatch(cells[1]))):
            lines.skipped += 1
            continue
        yield _parse_line(cells, f"{where}, line {number}")


def _parse_line(cells: list[str], where: str) -> tuple[str, int, int, float]:
    if _WIGGLE.match(cells[0]):
        raise FormatError(f"{where}: this is a wiggle file, not bedGraph. Lines with chrom, start, end, value were expected. Convert it to bigWig.")
    if len(cells) != 4:
        advice = "If this is a BED of intervals, it is no signal." if len(cells) > 4 else "Mend the line, or the end of the file if it was cut."
        raise FormatError(
            f"{where}: {len(cells)} column{'s' * (len(cells) > 1)} in {' '.join(cells)[:80]!r}. chrom, start, end and value were expected. {advice}"
        )
    if not (_INTEGER.fullmatch(cells[1]) and _INTEGER.fullmatch(cells[2])):
        raise FormatError(f"{where}: start {cells[1]!r} and end {cells[2]!r}; two positions in bp from 0 were expected. Mend the line.")
    start, end = int(cells[1]), int(cells[2])
    if start >= end:
        raise FormatError(
            f"{where}: start {start} is not before end {end}. bedGraph is 0-based and half-open, so start < end was expected. Mend the line."
        )
    try:
        value = float(cells[3])
    except ValueError:
        raise FormatError(
            f"{where}: the value {cells[3]!r} in column 4 is no number. A number was expected. If this is a BED, it is no signal."
        ) from None
    if abs(value) > _LARGEST:  # NaN passes: it says that there is no value
        raise FormatError(f"{where}: the value {cells[3]} does not fit into single precision. A finite number or nan was expected. Mend the line.")
    return cells[0], start, end, value


def _by_chromosome(lines: _Lines, name: str) -> dict[str, Runs]:
    """Sort the lines of each chromosome, and refuse bases that are covered twice."""
    chroms, values = np.concatenate(lines.chroms), np.concatenate(lines.values)
    starts, ends = np.concatenate(lines.starts), np.concatenate(lines.ends)
    order = np.lexsort((starts, chroms))
    bounds = np.searchsorted(chroms[order], np.arange(len(lines.names) + 1))
    found = {}
    for chrom, i in lines.names.items():
        rows = order[bounds[i] : bounds[i + 1]]
        runs = Runs(starts[rows], ends[rows], values[rows])
        twice = np.flatnonzero(runs.starts[1:] < runs.ends[:-1])
        if len(twice):
            one, other = (f"{chrom}:{runs.starts[j]:,}-{runs.ends[j]:,}" for j in (twice[0], twice[0] + 1))
            raise FormatError(
                f"{name}: {len(twice):,} lines cover bases that another covers; first: {one} and {other}. "
                "One value a base was expected. Merge them, for instance with bedtools genomecov or bedtools merge."
            )
        found[chrom] = runs
    return found
