"""Shortcuts that were planted, and none where there is none."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from Bio import SeqIO
from sklearn.metrics import roc_auc_score

from seqdl.audit.ragged import Ragged
from seqdl.audit.shortcuts import features, find_shortcuts
from seqdl.errors import InputError
from seqdl.sequence.encode import encode

N = 600
TARGET = np.arange(N) % 2 == 0
SPLIT = np.tile(["train", "train", "train", "test", "test", "val"], N // 6)


def sequences(seed=0, length=100):
    return list(np.random.default_rng(seed).integers(0, 4, (N, length)).astype(np.uint8))


def found(codes, target=TARGET, split=SPLIT):
    return {shortcut.name: shortcut for shortcut in find_shortcuts(codes, target, split)}


@pytest.mark.parametrize("as_list", [False, True])
def test_matched_classes_have_no_shortcut(as_list):
    codes = sequences()
    shortcuts = found(codes if as_list else np.stack(codes))
    assert [shortcut.is_shortcut for shortcut in shortcuts.values()] == [False] * 3
    assert shortcuts["length"].auroc == shortcuts["length"].low == 0.5


@pytest.mark.parametrize("positive", [True, False])
def test_gc_is_found_in_either_direction_with_the_auroc_of_sklearn(positive):
    codes = np.stack(sequences())
    rich = positive == TARGET
    codes[rich] = np.where((codes[rich] == 0) & (np.random.default_rng(1).random(codes[rich].shape) < 0.3), 2, codes[rich])
    shortcut = found(codes)["gc"]
    assert shortcut.is_shortcut
    gc = np.isin(codes, (1, 2)).mean(axis=1)
    test = SPLIT == "test"
    assert shortcut.auroc == pytest.approx(roc_auc_score(TARGET[test], gc[test] if positive else -gc[test]))
    assert (shortcut.positive_mean > shortcut.negative_mean) == positive


@pytest.mark.parametrize("as_list", [False, True])
def test_length_is_found_in_lists_and_in_padded_arrays(as_list):
    codes = sequences()
    if as_list:
        codes = [sequence[:90] if positive else sequence for sequence, positive in zip(codes, TARGET, strict=True)]
    else:
        codes = np.stack(codes)
        codes[TARGET, 95:], codes[TARGET, :5] = 4, 4
    shortcuts = found(codes)
    assert shortcuts["length"].is_shortcut
    assert shortcuts["length"].auroc == 1
    assert shortcuts["length"].positive_mean == 90
    assert not shortcuts["n_content"].is_shortcut


def test_unknown_bases_are_found():
    codes = np.stack(sequences())
    codes[~TARGET, 40:50] = 4
    shortcuts = found(codes)
    assert shortcuts["n_content"].is_shortcut
    assert shortcuts["n_content"].negative_mean == pytest.approx(0.1)


def test_the_direction_comes_from_training_so_a_turned_test_set_scores_below_chance():
    codes = np.stack(sequences())
    rich = (SPLIT == "test") ^ TARGET
    codes[rich] = np.where(codes[rich] == 0, 2, codes[rich])
    assert found(codes)["gc"].auroc < 0.1


def test_a_test_set_of_one_class_leaves_the_auroc_undefined():
    shortcut = found(sequences(), split=np.where(TARGET, "test", "train"))["gc"]
    assert (shortcut.auroc, shortcut.low, shortcut.is_shortcut) == (None, None, False)


def test_sequences_of_nothing_but_n_have_no_gc_and_are_all_n():
    values = features(Ragged.of([np.full(5, 4, dtype=np.uint8), np.array([], dtype=np.uint8)]))
    assert np.isnan(values["gc"]).all()
    assert values["n_content"].tolist() == [1.0, 1.0]


def test_a_target_that_is_not_binary_is_refused():
    with pytest.raises(InputError, match="target holds 2"):
        find_shortcuts(sequences(), np.arange(N) % 3, SPLIT)


def test_the_known_gc_difference_of_the_arabidopsis_promoters_is_found(shared_data):
    def read(name):
        with gzip.open(shared_data / "cnnprom_dev" / name, "rt") as lines:
            return [encode(str(record.seq)) for record in SeqIO.parse(lines, "fasta")]

    positive, negative = read("Arabidopsis_tata.fa.gz"), read("Arabidopsis_non_prom.fa.gz")
    codes, target = positive + negative, np.arange(len(positive) + len(negative)) < len(positive)
    shortcut = found(codes, target, np.random.default_rng(0).choice(["train", "test"], len(codes)))["gc"]
    assert shortcut.is_shortcut
    assert shortcut.positive_mean < shortcut.negative_mean  # TATA promoters are poor in GC, genes are not
