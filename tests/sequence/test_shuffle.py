"""Shuffles: what they keep, and that they are uniform."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from seqdl.errors import InputError, ShapeError
from seqdl.sequence import shuffle as module
from seqdl.sequence.encode import decode, encode
from seqdl.sequence.shuffle import dinucleotide_shuffle, shuffle

dna = st.text("ACGTN", max_size=80)


def _euler_walks(text):
    """List every distinct sequence with the same dinucleotides and first base, by trying all steps."""
    found = set()

    def walk(so_far, left):
        if not left:
            found.add(so_far)
        for step in list(left):
            if step[0] == so_far[-1]:
                rest = left - Counter([step])
                walk(so_far + step[1], rest)

    walk(text[0], Counter(map("".join, itertools.pairwise(text))))
    return sorted(found)


@pytest.mark.parametrize("text", ["ACAGATCTGCACGA", "AACCAACCAAGTAG", "ACCTAGGTCACTT", "GAAAAAACAAAAG", "TGCATTGCAT"])
def test_every_euler_walk_is_equally_likely(text):
    walks = _euler_walks(text)
    n = 300 * len(walks)
    drawn = Counter(map(bytes, dinucleotide_shuffle(np.tile(encode(text), (n, 1)), seed=1)))
    assert {bytes(encode(walk)) for walk in walks} == set(drawn)
    assert chisquare([drawn[bytes(encode(walk))] for walk in walks]).pvalue > 1e-3


def test_every_order_of_the_bases_is_equally_likely():
    orders = sorted({"".join(order) for order in itertools.permutations("AACGT")})
    drawn = Counter(decode(row) for row in shuffle(np.tile(encode("AACGT"), (30_000, 1)), seed=2))
    assert set(drawn) == set(orders)
    assert chisquare([drawn[order] for order in orders]).pvalue > 1e-3


@pytest.mark.parametrize("text", ["ACAGATCTGCACGA", "TGCATTGCAT"])
def test_seeds_are_as_random_as_rows(text):
    walks = _euler_walks(text)
    drawn = Counter(decode(dinucleotide_shuffle(encode(text), seed=seed)) for seed in range(100 * len(walks)))
    assert chisquare([drawn[walk] for walk in walks]).pvalue > 1e-3


@given(dna, st.integers(-(2**63), 2**70))
def test_dinucleotides_ends_and_ambiguous_bases_stay(text, seed):
    result = decode(dinucleotide_shuffle(encode(text), seed=seed))
    for before, after in zip(text.split("N"), result.split("N"), strict=True):
        assert len(before) == len(after)
        assert (before[:1], before[-1:]) == (after[:1], after[-1:])
        assert Counter(itertools.pairwise(before)) == Counter(itertools.pairwise(after))


@given(dna, st.integers(0, 100))
def test_a_plain_shuffle_keeps_the_bases_and_the_places_of_ambiguous_ones(text, seed):
    result = decode(shuffle(encode(text), seed=seed))
    assert Counter(result) == Counter(text)
    assert [letter == "N" for letter in result] == [letter == "N" for letter in text]


@pytest.mark.parametrize("function", [dinucleotide_shuffle, shuffle])
def test_a_row_depends_on_seed_number_and_itself_alone(function):
    codes = np.random.default_rng(0).integers(0, 4, (50, 100), dtype=np.uint8)
    before = codes.copy()
    result = function(codes, seed=7)
    assert np.array_equal(codes, before)
    assert np.array_equal(result, function(codes, seed=7))
    assert np.array_equal(result[:3], function(codes[:3], seed=7))
    assert np.array_equal(result[0], function(codes[0], seed=7))
    assert np.array_equal(result, function(np.asfortranarray(codes), seed=7))
    assert not np.array_equal(result, function(codes, seed=8))
    same = function(np.tile(codes[0], (50, 1)), seed=7)
    assert len(np.unique(same, axis=0)) == 50


def test_neighbouring_seeds_and_rows_do_not_repeat_each_other():
    codes = np.tile(np.random.default_rng(0).integers(0, 4, 100, dtype=np.uint8), (64, 1))
    rows = np.concatenate([dinucleotide_shuffle(codes, seed=seed) for seed in range(64)])
    assert len(np.unique(rows, axis=0)) == 64 * 64


def test_a_shuffle_leaves_a_long_sequence_unlike_itself():
    codes = np.random.default_rng(0).integers(0, 4, (200, 200), dtype=np.uint8)
    same = (dinucleotide_shuffle(codes, seed=0) == codes).mean()
    assert 0.23 < same < 0.29


@pytest.mark.parametrize("function", [dinucleotide_shuffle, shuffle])
def test_wrong_codes_and_shapes_are_refused(function):
    with pytest.raises(InputError, match="code 7; codes run from 0 to 4"):
        function(np.array([0, 7], np.uint8), seed=0)
    with pytest.raises(ShapeError, match=r"\(1, 2, 3\)"):
        function(np.zeros((1, 2, 3), np.uint8), seed=0)
    assert function(np.zeros((0, 5), np.uint8), seed=0).shape == (0, 5)
    assert function(np.zeros((5, 0), np.uint8), seed=0).shape == (5, 0)


def test_a_kernel_is_compiled_where_no_cache_can_be_kept(monkeypatch):
    def njit(**options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(module, "njit", njit)
    assert module._jit(len) is len


def test_other_modules_of_the_package_do_not_import_numba():
    code = "import sys, seqdl.sequence.encode, seqdl.sequence.composition; print('numba' in sys.modules, 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["False", "False"]
