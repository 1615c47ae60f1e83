from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqdl.layers.onehot import flip_positions, mask_positions, one_hot, reverse_complement
from seqdl.sequence import edit, encode

CODES = arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=st.integers(0, 4))


@given(CODES)
@settings(max_examples=40, deadline=None)
def test_one_hot_is_that_of_the_sequence_package(codes):
    np.testing.assert_array_equal(one_hot(torch.from_numpy(codes)).numpy(), encode.one_hot(codes))


@given(CODES, st.data())
@settings(max_examples=40, deadline=None)
def test_uniform_makes_quarters_of_ambiguous_bases_and_zeros_of_padding(codes, data):
    lengths = np.array(data.draw(st.lists(st.integers(1, codes.shape[1]), min_size=len(codes), max_size=len(codes))))
    inside = np.arange(codes.shape[1]) < lengths[:, None]
    padded = np.where(inside, codes, 4).astype(np.uint8)
    x = one_hot(torch.from_numpy(padded), ambiguous="uniform", lengths=torch.from_numpy(lengths)).numpy()
    np.testing.assert_array_equal(x, encode.one_hot(padded, ambiguous="uniform", lengths=lengths))
    np.testing.assert_array_equal(x.sum(1), inside)  # every base adds up to one, padding to none
    known = padded < 4
    np.testing.assert_array_equal(x.swapaxes(1, 2)[known], encode.one_hot(padded).swapaxes(1, 2)[known])
    assert (x.swapaxes(1, 2)[inside & ~known] == 0.25).all()


@given(CODES)
@settings(max_examples=20, deadline=None)
def test_uniform_reads_the_other_strand_as_the_other_strand(codes):
    x = one_hot(torch.from_numpy(codes), ambiguous="uniform")
    other = one_hot(torch.from_numpy(edit.reverse_complement(codes)), ambiguous="uniform")
    assert torch.equal(reverse_complement(x), other)
    np.testing.assert_array_equal(encode.codes_of(x.numpy()), codes)


@pytest.mark.parametrize("make", [lambda word: one_hot(torch.zeros(1, 2), ambiguous=word), lambda word: encode.one_hot(np.zeros(2), ambiguous=word)])
def test_another_reading_of_ambiguous_bases_is_refused(make):
    with pytest.raises(LookupError, match=r"no reading of ambiguous bases named 'unifrom'\. Did you mean 'uniform'\? Available: zero, uniform"):
        make("unifrom")


@given(CODES)
@settings(max_examples=40, deadline=None)
def test_reverse_complement_of_one_hot_is_one_hot_of_the_reverse_complement(codes):
    x = one_hot(torch.from_numpy(codes))
    np.testing.assert_array_equal(reverse_complement(x).numpy(), encode.one_hot(edit.reverse_complement(codes)))


@given(CODES, st.data())
@settings(max_examples=40, deadline=None)
def test_with_lengths_each_row_is_turned_within_its_own_length(codes, data):
    lengths = torch.tensor(data.draw(st.lists(st.integers(1, codes.shape[1]), min_size=len(codes), max_size=len(codes))))
    expected = codes.copy()
    for row, n in zip(expected, lengths.tolist(), strict=True):
        row[:n] = edit.reverse_complement(row[:n])
    padded = [np.where(np.arange(codes.shape[1]) < n, row, 4) for row, n in zip(codes, lengths.tolist(), strict=True)]
    turned = [np.where(np.arange(codes.shape[1]) < n, row, 4) for row, n in zip(expected, lengths.tolist(), strict=True)]
    x = one_hot(torch.from_numpy(np.stack(padded).astype(np.uint8)))
    np.testing.assert_array_equal(reverse_complement(x, lengths).numpy(), encode.one_hot(np.stack(turned).astype(np.uint8)))


@given(CODES, st.data())
@settings(max_examples=40, deadline=None)
def test_turning_twice_is_identity(codes, data):
    x = torch.from_numpy(codes).unsqueeze(1).float()
    lengths = torch.tensor(data.draw(st.lists(st.integers(1, codes.shape[1]), min_size=len(codes), max_size=len(codes))))
    assert torch.equal(flip_positions(flip_positions(x, lengths), lengths), x)


def test_masking_fills_what_lies_beyond_each_length_and_nothing_else():
    x = torch.ones(2, 3, 5)
    out = mask_positions(x, torch.tensor([2, 5]), fill=-1.0)
    assert out[0, :, :2].eq(1).all()
    assert out[0, :, 2:].eq(-1).all()
    assert out[1].eq(1).all()
    assert mask_positions(x, None) is x
