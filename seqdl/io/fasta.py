"""FASTA: reading examples, writing sequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from seqdl.errors import FormatError, InputError
from seqdl.io.files import PathLike, open_text, shown, writing
from seqdl.ledger import Ledger
from seqdl.sequence.alphabet import AMBIGUOUS
from seqdl.sequence.encode import decode, encode, looks_like_protein
from seqdl.types import Codes

_NOT_FASTA = {
    "@": "It looks like FASTQ: convert it, for instance with seqtk seq -a.",
    "#": "It looks like a table, a BED or a VCF.",
    "<": "It looks like a web page: download the file itself.",
    "{": "It looks like JSON.",
    "L": "If it is GenBank, convert it first.",
}


@dataclass(frozen=True, eq=False)
class FastaRecord:
    """One sequence of a FASTA file.

    Attributes
    ----------
    name : str
        The first word of the header, made unique within the file.
    description : str
        The rest of the header; may be empty.
    codes : uint8 array, (L,)
        The bases, L >= 1.
    """

    name: str
    description: str
    codes: Codes


@dataclass
class _Raw:
    """A record as it stands in the file: its header, and its lines with the number of the first."""

    header: str
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list)

    def label(self) -> str:
        words = self.header.split(maxsplit=1)
        return words[0] if words else ""


@dataclass
class _Seen:
    """How many records had something that was taken but deserves to be said."""

    records: int = 0
    lower: int = 0
    uracil: int = 0
    iupac: int = 0
    unnamed: int = 0
    bases: int = 0
    ambiguous: int = 0  # letters other than A C G T U N

    def add(self, text: str, codes: Codes) -> None:
        upper = text.upper()
        self.records += 1
        self.lower += text != upper
        self.uracil += "U" in upper
        odd = int(np.count_nonzero(codes == AMBIGUOUS)) - upper.count("N")
        self.iupac += odd > 0
        self.ambiguous += odd
        self.bases += len(text) - upper.count("N")


def read_fasta(path: PathLike, *, ledger: Ledger | None = None) -> list[FastaRecord]:
    """Read the records of a FASTA file of DNA or RNA.

    Lower case, U, IUPAC letters, any line end, blank lines and repeated names are taken; what was met is noted in the ledger once.

    Parameters
    ----------
    path : path or "-"
        Plain, gzip or bgzip.
    ledger : Ledger, optional
        Where to note what was taken with care.

    Returns
    -------
    list of FastaRecord
        In the order of the file, at least one; a repeated name gets ``_2``, ``_3``, ...

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If the file is empty, is no FASTA, holds protein or other letters, or has a record without a sequence; the message has file, record and line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_fasta(f"{folder}/two.fa", ["a", "b"], ["ACGT", "GG"])
    ...     [(record.name, record.codes.tolist()) for record in read_fasta(f"{folder}/two.fa")]
    [('a', [0, 1, 2, 3]), ('b', [2, 2])]
    """
    name, seen = shown(path), _Seen()
    labels: list[str] = []
    records: list[FastaRecord] = []
    with open_text(path) as stream:
        for raw in _records(stream, name):
            text = "".join(part for _, part in raw.lines).replace(" ", "").replace("\t", "")
            codes = _encode(text, raw, name)
            seen.add(text, codes)
            label = raw.label()
            seen.unnamed += not label
            labels.append(label or f"record{len(labels) + 1}")
            records.append(FastaRecord(labels[-1], raw.header[len(label) :].strip(), codes))
        newlines = stream.newlines
    if not records:
        raise FormatError(f"{name} is empty. FASTA records (a line '>name', then the sequence) were expected. Give a file with sequences.")
    if seen.bases >= 30 and seen.ambiguous > 0.5 * seen.bases:
        raise FormatError(
            f"{name}: {seen.ambiguous:,} of {seen.bases:,} letters are IUPAC ambiguity letters: it reads as protein. "
            "DNA or RNA was expected. Give the nucleotide sequences."
        )
    unique = unique_names(labels)
    if ledger is not None:
        crlf = newlines is not None and newlines != "\n"
        _note(ledger, name, seen=seen, crlf=crlf, renamed=[(a, b) for a, b in zip(labels, unique, strict=True) if a != b])
    return [
        record if record.name == label else FastaRecord(label, record.description, record.codes)
        for record, label in zip(records, unique, strict=True)
    ]


def iter_fasta(path: PathLike, *, at_once: int = 4096) -> Iterator[list[FastaRecord]]:
    """Read a FASTA file in pieces, so that memory does not grow with the file; repeated names stay as they are.

    Parameters
    ----------
    path : path or "-"
    at_once : int, default 4096
        Records of a piece.

    Yields
    ------
    list of FastaRecord

    Raises
    ------
    MissingFileError, FormatError
        As `read_fasta` raises them.
    """
    name, n = shown(path), 0
    with open_text(path) as stream:
        piece: list[FastaRecord] = []
        for raw in _records(stream, name):
            text = "".join(part for _, part in raw.lines).replace(" ", "").replace("\t", "")
            n, label = n + 1, raw.label()
            piece.append(FastaRecord(label or f"record{n}", raw.header[len(label) :].strip(), _encode(text, raw, name)))
            if len(piece) == at_once:
                yield piece
                piece = []
    if not n:
        raise FormatError(f"{name} is empty. FASTA records (a line '>name', then the sequence) were expected. Give a file with sequences.")
    if piece:
        yield piece


def unique_names(names: Sequence[str]) -> list[str]:
    """Make repeated names unique by ``_2``, ``_3``, ..., never meeting another name.

    Examples
    --------
    >>> unique_names(["a", "a", "a_2", "a"])
    ['a', 'a_3', 'a_2', 'a_4']
    """
    taken, met = set(names), Counter[str]()
    result = []
    for name in names:
        met[name] += 1
        unique = name
        if met[name] > 1:
            while (unique := f"{name}_{met[name]}") in taken:
                met[name] += 1
            taken.add(unique)
        result.append(unique)
    return result


def write_fasta(
    path: PathLike, names: Sequence[str], sequences: Iterable[str] | Iterable[Codes] | Codes, *, force: bool = False, width: int = 80
) -> None:
    """Write sequences as FASTA, whole or not at all.

    Parameters
    ----------
    path : path or "-"
        Where to; compressed if the name ends in ``.gz``.
    names : sequence of N str
        Header lines without the ``>``.
    sequences : N str, or uint8 array (N, L), or N arrays (L_i,)
        Letters or codes.
    force : bool, default False
        Whether a file that is already there may be replaced.
    width : int, default 80
        Letters a line; 0 puts each sequence on one line.

    Raises
    ------
    InputError
        If the numbers of names and sequences differ, there are none, one is empty, or a name or sequence could not be read back.
    """
    texts = [row if isinstance(row, str) else decode(row) for row in sequences]
    if len(names) != len(texts):
        raise InputError(f"there are {len(names):,} names for {len(texts):,} sequences; one name a sequence was expected. Give as many of both.")
    if not texts:
        raise InputError(f"there is no sequence to write to {path}; at least one was expected. Check the step before.")
    with writing(path, force=force) as stream:
        for name, text in zip(names, texts, strict=True):
            if not name.strip() or len(name.splitlines()) != 1:
                raise InputError(f"the name {name!r} cannot stand in a FASTA header; one line of text was expected. Rename the sequence.")
            if not text:
                raise InputError(f"the sequence '{name}' is empty; at least one base was expected. Leave it out.")
            encode(text)
            step = width if width > 0 else len(text)
            stream.write(f">{name}\n")
            stream.writelines(f"{text[start : start + step]}\n" for start in range(0, len(text), step))


def _records(stream: Iterable[str], name: str) -> Iterator[_Raw]:
    raw: _Raw | None = None
    for number, line in enumerate(stream, 1):
        line = line.strip()
        if line.startswith(">"):
            if raw is not None:
                yield raw
            raw = _Raw(line[1:].strip(), number)
        elif not line or line.startswith(";"):  # ';' is the comment of the first FASTA program
            continue
        elif raw is None:
            hint = _NOT_FASTA.get(line[0], "If it holds one sequence a line, put a line '>name' before each.")
            raise FormatError(f"{name}, line {number}: {line[:30]!r} stands before the first header. A line '>name' was expected. {hint}")
        else:
            raw.lines.append((number, line))
    if raw is not None:
        yield raw


def _encode(text: str, raw: _Raw, name: str) -> Codes:
    if not text:
        raise FormatError(f"{name}, line {raw.line}: record '{raw.label()}' is empty. At least one base was expected. Remove the record.")
    try:
        return encode(text)
    except InputError:
        _explain(text, raw, name)


def _explain(text: str, raw: _Raw, name: str) -> NoReturn:
    """Say on which line of the file the wrong letter stands."""
    for number, line in raw.lines:
        try:
            encode(line.replace(" ", "").replace("\t", ""))
        except InputError as error:
            where = f"{name}, line {number}, record '{raw.label()}'"
            if looks_like_protein(text[:1000]):
                raise FormatError(f"{where}: the sequence reads as protein. DNA or RNA was expected. Give the nucleotide sequences.") from error
            raise FormatError(f"{where}: {error}") from error
    raise AssertionError("a wrong letter stands on one of the lines")


def _note(ledger: Ledger, name: str, *, seen: _Seen, crlf: bool, renamed: list[tuple[str, str]]) -> None:
    for count, text in (
        (seen.lower, "hold lower-case letters; read as upper case"),
        (seen.uracil, "hold U; read as T"),
        (seen.iupac, "hold IUPAC ambiguity letters; read as N"),
        (seen.unnamed, "have no name; named by their place in the file"),
    ):
        if count:
            ledger.note(f"{name}: {count:,} of {seen.records:,} records {text}")
    if crlf:
        ledger.note(f"{name}: lines end as on Windows (CRLF) or the old Macintosh (CR); read as usual")
    if renamed:
        before, after = renamed[0]
        ledger.note(f"{name}: {len(renamed):,} of {seen.records:,} records repeat the name of another; made unique, for instance {before} -> {after}")
