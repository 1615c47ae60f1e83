from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from seqdl.data.augment import Augmentation
from seqdl.data.datamodule import BatchDraw, Loading, SequenceDataModule
from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome


def sequence_data(n_train=50, n_positive=10, *, length=12, flip=False):
    rng = np.random.default_rng(0)
    n = n_train + 12
    codes = rng.integers(0, 4, (n, length), dtype=np.uint8)
    target = np.r_[np.arange(n_train) < n_positive, np.arange(12) % 2].astype(float)
    split = ["train"] * n_train + ["val"] * 6 + ["test"] * 6
    data = SequenceData.from_sequences(list(codes), target, split, names=[f"s{i}" for i in range(n)])
    data.reverse_complement = flip
    return data


def loaders(data, *, epoch=0, seed=0, **loading):
    module = SequenceDataModule(data, Loading(**loading), seed=seed)
    module.trainer = SimpleNamespace(current_epoch=epoch)
    return module


def drawn(module):
    return [batch.index.tolist() for batch in module.train_dataloader()]


def test_an_epoch_shows_every_training_example_once():
    batches = drawn(loaders(sequence_data(n_train=48), batch_size=16))
    assert [len(batch) for batch in batches] == [16, 16, 16]
    assert sorted(row for batch in batches for row in batch) == list(range(48))


def test_the_seed_and_the_epoch_alone_decide_the_batches():
    data = sequence_data(flip=True)
    codes = [
        [batch.codes.numpy().tobytes() for batch in loaders(data, epoch=epoch, seed=seed, batch_size=16).train_dataloader()]
        for epoch, seed in ((1, 0), (1, 0), (2, 0), (1, 1))
    ]
    assert codes[0] == codes[1]
    assert codes[0] != codes[2]
    assert codes[0] != codes[3]


@pytest.mark.parametrize(("share", "size", "expected"), [(0.25, 16, 4), (0.5, 16, 8), (0.01, 16, 1), (0.99, 16, 15)])
def test_each_batch_holds_its_share_of_positives(share, size, expected):
    data = sequence_data()
    batches = loaders(data, batch_size=size, positive_share=share, epoch_steps=6).train_dataloader()
    counts = [int(batch.targets.sum()) for batch in batches]
    assert counts == [expected] * 6


def test_every_class_is_passed_through_before_any_example_comes_again():
    data = sequence_data(n_train=50, n_positive=10)
    batches = drawn(loaders(data, batch_size=20, positive_share=0.25, epoch_steps=8))
    positives = [row for batch in batches for row in batch if row < 10]
    assert len(positives) == 40
    for start in range(0, 40, 10):
        assert sorted(positives[start : start + 10]) == list(range(10))


def test_a_training_set_smaller_than_a_batch_is_one_batch():
    batches = drawn(loaders(sequence_data(n_train=9), batch_size=64))
    assert [sorted(batch) for batch in batches] == [list(range(9))]


def test_the_validation_split_comes_in_its_order_and_is_never_flipped():
    data = sequence_data(flip=True)
    (batch,) = list(loaders(data).val_dataloader())
    assert batch.index.tolist() == data.rows("val").tolist()
    np.testing.assert_array_equal(batch.codes.numpy(), data.codes_of("val"))


# augmentation ---------------------------------------------------------------------------------------

VARIED = Augmentation(jitter=7, mask=0.05, mutate=0.05)


@pytest.fixture
def interval_data():
    rng = np.random.default_rng(0)
    genome = Genome.from_codes({name: rng.integers(0, 4, 4_000, dtype=np.uint8) for name in ("a", "b", "c")})
    starts = np.tile(np.arange(0, 4_000, 40), 3)
    table = pd.DataFrame({"chrom": np.repeat(["a", "b", "c"], 100), "start": starts, "end": starts + 30, "name": "x", "score": 0.0, "strand": "-"})
    return SequenceData.binary(genome, positives=table[::3], negatives=table[1::3], val=["b"], test=["c"], reverse_complement=True)


def shown(data, *, epoch=0, seed=0, **loading):
    batches = loaders(data, epoch=epoch, seed=seed, batch_size=8, **loading).train_dataloader()
    return [(batch.codes.numpy().tobytes(), batch.index.tolist()) for batch in batches]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # torch counts the cores
@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("augmentation", [Augmentation(), VARIED], ids=["turned", "varied"])
def test_any_number_of_loader_processes_gives_the_batches_of_none(interval_data, augmentation, workers):
    assert len(shown(interval_data, augmentation=augmentation)) == 9
    assert shown(interval_data, augmentation=augmentation, workers=workers) == shown(interval_data, augmentation=augmentation)


def test_the_seed_and_the_epoch_alone_decide_how_examples_are_varied(interval_data):
    first, again, later, other = (shown(interval_data, epoch=e, seed=s, augmentation=VARIED) for e, s in ((3, 0), (3, 0), (4, 0), (3, 1)))
    assert first == again
    assert first != later
    assert first != other


def test_an_example_that_comes_twice_in_an_epoch_is_varied_twice(interval_data):
    batches = loaders(interval_data, batch_size=8, positive_share=0.5, epoch_steps=30, augmentation=VARIED).train_dataloader()
    seen = [row.tobytes() for batch in batches for row, i in zip(batch.codes.numpy(), batch.index.tolist(), strict=True) if i == 0]
    assert len(seen) > 2
    assert len(set(seen)) == len(seen)


def test_augmentation_does_not_change_which_examples_are_drawn(interval_data):
    assert [rows for _, rows in shown(interval_data)] == [rows for _, rows in shown(interval_data, augmentation=VARIED)]


def test_validation_is_never_varied(interval_data):
    (batch,) = list(loaders(interval_data, augmentation=VARIED).val_dataloader())
    np.testing.assert_array_equal(batch.codes.numpy(), interval_data.codes_of("val"))


def test_windows_of_sequences_without_a_genome_cannot_be_moved():
    with pytest.raises(ValueError, match=r"jitter is 7 bp, but the examples are sequences, without the flanks .* Leave jitter out, or give --genome"):
        loaders(sequence_data(), augmentation=VARIED).train_dataloader()


def test_jitter_shows_windows_of_the_genome_around_each_example(interval_data):
    from seqdl.sequence.edit import reverse_complement

    interval_data.reverse_complement = False
    table, genome, moved = interval_data.examples, interval_data.genome, 0
    for batch in loaders(interval_data, batch_size=8, augmentation=Augmentation(jitter=7)).train_dataloader():
        for row, i in zip(batch.codes.numpy(), batch.index.tolist(), strict=True):
            start = int(table["start"][i])
            near = [reverse_complement(genome.codes(table["chrom"][i])[s : s + 30]) for s in range(max(0, start - 7), min(3_970, start + 7) + 1)]
            assert any(np.array_equal(row, window) for window in near)
            moved += not np.array_equal(row, interval_data.codes[i])
    assert moved > 40


def test_a_draw_says_how_many_batches_it_has():
    draw = BatchDraw([np.arange(5)], [2], 7, generator=torch.Generator())
    assert len(draw) == len(list(draw)) == 7


@pytest.mark.parametrize(("steps", "n", "expected"), [(0, 65, 2), (0, 64, 1), (5, 1_000, 5)])
def test_steps_in_an_epoch(steps, n, expected):
    assert Loading(batch_size=64, epoch_steps=steps).steps_in_epoch(n) == expected


def test_what_lies_along_a_sequence_is_turned_round_with_it_in_any_number_of_processes(interval_data):
    rng = np.random.default_rng(0)
    n, length = interval_data.codes.shape
    interval_data.tracks = rng.normal(size=(n, 2, length)).astype(np.float32)
    interval_data.signal = rng.normal(size=(n, 1, length)).astype(np.float32)
    before = interval_data.tracks.copy()
    here, there = (list(loaders(interval_data, batch_size=8, workers=workers).train_dataloader()) for workers in (0, 2))
    n_turned = 0
    for batch, other in zip(here, there, strict=True):
        for row, index in enumerate(batch.index.tolist()):
            step = 1 if np.array_equal(batch.codes[row], interval_data.codes[index]) else -1
            np.testing.assert_array_equal(batch.targets[row], before[index][:, ::step])
            np.testing.assert_array_equal(batch.signal[row], interval_data.signal[index][:, ::step])
            n_turned += step < 0
        assert torch.equal(batch.targets, other.targets)
        assert torch.equal(batch.signal, other.signal)
    assert 20 < n_turned < 52
    np.testing.assert_array_equal(interval_data.tracks, before)
