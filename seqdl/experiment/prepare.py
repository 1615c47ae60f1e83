"""From a config to examples with targets and splits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.audit.leakage import find_repeats
from seqdl.data.background import sample_background
from seqdl.data.chromosomes import rename_chromosomes
from seqdl.data.dataset import SequenceData, interval_examples
from seqdl.data.genome import Genome
from seqdl.data.intervals import check_intervals, clip_to_genome, overlaps, resize
from seqdl.data.split import fold_chromosomes, split_by_chromosome
from seqdl.errors import DataError, InputError
from seqdl.experiment.tables import from_class_files, from_table, note_lengths, split_sequences
from seqdl.io.bed import read_bed
from seqdl.io.fasta import FastaRecord, read_fasta, unique_names
from seqdl.ledger import Ledger
from seqdl.sequence.shuffle import dinucleotide_shuffle
from seqdl.types import SPLITS

if TYPE_CHECKING:
    from seqdl.data.background import Match
    from seqdl.experiment.config import Config, DataConfig

Splits: TypeAlias = NDArray[np.str_]
GENOMIC = ("gc", "genomic", "flank")
LEAST_EXAMPLES = 2


def prepare(config: Config, *, whole: bool = False) -> SequenceData:
    """Read the inputs of a config and make examples of them.

    Parameters
    ----------
    config : Config
    whole : bool, default False
        Take everything as one test split, for a network that was trained elsewhere.

    Returns
    -------
    SequenceData
        With its ledger and the list of input files.

    Raises
    ------
    SeqdlError
        If the inputs are wrong or do not suffice; nothing has been written then.
    """
    data = config.data
    _check_combination(data)
    if data.peaks and data.genome:
        examples = _from_peaks(data, config.seed, whole=whole)
    elif data.table:
        examples = from_table(data, config.seed, whole=whole)
    elif data.fasta and all("=" in word and not Path(word).exists() for word in data.fasta):
        examples = from_class_files(data, config.seed, whole=whole)
    elif data.fasta:
        examples = _from_fasta(data, config.seed, whole=whole)
    elif data.peaks or data.genome:
        given, lacking = ("--peaks", "--genome") if data.peaks else ("--genome", "--peaks")
        raise InputError(f"{given} was given without {lacking}: a genome and a BED of peaks belong together. Add {lacking} FILE.")
    else:
        raise InputError("no data were given: expected --genome G.fa --peaks P.bed, or two FASTA files POS.fa NEG.fa. See seqdl train --help.")
    examples = _apply_policies(examples, data)
    examples.check_classes(LEAST_EXAMPLES, splits=("test",) if whole else SPLITS)
    if config.training.jitter:
        examples.flanks(config.training.jitter)  # refuses what has none, before anything is trained
    if (config.strands or _default_strands(examples)) == "augment":
        examples.reverse_complement = True
    return examples


def _check_combination(data: DataConfig) -> None:
    """Raise `InputError` for options that contradict each other, rather than leave one of them unread."""
    if bool(data.fasta) + bool(data.peaks or data.genome) + bool(data.table) > 1:
        raise InputError(
            "several of --table, --fasta and --genome with --peaks were given: one source of examples was expected. Leave one of them out."
        )
    if (data.val_fasta or data.test_fasta) and not data.fasta:
        raise InputError("--val-fasta or --test-fasta was given without training sequences: --fasta POS.fa NEG.fa was expected beside it.")
    if data.chromosome_aliases and not data.rename_chromosomes:
        raise InputError("--chromosome-aliases was given without --rename-chromosomes, so it would not be read. Add --rename-chromosomes.")
    if data.peaks and data.split not in (None, "chromosome"):
        raise InputError(f"--split {data.split} was given for intervals: neighbours would leak. Use chromosome, the default.")


def _default_strands(examples: SequenceData) -> str:
    """Return "single" for stranded intervals, else "shared"."""
    if examples.kind != "binary" or not (examples.examples["chrom"] != "").any():
        return "single" if examples.kind != "binary" else "shared"
    positives = examples.examples[examples.examples[examples.outputs[0]] > 0]
    return "single" if len(positives) and positives["strand"].isin(["+", "-"]).all() else "shared"


def resolve_data(data: DataConfig) -> DataConfig:
    """Return the data section with what was left open as it is taken: kind of negatives, way of splitting."""
    split = "column" if data.split_column else "chromosome" if data.peaks else "homology"
    return dataclasses.replace(data, negatives=data.negatives or ("gc" if data.peaks else None), split=data.split or split)


def resolve_strands(config: Config, examples: SequenceData) -> str:
    """Return how strands are read: what the config says, else single for stranded BED, else shared."""
    return config.strands or _default_strands(examples)


# intervals ------------------------------------------------------------------------------------------


def read_intervals(path: str, genome: Genome, data: DataConfig, *, ledger: Ledger) -> pd.DataFrame:
    """Read a BED, reconcile its chromosome names where asked to, and check it against the genome."""
    found = read_bed(path, ledger=ledger)
    if data.rename_chromosomes:
        found = rename_chromosomes(found, list(genome.lengths), aliases=data.chromosome_aliases)
    check_intervals(found, genome.lengths, source=path)
    return found


def _windows(path: str, genome: Genome, data: DataConfig, *, ledger: Ledger) -> pd.DataFrame:
    """Read a BED and cut windows around its centres; repeats and what leaves the genome go to the ledger."""
    found = read_intervals(path, genome, data, ledger=ledger)
    center = cast("Literal['midpoint', 'summit']", data.center or ("summit" if "summit" in found else "midpoint"))
    windows = clip_to_genome(resize(found, data.window, center=center), genome.lengths, ledger)
    repeated = windows.duplicated(["chrom", "start", "end", "strand"])
    ledger.drop_intervals(windows[repeated], "same window as an earlier one", source=Path(path).name)
    return windows[~repeated].reset_index(drop=True)


def _from_peaks(data: DataConfig, seed: int, *, whole: bool) -> SequenceData:
    ledger = Ledger()
    genome = Genome(str(data.genome))
    peaks = _windows(str(data.peaks), genome, data, ledger=ledger)
    inputs = [Path(str(data.genome)), Path(str(data.peaks))]
    exclude = None
    if data.exclude:
        exclude = read_intervals(data.exclude, genome, data, ledger=ledger)
        inputs.append(Path(data.exclude))
        touched = overlaps(peaks, exclude)
        ledger.drop_intervals(peaks[touched], "overlaps an excluded region", source=Path(data.exclude).name)
        peaks = peaks[~touched].reset_index(drop=True)
    if not len(peaks):
        raise DataError(f"{data.peaks}: no peak is left of {len(ledger.rows)}: {ledger.counts()}. Check --window and --exclude.")
    kind = data.negatives or "gc"
    if kind in (*GENOMIC, "dinuc"):
        split = _chromosome_splits(peaks["chrom"], genome, data, whole=whole)
    if kind in GENOMIC:
        negatives, more = _negative_windows(peaks, split, genome, data=data, seed=seed, exclude=exclude, ledger=ledger)
        made = SequenceData.from_intervals(genome, peaks, negatives, split=np.r_[split, more])
    elif kind == "dinuc":
        positives = SequenceData(genome.fetch(peaks), interval_examples(peaks, np.ones(len(peaks)), split), ["target"], genome=genome)
        made = _with_shuffles(positives, data, seed=seed)
    else:
        negatives = _given_negatives(kind, genome, data, ledger=ledger)
        inputs.append(Path(kind))
        chroms = pd.concat([peaks["chrom"], negatives["chrom"]], ignore_index=True)
        made = SequenceData.from_intervals(genome, peaks, negatives, split=_chromosome_splits(chroms, genome, data, whole=whole))
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
    return _windows(path, genome, data, ledger=ledger)


def _chromosome_splits(chroms: pd.Series[str], genome: Genome, data: DataConfig, *, whole: bool) -> Splits:
    """Return the split of each interval, by its chromosome."""
    if whole:
        return np.full(len(chroms), "test")
    val, test = _held_out(data, genome)
    return split_by_chromosome(chroms, genome.lengths, val=val, test=test)


def _held_out(data: DataConfig, genome: Genome) -> tuple[list[str] | None, list[str] | None]:
    """Return the chromosomes for validation and test that were named or follow from a fold."""
    if data.fold is None:
        return data.val_chromosomes, data.test_chromosomes
    if data.n_folds is None:
        raise InputError(f"data.fold is {data.fold}, but data.n_folds is not set: both or none were expected. Set data.n_folds.")
    return fold_chromosomes(genome.lengths, k=data.n_folds, fold=data.fold)


# sequences ------------------------------------------------------------------------------------------


def _from_fasta(data: DataConfig, seed: int, *, whole: bool) -> SequenceData:
    ledger = Ledger()
    train, target = _read_classes(data.fasta or [], "--fasta", ledger)
    parts: dict[str, tuple[list[FastaRecord], list[float]]] = {}
    for name, files in (("val", data.val_fasta), ("test", data.test_fasta)):
        if files:
            if len(files) != 2:
                raise InputError(f"--{name}-fasta was given {len(files)} file: two were expected, positives and negatives. Add the negatives.")
            parts[name] = _read_classes(files, f"--{name}-fasta", ledger)
    split = (
        ["test"] * len(train)
        if whole
        else split_sequences([record.codes for record in train], np.asarray(target), data, seed=seed, given=list(parts))
    )
    records, targets = list(train), list(target)
    for name, (more, labels) in parts.items():
        records, targets, split = records + more, targets + labels, split + [name] * len(more)
    names = unique_names([record.name for record in records])
    made = SequenceData.from_sequences([record.codes for record in records], np.array(targets), split, names=names)
    note_lengths(made, ledger)
    if not (made.targets() == 0).any() or (len(data.fasta or []) == 1):
        if data.negatives != "dinuc":
            raise InputError("one FASTA was given and no negatives: two classes were expected. Give a second file, or --negatives dinuc.")
        made = _with_shuffles(made, data, seed=seed, skip=tuple(parts))
    made.ledger = ledger
    made.inputs = [Path(name) for name in [*(data.fasta or []), *(data.val_fasta or []), *(data.test_fasta or [])]]
    return made


def _read_classes(files: Sequence[str], flag: str, ledger: Ledger) -> tuple[list[FastaRecord], list[float]]:
    if len(files) > 2:
        raise InputError(f"{flag} was given {len(files)} files: one (positives) or two (positives, negatives) were expected.")
    records: list[FastaRecord] = []
    labels: list[float] = []
    for name, label in zip(files, (1.0, 0.0), strict=False):
        found = read_fasta(name, ledger=ledger)
        records += found
        labels += [label] * len(found)
    return records, labels


def _with_shuffles(positives: SequenceData, data: DataConfig, *, seed: int, skip: tuple[str, ...] = ()) -> SequenceData:
    """Return the set with dinucleotide-shuffled copies of its positives as negatives, each in its parent's split."""
    table = positives.examples
    parents, copies = [], []
    for name, ratio in (("train", data.train_ratio), ("val", data.ratio), ("test", data.ratio)):
        rows = np.flatnonzero((table["target"] > 0) & (table["split"] == name))
        if name not in skip:
            parents.append(np.tile(rows, ratio))
            copies.append(np.repeat(np.arange(1, ratio + 1), len(rows)))
    of = np.concatenate(parents)
    names = table["id"].iloc[of].reset_index(drop=True) + "_shuffle" + pd.Series(np.concatenate(copies)).astype(str)
    shuffled = table.iloc[of].reset_index(drop=True).assign(id=names, chrom="", start="", end="", strand="", target=0.0)
    positives.codes = np.concatenate([positives.codes, dinucleotide_shuffle(positives.codes[of], seed=seed)])
    if positives.lengths is not None:
        positives.lengths = np.r_[positives.lengths, positives.lengths[of]]
    positives.examples = pd.concat([table, shuffled], ignore_index=True)
    return positives


# policies -------------------------------------------------------------------------------------------


def _apply_policies(examples: SequenceData, data: DataConfig) -> SequenceData:
    """Apply --ambiguous and --deduplicate."""
    inside = np.arange(examples.length) < (examples.length if examples.lengths is None else examples.lengths[:, None])
    ambiguous: NDArray[np.bool_] = np.asarray(((examples.codes > 3) & inside).any(axis=1))
    if ambiguous.any():
        first = examples.examples["id"][int(np.flatnonzero(ambiguous)[0])]
        if data.ambiguous == "error":
            raise DataError(f"{ambiguous.sum():,} sequences hold letters other than A C G T; first: {first}. Use --ambiguous zero, uniform or drop.")
        if data.ambiguous == "drop":
            examples = _keep(examples, ~ambiguous, "holds letters other than A C G T")
        else:
            read = "a quarter of each base" if data.ambiguous == "uniform" else "all zeros"
            examples.ledger.note(f"{ambiguous.sum():,} sequences hold letters other than A C G T, read as {read}; first: {first}")
    examples.ambiguous = "uniform" if data.ambiguous == "uniform" else "zero"
    if data.deduplicate:
        examples = _keep(examples, ~find_repeats(examples.sequences(examples.rows())), "repeats an earlier sequence, on one strand or the other")
    return examples


def _keep(examples: SequenceData, kept: NDArray[np.bool_], reason: str) -> SequenceData:
    """Return the examples that are kept; the others go into the ledger."""
    left_out = examples.examples[~kept]
    for name, chrom, start, end in zip(*(left_out[column].tolist() for column in ("id", "chrom", "start", "end")), strict=True):
        place: dict[str, Any] = {"chrom": str(chrom), "start": int(start), "end": int(end)} if chrom else {}
        examples.ledger.drop(str(name), reason, **place)
    examples.codes = examples.codes[kept]
    examples.examples = examples.examples[kept].reset_index(drop=True)
    if examples.lengths is not None:
        examples.lengths = examples.lengths[kept]
    return examples
