from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from seqdl.data.datamodule import BatchDraw, Loading, SequenceDataModule
from seqdl.data.dataset import SequenceData


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


def test_a_draw_says_how_many_batches_it_has():
    draw = BatchDraw([np.arange(5)], [2], 7, generator=torch.Generator())
    assert len(draw) == len(list(draw)) == 7


@pytest.mark.parametrize(("steps", "n", "expected"), [(0, 65, 2), (0, 64, 1), (5, 1_000, 5)])
def test_steps_in_an_epoch(steps, n, expected):
    assert Loading(batch_size=64, epoch_steps=steps).steps_in_epoch(n) == expected
