"""Leaks against brute force, bioframe and planted copies."""

from __future__ import annotations

import bioframe
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.audit.leakage import containment, count_contradictions, covered_share, find_leaks, find_repeats
from seqdl.audit.ragged import Ragged
from seqdl.audit.summary import audit_examples
from seqdl.errors import InputError, ShapeError
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import decode


def random_codes(n, length=100, seed=0):
    return np.random.default_rng(seed).integers(0, 4, (n, length)).astype(np.uint8)


def split_of(n, *, test):
    split = np.full(n, "train", dtype="<U5")
    split[list(test)] = "test"
    return split


def mutated(codes, n, seed=0):
    """Return codes with n bases changed at one end, so that the rest stays whole."""
    changed = codes.copy()
    changed[:n] = (changed[:n] + 1 + np.random.default_rng(seed).integers(0, 3, n)) % 4
    return changed


@pytest.mark.parametrize("as_list", [False, True])
def test_each_kind_of_planted_copy_is_found_and_nothing_else(as_list):
    codes = random_codes(60)
    codes[50] = codes[0]
    codes[51] = reverse_complement(codes[1])
    codes[52] = mutated(codes[2], 10)  # 67 of 77 24-mers stay: .87
    codes[53] = mutated(reverse_complement(codes[3]), 10)
    codes[54] = mutated(codes[4], 20)  # 57 of 77: .74, not a leak
    leaks = find_leaks(list(codes) if as_list else codes, split_of(60, test=range(50, 60)))
    assert {kind: np.flatnonzero(mask).tolist() for kind, mask in leaks.kinds.items()} == {
        "exact": [50],
        "reverse_complement": [51],
        "near_copy": [52, 53],
        "overlap": [],
    }
    assert np.flatnonzero(leaks.leaky).tolist() == [50, 51, 52, 53]


def test_a_copy_within_the_test_set_or_between_validation_and_test_is_no_leak():
    codes = random_codes(4)
    codes[1] = codes[0]
    assert not find_leaks(codes, ["test", "val", "train", "train"]).leaky.any()


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_containment_is_that_of_plain_sets_of_words(seed):
    rng = np.random.default_rng(seed)
    train, test = rng.integers(0, 5, (4, 80)), rng.integers(0, 5, (3, 60))
    train[train == 4], test[test == 4] = np.where(rng.random((train == 4).sum()) < 0.1, 4, 1), np.where(rng.random((test == 4).sum()) < 0.1, 4, 1)
    start = rng.integers(0, 20)
    test[0, start : start + 35] = train[0, 10:45]
    codes = [row.astype(np.uint8) for row in [*train, *test]]
    codes[5][5:45] = reverse_complement(codes[1][:40])
    words = [[decode(c[i : i + 24]) for i in range(len(c) - 23) if (c[i : i + 24] < 4).all()] for c in codes]
    known = {word for listed in words[:4] for word in listed}
    known |= {word.translate(str.maketrans("ACGT", "TGCA"))[::-1] for word in known}
    training = np.arange(7) < 4
    found = containment(Ragged.of(codes), training, ~training)
    for i in range(4, 7):
        assert found[i] == pytest.approx(np.mean([word in known for word in words[i]]) if words[i] else 0)


def test_shared_construct_flanks_are_no_near_copies():
    codes = random_codes(20, 110)
    codes[:, :15], codes[:, -15:] = codes[0, :15], codes[0, -15:]
    assert not find_leaks(codes, split_of(20, test=range(10, 20))).leaky.any()


def test_sequences_of_n_and_sequences_shorter_than_a_word_are_handled():
    codes = [np.full(50, 4, dtype=np.uint8)] * 2 + [np.array([0, 1, 2], dtype=np.uint8)] * 2 + [np.array([0, 1, 1], dtype=np.uint8)]
    leaks = find_leaks(codes, ["train", "test", "train", "test", "test"])
    assert leaks.leaky.tolist() == [False, False, False, True, False]


def random_intervals(n, seed):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 2000, n)
    return pd.DataFrame({"chrom": rng.choice(["chrI", "chrII", "chrIII"], n), "start": start, "end": start + rng.integers(1, 150, n)})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # bioframe on pandas 3
@pytest.mark.parametrize("seed", range(5))
def test_the_covered_share_is_that_of_bioframe(seed):
    asked, cover = random_intervals(80, seed), random_intervals(15, seed + 100)
    wanted = bioframe.coverage(asked, bioframe.merge(cover)[["chrom", "start", "end"]])["coverage"] / (asked["end"] - asked["start"])
    np.testing.assert_allclose(covered_share(asked, cover), wanted.to_numpy(float))


def test_half_an_interval_in_training_is_a_leak_and_less_is_not():
    intervals = pd.DataFrame({"chrom": ["chrI"] * 4 + ["chrII"], "start": [0, 100, 101, 150, 0], "end": [200, 300, 301, 170, 200]})
    leaks = find_leaks(random_codes(5), ["train", "test", "test", "val", "test"], intervals=intervals)
    assert leaks.kinds["overlap"].tolist() == [False, True, False, True, False]
    assert leaks.as_dict()["val"]["n_overlap"] == 1


def test_sequences_without_a_place_do_not_overlap():
    intervals = pd.DataFrame({"chrom": ["", "", "chrI"], "start": [0, 0, 0], "end": [10, 10, 10]})
    assert not find_leaks(random_codes(3), ["train", "test", "test"], intervals=intervals).leaky.any()


def test_counts_and_rates_are_per_split_and_undefined_rates_are_none():
    codes = random_codes(6)
    codes[4] = codes[0]
    table = find_leaks(codes, ["train"] * 4 + ["test"] * 2).as_dict()
    assert table["test"]["n"], table["test"]["n_exact"] == (2, 1)
    assert table["test"]["leaky_rate"] == 0.5
    assert table["val"]["n"] == 0
    assert table["val"]["exact_rate"] is None


def test_the_same_sequence_with_both_labels_is_a_contradiction_on_either_strand():
    codes = random_codes(6)
    codes[3], codes[4] = codes[0], reverse_complement(codes[1])
    assert count_contradictions(codes, np.array([1, 1, 1, 0, 0, 0], dtype=bool)) == 4
    assert count_contradictions(codes, np.array([1, 1, 1, 1, 1, 0], dtype=bool)) == 0


def test_intervals_that_do_not_fit_are_refused():
    codes, split = random_codes(2), ["train", "test"]
    with pytest.raises(InputError, match=r"the intervals have no column start, end; chrom, start and end are needed\. They have chrom"):
        find_leaks(codes, split, intervals=pd.DataFrame({"chrom": ["chrI", "chrI"]}))
    with pytest.raises(ShapeError, match="there are 1 intervals for 2 sequences"):
        find_leaks(codes, split, intervals=pd.DataFrame({"chrom": ["chrI"], "start": [0], "end": [9]}))


def test_a_single_substitution_in_the_middle_is_related_and_no_leak():
    codes = random_codes(40, 110)
    codes[30:] = codes[:10]
    codes[30:, 55] = (codes[30:, 55] + 1) % 4  # 63 of 87 24-mers stay: .72
    codes[35:, 20] = (codes[35:, 20] + 1) % 4  # 42 of 87: .48 is no relative either
    leaks = find_leaks(codes, split_of(40, test=range(30, 40)))
    assert not leaks.leaky.any()
    assert np.flatnonzero(leaks.related).tolist() == [30, 31, 32, 33, 34]
    assert leaks.as_dict()["test"]["related_rate"] == 0.5


def test_long_constant_flanks_make_no_relatives():
    codes = random_codes(60, 200)
    codes[:, :70], codes[:, -70:] = codes[0, :70], codes[0, -70:]  # 94 of 177 24-mers of each are constant
    codes[59, 70:130] = codes[0, 70:130]
    leaks = find_leaks(codes, split_of(60, test=range(40, 60)))
    assert np.flatnonzero(leaks.leaky).tolist() == [59]
    assert not leaks.related.any()


def test_variants_of_one_sequence_are_relatives_though_most_of_them_is_constant():
    codes = np.repeat(random_codes(1, 110), 60, axis=0)
    at = np.random.default_rng(0).permutation(np.arange(25, 85))  # a change in the middle, another in each
    codes[np.arange(60), at] = (codes[np.arange(60), at] + 1) % 4
    leaks = find_leaks(codes, split_of(60, test=range(40, 60)))
    assert (leaks.related | leaks.leaky)[40:].all()


def test_repeats_are_counted_from_the_second_on_over_both_strands_and_all_splits():
    codes = random_codes(6)
    codes[2], codes[4], codes[5] = codes[0], reverse_complement(codes[0]), codes[1]
    assert find_repeats(codes).tolist() == [False, False, True, False, True, True]
    assert find_repeats(list(codes)).sum() == 3
    assert not find_repeats(np.full((3, 9), 4, dtype=np.uint8)).any()


# very many sequences, and what is known of them ------------------------------------------------------


def test_a_sample_of_the_words_finds_near_copies_and_says_how_many_it_looked_at(monkeypatch):
    codes = random_codes(400, 1000)
    codes[300:350] = [mutated(row, 80) for row in codes[:50]]  # 897 of 977 24-mers stay: .92
    codes[350:] = [mutated(row, 600) for row in codes[50:100]]  # .39
    split = split_of(400, test=range(200, 400))
    whole = find_leaks(codes, split)
    monkeypatch.setattr("seqdl.audit.leakage.MOST_LOOKED_UP", 200 * 977 // 5)
    sampled = find_leaks(codes, split)
    assert (whole.every, sampled.every) == (1, 5)
    assert np.flatnonzero(sampled.leaky).tolist() == np.flatnonzero(whole.leaky).tolist() == list(range(300, 350))
    assert audit_examples(codes, None, split)["verdict"][1].startswith("Sampled: of so many 24-mers one in 5 was looked up")


def test_a_sample_measures_containment_to_within_its_standard_error(monkeypatch):
    codes = random_codes(120, 1000)
    codes[60:] = [mutated(row, 16 * i) for i, row in enumerate(codes[:60])]
    training = np.arange(120) < 60
    exact = containment(Ragged.of(codes), training, ~training)
    monkeypatch.setattr("seqdl.audit.leakage.MOST_LOOKED_UP", 60 * 977 // 8)
    off = (containment(Ragged.of(codes), training, ~training) - exact)[60:] / np.sqrt(np.maximum(exact * (1 - exact), 0.01) / (977 / 9))[60:]
    assert np.abs(off).max() < 4
    assert 0.6 < off.std() < 1.4


@pytest.mark.parametrize("candidates", [1, 1 << 24])
def test_candidates_may_be_put_in_order_some_at_a_time(monkeypatch, candidates):
    codes = random_codes(60)
    codes[50:] = codes[:10]
    monkeypatch.setattr("seqdl.audit.leakage._MOST_CANDIDATES", candidates)
    training = np.arange(60) < 50
    assert containment(Ragged.of(codes), training, ~training)[50:].tolist() == [1.0] * 10


def test_true_lengths_tell_an_n_from_padding():
    codes = np.full((4, 60), 4, dtype=np.uint8)
    codes[:, :40] = random_codes(1, 40)
    codes[2:, :40] = random_codes(2, 40, seed=1)
    split, lengths = ["train", "test", "train", "test"], np.array([40, 60, 40, 40])
    assert Ragged.of(codes).length.tolist() == [40] * 4
    assert Ragged.of(codes, lengths).length.tolist() == [40, 60, 40, 40]
    as_list = [codes[0, :40], codes[1], codes[2, :40], codes[3, :40]]
    assert find_leaks(codes, split, lengths=lengths).leaky.tolist() == find_leaks(as_list, split).leaky.tolist() == [False, True, False, False]
    (array, listed) = (audit_examples(given, [0, 1, 0, 1], split, lengths=own) for given, own in ((codes, lengths), (as_list, None)))
    assert array == listed
    assert audit_examples(codes, [0, 1, 0, 1], split)["shortcuts"] != array["shortcuts"]


@pytest.mark.parametrize("lengths", [[10, 10], [10, 10, 61], [-1, 2, 3]])
def test_lengths_that_do_not_fit_are_refused(lengths):
    with pytest.raises(ShapeError, match=r"one for each of the 3 sequences, up to 60, is needed"):
        find_leaks(random_codes(3, 60), ["train", "test", "test"], lengths=lengths)


def test_leaks_that_were_found_already_are_handed_on(monkeypatch):
    codes = random_codes(40)
    codes[30] = codes[0]
    split = split_of(40, test=range(20, 40))
    leaks = find_leaks(codes, split)
    found = audit_examples(codes, np.arange(40) % 2, split)
    monkeypatch.setattr("seqdl.audit.summary.find_leaks", lambda *_, **__: pytest.fail("looked for leaks again"))
    assert audit_examples(codes, np.arange(40) % 2, split, leaks=leaks) == found
    assert np.flatnonzero(leaks.leaky).tolist() == [30]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 12), min_size=2, max_size=30), st.integers(0, 99))
def test_copies_repeats_and_contradictions_are_those_of_comparing_each_with_each(which, seed):
    kinds = random_codes(7, 12, seed)
    kinds = [*kinds, *(reverse_complement(row) for row in kinds[:6])]
    codes = np.stack([kinds[i] for i in which])
    split = np.where(np.random.default_rng(seed).random(len(which)) < 0.5, "train", "test")
    texts = [decode(row) for row in codes]
    turned = [decode(reverse_complement(row)) for row in codes]
    known = {text for text, name in zip(texts, split, strict=True) if name == "train"}
    leaks = find_leaks(codes, split)
    held_out = split == "test"
    assert leaks.kinds["exact"].tolist() == [bool(out) and text in known for text, out in zip(texts, held_out, strict=True)]
    assert leaks.kinds["reverse_complement"].tolist() == [
        bool(out) and text not in known and back in known for text, back, out in zip(texts, turned, held_out, strict=True)
    ]
    assert find_repeats(codes).tolist() == [texts[i] in texts[:i] or turned[i] in texts[:i] for i in range(len(texts))]
    label = np.arange(len(which)) % 3 == 0
    other = [any(label[j] != label[i] and texts[j] in (texts[i], turned[i]) for j in range(len(texts))) for i in range(len(texts))]
    assert count_contradictions(codes, label) == sum(other)
