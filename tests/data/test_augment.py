from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqdl.data.augment import Augmentation, mask, mutate, turn
from seqdl.data.flanks import Flanks
from seqdl.data.genome import Genome
from seqdl.sequence.edit import reverse_complement

CODES = arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=st.integers(0, 4))
SHARES = st.floats(0, 1)
SEEDS = st.integers(0, 2**32 - 1)


def rng(seed=0):
    return np.random.default_rng(seed)


def many(share=0.2, *, n=200, length=500, ambiguous=0.1):
    codes = rng(1).integers(0, 4, (n, length), dtype=np.uint8)
    codes[rng(2).random(codes.shape) < ambiguous] = 4
    return codes, share


@given(CODES, SHARES, SEEDS)
@settings(max_examples=60, deadline=None)
def test_what_is_masked_is_ambiguous_and_the_rest_is_as_it_was(codes, share, seed):
    before = codes.copy()
    masked = mask(codes, share, rng(seed))
    assert ((masked == codes) | (masked == 4)).all()
    np.testing.assert_array_equal(codes, before)


@given(CODES, SHARES, SEEDS)
@settings(max_examples=60, deadline=None)
def test_a_mutation_is_another_base_and_what_is_ambiguous_stays_so(codes, share, seed):
    before = codes.copy()
    mutated = mutate(codes, share, rng(seed))
    np.testing.assert_array_equal(mutated == 4, codes == 4)
    np.testing.assert_array_equal(codes, before)


@given(CODES, SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_share_of_nothing_changes_nothing_and_a_share_of_all_changes_all(codes, seed):
    for change in (mask, mutate, turn):
        np.testing.assert_array_equal(change(codes, 0, rng(seed)), codes)
    assert (mask(codes, 1, rng(seed)) == 4).all()
    assert (mutate(codes, 1, rng(seed)) != codes)[codes < 4].all()
    np.testing.assert_array_equal(turn(codes, 1, rng(seed)), reverse_complement(codes))


@given(CODES, SEEDS, st.data())
@settings(max_examples=40, deadline=None)
def test_turning_leaves_padding_at_the_end(codes, seed, data):
    lengths = np.array(data.draw(st.lists(st.integers(1, codes.shape[1]), min_size=len(codes), max_size=len(codes))))
    padded = np.where(np.arange(codes.shape[1]) < lengths[:, None], codes, 4).astype(np.uint8)
    for row, one, n in zip(turn(padded, 0.5, rng(seed), lengths=lengths), padded, lengths, strict=True):
        assert (row[n:] == 4).all()
        assert np.array_equal(row[:n], one[:n]) or np.array_equal(row[:n], reverse_complement(one[:n]))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.75])
def test_so_many_bases_are_masked_or_mutated_as_was_asked_for(share):
    codes, _ = many()
    real = codes < 4
    assert (mask(codes, share, rng())[real] == 4).mean() == pytest.approx(share, abs=0.01)
    assert (mutate(codes, share, rng()) != codes)[real].mean() == pytest.approx(share, abs=0.01)


def test_each_of_the_three_other_bases_is_as_likely():
    from scipy.stats import chisquare

    codes, _ = many()
    mutated = mutate(codes, 0.5, rng())
    for base in range(4):
        counts = np.bincount(mutated[(codes == base) & (mutated != base)], minlength=4)
        assert counts[base] == 0
        assert chisquare(np.delete(counts, base)).pvalue > 1e-4


def test_half_the_sequences_are_turned():
    codes = rng().integers(0, 4, (2_000, 20), dtype=np.uint8)
    turned = (turn(codes, 0.5, rng()) != codes).any(axis=1)
    assert turned.mean() == pytest.approx(0.5, abs=0.05)


def test_all_kinds_together_are_done_one_after_the_other():
    codes = rng().integers(0, 4, (50, 30), dtype=np.uint8)
    found = Augmentation(turned=1, mutate=1, mask=0.3).apply(codes, rng(3))
    kept = found < 4
    assert (found != reverse_complement(codes))[kept].all()
    assert kept.mean() == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize(("options", "message"), [({"mask": 1.5}, r"mask is 1\.5: a share, 0 to 1"), ({"jitter": -1}, "jitter is -1 bp: 0 or more")])
def test_what_is_no_share_or_no_distance_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**options)


def test_a_function_refuses_what_is_no_share():
    with pytest.raises(ValueError, match=r"share is -0\.1: a share, 0 to 1, was expected"):
        mutate(np.zeros((1, 3), dtype=np.uint8), -0.1, rng())


# flanks ---------------------------------------------------------------------------------------------

LENGTHS = {"a": 60, "b": 45}
WIDTH = 20


def genome():
    made = rng(7)
    return Genome.from_codes({name: made.integers(0, 5, size, dtype=np.uint8) for name, size in LENGTHS.items()})


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.integers(0, 40), st.sampled_from("+-.")), min_size=1, max_size=12),
    st.integers(0, 70),
    SEEDS,
)
@settings(max_examples=100, deadline=None)
def test_a_moved_window_is_a_window_of_its_chromosome_no_further_than_the_reach(places, reach, seed):
    made = genome()
    rows = [(chrom, min(start, LENGTHS[chrom] - WIDTH) if chrom else "", strand) for chrom, start, strand in places]
    table = pd.DataFrame(rows, columns=["chrom", "start", "strand"])
    table["end"] = [start + WIDTH if chrom else "" for chrom, start, _ in rows]
    codes = rng(seed).integers(0, 4, (len(rows), WIDTH), dtype=np.uint8)
    moved = Flanks.of(made, table, reach).moved(codes, np.arange(len(rows)), rng(seed))
    for row, own, (chrom, start, strand) in zip(moved, codes, rows, strict=True):
        if not chrom:
            np.testing.assert_array_equal(row, own)
            continue
        near = range(max(0, start - reach), min(LENGTHS[chrom] - WIDTH, start + reach) + 1)
        windows = [np.asarray(made.codes(chrom)[s : s + WIDTH]) for s in near]
        assert any(np.array_equal(row, reverse_complement(w) if strand == "-" else w) for w in windows)


@pytest.mark.parametrize(("start", "shifts"), [(20, range(-3, 4)), (1, range(-1, 4)), (40, range(-3, 1)), (0, range(4))])
def test_every_shift_within_reach_and_chromosome_is_as_likely(start, shifts):
    from scipy.stats import chisquare

    made, n = genome(), 6_000
    table = pd.DataFrame({"chrom": "a", "start": [start], "end": [start + WIDTH], "strand": ["+"]})
    moved = Flanks.of(made, table, 3).moved(np.zeros((n, WIDTH), dtype=np.uint8), np.zeros(n, dtype=np.int64), rng())
    windows = np.stack([made.codes("a")[start + s : start + s + WIDTH] for s in shifts])
    which = (moved[:, None] == windows).all(axis=2)
    assert which.sum(axis=1).tolist() == [1] * n
    assert chisquare(which.sum(axis=0)).pvalue > 1e-4
