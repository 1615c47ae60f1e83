"""The compiled loops behind `seqdl.interpret.word_scan`.

Filters lie next to each other in a table, so that one look-up serves a row of them and what it adds is added many at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
TILE = 64
"""Filters at a time: their tables stay in a processor's second cache."""


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop and keep it on disk, or for this process only where numba finds no folder to keep it in."""
    try:
        compiled: Callable[..., Any] = njit(cache=True, nogil=True)(function)
    except RuntimeError:
        compiled = njit(nogil=True)(function)
    return compiled


@_compiled
def best_windows(sequences: tuple[Array, Array], tables: Array, places: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """Return the best score of each filter in each sequence (n, F), its window (n, F), and the lowest score of each filter (F,).

    `sequences` are (words (n, L), clean (n, starts)), `tables` (tiles, strands, blocks, words, TILE), `places` (starts (strands, P), offsets
    (blocks,)): where a window begins on the given strand, and where in it the words stand. The first of equals counts.
    """
    words, clean = sequences
    starts, offsets = places
    n_tiles, n_blocks = len(tables), len(offsets)
    n_strands, n_windows = starts.shape
    top = np.full((len(words), n_tiles * TILE), -np.inf, np.float32)
    where = np.zeros((len(words), n_tiles * TILE), np.int32)
    low = np.full(n_tiles * TILE, np.inf, np.float32)
    score = np.empty(TILE, np.float32)
    for tile in range(n_tiles):
        lowest = low[tile * TILE : (tile + 1) * TILE]
        for row in range(len(words)):
            highest = top[row, tile * TILE : (tile + 1) * TILE]
            window = where[row, tile * TILE : (tile + 1) * TILE]
            for strand in range(n_strands):
                for i in range(n_windows):
                    start = starts[strand, i]
                    if not clean[row, start]:
                        continue
                    number = np.int32(strand * n_windows + i)
                    entry = tables[tile, strand, 0, words[row, start + offsets[0]]]
                    for f in range(TILE):
                        score[f] = entry[f]
                    for block in range(1, n_blocks):
                        entry = tables[tile, strand, block, words[row, start + offsets[block]]]
                        for f in range(TILE):
                            score[f] += entry[f]
                    for f in range(TILE):
                        value = score[f]
                        window[f] = number if value > highest[f] else window[f]
                        highest[f] = value if value > highest[f] else highest[f]
                        lowest[f] = value if value < lowest[f] else lowest[f]
    return top, where, low


@_compiled
def next_windows(sequences: tuple[Array, Array], tables: Array, places: tuple[Array, Array], asked: tuple[Array, Array, Array, int]) -> Array:
    """Return (score, window) of the best window of some filters in some sequences that does not overlap another, (K, 2) float64.

    `tables` are (F, strands, blocks, words), `asked` (rows (K,), filters (K,), starts (K,) of the others, span); the rest is as for `best_windows`.
    """
    words, clean = sequences
    starts, offsets = places
    rows, filters, taken, span = asked
    n_strands, n_windows = starts.shape
    found = np.zeros((len(rows), 2))
    for k in range(len(rows)):
        row, table = rows[k], tables[filters[k]]
        highest, window = np.float32(-np.inf), 0
        for strand in range(n_strands):
            for i in range(n_windows):
                start = starts[strand, i]
                if abs(start - taken[k]) < span or not clean[row, start]:
                    continue
                score = table[strand, 0, words[row, start + offsets[0]]]
                for block in range(1, len(offsets)):
                    score += table[strand, block, words[row, start + offsets[block]]]
                if score > highest:
                    highest, window = score, strand * n_windows + i
        found[k, 0], found[k, 1] = highest, window
    return found
