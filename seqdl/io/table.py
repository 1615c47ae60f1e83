"""Tables with a header line: what we write as TSV, and the CSV or TSV users bring."""

from __future__ import annotations

import csv
from collections.abc import Collection

import numpy as np
import pandas as pd

from seqdl.errors import FormatError, InputError
from seqdl.io.files import PathLike, open_text, shown, writing

TEXT_COLUMNS = frozenset(
    "id chrom name strand split reason source query match motif filter peak sequence consensus label ref alt description".split()  # noqa: SIM905
)
"""Columns that are text whatever they look like, in either case: an id 007, a chromosome 1, a consensus NAN."""

_MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"})
_SEPARATORS = "\t,;"


def write_tsv(path: PathLike, table: pd.DataFrame, *, force: bool = False, float_format: str = "%.9g") -> None:
    """Write a table as TSV with a header line, whole or not at all; the index is left out.

    Parameters
    ----------
    path : path or "-"
        Where to; compressed if the name ends in ``.gz``.
    table : DataFrame
        Missing values become empty cells.
    force : bool, default False
        Whether a file that is already there may be replaced.
    float_format : str, default "%.9g"
        Nine digits keep every float32 apart.

    Raises
    ------
    InputError
        If two columns have one name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tsv(f"{folder}/a.tsv", pd.DataFrame({"id": ["07", "08"], "score": [1 / 3, None]}))
    ...     print(read_tsv(f"{folder}/a.tsv"))
       id     score
    0  07  0.333333
    1  08       NaN
    """
    _check_columns([str(column) for column in table.columns], "the table")
    with writing(path, force=force) as stream:
        table.to_csv(stream, sep="\t", index=False, float_format=float_format, lineterminator="\n", na_rep="")


def read_tsv(path: PathLike) -> pd.DataFrame:
    """Read a TSV with a header line.

    Parameters
    ----------
    path : path or "-"
        Plain, gzip or bgzip.

    Returns
    -------
    DataFrame
        The columns in `TEXT_COLUMNS` (``id``, ``chrom``, ...) are text; of the others, those that hold only numbers are numbers, NaN where empty.
        An empty cell of text is an empty text.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is empty, a title is repeated or a line has too many or too few cells.
    """
    return read_table(path, separator="\t")


def read_table(path: PathLike, *, separator: str | None = None, text: Collection[str] = ()) -> pd.DataFrame:
    """Read a CSV, TSV or semicolon table with a header line.

    Parameters
    ----------
    path : path or "-"
        Plain, gzip or bgzip.
    separator : str, optional
        By default the first of tab, comma and semicolon that stands in the header line.
    text : collection of str, optional
        Further columns that are text whatever they look like, beside `TEXT_COLUMNS`.

    Returns
    -------
    DataFrame
        As from `read_tsv`.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is empty, a title is repeated or a line has too many or too few cells.
    """
    name = shown(path)
    with open_text(path) as stream:
        content = stream.read()
    header = next(iter(content.splitlines()), "")
    if not header.strip():
        raise FormatError(f"{name} is empty or begins with an empty line. A table with a header line was expected. Check the file.")
    if separator is None:
        separator = next((mark for mark in _SEPARATORS if mark in header), "\t")
    titles, cells = _cells(content, separator, name)
    columns = zip(*cells, strict=True) if cells else ((),) * len(titles)
    return pd.DataFrame(
        {title: _column(list(values), is_text=title.lower() in TEXT_COLUMNS or title in text) for title, values in zip(titles, columns, strict=True)}
    )


def require_columns(table: pd.DataFrame, columns: Collection[str], source: str) -> None:
    """Raise `InputError` with the titles there are if `table`, read from `source`, lacks one of `columns`.

    Examples
    --------
    >>> require_columns(pd.DataFrame({"seq": []}), ["seq", "y"], "t.csv")
    Traceback (most recent call last):
        ...
    seqdl.errors.InputError: t.csv has no column 'y'. Its columns are: seq. Name one of these or fix the header.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        titles = ", ".join(str(title) for title in table.columns)
        raise InputError(f"{source} has no column '{missing[0]}'. Its columns are: {titles}. Name one of these or fix the header.")


def _cells(content: str, separator: str, name: str) -> tuple[list[str], list[list[str]]]:
    """Part a table into its titles and its rows, every row as long as the header."""
    lines = content.splitlines(keepends=True) if '"' in content else ()
    quoted = csv.reader(lines, delimiter=separator)  # slower, and of no use for cells over 128 kb, so only where there are quotation marks
    rows = quoted if lines else (line.split(separator) if line else [] for line in content.split("\n"))
    titles: list[str] = []
    cells: list[list[str]] = []
    try:
        for number, row in enumerate(rows, 1):
            if not titles:
                titles = [title.strip() for title in row]
                _check_columns(titles, f"{name}, line 1")
            elif len(row) == len(titles):
                cells.append(row)
            elif row:
                raise FormatError(
                    f"{name}, line {quoted.line_num or number}: {len(row)} cells where the header has {len(titles)}. "
                    "One cell a column was expected. Mend the line, or the end of the file if it was cut."
                )
    except csv.Error as error:
        raise FormatError(f"{name}, line {quoted.line_num}: {error}. A plain table was expected. Look for a quotation mark left open.") from error
    return titles, cells


def _check_columns(titles: list[str], where: str) -> None:
    repeated = sorted({title for title in titles if titles.count(title) > 1})
    if repeated:
        raise FormatError(f"{where}: the column '{repeated[0]}' is there more than once. Different titles were expected. Rename one.")


def _column(values: list[str], *, is_text: bool) -> pd.Series:
    """Turn cells into text, or into integers or floats where all of them are numbers."""
    if is_text:
        return pd.Series(values, dtype=str)
    known = [value for value in values if value.strip() not in _MISSING]
    if not known:
        return pd.Series(np.full(len(values), np.nan))
    if any("_" in value for value in known):  # Python reads 1_2 as the number 12
        return pd.Series(values, dtype=str)
    try:
        if len(known) == len(values):
            return pd.Series(np.array(known, dtype=np.int64))
    except (ValueError, OverflowError):
        pass
    try:
        return pd.Series([float(value) if value.strip() not in _MISSING else np.nan for value in values], dtype=np.float64)
    except ValueError:
        return pd.Series(values, dtype=str)
