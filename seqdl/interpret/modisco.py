"""Motifs from attributions by TF-MoDISco, where the optional package is installed."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import DependencyError, ShapeError
from seqdl.motif.motif import Motif

PACKAGE = "modiscolite.tfmodisco"


@dataclass(frozen=True)
class Pattern:
    """A recurring pattern of attributions.

    Attributes
    ----------
    motif : Motif
        Counts of the bases of its seqlets.
    contribution : float
        Mean sum of the attributions of a seqlet; negative of a pattern that lowers the output.
    sites : array, (S, 3), int64
        Row of the sequence, start and end (0-based, half-open) of each seqlet on the strand as given.
    reverse : array, (S,), bool
        Whether the seqlet was read on the other strand.
    """

    motif: Motif
    contribution: float
    sites: NDArray[np.int64]
    reverse: NDArray[np.bool_]


def check_modisco() -> Any:
    """Return tfmodisco-lite's module.

    Raises
    ------
    DependencyError
        If it is not installed.
    """
    try:
        return importlib.import_module(PACKAGE)
    except ImportError as error:
        raise DependencyError(
            f"motif discovery needs tfmodisco-lite, and '{error.name or PACKAGE}' is not installed. Install it with pip install 'seqdl[modisco]', "
            "or use seqlets, which need nothing more."
        ) from error


def discover_motifs(scores: ArrayLike, x: ArrayLike, *, max_seqlets: int = 2000, **options: Any) -> list[Pattern]:
    """Cluster the seqlets of attributions into motifs by TF-MoDISco [1]_.

    Parameters
    ----------
    scores : array_like, (N, 4, L)
        Attributions of all four bases: what each would contribute if it stood there (``hypothetical=True`` of deeplift,
        integrated-gradients and expected-gradients; ism and saliency as they are).
    x : array_like, (N, 4, L)
        One-hot sequences.
    max_seqlets : int, default 2000
        Seqlets of either sign that are clustered, at most.
    **options
        Further arguments of ``modiscolite.tfmodisco.TFMoDISco``, such as ``sliding_window_size`` and ``flank_size``.

    Returns
    -------
    list of Pattern
        Those that raise the output first, each kind by falling number of seqlets.

    Raises
    ------
    DependencyError
        If tfmodisco-lite is not installed.
    ShapeError
        If the arrays are not (N, 4, L) both.

    References
    ----------
    .. [1] Shrikumar et al. (2018), arXiv:1811.00416.
    """
    package = check_modisco()
    values, onehot = np.asarray(scores, dtype=np.float64), np.asarray(x, dtype=np.float64)
    if values.ndim != 3 or values.shape[1] != 4 or values.shape != onehot.shape:
        raise ShapeError(f"scores have the shape {values.shape} and x {onehot.shape}; expected (N, 4, L) both. Pass what attribute gave, and its x.")
    found = package.TFMoDISco(
        one_hot=np.ascontiguousarray(onehot.transpose(0, 2, 1)),
        hypothetical_contribs=np.ascontiguousarray(values.transpose(0, 2, 1)),
        max_seqlets_per_metacluster=max_seqlets,
        **options,
    )
    patterns = []
    for word, group in zip(("positive", "negative"), found, strict=True):
        ordered = sorted(group or [], key=lambda pattern: -len(pattern.seqlets))  # None where there were too few seqlets
        patterns += [_pattern(f"{word}{number}", pattern) for number, pattern in enumerate(ordered, start=1)]
    return patterns


def _pattern(name: str, found: Any) -> Pattern:
    """Return a pattern of the package as ours."""
    seqlets = list(found.seqlets)
    frequencies = np.clip(np.asarray(found.sequence, dtype=np.float64).T, 0, None)  # (4, W)
    frequencies[:, frequencies.sum(0) <= 0] = 0.25  # no seqlet reaches there, or all of them have an ambiguous base
    motif = Motif(name, frequencies / frequencies.sum(0) * len(seqlets), n_sites=float(len(seqlets)))
    sites = np.array([(seqlet.example_idx, seqlet.start, seqlet.end) for seqlet in seqlets], dtype=np.int64).reshape(-1, 3)
    contribution = float(np.mean([np.sum(seqlet.contrib_scores) for seqlet in seqlets]))
    return Pattern(motif, contribution, sites, np.array([bool(seqlet.is_revcomp) for seqlet in seqlets]))
