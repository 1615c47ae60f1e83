"""The alphabet against Biopython's."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Data import IUPACData

from seqdl.sequence.alphabet import AMBIGUOUS, BASES, CODE_OF_BYTE, COMPLEMENT, INVALID, IUPAC


def test_iupac_letters_stand_for_the_bases_that_biopython_gives():
    known = {letter: "".join(sorted(bases)) for letter, bases in IUPACData.ambiguous_dna_values.items() if letter != "X"}
    assert known == {letter: bases for letter, bases in IUPAC.items() if letter != "U"}


def test_complement_of_each_base_is_that_of_biopython():
    assert all(BASES[COMPLEMENT[code]] == IUPACData.ambiguous_dna_complement[base] for code, base in enumerate(BASES))
    assert COMPLEMENT[AMBIGUOUS] == AMBIGUOUS


def test_the_code_table_knows_the_iupac_letters_in_both_cases_and_nothing_else():
    known = {chr(byte).upper() for byte in range(256) if CODE_OF_BYTE[byte] != INVALID}
    assert known == set(IUPAC)
    assert sum(code != INVALID for code in CODE_OF_BYTE) == 2 * len(IUPAC)


def test_tables_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        COMPLEMENT[0] = 1
    with pytest.raises(TypeError, match="does not support item assignment"):
        IUPAC["A"] = "C"  # type: ignore[index]
    assert COMPLEMENT.dtype == np.uint8
