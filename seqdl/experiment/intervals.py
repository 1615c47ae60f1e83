"""Examples from a genome and a BED of peaks."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.background import sample_background
from seqdl.data.chromosomes import rename_chromosomes
from seqdl.data.dataset import SequenceData
from seqdl.data.examples import interval_examples
from seqdl.data.genome import Genome
from seqdl.data.intervals import check_intervals, clip_to_genome, overlaps, resize
from seqdl.data.split import fold_chromosomes, random_folds, split_at_random, split_by_chromosome, splits_of_fold
from seqdl.errors import DataError, InputError
from seqdl.experiment.sequences import with_shuffles
from seqdl.io.bed import read_bed
from seqdl.ledger import Ledger

if TYPE_CHECKING:
    from seqdl.data.background import Match
    from seqdl.experiment.data_config import DataConfig

Splits: TypeAlias = NDArray[np.str_]
GENOMIC = ("gc", "genomic", "flank")
READ_WIDTH = 400
"""What a network reads around a peak where no context is named (bp): on validation chromosomes of Reb1, folds 0 and 2, AUROC .900 and .888 with
200 bp, .919 and .903 with 300, .937 and .917 with 400 (six members, one seed), the same peaks and negatives."""
RANDOM = "warning: intervals were split at random: neighbours and overlapping windows may stand on both sides; split by chromosome to be sure"


def read_intervals(path: str, genome: Genome, data: DataConfig, *, ledger: Ledger) -> pd.DataFrame:
    """Read a BED, reconcile its chromosome names where asked to, and check it against the genome."""
    found = read_bed(path, ledger=ledger)
    if data.rename_chromosomes:
        found = rename_chromosomes(found, list(genome.lengths), aliases=data.chromosome_aliases)
    check_intervals(found, genome.lengths, source=path)
    return found


def peak_windows(path: str, genome: Genome, data: DataConfig, *, ledger: Ledger) -> pd.DataFrame:
    """Read a BED and cut windows around its centres; repeats and what leaves the genome go to the ledger."""
    found = read_intervals(path, genome, data, ledger=ledger)
    center = cast("Literal['midpoint', 'summit']", data.center or ("summit" if "summit" in found else "midpoint"))
    windows = clip_to_genome(resize(found, data.window, center=center), genome.lengths, ledger)
    repeated = windows.duplicated(["chrom", "start", "end", "strand"])
    ledger.drop_intervals(windows[repeated], "same window as an earlier one", source=Path(path).name)
    return windows[~repeated].reset_index(drop=True)


def context_of(data: DataConfig) -> int:
    """Return the bases that are read on either side of a peak's window: as named, or what makes 400 bp; shuffled negatives have none around them.

    Raises
    ------
    InputError
        If context was asked for beside shuffled negatives.
    """
    if data.negatives == "dinuc" or not data.peaks:
        if data.context:
            raise InputError(
                f"--context {data.context} was given with {'shuffled negatives' if data.peaks else 'no peaks'}, which have nothing around them: "
                "peaks and background of one genome were expected. Say --context 0, or widen --window."
            )
        return 0
    return context_within(READ_WIDTH, data.window) if data.context is None else data.context


def window_within(length: int, context: int) -> int:
    """Return the width of the window of which so much is read with so much on either side (bp).

    Raises
    ------
    InputError
        If nothing is left of it.

    Examples
    --------
    >>> window_within(400, 100)
    200
    """
    if length <= 2 * context:
        raise InputError(
            f"--context {context}: the network was trained on {length:,} bp, of which {context} on either side leave no window; "
            f"up to {(length - 1) // 2} were expected. Leave --context out."
        )
    return length - 2 * context


def context_within(length: int, window: int) -> int:
    """Return the bases on either side of a window that make so much of it (bp).

    Examples
    --------
    >>> context_within(400, 200), context_within(400, 500)
    (100, 0)
    """
    return max(0, (length - window) // 2)


def from_peaks(data: DataConfig, seed: int, *, whole: bool) -> SequenceData:
    """Make two classes of a genome and a BED of peaks: windows around the peaks, and background that is sampled, shuffled or given.

    The bases around the windows are part of them in all that follows: background is matched on what a network reads.
    """
    context = context_of(data)
    data = dataclasses.replace(data, window=data.window + 2 * context)
    ledger = Ledger()
    genome = Genome(str(data.genome))
    peaks = peak_windows(str(data.peaks), genome, data, ledger=ledger)
    inputs = [Path(str(data.genome)), Path(str(data.peaks))]
    exclude = None
    if data.exclude:
        exclude = read_intervals(data.exclude, genome, data, ledger=ledger)
        inputs.append(Path(data.exclude))
        touched = overlaps(peaks, exclude)
        ledger.drop_intervals(peaks[touched], "overlaps an excluded region", source=Path(data.exclude).name)
        peaks = peaks[~touched].reset_index(drop=True)
    if not len(peaks):
        raise DataError(f"{data.peaks}: no peak is left of {len(ledger.rows)}: {ledger.counts()}. Check --window, --context and --exclude.")
    kind = data.negatives or "gc"
    if kind in (*GENOMIC, "dinuc"):
        split = chromosome_splits(peaks["chrom"], genome, data, seed=seed, whole=whole, ledger=ledger)
    if kind in GENOMIC:
        negatives, more = _negative_windows(peaks, split, genome, data=data, seed=seed, exclude=exclude, ledger=ledger)
        made = SequenceData.from_intervals(genome, peaks, negatives, split=np.r_[split, more], context=context)
    elif kind == "dinuc":
        positives = SequenceData(genome.fetch(peaks), interval_examples(peaks, np.ones(len(peaks)), split), ["target"], genome=genome)
        made = with_shuffles(positives, data, seed=seed)
    else:
        negatives = _given_negatives(kind, genome, data, ledger=ledger)
        inputs.append(Path(kind))
        chroms = pd.concat([peaks["chrom"], negatives["chrom"]], ignore_index=True)
        split = chromosome_splits(chroms, genome, data, seed=seed, whole=whole, ledger=ledger)
        made = SequenceData.from_intervals(genome, peaks, negatives, split=split, context=context)
    made.ledger, made.inputs = ledger, inputs
    return made


def _negative_windows(
    peaks: pd.DataFrame, split: Splits, genome: Genome, *, data: DataConfig, seed: int, exclude: pd.DataFrame | None, ledger: Ledger
) -> tuple[pd.DataFrame, Splits]:
    """Return sampled background and its splits: more of it a peak in training than where the network is measured."""
    kind = cast("Match", data.negatives or "gc")
    parts, splits = [], []
    for name, ratio in (("train", data.train_ratio), ("val", data.ratio), ("test", data.ratio)):
        own = peaks[split == name]
        if len(own):
            parts.append(sample_background(own, genome, kind, ratio=ratio, seed=seed, exclude=exclude, ledger=ledger))
            splits += [name] * len(parts[-1])
    return pd.concat(parts, ignore_index=True), np.array(splits)


def _given_negatives(path: str, genome: Genome, data: DataConfig, *, ledger: Ledger) -> pd.DataFrame:
    if not Path(path).exists():
        raise InputError(f"--negatives {path}: neither a file nor one of {', '.join(GENOMIC)}, dinuc. Check the path.")
    return peak_windows(path, genome, data, ledger=ledger)


def chromosome_splits(chroms: pd.Series[str], genome: Genome, data: DataConfig, *, seed: int, whole: bool, ledger: Ledger) -> Splits:
    """Return the split of each interval: by its chromosome, or at random where that was asked for."""
    if whole:
        return np.full(len(chroms), "test")
    if data.split == "random":
        ledger.note(RANDOM)
        if data.fold is None:
            return split_at_random(len(chroms), seed=seed)
        k = _number_of_folds(data)
        return splits_of_fold(random_folds(len(chroms), k, seed=seed), data.fold, k=k)
    val, test = _held_out(data, genome)
    return split_by_chromosome(chroms, genome.lengths, val=val, test=test)


def _held_out(data: DataConfig, genome: Genome) -> tuple[list[str] | None, list[str] | None]:
    """Return the chromosomes for validation and test that were named or follow from a fold."""
    if data.fold is None:
        return data.val_chromosomes, data.test_chromosomes
    return fold_chromosomes(genome.lengths, k=_number_of_folds(data), fold=data.fold)


def _number_of_folds(data: DataConfig) -> int:
    if data.n_folds is None:
        raise InputError(f"data.fold is {data.fold}, but data.n_folds is not set: both or none were expected. Set data.n_folds.")
    return data.n_folds
