"""Sequences laid end to end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.audit.ragged import Ragged, check_split, opposite
from seqdl.errors import InputError, ShapeError
from seqdl.sequence.composition import kmer_hashes
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import stack

sequences = st.lists(st.lists(st.integers(0, 4), max_size=40).map(lambda codes: np.array(codes, dtype=np.uint8)), min_size=1, max_size=8)


@pytest.fixture(params=[1 << 18, 50], ids=["one-block", "many-blocks"], autouse=True)
def block(request, monkeypatch):
    monkeypatch.setattr("seqdl.audit.ragged._BLOCK", request.param)


def texts(ragged):
    return [text for block in ragged.blocks() for text in block.texts()]


@given(sequences)
def test_counts_lengths_and_texts_are_those_of_each_sequence_alone(codes):
    ragged = Ragged.of(codes)
    assert ragged.length.tolist() == [len(sequence) for sequence in codes]
    assert [n for block in ragged.blocks() for n in block.count(block.flat == 2).tolist()] == [int((sequence == 2).sum()) for sequence in codes]
    assert texts(ragged) == [sequence.tobytes().strip(b"\x04") for sequence in codes]


@given(sequences, st.integers(1, 6))
def test_kmers_are_those_of_each_sequence_alone_and_none_spans_two(codes, k):
    parts = list(Ragged.of(codes).kmers(np.ones(len(codes), dtype=bool), k))
    hashes, owner = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    for i, sequence in enumerate(codes):
        np.testing.assert_array_equal(hashes[owner == i], kmer_hashes(sequence, k))


@given(sequences)
def test_a_padded_array_holds_the_same_sequences_as_the_list(codes):
    padded, whole = Ragged.of(stack(codes, 41)), Ragged.of(codes)
    assert texts(padded) == texts(whole)
    assert padded.length.tolist() == [len(text) for text in texts(whole)]
    np.testing.assert_array_equal(padded.prints, whole.prints)


@given(st.lists(st.integers(0, 4), max_size=40))
def test_the_opposite_of_a_text_is_the_reverse_complement_of_its_codes(codes):
    codes = np.array(codes, dtype=np.uint8)
    assert opposite(codes.tobytes()) == reverse_complement(codes).tobytes()


def test_wrong_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"codes has shape \(3,\); \(N, L\) or a list of \(L,\) is expected"):
        Ragged.of(np.zeros(3, dtype=np.uint8))
    with pytest.raises(ShapeError, match=r"sequence 1 has shape \(2, 2\)"):
        Ragged.of([np.zeros(3, dtype=np.uint8), np.zeros((2, 2), dtype=np.uint8)])


def test_a_split_of_other_names_or_length_is_refused():
    with pytest.raises(InputError, match="split holds valid; only train, val, test are known"):
        check_split(["train", "valid"], 2)
    with pytest.raises(ShapeError, match=r"split has shape \(1,\); one of train, val, test for each of the 2 sequences"):
        check_split(["train"], 2)
