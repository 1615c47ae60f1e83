"""Progress bars for long work, on stderr, only where somebody looks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def track(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Iterate over `items` with a progress bar on stderr.

    The bar is shown only on a terminal, and never where ``SEQDL_QUIET`` is set (`--quiet` sets it).

    Parameters
    ----------
    items : iterable
        What to iterate over.
    label : str
        A few words shown in front of the bar.
    total : int, optional
        How many items there are, where `items` has no length.
    """
    from tqdm import tqdm

    disable = True if os.environ.get("SEQDL_QUIET") else None
    return iter(tqdm(items, desc=label, total=total, disable=disable, leave=False))
