"""Text, codes and one-hot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import InputError, ShapeError
from seqdl.sequence.encode import codes_of, decode, encode, looks_like_protein, one_hot, stack

dna = st.text("ACGTN", max_size=60)


@given(dna)
def test_decoding_what_was_encoded_gives_it_back(text):
    assert decode(encode(text)) == text
    assert decode(codes_of(one_hot(encode(text)))) == text


@given(dna)
def test_case_u_and_bytes_make_no_difference(text):
    assert np.array_equal(encode(text.lower().replace("t", "u")), encode(text))
    assert np.array_equal(encode(text.encode()), encode(text))


@pytest.mark.parametrize("letter", "RYSWKMBDHVNryswkmbdhvn")
def test_iupac_letters_are_ambiguous(letter):
    assert encode(letter).tolist() == [4]


def test_codes_may_be_changed_by_the_caller():
    codes = encode("ACGT")
    codes[0] = 3
    assert decode(codes) == "TCGT"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ACGJ", r"letter 'J' at position 4 is no nucleotide; .* Write N"),
        ("AC-T", r"letter '-' at position 3 .* Remove gaps"),
        ("ACG T", r"letter ' ' at position 4 .* Remove white space"),
        ("ACGT\n", r"letter '\\n' at position 5"),
        ("ACé", r"letter 'é' at position 3"),
        ("A" * 1500 + "?", r"letter '\?' at position 1,501"),
        ("MKLVEEPLRQGSTIF", r"letter 'L' at position 3 .* reads as protein.*nucleotide sequence"),
    ],
)
def test_another_letter_is_refused_by_name_and_position(text, message):
    with pytest.raises(InputError, match=message):
        encode(text)


def test_a_foreign_byte_is_refused_by_position():
    with pytest.raises(InputError, match="letter 'é' at position 2"):
        encode("Aé".encode("latin-1"))


@pytest.mark.parametrize(
    ("text", "protein"), [("MEEPQSDPSVEPPLSQ", True), ("ACGTNNRYACGT", False), ("ACGTACGTXACGTACGT", False), ("12EF", False), ("", False)]
)
def test_protein_is_told_from_dna(text, protein):
    assert looks_like_protein(text) is protein


@pytest.mark.parametrize("shape", [(2, 3), ()])
def test_decoding_asks_for_one_sequence(shape):
    with pytest.raises(ShapeError, match=r"one sequence \(L,\)"):
        decode(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("code", [5, 255, -1])
def test_decoding_refuses_codes_that_are_none(code):
    with pytest.raises(InputError, match=f"code {code}; codes run from 0 to 4"):
        decode(np.array([0, code]))


def test_one_hot_is_channels_first_float32_and_zero_where_ambiguous():
    codes = np.random.default_rng(0).integers(0, 5, (3, 2, 7), dtype=np.uint8)
    expected = np.moveaxis(np.concatenate([np.eye(4), np.zeros((1, 4))])[codes], -1, -2)
    assert np.array_equal(one_hot(codes), expected)
    assert one_hot(codes).dtype == np.float32
    with pytest.raises(ShapeError, match="single number"):
        one_hot(np.uint8(1))


def test_a_column_without_a_single_largest_value_is_ambiguous():
    columns = np.array([[0.7, 0.1, 0.1, 0.1], [0.25] * 4, [0.5, 0, 0.5, 0], [0] * 4]).T
    assert codes_of(columns).tolist() == [0, 4, 4, 4]
    assert codes_of(np.empty((2, 4, 0))).shape == (2, 0)


@pytest.mark.parametrize(("shape", "message"), [((7, 4), "transposed"), ((3, 5), "Put the bases"), ((4,), "Put the bases")])
def test_one_hot_of_another_shape_is_refused(shape, message):
    with pytest.raises(ShapeError, match=message):
        codes_of(np.zeros(shape))


def test_stacking_centres_what_is_shorter_or_longer():
    sequences = [encode("ACGTA"), encode("CG"), encode("AACGTAA")]
    assert [decode(row) for row in stack(sequences)] == ["NACGTAN", "NNCGNNN", "AACGTAA"]
    assert [decode(row) for row in stack(sequences, 3)] == ["CGT", "CGN", "CGT"]
    assert stack([encode("AC")] * 3).shape == (3, 2)
    assert stack([]).shape == (0, 0)
    assert stack([], 5).shape == (0, 5)
