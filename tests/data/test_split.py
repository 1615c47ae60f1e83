from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.data.split import (
    fold_chromosomes,
    homology_folds,
    random_folds,
    split_at_random,
    split_by_chromosome,
    split_by_homology,
    splits_of_fold,
)
from seqdl.errors import DataError, InputError, UnknownNameError
from seqdl.experiment.data_config import DataConfig
from seqdl.experiment.tables import split_sequences
from seqdl.sequence.edit import reverse_complement

ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"]
SIZES = [230218, 813184, 316620, 1531933, 576874, 270161, 1090940, 562643, 439888, 745751, 666816, 1078177, 924431, 784333, 1091291, 948066]
YEAST = {f"chr{roman}": size for roman, size in zip(ROMAN, SIZES, strict=True)} | {"chrmt": 85779}


def random_sequences(n, length=120, seed=0):
    return list(np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8))


def shares(split):
    return {kind: float(np.mean(split == kind)) for kind in ("train", "val", "test")}


def test_chosen_chromosomes_are_about_a_tenth_each_of_examples_and_genome():
    chroms = np.repeat(list(YEAST), [size // 5000 for size in YEAST.values()])
    split = split_by_chromosome(chroms, YEAST)
    found = shares(split)
    assert found["val"] == pytest.approx(0.1, abs=0.03)
    assert found["test"] == pytest.approx(0.1, abs=0.03)
    by_chrom = pd.Series(split).groupby(chroms).nunique()
    assert (by_chrom == 1).all()
    assert set(split[chroms == "chrmt"]) == {"train"}
    assert (split == split_by_chromosome(pd.Series(chroms, index=range(5, 5 + len(chroms))), YEAST)).all()


@given(st.lists(st.integers(1, 500), min_size=3, max_size=40))
def test_every_split_gets_a_chromosome_whatever_their_sizes(counts):
    lengths = {f"chr{i + 1}": count * 10 for i, count in enumerate(counts)}
    split = split_by_chromosome(np.repeat(list(lengths), counts), lengths)
    assert set(split) == {"train", "val", "test"}


def test_named_chromosomes_are_held_out_and_the_rest_is_chosen():
    chroms = np.array(list(YEAST))
    split = split_by_chromosome(chroms, YEAST, val=["chrV"], test=["chrII", "chrIV"])
    assert chroms[split == "val"].tolist() == ["chrV"]
    assert chroms[split == "test"].tolist() == ["chrII", "chrIV"]
    only_test = split_by_chromosome(chroms, YEAST, test=["chrII"])
    assert chroms[only_test == "test"].tolist() == ["chrII"]
    assert (only_test == "val").any()
    assert "chrII" not in chroms[only_test == "val"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"test": ["chr4"]}, UnknownNameError, "no chromosome named 'chr4'"),
        ({"val": ["chrI"], "test": ["chrI"]}, InputError, "chrI is named for validation and for test"),
        ({"val": ["chrmt"], "test": ["chrI"]}, DataError, "no example is left for val"),
    ],
)
def test_names_that_cannot_be_held_out_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        split_by_chromosome(["chrI", "chrII", "chrIII"], YEAST, **options)


def test_too_few_chromosomes_say_how_many_are_needed():
    with pytest.raises(DataError, match=r"2 chromosomes with examples are left.*expected at least 3.*split by homology"):
        split_by_chromosome(["chrI", "chrII", "chrmt"], YEAST)


@pytest.mark.parametrize("k", [3, 4, 5, 16])
def test_folds_test_every_nuclear_chromosome_once(k):
    tested = []
    for fold in range(k):
        val, test = fold_chromosomes(YEAST, k=k, fold=fold)
        assert test == [name for i, name in enumerate(YEAST) if i % k == fold and name != "chrmt"]
        assert val == fold_chromosomes(YEAST, k=k, fold=(fold + 1) % k)[1]
        tested += test
    assert sorted(tested) == sorted(set(YEAST) - {"chrmt"})


def test_an_organelle_that_comes_first_keeps_its_index():
    assert fold_chromosomes({"chrM": 1, "chr1": 9, "chr2": 9, "chr3": 9}, k=3, fold=1) == (["chr2"], ["chr1"])


@pytest.mark.parametrize(("k", "fold", "message"), [(2, 0, "2 folds were asked for"), (4, 4, "no fold 4 of 4"), (4, -1, "no fold -1 of 4")])
def test_folds_out_of_range_are_refused(k, fold, message):
    with pytest.raises(InputError, match=message):
        fold_chromosomes(YEAST, k=k, fold=fold)


def test_more_folds_than_chromosomes_are_refused():
    with pytest.raises(DataError, match=r"fold 2 of 5 has no chromosome"):
        fold_chromosomes({"a": 1, "b": 1}, k=5, fold=0)


def test_near_copies_of_either_strand_stay_together():
    originals = random_sequences(200)
    rng = np.random.default_rng(1)
    sequences, family = [], []
    for i, codes in enumerate(originals):
        mutated = codes.copy()
        mutated[rng.choice(120, 2, replace=False)] = rng.integers(0, 4, 2)
        sequences += [codes, reverse_complement(codes), mutated, np.r_[codes[40:], codes[:0]]][: 1 + i % 4]
        family += [i] * (1 + i % 4)
    split = split_by_homology(sequences, labels=np.arange(len(sequences)) % 2)
    assert (pd.Series(split).groupby(family).nunique() == 1).all()
    for kind, share in (("train", 0.8), ("val", 0.1), ("test", 0.1)):
        assert shares(split)[kind] == pytest.approx(share, abs=0.02)


def test_no_held_out_sequence_is_a_mosaic_of_training_sequences():
    """Windows tiled over a genome overlap neighbours on both sides, each by less than half."""
    genome = np.random.default_rng(0).integers(0, 4, 40_000, dtype=np.uint8)
    sequences = [genome[start : start + 200] for start in range(0, 39_800, 105)]
    sequences += random_sequences(400, 200, seed=5)
    split = split_by_homology(sequences)
    known = {bytes(s[i : i + 24]) for s, kind in zip(sequences, split, strict=True) if kind == "train" for i in range(len(s) - 23)}
    for codes, kind in zip(sequences, split, strict=True):
        if kind != "train":
            assert np.mean([bytes(codes[i : i + 24]) in known for i in range(len(codes) - 23)]) < 0.8


def test_families_large_and_small_are_spread_over_the_splits():
    pairs = [codes for codes in random_sequences(100) for _ in range(2)]
    split = split_by_homology(pairs + random_sequences(200, seed=9))
    assert 0.04 < np.mean(split[:200] == "test") < 0.16


@pytest.mark.parametrize("splitter", ["homology", "random"])
def test_classes_are_shared_out_evenly(splitter):
    labels = np.repeat(["common", "rare"], [360, 40])
    split = split_by_homology(random_sequences(400), labels=labels) if splitter == "homology" else split_at_random(400, labels=labels)
    assert {kind: int((split[labels == "rare"] == kind).sum()) for kind in ("train", "val", "test")} == {"train": 32, "val": 4, "test": 4}


def test_a_very_rare_class_is_seen_in_every_split():
    split = split_at_random(104, labels=np.r_[np.zeros(100), np.ones(4)])
    assert set(split[100:]) == {"train", "val", "test"}


def test_numbers_are_not_classes():
    assert shares(split_at_random(100, labels=np.linspace(0, 1, 100))) == {"train": 0.8, "val": 0.1, "test": 0.1}


def test_the_seed_decides():
    assert (split_at_random(50, seed=3) == split_at_random(50, seed=3)).all()
    assert (split_at_random(50, seed=3) != split_at_random(50, seed=4)).any()
    sequences = random_sequences(60)
    assert (split_by_homology(sequences, seed=1) == split_by_homology(sequences, seed=1)).all()


@pytest.mark.parametrize("fractions", [(8 / 9, 0.0, 1 / 9), (8 / 9, 1 / 9, 0.0), (1.0, 0.0, 0.0)])
def test_a_share_of_nothing_leaves_its_split_empty(fractions):
    sequences = random_sequences(60) + random_sequences(20)
    for split in (split_at_random(80, fractions=fractions), split_by_homology(sequences, fractions=fractions)):
        found = shares(split)
        assert [found[kind] > 0 for kind in ("train", "val", "test")] == [share > 0 for share in fractions]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: split_at_random(9), DataError, "9 examples to split; expected at least 10"),
        (lambda: split_at_random(50, fractions=(0.5, 0.1, 0.1)), InputError, "shares of 0 or more that sum to 1"),
        (lambda: split_at_random(50, labels=[1, 2]), InputError, r"labels have the shape \(2,\)"),
        (lambda: split_by_homology(random_sequences(1) * 30), DataError, "too few families of near copies"),
        (lambda: homology_folds(random_sequences(1) * 30, 3), DataError, "1 families of near copies"),
        (lambda: homology_folds(random_sequences(30), 2), InputError, "2 folds were asked for"),
        (lambda: random_folds(5, 5, labels=[0, 0, 1, 1, 1]), DataError, "5 examples .* are too few for 5 folds"),
    ],
)
def test_what_cannot_be_split_says_why(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_random_folds_share_out_classes_and_know_of_no_families():
    sequences, labels = [some for some in random_sequences(40) for _ in range(2)], np.arange(80) % 4 == 0
    folds = random_folds(80, 4, labels=labels, seed=3)
    assert [(folds[labels] == k).sum() for k in range(4)] == [5] * 4
    assert [(folds == k).sum() for k in range(4)] == [20] * 4
    assert (folds[0::2] != folds[1::2]).any()
    of_fold = {way: split_sequences(sequences, labels, DataConfig(split=way, fold=1, n_folds=4), seed=3) for way in ("random", "homology")}
    assert of_fold["random"] == splits_of_fold(folds, 1, k=4).tolist()
    assert of_fold["homology"][0::2] == of_fold["homology"][1::2]


def test_homology_folds_cover_everything_and_keep_families():
    sequences = [codes for codes in random_sequences(60) for _ in range(2)]
    folds = homology_folds(sequences, 4)
    assert (folds[::2] == folds[1::2]).all()
    assert np.bincount(folds).tolist() == [30, 30, 30, 30]
    tested = np.zeros(len(sequences), dtype=int)
    for fold in range(4):
        split = splits_of_fold(folds, fold, k=4)
        tested += split == "test"
        assert shares(split) == {"train": 0.5, "val": 0.25, "test": 0.25}
    assert (tested == 1).all()
