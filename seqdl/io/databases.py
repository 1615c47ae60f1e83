"""Motif databases by name: JASPAR as installed with pyjaspar, or any motif file."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.errors import DependencyError, UnknownNameError
from seqdl.io.motifs import read_motifs
from seqdl.motif.motif import Motif

if TYPE_CHECKING:
    from sqlite3 import Connection

_NAME = re.compile(r"^jaspar(?P<year>\d{4})?(?::(?P<group>[\w ]+))?$", re.IGNORECASE)

DATABASES = ("jaspar", "jaspar2024", "jaspar:vertebrates", "jaspar:fungi", "jaspar:plants", "jaspar:insects", "jaspar:nematodes")

# The newest version of every matrix of the CORE collection.
_LATEST = """
    SELECT m.ID, m.BASE_ID || '.' || m.VERSION, m.NAME FROM MATRIX m
    JOIN (SELECT BASE_ID, MAX(VERSION) AS VERSION FROM MATRIX WHERE COLLECTION = 'CORE' GROUP BY BASE_ID) newest
      ON newest.BASE_ID = m.BASE_ID AND newest.VERSION = m.VERSION
    WHERE m.COLLECTION = 'CORE' ORDER BY m.BASE_ID
"""


def load_database(name_or_path: str | Path) -> list[Motif]:
    """Load known motifs.

    Parameters
    ----------
    name_or_path : str or Path
        ``jaspar`` is the latest JASPAR CORE collection [1]_, newest version of each matrix, from the copy installed with
        pyjaspar (no network). ``jaspar:fungi`` takes one taxonomic group, ``jaspar2024`` one release, ``jaspar2024:fungi``
        both. Anything else is a motif file (MEME, JASPAR, TRANSFAC, PFM; gzipped or not).

    Returns
    -------
    list of Motif
        ``name`` is the matrix identifier (``MA0363.3``), ``alt_name`` the factor (``REB1``), ``families`` the factor's, where JASPAR tells.

    Raises
    ------
    UnknownNameError
        If the release or the taxonomic group does not exist, or a name without an ending or a folder is neither that of a database nor of a file.
    MissingFileError, FormatError
        If it is a file that is not there or cannot be read.

    References
    ----------
    .. [1] Rauluseviciute et al. (2024), Nucleic Acids Research 52:D174.

    Examples
    --------
    >>> [motif.label for motif in load_database("jaspar2022:fungi") if motif.alt_name == "REB1"]
    ['MA0363.2 REB1']
    """
    name = str(name_or_path)
    found = _NAME.match(name)
    if found and is_database(name_or_path):
        return _jaspar(found["year"], found["group"])
    if re.fullmatch(r"[\w:]+", name) and not Path(name).exists():
        raise UnknownNameError("motif database or file", name, DATABASES)
    return read_motifs(name_or_path)


def is_database(name_or_path: str | Path) -> bool:
    """Tell whether this is the name of a database rather than of a file; a file of that name comes first.

    Examples
    --------
    >>> is_database("jaspar:fungi"), is_database("my.meme")
    (True, False)
    """
    return bool(_NAME.match(str(name_or_path))) and not Path(name_or_path).exists()


def _jaspar(year: str | None, group: str | None) -> list[Motif]:
    """Read one release of JASPAR CORE from pyjaspar's database file."""
    try:
        import pyjaspar
    except ImportError as error:
        raise DependencyError(
            "pyjaspar is not installed, so there is no JASPAR here; expected it beside seqdl. Run pip install pyjaspar, or pass a motif file."
        ) from error
    releases: dict[str, Any] = pyjaspar.jaspar_releases
    release = f"JASPAR{year}" if year else pyjaspar.JASPAR_LATEST_RELEASE
    if release not in releases:
        raise UnknownNameError("JASPAR release", release.lower(), [name.lower() for name in releases])
    opened: Any = pyjaspar.jaspardb  # untyped
    connection = opened(release=release).conn
    try:
        return _matrices(connection, group)
    finally:
        connection.close()


def _matrices(connection: Connection, group: str | None) -> list[Motif]:
    """Read all matrices in three queries; pyjaspar's own way asks once a motif and takes ten times as long."""
    rows: list[tuple[int, str, str]] = connection.execute(_LATEST).fetchall()
    if group is not None:
        groups: dict[str, set[int]] = defaultdict(set)
        for identifier, value in connection.execute("SELECT ID, VAL FROM MATRIX_ANNOTATION WHERE TAG = 'tax_group'"):
            groups[str(value).lower()].add(identifier)
        if group.lower() not in groups:
            raise UnknownNameError("taxonomic group of JASPAR", group, sorted(groups))
        rows = [row for row in rows if row[0] in groups[group.lower()]]
    cells: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for identifier, base, value in connection.execute("SELECT ID, row, val FROM MATRIX_DATA ORDER BY ID, row, col"):
        cells[identifier][base].append(value)
    families: dict[int, list[str]] = defaultdict(list)
    for identifier, family in connection.execute("SELECT DISTINCT ID, VAL FROM MATRIX_ANNOTATION WHERE TAG = 'family' ORDER BY ID, VAL"):
        families[identifier].append(family)
    return [
        Motif(name, np.array([cells[identifier][base] for base in "ACGT"]), alt_name=factor, families=tuple(families[identifier]))
        for identifier, name, factor in rows
    ]
