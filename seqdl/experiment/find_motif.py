"""A motif by what a user types: an identifier, a factor, a file, or letters."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqdl.errors import InputError, UnknownNameError
from seqdl.io.databases import load_database
from seqdl.io.motifs import read_motifs
from seqdl.motif.motif import Motif
from seqdl.sequence.alphabet import BASES, IUPAC


def find_motif(text: str, database: str = "jaspar") -> Motif:
    """Return the motif that a text stands for.

    Parameters
    ----------
    text : str
        In this order: a motif file with one motif in it, or FILE:NAME; an identifier (MA0363.3, or MA0363 for its newest version) or a
        factor (REB1, in either case) of `database`; IUPAC letters (TTACCCG, RTCAYNNNNNACG).
    database : str, default "jaspar"
        As for `seqdl.load_database`.

    Returns
    -------
    Motif
        Of a factor with several matrices the first.

    Raises
    ------
    UnknownNameError
        If it is none of these.
    InputError
        If a file holds several motifs and none is named.

    Examples
    --------
    >>> find_motif("reb1").label, find_motif("RTTACCCG").ppm[:, 0].tolist()
    ('MA0363.3 REB1', [0.5, 0.0, 0.5, 0.0])
    """
    file, colon, name = text.rpartition(":")
    if colon and Path(file).is_file():
        found = _named(read_motifs(file), name)
        if found is None:
            raise UnknownNameError(f"motif in {file}", name, [word for motif in read_motifs(file) for word in (motif.name, motif.alt_name) if word])
        return found
    if Path(text).is_file():
        motifs = read_motifs(text)
        if len(motifs) != 1:
            first = motifs[0].name if motifs else "NAME"
            raise InputError(f"{text}: holds {len(motifs)} motifs, and one was expected. Name it: {text}:{first}.")
        return motifs[0]
    known = load_database(database)
    found = _named(known, text)
    if found is not None:
        return found
    if text and all(letter in IUPAC for letter in text.upper()):
        return of_letters(text)
    names = [word for motif in known for word in (motif.alt_name, motif.name) if word]
    raise UnknownNameError("motif", text, names, hint="A motif is an identifier or a factor of the database, FILE:NAME, or IUPAC letters.")


def of_letters(text: str) -> Motif:
    """Return the motif of IUPAC letters: at each position the bases that the letter stands for, alike.

    Examples
    --------
    >>> of_letters("CN").ppm.T.tolist()
    [[0.0, 1.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]
    """
    columns = [[letter_base in IUPAC[letter] for letter_base in BASES] for letter in text.upper()]
    return Motif(text.upper(), np.array(columns, dtype=np.float64).T)


def _named(motifs: list[Motif], name: str) -> Motif | None:
    """Return the first motif of that identifier, identifier without version, or factor, in either case."""
    keys = [(motif.name, motif.label, motif.alt_name, motif.name.rpartition(".")[0]) for motif in motifs]
    for kind in range(4):
        for motif, words in zip(motifs, keys, strict=True):
            if words[kind].lower() == name.lower():
                return motif
    return None
