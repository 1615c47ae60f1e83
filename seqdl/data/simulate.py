"""Genomes whose answer is known: peaks with motifs planted in them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.markov import shift_gc
from seqdl.data.planting import Pairing, Planter
from seqdl.data.simulated_background import Background
from seqdl.data.simulated_tables import Counts, count_table, peak_table, plant_outside, truth_table
from seqdl.errors import InputError, OutputExistsError
from seqdl.io.bed import write_bed
from seqdl.io.fasta import write_fasta
from seqdl.io.meme import write_meme
from seqdl.io.table import write_tsv
from seqdl.motif.motif import Motif
from seqdl.types import Codes

FILES = {
    "genome": "genome.fa",
    "peaks": "peaks.bed",
    "truth": "truth.tsv",
    "motifs": "motifs.meme",
    "decoys": "decoys.meme",
    "counts": "counts.tsv",
}


@dataclass(frozen=True)
class Layout:
    """The size and the composition of a simulated genome.

    Parameters
    ----------
    n_chromosomes : int, default 10
        Chromosomes of equal length, so that one held out is a tenth.
    genome_length : int, optional
        bp; by default seven times what the peaks take: room for well matched background.
    peak_width : int, default 200
        bp.
    gc : float, in (0, 1), default 0.42
        GC content of a genome whose background is a drawn chain; other backgrounds have their own.
    sites_per_peak : tuple of float
        Probability of 0, 1, 2, ... sites in a peak; (0, 1) plants exactly one of the motifs in each.
    decoy_distance : int, default 400
        Mean distance of decoys, bp.
    background : Background, optional
        What the genome is made of; by default a drawn Markov chain of order 2.
    counts : Counts, optional
        How a count follows from the sites of a peak; without it peaks are peaks and no more.
    """

    n_chromosomes: int = 10
    genome_length: int | None = None
    peak_width: int = 200
    gc: float = 0.42
    sites_per_peak: tuple[float, ...] = (0.02, 0.28, 0.4, 0.3)
    decoy_distance: int = 400
    background: Background = field(default_factory=Background)
    counts: Counts | None = None


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated genome and what is hidden in it.

    Attributes
    ----------
    genome : dict of str to (L,) uint8
        Codes by chromosome; `Genome.from_codes` makes a genome of it.
    peaks : DataFrame
        chrom start end name score strand, sorted, not overlapping.
    truth : DataFrame
        chrom start end strand motif peak kind, one row a planted site. `motif` is the motif's label; `peak` is the name
        of the peak it lies in, empty outside; `kind` is ``"site"`` (makes a peak a peak), ``"pair"`` (the same, one of
        two in their arrangement), ``"lone"`` (one of a pair without the other, outside peaks), ``"rearranged"`` (one of two in another
        arrangement, outside peaks) or ``"decoy"`` (everywhere alike).
    motifs : list of Motif
        What was planted in peaks, and is to be found.
    decoys : list of Motif
        What was planted everywhere, and is not.
    counts : DataFrame or None
        id sequence expected count split, one row a peak, where counts were asked for; the count is the score of the peak, too.
    """

    genome: dict[str, Codes]
    peaks: pd.DataFrame
    truth: pd.DataFrame
    motifs: list[Motif]
    decoys: list[Motif] = field(default_factory=list)
    counts: pd.DataFrame | None = None


def simulate(
    *,
    motifs: Sequence[Motif],
    n_peaks: int = 2000,
    decoys: Sequence[Motif] = (),
    pair_spacing: int | Pairing | None = None,
    gc_bias: float = 0.0,
    seed: int = 0,
    layout: Layout | None = None,
) -> Simulation:
    """Make a genome with peaks that hold sites of known motifs.

    The bases come from a Markov chain of order 2; sites are drawn from the motifs' probabilities, weak ones included,
    on either strand, without overlap. With the six motifs of ``seqdl simulate``, 2 GC-matched background intervals a peak and
    a tenth of the genome for testing (one seed), the best single motif tells peaks from background with an AUROC of .69,
    the best of the six in each sequence with .96, and a network of one convolution after 700 steps of 64 with .90.

    Parameters
    ----------
    motifs : sequence of Motif
        Planted in peaks: each peak has 0 to 3 sites of random motifs (see `Layout.sites_per_peak`).
    n_peaks : int, default 2000
        Number of peaks.
    decoys : sequence of Motif, optional
        Planted at random in the whole genome, peaks included: real signals that tell nothing.
    pair_spacing : int or Pairing, optional
        The first two motifs stand in peaks only together, the second so many bp after the end of the first on the same
        strand, or as a `Pairing` says; outside peaks each stands alone as often, so that only their company tells.
    gc_bias : float, in (-1, 1), default 0
        GC content of peaks minus that of the genome: a shortcut, planted.
    seed : int, default 0
        Seed of everything.
    layout : Layout, optional
        Size and composition of the genome.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError
        If there is no motif, if peaks, motifs or pairs do not fit, or a number is out of its range.

    Examples
    --------
    >>> motif = Motif("m1", np.array([[8, 0, 0, 0], [0, 8, 0, 0], [0, 0, 8, 0], [0, 0, 0, 8]]), alt_name="TOY")
    >>> simulation = simulate(motifs=[motif], n_peaks=20)
    >>> len(simulation.peaks), sum(map(len, simulation.genome.values()))
    (20, 28000)
    >>> simulation.truth["motif"].unique().tolist()
    ['m1 TOY']
    """
    plan = layout or Layout()
    length = _check(motifs, n_peaks, plan, decoys=decoys, pair_spacing=pair_spacing, gc_bias=gc_bias)
    rng = np.random.default_rng(seed & 0xFFFFFFFF)
    bases = plan.background.draw(length * plan.n_chromosomes, gc=plan.gc, rng=rng)
    starts = _peak_starts(n_peaks, length, plan, rng=rng)
    peaks = peak_table(starts, length, plan.peak_width)
    planter = Planter(bases, rng)
    if gc_bias:
        for start in starts:
            shift_gc(bases[start : start + plan.peak_width], gc_bias, gc=plan.background.gc(plan.gc), rng=rng)
    singles, pair, pairing = list(motifs), None, _pairing(pair_spacing)
    if pairing is not None:
        pair, singles = (motifs[0], motifs[1]), list(motifs[2:])
    for start, name in zip(starts.tolist(), peaks["name"], strict=True):
        for choice in rng.integers(len(singles) + (pair is not None), size=rng.choice(len(plan.sites_per_peak), p=plan.sites_per_peak)):
            if choice == len(singles) and pair is not None and pairing is not None:
                planter.plant_pair(pair, start, start + plan.peak_width, arrangement=pairing.arrangement(rng), peak=name)
            else:
                planter.plant(singles[choice], start, start + plan.peak_width, peak=name)
    plant_outside(planter, starts, plan, pair=pair, pairing=pairing, decoys=decoys)
    genome = {f"chr{i + 1}": bases[i * length : (i + 1) * length] for i in range(plan.n_chromosomes)}
    counts = None if plan.counts is None else count_table(plan.counts, peaks, planter.sites, genome=genome, rng=rng)
    if counts is not None:
        peaks["score"] = counts["count"]
    return Simulation(genome, peaks, truth_table(planter.sites, length), list(motifs), list(decoys), counts)


def _pairing(given: int | Pairing | None) -> Pairing | None:
    return Pairing((given, given)) if isinstance(given, int) else given


def write_simulation(folder: str | Path, simulation: Simulation, *, force: bool = False) -> dict[str, Path]:
    """Write a simulation: genome.fa, peaks.bed, truth.tsv, motifs.meme, and decoys.meme and counts.tsv where there are any.

    Parameters
    ----------
    folder : str or Path
        Made where it does not exist.
    simulation : Simulation
        What to write.
    force : bool, default False
        Whether files that are there may be overwritten.

    Returns
    -------
    dict of str to Path
        What was written, by its kind (genome, peaks, truth, motifs, decoys, counts).

    Raises
    ------
    OutputExistsError
        If one of the files is there and `force` was not given; nothing is written then.
    """
    to = Path(folder)
    lacking = {kind for kind, there in (("decoys", bool(simulation.decoys)), ("counts", simulation.counts is not None)) if not there}
    paths = {kind: to / name for kind, name in FILES.items() if kind not in lacking}
    check_writable(to, list(paths.values()), force=force)
    with whole_folder(to) as work:
        write_fasta(work / FILES["genome"], list(simulation.genome), list(simulation.genome.values()), force=force)
        write_bed(work / FILES["peaks"], simulation.peaks, force=force)
        write_tsv(work / FILES["truth"], simulation.truth, force=force)
        if simulation.counts is not None:
            write_tsv(work / FILES["counts"], simulation.counts, force=force)
        for kind, motifs in (("motifs", simulation.motifs), ("decoys", simulation.decoys)):
            if kind in paths:
                write_meme(work / FILES[kind], motifs, force=force)
    return paths


@contextmanager
def whole_folder(to: Path) -> Iterator[Path]:
    """Give a folder to write into, which takes the place of `to` when it is whole, or `to` itself where that is there already."""
    fresh = not to.exists()
    work = to.parent / f".{to.name}-{uuid.uuid4().hex[:8]}" if fresh else to
    try:
        work.mkdir(parents=True, exist_ok=True)
        yield work
        if fresh:
            work.rename(to)
    except BaseException:
        if fresh:
            shutil.rmtree(work, ignore_errors=True)
        raise


def check_writable(folder: Path, files: Sequence[Path], *, force: bool) -> None:
    """Raise if the folder is a file or holds one of the files already."""
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"{folder} is a file; expected a folder to write into. Choose another name with -o.")
    there = [path.name for path in files if path.exists()]
    if there and not force:
        raise OutputExistsError(f"{folder} already holds {', '.join(there)}; nothing is overwritten unasked. Choose another folder or give --force.")


def _check(
    motifs: Sequence[Motif], n_peaks: int, plan: Layout, *, decoys: Sequence[Motif], pair_spacing: int | Pairing | None, gc_bias: float
) -> int:
    """Check what was asked for; return the length of a chromosome."""
    if not motifs:
        raise InputError("there are no motifs to plant; expected at least one. Read some with seqdl.read_motifs or load_database('jaspar').")
    widest = max((*motifs, *decoys), key=lambda motif: motif.width)
    if widest.width > plan.peak_width:
        raise InputError(f"motif '{widest.label}' is {widest.width} bp wide; expected no more than a peak, {plan.peak_width} bp. Use wider peaks.")
    pairing = _pairing(pair_spacing)
    if pairing is not None:
        if len(motifs) < 2:
            raise InputError("a pair was asked for but there is one motif; expected two or more. Give a second motif.")
        widest_pair = motifs[0].width + pairing.spacing[1] + motifs[1].width
        if widest_pair > plan.peak_width:
            raise InputError(
                f"a pair spaced {pairing.spacing[1]} bp apart takes {widest_pair} bp; expected a spacing that fits a peak of {plan.peak_width} bp. "
                "Make peaks wider."
            )
    if n_peaks < 1 or plan.n_chromosomes < 1:
        raise InputError(f"{n_peaks} peaks on {plan.n_chromosomes} chromosomes were asked for; expected 1 or more of each.")
    gc = plan.background.gc(plan.gc)
    if not 0 < gc + gc_bias < 1 or not 0 < gc < 1:
        raise InputError(f"a GC content of {gc:g} with a bias of {gc_bias:g} in peaks leaves 0 to 1; expected both inside. Try a bias of 0.1.")
    if abs(sum(plan.sites_per_peak) - 1) > 1e-9 or min(plan.sites_per_peak) < 0:
        raise InputError(f"the probabilities of 0, 1, 2, ... sites a peak are {plan.sites_per_peak}; expected numbers of 0 or more that sum to 1.")
    length = (plan.genome_length or 7 * n_peaks * plan.peak_width) // plan.n_chromosomes
    room = plan.n_chromosomes * (length // (2 * plan.peak_width))
    if n_peaks > room:
        raise InputError(
            f"{n_peaks:,} peaks of {plan.peak_width} bp do not fit {plan.n_chromosomes} chromosomes of {length:,} bp; "
            f"expected {room:,} at most. Make the genome longer."
        )
    return length


def _peak_starts(n_peaks: int, length: int, plan: Layout, *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Place peaks at random, at least their width apart, as many on each chromosome; ascending."""
    step = 2 * plan.peak_width
    starts = []
    for i in range(plan.n_chromosomes):
        n = n_peaks // plan.n_chromosomes + (i < n_peaks % plan.n_chromosomes)
        gaps = np.sort(rng.integers(0, length - n * step + 1, size=n))  # what is left over, dealt at random
        starts.append(i * length + gaps + np.arange(n) * step + plan.peak_width // 2)
    return np.concatenate(starts)
