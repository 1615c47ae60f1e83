"""Loaders over a `SequenceData` for Lightning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Sampler

from seqdl.data.augment import Augmentation
from seqdl.data.dataset import SequenceData
from seqdl.data.gather import CodesDataset
from seqdl.data.loader import BatchLoader, EpochLoader, InOrder, cut
from seqdl.errors import InputError
from seqdl.types import Batch, Ints

T = TypeVar("T")
VALIDATION_BATCH = 512


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
    balanced : bool, default False
        Draw each of several classes equally often.
    part : tuple of 2 int, default (0, 1)
        Which of how many processes this is: each takes its part of every batch.
    workers : int, default 0
        Loader processes; batches are gathered whole, so that none are needed.
    augmentation : Augmentation, optional
        How training examples are varied; by default they are shown as they are.
    """

    batch_size: int = 64
    epoch_steps: int = 0
    positive_share: float = 0.0
    balanced: bool = False
    part: tuple[int, int] = (0, 1)
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
    part : tuple of 2 int, default (0, 1)
        Which part of how many of every batch is yielded; together the parts are the batch.
    """

    def __init__(self, strata: list[Ints], shares: list[int], n_batches: int, *, generator: torch.Generator, part: tuple[int, int] = (0, 1)) -> None:
        self.strata, self.shares, self.n_batches, self.generator, self.part = strata, shares, n_batches, generator, part

    def __len__(self) -> int:
        """Return the number of batches."""
        return self.n_batches

    def __iter__(self) -> Iterator[Ints]:
        """Yield the items of each batch."""
        yield from self._batches()  # only now: torch asks for an iterator twice and uses the second

    def blocks(self, n_items: int) -> Iterator[Ints]:
        """Yield the items of all batches, those of several at once."""
        yield from cut(self._batches(), n_items)

    def _batches(self) -> Ints:
        """Return the items of all batches, (n_batches, B)."""
        streams = [self._stream(stratum, share * self.n_batches) for stratum, share in zip(self.strata, self.shares, strict=True)]
        parts = [stream.reshape(self.n_batches, share) for stream, share in zip(streams, self.shares, strict=True)]
        batches: Ints = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return batches[:, self.part[0] :: self.part[1]]

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

    def train_dataloader(self) -> EpochLoader:
        """Return the loader of the training split; each time it is iterated over, it has the batches of the current epoch."""
        return EpochLoader(partial(self._epoch, *self._drawn), self.loading.steps_in_epoch(len(self._training)))

    def _epoch(self, strata: list[Ints], shares: list[int]) -> BatchLoader | DataLoader[Batch]:
        """Return the loader of the current epoch, whose batches take from each stratum its share."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        augmentation = replace(self.loading.augmentation, turned=0.5) if self.data.reverse_complement else self.loading.augmentation
        dataset = self._training.varied(augmentation, seed=(self.seed, epoch))
        draw = BatchDraw(strata, shares, self.loading.steps_in_epoch(len(dataset)), generator=generator, part=self.loading.part)
        if not self.loading.workers:
            return BatchLoader(dataset, draw)
        return DataLoader(
            dataset,
            batch_sampler=draw,  # type: ignore[arg-type]  # typed for lists; arrays go through as they are
            collate_fn=identity,
            num_workers=self.loading.workers,
        )

    def val_dataloader(self) -> BatchLoader:
        """Return the loader of the validation split, in its order."""
        dataset = CodesDataset(self.data, self.data.rows("val"))
        return BatchLoader(dataset, InOrder(len(dataset), VALIDATION_BATCH))

    @cached_property
    def _training(self) -> CodesDataset:
        """The training examples, and where their windows may be moved."""
        return CodesDataset(self.data, self.data.rows("train"), self.loading.augmentation)

    @cached_property
    def _drawn(self) -> tuple[list[Ints], list[int]]:
        """The strata of the training examples, and how many of each a batch takes."""
        return self._strata(self._training.rows)

    def _strata(self, rows: Ints) -> tuple[list[Ints], list[int]]:
        """Return the items of each stratum and how many of each a batch takes."""
        size, share = min(self.loading.batch_size, len(rows)), self.loading.positive_share
        if self.loading.balanced:
            return self._classes(rows, size)
        positive = self.data.targets()[rows].max(axis=1, initial=0) > 0
        if not share or positive.all() or not positive.any():
            return [torch.arange(len(rows)).numpy()], [size]
        n_positive = min(size - 1, max(1, round(share * size)))
        return [positive.nonzero()[0], (~positive).nonzero()[0]], [n_positive, size - n_positive]

    def _classes(self, rows: Ints, size: int) -> tuple[list[Ints], list[int]]:
        """Return the items of each class that is there, and shares of a batch that differ by one at most."""
        number = self.data.targets()[rows][:, 0]
        strata = [(number == k).nonzero()[0] for k in np.unique(number)]
        if size < len(strata):
            raise InputError(f"a batch holds {size} examples of {len(strata)} classes: at least one of each was expected. Raise --batch-size.")
        return strata, [size // len(strata) + (k < size % len(strata)) for k in range(len(strata))]


def identity(batch: T) -> T:
    """Return a batch as it was gathered."""
    return batch
