"""Motifs from attributions by TF-MoDISco, where the optional package is installed."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import DependencyError, InputError, ShapeError
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
    InputError
        If the attributions are all 0 or no numbers, or the package can make nothing of them.

    Notes
    -----
    Left as they are, the options of the package look for 21 bp with 10 bp on either side, leave out a sign with 100 seqlets or fewer and a pattern
    with fewer than 20, and widen what they align by another 10 bp: sites within 20 bp of an end of the sequences are lost.

    References
    ----------
    .. [1] Shrikumar et al. (2018), arXiv:1811.00416.
    """
    package = check_modisco()
    values, onehot = np.asarray(scores, dtype=np.float32), np.asarray(x, dtype=np.float32)  # the package compiles for these
    if values.ndim != 3 or values.shape[1] != 4 or values.shape != onehot.shape:
        raise ShapeError(f"scores have the shape {values.shape} and x {onehot.shape}; expected (N, 4, L) both. Pass what attribute gave, and its x.")
    if not np.isfinite(values).all() or not (values * onehot).any():
        raise InputError("the attributions are all 0, or some are no numbers: numbers were expected. Pass what attribute gave of a trained network.")
    try:
        found = package.TFMoDISco(
            one_hot=np.ascontiguousarray(onehot.transpose(0, 2, 1)),
            hypothetical_contribs=np.ascontiguousarray(values.transpose(0, 2, 1)),
            max_seqlets_per_metacluster=max_seqlets,
            **options,
        )
    except (ValueError, IndexError) as error:  # where attributions follow no distribution that it can fit
        raise InputError(
            f"tfmodisco-lite can make nothing of the attributions of {len(values):,} sequences ({error}). Give it more sequences, or use seqlets."
        ) from error
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
