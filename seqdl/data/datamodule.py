"""Loaders over a `SequenceData` for Lightning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Sampler

from seqdl.data.augment import Augmentation
from seqdl.data.dataset import CodesDataset, SequenceData
from seqdl.types import Batch, Ints

T = TypeVar("T")


@dataclass(frozen=True)
class Loading:
    """How batches are drawn.

    Parameters
    ----------
    batch_size : int, default 64
    epoch_steps : int, default 0
        Batches in an epoch; 0 shows every training example once.
    positive_share : float, in [0, 1), default 0
        Share of positives in a training batch; 0 leaves them as frequent as they are.
    workers : int, default 0
        Loader processes; batches are gathered whole, so that none are needed.
    augmentation : Augmentation, optional
        How training examples are varied; by default they are shown as they are.
    """

    batch_size: int = 64
    epoch_steps: int = 0
    positive_share: float = 0.0
    workers: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def steps_in_epoch(self, n_train: int) -> int:
        """Return how many batches an epoch has for `n_train` examples."""
        return self.epoch_steps or max(1, -(-n_train // self.batch_size))


class BatchDraw(Sampler[Ints]):
    """Draws the batches of one epoch: shuffled passes over each class, cut into batches.

    Parameters
    ----------
    strata : list of int arrays
        Items of each class; every batch takes from each its share.
    shares : list of int
        How many of each class a batch holds.
    n_batches : int
    generator : torch.Generator
    """

    def __init__(self, strata: list[Ints], shares: list[int], n_batches: int, *, generator: torch.Generator) -> None:
        self.strata, self.shares, self.n_batches, self.generator = strata, shares, n_batches, generator

    def __len__(self) -> int:
        """Return the number of batches."""
        return self.n_batches

    def __iter__(self) -> Iterator[Ints]:
        """Yield the items of each batch."""
        streams = [self._stream(stratum, share * self.n_batches) for stratum, share in zip(self.strata, self.shares, strict=True)]
        for b in range(self.n_batches):
            parts = [stream[b * share : (b + 1) * share] for stream, share in zip(streams, self.shares, strict=True)]
            yield np.concatenate(parts)

    def _stream(self, items: Ints, n: int) -> Ints:
        """Return `n` items: shuffled passes over all of them, one after the other."""
        passes = [items[torch.randperm(len(items), generator=self.generator).numpy()] for _ in range(-(-n // len(items)))]
        return np.concatenate(passes)[:n] if passes else items[:0]


class SequenceDataModule(pl.LightningDataModule):
    """Training and validation loaders over one `SequenceData`.

    The batches of epoch e depend on the seed and on e alone, so that a run that is taken up again
    sees what it would have seen, with any number of loader processes.

    Parameters
    ----------
    data : SequenceData
    loading : Loading
    seed : int
    """

    def __init__(self, data: SequenceData, loading: Loading, *, seed: int = 0) -> None:
        super().__init__()
        self.data, self.loading, self.seed = data, loading, seed

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the current epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        rows = self.data.rows("train")
        augmentation = replace(self.loading.augmentation, turned=0.5) if self.data.reverse_complement else self.loading.augmentation
        dataset = CodesDataset(self.data, rows, augmentation, seed=(self.seed, epoch))
        strata, shares = self._strata(rows)
        draw = BatchDraw(strata, shares, self.loading.steps_in_epoch(len(rows)), generator=generator)
        return DataLoader(
            dataset,
            batch_sampler=draw,  # type: ignore[arg-type]  # typed for lists; arrays go through as they are
            collate_fn=identity,
            num_workers=self.loading.workers,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the validation split, in its order."""
        dataset = CodesDataset(self.data, self.data.rows("val"))
        return DataLoader(dataset, batch_size=512, collate_fn=identity)

    def _strata(self, rows: Ints) -> tuple[list[Ints], list[int]]:
        """Return the items of each stratum and how many of each a batch takes."""
        size, share = min(self.loading.batch_size, len(rows)), self.loading.positive_share
        positive = self.data.targets()[rows].max(axis=1, initial=0) > 0
        if not share or positive.all() or not positive.any():
            return [torch.arange(len(rows)).numpy()], [size]
        n_positive = min(size - 1, max(1, round(share * size)))
        return [positive.nonzero()[0], (~positive).nonzero()[0]], [n_positive, size - n_positive]


def identity(batch: T) -> T:
    """Return a batch as it was gathered."""
    return batch
