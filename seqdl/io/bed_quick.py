"""BED files that hold nothing unusual, read whole; whatever is unusual is left to the reader that goes line by line and explains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.io.files import PathLike, open_binary

_PADDED = (b" \t", b"\t ", b" \n", b"\n ")
_NOT_FIRST = ("#", ">", "@", "track", "browser", "fixedStep", "variableStep")  # lines that begin so are not intervals, or other formats
_MOST_DIGITS = 18
_LONGEST_WORD = 64  # of a chromosome or a number


def quick_table(path: PathLike, *, score: Callable[[str], float | None], strands: dict[str, str], names: bool = True) -> pd.DataFrame | None:
    """Read a BED whose lines are all alike.

    Parameters
    ----------
    path : path or "-"
    score : callable
        Turns the text of a number into one, 0 where it is missing, or None where it is no number.
    strands : dict of str to str
        What is written for a strand, and the strand.
    names : bool, default True
        Whether names and scores are wanted too.

    Returns
    -------
    DataFrame or None
        chrom, start, end; name ("" where missing) and score; strand; peak where there are narrowPeak's ten columns. Chromosomes and strands
        are categories. None where a line is no interval, or would have to be skipped, mended or told of; and for a stream, which can be
        read but once.
    """
    if str(path) == "-":
        return None
    with open_binary(path) as stream:
        data = stream.read()
    cells = _Cells.of(data)
    if cells is None:
        return None
    looks: dict[int, Callable[[str], Any]] = {0: _chromosome, 4: score, 5: strands.get}
    if cells.n_columns == 10:
        looks |= {6: score, 7: score, 8: score, 9: _offset}
    wanted = [column for column in looks if column < cells.n_columns and (names or column != 4)]
    seen = {column: cells.looked_up(column, looks[column]) for column in wanted}
    start, end = cells.integers(1), cells.integers(2)
    if start is None or end is None or not (start < end).all() or any(values is None for values in seen.values()):
        return None
    table = pd.DataFrame({"chrom": seen[0], "start": start, "end": end})
    if names:
        table["name"] = pd.Series(cells.texts(3) if cells.n_columns > 3 else "", index=table.index, dtype=str)
        table["score"] = seen.get(4, 0.0)
    table["strand"] = seen.get(5, ".")
    if cells.n_columns == 10:
        table["peak"] = seen[9]
        if (table["peak"] >= end - start).any():
            return None
    return table


def _chromosome(text: str) -> str | None:
    """Return the name of a chromosome, or None where a line that begins so may be something else."""
    return text if text and not text.startswith(_NOT_FIRST) else None


def _offset(text: str) -> float | None:
    """Return a summit's offset, -1 where there is none, or None where it is neither."""
    return float(text) if text == "-1" or (text.isdigit() and len(text) < 16) else None


@dataclass(frozen=True, eq=False)
class _Cells:
    """Where the cells of a file lie: column c of line i is ``data[begins[i, c]:ends[i, c]]``."""

    data: bytes
    letters: NDArray[np.uint8]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, data: bytes) -> _Cells | None:
        """Find the cells, or return None where the lines are not plain text of as many columns each, three or more, without white space around."""
        n_columns = data[: data.find(b"\n")].count(b"\t") + 1
        padded = b" " in data and (data.startswith(b" ") or any(pair in data for pair in _PADDED))
        if n_columns < 3 or padded:
            return None
        data = data if data.endswith(b"\n") else data + b"\n"
        letters = np.frombuffer(data, dtype=np.uint8)
        marks = np.flatnonzero(letters < ord(" "))  # tabs and line ends
        if marks.size % n_columns or letters.max() > ord("~"):
            return None
        ends = marks.reshape(-1, n_columns)
        kinds = letters[ends]
        if (kinds[:, :-1] != ord("\t")).any() or (kinds[:, -1] != ord("\n")).any():
            return None
        begins = np.concatenate([np.zeros(1, dtype=np.int64), marks[:-1] + 1]).reshape(-1, n_columns)
        return cls(data, letters, begins, ends)

    @property
    def n_columns(self) -> int:
        return int(self.begins.shape[1])

    def texts(self, column: int) -> list[str]:
        """Return the text of every cell of a column."""
        text = self.data.decode("ascii")
        return [text[a:b] for a, b in zip(self.begins[:, column].tolist(), self.ends[:, column].tolist(), strict=True)]

    def integers(self, column: int) -> NDArray[np.int64] | None:
        """Return the numbers of a column, or None where a cell is not made of digits alone."""
        ends = self.ends[:, column]
        size = ends - self.begins[:, column]
        width = int(size.max())
        if size.min() < 1 or width > _MOST_DIGITS:
            return None
        room = np.concatenate([np.zeros(width, dtype=np.uint8), self.letters])
        digits = np.lib.stride_tricks.sliding_window_view(room, width)[ends] - np.uint8(ord("0"))  # (n, width), the last at the right
        digits[np.arange(width) < (width - size)[:, None]] = 0
        return None if digits.max() > 9 else digits @ 10 ** np.arange(width - 1, -1, -1)

    def looked_up(self, column: int, look: Callable[[str], Any]) -> Any:
        """Return what each cell stands for (texts as categories), or None where one stands for nothing; each different cell is looked at once."""
        found = self._words(column)
        if found is None:
            return None
        which, texts = found
        values = [look(text) for text in texts]
        if None in values:
            return None
        if not isinstance(values[0], str):
            return np.array(values, dtype=np.float64)[which]
        numbers, kinds = pd.factorize(pd.Series(values, dtype=str))
        return pd.Categorical.from_codes(numbers[which], categories=kinds)

    def _words(self, column: int) -> tuple[NDArray[np.int64], list[str]] | None:
        """Return which of the different texts of a column stands in each cell, and those texts."""
        begins, size = self.begins[:, column], self.ends[:, column] - self.begins[:, column]
        if size.min() == size.max() == 1:
            letters = self.letters[begins]
            different = np.flatnonzero(np.bincount(letters))
            return np.searchsorted(different, letters), [chr(letter) for letter in different]
        width = -(-max(1, int(size.max())) // 8) * 8
        if width > _LONGEST_WORD:
            return None
        room = np.concatenate([self.letters, np.zeros(width, dtype=np.uint8)])
        padded = np.lib.stride_tricks.sliding_window_view(room, width)[begins]
        padded[np.arange(width) >= size[:, None]] = 0
        words = padded.view(np.uint64)  # (n, width / 8)
        weights = np.random.default_rng(0).integers(1, 1 << 63, words.shape[1], dtype=np.uint64)
        which, sums = pd.factorize((words * weights).sum(axis=1, dtype=np.uint64))
        first = np.empty(len(sums), dtype=np.int64)
        first[which[::-1]] = np.arange(len(which) - 1, -1, -1)
        if (words != words[first[which]]).any():  # two texts of one sum
            return None
        return which, [self.data[a : a + n].decode("ascii") for a, n in zip(begins[first].tolist(), size[first].tolist(), strict=True)]
