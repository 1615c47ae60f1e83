"""How far the samples of a game are from real sequences while it is played."""

from __future__ import annotations

from torch import Tensor

from seqdl.evaluate.diversity import collapse_monitor
from seqdl.evaluate.spectra import jensen_shannon, kmer_spectrum, position_distance

N_COMPARED = 512
"""Of these, the ones whose nearest neighbours are looked for, and whom the critic reads. With 256 a healthy game was accused in 1 of 18 epochs."""
SPECTRUM_K = 6


def watch(fake: Tensor, real: Tensor) -> tuple[dict[str, float], str]:
    """Return how far samples are from real sequences, codes (N, L) both: 6-mer divergence, base frequencies by position, nearest neighbours.

    The second is why they are called collapsed, empty where they are not.
    """
    a, b = fake.numpy(), real.numpy()
    state = collapse_monitor(a, b, n=N_COMPARED)
    found = {
        "js": jensen_shannon(kmer_spectrum(a, SPECTRUM_K), kmer_spectrum(b, SPECTRUM_K)),
        "positions": position_distance(a, b),
        "nearest": float(state.median_ratio),
        "collapsed": float(state.collapsed),
    }
    return found, state.reason
