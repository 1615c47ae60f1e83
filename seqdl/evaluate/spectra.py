"""What sequences are made of, against what other sequences are made of: k-mers, GC content, length, base by position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.sequence.composition import gc_content
from seqdl.types import Codes, Floats

KS = (1, 2, 3, 4, 5, 6)
"""Lengths of the k-mers whose spectra are compared."""
MAX_K = 12
_WINDOWS = 1 << 20  # counted at a time: the temporaries stay under 30 MB


def kmer_spectrum(codes: Codes, k: int) -> NDArray[np.float64]:
    """Count the k-mers of all sequences together.

    Parameters
    ----------
    codes : uint8 array, (N, L)
        Sequences; shorter ones padded with 4. Windows with an ambiguous base are skipped.
    k : int, 1 to 12
        Length in bp.

    Returns
    -------
    float64 array, (4**k,)
        Counts, in the order of `seqdl.sequence.composition.kmer_names`.

    Raises
    ------
    InputError
        If `k` is out of range.

    Examples
    --------
    >>> kmer_spectrum(np.array([[0, 0, 1, 4, 3, 3]], dtype=np.uint8), 2)[[0, 1, 15]]
    array([1., 1., 1.])
    """
    if not 1 <= k <= MAX_K:
        raise InputError(f"k is {k}; a k-mer length from 1 to {MAX_K} was expected. Choose a k in that range.")
    counts = np.zeros(4**k)
    n_windows = codes.shape[1] - k + 1
    if n_windows < 1:
        return counts
    step = max(1, _WINDOWS // codes.shape[1])
    for first in range(0, len(codes), step):
        rows = codes[first : first + step]
        word = np.zeros((len(rows), n_windows), dtype=np.int32)
        clean = np.ones(word.shape, dtype=np.bool_)
        for i in range(k):
            column = rows[:, i : i + n_windows]
            word = word * 4 + column
            clean &= column < 4
        counts += np.bincount(word[clean], minlength=4**k)
    return counts


def jensen_shannon(p: Floats, q: Floats) -> float:
    """Return the Jensen-Shannon divergence of two distributions in bits: 0 where they are one, 1 where they share nothing [1]_.

    Parameters
    ----------
    p, q : float array, (n,)
        Counts or probabilities; each is brought to a sum of 1.

    Returns
    -------
    float
        NaN where one of them holds nothing.

    References
    ----------
    .. [1] Lin (1991), IEEE Transactions on Information Theory 37:145.

    Examples
    --------
    >>> jensen_shannon(np.array([1, 0]), np.array([0, 3])), jensen_shannon(np.array([1, 3]), np.array([2, 6]))
    (1.0, 0.0)
    """
    if not p.sum() or not q.sum():
        return float("nan")
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    parts = [float(np.sum(x[x > 0] * np.log2(x[x > 0] / middle[x > 0]))) for x in (p, q)]
    return max(0.0, sum(parts) / 2)


def kolmogorov_smirnov(a: Floats, b: Floats) -> float:
    """Return the largest distance of two cumulative distributions, 0 to 1.

    Parameters
    ----------
    a, b : float array, (n,) and (m,)
        Values that are not numbers are left out.

    Returns
    -------
    float
        NaN where one of them holds nothing.

    Examples
    --------
    >>> kolmogorov_smirnov(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6]))
    0.5
    """
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return float("nan")
    at = np.concatenate([a, b])
    gap = np.searchsorted(a, at, side="right") / len(a) - np.searchsorted(b, at, side="right") / len(b)
    return float(np.abs(gap).max())


def position_frequencies(codes: Codes) -> NDArray[np.float64]:
    """Return how often each base stands at each position, (4, L); NaN where there is no base at all."""
    counts = np.stack([(codes == base).sum(axis=0) for base in range(4)]).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(counts / counts.sum(axis=0), dtype=np.float64)


def position_distance(a: Codes, b: Codes) -> float:
    """Return the mean over positions of the total variation of the base frequencies, 0 to 1.

    Examples
    --------
    >>> position_distance(np.array([[0, 1]], dtype=np.uint8), np.array([[0, 2]], dtype=np.uint8))
    0.5
    """
    apart = np.abs(position_frequencies(a) - position_frequencies(b)).sum(axis=0) / 2
    known = ~np.isnan(apart)
    return float(apart[known].mean()) if known.any() else float("nan")


def composition(sample: SequenceSet, reference: SequenceSet, reference_spectra: dict[int, NDArray[np.float64]]) -> dict[str, dict[str, float]]:
    """Hold the composition of sequences against that of a reference.

    Parameters
    ----------
    sample, reference : SequenceSet
    reference_spectra : dict of int to float64 (4**k,)
        `kmer_spectrum` of the reference for each k, so that it is counted once.

    Returns
    -------
    dict
        "kmers": js_K in bits; "composition": gc_mean, gc_sd, gc_ks, length_mean, length_ks, n_rate, position_distance. NaN where a figure
        is undefined.
    """
    kmers = {f"js_{k}": jensen_shannon(kmer_spectrum(sample.codes, k), spectrum) for k, spectrum in reference_spectra.items()}
    gc = gc_content(sample.codes)
    inside = np.arange(sample.codes.shape[1]) < sample.lengths[:, None]
    known = gc[~np.isnan(gc)]
    same_length = sample.length is not None and sample.length == reference.length
    return {
        "kmers": kmers,
        "composition": {
            "gc_mean": float(known.mean()) if len(known) else float("nan"),
            "gc_sd": float(known.std()) if len(known) else float("nan"),
            "gc_ks": kolmogorov_smirnov(gc, gc_content(reference.codes)),
            "length_mean": float(sample.lengths.mean()),
            "length_ks": kolmogorov_smirnov(sample.lengths.astype(np.float64), reference.lengths.astype(np.float64)),
            "ambiguous_rate": float(((sample.codes > 3) & inside).sum() / sample.lengths.sum()),
            "position_distance": position_distance(sample.codes, reference.codes) if same_length else float("nan"),
        },
    }
