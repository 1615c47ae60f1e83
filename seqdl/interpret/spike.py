"""In-silico experiments: a motif is put into sequences that do not have it, alone, place by place, or beside another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.evaluate.resampling import draw_counts
from seqdl.interpret.inputs import scores_of
from seqdl.interpret.readout import Readout
from seqdl.motif.motif import Motif
from seqdl.progress import track
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Ambiguous, Codes

Array = NDArray[np.float64]
Orientation = tuple[str, str]
ORIENTATIONS: tuple[Orientation, ...] = (("+", "+"), ("+", "-"), ("-", "+"), ("-", "-"))
"""Strands of the first and of the second motif, the first on the left: all arrangements of a pair where both strands are read alike."""


@dataclass(frozen=True)
class Trial:
    """How an experiment is done.

    Parameters
    ----------
    draw : {"consensus", "sample"}, default "consensus"
        Whether the most probable bases of a motif are put in, or a site drawn from its probabilities for each background.
    output : int or str, default 0
        Which output of the network, by number or name.
    n_resamples : int, default 1000
        Bootstrap resamples of the backgrounds, for the 95 % intervals.
    seed : int, default 0
        Of the draws and the resamples.
    ambiguous : {"zero", "uniform"}, default "zero"
        How the network reads an ambiguous base.
    batch_size : int, default 256
        Sequences at a time.
    """

    draw: Literal["consensus", "sample"] = "consensus"
    output: int | str = 0
    n_resamples: int = 1000
    seed: int = 0
    ambiguous: Ambiguous = "zero"
    batch_size: int = 256


@dataclass(frozen=True)
class Marginal:
    """What a motif does in the mean over backgrounds.

    Attributes
    ----------
    before, after : array, (N,)
        The output of each background, without and with the motif.
    value, low, high : float
        Mean of the differences, with its 95 % bootstrap interval over backgrounds.
    """

    before: Array
    after: Array
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.3f} ({self.low:+.3f} to {self.high:+.3f}) over {len(self.before):,} backgrounds"


def marginalise(
    module: nn.Module, motif: Motif, backgrounds: Codes, *, start: int | None = None, strand: str = "+", trial: Trial | None = None
) -> Marginal:
    """Put a motif into backgrounds and measure what that does to the output.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L); its ``logits`` are read where it has some.
    motif : Motif
        What is put in.
    backgrounds : codes (N, L), uint8
        Sequences without the motif, such as dinucleotide shuffles of real ones.
    start : int, optional
        First base of the motif; by default it stands in the middle.
    strand : {"+", "-"}, default "+"
        ``-`` puts in its reverse complement.
    trial : Trial, optional
        How the experiment is done.

    Returns
    -------
    Marginal

    Raises
    ------
    InputError
        If the motif does not fit at `start`.
    ShapeError
        If the backgrounds are not codes (N, L).

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Conv1d(4, 1, 3, bias=False), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    >>> _ = net[0].weight.data.copy_(torch.eye(4)[[2, 0, 3]].T[None])                   # counts matches to GAT
    >>> gat = Motif("gat", np.eye(4)[[2, 0, 3]].T)
    >>> found = marginalise(net, gat, np.full((5, 20), 1, dtype=np.uint8))               # into CCCC ...
    >>> found.value, found.low, found.high
    (3.0, 3.0, 3.0)
    """
    how = trial or Trial()
    codes, readout = _checked(backgrounds), Readout(module, how.output)
    first = (codes.shape[1] - motif.width) // 2 if start is None else start
    before = _scores(readout, codes, how)
    after = _scores(readout, _insert(codes, _sites(motif, len(codes), how, strand=strand), first), how)
    value, low, high = intervals_of((after - before)[:, None], how)
    return Marginal(before, after, float(value[0]), float(low[0]), float(high[0]))


def position_curve(module: nn.Module, motif: Motif, backgrounds: Codes, *, step: int = 5, trial: Trial | None = None) -> pd.DataFrame:
    """Measure what a motif does at each place of the sequence, on each strand.

    Parameters
    ----------
    module, motif, backgrounds, trial
        As for `marginalise`.
    step : int, default 5
        Bases from place to place.

    Returns
    -------
    DataFrame
        strand, start, position (its middle, in bp from the middle of the sequence), effect, effect_low, effect_high.
    """
    how = trial or Trial()
    codes, readout = _checked(backgrounds), Readout(module, how.output)
    if step < 1:
        raise InputError(f"step is {step}; expected the bases from place to place, at least 1. Try 5.")
    before = _scores(readout, codes, how)
    places = [(strand, start) for strand in "+-" for start in range(0, codes.shape[1] - motif.width + 1, step)]
    if not places:
        raise InputError(f"motif '{motif.label}' is {motif.width} bp wide; expected no more than the backgrounds, {codes.shape[1]} bp.")
    sites = {strand: _sites(motif, len(codes), how, strand=strand) for strand in "+-"}
    effects = np.stack([_scores(readout, _insert(codes, sites[strand], start), how) - before for strand, start in track(places, "places")])
    table = pd.DataFrame(places, columns=["strand", "start"])
    table["position"] = table["start"] + motif.width / 2 - codes.shape[1] / 2
    table["effect"], table["effect_low"], table["effect_high"] = intervals_of(effects.T, how)
    return table


def spacing_curve(
    module: nn.Module, motif: Motif, other: Motif, *, backgrounds: Codes, spacings: Sequence[int] = range(61), trial: Trial | None = None
) -> pd.DataFrame:
    """Measure what a pair of motifs does over its distance and orientation, beyond what each does alone.

    The first motif stays where it is, left of the second, which moves away. For the second on the left, exchange the two.

    Parameters
    ----------
    module, trial
        As for `marginalise`.
    motif, other : Motif
        The pair; the same motif twice will do.
    backgrounds : codes (N, L), uint8
        Sequences without the motifs.
    spacings : sequence of int, default 0 to 60
        Bases between the end of the first and the begin of the second.

    Returns
    -------
    DataFrame
        A row for each of the four orientations ("+ -": the first on the given strand, the second on the other) and each spacing: effect of the
        pair, and interaction, which is the effect of the pair less those of its members at the same places; each with ``_low`` and ``_high``,
        its 95 % bootstrap interval over backgrounds.

    Raises
    ------
    InputError
        If the widest arrangement does not fit, or there is no spacing.
    """
    how = trial or Trial()
    codes, readout = _checked(backgrounds), Readout(module, how.output)
    if not len(spacings) or min(spacings) < 0:
        raise InputError(f"the spacings are {list(spacings)[:5]}; expected at least one, none below 0. Try range(61).")
    needed = motif.width + max(spacings) + other.width
    if needed > codes.shape[1]:
        raise InputError(
            f"'{motif.label}' and '{other.label}' {max(spacings)} bp apart take {needed} bp; expected no more than the backgrounds, "
            f"{codes.shape[1]} bp. Ask for smaller spacings."
        )
    first = (codes.shape[1] - needed) // 2
    before = _scores(readout, codes, how)
    held = {strand: _insert(codes, _sites(motif, len(codes), how, strand=strand), first) for strand in "+-"}
    alone = {strand: _scores(readout, with_one, how) - before for strand, with_one in held.items()}
    moved = {strand: _sites(other, len(codes), how, strand=strand) for strand in "+-"}
    rows, pair, interaction = [], [], []
    for spacing in track(spacings, "spacings"):
        at = first + motif.width + spacing
        second = {strand: _scores(readout, _insert(codes, moved[strand], at), how) - before for strand in "+-"}
        for one, two in ORIENTATIONS:
            both = _scores(readout, _insert(held[one], moved[two], at), how) - before
            rows.append((f"{one} {two}", spacing))
            pair.append(both)
            interaction.append(both - alone[one] - second[two])
    table = pd.DataFrame(rows, columns=["orientation", "spacing"])
    for name, values in (("effect", pair), ("interaction", interaction)):
        table[name], table[f"{name}_low"], table[f"{name}_high"] = intervals_of(np.stack(values).T, how)
    order = table["orientation"].map({f"{one} {two}": k for k, (one, two) in enumerate(ORIENTATIONS)})
    return table.assign(order=order).sort_values(["order", "spacing"], ignore_index=True).drop(columns="order")


def intervals_of(values: Array, how: Trial) -> tuple[Array, Array, Array]:
    """Return mean, low and high (K,) of values (N, K), by resampling the rows: a 95 % percentile interval."""
    counts = draw_counts(how.n_resamples, len(values), np.random.default_rng(how.seed))
    means = counts @ values / len(values)  # (R, K)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return values.mean(0), low, high


def _checked(backgrounds: Codes) -> Codes:
    codes = np.asarray(backgrounds)
    if codes.ndim != 2 or codes.dtype != np.uint8 or not len(codes):
        raise ShapeError(
            f"the backgrounds are {codes.dtype} of the shape {codes.shape}; expected codes, uint8 (N, L) with at least one sequence. "
            "Make them with seqdl.encode."
        )
    return codes


def _sites(motif: Motif, n: int, how: Trial, *, strand: str) -> Codes:
    """Return a site of the motif for each of n backgrounds, (n, W)."""
    if how.draw not in ("consensus", "sample"):
        raise UnknownNameError("way of drawing a site", how.draw, ["consensus", "sample"])
    if strand not in ("+", "-"):
        raise InputError(f"the strand is '{strand}'; + or - was expected.")
    if how.draw == "consensus":
        sites = np.repeat(motif.ppm.argmax(0).astype(np.uint8)[None], n, axis=0)
    else:
        edges = np.cumsum(motif.ppm, axis=0)[:3]  # (3, W)
        sites = (np.random.default_rng(how.seed).random((n, 1, motif.width)) > edges).sum(1).astype(np.uint8)
    return reverse_complement(sites) if strand == "-" else sites


def _insert(codes: Codes, sites: Codes, start: int) -> Codes:
    """Return sequences (N, L) with a site (N, W) written over what was there."""
    if start < 0 or start + sites.shape[1] > codes.shape[1]:
        raise InputError(
            f"a motif of {sites.shape[1]} bp at base {start} leaves a sequence of {codes.shape[1]} bp; expected it inside. "
            "Choose another place, or longer backgrounds."
        )
    changed = codes.copy()
    changed[:, start : start + sites.shape[1]] = sites
    return changed


def _scores(readout: Readout, codes: Codes, how: Trial) -> Array:
    return scores_of(readout, codes, ambiguous=how.ambiguous, batch_size=how.batch_size)
