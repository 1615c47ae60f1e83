"""Shortcuts: ways to tell the classes apart that have nothing to do with the biology asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.audit.ragged import Ragged, check_split
from seqdl.evaluate.bootstrap import with_intervals
from seqdl.evaluate.counted import check_binary
from seqdl.evaluate.metrics import auroc
from seqdl.types import Codes

THRESHOLD = 0.6
"""A feature is a shortcut where the lower bound of its AUROC interval is above this."""
FEATURES = ("gc", "length", "n_content")


@dataclass(frozen=True)
class Shortcut:
    """How well one simple feature tells the classes apart.

    Attributes
    ----------
    name : str
        gc, length or n_content.
    auroc, low, high : float or None
        AUROC on the test set with its 95 % bootstrap interval; the direction is taken from the training set.
        None where the test set has one class only.
    is_shortcut : bool
        Whether `low` is above .6.
    positive_mean, negative_mean : float or None
        Mean of the feature over all positives and all negatives: fraction, bp, fraction.
    """

    name: str
    auroc: float | None
    low: float | None
    high: float | None
    is_shortcut: bool
    positive_mean: float | None
    negative_mean: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


def find_shortcuts(codes: Codes | Sequence[Codes] | Ragged, target: ArrayLike, split: object) -> list[Shortcut]:
    """Measure how well GC content, length and N content alone separate the classes.

    Parameters
    ----------
    codes : uint8, (N, L), or a list of N arrays (L,)
        Sequences. Ambiguous bases at the ends of the rows of an array are taken for padding.
    target : array_like, (N,)
        The truth, 0 or 1.
    split : array_like of str, (N,)
        train, val or test for each.

    Returns
    -------
    list of Shortcut
        In the order gc, length, n_content.

    Raises
    ------
    ShapeError
        If the lengths differ.
    InputError
        If the target is not binary or `split` holds other names.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 4, (400, 50)).astype(np.uint8)
    >>> codes[:200][codes[:200] == 0] = 2                               # positives: every A becomes a G
    >>> found = find_shortcuts(codes, np.arange(400) < 200, np.tile(["train", "test"], 200))
    >>> [(shortcut.name, shortcut.is_shortcut) for shortcut in found]
    [('gc', True), ('length', False), ('n_content', False)]
    """
    sequences = Ragged.of(codes)
    names = check_split(split, len(sequences))
    truth, _ = check_binary(target, np.zeros(len(sequences)))
    return [_measure(name, feature, truth, split=names) for name, feature in features(sequences).items()]


def features(sequences: Ragged) -> dict[str, NDArray[np.float64]]:
    """Return GC content (fraction of the unambiguous bases), length (bp) and N content (fraction) of each sequence."""
    n_strong, n_known = (np.zeros(len(sequences), dtype=np.int64) for _ in range(2))
    for block in sequences.blocks():
        n_strong[block.rows] = block.count((block.flat == 1) | (block.flat == 2))
        n_known[block.rows] = block.count(block.flat < 4)
    with np.errstate(invalid="ignore"):
        gc, n_content = n_strong / n_known, 1 - n_known / sequences.length
    return {"gc": gc, "length": sequences.length.astype(np.float64), "n_content": np.nan_to_num(n_content, nan=1.0)}


def _measure(name: str, feature: NDArray[np.float64], truth: NDArray[np.bool_], *, split: NDArray[np.str_]) -> Shortcut:
    known = np.isfinite(feature)
    means = [float(feature[known & side].mean()) if (known & side).any() else None for side in (truth, ~truth)]
    filled = np.where(known, feature, np.median(feature[known]) if known.any() else 0.0)
    train, test = split == "train", split == "test"
    direction = -1.0 if auroc(truth[train], filled[train]) < 0.5 else 1.0
    found = with_intervals(truth[test], direction * filled[test], metrics=("auroc",))["auroc"]
    return Shortcut(name, found["value"], found["low"], found["high"], found["low"] is not None and found["low"] > THRESHOLD, means[0], means[1])
