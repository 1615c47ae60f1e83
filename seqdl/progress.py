"""Progress bars for long work, on stderr, only where somebody looks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def bar_is_seen() -> bool:
    """Return whether a bar would be seen: on a terminal, and never where ``SEQDL_QUIET`` is set (`--quiet` sets it)."""
    return getattr(sys.stderr, "isatty", bool)() and not os.environ.get("SEQDL_QUIET")


def track(items: Iterable[T], label: str, total: int | None = None, *, unit: str = "it", size: Callable[[T], int] | None = None) -> Iterator[T]:
    """Iterate over `items` with a progress bar on stderr, where it would be seen.

    Parameters
    ----------
    items : iterable
        What to iterate over.
    label : str
        A few words shown in front of the bar.
    total : int, optional
        How many items there are, where `items` has no length.
    unit : str, default "it"
        What is counted.
    size : callable, optional
        How many of them an item is, where items come in pieces.
    """
    from tqdm import tqdm

    disable = not bar_is_seen()
    if size is None:
        return iter(tqdm(items, desc=label, total=total, unit=unit, disable=disable, leave=False))
    return _counted(items, tqdm(desc=label, total=total, unit=unit, disable=disable, leave=False, unit_scale=True), size)


def _counted(items: Iterable[T], bar: Any, size: Callable[[T], int]) -> Iterator[T]:
    """Move the bar by the size of each item, once it is done with."""
    with bar:
        for item in items:
            yield item
            bar.update(size(item))
