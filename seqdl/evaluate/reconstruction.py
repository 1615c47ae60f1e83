"""How well sequences are given back, beside what needs no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdl.evaluate.latent_space import principal_components
from seqdl.evaluate.resampling import resampled
from seqdl.sequence.encode import one_hot
from seqdl.types import PAD, Codes, Floats

LEAST_KL_BITS = 1.0
LEAST_GAIN = 0.01
LEAST_SHARE = 0.2
"""A VAE whose latents carry less than one bit a sequence, or that gives back no more than one base in a hundred above the position-wise
guess, or less than a fifth of what as many principal components give back above it, has collapsed. With beta 1 from the first step on
promoters of E. coli (165 bp, 32 latents) that was a tenth, at two bits; at the defaults of a VAE 94 %."""


def reconstruction_intervals(right: NDArray[np.int64], bits: Floats, n_bases: NDArray[np.int64], *, seed: int = 0) -> dict[str, Any]:
    """Return the share of bases given back and the bits per base, with intervals by bootstrap over sequences.

    Parameters
    ----------
    right : int array, (N,)
        Bases of each sequence that were given back.
    bits : array, (N,)
        Information of each sequence under the reconstruction.
    n_bases : int array, (N,)
        Bases of each sequence that are known.
    seed : int
    """

    def measure(counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        n = counts @ n_bases
        return {"accuracy": (counts @ right) / n, "bits_per_base": (counts @ bits) / n}

    return dict(resampled(measure, [np.arange(len(right))], seed=seed))


def reconstruction_floor(train: Codes, test: Codes, *, latent: int) -> dict[str, Any]:
    """Return what is given back of test sequences without a network, fitted on training sequences.

    Parameters
    ----------
    train, test : Codes, (N, L)
    latent : int
        Components of the PCA, as many as the network has latents.

    Returns
    -------
    dict
        majority: the most frequent base everywhere; positions: the most frequent base of each position, and its frequencies;
        pca: principal components of one-hot, and the nearest base at each place.
    """
    known = test < PAD
    frequency = np.stack([(train == base).sum(axis=0) for base in range(4)]) + 1.0  # (4, L)
    majority = int(frequency.sum(axis=1).argmax())
    odds = frequency / frequency.sum(axis=0)
    guess = odds.argmax(axis=0)
    truth = np.take_along_axis(odds, np.minimum(test, 3).astype(np.int64), axis=0)
    rows, (parts, mean, axes) = one_hot(test), _flat_components(train, test, latent)
    back = (parts @ axes + mean).reshape(rows.shape).argmax(axis=1)
    return {
        "majority": _entry((test == majority)[known].mean(), "the most frequent base everywhere"),
        "positions": _entry((test == guess)[known].mean(), "the most frequent base of each position", bits=-np.log2(truth[known]).mean()),
        "pca": _entry((back == test)[known].mean(), f"{len(axes)} principal components of one-hot"),
    }


def _flat_components(train: Codes, test: Codes, n: int) -> tuple[Floats, Floats, Floats]:
    flat = one_hot(train).reshape(len(train), -1)
    (found,), mean, axes = principal_components(flat, [one_hot(test).reshape(len(test), -1)], n)
    return found, mean, axes


def _entry(accuracy: float, detail: str, *, bits: float | None = None) -> dict[str, Any]:
    return {"accuracy": {"value": float(accuracy)}, "bits_per_base": {"value": None if bits is None else float(bits)}, "detail": detail}


def collapse(accuracy: float, floor: Mapping[str, Any], kl_bits: float | None) -> tuple[bool, str]:
    """Return whether latents are ignored, and the verdict in words.

    Parameters
    ----------
    accuracy : float
        Share of held-out bases given back.
    floor : mapping
        What `reconstruction_floor` returns.
    kl_bits : float or None
        Divergence of the latents from the prior, bits a sequence; None where they have no distribution: then only the accuracy counts.

    Examples
    --------
    >>> floor = {"positions": {"accuracy": {"value": 0.35}}}
    >>> collapse(0.352, floor, 0.2)[0], collapse(0.6, floor, 40.0)[0]
    (True, False)
    """
    guess = float(floor["positions"]["accuracy"]["value"])
    linear = float(floor["pca"]["accuracy"]["value"]) if "pca" in floor else guess
    told = "" if kl_bits is None else f"; the latents carry {kl_bits:.1f} bits a sequence"
    beside = "" if kl_bits is None or "pca" not in floor else f", {linear:.3f} by as many principal components"
    numbers = f"{accuracy:.3f} of held-out bases are given back, {guess:.3f} by the most frequent base of each position{beside}{told}"
    cure = "Train for longer, or use more latents" if kl_bits is None else "Lower beta, let it rise slowly (anneal) or raise free_bits"
    if (kl_bits is not None and kl_bits < LEAST_KL_BITS) or accuracy < guess + LEAST_GAIN:
        return True, f"collapsed: the latents are ignored, and every sequence is decoded alike ({numbers}). {cure}."
    if kl_bits is not None and accuracy - guess < LEAST_SHARE * (linear - guess):
        return True, f"collapsed: next to nothing passes through the latents, and sequences are decoded nearly alike ({numbers}). {cure}."
    return False, f"not collapsed: {numbers}."
