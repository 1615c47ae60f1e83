"""The compiled loops of motif scanning.

A motif is cut into blocks of up to six positions, and what each of the 4^6 words scores in a block is looked up in a
table: two or three look-ups a window instead of one addition a base. A word with an ambiguous base has the last entry of
the table, which scores so low that no window with it is ever a hit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Array = NDArray[Any]
Null = tuple[float, float, Array]  # lowest score, step, survival
BLOCK = 6
"""Positions a look-up covers: 4^6 float32 are 16 kB, which a processor's first cache holds."""
AMBIGUOUS_SCORE = -1e30
N_BINS = 16384
"""Steps into which the range of a motif's score is cut for its null distribution."""


def _compiled(*, parallel: bool = False) -> Callable[[Any], Any]:
    """Compile a loop and keep it on disk, or for this process only where numba finds no folder to keep it in."""

    def wrap(function: Any) -> Any:
        try:
            return njit(cache=True, nogil=True, parallel=parallel)(function)
        except RuntimeError:
            return njit(nogil=True, parallel=parallel)(function)

    return wrap


@_compiled()
def word_codes(codes: Array, width: int) -> Array:
    """Return for each position the number of the word of `width` bases that begins there, (n,) uint16; 4^width if ambiguous."""
    n, ambiguous = len(codes), 1 << (2 * width)
    mask = ambiguous - 1
    words = np.full(n, ambiguous, np.uint16)
    word, clean = 0, 0
    for end in range(n):
        if codes[end] < 4:
            word = ((word << 2) | codes[end]) & mask
            clean += 1
        else:
            clean = 0
        if clean >= width:
            words[end - width + 1] = word
    return words


@_compiled()
def block_starts(width: int) -> Array:
    """Return where the blocks of a motif begin; the last one may overlap the one before."""
    size = min(width, BLOCK)
    n_blocks = -(-width // size)
    starts = np.empty(n_blocks, np.int64)
    for block in range(n_blocks):
        starts[block] = min(block * size, width - size)
    return starts


@_compiled()
def block_tables(pwm: Array, starts: Array) -> Array:
    """Return what every word scores in every block, (n_blocks, 4^size + 1) float32; a position counts in one block only."""
    size = min(pwm.shape[1], BLOCK)
    tables = np.zeros((len(starts), (1 << (2 * size)) + 1), np.float32)
    covered = 0
    for block in range(len(starts)):
        table = tables[block]
        length = 1
        for column in range(starts[block], starts[block] + size):
            counts = column >= covered
            for word in range(length - 1, -1, -1):  # from the end, so that what is still needed is not overwritten
                before = table[word]
                for base in range(3, -1, -1):
                    table[4 * word + base] = before + (pwm[base, column] if counts else 0.0)
            length *= 4
        table[length] = AMBIGUOUS_SCORE
        covered = starts[block] + size
    return tables


@_compiled()
def null_distribution(pwm: Array, background: Array) -> Null:
    """Return (lowest score, step, survival): survival[k] is the chance that a random window scores k steps above the lowest, or more.

    Scores are rounded up to whole steps, so the chance is never too small.
    """
    width = pwm.shape[1]
    lowest, highest = 0.0, 0.0
    for column in range(width):
        lowest += pwm[:, column].min()
        highest += pwm[:, column].max()
    step = max((highest - lowest) / N_BINS, 1e-12)
    chance = np.zeros(N_BINS + width + 2)
    chance[0] = 1.0
    reach = 0
    shifts = np.empty(4, np.int64)
    for column in range(width):
        floor = pwm[:, column].min()
        for base in range(4):
            shifts[base] = int(np.ceil((pwm[base, column] - floor) / step - 1e-9))
        following = np.zeros_like(chance)
        for base in range(4):
            shift, weight = shifts[base], background[base]
            for k in range(reach + 1):
                following[k + shift] += weight * chance[k]
        chance = following
        reach += shifts.max()
    for k in range(len(chance) - 2, -1, -1):
        chance[k] += chance[k + 1]
    return lowest, step, np.minimum(chance, 1.0)


@_compiled()
def p_value(score: float, null: Null) -> float:
    """Return the chance of a random window to score as much or more."""
    lowest, step, survival = null
    k = int(np.ceil((score - lowest) / step - 1e-6))
    return float(survival[min(max(k, 0), len(survival) - 1)])


@_compiled()
def score_threshold(pvalue: float, null: Null) -> float:
    """Return the score that a hit at `pvalue` has to exceed; infinite where no window is that rare."""
    lowest, step, survival = null
    for k in range(len(survival)):
        if survival[k] <= pvalue:
            # the highest score is at most N_BINS steps up, but for rounding
            return lowest + (k - 1 + 1e-6) * step if survival[k] > 0 else np.inf
    return np.inf


@_compiled(parallel=True)
def best_of_rows(words: Array, motifs: tuple[Array, Array], n_strands: int) -> Array:
    """Return the best score of each motif in each row, (n_rows, n_motifs) float32.

    `words` (n_rows, L) are word numbers; `motifs` are (n, 4, widest) scores and (n,) widths, all of one block size.
    """
    pwms, widths = motifs
    n_motifs, (n_rows, length) = len(widths), words.shape
    best = np.empty((n_motifs, n_rows), np.float32)
    for motif in prange(n_motifs):
        width = widths[motif]
        pwm = pwms[motif, :, :width]
        starts = block_starts(width)
        windows = length - width + 1
        scratch = np.empty(max(windows, 1), np.float32)
        lowest = np.float32(0)
        for column in range(width):
            lowest += np.float32(pwm[:, column].min())
        best[motif] = lowest
        for strand in range(n_strands):
            tables = block_tables(pwm if strand == 0 else pwm[::-1, ::-1], starts)
            for row in range(n_rows):
                for i in range(windows):
                    scratch[i] = tables[0, words[row, i]]
                for block in range(1, len(starts)):
                    table, shift = tables[block], starts[block]
                    for i in range(windows):
                        scratch[i] += table[words[row, shift + i]]
                highest = best[motif, row]
                for i in range(windows):
                    highest = max(highest, scratch[i])
                best[motif, row] = highest
    return best.T


@_compiled(parallel=True)
def find_hits(sequence: tuple[Array, Array], motifs: tuple[Array, Array, Array], search: tuple[float, int, int]) -> tuple[Array, Array, Array]:
    """Return (count, where, values) of the hits of each motif on both strands.

    `sequence` is (codes, words), `motifs` (pwms, widths, backgrounds), `search` (pvalue, n_strands, room).
    count (n_motifs, 2); where (n_motifs, 2, room) int64 positions; values (n_motifs, 2, room, 2) scores and p-values.
    A count above `room` says that hits did not fit: call again with more.
    """
    codes, words = sequence
    pwms, widths, backgrounds = motifs
    pvalue, n_strands, room = search
    n_motifs = len(widths)
    count = np.zeros((n_motifs, 2), np.int64)
    where = np.empty((n_motifs, 2, room), np.int64)
    values = np.empty((n_motifs, 2, room, 2), np.float64)
    for task in prange(2 * n_motifs):
        motif, strand = task // 2, task % 2
        if strand >= n_strands:
            continue
        width = widths[motif]
        forward = pwms[motif, :, :width]
        null = null_distribution(forward, backgrounds[motif])
        threshold = score_threshold(pvalue, null)
        pwm = forward.copy() if strand == 0 else forward[::-1, ::-1].copy()
        starts = block_starts(width)
        tables = block_tables(pwm, starts)
        first, rest = _sharpest_block(tables)
        cut = np.float32(threshold - rest - 1e-3)  # float32 look-ups only sift; the score itself is summed in float64
        low = np.float32(threshold - 1e-3)
        sieve, offset = tables[first], starts[first]
        found = 0
        for i in range(len(codes) - width + 1):
            score = sieve[words[i + offset]]
            if score < cut:
                continue
            for block in range(len(starts)):
                if block != first:
                    score += tables[block, words[i + starts[block]]]
            if score < low:
                continue
            exact = 0.0
            for column in range(width):
                exact += pwm[codes[i + column], column]
            if exact > threshold:
                if found < room:
                    where[motif, strand, found] = i
                    values[motif, strand, found, 0] = exact
                    values[motif, strand, found, 1] = p_value(exact, null)
                found += 1
        count[motif, strand] = found
    return count, where, values


@_compiled()
def _sharpest_block(tables: Array) -> tuple[int, float]:
    """Return the block that rejects most and the best that the others can add to it."""
    tops = np.empty(len(tables))
    spread = np.empty(len(tables))
    for block in range(len(tables)):
        scores = tables[block, :-1]
        tops[block] = scores.max()
        spread[block] = tops[block] - scores.mean()
    first = int(spread.argmax())
    return first, tops.sum() - tops[first]
