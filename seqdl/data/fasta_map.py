"""A FASTA mapped as it lies on disk, read through the index beside it, for a genome that is looked into once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqdl.types import Codes

_LINE_END = b"\r\n"


@dataclass(frozen=True, eq=False)
class FastaMap:
    """The bytes of a plain FASTA, and where the bases of each chromosome lie in them.

    Attributes
    ----------
    raw : uint8 array
        The whole file, mapped; nothing of it is in memory before it is read.
    lengths : dict of str to int
        Chromosome lengths in bp, in the order of the file.
    layout : int64 array, (n_chromosomes, 3)
        Place of the first base, bases in a line, bytes in a line.
    """

    raw: Codes
    lengths: dict[str, int]
    layout: NDArray[np.int64]

    @classmethod
    def open(cls, path: Path) -> FastaMap | None:
        """Map a FASTA, or return None where it is packed, or has no index (PATH.fai) that fits it to the byte."""
        index = path.with_name(path.name + ".fai")
        try:
            if not path.stat().st_size or index.stat().st_mtime_ns < path.stat().st_mtime_ns:
                return None
            rows = [line.split("\t") for line in index.read_text(encoding="utf-8").splitlines()]
            names = [row[0] for row in rows]
            numbers = np.array([[int(cell) for cell in row[1:5]] for row in rows], dtype=np.int64).reshape(-1, 4)
            raw = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
        except (OSError, ValueError, IndexError):
            return None
        if not names or len(set(names)) < len(names) or not _fits(raw, names, numbers):
            return None
        return cls(raw, dict(zip(names, numbers[:, 0].tolist(), strict=True)), numbers[:, 1:])


def _fits(raw: Codes, names: list[str], numbers: NDArray[np.int64]) -> bool:
    """Tell whether the records of an index follow one upon the other from the first byte of a file to its last.

    Between two of them nothing but a header may lie, and their first line must end where it should: an index that leaves out a
    chromosome of a name it has already, or one of an earlier state of the file, does not fit.
    """
    end = 0
    for name, (size, first, line, width) in zip(names, numbers.tolist(), strict=True):
        if size < 1 or line < 1 or width <= line or first > raw.size:
            return False
        header = raw[end:first].tobytes().decode("utf-8", "replace")
        if header[:1] != ">" or header[-1:] != "\n" or header.count("\n") > 1 or (header[1:].split() or [""])[0] != name:
            return False
        end = first + size + (size - 1) // line * (width - line)  # after the last base
        if end > raw.size or raw[end - 1] in _LINE_END:
            return False
        if size > line and not (raw[first + line - 1] not in _LINE_END and all(letter in _LINE_END for letter in raw[first + line : first + width])):
            return False
        while end < raw.size and raw[end] in _LINE_END:
            end += 1
    return end == raw.size
