"""GFF3 and GTF: features of a genome as intervals, 0-based and half-open."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import TextIO
from urllib.parse import unquote

import numpy as np
import pandas as pd

from seqdl.errors import FormatError, UnknownNameError, listing
from seqdl.io.files import PathLike, open_text, shown
from seqdl.ledger import Ledger

COLUMNS = ("chrom", "start", "end", "name", "score", "strand", "feature", "attributes")
"""The columns of a table of features: those of intervals, the kind of feature, and column 9 as it stands."""

_INTEGER = re.compile(r"[0-9]{1,18}")
_STRANDS = {"+": "+", "-": "-", ".": ".", "?": ".", "": "."}
_GFF3_KEY = re.compile(r"\s*[^\s=;\"]+=")
_GFF3_NAMES = tuple(re.compile(rf"(?:^|;)\s*{key}=([^;]+)") for key in ("ID", "Name", "gene_id"))
_GTF_NAMES = tuple(re.compile(rf"(?:^|;)\s*{key}\s+(?:\"([^\"]+)\"|([^\s\";]+))") for key in ("ID", "Name", "gene_id", "transcript_id"))

_Row = tuple[str, int, int, str, float, str, str, str]


def read_gff(path: PathLike, *, features: str | Collection[str] | None = None, ledger: Ledger | None = None) -> pd.DataFrame:
    r"""Read features from GFF3 or GTF.

    Their coordinates, 1-based and inclusive, become 0-based and half-open. A FASTA section at the end of a GFF3 is passed over.

    Parameters
    ----------
    path : path or "-"
        Plain, gzip or bgzip.
    features : str or collection of str, optional
        The kinds of feature to take (column 3, such as ``CDS``); all by default.
    ledger : Ledger, optional
        Where to note how many features were left out.

    Returns
    -------
    DataFrame
        ``chrom`` (str), ``start``, ``end`` (int64, 0-based half-open), ``name`` (the attribute ID, else Name, else gene_id; else
        ``chrom:start-end``; several rows may share one), ``score`` (float64, 0 where missing), ``strand`` (``+``, ``-`` or ``.``),
        ``feature`` (the kind) and ``attributes`` (column 9 as it stands).

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If a line is no feature, or there is none; the message has file and line.
    UnknownNameError
        If the file has no feature of a kind in `features`.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.gtf")
    ...     _ = path.write_text('chrI\tx\tCDS\t5\t9\t.\t-\t0\tgene_id "G1"; transcript_id "T1";\n')
    ...     print(read_gff(path).drop(columns="attributes").to_string(index=False))
    chrom  start  end name  score strand feature
     chrI      4    9   G1    0.0      -     CDS
    """
    name = shown(path)
    wanted = {features} if isinstance(features, str) else None if features is None else set(features)
    rows: list[_Row] = []
    met: Counter[str] = Counter()
    with open_text(path) as stream:
        _read(stream, name, wanted=wanted, rows=rows, met=met)
    if not met:
        raise FormatError(f"{name} holds no feature. Lines with nine columns of GFF3 or GTF were expected. Give a file with features.")
    for kind in sorted(wanted or ()):
        if kind not in met:
            raise UnknownNameError("feature", kind, [kind for kind, _ in met.most_common()], hint=f"These are in {name}.")
    if ledger is not None and len(rows) < met.total():
        left = listing(f"{kind} ({n:,})" for kind, n in met.most_common() if wanted is not None and kind not in wanted)
        ledger.note(f"{name}: {met.total() - len(rows):,} of {met.total():,} features are of other kinds and are not used: {left}")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"start": np.int64, "end": np.int64, "score": np.float64})


def _read(stream: TextIO, name: str, *, wanted: Collection[str] | None, rows: list[_Row], met: Counter[str]) -> None:
    """Read lines into `rows`, and count the kinds of all in `met`, up to the FASTA section."""
    for number, line in enumerate(stream, 1):
        if line.startswith(("##FASTA", ">")):
            if line.startswith(">") and not met:
                raise FormatError(f"{name}, line {number}: this is FASTA, not GFF. Lines with nine columns were expected. Give the annotation.")
            return
        if not line.strip() or line.startswith(("#", "track ", "browser ")):
            continue
        cells = line.rstrip("\n").split("\t")
        where = f"{name}, line {number}"
        _check_columns(cells, where)
        kind = cells[2].strip()
        met[kind] += 1
        if wanted is None or kind in wanted:
            rows.append(_row(cells, where))


def _check_columns(cells: list[str], where: str) -> None:
    if len(cells) in (8, 9) and cells[0].strip() and cells[2].strip():
        return
    if len(cells) >= 3 and all(_INTEGER.fullmatch(cell.strip()) for cell in cells[1:3]):
        advice = "This looks like BED: read it with seqdl.read_bed."
    elif len(" ".join(cells).split()) >= 8 and len(cells) < 8:
        advice = "They are parted by blanks: put tabs."
    else:
        advice = "Mend the line, or the end of the file if it was cut."
    raise FormatError(
        f"{where}: {len(cells)} tab-separated column{'s' * (len(cells) > 1)} in {' '.join(cells)[:80]!r}. "
        f"Nine were expected, with a chromosome in column 1 and a feature in column 3. {advice}"
    )


def _row(cells: list[str], where: str) -> _Row:
    chrom, _, kind, first, last, score, strand = (cell.strip() for cell in cells[:7])
    attributes = cells[8].strip() if len(cells) > 8 else ""
    if not (_INTEGER.fullmatch(first) and _INTEGER.fullmatch(last)) or int(first) < 1:
        raise FormatError(f"{where}: start {first!r} and end {last!r}. Two positions in bp from 1 were expected in columns 4 and 5. Mend the line.")
    start, end = int(first) - 1, int(last)
    if start >= end:
        raise FormatError(
            f"{where}: start {first} is past end {last}. GFF counts from 1 and includes the end: start <= end was expected. Mend the line."
        )
    if strand not in _STRANDS:
        raise FormatError(f"{where}: strand {strand!r} in column 7. One of + - . ? was expected. Mend the line.")
    try:
        number = 0.0 if score in {"", "."} else float(score)
    except ValueError:
        raise FormatError(f"{where}: score {score!r} in column 6 is no number. A number or . was expected. Mend the line.") from None
    gff3 = attributes in {"", "."} or bool(_GFF3_KEY.match(attributes))
    chrom = unquote(chrom) if gff3 else chrom
    return chrom, start, end, _name(attributes, gff3=gff3) or f"{chrom}:{start}-{end}", number, _STRANDS[strand], kind, attributes


def _name(attributes: str, *, gff3: bool) -> str:
    """Return what the attributes call a feature, or ""."""
    for pattern in _GFF3_NAMES if gff3 else _GTF_NAMES:
        found = pattern.search(attributes)
        if found:
            text = next(group for group in found.groups() if group)
            return unquote(text.strip()) if gff3 else text
    return ""
