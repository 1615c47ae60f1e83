from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from seqdl.data.augment import Augmentation
from seqdl.data.datamodule import identity
from seqdl.data.dataset import SequenceData
from seqdl.data.examples import interval_examples
from seqdl.data.gather import CodesDataset
from seqdl.data.genome import Genome
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import one_hot

CHROMS = ("chrA", "chrB", "chrC")


@pytest.fixture
def genome():
    rng = np.random.default_rng(0)
    return Genome.from_codes({name: rng.integers(0, 4, 1_000, dtype=np.uint8) for name in CHROMS})


def intervals(starts, *, chroms=CHROMS, width=20, strand="."):
    rows = [(chrom, start, start + width) for chrom in chroms for start in starts]
    return pd.DataFrame(rows, columns=["chrom", "start", "end"]).assign(name="x", score=0.0, strand=strand)


@pytest.fixture
def data(genome):
    return SequenceData.binary(
        genome, positives=intervals(range(0, 400, 100)), negatives=intervals(range(500, 900, 50)), val=["chrB"], test=["chrC"], output="Reb1"
    )


def ragged(sizes, *, seed=0):
    rng = np.random.default_rng(seed)
    sequences = [rng.integers(0, 4, size, dtype=np.uint8) for size in sizes]
    split = [("train", "val", "test")[i % 3] for i in range(len(sizes))]
    return SequenceData.from_sequences(sequences, np.arange(len(sizes)) % 2, split, names=[f"s{i}" for i in range(len(sizes))]), sequences


def test_examples_carry_place_target_and_split(data):
    assert list(data.examples.columns) == ["id", "chrom", "start", "end", "strand", "Reb1", "split"]
    assert data.examples["id"].is_unique
    assert set(zip(data.examples["chrom"], data.examples["split"], strict=True)) == {("chrA", "train"), ("chrB", "val"), ("chrC", "test")}
    assert data.sizes() == {split: {"positives": 4, "negatives": 8} for split in ("train", "val", "test")}
    assert data.summary() == "train 4 + 8, val 4 + 8, test 4 + 8"


def test_codes_are_those_of_the_genome_at_each_place(data, genome):
    for row, example in zip(data.codes, data.examples.itertuples(), strict=True):
        np.testing.assert_array_equal(row, genome.codes(example.chrom)[example.start : example.end])


def test_the_minus_strand_is_shown_as_its_reverse_complement(genome):
    split = ["train"] * 24
    plus = SequenceData.from_intervals(genome, intervals(range(0, 400, 100), strand="+"), intervals(range(500, 700, 50), strand="+"), split=split)
    minus = SequenceData.from_intervals(genome, intervals(range(0, 400, 100), strand="-"), intervals(range(500, 700, 50), strand="-"), split=split)
    np.testing.assert_array_equal(minus.codes, reverse_complement(plus.codes))
    assert set(minus.examples["id"]).isdisjoint(plus.examples["id"])


def test_one_place_given_twice_keeps_two_names():
    twice = pd.concat([intervals([100], chroms=["chrA"])] * 3, ignore_index=True)
    table = interval_examples(twice, np.ones(3), ["train"] * 3)
    assert table["id"].tolist() == ["chrA:100-120(.)", "chrA:100-120(.)_2", "chrA:100-120(.)_3"]


@pytest.mark.parametrize("split", ["train", "val", "test", None])
def test_a_split_is_the_same_in_every_view(data, split):
    rows = data.rows(split)
    np.testing.assert_array_equal(data.codes_of(split), data.codes[rows])
    np.testing.assert_array_equal(data.targets(split)[:, 0], data.examples["Reb1"].to_numpy()[rows])
    np.testing.assert_array_equal(data.one_hot(split), one_hot(data.codes[rows]))
    assert data.one_hot(split, limit=3).shape == (3, 4, 20)
    assert data.targets(split).dtype == np.float32


def test_an_unknown_split_is_refused(data):
    with pytest.raises(ValueError, match="no split is called 'validation': train, val or test was expected"):
        data.rows("validation")


def test_intervals_of_different_widths_are_refused(genome):
    with pytest.raises(ValueError, match=r"2 widths, such as \[20, 30\] bp: one was expected. Use seqdl.resize"):
        SequenceData.binary(genome, positives=intervals([0]), negatives=intervals([500], width=30))


def test_a_split_without_one_class_is_refused_with_the_counts(genome):
    negatives = intervals(range(500, 900, 50), chroms=["chrA", "chrB"])
    with pytest.raises(ValueError, match=r"the test split holds 0 negatives: at least 2 .*train 4 \+ 8, val 4 \+ 8, test 4 \+ 0"):
        SequenceData.binary(genome, positives=intervals(range(0, 400, 100)), negatives=negatives, val=["chrB"], test=["chrC"])


def test_shorter_sequences_are_padded_at_their_end():
    data, sequences = ragged([5, 9, 7])
    assert data.length == 9
    assert data.lengths.tolist() == [5, 9, 7]
    for row, sequence in zip(data.codes, sequences, strict=True):
        np.testing.assert_array_equal(row, np.r_[sequence, np.full(9 - len(sequence), 4)])


def test_equal_lengths_need_no_lengths():
    assert ragged([6, 6, 6])[0].lengths is None


@pytest.mark.parametrize(("target", "kind", "counts"), [([0.5, 2, -1], "regression", False), ([0, 2, 7], "regression", True)])
def test_numbers_are_told_apart_from_zero_and_one_and_whole_ones_are_counts(target, kind, counts):
    data = SequenceData.from_sequences(np.zeros((3, 5), np.uint8), np.array(target), ["train", "val", "test"], numeric=True)
    assert (data.kind, data.counts) == (kind, counts)


def test_classes_have_the_numbers_of_their_order():
    data = SequenceData.from_sequences(np.zeros((3, 5), np.uint8), ["b", "c", "a"], ["train", "val", "test"], classes=["c", "b", "a"])
    assert data.kind == "multiclass"
    assert data.targets()[:, 0].tolist() == [1, 0, 2]
    with pytest.raises(ValueError, match="the targets hold 'a'; one of b, c was expected"):
        SequenceData.from_sequences(np.zeros((3, 5), np.uint8), ["b", "c", "a"], ["train", "val", "test"], classes=["b", "c"])


# batches --------------------------------------------------------------------------------------------


def test_a_batch_is_the_rows_that_were_asked_for(data):
    rows = data.rows("val")
    batch = CodesDataset(data, rows).__getitems__([3, 0, 3])
    assert batch.codes.dtype == torch.uint8
    assert batch.index.tolist() == rows[[3, 0, 3]].tolist()
    np.testing.assert_array_equal(batch.codes.numpy(), data.codes[rows[[3, 0, 3]]])
    np.testing.assert_array_equal(batch.targets.numpy(), data.targets()[rows[[3, 0, 3]]])
    assert batch.lengths is None


def test_a_single_item_is_a_batch_of_one(data):
    dataset = CodesDataset(data, data.rows("train"))
    assert torch.equal(dataset[2].codes, dataset.__getitems__([2]).codes)


def test_a_batch_knows_its_lengths():
    data, _ = ragged([5, 9, 7, 6])
    assert CodesDataset(data, np.arange(4)).__getitems__([2, 1]).lengths.tolist() == [7, 9]


def test_flipped_sequences_are_reverse_complements_and_the_data_stay_as_they_are(data):
    before = data.codes.copy()
    rows = data.rows("train")
    batch = CodesDataset(data, rows, Augmentation(turned=0.5)).__getitems__(list(range(len(rows))))
    turned = (batch.codes.numpy() != data.codes[rows]).any(axis=1)
    assert 0 < turned.sum() < len(rows)
    np.testing.assert_array_equal(batch.codes.numpy()[turned], reverse_complement(data.codes[rows][turned]))
    np.testing.assert_array_equal(data.codes, before)


def test_flipping_leaves_the_padding_at_the_end():
    data, sequences = ragged([5, 9, 7, 6, 8, 4])
    batch = CodesDataset(data, np.arange(6), Augmentation(turned=0.5), seed=[1]).__getitems__(list(range(6)))
    for row, sequence in zip(batch.codes.numpy(), sequences, strict=True):
        n = len(sequence)
        assert (row[n:] == 4).all()
        assert np.array_equal(row[:n], sequence) or np.array_equal(row[:n], reverse_complement(sequence))


def test_two_workers_give_the_bytes_of_none(data):
    dataset = CodesDataset(data, data.rows())
    batches = [
        [batch.codes.numpy().tobytes() for batch in DataLoader(dataset, batch_size=8, collate_fn=identity, num_workers=workers)] for workers in (0, 2)
    ]
    assert batches[0] == batches[1]


def test_a_data_set_travels_to_another_process(data):
    twin = pickle.loads(pickle.dumps(CodesDataset(data, data.rows("val"))))
    assert torch.equal(twin[1].codes, CodesDataset(data, data.rows("val"))[1].codes)


def test_sequences_of_which_nothing_is_known_have_no_target_and_are_numbered():
    made = SequenceData.from_sequences([np.zeros(5, dtype=np.uint8), np.ones(3, dtype=np.uint8)], None, ["train", "test"])
    assert (made.kind, made.outputs, made.targets().shape) == ("none", [], (2, 0))
    assert made.examples["id"].tolist() == ["sequence1", "sequence2"]
