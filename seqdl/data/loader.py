"""Batches gathered by the process that reads them: what a torch loader without worker processes yields, at a fraction of its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import numpy as np

from seqdl.types import Batch, Ints

if TYPE_CHECKING:
    from seqdl.data.gather import CodesDataset

_AT_ONCE = 1 << 20
"""Bases gathered in one go: many small batches, but no more than a processor keeps at hand."""


class Draw(Protocol):
    """Something that says how many batches there are, and yields their items."""

    def __len__(self) -> int: ...

    def blocks(self, n_items: int) -> Iterator[Ints]:
        """Yield the items of all batches in their order, those of several batches of one size at once, (n, B), up to so many items or one batch."""
        ...


class BatchLoader:
    """Yields the batches of a data set as a draw has them, several gathered in one go.

    It stands where a ``torch.utils.data.DataLoader`` may stand: it has a length and can be iterated over again and again. The batches
    are those that the same data set and the same draw give in a DataLoader, to the byte; batches gathered together are parts of one array.

    Parameters
    ----------
    dataset : CodesDataset
    draw : Draw
    """

    def __init__(self, dataset: CodesDataset, draw: Draw) -> None:
        self.dataset, self.draw = dataset, draw

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self.draw)

    def __iter__(self) -> Iterator[Batch]:
        """Yield every batch."""
        n_items = _AT_ONCE // max(1, self.dataset.codes.shape[1])
        return chain.from_iterable(map(self.dataset.gather, self.draw.blocks(n_items)))


class EpochLoader:
    """Yields other batches each time it is iterated over: those of the epoch that has begun.

    Parameters
    ----------
    epoch : callable
        Returns the batches of the current epoch.
    n_batches : int
        How many they are, in every epoch.
    """

    def __init__(self, epoch: Callable[[], Iterable[Batch]], n_batches: int) -> None:
        self.epoch, self.n_batches = epoch, n_batches

    def __len__(self) -> int:
        """Return the number of batches."""
        return self.n_batches

    def __iter__(self) -> Iterator[Batch]:
        """Yield every batch of the current epoch."""
        yield from self.epoch()  # only with the first batch: a run taken up again learns its epoch after it has asked for an iterator


class InOrder:
    """Draws the items 0 to ``n - 1`` in their order, cut into batches.

    Examples
    --------
    >>> [items.tolist() for items in InOrder(5, 2).blocks(100)]
    [[[0, 1], [2, 3]], [[4]]]
    """

    def __init__(self, n: int, size: int) -> None:
        self.n, self.size = n, size

    def __len__(self) -> int:
        """Return the number of batches."""
        return (self.n + self.size - 1) // self.size

    def blocks(self, n_items: int) -> Iterator[Ints]:
        """Yield the items of all batches, those of several full ones at once."""
        whole = self.n - self.n % self.size
        yield from cut(np.arange(whole).reshape(-1, self.size), n_items)
        if whole < self.n:
            yield np.arange(whole, self.n)[None]


def cut(batches: Ints, n_items: int) -> Iterator[Ints]:
    """Yield batches (n, B) some at a time, up to so many items or one batch."""
    step = max(1, n_items // max(1, batches.shape[1]))
    for first in range(0, len(batches), step):
        yield batches[first : first + step]
