"""MEME motif files: an own reader and writer that keeps both tokens of a motif's name.

Format: https://meme-suite.org/meme/doc/meme-format.html (minimal MEME format, version 4 and later).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

from seqdl.errors import FormatError, InputError
from seqdl.io.files import open_text, writing
from seqdl.motif.motif import UNIFORM, Motif

_SUM_TOLERANCE = 0.05
"""How far a row of probabilities may be from 1: files round to as few as two decimals."""


def read_meme(path: str | Path) -> list[Motif]:
    """Read the motifs of a MEME file.

    Parameters
    ----------
    path : str or Path
        Plain or gzipped; ``-`` is stdin.

    Returns
    -------
    list of Motif
        Probabilities, with the number of sites and the background the file states.

    Raises
    ------
    FormatError
        If the file is not MEME, is about another alphabet than DNA or RNA, or holds a broken or no motif; names file and line.
    """
    with open_text(path) as stream:
        return parse_meme(list(stream), str(path))


def write_meme(path: str | Path, motifs: Sequence[Motif], *, force: bool = False) -> None:
    """Write motifs as a MEME file.

    The format has one background for all motifs: that of the motifs where they agree, else uniform.

    Parameters
    ----------
    path : str or Path
        The file; written whole or not at all.
    motifs : sequence of Motif
        What to write; blanks in names become ``_``.
    force : bool, default False
        Overwrite an existing file.

    Raises
    ------
    OutputExistsError
        If the file exists and `force` is not set.
    InputError
        If a motif has no name.
    """
    backgrounds = {motif.background for motif in motifs}
    background = backgrounds.pop() if len(backgrounds) == 1 else UNIFORM
    frequencies = " ".join(f"{base} {value:.6g}" for base, value in zip("ACGT", background, strict=True))
    with writing(path, force=force) as stream:
        stream.write(f"MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\n{frequencies}\n")
        for motif in motifs:
            stream.write(
                f"\nMOTIF {one_word(motif.name)} {one_word(motif.alt_name)}".rstrip() if motif.alt_name else f"\nMOTIF {one_word(motif.name)}"
            )
            stream.write(f"\nletter-probability matrix: alength= 4 w= {motif.width} nsites= {motif.n_sites:.10g} E= 0\n")
            stream.writelines(" ".join(f"{value:.9f}" for value in row) + "\n" for row in motif.ppm.T)


def one_word(name: str) -> str:
    """Return a name as one word of a motif file, blanks turned into ``_``.

    Examples
    --------
    >>> one_word("my motif")
    'my_motif'
    """
    word = "_".join(name.split())
    if not word:
        raise InputError("a motif has an empty name; motif files need one word. Give it a name, such as Motif('m1', ...).")
    return word


@dataclass
class _Lines:
    """The lines of a file with a place to stand, for messages that name the line."""

    lines: Sequence[str]
    source: str
    at: int = 0  # index of the next line

    def __iter__(self) -> Iterator[str]:
        while self.at < len(self.lines):
            self.at += 1
            yield self.lines[self.at - 1].strip()

    def error(self, text: str) -> FormatError:
        return FormatError(f"{self.source}, line {self.at}: {text}")


def parse_meme(lines: Sequence[str], source: str) -> list[Motif]:
    """Return the motifs of MEME text given as lines; `source` names it in messages."""
    text = _Lines(lines, source)
    background: tuple[float, ...] = UNIFORM
    motifs: list[Motif] = []
    names: list[str] | None = None  # of the motif whose matrix has not come yet
    seen_version = False
    for line in text:
        if line.startswith("MEME version"):
            seen_version = True
        elif line.startswith("ALPHABET"):
            _check_alphabet(line, text)
        elif line.startswith("Background letter frequencies"):
            background = _background(text)
        elif line.startswith("MOTIF"):
            if names is not None:
                raise text.error(_no_matrix(names))
            names = line.split()[1:3]
            if not names:
                raise text.error("MOTIF without a name; expected 'MOTIF identifier [name]'. Add the identifier.")
        elif line.startswith("letter-probability matrix"):
            if names is None:
                raise text.error("a letter-probability matrix without a MOTIF line before it; expected 'MOTIF identifier [name]'. Name the motif.")
            motifs.append(_matrix(line, text, names=names, background=background))
            names = None
    if names is not None:
        raise text.error(_no_matrix(names))
    if not seen_version:
        raise FormatError(f"{source}: no line 'MEME version ...'; expected a MEME motif file. read_motifs knows other formats too.")
    if not motifs:
        raise FormatError(
            f"{source}: a MEME file without motifs; expected at least one MOTIF with a letter-probability matrix. Check that the file is whole."
        )
    return motifs


def _no_matrix(names: list[str]) -> str:
    return (
        f"motif '{names[0]}' has no letter-probability matrix; expected one after its MOTIF line. Log-odds alone are not read: export probabilities."
    )


def _check_alphabet(line: str, text: _Lines) -> None:
    """Refuse protein and custom alphabets."""
    letters = line.partition("=")[2].strip().strip('"') or line[len("ALPHABET") :].strip().split(" ")[0].strip('"')
    if letters.upper() not in {"ACGT", "ACGU", "DNA", "RNA"}:
        raise text.error(f"the alphabet is '{letters}'; expected ACGT (or ACGU). seqdl reads motifs of DNA and RNA only.")


def _background(text: _Lines) -> tuple[float, ...]:
    """Read letter and frequency pairs, which may be indented and spread over lines."""
    tokens: list[str] = []
    for line in text:
        tokens += line.split()
        if len(tokens) >= 8:
            break
    try:
        values = {letter.upper().replace("U", "T"): float(value) for letter, value in zip(tokens[:8:2], tokens[1:8:2], strict=True)}
        found = tuple(values[base] for base in "ACGT")
    except (ValueError, KeyError):
        raise text.error(f"the background reads '{' '.join(tokens[:8])}'; expected 'A 0.25 C 0.25 G 0.25 T 0.25'. Correct or remove it.") from None
    if min(found) <= 0:  # log-odds against a frequency of 0 are infinite
        raise text.error(f"the background holds {min(found):g}; expected four positive frequencies. Correct it.")
    return found


def _matrix(header: str, text: _Lines, *, names: list[str], background: tuple[float, ...]) -> Motif:
    """Read the rows below a letter-probability line."""
    stated = dict(re.findall(r"(\w+)=\s*(\S+)", header))
    if stated.get("alength", "4") != "4":
        raise text.error(f"motif '{names[0]}' has alength= {stated['alength']}; expected 4. seqdl reads motifs of DNA and RNA only.")
    try:
        width = int(stated["w"]) if "w" in stated else None
        n_sites = float(stated.get("nsites", "nan"))
    except ValueError:
        raise text.error(f"'{header}' does not hold numbers after w= and nsites=; expected 'w= 10 nsites= 20'. Correct the line.") from None
    rows: list[list[float]] = []
    while text.at < len(text.lines) and (width is None or len(rows) < width):
        line = text.lines[text.at].strip()
        if not line and not rows:  # some writers leave a blank line below the header
            text.at += 1
            continue
        if width is None and not re.match(r"[-+.\d]", line):
            break
        text.at += 1
        rows.append(_row(line, text, name=names[0], place=f"row {len(rows) + 1}" + (f" of {width}" if width else "")))
    if not rows or (width is not None and len(rows) < width):
        raise text.error(
            f"motif '{names[0]}' ends after {len(rows)} of {width or 'its'} rows; expected one row a position. The file may be cut short."
        )
    alt_name = names[1] if len(names) > 1 and names[1] != "NA" else ""  # YeTFaSCo writes NA where there is no factor
    columns = [[row[base] for row in rows] for base in range(4)]
    return Motif(names[0], columns, alt_name=alt_name, n_sites=n_sites if n_sites > 0 else nan, background=background)  # type: ignore[arg-type]


def _row(line: str, text: _Lines, *, name: str, place: str) -> list[float]:
    """Return the four probabilities of one row."""
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = []
    if len(values) != 4 or not all(value >= 0 for value in values):
        raise text.error(f"motif '{name}', {place}, reads '{line[:60]}'; expected four probabilities of A C G T. Check w= and the rows.")
    if abs(sum(values) - 1) > _SUM_TOLERANCE:
        raise text.error(f"motif '{name}', {place}, sums to {sum(values):g}; expected 1. If these are counts, use JASPAR or TRANSFAC format.")
    return values
