"""How batches are gathered from examples, whole, and varied."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from seqdl.data.augment import Augmentation
from seqdl.types import Batch, Ints

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.data.flanks import Flanks


class CodesDataset(Dataset[Batch]):
    """Gathers whole batches of codes; nothing is done sequence by sequence.

    What is random in a batch depends on the seed and on which examples it holds, in which order: not on the batches
    before it, and not on the process that gathers it.

    Parameters
    ----------
    data : SequenceData
    rows : int array
        The rows of `data` this data set shows.
    augmentation : Augmentation, optional
        How the examples are varied; without it they are shown as they are.
    seed : sequence of int
        Numbers that a batch's randomness begins from, such as those of the run and of the epoch.

    Raises
    ------
    InputError
        If windows are to be moved and the data have no genome.
    """

    def __init__(self, data: SequenceData, rows: Ints, augmentation: Augmentation | None = None, *, seed: Sequence[int] = (0,)) -> None:
        self.data, self.rows = data, rows
        self.codes = np.ascontiguousarray(data.codes)  # take() would copy any other as a whole
        self.targets = np.ascontiguousarray(data.truth())
        self.signal = data.signal
        self.lengths = data.lengths
        self.flanks: Flanks | None = None
        self._vary(augmentation or Augmentation(), seed)

    def _vary(self, augmentation: Augmentation, seed: Sequence[int]) -> None:
        self.augmentation, self.seed = augmentation, tuple(seed)
        if augmentation.jitter and self.flanks is None:
            self.flanks = self.data.flanks(augmentation.jitter)

    def varied(self, augmentation: Augmentation, *, seed: Sequence[int]) -> CodesDataset:
        """Return a data set of the same examples, varied anew; what is known of them is not looked up again."""
        found = copy(self)
        found._vary(augmentation, seed)
        return found

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.rows)

    def __getitem__(self, item: int) -> Batch:
        """Return a batch of one."""
        return self.__getitems__([item])

    def __getitems__(self, items: Sequence[int] | Ints) -> Batch:
        """Return the batch of these items, gathered in one go."""
        (batch,) = self.gather(np.asarray(items)[None])
        return batch

    def gather(self, items: Ints) -> Iterator[Batch]:
        """Yield n batches of items (n, B), all gathered in one go; each is what it would be by itself."""
        rows = self.rows.take(items)
        none = [None] * len(rows)
        codes, targets = _taken(self.codes, rows), _taken(self.targets, rows).float()
        lengths, signal = (none if array is None else _taken(array, rows).unbind() for array in (self.lengths, self.signal))
        batches = map(Batch, codes.unbind(), targets.unbind(), torch.from_numpy(rows).unbind(), lengths, signal)
        return map(self._varied, batches) if self.augmentation else batches

    def _varied(self, batch: Batch) -> Batch:
        """Return a batch varied by what its rows and the seed decide."""
        rows, shown = batch.index.numpy(), batch.codes.numpy()
        rng = np.random.default_rng([*self.seed, zlib.crc32(rows.tobytes())])
        moved = shown if self.flanks is None else self.flanks.moved(shown, rows, rng)
        along = [part.numpy() for part in (batch.targets, batch.signal) if part is not None and part.ndim == 3]  # this batch's own: turned in place
        varied = self.augmentation.apply(moved, rng, lengths=None if batch.lengths is None else batch.lengths.numpy(), along=along)
        return replace(batch, codes=torch.from_numpy(varied))


def _taken(array: NDArray[Any], rows: Ints) -> Tensor:
    """Return some rows of an array, several times as fast as an index in brackets does."""
    return torch.from_numpy(array.take(rows, axis=0))
