"""The compiled loops of motif scanning.

Best scores: a motif is cut into blocks of up to six positions, and what each of the 4^6 words scores in a block is looked
up in a table: two or three look-ups a window instead of one addition a base. Hits are rare, so windows are sifted first: a
table of all words of seven bases tells whether any window with this word at the motif's sharpest place can be a hit on either strand.
A word with an ambiguous base has the last entry of each table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Array = NDArray[Any]
Null = tuple[float, float, Array]  # lowest score, step, survival
SIEVE = 7
"""Bases of the words that windows are sifted by: 4^7 bytes stay in the first cache, and one look-up serves both strands."""
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

    `sequence` is (codes, words of SIEVE bases), `motifs` (pwms, widths, backgrounds), `search` (pvalue, n_strands, room).
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
    for motif in prange(n_motifs):
        width = widths[motif]
        forward = pwms[motif, :, :width].copy()
        null = null_distribution(forward, backgrounds[motif])
        threshold = score_threshold(pvalue, null)
        if np.isinf(threshold):
            continue
        passes = np.zeros((1 << (2 * SIEVE)) + 1, np.uint8)  # bit 0: the word may be in a hit; bit 1: in one of the other strand
        strands = np.empty((2, 4, width))
        strands[0], strands[1] = forward, forward[::-1, ::-1]
        starts = np.empty(2, np.int64)
        for strand in range(n_strands):
            starts[strand] = _sift(strands[strand], threshold, passes, 1 << strand)
        for at in range(len(words)):
            passed = passes[words[at]]
            if passed == 0:
                continue
            for strand in range(n_strands):
                i = at - starts[strand]
                if passed & (1 << strand) and i >= 0 and i + width <= len(codes):
                    score = _window_score(codes[i : i + width], strands[strand])
                    if score > threshold:
                        found = count[motif, strand]
                        if found < room:
                            where[motif, strand, found] = i
                            values[motif, strand, found, 0] = score
                            values[motif, strand, found, 1] = p_value(score, null)
                        count[motif, strand] = found + 1
    return count, where, values


@_compiled()
def _window_score(codes: Array, pwm: Array) -> float:
    """Return the score of one window, minus infinity if a base is ambiguous."""
    score = 0.0
    for column in range(len(codes)):
        if codes[column] > 3:
            return -np.inf
        score += pwm[codes[column], column]
    return score


@_compiled()
def _sift(pwm: Array, threshold: float, passes: Array, bit: int) -> int:
    """Set `bit` for every word that can be in a hit, and return where in the motif the words are looked up.

    That is where the motif tells most. Ambiguous words pass: their windows may reach beyond them on one side only.
    """
    width = pwm.shape[1]
    size = min(width, SIEVE)
    tops = np.empty(width)
    losses = np.empty(width)  # what a random base loses against the best
    for column in range(width):
        tops[column] = pwm[:, column].max()
        losses[column] = tops[column] - pwm[:, column].mean()
    start = 0
    for first in range(1, width - size + 1):
        if losses[first : first + size].sum() > losses[start : start + size].sum():
            start = first
    rest = tops.sum() - tops[start : start + size].sum()
    scores = np.zeros(1 << (2 * SIEVE), np.float32)
    length = 1
    for column in range(SIEVE):  # columns beyond a short motif add nothing
        for word in range(length - 1, -1, -1):
            for base in range(3, -1, -1):
                scores[4 * word + base] = scores[word] + (pwm[base, start + column] if column < size else 0.0)
        length *= 4
    for word in range(length):
        if scores[word] + rest >= threshold - 1e-3:  # float32 only sifts; the score itself is summed in float64
            passes[word] |= bit
    passes[length] |= bit
    return start
