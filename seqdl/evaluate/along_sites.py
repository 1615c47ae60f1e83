"""How far from a site a prediction of its place is, and what simple rules reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from seqdl.motif.motif import Motif
from seqdl.motif.scan import best_scores
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes, Floats

NEAR = 10
"""Distance (bp) within which a site counts as found."""
N_RANKED, N_RERANKED, N_FINAL = 300, 2_000, 20
"""Training windows on which all motifs are ranked, those on which the best are ranked again, and how many those are."""


def site_places(probability: Floats, half_width: int) -> NDArray[np.int64]:
    """Return the middle of the interval that holds the most probability.

    Parameters
    ----------
    probability : float array, (N, L)
    half_width : int
        Bases (bp) on either side of the middle that belong to the interval.

    Returns
    -------
    int64 array, (N,)

    Examples
    --------
    >>> site_places(np.array([[0.3, 0.0, 0.0, 0.2, 0.3, 0.2]]), 1).tolist()
    [4]
    """
    sums = np.cumsum(np.pad(np.asarray(probability, dtype=np.float64), ((0, 0), (half_width + 1, half_width))), axis=1)
    inside = sums[:, 2 * half_width + 1 :] - sums[:, : -(2 * half_width + 1)]
    return np.asarray(inside.round(12).argmax(axis=1), dtype=np.int64)


def site_centres(labels: Floats, half_width: int) -> list[NDArray[np.int64]]:
    """Return the middles of the labelled sites of each window.

    Parameters
    ----------
    labels : array, (N, L)
        1 on the site and `half_width` bases on either side; a label that is cut off by the end of the window, or by another
        site, is put right by its width.
    half_width : int

    Returns
    -------
    list of int64 array
        One a window.

    Examples
    --------
    >>> [centres.tolist() for centres in site_centres(np.array([[0, 1, 1, 1, 0, 0], [1, 0, 0, 0, 1, 1]]), 1)]
    [[2], [-1, 5]]
    """
    found = []
    length = labels.shape[1]
    for row in np.nan_to_num(labels) > 0:
        change = np.diff(np.concatenate([[False], row, [False]]).astype(np.int8))
        centres: list[int] = []
        for first, end in zip(np.flatnonzero(change == 1).tolist(), np.flatnonzero(change == -1).tolist(), strict=True):
            if first == 0 and end <= 2 * half_width:
                centres.append(end - 1 - half_width)
            elif end == length and end - first <= 2 * half_width:
                centres.append(first + half_width)
            else:
                centres += [first + half_width] if end - first <= 2 * half_width + 1 else [first + half_width, end - 1 - half_width]
        found.append(np.array(centres, dtype=np.int64))
    return found


def site_distances(labels: Floats, probability: Floats, half_width: int) -> NDArray[np.float64]:
    """Return how far (bp) the predicted place of each window is from the nearest site, (N,); NaN where there is no site."""
    return place_distances(labels, site_places(probability, half_width), half_width)


def place_distances(labels: Floats, places: NDArray[np.int64], half_width: int) -> NDArray[np.float64]:
    """Return how far (bp) a place (N,) in each window is from the nearest labelled site, (N,); NaN where there is none."""
    centres = site_centres(labels, half_width)
    return np.array([np.abs(own - place).min() if own.size else np.nan for own, place in zip(centres, places, strict=True)], dtype=np.float64)


class SiteWindows:
    """Distances from predicted to true sites: the share within 10 bp, their median, and how far the two intervals overlap.

    Parameters
    ----------
    distances : float array, (N,)
        In bp; NaN where a window holds no site.
    half_width : int
        Bases on either side of a site that belong to its interval, in truth and in prediction.
    """

    names: ClassVar[tuple[str, ...]] = ("within_10", "median_distance", "iou")

    def __init__(self, distances: Floats, half_width: int) -> None:
        self._order = np.argsort(distances, kind="stable")[: int(np.isfinite(distances).sum())]
        self._sorted = np.asarray(distances, dtype=np.float64)[self._order]
        width = 2 * half_width + 1
        both = np.maximum(0.0, width - self._sorted)
        self._parts = np.stack([np.ones(self._sorted.size), self._sorted <= NEAR, both / (2 * width - both)], axis=1)

    def measure(self, counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        """Return the measures of R weightings of the windows."""
        chosen = counts[:, self._order]
        n, near, overlap = (chosen.astype(np.float64) @ self._parts).T
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {"within_10": near / n, "iou": overlap / n}
        found["median_distance"] = _weighted_median(self._sorted, chosen)
        return {name: found[name] for name in self.names}


def _weighted_median(ascending: NDArray[np.float64], counts: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the median (R,) of sorted values under counts (R, N): the mean of the two in the middle where their number is even."""
    if not ascending.size:
        return np.full(len(counts), np.nan)
    passed = counts.cumsum(axis=1)
    n = passed[:, -1]
    middle = [ascending[np.minimum((passed < target[:, None]).sum(axis=1), ascending.size - 1)] for target in ((n + 1) // 2, n // 2 + 1)]
    return np.where(n > 0, (middle[0] + middle[1]) / 2, np.nan)


@dataclass(frozen=True)
class CentreBaseline:
    """The middle of the window, whatever is in it."""

    name: str = "centre"
    detail: str = "the middle of the window"

    def predict(self, codes: Codes, signal: Floats | None = None) -> NDArray[np.int64]:
        """Return a place for each window, (N,)."""
        return np.full(len(codes), codes.shape[1] // 2, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class HitBaseline:
    """The best hit of one known motif on either strand; build it with `fit_hits`."""

    name: str
    detail: str
    motif: Motif
    shift: int

    def predict(self, codes: Codes, signal: Floats | None = None) -> NDArray[np.int64]:
        """Return the place of the best hit in each window, (N,), put right by its usual distance from the site."""
        place, sign = best_hits(self.motif, codes)
        return np.asarray(np.clip(place + sign * self.shift, 0, codes.shape[1] - 1), dtype=np.int64)


def best_hits(motif: Motif, codes: Codes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the middle of the best hit of a motif in each window, and 1 or -1 for its strand.

    Examples
    --------
    >>> motif = Motif("m", [[9, 0, 0], [0, 9, 0], [0, 0, 9], [0, 0, 0]])            # ACG
    >>> place, sign = best_hits(motif, np.array([[3, 3, 0, 1, 2, 3], [1, 2, 3, 3, 3, 3]], dtype=np.uint8))
    >>> place.tolist(), sign.tolist()
    ([3, 1], [1, -1])
    """
    scores = [_scores(motif, codes), _scores(motif, reverse_complement(codes))[:, ::-1]]
    best = [values.argmax(axis=1) for values in scores]
    rows = np.arange(len(codes))
    forward = scores[0][rows, best[0]] >= scores[1][rows, best[1]]
    start = np.where(forward, best[0], best[1])
    return np.asarray(start + motif.width // 2, dtype=np.int64), np.where(forward, 1, -1).astype(np.int64)


def _scores(motif: Motif, codes: Codes) -> NDArray[np.float64]:
    """Return the log-odds score (bits) of a motif at every start, (N, L - W + 1); an ambiguous base scores like the worst."""
    weights = motif.pwm()
    table = np.concatenate([weights, weights.min(axis=0, keepdims=True)])
    n_starts = max(1, codes.shape[1] - motif.width + 1)
    score = np.zeros((len(codes), n_starts))
    for offset in range(min(motif.width, codes.shape[1])):
        score += table[codes[:, offset : offset + n_starts], offset]
    return score


def fit_hits(codes: Codes, labels: Floats, motifs: Sequence[Motif], *, half_width: int, seed: int = 0) -> HitBaseline:
    """Choose, on the training windows, the known motif whose best hit lies on the site most often.

    Parameters
    ----------
    codes : uint8, (N, L)
    labels : array, (N, L)
        The sites, as in `site_centres`.
    motifs : sequence of Motif
        To choose from. All are ranked by how much better they score on the site than beside it on 300 windows, the best 20 by the
        share of hits within 10 bp on up to 2,000.
    half_width : int
    seed : int, default 0
        Of the subsample.

    Returns
    -------
    HitBaseline
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(codes))[:N_RERANKED])
    ranked = rows[:: max(1, len(rows) // N_RANKED)][:N_RANKED]
    fitting = [motif for motif in motifs if motif.width <= codes.shape[1]]
    reach = np.pad(labels[ranked] > 0, ((0, 0), (NEAR, NEAR)))
    around = np.any([reach[:, shift : shift + codes.shape[1]] for shift in range(2 * NEAR + 1)], axis=0)  # room for a wide motif
    inside, outside = (np.where(side, codes[ranked], 4).astype(np.uint8) for side in (around, ~around))
    gain = (best_scores(fitting, inside) > best_scores(fitting, outside)).mean(axis=0)
    final = [fitting[int(i)] for i in np.argsort(-gain, kind="stable")[:N_FINAL]]
    centres = site_centres(labels[rows], half_width)
    tried = [_fitted(motif, codes[rows], centres) for motif in final]
    near, shift, motif = max(tried, key=lambda one: one[0])
    detail = f"best hit of {motif.label} (of {len(motifs):,} known motifs, chosen on the training set: {near:.0%} within {NEAR} bp there)"
    return HitBaseline("pwm", detail, motif, shift)


def _fitted(motif: Motif, codes: Codes, centres: list[NDArray[np.int64]]) -> tuple[float, int, Motif]:
    """Return the share of best hits within 10 bp of a site, and the usual shift from hit to site along the motif's strand."""
    place, sign = best_hits(motif, codes)
    nearest = np.array([own[np.abs(own - p).argmin()] if own.size else p for own, p in zip(centres, place, strict=True)])
    off = (nearest - place) * sign
    close = off[np.abs(off) <= 3 * NEAR]
    shift = int(np.median(close)) if close.size else 0
    return float((np.abs(off - shift) <= NEAR).mean()), shift, motif
