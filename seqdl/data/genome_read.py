"""Genome files into codes: FASTA of any wrapping, and 2bit; never more than a stretch of a chromosome in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from seqdl.errors import FormatError, InputError
from seqdl.io.files import open_text
from seqdl.sequence.encode import encode
from seqdl.types import Codes

Pieces: TypeAlias = Iterator[tuple[str, str]]
"""Name of a chromosome and a stretch of its bases, in the order of the file."""

_STRETCH = 1 << 20  # bases read at a time
_WIDTH = 1 << 16  # of the lines that pyfaidx reads, and longest piece of a line in memory
_TWOBIT = (b"\x1a\x41\x27\x43", b"\x43\x27\x41\x1a")


def write_codes(path: Path, work: Path) -> dict[str, int]:
    """Write the codes of all chromosomes, one after the other, into codes.u8.

    Parameters
    ----------
    path : Path
        FASTA (plain, gzip or bgzip) or 2bit.
    work : Path
        Folder for codes.u8, and for what is needed on the way.

    Returns
    -------
    dict of str to int
        Length of each chromosome (bp), in the order of the file.

    Raises
    ------
    FormatError
        If it is no genome: neither format, empty, protein, two chromosomes of one name.
    """
    pieces = _twobit_pieces(path) if is_twobit(path) else _fasta_pieces(path, work)
    lengths: dict[str, int] = {}
    with (work / "codes.u8").open("wb") as out:
        for name, text in pieces:
            before = lengths.get(name, 0)
            out.write(_encode(path, name, text, before=before).data)
            lengths[name] = before + len(text)
    return lengths


def is_twobit(path: Path) -> bool:
    """Tell by its first bytes whether a file is 2bit."""
    with path.open("rb") as stream:
        return stream.read(4) in _TWOBIT


def _fasta_pieces(path: Path, work: Path) -> Pieces:
    """Read a FASTA through pyfaidx, from a copy with lines of one width."""
    import pyfaidx

    reader: Any = pyfaidx.Fasta  # untyped
    even = work / "genome.fa"
    with open_text(path) as lines, even.open("w", encoding="utf-8", newline="\n") as out:
        names = _even_out(lines, out, path)
    # a handle that lives only here: one carried over a fork reads wrong bases without an error
    with reader(str(even), indexname=str(work / "genome.fa.fai"), as_raw=True) as fasta:
        for name in names:
            record = fasta[name]
            for start in range(0, len(record), _STRETCH):
                yield name, str(record[start : start + _STRETCH])


def _twobit_pieces(path: Path) -> Pieces:
    """Read a 2bit file through Biopython, which reads stretches and keeps N and lower case."""
    from Bio import SeqIO

    parse: Any = SeqIO.parse  # untyped
    seen: set[str] = set()
    with path.open("rb") as stream:
        try:
            for record in parse(stream, "twobit"):
                name, size = str(record.id), len(record.seq)
                if name in seen:
                    raise FormatError(f"{path}: two chromosomes are called '{name}'; expected each name once. Make the file anew.")
                if not size:
                    raise FormatError(f"{path}: chromosome '{name}' is empty; expected bases. Make the file anew without it.")
                seen.add(name)
                for start in range(0, size, _STRETCH):
                    yield name, bytes(record.seq[start : start + _STRETCH]).decode("ascii")
        except (ValueError, OSError, EOFError, IndexError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"{path} is a damaged 2bit file: {error}. A whole one was expected. Copy or download it again.") from error
    if not seen:
        raise FormatError(f"{path} is a 2bit file without a sequence; expected at least one chromosome. Is it the right file?")


def _even_out(lines: TextIO, out: TextIO, path: Path) -> list[str]:
    """Unpack a FASTA to lines of one width, and check it; return the names.

    pyfaidx refuses gzip, blank lines and lines of different widths, all of which users have.
    """
    first: dict[str, int] = {}
    even = _EvenLines(out)
    for number, text, begins in _line_pieces(lines):
        if begins and text.startswith(">"):
            if first and not even.size:
                break
            name = (text[1:].split() or [""])[0]
            if not name:
                raise FormatError(f"{path}, line {number}: a chromosome has no name; expected a word after '>'. Name it.")
            if name in first:
                raise FormatError(
                    f"{path}, line {number}: a second chromosome is called '{name}' (the first: line {first[name]}); "
                    "expected each name once, since intervals go by it. Rename or remove one."
                )
            even.begin(name)
            first[name] = number
        elif text and not (begins and text.startswith(";")):
            if not first:
                raise FormatError(f"{path}, line {number}: there is text before the first '>'; expected a FASTA of DNA. Is it the right file?")
            even.add(text)
    if not first:
        raise FormatError(f"{path} holds no FASTA record; expected lines that begin with '>'. Is it the right file?")
    if not even.size:
        name, number = list(first.items())[-1]
        raise FormatError(f"{path}, line {number}: chromosome '{name}' is empty; expected bases after its header. Remove the record.")
    even.flush()
    return list(first)


def _line_pieces(lines: TextIO) -> Iterator[tuple[int, str, bool]]:
    """Yield the number of a line, its text or a piece of it where it is long, and whether it begins there; the rest of a long header is skipped."""
    number, begins, skips = 0, True, False
    while piece := lines.readline(_WIDTH):
        number += begins
        ends = piece.endswith("\n")
        text = piece.strip() if begins and ends else piece.lstrip() if begins else piece.rstrip() if ends else piece
        skips = text[:1] in (">", ";") if begins else skips
        if begins or not skips:
            yield number, text, begins
        begins = ends


class _EvenLines:
    """Writes FASTA records in lines of one width, whatever pieces they come in."""

    def __init__(self, out: TextIO) -> None:
        self.size = 0  # bases of the record that is being written
        self._out, self._parts, self._held = out, list[str](), 0

    def begin(self, name: str) -> None:
        self.flush()
        self._out.write(f">{name}\n")
        self.size = 0

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._held += len(text)
        self.size += len(text)
        if self._held >= _WIDTH:
            joined = "".join(self._parts)
            whole = len(joined) // _WIDTH * _WIDTH
            for start in range(0, whole, _WIDTH):
                self._out.write(joined[start : start + _WIDTH] + "\n")
            self._parts, self._held = [joined[whole:]], len(joined) - whole

    def flush(self) -> None:
        if self._held:
            self._out.write("".join(self._parts) + "\n")
        self._parts, self._held = [], 0


def _encode(path: Path, name: str, text: str, *, before: int) -> Codes:
    """Encode a stretch of a chromosome, or say in which one something is wrong."""
    try:
        return encode(text)
    except InputError as error:
        where = f", counted from base {before + 1:,}" if before else ""
        raise FormatError(f"{path}: chromosome '{name}'{where}: {error}") from error
