"""Our own loader against a torch DataLoader over the same data set."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from seqdl.data import loader as module
from seqdl.data.augment import Augmentation
from seqdl.data.datamodule import Loading, SequenceDataModule, identity
from seqdl.data.dataset import SequenceData
from seqdl.data.gather import CodesDataset
from seqdl.data.loader import BatchLoader, InOrder


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 4, size, dtype=np.uint8) for size in rng.integers(20, 40, 70)]
    data = SequenceData.from_sequences(codes, rng.integers(0, 2, 70), ["train"] * 60 + ["val"] * 10, names=[f"s{i}" for i in range(70)])
    data.signal = rng.normal(size=(70, 2, data.length)).astype(np.float32)
    return data


def contents(batches):
    return [tuple(part.numpy().tobytes() for part in (b.codes, b.targets, b.index, b.lengths, b.signal)) for b in batches]


@pytest.mark.parametrize("at_once", [1, 1_000, 1 << 20])
@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(turned=0.5, mask=0.1, mutate=0.1)], ids=["as-they-are", "varied"])
def test_batches_gathered_together_are_those_of_a_torch_loader(data, monkeypatch, augmentation, at_once):
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    dataset = CodesDataset(data, data.rows("train"), augmentation, seed=(3, 1))
    ours = BatchLoader(dataset, InOrder(len(dataset), 16))
    theirs = DataLoader(dataset, batch_size=16, collate_fn=identity)
    assert len(ours) == len(theirs) == 4
    assert contents(ours) == contents(theirs)
    assert contents(ours) == contents(ours)


def test_an_epoch_of_our_loader_is_that_of_a_torch_loader_with_processes(data):
    here, there = (SequenceDataModule(data, Loading(16, positive_share=0.25, workers=n)).train_dataloader() for n in (0, 2))
    assert isinstance(here.epoch(), BatchLoader)
    assert isinstance(there.epoch(), DataLoader)
    assert contents(here) == contents(there)


def test_changing_a_batch_changes_neither_the_data_nor_its_neighbours(data):
    batches = list(SequenceDataModule(data, Loading(16)).train_dataloader())
    before, others = data.codes.copy(), [batch.codes.clone() for batch in batches[1:]]
    batches[0].codes[:] = 9
    np.testing.assert_array_equal(data.codes, before)
    assert all(torch.equal(batch.codes, other) for batch, other in zip(batches[1:], others, strict=True))


def test_a_data_set_without_examples_has_no_batches(data):
    assert list(BatchLoader(CodesDataset(data, data.rows("test")), InOrder(0, 16))) == []


def test_lightning_takes_it_as_it_is(data):
    class Mean(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.weight, self.seen = torch.nn.Parameter(torch.zeros(1)), []

        def training_step(self, batch, index):
            self.seen.append(batch.index.tolist())
            return (self.weight * batch.targets.mean() - 1) ** 2

        def validation_step(self, batch, index):
            self.seen.append(batch.index.tolist())

        def transfer_batch_to_device(self, batch, device, index):
            return batch.to(device)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    task = Mean()
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = pl.Trainer(max_epochs=2, accelerator="cpu", num_sanity_val_steps=0, **quiet)
    trainer.fit(task, datamodule=SequenceDataModule(data, Loading(16)))
    assert [len(rows) for rows in task.seen] == [16, 16, 16, 16, 10] * 2
    assert task.seen[:4] != task.seen[5:9]
    assert task.seen[4] == data.rows("val").tolist()
