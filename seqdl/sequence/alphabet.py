"""The alphabet: which letter is which code, and what stands opposite.

Codes are uint8 in the order A C G T = 0 1 2 3; every other nucleotide letter is 4. The tables are read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from seqdl.types import Codes

BASES = "ACGT"
"""The four bases in the order of their codes."""

AMBIGUOUS = 4
"""The code of whatever is not one of the four bases."""

INVALID = 255
"""What `CODE_OF_BYTE` gives for a byte that is no nucleotide letter."""

IUPAC: Mapping[str, str] = MappingProxyType(
    {
        **{"A": "A", "C": "C", "G": "G", "T": "T", "U": "T"},
        **{"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"},
        **{"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
    }
)
"""Nucleotide letter -> the bases it may stand for, in the order of `BASES` (NC-IUB 1984)."""


def _code_table() -> bytes:
    table = bytearray([INVALID]) * 256
    for letter in IUPAC:
        code = BASES.find("T" if letter == "U" else letter)
        table[ord(letter)] = table[ord(letter.lower())] = AMBIGUOUS if code < 0 else code
    return bytes(table)


CODE_OF_BYTE: bytes = _code_table()
"""256 bytes for `bytes.translate`: ASCII letter, either case -> code, or `INVALID`."""

COMPLEMENT: Codes = np.array([3, 2, 1, 0, AMBIGUOUS], dtype=np.uint8)
"""Code -> code of the base opposite."""
COMPLEMENT.setflags(write=False)
