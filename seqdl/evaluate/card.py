"""The report card of synthetic sequences: every figure beside the same figure of held-out real sequences and of simple generators."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from seqdl.evaluate.card_curves import card_curves
from seqdl.evaluate.card_pools import Pools
from seqdl.evaluate.card_table import card_table
from seqdl.evaluate.card_verdict import verdict
from seqdl.evaluate.diversity import Collapse, Diversity
from seqdl.evaluate.embedding import KmerSpace, precision_recall
from seqdl.evaluate.markov_ladder import simple_generators
from seqdl.evaluate.motif_content import MotifContent, motif_figures, rate_ratios, telling_motifs
from seqdl.evaluate.nearest import CANDIDATES, unit_of
from seqdl.evaluate.novelty import Known, Novelty
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.evaluate.spectra import KS, composition, kmer_spectrum
from seqdl.evaluate.two_sample import kmer_test
from seqdl.motif.motif import Motif
from seqdl.sequence.shuffle import dinucleotide_shuffle

FEW_MOTIFS = 24
"""A file of so many motifs or fewer is looked at whole; of a database the telling ones are chosen."""

Figures = dict[str, Any]
Probe = Callable[[SequenceSet, SequenceSet], Figures]
"""A further test: from sequences and as many real ones to groups of figures."""


@dataclass(frozen=True)
class Card:
    """The report card.

    Attributes
    ----------
    sample, real : dict
        Groups of figures: kmers, composition, two_sample, motifs, novelty, diversity, embedding, and what probes add. `real` are held-out
        real sequences: the noise floor.
    baselines : dict of str to dict or None
        The same for markov0 .. markov5, positions (None where lengths differ) and dinucleotide_shuffle.
    motifs : list of dict
        A row a motif: name, rates, ratio, position_r.
    verdict : dict
        "collapsed", "copies", "text", "usable", "missing", "findings".
    notes : list of str
        What was drawn, skipped or taken with care.
    curves : dict
        What the pictures need: GC histograms, base frequencies by position, distances.
    settings : dict
        "n", "seed", "unit" and the like.
    """

    sample: Figures
    real: Figures
    baselines: dict[str, Figures | None]
    motifs: list[Figures]
    verdict: Figures
    notes: list[str] = field(default_factory=list)
    curves: Figures = field(default_factory=dict)
    settings: Figures = field(default_factory=dict)

    @property
    def collapsed(self) -> bool:
        """Whether the samples come from a few modes."""
        return bool(self.verdict["collapsed"])

    @property
    def copies(self) -> bool:
        """Whether samples are copies, or near copies, of training sequences, more than held-out real sequences are."""
        return bool(self.verdict["copies"])

    @property
    def clean(self) -> bool:
        """Whether nothing speaks against the samples."""
        return not any(finding["tone"] in ("serious", "caution") for finding in self.verdict["findings"])

    def to_dict(self) -> Figures:
        """Return everything as plain data, ready for JSON: what is undefined is None."""
        names = ("sample", "real", "baselines", "motifs", "verdict", "notes", "curves", "settings")
        return {name: plain(getattr(self, name)) for name in names}

    def table(self) -> pd.DataFrame:
        """Return the figures that matter, a row a set; see `seqdl.evaluate.card_table.card_table` for the columns."""
        return card_table(self.to_dict())

    def __str__(self) -> str:
        """Return the verdict in words."""
        return str(self.verdict["text"])


def plain(value: Any) -> Any:
    """Return figures as plain data; what is no number is None.

    Examples
    --------
    >>> plain({"a": np.float64("nan"), "b": np.arange(2), "c": (True, np.int64(3))})
    {'a': None, 'b': [0, 1], 'c': [True, 3]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class CardMaker:
    """Measures sequences against the real reference.

    Parameters
    ----------
    pools : Pools
    motifs : sequence of Motif
        Known motifs; may be empty.
    probes : sequence of functions
        Further tests, each from sequences and as many real ones to groups of figures.
    seed : int, default 0
        Of folds, shuffles and draws.
    """

    def __init__(self, pools: Pools, motifs: Sequence[Motif] = (), *, probes: Sequence[Probe] = (), seed: int = 0) -> None:
        self.pools, self.probes, self.seed = pools, probes, seed
        self.unit = unit_of(pools.sample, pools.held_out, pools.reference, pools.known)
        self.known = Known(pools.known, self.unit)
        self.beside = pools.reference.drawn(len(pools.held_out), np.random.default_rng(seed))
        self.spectra = {k: kmer_spectrum(pools.reference.codes, k) for k in KS}
        self.space = KmerSpace(self.beside)
        self.places = self.space.embed(self.beside)
        self.motifs, self.content = self._choose(motifs)
        self.real_novelty = Novelty.of(pools.held_out, self.known)
        self.real_diversity = Diversity.of(pools.held_out, unit=self.unit, seed=seed)

    def _choose(self, motifs: Sequence[Motif]) -> tuple[list[Motif], MotifContent | None]:
        """Return the motifs that are looked at, and their content of the reference."""
        if not len(motifs):
            return [], None
        content = MotifContent.of(self.beside, motifs)
        if len(motifs) <= FEW_MOTIFS:
            return list(motifs), content
        shuffled = SequenceSet(dinucleotide_shuffle(self.beside.codes, seed=self.seed), self.beside.lengths)
        chosen = telling_motifs(content, MotifContent.of(shuffled, motifs))
        return [motifs[i] for i in chosen], content.take(chosen)

    def figures(self, some: SequenceSet) -> Measured:
        """Return all groups of figures of a set of sequences."""
        novelty, diversity = Novelty.of(some, self.known), Diversity.of(some, unit=self.unit, seed=self.seed)
        content = None if self.content is None else MotifContent.of(some, self.motifs) if self.motifs else self.content.take([])
        found: Figures = {"n": len(some), **composition(some, self.beside, self.spectra)}
        found["two_sample"] = {"kmer": kmer_test(some, self.beside, seed=self.seed)}
        found["motifs"] = {} if content is None or self.content is None else motif_figures(content, self.content)
        found["novelty"] = novelty.figures(self.real_novelty)
        found["diversity"] = diversity.figures(self.real_diversity)
        found["embedding"] = precision_recall(self.space.embed(some), self.places)
        for probe in self.probes:
            for group, figures in probe(some, self.beside).items():
                found[group] = found.get(group, {}) | figures
        return Measured(found, novelty, diversity, content)

    @cached_property
    def generators(self) -> dict[str, SequenceSet | None]:
        """What the simple generators made."""
        return simple_generators(self.pools.source, len(self.pools.held_out), seed=self.seed)


@dataclass(frozen=True, eq=False)
class Measured:
    """The figures of a set of sequences, and what lies behind them."""

    figures: Figures
    novelty: Novelty
    diversity: Diversity
    content: MotifContent | None


Track = Callable[[Iterable[str], str], Iterable[str]]


def make_card(maker: CardMaker, *, track: Track | None = None, settings: Figures | None = None) -> Card:
    """Measure samples, held-out real sequences and the simple generators, and come to a verdict.

    Parameters
    ----------
    maker : CardMaker
    track : function, optional
        Shows progress: from the names of what is measured, and a label, to the same names.
    settings : dict, optional
        Further settings for the card.

    Returns
    -------
    Card

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = SequenceSet.of(rng.integers(0, 4, (200, 30)).astype(np.uint8))
    >>> sample = SequenceSet.of(rng.integers(0, 4, (100, 30)).astype(np.uint8))
    >>> from seqdl.evaluate.card_pools import make_pools
    >>> card = make_card(CardMaker(make_pools(sample, real)))
    >>> card.collapsed, card.copies, sorted(card.baselines)[0]
    (False, False, 'dinucleotide_shuffle')
    """
    sets: dict[str, SequenceSet | None] = {"sample": maker.pools.sample, "real": maker.pools.held_out, **maker.generators}
    names: Iterable[str] = list(sets)
    measured = {name: maker.figures(some) if (some := sets[name]) is not None else None for name in (track(names, "measuring") if track else names)}
    sample, real = measured.pop("sample"), measured.pop("real")
    assert sample is not None
    assert real is not None
    baselines = {name: None if found is None else found.figures for name, found in measured.items()}
    rows = motif_rows(maker, sample, real)
    collapse = Collapse.between(sample.diversity, real.diversity)
    notes = [*maker.pools.notes, *_skipped(maker)]
    found = verdict(sample.figures, real.figures, baselines, collapse=collapse, motifs=rows)
    near = {"other": (sample.diversity.distance, real.diversity.distance), "known": (sample.novelty.distance, real.novelty.distance)}
    curves = card_curves(maker.pools.sample, maker.pools.held_out, near)
    said = {"n": len(maker.pools.sample), "unit": maker.unit, "seed": maker.seed, "n_known": len(maker.pools.known), **(settings or {})}
    return Card(sample.figures, real.figures, baselines, rows, found, notes, curves, said)


def motif_rows(maker: CardMaker, sample: Measured, real: Measured) -> list[Figures]:
    """Return a row a motif, strongest first."""
    if maker.content is None or sample.content is None or real.content is None:
        return []
    ratio, z = rate_ratios(sample.content, maker.content)
    r, real_r, placed = sample.content.position_r(maker.content), real.content.position_r(maker.content), maker.content.placed()
    return [
        {
            "name": motif.label,
            "rate": sample.content.rate[i],
            "real_rate": maker.content.rate[i],
            "held_out_rate": real.content.rate[i],
            "ratio": ratio[i],
            "z": z[i],
            "placed": bool(placed[i]),
            "position_r": r[i],
            "held_out_position_r": real_r[i],
            "pfm": motif.pfm,
        }
        for i, motif in enumerate(maker.motifs)
    ]


def _skipped(maker: CardMaker) -> list[str]:
    """Say which figures are left out, and why."""
    said = []
    if maker.unit != "mismatches":
        said.append(
            f"lengths differ: nearest sequences are by edits per base, among the {CANDIDATES} that share most 4-mers; base by position and where "
            "motifs stand are left out"
        )
    if maker.content is None:
        said.append("no motifs were given: motif content is left out. Name them with --database")
    elif not maker.motifs:
        said.append("no motif of the database is more frequent in the real sequences than in their shuffles: motif content is left out")
    return said
