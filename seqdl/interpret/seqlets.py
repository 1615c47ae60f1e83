"""Seqlets: the stretches of a sequence whose attributions stand out, with p-values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError, ShapeError

Track = NDArray[np.float64]
COLUMNS = ("sequence", "start", "end", "score", "p", "q")
N_BINS = 1000
"""Steps that attributions are rounded to where the null is worked out from single positions."""
CHUNK = 64
"""Sequences whose stretches of all widths are held at a time."""
TAIL = 0.01
"""Share of the null's windows that its tail is fitted to."""


def find_seqlets(
    scores: ArrayLike,
    x: ArrayLike | None = None,
    *,
    control: ArrayLike | None = None,
    pvalue: float = 1e-3,
    widths: tuple[int, int] = (5, 25),
) -> pd.DataFrame:
    """Find stretches with attributions that are larger than chance makes them, upwards or downwards.

    The statistic of a stretch is the sum of the attributions at its bases. Where a seqlet begins and ends goes by the chance of such a sum if
    the positions of all sequences were drawn independently (by convolution [1]_): of overlapping stretches the least likely is kept. That
    takes no note of neighbours being alike, and so ranks rather than tests. With a `control`, such as the attributions of shuffled
    sequences by the same network, the p-value is the share of its windows of the same width that sum up to as much, with an
    exponential tail beyond the upper hundredth of them; without one it is that of the independent positions.

    Parameters
    ----------
    scores : array_like, (N, 4, L) or (N, L)
        Attributions; of all four bases those of the sequence are taken, for which `x` is needed. NaN at the end of a row is padding.
    x : array_like, (N, 4, L), optional
        One-hot sequences.
    control : array_like, (M, L), optional
        Attributions at the bases of sequences in which there should be nothing to find; NaN at the end of a row is padding.
    pvalue : float, in (0, 1), default 1e-3
        Bound on the p-value of a seqlet, as one window on its own.
    widths : tuple of int, default (5, 25)
        Narrowest and widest seqlet (bp).

    Returns
    -------
    DataFrame
        ``sequence`` (row), ``start``, ``end`` (0-based, half-open), ``score`` (sum of the attributions), ``p``, ``q``: the share of
        seqlets with a p-value as small that chance would give. With a control that is what the same search finds in it; without, it is
        Benjamini and Hochberg's [2]_, of all windows of one width. Sorted by p-value.

    Raises
    ------
    ShapeError
        If the arrays do not belong together.
    InputError
        If `pvalue` or `widths` make no sense for sequences of this length.

    References
    ----------
    .. [1] Schreiber, tangermeme, bioRxiv (2025). .. [2] Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57:289.

    Examples
    --------
    >>> scores = np.random.default_rng(0).normal(0, 0.1, (20, 100))
    >>> scores[3, 40:50] += 1.0
    >>> find_seqlets(scores, pvalue=1e-6)[["sequence", "start", "end"]].values.tolist()
    [[3, 40, 50]]
    """
    tracks = _tracks(scores, x)
    low, high = widths
    if not 0 < pvalue < 1:
        raise InputError(f"pvalue is {pvalue}; expected a probability between 0 and 1. Try 1e-3.")
    if not 1 <= low <= high or high > tracks.shape[1]:
        raise InputError(f"widths are {low} to {high} bp, for sequences of {tracks.shape[1]} bp; expected 1 <= narrowest <= widest <= their length.")
    background = None if control is None else _tracks(control, None)
    found = []
    for sign in (1, -1):
        null = _PositionNull(sign * tracks, widths)
        hits = _search(sign * tracks, null, pvalue=pvalue, widths=widths)
        if background is None:
            q = _benjamini_hochberg(hits["p"].to_numpy(), tracks.size)
        else:
            against = _ControlNull(sign * background, widths)
            hits, decoys = (_tested(some, against, pvalue) for some in (hits, _search(sign * background, null, pvalue=pvalue, widths=widths)))
            q = _decoy_rates(hits["p"].to_numpy(), decoys["p"].to_numpy(), ratio=tracks.size / background.size)
        found.append(hits.assign(score=sign * hits["score"], q=q))
    table = pd.concat(found, ignore_index=True).sort_values("p", kind="stable", ignore_index=True)
    return _apart(table)[list(COLUMNS)]


def _tracks(scores: ArrayLike, x: ArrayLike | None) -> Track:
    """Return the attributions at the bases themselves, (N, L)."""
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim == 3 and values.shape[1] == 4:
        if x is None:
            raise ShapeError("scores are (N, 4, L), and x is not given; the one-hot sequences were expected too. Pass x, or (scores * x).sum(1).")
        onehot = np.asarray(x, dtype=np.float64)
        if onehot.shape != values.shape:
            raise ShapeError(f"x has the shape {onehot.shape}, the scores have {values.shape}; expected the same. Pass the sequences they belong to.")
        values = (values * onehot).sum(1)
    if values.ndim != 2:
        raise ShapeError(f"scores have the shape {values.shape}; expected (N, 4, L) with x, or (N, L). For one sequence pass scores[None].")
    if np.isinf(values).any() or (np.isnan(values[:, :-1]) & ~np.isnan(values[:, 1:])).any():
        raise InputError("some of the scores are infinite, or NaN before the end of a sequence; numbers were expected. Look at what made them.")
    return values


def _sums(tracks: Track, width: int) -> Track:
    """Return the sum of each window of a width, (N, L - width + 1)."""
    before = np.pad(np.cumsum(tracks, axis=1), ((0, 0), (1, 0)))
    return before[:, width:] - before[:, : before.shape[1] - width]


def _known(values: Track) -> Track:
    """Return the numbers of an array, sorted, without padding."""
    return np.sort(values[~np.isnan(values)])


class _ControlNull:
    """Window sums of sequences with nothing to find; beyond what was seen an exponential tail."""

    def __init__(self, control: Track, widths: tuple[int, int]) -> None:
        self.seen = {width: _known(_sums(control, width)) for width in range(widths[0], widths[1] + 1) if width <= control.shape[1]}

    def pvalues(self, sums: Track, width: int) -> Track:
        """Return the chance of as large a sum in a window of the control."""
        seen = self.seen.get(width, np.empty(0))
        n, n_tail = len(seen), max(10, round(TAIL * len(seen)))
        p = (1 + n - np.searchsorted(seen, sums, side="left")) / (n + 1)
        if n <= n_tail:
            return p
        knee = seen[n - n_tail - 1]
        scale = float((seen[n - n_tail :] - knee).mean())
        if scale > 0:
            far = sums > knee
            p[far] = n_tail / n * np.exp(-(sums[far] - knee) / scale)
        return p


class _PositionNull:
    """Sums of positions drawn independently from all sequences, on a grid of `N_BINS` steps."""

    def __init__(self, tracks: Track, widths: tuple[int, int]) -> None:
        values = _known(tracks)
        self.low = float(values.min(initial=0.0))
        self.step = max((float(values.max(initial=0.0)) - self.low) / (N_BINS - 1), 1e-12)
        bins = np.clip(np.rint((values - self.low) / self.step).astype(np.int64), 0, N_BINS - 1)
        single = np.bincount(bins, minlength=N_BINS) / max(bins.size, 1)
        self.tails: dict[int, Track] = {}
        summed = np.ones(1)
        for width in range(1, widths[1] + 1):
            summed = np.convolve(summed, single)
            if width >= widths[0]:
                self.tails[width] = np.minimum(np.cumsum(summed[::-1])[::-1], 1.0)

    def pvalues(self, sums: Track, width: int) -> Track:
        """Return the chance of as large a sum of `width` independent positions."""
        tail = self.tails[width]
        steps = (np.nan_to_num(sums) - width * self.low) / self.step
        at = np.floor(steps - width / 2).astype(np.int64)  # rounding may have added half a step a position
        p = tail[np.clip(at, 0, len(tail) - 1)]
        return np.maximum(p, 1e-300)


def _tested(hits: pd.DataFrame, null: _ControlNull, pvalue: float) -> pd.DataFrame:
    """Return stretches with the p-values of a control, those above the bound left out."""
    width, score = (hits["end"] - hits["start"]).to_numpy(), hits["score"].to_numpy()
    p = np.ones(len(hits))
    for size in np.unique(width):
        p[width == size] = null.pvalues(score[width == size], int(size))
    return hits.assign(p=p)[p <= pvalue].reset_index(drop=True)


def _search(tracks: Track, null: _PositionNull, *, pvalue: float, widths: tuple[int, int]) -> pd.DataFrame:
    """Return the stretches that do not overlap, the smallest p-values first within each sequence; upwards only."""
    found: list[tuple[int, int, int, float, float]] = []
    sizes = np.arange(widths[0], widths[1] + 1)
    for first in range(0, len(tracks), CHUNK):
        part = tracks[first : first + CHUNK]
        p = np.ones((len(part), part.shape[1], len(sizes)))
        sums = np.zeros_like(p)
        for k, width in enumerate(sizes):
            total = _sums(part, int(width))
            sums[:, : total.shape[1], k] = total
            p[:, : total.shape[1], k] = null.pvalues(total, int(width))
        p[~(sums > 0)] = 1.0  # padding; and the least negative of a null that is negative throughout counts for nothing
        for row in np.flatnonzero((p <= pvalue).any((1, 2))):
            found += [(int(first + row), *stretch) for stretch in _stretches(p[row], sums[row], sizes, pvalue=pvalue)]
    kinds = {"sequence": np.int64, "start": np.int64, "end": np.int64, "score": np.float64, "p": np.float64}
    return pd.DataFrame(found, columns=list(kinds)).astype(kinds)


def _stretches(p: Track, sums: Track, sizes: NDArray[np.int64], *, pvalue: float) -> Iterator[tuple[int, int, float, float]]:
    """Yield start, end, sum and p-value of the best stretch of a sequence, then of what it leaves, until none is left."""
    starts = np.arange(len(p))[:, None]
    ends = starts + sizes
    while (best := float(p.min())) <= pvalue:
        among = np.flatnonzero(p == best)
        start, k = divmod(int(among[np.argmax(sums.ravel()[among])]), len(sizes))
        end = int(ends[start, k])
        yield start, end, float(sums[start, k]), best
        p[(starts < end) & (ends > start)] = 1.0


def _apart(table: pd.DataFrame) -> pd.DataFrame:
    """Drop a stretch that overlaps one of the other direction with a smaller p-value."""
    kept: list[int] = []
    taken: dict[int, list[tuple[int, int]]] = {}
    for row, (sequence, start, end) in enumerate(table[["sequence", "start", "end"]].itertuples(index=False)):
        mine = taken.setdefault(sequence, [])
        if all(end <= other_start or start >= other_end for other_start, other_end in mine):
            mine.append((start, end))
            kept.append(row)
    return table.iloc[kept].reset_index(drop=True)


def _benjamini_hochberg(p: Track, n: int) -> Track:
    """Return q-values of the smallest of n p-values."""
    order = np.argsort(p, kind="stable")
    q = np.minimum.accumulate((p[order] * n / np.arange(1, len(p) + 1))[::-1])[::-1]
    back = np.empty_like(q)
    back[order] = np.minimum(q, 1.0)
    return back


def _decoy_rates(p: Track, decoys: Track, *, ratio: float) -> Track:
    """Return for each p-value how many seqlets as good the control gives for one here."""
    order = np.argsort(p, kind="stable")
    wrong = (np.searchsorted(np.sort(decoys), p[order], side="right") + 1) * ratio
    q = np.minimum.accumulate((wrong / np.arange(1, len(p) + 1))[::-1])[::-1]
    back = np.empty_like(q)
    back[order] = np.minimum(q, 1.0)
    return back
