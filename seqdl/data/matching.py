"""Choosing windows with the wanted number of G and C."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqdl.types import Ints

# What is given up, in this order, for windows that are still missing: room between windows (as a share of
# their width; 1 = they do not overlap, 0 = only not the same window twice) and the match (share of bases).
_LADDER = ((1.0, 0.0), (1.0, 0.01), (0.5, 0.0), (0.5, 0.01), (0.25, 0.01), (0.0, 0.01), (0.25, 0.03), (0.0, 0.03), (0.0, 1.0))


class Pick(NamedTuple):
    """A place that is taken already."""

    start: int
    end: int


def match_windows(
    wanted: Ints,
    places: NDArray[np.int64],
    offered: Ints,
    *,
    width: int,
    taken: list[Pick],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Choose for every wanted number of G and C a window that has it.

    Numbers that few windows have are served first. A window that differs is taken only when no equal one is left that
    keeps its distance; deviations to either side are drawn alike, so that they do not add up.

    Parameters
    ----------
    wanted : int array, (n,)
        G and C of each window to be found; all 0 (with `offered` all 0) chooses at random.
    places : int64 array, (m,), ascending
        Where windows may begin, bp.
    offered : int array, (m,)
        G and C of the window at each place.
    width : int
        Width of the windows, bp.
    taken : list of Pick
        Windows of other widths that are chosen already.
    rng : Generator
        Source of chance.

    Returns
    -------
    int64 array, (n,)
        Begin of the chosen windows, each once; -1 where there are fewer places than windows wanted.
    """
    chosen = np.full(len(wanted), -1, dtype=np.int64)
    if not len(places):
        return chosen
    supply = _Supply(places, offered, rng)
    numbers, counts = np.unique(wanted, return_counts=True)
    scarcity = [supply.count(int(number)) / count for number, count in zip(numbers, counts, strict=True)]
    turn = numbers[np.argsort(scarcity, kind="stable")]
    room = np.zeros(int(places[-1]) + 1, dtype=bool)  # room[s]: a window may not begin at s
    for spacing, tolerance in _LADDER:
        missing = chosen < 0
        if not missing.any():
            break
        reach = max(1, int(spacing * width))
        _block(room, chosen[~missing], reach, width=width, taken=taken if spacing == 1.0 else [])
        for number in turn:
            slots = np.flatnonzero(missing & (wanted == number))
            for difference in range(int(tolerance * width) + 1):
                if not len(slots):
                    break
                found = _draw(supply.beside(int(number), difference), room, reach, n=len(slots))
                chosen[slots[: len(found)]] = found
                slots = slots[len(found) :]
    return chosen


class _Supply:
    """The places in random order, by their number of G and C."""

    def __init__(self, places: NDArray[np.int64], offered: Ints, rng: np.random.Generator) -> None:
        self._rng = rng
        order = rng.permutation(len(places))
        order = order[np.argsort(offered[order], kind="stable")]
        self._places = places[order]
        self._first = np.searchsorted(offered[order], np.arange(int(offered.max()) + 2))

    def at(self, number: int) -> NDArray[np.int64]:
        if not 0 <= number < len(self._first) - 1:
            return self._places[:0]
        return self._places[self._first[number] : self._first[number + 1]]

    def beside(self, number: int, difference: int) -> NDArray[np.int64]:
        """Return the places that differ by so much to either side, mixed."""
        if not difference:
            return self.at(number)
        return self._rng.permutation(np.concatenate([self.at(number + difference), self.at(number - difference)]))

    def count(self, number: int) -> int:
        return len(self.at(number))


def _block(room: NDArray[np.bool_], chosen: NDArray[np.int64], reach: int, *, width: int, taken: list[Pick]) -> None:
    """Mark where no further window may begin."""
    room[:] = False
    for start in chosen.tolist():
        room[max(0, start - reach + 1) : start + reach] = True
    for start, end in taken:
        room[max(0, start - width + 1) : end] = True


def _draw(places: NDArray[np.int64], room: NDArray[np.bool_], reach: int, *, n: int) -> list[int]:
    """Take the first `n` places that are free, and block what is around each."""
    found: list[int] = []
    free = places[~room[places]]
    blocked = memoryview(room)  # single elements are read many times faster than from the array
    for start in free.tolist():
        if not blocked[start]:
            found.append(start)
            room[max(0, start - reach + 1) : start + reach] = True
            if len(found) == n:
                break
    return found
