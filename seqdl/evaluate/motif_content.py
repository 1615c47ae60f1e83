"""Which motifs sequences hold: how often, where, and which together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.evaluate.sequence_set import Sequences, SequenceSet
from seqdl.motif.motif import Motif
from seqdl.motif.scan import scan

PVALUE = 1e-4
"""Chance of a window to be called a site; a motif too short for that takes its best words."""
MOST_TELLING = 24
"""Motifs of a database that are looked at."""
LEAST_Z = 5.0
"""Standard errors by which a telling motif has to be more frequent in real sequences than in their shuffles."""
LEAST_RATIO = 1.2
SAME_SEQUENCES = 0.5
"""Correlation of the sequences that hold two motifs, above which the weaker of them is left out."""
BINS = 64
PLACED, PEAK = 1e-6, 3.0
"""A motif has a place where sites anywhere alike are less likely than this, and its fullest stretch holds so many times what they would."""
LEAST_SITES = 50
LEAST_PAIRS = 5.0
"""Sequences that two motifs should hold together by chance, for their pair to be compared."""
PAIR_Z, PAIR_FOLD = 4.0, 2.0
"""A pair is off where it is together so many times more or less often, against chance, than in the reference, by so many standard errors."""


@dataclass(frozen=True, eq=False)
class MotifContent:
    """The sites of M motifs in N sequences.

    Attributes
    ----------
    present : bool array, (N, M)
        Whether a sequence holds a site.
    places : float64 array, (M, bins), or None
        How many sites begin in each stretch of the sequence; None where lengths differ.
    widths : int64 array, (M,)
        bp of the motifs.
    length : int or None
        bp of the sequences.
    """

    present: NDArray[np.bool_]
    places: NDArray[np.float64] | None
    widths: NDArray[np.int64]
    length: int | None

    @classmethod
    def of(cls, some: SequenceSet, motifs: Sequence[Motif], *, pvalue: float = PVALUE, both_strands: bool = True) -> MotifContent:
        """Scan sequences.

        Parameters
        ----------
        some : SequenceSet
        motifs : sequence of Motif
        pvalue : float, default 1e-4
            Of a site; see `seqdl.motif.scan.scan`.
        both_strands : bool, default True
            Whether sites on the other strand count.
        """
        named = [replace(motif, name=str(i)) for i, motif in enumerate(motifs)]  # two may have one name
        widths = np.array([motif.width for motif in motifs], dtype=np.int64)
        least = [least_pvalue(motif) for motif in motifs]
        reached = [motif for motif, p in zip(named, least, strict=True) if p <= pvalue]
        groups = [(reached, pvalue)] if reached else []
        groups += [([motif], min(1.0, 1.0001 * p)) for motif, p in zip(named, least, strict=True) if p > pvalue]
        sequences, present = some.list(), np.zeros((len(some), len(motifs)), dtype=np.bool_)
        length, per_bin = some.length, 1 if some.length is None else -(-some.length // BINS)
        places = None if length is None else np.zeros((len(motifs), -(-length // per_bin)))
        for group, p in groups:
            hits = scan(group, sequences, pvalue=p, both_strands=both_strands)
            row, motif = hits["sequence"].to_numpy(dtype=np.int64), hits["motif"].to_numpy(dtype=np.int64)
            present[row, motif] = True
            if places is not None:
                np.add.at(places, (motif, hits["start"].to_numpy() // per_bin), 1)
        return cls(present, places, widths, length)

    @property
    def rate(self) -> NDArray[np.float64]:
        """Share of the sequences that hold a site of each motif, (M,)."""
        return np.asarray(self.present.mean(axis=0), dtype=np.float64)

    def take(self, motifs: Sequence[int]) -> MotifContent:
        """Return the content of some of the motifs."""
        chosen = np.asarray(motifs, dtype=np.int64)
        return MotifContent(self.present[:, chosen], None if self.places is None else self.places[chosen], self.widths[chosen], self.length)

    def placed(self) -> NDArray[np.bool_]:
        """Return which motifs have a place in the sequence, rather than sites anywhere alike, (M,)."""
        from scipy.stats import chisquare

        found = np.zeros(len(self.widths), dtype=np.bool_)
        if self.places is None or self.length is None:
            return found
        per_bin = -(-self.length // BINS)
        for i, (counts, width) in enumerate(zip(self.places, self.widths.tolist(), strict=True)):
            room = np.clip(self.length - width + 1 - per_bin * np.arange(len(counts)), 0, per_bin).astype(np.float64)
            if counts.sum() >= LEAST_SITES and (room > 0).sum() > 1:
                expected = room[room > 0] / room.sum() * counts[room > 0].sum()
                peaked = (counts[room > 0] >= PEAK * expected).any()
                found[i] = peaked and chisquare(counts[room > 0], expected).pvalue < PLACED
        return found

    def position_r(self, other: MotifContent) -> NDArray[np.float64]:
        """Return the correlation of where the sites of each motif begin in two sets, (M,); NaN where it is undefined."""
        found = np.full(len(self.widths), np.nan)
        if self.places is None or other.places is None or self.places.shape != other.places.shape:
            return found
        for i, (a, b) in enumerate(zip(self.places, other.places, strict=True)):
            if a.std() > 0 and b.std() > 0:
                found[i] = np.corrcoef(a, b)[0, 1]
        return found

    def log_lift(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return, for each pair of motifs, log2 of how much more often they are together than by chance, and how often that would be."""
        held = self.present.astype(np.float64)
        expected = np.outer(held.sum(axis=0), held.sum(axis=0)) / max(1, len(held))
        upper = np.triu_indices(held.shape[1], 1)
        return np.log2((held.T @ held + 0.5)[upper] / (expected + 0.5)[upper]), expected[upper]


def least_pvalue(motif: Motif) -> float:
    """Return the chance of a motif's best words, the smallest p-value a site of it can have.

    Examples
    --------
    >>> least_pvalue(Motif("m", [[9, 5], [0, 5], [0, 0], [0, 0]]))
    0.125
    """
    pwm, background = motif.pwm(), np.asarray(motif.background)[:, None]
    best = pwm >= pwm.max(axis=0) - 1e-9
    return float(np.prod((best * background).sum(axis=0)))


def telling_motifs(real: MotifContent, shuffled: MotifContent, *, most: int = MOST_TELLING) -> list[int]:
    """Choose the motifs that real sequences hold beyond their composition.

    Parameters
    ----------
    real, shuffled : MotifContent
        Of real sequences, and of dinucleotide shuffles of them.
    most : int, default 24

    Returns
    -------
    list of int
        Motifs that are more frequent in real sequences by 5 standard errors and a fifth, strongest first; of those that lie in the same
        sequences only the strongest.
    """
    a, b, n, m = real.rate, shuffled.rate, len(real.present), len(shuffled.present)
    pooled = (a * n + b * m + 1) / (n + m + 2)
    z = (a - b) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    chosen: list[int] = []
    held = (real.present - a) / np.maximum(real.present.std(axis=0), 1e-9)
    for i in np.argsort(-z, kind="stable").tolist():
        if z[i] < LEAST_Z or len(chosen) >= most:
            break
        alike = held[:, chosen].T @ held[:, i] / n if chosen else np.zeros(1)
        if a[i] >= LEAST_RATIO * b[i] and np.abs(alike).max() <= SAME_SEQUENCES:
            chosen.append(i)
    return chosen


def motif_figures(content: MotifContent, reference: MotifContent) -> dict[str, float]:
    """Hold motif content against that of a reference.

    Returns
    -------
    dict
        rate_error: mean size of log2 of the ratios of the rates. too_rare, too_frequent: motifs at less than half, or more than twice, the rate
        of the reference, by more than 4 standard errors. position_r: mean correlation of where sites begin, over the motifs that have a place.
        cooccurrence_r: correlation of how much more often pairs are together than by chance; where no pair is, it is noise. pairs_off: pairs for
        which that differs at least twofold, by more than 4 standard errors. NaN where undefined.
    """
    nothing = float("nan")
    if not len(reference.widths):
        return dict.fromkeys(("rate_error", "too_rare", "too_frequent", "position_r", "cooccurrence_r", "pairs_off"), nothing)
    ratio, z = rate_ratios(content, reference)
    r = content.position_r(reference)[reference.placed()]
    return {
        "rate_error": float(np.abs(np.log2(ratio)).mean()),
        "too_rare": int(((ratio < 0.5) & (z < -4)).sum()),
        "too_frequent": int(((ratio > 2) & (z > 4)).sum()),
        "position_r": float(np.nan_to_num(r).mean()) if len(r) and content.places is not None else nothing,
        **_pair_figures(content, reference),
    }


def _pair_figures(content: MotifContent, reference: MotifContent) -> dict[str, float]:
    """Return how alike two sets are in which motifs stand together."""
    own, own_expected = content.log_lift()
    theirs, expected = reference.log_lift()
    seen = np.minimum(own_expected, expected) >= LEAST_PAIRS
    if not seen.any():
        return {"cooccurrence_r": float("nan"), "pairs_off": float("nan")}
    own, theirs = own[seen], theirs[seen]
    varied = len(own) >= 3 and own.std() > 0 and theirs.std() > 0
    # a count of n sequences has a relative error of 1 / sqrt(n)
    together = [2**lift * (chance[seen] + 0.5) for lift, chance in ((own, own_expected), (theirs, expected))]
    error = np.sqrt(1 / together[0] + 1 / together[1]) / np.log(2)
    off = (np.abs(own - theirs) >= np.log2(PAIR_FOLD)) & (np.abs(own - theirs) > PAIR_Z * error)
    return {"cooccurrence_r": float(np.corrcoef(own, theirs)[0, 1]) if varied else float("nan"), "pairs_off": int(off.sum())}


def rate_ratios(content: MotifContent, reference: MotifContent) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rates relative to those of a reference, half a sequence added to each, and the difference in standard errors, (M,) each."""
    n, m = len(content.present), len(reference.present)
    a, b = content.present.sum(axis=0), reference.present.sum(axis=0)
    ratio = ((a + 0.5) / (n + 1)) / ((b + 0.5) / (m + 1))
    pooled = (a + b + 1) / (n + m + 2)
    return ratio, (a / n - b / m) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))


@dataclass(frozen=True)
class MotifMatch:
    """One motif in synthetic sequences, against real ones.

    Attributes
    ----------
    name : str
    rate, real_rate : float
        Share of the sequences with a site.
    ratio : float
        Of the two; 1 is as often as in real sequences.
    position_r : float
        Correlation of where sites begin; NaN where lengths differ or there are no sites.
    """

    name: str
    rate: float
    real_rate: float
    ratio: float
    position_r: float


def compare_motifs(
    samples: Sequences, real: Sequences, motifs: Sequence[Motif], *, pvalue: float = PVALUE, both_strands: bool = True
) -> list[MotifMatch]:
    """Measure motifs in synthetic sequences against real ones.

    Parameters
    ----------
    samples, real : uint8 array (N, L), or sequences of uint8 arrays (L_i,)
    motifs : sequence of Motif
    pvalue : float, default 1e-4
        Of a site.
    both_strands : bool, default True
        Whether sites on the other strand count.

    Returns
    -------
    list of MotifMatch
        One a motif, in their order.

    Raises
    ------
    InputError
        If there is no motif.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = rng.integers(0, 4, (400, 40)).astype(np.uint8)
    >>> real[:, 10:18] = [3, 0, 3, 0, 0, 0, 0, 2]
    >>> tata = Motif("TATA", np.eye(4)[:, [3, 0, 3, 0, 0, 0, 0, 2]] * 96 + 1)
    >>> match = compare_motifs(np.concatenate([real[:200], rng.permuted(real[200:], axis=1)]), real, [tata])[0]
    >>> round(match.ratio, 2), round(match.position_r, 2)
    (0.5, 1.0)
    """
    if not len(motifs):
        raise InputError("there are 0 motifs to look for; at least one was expected. Read some with read_motifs or load_database.")
    found, truth = (MotifContent.of(SequenceSet.of(some), motifs, pvalue=pvalue, both_strands=both_strands) for some in (samples, real))
    ratio, _ = rate_ratios(found, truth)
    rows = zip(motifs, found.rate.tolist(), truth.rate.tolist(), ratio.tolist(), found.position_r(truth).tolist(), strict=True)
    return [MotifMatch(motif.label, *figures) for motif, *figures in rows]
