"""The other strand and other lengths."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Seq import reverse_complement as biopython_reverse_complement
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import InputError, ShapeError
from seqdl.sequence.edit import crop_or_pad, reverse_complement
from seqdl.sequence.encode import decode, encode, one_hot

dna = st.text("ACGTN", max_size=60)


@given(dna)
def test_reverse_complement_is_that_of_biopython_and_its_own_inverse(text):
    codes = encode(text)
    assert decode(reverse_complement(codes)) == biopython_reverse_complement(text)
    assert np.array_equal(reverse_complement(reverse_complement(codes)), codes)


def test_reverse_complement_of_a_batch_flips_both_axes_of_its_one_hot():
    codes = np.random.default_rng(0).integers(0, 5, (3, 9), dtype=np.uint8)
    assert np.array_equal(one_hot(reverse_complement(codes)), one_hot(codes)[:, ::-1, ::-1])


@given(dna, st.integers(0, 40))
def test_padding_then_cropping_gives_the_sequence_back(text, extra):
    codes = encode(text)
    padded = crop_or_pad(codes, len(codes) + extra)
    assert decode(padded).strip("N") == text.strip("N")
    assert np.array_equal(crop_or_pad(padded, len(codes)), codes)


def test_the_result_shares_no_memory():
    codes = encode("ACGT")
    crop_or_pad(codes, 4)[0] = 3
    assert decode(codes) == "ACGT"


def test_wrong_shapes_and_lengths_are_refused():
    with pytest.raises(ShapeError, match=r"\(2, 3\); one sequence"):
        crop_or_pad(np.zeros((2, 3), np.uint8), 2)
    with pytest.raises(InputError, match="length is -1"):
        crop_or_pad(encode("A"), -1)
