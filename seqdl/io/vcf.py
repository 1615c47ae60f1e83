"""VCF: variants as data frames, one row an alternative allele, 0-based and half-open."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from seqdl.errors import FormatError, InputError
from seqdl.io.files import PathLike, open_text, shown, writing
from seqdl.io.table import require_columns
from seqdl.ledger import Ledger

COLUMNS = ("chrom", "start", "end", "ref", "alt", "id")
"""The columns every table of variants has, in this order."""

_INTEGER = re.compile(r"[0-9]{1,18}")
_BASES = re.compile(r"[ACGTN]+")
_IUPAC = re.compile(r"[ACGTNRYSWKMBDHVU]+")
_KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.]*")
_PASSED = frozenset({"PASS", ".", "", "0"})
_SYMBOLIC = (
    (re.compile(r"<.*>"), "symbolic allele"),
    (re.compile(r"\*"), "allele lost to a deletion upstream (*)"),
    (re.compile(r"\.?"), "no alternative allele"),
    (re.compile(r".*[\[\]].*|\.[A-Z]+|[A-Z]+\."), "breakend"),
)
_AMBIGUOUS = "an allele has an ambiguity letter other than N"
_NOT_PASSED = "did not pass its filters"


@dataclass
class _Seen:
    """Alleles that were read, and what there is to say of them."""

    rows: list[tuple[str, int, int, str, str, str]] = field(default_factory=list)
    n_records: int = 0
    n_split: int = 0
    n_failed: int = 0
    n_dropped: int = 0


def read_vcf(path: PathLike, *, passed_only: bool = False, ledger: Ledger | None = None) -> pd.DataFrame:
    r"""Read variants from VCF, one row an alternative allele.

    A line with several ALT gives several rows. Alleles that are not spelt out (``<DEL>``, ``*``, ``.``, breakends) go into the ledger.
    Genotypes and INFO are not read, alleles are not trimmed or moved.

    Parameters
    ----------
    path : path or "-"
        Plain, gzip or bgzip; the header may be missing.
    passed_only : bool, default False
        Whether to leave out, into the ledger, what did not pass its filters (FILTER neither PASS nor ``.``).
    ledger : Ledger, optional
        Takes what is left out, and notes on what was taken with care. Without it, alleles that are left out are warned of.

    Returns
    -------
    DataFrame
        ``chrom`` (str), ``start``, ``end`` (int64, 0-based half-open: the bases of REF), ``ref``, ``alt`` (upper case A C G T N),
        ``id`` (as given, or ``chrom:position:ref>alt`` with the 1-based position).

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If a line is no variant, or no allele is spelt out; the message has file and line.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.vcf")
    ...     _ = path.write_text("##fileformat=VCFv4.3\nchrI\t5\t.\tCA\tC,TA\t.\t.\t.\n")
    ...     print(read_vcf(path).to_string(index=False))
    chrom  start  end ref alt           id
     chrI      4    6  CA   C  chrI:5:CA>C
     chrI      4    6  CA  TA chrI:5:CA>TA
    """
    name = shown(path)
    given, ledger = ledger, Ledger() if ledger is None else ledger
    seen = _Seen()
    with open_text(path) as stream:
        for number, line in enumerate(stream, 1):
            if line.strip() and not line.startswith("#"):
                _add(seen, line.rstrip("\n").split("\t", 8), f"{name}, line {number}", passed_only=passed_only, ledger=ledger)
    if not seen.rows:
        what = f"none of its {seen.n_dropped:,} alleles is spelt out or taken" if seen.n_records else "it holds no variant"
        raise FormatError(f"{name}: {what}. Lines with CHROM, POS, ID, REF and ALT in letters were expected. Give a VCF with such variants.")
    if given is None and seen.n_dropped:
        reasons = ", ".join(f"{reason}: {n:,}" for reason, n in ledger.counts().items())
        warnings.warn(f"{name}: {seen.n_dropped:,} alleles are left out ({reasons}); read_vcf(path, ledger=Ledger()) lists them", stacklevel=2)
    if seen.n_split:
        ledger.note(f"{name}: {seen.n_split:,} of {seen.n_records:,} records have several alternative alleles; one row each")
    if seen.n_failed and not passed_only:
        ledger.note(f"{name}: {seen.n_failed:,} of {seen.n_records:,} records did not pass their filters; taken all the same")
    return pd.DataFrame(seen.rows, columns=list(COLUMNS)).astype({"start": np.int64, "end": np.int64})


def _add(seen: _Seen, cells: list[str], where: str, *, passed_only: bool, ledger: Ledger) -> None:
    chrom, position, identifier, ref, alts = _required(cells, where)
    failed = len(cells) > 6 and cells[6].strip() not in _PASSED
    seen.n_records += 1
    seen.n_failed += failed
    seen.n_split += len(alts) > 1
    start, source = position - 1, where.rpartition(", line ")[0]
    for alt in alts:
        reason = _NOT_PASSED if failed and passed_only else _reason(ref, alt, where)
        name = identifier if identifier not in {"", "."} else f"{chrom}:{position}:{ref}>{alt}"
        if start < 0 and not reason:
            raise FormatError(f"{where}: position 0 stands for a telomere, yet {ref}>{alt} has bases. Positions from 1 were expected. Mend the line.")
        if reason:
            seen.n_dropped += 1
            ledger.drop(name, reason, chrom=chrom, start=start, end=start + len(ref), source=source)
        else:
            seen.rows.append((chrom, start, start + len(ref), ref, alt, name))


def _required(cells: list[str], where: str) -> tuple[str, int, str, str, list[str]]:
    """Check the first five columns of a line."""
    if len(cells) < 5:
        blanks = len(" ".join(cells).split()) >= 5
        advice = "They are parted by blanks: put tabs." if blanks else "Mend the line, or the end of the file if it was cut."
        raise FormatError(
            f"{where}: {len(cells)} tab-separated column{'s' * (len(cells) > 1)} in {' '.join(cells)[:80]!r}. "
            f"CHROM POS ID REF ALT were expected. {advice}"
        )
    chrom, position, identifier, ref, alts = (cell.strip() for cell in cells[:5])
    if not chrom:
        raise FormatError(f"{where}: the chromosome is empty. A name was expected in column 1. Mend the line.")
    if not _INTEGER.fullmatch(position):
        raise FormatError(f"{where}: position {position!r} is no integer. A position from 1 was expected in column 2. Mend the line; is this a VCF?")
    ref = ref.upper()
    if not _IUPAC.fullmatch(ref):
        raise FormatError(f"{where}: REF {ref[:40]!r} is no sequence. Letters A C G T N were expected in column 4. Mend the line; is this a VCF?")
    return chrom, int(position), identifier, ref, [alt if alt.startswith("<") else alt.upper() for alt in alts.split(",")]


def _reason(ref: str, alt: str, where: str) -> str:
    """Return why an allele cannot be taken, or ""."""
    if _BASES.fullmatch(alt):
        return "" if _BASES.fullmatch(ref) else _AMBIGUOUS
    if _IUPAC.fullmatch(alt):
        return _AMBIGUOUS
    for pattern, reason in _SYMBOLIC:
        if pattern.fullmatch(alt):
            return reason
    raise FormatError(f"{where}: ALT {alt[:40]!r} is no allele. Letters A C G T N, or <...>, *, . or a breakend were expected. Mend the line.")


def write_vcf(path: PathLike, variants: pd.DataFrame, *, info: Mapping[str, str] | None = None, force: bool = False) -> None:
    r"""Write variants as VCF 4.3, one line a row in the order given, whole or not at all.

    Parameters
    ----------
    path : path or "-"
        Where to; compressed if the name ends in ``.gz``.
    variants : DataFrame
        Columns ``chrom``, ``start``, ``end`` (0-based half-open), ``ref``, ``alt``; ``id`` if there.
    info : mapping of str to str, optional
        Columns to write as INFO fields, each with its description for the header. Integers, floats, booleans (as flags) and text;
        missing values are left out.
    force : bool, default False
        Whether a file that is already there may be replaced.

    Raises
    ------
    InputError
        If a column is missing, an allele is no sequence of A C G T N, `end` is not where REF ends, or a name does not fit into a VCF.

    Examples
    --------
    >>> import tempfile
    >>> variants = pd.DataFrame({"chrom": ["chrI"], "start": [4], "end": [5], "ref": ["C"], "alt": ["T"], "effect": [-0.25]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_vcf(f"{folder}/a.vcf", variants, info={"effect": "Change of the logit"})
    ...     print(open(f"{folder}/a.vcf").read().replace("\t", " "), end="")
    ##fileformat=VCFv4.3
    ##contig=<ID=chrI>
    ##INFO=<ID=effect,Number=1,Type=Float,Description="Change of the logit">
    #CHROM POS ID REF ALT QUAL FILTER INFO
    chrI 5 . C T . . effect=-0.25
    """
    info = {} if info is None else info
    require_columns(variants, [*COLUMNS[:5], *info], "the table of variants")
    _check(variants)
    fields = _info_column(variants, info)
    identifiers = variants["id"].fillna(".").astype(str).tolist() if "id" in variants else ["."] * len(variants)
    _check_words([*variants["chrom"].astype(str).unique(), *identifiers])
    with writing(path, force=force) as stream:
        stream.write("##fileformat=VCFv4.3\n")
        stream.writelines(f"##contig=<ID={chrom}>\n" for chrom in variants["chrom"].unique())
        for key, description in info.items():
            number, kind = _kind(variants[key])
            text = str(description).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
            stream.write(f'##INFO=<ID={key},Number={number},Type={kind},Description="{text}">\n')
        stream.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        columns = [variants[column].tolist() for column in ("chrom", "start", "ref", "alt")]
        for chrom, start, ref, alt, name, field_ in zip(*columns, identifiers, fields, strict=True):
            stream.write(f"{chrom}\t{int(start) + 1}\t{name or '.'}\t{ref}\t{alt}\t.\t.\t{field_}\n")


def _check(variants: pd.DataFrame) -> None:
    """Raise unless every row has two alleles of bases and an end that fits REF."""
    for column in ("ref", "alt"):
        wrong = np.flatnonzero([not _BASES.fullmatch(str(allele)) for allele in variants[column]])
        if len(wrong):
            raise InputError(
                f"{len(wrong):,} of {len(variants):,} variants have a {column} that is no sequence; first: row {wrong[0]}, "
                f"{variants[column].iloc[wrong[0]]!r}. Letters A C G T N were expected. Mend or drop them."
            )
    start = variants["start"].to_numpy(np.int64)
    wrong = np.flatnonzero((start < 0) | (variants["end"].to_numpy(np.int64) - start != variants["ref"].astype(str).str.len().to_numpy(np.int64)))
    if len(wrong):
        row = variants.iloc[wrong[0]]
        raise InputError(
            f"{len(wrong):,} of {len(variants):,} variants are not as long as their REF; first: row {wrong[0]}, "
            f"{row['chrom']}:{row['start']}-{row['end']} with REF {row['ref']}. end = start + len(ref) and start >= 0 were expected. Mend them."
        )


def _check_words(words: Iterable[str]) -> None:
    bad = next((word for word in words if re.search(r"\s", word)), None)
    if bad is not None:
        raise InputError(f"the chromosome or id {bad!r} has a blank; a VCF cannot hold it. A name without blanks was expected. Rename it.")


def _kind(column: pd.Series) -> tuple[int, str]:
    """Return Number and Type of an INFO field."""
    kinds = {"b": (0, "Flag"), "i": (1, "Integer"), "u": (1, "Integer"), "f": (1, "Float")}
    return kinds.get(column.dtype.kind, (1, "String"))


def _info_column(variants: pd.DataFrame, info: Mapping[str, str]) -> list[str]:
    """Return the INFO text of every row."""
    bad = [key for key in info if not _KEY.fullmatch(key)]
    if bad:
        raise InputError(f"the column {bad[0]!r} cannot be an INFO field. Letters, digits, _ and . were expected, no digit first. Rename it.")
    texts: list[list[str]] = [[] for _ in range(len(variants))]
    for key in info:
        column = variants[key]
        flag = _kind(column)[1] == "Flag"
        for cells, value, missing in zip(texts, column.tolist(), column.isna().tolist(), strict=True):
            if flag and not missing and value:
                cells.append(key)
            elif not flag and not missing:
                cells.append(f"{key}={_info_text(value)}")
    return [";".join(cells) or "." for cells in texts]


def _info_text(value: Any) -> str:
    """Write a value so that it cannot be taken for VCF punctuation."""
    return f"{value:.9g}" if isinstance(value, float) else quote(str(value), safe="!\"#$&'()*+-./:<>?@[\\]^_`{|}~")
