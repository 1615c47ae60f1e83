"""The names of chromosomes: organelles, and one genome's names for another's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from seqdl.errors import FormatError, InputError

_MITOCHONDRION = frozenset({"m", "mt", "mito", "mtdna", "mitochondrion", "mitochondria", "mitochondrial", "mitochondriongenome"})
_PLASTID = frozenset({"pt", "cp", "chloroplast", "plastid", "plastome", "apicoplast", "api", "ptdna", "cpdna"})
_ROMAN = re.compile(r"(?=[ivxl])(x{0,3}l|l?x{0,3})(ix|iv|v?i{0,3})")
_VALUE = {"i": 1, "v": 5, "x": 10, "l": 50}


def organelles(names: Iterable[str]) -> set[str]:
    """Return the names that stand for a mitochondrion or plastid.

    ``chrC`` counts as a plastid only beside ``chrM``, and both only where the chromosomes are not lettered A, B, C, ...

    Examples
    --------
    >>> sorted(organelles(["chr1", "chrM", "chrPt", "2-micron"])), organelles(["chrL", "chrM", "chrN"])
    (['chrM', 'chrPt'], set())
    """
    keys = {name: _bare(name) for name in names}
    present = set(keys.values())
    lettered = len(present & set("abdefghjklno")) > 1
    found = {name for name, key in keys.items() if key in _MITOCHONDRION | _PLASTID and not (key == "m" and lettered)}
    if not lettered and present & _MITOCHONDRION:
        found |= {name for name, key in keys.items() if key == "c"}
    return found


def rename_chromosomes(intervals: pd.DataFrame, genome_names: Iterable[str], *, aliases: str | Path | None = None) -> pd.DataFrame:
    """Write the chromosomes of intervals as the genome writes them.

    Reconciles ``chr1``, ``1``, ``Chr01``; ``chrI`` and ``chr1`` where one side counts in Roman numerals; ``chrM``, ``MT``,
    ``chrmt``. Names already in the genome stay; names that fit nothing stay too, for `check_intervals` to name them.

    Parameters
    ----------
    intervals : DataFrame
        With a column chrom.
    genome_names : iterable of str
        The genome's chromosomes.
    aliases : str or Path, optional
        A table in which each line holds the names of one chromosome (two columns, or UCSC's chromAlias); asked first.

    Returns
    -------
    DataFrame
        A copy with another column chrom.

    Raises
    ------
    InputError
        If a name fits several chromosomes of the genome.

    Examples
    --------
    >>> peaks = pd.DataFrame({"chrom": ["chr4", "chr10", "MT"], "start": 0, "end": 1})
    >>> list(rename_chromosomes(peaks, ["chrI", "chrIV", "chrX", "chrmt"])["chrom"])
    ['chrIV', 'chrX', 'chrmt']
    """
    genome = list(genome_names)
    names = [str(name) for name in intervals["chrom"].unique()]
    given = _from_table(_read_aliases(str(aliases)), set(genome)) if aliases is not None else {}
    table = {name: name if name in genome else given.get(name) or _match(name, names, genome) for name in names}
    return intervals.assign(chrom=intervals["chrom"].map(table))


def _read_aliases(path: str) -> list[list[str]]:
    """Read a table of chromosome aliases: each line holds the names of one chromosome, tab- or space-separated."""
    from seqdl.io.files import open_text

    with open_text(path) as lines:
        rows = [line.split("\t" if "\t" in line else None) for line in lines if line.strip() and not line.startswith("#")]
    table = [[word.strip() for word in row if word.strip()] for row in rows]
    short = [i for i, row in enumerate(table) if len(row) < 2]
    if not table or short:
        where = f"row {short[0] + 1} has one name only" if short else "there is no row"
        raise FormatError(f"{path}: {where}; expected two or more names of one chromosome in each line. Separate them by tabs.")
    return table


def _from_table(rows: list[list[str]], genome: set[str]) -> dict[str, str]:
    """Point every alias at the one name of its row that the genome has."""
    found = {}
    for row in rows:
        here = [word for word in row if word in genome]
        if here:
            found.update(dict.fromkeys(row, here[0]))
    return found


def _match(name: str, names: list[str], genome: list[str]) -> str:
    """Return the genome's word for a name, or the name itself."""
    for mine, theirs in ((_keys(names, roman=False), _keys(genome, roman=False)), (_keys(names, roman=True), _keys(genome, roman=True))):
        fitting = [other for other in genome if theirs[other] == mine[name]]
        if len(fitting) > 1:
            raise InputError(
                f"chromosome '{name}' fits {fitting} of the genome alike; expected one. Say which in a table: --chromosome-aliases FILE."
            )
        if fitting:
            return fitting[0]
    return name


def _keys(names: list[str], *, roman: bool) -> dict[str, str]:
    """Return the bare name of each, organelles as one word, Roman numerals as numbers where the set counts so."""
    bodies = organelles(names)
    counts_in_roman = roman and _counts_in_roman(names)
    keys = {}
    for name in names:
        key = _bare(name)
        if name in bodies:
            key = "mitochondrion" if key in _MITOCHONDRION else "plastid"
        elif counts_in_roman and _ROMAN.fullmatch(key):
            key = str(_number(key))
        keys[name] = key
    return keys


def _counts_in_roman(names: list[str]) -> bool:
    """Tell whether names count in Roman numerals: some do beyond X and V, and none is an Arabic number."""
    keys = {_bare(name) for name in names}
    return not any(key.isdigit() for key in keys) and any(_ROMAN.fullmatch(key) for key in keys)


def _bare(name: str) -> str:
    """Drop the prefix chr or chromosome, leading zeros and case."""
    key = re.sub(r"^(chromosome|chrom|chr)[_\-. ]?(?=.)", "", str(name).lower())
    return key.lstrip("0") or key if key.isdigit() else key


def _number(roman: str) -> int:
    values = [_VALUE[letter] for letter in roman]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))
