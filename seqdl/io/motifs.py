"""Motif files of every common format, told apart by what is in them.

MEME (see `meme`), JASPAR (four rows a motif, with or without brackets), TRANSFAC, and PFM files with one
row of four columns a position (as GimmeMotifs and HOCOMOCO write them). Files may be gzipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seqdl.errors import FormatError, InputError, listing
from seqdl.io.files import open_text, writing
from seqdl.io.meme import one_word, parse_meme, read_meme, write_meme
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import encode

__all__ = ["motif_format", "parse_alignment", "parse_motifs", "read_meme", "read_motifs", "write_jaspar", "write_meme", "write_transfac"]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(rf"^\s*{_NUMBER}(?:[\s,]+{_NUMBER})*\s*$")
_JASPAR_ROW = re.compile(r"^\s*([ACGTU])\s*[|:]?\s*\[?\s*([-+\d.eE\s,]+?)\s*\]?\s*$")
_JASPAR_ID = re.compile(r"^([MU][AN]\d{4}\.\d+)_(?:\1\.)?(.+)$")  # as some collections glue identifier and factor


def read_motifs(path: str | Path) -> list[Motif]:
    """Read the motifs of a file; its format is told by its content.

    Parameters
    ----------
    path : str or Path
        MEME, JASPAR, TRANSFAC or a PFM of four columns, plain or gzipped; ``-`` is stdin.

    Raises
    ------
    FormatError
        If the format is none of these, or a motif in it is broken; names the file and the line.
    """
    with open_text(path) as stream:
        return parse_motifs(list(stream), str(path))


def parse_motifs(lines: Sequence[str], source: str) -> list[Motif]:
    """Return the motifs of text given as lines; `source` names it in messages."""
    kind = motif_format(lines)
    readers: dict[str, Callable[[Sequence[str], str], list[Motif]]] = {
        "meme": parse_meme,
        "jaspar": _parse_headed,
        "pfm": _parse_headed,
        "transfac": _parse_transfac,
    }
    if kind in readers:
        return readers[kind](lines, source)
    known = "expected MEME, JASPAR, TRANSFAC, or a PFM with one row of four columns a position"
    if kind == "empty":
        raise FormatError(f"{source}: the file is empty; {known}. Check how it was made.")
    if kind == "fasta":
        raise FormatError(f"{source}: holds sequences (FASTA), not motifs; {known}. To draw aligned sites, use seqdl logo.")
    first = next(line.strip() for line in lines if line.strip())
    raise FormatError(f"{source}: not a motif file; it begins '{first[:60]}'; {known}. Convert it to one of these.")


def motif_format(lines: Sequence[str]) -> str:
    """Tell the format of motif text: meme, jaspar, pfm, transfac, fasta, empty or unknown.

    Examples
    --------
    >>> motif_format(["MEME version 4"])
    'meme'
    >>> motif_format([">m1", "A [ 1 2 ]"]), motif_format([">s1", "ACGT"])
    ('jaspar', 'fasta')
    """
    content = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not content:
        return "empty"
    if any(line.startswith("MEME version") for line in content[:50]):
        return "meme"
    if any(re.match(r"P[0O]\s+A\s+C\s+G\s+[TU]\b", line) for line in content[:200]):
        return "transfac"
    body = next((line for line in content if not line.startswith(">")), "") if content[0].startswith(">") else ""
    kinds = {"jaspar": _JASPAR_ROW, "pfm": _NUMBERS, "fasta": re.compile(r"[A-Za-z*.\-]+$")}
    return next((kind for kind, pattern in kinds.items() if pattern.match(body)), "unknown")


def parse_alignment(lines: Sequence[str], source: str) -> Motif:
    """Return the motif of aligned sequences in FASTA, named after the file; gaps and N are not counted.

    Raises
    ------
    FormatError
        If the sequences are not of one length or not DNA.

    Examples
    --------
    >>> parse_alignment([">a", "ACG", ">b", "AC-"], "sites.fa").pfm.sum(axis=0).tolist()
    [2.0, 2.0, 1.0]
    """
    records: list[tuple[int, list[str]]] = []
    for at, line in enumerate(lines, start=1):
        if line.startswith(">"):
            records.append((at, []))
        elif line.strip() and records:
            records[-1][1].append(line.strip().replace("-", "N").replace(".", "N"))
    sites = []
    for at, parts in records:
        try:
            sites.append(encode("".join(parts)))
        except InputError as error:
            raise FormatError(f"{source}, line {at}: {error}") from None
        if not len(sites[-1]) or len(sites[-1]) != len(sites[0]):
            raise FormatError(
                f"{source}, line {at}: this sequence has {len(sites[-1])} bases, the first {len(sites[0])}; "
                "expected aligned sites of one length. Cut or align them first."
            )
    return Motif.from_sites(Path(source).name.split(".")[0] if source != "-" else "sites", np.stack(sites))


def write_jaspar(path: str | Path, motifs: Sequence[Motif], *, force: bool = False) -> None:
    """Write motifs in JASPAR format, as counts.

    Probabilities are scaled to the motif's number of sites.

    Raises
    ------
    OutputExistsError
        If the file exists and `force` is not set.
    """
    with writing(path, force=force) as stream:
        for motif in motifs:
            stream.write(f">{one_word(motif.name)}" + (f"\t{one_word(motif.alt_name)}" if motif.alt_name else "") + "\n")
            for base, row in zip("ACGT", motif.ppm * motif.n_sites, strict=True):
                stream.write(f"{base}  [ " + " ".join(f"{value:.8g}" for value in row) + " ]\n")


def write_transfac(path: str | Path, motifs: Sequence[Motif], *, force: bool = False) -> None:
    """Write motifs in TRANSFAC format, as counts, the identifier in AC and the second name in ID.

    Raises
    ------
    OutputExistsError
        If the file exists and `force` is not set.
    """
    with writing(path, force=force) as stream:
        for motif in motifs:
            stream.write(f"AC  {one_word(motif.name)}\nXX\nID  {one_word(motif.alt_name or motif.name)}\nXX\nP0  A  C  G  T\n")
            for position, row in enumerate((motif.ppm * motif.n_sites).T, start=1):
                stream.write(f"{position:02d}  " + "  ".join(f"{value:.8g}" for value in row) + "\n")
            stream.write("XX\n//\n")


def _parse_headed(lines: Sequence[str], source: str) -> list[Motif]:
    """Read records of '>' and rows of numbers: bases as rows (JASPAR) or as columns (PFM)."""
    records: list[tuple[int, str, list[list[float]]]] = []
    for at, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith(">"):
            records.append((at, line[1:].strip(), []))
            continue
        named = _JASPAR_ROW.match(line)
        values = named.group(2) if named else line
        if not named and not _NUMBERS.match(line):
            raise FormatError(f"{source}, line {at}: '{line[:60]}' is not a row of numbers; expected counts of A C G T. Correct or remove the line.")
        rows = records[-1][2]
        if named and "ACGT".find(named.group(1).replace("U", "T")) != len(rows):
            raise FormatError(
                f"{source}, line {at}: the row of {named.group(1)} is row {len(rows) + 1}; expected the rows A C G T in this order. Reorder them."
            )
        rows.append([float(word) for word in re.split(r"[\s,]+", values.strip())])
    by_row = _bases_are_rows([rows for _, _, rows in records], named=any(_JASPAR_ROW.match(line) for line in lines))
    return [_headed_motif(name, rows, by_row=by_row, place=f"{source}, line {at}") for at, name, rows in records]


def _bases_are_rows(matrices: list[list[list[float]]], *, named: bool) -> bool:
    """Tell whether the rows of all matrices are bases, rather than positions."""
    if named:
        return True
    if any(len(rows) != 4 for rows in matrices):
        return False
    if any(len(row) != 4 for rows in matrices for row in rows):
        return True
    # Every motif is 4 wide: bases are rows where the columns are the ones that have equal sums.
    stacked = np.array(matrices)
    return bool(np.ptp(stacked.sum(axis=1), axis=1).sum() < np.ptp(stacked.sum(axis=2), axis=1).sum())


def _headed_motif(header: str, rows: list[list[float]], *, by_row: bool, place: str) -> Motif:
    """Make the motif of one '>' record."""
    name, _, alt_name = header.replace("\t", " ").partition(" ")
    glued = _JASPAR_ID.match(name)
    if glued and not alt_name:
        name, alt_name = glued.groups()
    if not name:
        raise FormatError(f"{place}: a motif without a name; expected '>identifier [name]'. Name it.")
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or (len(rows) != 4 if by_row else lengths != {4}):
        expected = "4 rows (A C G T) of equal length" if by_row else "rows of 4 columns (A C G T)"
        raise FormatError(
            f"{place}: motif '{name}' has {len(rows)} rows of {listing(sorted(lengths))} numbers; expected {expected}. The file may be cut short."
        )
    return _motif(name, np.array(rows) if by_row else np.array(rows).T, alt_name=alt_name.strip(), place=place)


def _parse_transfac(lines: Sequence[str], source: str) -> list[Motif]:
    """Read TRANSFAC records, which end with '//'."""
    motifs: list[Motif] = []
    fields: dict[str, str] = {}
    rows: list[list[float]] = []
    begin = 1
    for at, line in enumerate([*lines, "//"], start=1):
        key, _, value = line.strip().replace("\t", " ").partition(" ")
        if key == "//":
            if rows:
                motifs.append(_transfac_motif(fields, rows, place=f"{source}, line {begin}"))
            elif "P0" in fields:
                raise FormatError(
                    f"{source}, line {at}: the motif from line {begin} on has no rows; expected one a position below P0. The file may be cut short."
                )
            fields, rows, begin = {}, [], at + 1
        elif key.isdigit():
            try:
                rows.append([float(word) for word in value.split()[:4]])
            except ValueError:
                rows.append([])
            if len(rows[-1]) != 4:
                raise FormatError(
                    f"{source}, line {at}: '{line.strip()[:60]}' is not a row of TRANSFAC; expected a position and four counts. Correct the line."
                )
        elif key in {"AC", "ID", "NA", "P0", "PO"}:
            fields.setdefault("P0" if key == "PO" else key, value.strip())
        elif key == "CC" and value.strip().startswith("tf_family:"):  # as JASPAR writes it
            fields["family"] = value.partition(":")[2].strip()
    return motifs


def _transfac_motif(fields: dict[str, str], rows: list[list[float]], *, place: str) -> Motif:
    """Make the motif of one TRANSFAC record: AC names it, NA or ID is the second name."""
    names = [fields[key] for key in ("AC", "NA", "ID") if fields.get(key)]
    if not names:
        raise FormatError(f"{place}: a motif without AC, NA or ID; expected at least one of them. Name the motif.")
    motif = _motif(names[0], np.array(rows).T, alt_name=names[1] if len(names) > 1 else "", place=place)
    return replace(motif, families=tuple(dict.fromkeys(part.strip() for part in fields.get("family", "").split(";") if part.strip())))


def _motif(name: str, matrix: np.ndarray, *, alt_name: str, place: str) -> Motif:
    """Make a motif and say where it stood if its numbers are wrong."""
    try:
        return Motif(name, matrix, alt_name="" if alt_name == name else alt_name)
    except InputError as error:
        raise FormatError(f"{place}: {error}") from None
