"""What the pictures of the report card are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.evaluate.spectra import kmer_spectrum, position_frequencies
from seqdl.sequence.composition import gc_content, kmer_names
from seqdl.types import Codes

GC_BINS, DISTANCE_BINS = 40, 40
MOST_POSITIONS = 200
SHIFT_K = 6
N_SHIFTED = 10
_PSEUDOCOUNT = 5.0

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def card_curves(sample: SequenceSet, real: SequenceSet, distances: Mapping[str, Pair]) -> dict[str, Any]:
    """Return histograms and profiles of samples and of as many held-out real sequences.

    Parameters
    ----------
    sample, real : SequenceSet
    distances : dict of str to (sample, real)
        Distances to be shown, such as those to the nearest other sequence.

    Returns
    -------
    dict
        gc, length (None where there is one length), positions (None where lengths differ), distances, kmers.
    """
    same = sample.length is not None and sample.length == real.length
    return {
        "gc": _gc(sample, real),
        "length": None if same else histogram((sample.lengths.astype(np.float64), real.lengths.astype(np.float64)), DISTANCE_BINS),
        "positions": {"step": position_step(sample.codes), "sample": _profile(sample.codes), "real": _profile(real.codes)} if same else None,
        "distances": {name: histogram(pair, DISTANCE_BINS) for name, pair in distances.items()},
        "kmers": shifted_kmers(sample.codes, real.codes),
    }


def histogram(pair: Pair, bins: int) -> dict[str, list[float]]:
    """Return the shares of two sets of values in common bins.

    Examples
    --------
    >>> histogram((np.array([0.0, 1.0]), np.array([1.0, 1.0])), 2)
    {'edges': [0.0, 0.5, 1.0], 'sample': [0.5, 0.5], 'real': [0.0, 1.0]}
    """
    finite = [values[np.isfinite(values)] for values in pair]
    both = np.concatenate(finite)
    low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 1.0)
    whole = bool(len(both)) and bool((both == np.rint(both)).all()) and high - low > 1
    if whole:  # counts of bases: bins of equally many whole numbers, or some would look empty
        width = -(-int(high - low + 1) // bins)
        edges = np.arange(low - 0.5, high + width + 0.5, width)
    else:
        edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    shares = [np.histogram(values, edges)[0] / max(1, len(values)) for values in finite]
    return {"edges": edges.tolist(), "sample": shares[0].tolist(), "real": shares[1].tolist()}


def _gc(sample: SequenceSet, real: SequenceSet) -> dict[str, list[float]]:
    """Return the histogram of GC contents; where all sequences have one length they are counts over it, and bins hold equally many."""
    first, second = gc_content(sample.codes), gc_content(real.codes)
    if not sample.length or sample.length != real.length:
        return histogram((first, second), GC_BINS)
    found = histogram((np.rint(first * sample.length), np.rint(second * sample.length)), GC_BINS)
    return found | {"edges": [edge / sample.length for edge in found["edges"]]}


def position_step(codes: Codes) -> int:
    """Return how many bp are one point of a profile."""
    return -(-int(codes.shape[1]) // MOST_POSITIONS)


def _profile(codes: Codes) -> list[list[float]]:
    """Return base frequencies along the sequence, (4, points)."""
    frequencies, step = np.nan_to_num(position_frequencies(codes)), position_step(codes)
    starts = np.arange(0, codes.shape[1], step)
    sizes = np.diff([*starts, codes.shape[1]])
    return [[round(float(value), 4) for value in row] for row in np.add.reduceat(frequencies, starts, axis=1) / sizes]


def shifted_kmers(sample: Codes, real: Codes) -> list[dict[str, Any]]:
    """Return the 6-mers that are rarer or more frequent than in real sequences by most standard errors, rarest first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = rng.integers(0, 4, (500, 40)).astype(np.uint8)
    >>> sample = rng.integers(0, 4, (500, 40)).astype(np.uint8)
    >>> real[:, 10:16] = [3, 0, 3, 0, 0, 0]
    >>> shifted_kmers(sample, real)[0]["kmer"]
    'TATAAA'
    """
    counts = [kmer_spectrum(some, SHIFT_K) for some in (sample, real)]
    totals = [max(1.0, float(one.sum())) for one in counts]
    rates = [(one + _PSEUDOCOUNT) / total for one, total in zip(counts, totals, strict=True)]
    z = (rates[0] - rates[1]) / np.sqrt(rates[0] / totals[0] + rates[1] / totals[1])
    order = np.argsort(z, kind="stable")
    chosen = [int(i) for i in (*order[:N_SHIFTED], *order[-N_SHIFTED:])]
    names = kmer_names(SHIFT_K)
    return [{"kmer": names[i], "sample": counts[0][i] / totals[0], "real": counts[1][i] / totals[1], "z": float(z[i])} for i in chosen]
