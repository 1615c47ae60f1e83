"""GC content and k-mers against plain counting."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from Bio.Seq import reverse_complement as opposite
from Bio.SeqUtils import gc_fraction
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import InputError, ShapeError
from seqdl.sequence.composition import gc_content, holds_ambiguous, kmer_counts, kmer_hashes, kmer_names, kmer_windows
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import decode, encode, stack

dna = st.text("ACGTN", min_size=1, max_size=50)


def _kmers(text, k):
    return [text[i : i + k] for i in range(len(text) - k + 1) if "N" not in text[i : i + k]]


@given(dna)
def test_gc_content_is_that_of_biopython(text):
    value = gc_content(encode(text))
    assert np.isnan(value) if set(text) == {"N"} else value == pytest.approx(gc_fraction(text, ambiguous="remove"))


def test_gc_content_of_a_batch_is_one_value_a_row():
    assert gc_content(np.zeros((3, 2, 5), np.uint8)).shape == (3, 2)
    assert gc_content(np.zeros((0, 5), np.uint8)).shape == (0,)


@given(st.lists(dna, min_size=1, max_size=5), st.integers(1, 5), st.booleans())
def test_kmer_counts_are_those_of_counting_by_hand(texts, k, canonical):
    names = kmer_names(k, canonical=canonical)
    counts = kmer_counts(stack([encode(text) for text in texts]), k, canonical=canonical)
    assert counts.shape == (len(texts), len(names))
    for text, row in zip(texts, counts, strict=True):
        expected = Counter(min(kmer, opposite(kmer)) if canonical else kmer for kmer in _kmers(text, k))
        assert {name: int(n) for name, n in zip(names, row, strict=True) if n} == expected


def test_kmer_counts_do_not_depend_on_how_the_work_is_cut():
    codes = np.random.default_rng(0).integers(0, 5, (3000, 210), dtype=np.uint8)
    together = kmer_counts(codes, 6, canonical=True)
    assert np.array_equal(together[-7:], kmer_counts(codes[-7:], 6, canonical=True))


@pytest.mark.parametrize(("k", "n"), [(1, 2), (2, 10), (3, 32), (4, 136), (6, 2080)])
def test_canonical_names_are_half_of_all_and_the_palindromes(k, n):
    assert len(kmer_names(k, canonical=True)) == n


@pytest.mark.parametrize("k", [0, -1, 13])
def test_a_k_out_of_range_is_refused(k):
    with pytest.raises(InputError, match=f"k is {k}; a k-mer length from 1 to 12"):
        kmer_counts(np.zeros((1, 20), np.uint8), k)


def test_one_sequence_is_refused_where_many_are_asked_for_and_the_reverse():
    with pytest.raises(ShapeError, match=r"codes\[None\]"):
        kmer_counts(encode("ACGT"), 2)
    with pytest.raises(ShapeError, match="kmer_windows"):
        kmer_hashes(np.zeros((2, 20), np.uint8), 3)


@given(dna, st.integers(1, 31), st.booleans())
def test_hashes_are_equal_exactly_where_the_kmers_are(text, k, canonical):
    kmers = [min(kmer, opposite(kmer)) if canonical else kmer for kmer in _kmers(text, k)]
    hashes = kmer_hashes(encode(text), k, canonical=canonical)
    assert hashes.dtype == np.uint64
    assert np.unique(hashes, return_inverse=True)[1].tolist() != [] or not kmers
    assert len(set(zip(kmers, hashes.tolist(), strict=True))) == len(set(kmers)) == len(set(hashes.tolist()))


@given(dna, st.integers(1, 31))
def test_canonical_hashes_of_both_strands_are_the_same_set(text, k):
    codes = encode(text)
    assert np.array_equal(kmer_hashes(codes, k)[::-1], kmer_hashes(reverse_complement(codes), k))


def test_windows_of_many_sequences_are_the_hashes_of_each():
    codes = np.random.default_rng(0).integers(0, 5, (2, 1500, 200), dtype=np.uint8)
    codes[codes == 4] *= np.random.default_rng(1).random((codes == 4).sum()) < 0.1
    hashes, valid = kmer_windows(codes, 24)
    assert hashes.shape == valid.shape == (2, 1500, 177)
    for i, j in [(0, 0), (1, 1499), (0, 777)]:
        assert np.array_equal(hashes[i, j][valid[i, j]], kmer_hashes(codes[i, j], 24))
        assert valid[i, j].sum() == len(_kmers(decode(codes[i, j]), 24))


@pytest.mark.parametrize("shape", [(0, 50), (3, 5), (3, 0), (0, 0)])
def test_there_are_no_windows_in_sequences_that_are_too_short_or_absent(shape):
    hashes, valid = kmer_windows(np.zeros(shape, np.uint8), 24)
    assert hashes.shape == valid.shape == (shape[0], max(0, shape[1] - 23))


def test_the_smallest_hashes_are_a_fair_sample():
    hashes = kmer_hashes(np.random.default_rng(0).integers(0, 4, 100_000, dtype=np.uint8), 24)
    share = np.histogram(hashes / 2**64, bins=10, range=(0, 1))[0] / len(hashes)
    assert np.abs(share - 0.1).max() < 0.005


@given(st.lists(st.text("ACGTN", min_size=5, max_size=5), max_size=20), st.booleans())
def test_sequences_with_an_ambiguous_base_are_those_with_an_n(texts, at_once):
    codes = np.array([encode(text) for text in texts], dtype=np.uint8).reshape(-1, 5)
    lengths = np.arange(len(texts)) % 6
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqdl.sequence.composition._BLOCK", 1 << 18 if at_once else 7)
        assert holds_ambiguous(codes).tolist() == ["N" in text for text in texts]
        assert holds_ambiguous(codes, lengths).tolist() == ["N" in text[:n] for text, n in zip(texts, lengths, strict=True)]
