"""Whether a generator has collapsed: how near its samples lie to each other, against how near real sequences do.

The number of unique samples does not show collapse: a collapsed GAN gave 72 to 92 % unique samples whose nearest neighbour was two
bases away. Distances to the nearest other sample do: whole collapse moves their median, and a share of the samples that comes from a few modes lies
below what real sequences hardly ever reach.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import DataError
from seqdl.evaluate.nearest import Unit, nearest, unit_of
from seqdl.evaluate.sequence_set import Sequences, SequenceSet
from seqdl.sequence.shuffle import shuffle

MEDIAN_RATIO = 0.75
"""Collapsed where the median distance to the nearest other sample is at most this share of the real one."""
TAILS = ((0.005, 0.05), (0.05, 0.2))
"""(quantile, share): collapsed where more than `share` of the samples lie clearly nearer to another than this quantile of real sequences. The second
speaks where real sequences have so many copies that the first quantile is 0."""
CLEARLY = 0.9
"""What a quantile is multiplied by before samples count as nearer. Distances are few whole numbers, and a healthy GAN's lie one below real ones: on
simulated promoters (15 draws of 512) up to 3.5 % of its samples lay below the .5 % quantile itself, .4 % below nine tenths of it, and 28 % either
way where a quarter came from 32 modes, with 2 to 16 of 64 bases drawn anew; in one of three trainings the monitor had accused healthy epochs."""
MORE_DUPLICATES = 0.05
"""Collapsed where so much more of the samples than of real sequences are exact copies of another."""
FEWEST_NEARER = 14
"""Samples that have to be nearer: among small samples, the lowest few of two sets that are alike can all come from one."""
MONITORED = 256
"""Sequences of each kind that `collapse_monitor` looks at."""
LEAST = 10


@dataclass(frozen=True, eq=False)
class Diversity:
    """How sequences lie to each other.

    Attributes
    ----------
    distance : float64 array, (N,)
        To the nearest other one.
    shuffled : float64 array, (N,)
        The same after the bases of each were shuffled: how near sequences of this composition lie by chance.
    duplicate : bool array, (N,)
        Whether the whole sequence occurs again.
    unit : {"mismatches", "edits per base"}
    """

    distance: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    duplicate: NDArray[np.bool_]
    unit: Unit

    @classmethod
    def of(cls, some: SequenceSet, *, unit: Unit, seed: int = 0) -> Diversity:
        """Measure how sequences lie to each other.

        Parameters
        ----------
        some : SequenceSet
        unit : {"mismatches", "edits per base"}
        seed : int, default 0
            Of the shuffle.
        """
        mixed = SequenceSet(shuffle(some.codes, seed=seed), some.lengths)
        _, number, n = np.unique(some.codes, axis=0, return_inverse=True, return_counts=True)
        return cls(nearest(some, unit=unit).distance, nearest(mixed, unit=unit).distance, n[number.ravel()] > 1, unit)

    def figures(self, real: Diversity) -> dict[str, float]:
        """Return the figures of the card; `real` are as many real sequences."""
        found = Collapse.between(self, real)
        return {
            "nearest_median": found.median,
            "median_ratio": found.median_ratio,
            "nearer_than_real": found.nearer,
            "duplicate_rate": found.duplicates,
            "unique_rate": unique_rate(self),
        }


def unique_rate(found: Diversity) -> float:
    """Return the share of sequences that occur once; on its own it does not show collapse."""
    return float(1 - found.duplicate.mean())


@dataclass(frozen=True)
class Collapse:
    """Whether samples have collapsed, and by which figures.

    Attributes
    ----------
    collapsed : bool
    median, real_median : float
        Distance to the nearest other sequence, in mismatches, or edits per base where lengths differ.
    median_ratio : float
        Of the two; NaN where the real one is 0.
    nearer : float
        Share of samples nearer to another than the .5 % quantile of real sequences.
    duplicates, real_duplicates : float
        Share of exact copies of another sequence in the set.
    reason : str
        The rule that was broken, in words; empty where none was.
    """

    collapsed: bool
    median: float
    real_median: float
    median_ratio: float
    nearer: float
    duplicates: float
    real_duplicates: float
    reason: str

    def to_dict(self) -> dict[str, float | bool | str]:
        """Return the figures by name."""
        return asdict(self)

    @classmethod
    def between(cls, sample: Diversity, real: Diversity) -> Collapse:
        """Judge samples against as many real sequences.

        A sample counts as collapsed only where it also lies nearer than its own sequences do once their bases are shuffled: sequences that are
        poor in G and C are near to each other without being alike. Exact copies count in any case.
        """
        median, real_median = float(np.median(sample.distance)), float(np.median(real.distance))
        reasons = _rules(sample.distance, real.distance)
        by_chance = not _rules(sample.distance, sample.shuffled)
        duplicates, real_duplicates = float(sample.duplicate.mean()), float(real.duplicate.mean())
        if by_chance:
            reasons = []
        n_more = sample.duplicate.sum() - real_duplicates * len(sample.distance)
        if duplicates > real_duplicates + MORE_DUPLICATES and n_more >= FEWEST_NEARER:
            reasons.append(f"{100 * duplicates:.0f} % of the samples are exact copies of another (real sequences: {100 * real_duplicates:.1f} %)")
        return cls(
            collapsed=bool(reasons),
            median=median,
            real_median=real_median,
            median_ratio=median / real_median if real_median else float("nan"),
            nearer=float((sample.distance < np.quantile(real.distance, TAILS[0][0])).mean()),
            duplicates=duplicates,
            real_duplicates=real_duplicates,
            reason="; ".join(reasons),
        )


def _rules(distance: NDArray[np.float64], other: NDArray[np.float64]) -> list[str]:
    """Return the rules that distances break against others, in words."""
    broken = []
    median, other_median = float(np.median(distance)), float(np.median(other))
    if median <= MEDIAN_RATIO * other_median and other_median > 0:
        broken.append(f"half of the samples lie within {median:.3g} of another, against {other_median:.3g} of real sequences")
    for quantile, share in TAILS:
        nearer = distance < CLEARLY * np.quantile(other, quantile)
        if nearer.mean() > share and nearer.sum() >= FEWEST_NEARER:
            broken.append(f"{100 * nearer.mean():.0f} % of the samples lie clearly nearer to another than {100 * quantile:g} % of real sequences do")
            break
    return broken


def collapse_monitor(samples: Sequences, real: Sequences, *, n: int = MONITORED, seed: int = 0) -> Collapse:
    """Tell while a generator trains whether it has collapsed, from a few samples: some milliseconds.

    Parameters
    ----------
    samples, real : uint8 array (N, L), or sequences of uint8 arrays (L_i,)
        Codes; at most `n` of each are drawn, as many of one as of the other.
    n : int, default 256
    seed : int, default 0
        Of the draw and of the shuffle.

    Returns
    -------
    Collapse
        ``collapsed`` and the figures behind it; ``to_dict()`` for a log.

    Raises
    ------
    DataError
        If there are fewer than 10 of either.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = rng.integers(0, 4, (256, 64)).astype(np.uint8)
    >>> modes = real[rng.integers(0, 8, 256)].copy()
    >>> modes[np.arange(256), rng.integers(0, 64, 256)] = rng.integers(0, 4, 256)    # eight modes, one base changed
    >>> collapse_monitor(real[::-1], real).collapsed, collapse_monitor(modes, real).collapsed
    (False, True)
    """
    first, second = SequenceSet.of(samples, name="samples"), SequenceSet.of(real, name="real sequences")
    size = min(n, len(first), len(second))
    if size < LEAST:
        raise DataError(f"there are {len(first)} samples and {len(second)} real sequences; {LEAST} of each were expected. Give more.")
    rng = np.random.default_rng(seed)
    first, second = first.drawn(size, rng), second.drawn(size, rng)
    unit = unit_of(first, second)
    return Collapse.between(Diversity.of(first, unit=unit, seed=seed), Diversity.of(second, unit=unit, seed=seed))
