"""From a config to examples with targets and splits."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqdl.audit.leakage import find_repeats
from seqdl.data.dataset import SequenceData
from seqdl.errors import DataError, InputError
from seqdl.experiment.intervals import context_of, from_peaks
from seqdl.experiment.regions import from_regions
from seqdl.experiment.sequences import from_fasta, from_unlabelled_fasta
from seqdl.experiment.sites import finds_sites, from_sites
from seqdl.experiment.tables import from_class_files, from_table
from seqdl.registry import TASKS
from seqdl.sequence.composition import holds_ambiguous
from seqdl.types import PAD, SPLITS

if TYPE_CHECKING:
    from seqdl.experiment.config import Config
    from seqdl.experiment.data_config import DataConfig

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
    _check_combination(config)
    examples = _read(config, whole=whole)
    examples = _apply_policies(examples, config.data)
    examples.check_classes(LEAST_EXAMPLES, splits=("test",) if whole else SPLITS)
    if config.training.jitter:
        examples.flanks(config.training.jitter)  # refuses what has none, before anything is trained
    if (config.strands or _default_strands(config, examples)) == "augment":
        examples.reverse_complement = True
    return examples


def prepare_all(config: Config) -> SequenceData:
    """Prepare inputs of which every example is a test example."""
    data = prepare(config, whole=True)
    data.examples["split"] = "test"
    return data


def _read(config: Config, *, whole: bool) -> SequenceData:
    """Return the examples as they are read."""
    data, seed = config.data, config.seed
    unlabelled = needs_no_labels(config)
    if data.genome and (data.signal or data.labels or (unlabelled and not (data.peaks and data.negatives))):
        return from_regions(config, whole=whole)
    if data.genome and finds_sites(config):
        return from_sites(config, whole=whole)
    if data.peaks and data.genome:
        return from_peaks(dataclasses.replace(data, context=0) if unlabelled else data, seed, whole=whole)
    if data.table:
        return from_table(data, seed, whole=whole)
    if data.fasta:
        return _sequences(config, whole=whole)
    raise InputError(_what_is_missing(data))


def _sequences(config: Config, *, whole: bool) -> SequenceData:
    """Return the examples of FASTA files: classes, sequences without labels, or positives and negatives."""
    data, files = config.data, config.data.fasta or []
    if all("=" in word and not Path(word).exists() for word in files):
        return from_class_files(data, config.seed, whole=whole)
    if needs_no_labels(config) and len(files) == 1 and not data.negatives:
        return from_unlabelled_fasta(data, config.seed, whole=whole)
    return from_fasta(data, config.seed, whole=whole)


def _what_is_missing(data: DataConfig) -> str:
    """Return what has to be added to inputs that do not suffice."""
    if data.peaks:
        return "--peaks was given without --genome: a genome and a BED of peaks belong together. Add --genome FILE."
    if data.genome:
        return (
            "--genome was given without --peaks: a genome and a BED of peaks belong together. Add --peaks FILE; or --signal, --labels, "
            "or a task that needs no labels, such as --task masked."
        )
    return "no data were given: expected --genome G.fa --peaks P.bed, or two FASTA files POS.fa NEG.fa. See seqdl train --help."


def needs_no_labels(config: Config) -> bool:
    """Tell whether the task that was named learns from the sequences alone."""
    name = config.task["name"]
    return bool(name != "auto" and TASKS.get(name).family != "supervised")


def tells_peaks_apart(config: Config) -> bool:
    """Tell whether peaks are held against other places, so that what surrounds both can be read."""
    return bool(config.data.peaks) and not needs_no_labels(config) and not finds_sites(config)


def _check_combination(config: Config) -> None:
    """Raise `InputError` for options that contradict each other, rather than leave one of them unread."""
    data = config.data
    if bool(data.fasta) + bool(data.peaks or data.genome) + bool(data.table) > 1:
        raise InputError(
            "several of --table, --fasta and --genome with --peaks were given: one source of examples was expected. Leave one of them out."
        )
    if data.crop is not None and data.genome:
        raise InputError("--crop was given with a genome, where --window says how wide the windows are. Leave --crop out.")
    if data.table and not data.target_columns and not needs_no_labels(config):
        raise InputError("--target-columns names 0 columns: one or several were expected, to be predicted. Add --target-columns NAME.")
    if (data.val_fasta or data.test_fasta) and not data.fasta:
        raise InputError("--val-fasta or --test-fasta was given without training sequences: --fasta POS.fa NEG.fa was expected beside it.")
    if data.context and not tells_peaks_apart(config):
        raise InputError(
            f"--context {data.context} was given without peaks to be told from background, so it would not be read: --genome with --peaks and a task "
            "of yes or no were expected. Say --context 0; --window is the width of what is read."
        )
    if data.chromosome_aliases and not data.rename_chromosomes:
        raise InputError("--chromosome-aliases was given without --rename-chromosomes, so it would not be read. Add --rename-chromosomes.")
    if data.peaks and (data.signal or data.labels):
        raise InputError("--peaks was given with --signal or --labels: windows that were not chosen by their target were expected. Say --regions.")
    if (data.regions or data.signal or data.labels or data.input_signal) and not data.genome:
        raise InputError("--regions, --signal and --labels lie along a genome, and none was given. Add --genome G.fa.")
    if data.genome and data.split not in (None, "chromosome", "random"):
        raise InputError(f"--split {data.split} was given for intervals: neighbours would leak. Use chromosome, the default.")


def _default_strands(config: Config, examples: SequenceData) -> str:
    """Return "shared" for what has no strand, else "single": stranded intervals, tables, classes, RNA, and what learns from bases alone."""
    if examples.kind in ("labels", "signal") or config.data.signal:
        return "single" if len(examples) and examples.examples["strand"].isin(["+", "-"]).all() else "shared"
    if needs_no_labels(config):
        return str(TASKS.get(config.task["name"]).own_strands)
    if examples.kind != "binary" or config.data.table or any("hold U" in note for note in examples.ledger.notes):
        return "single"
    positives = examples.examples[examples.examples[examples.outputs[0]] > 0]
    return "single" if len(positives) and positives["strand"].isin(["+", "-"]).all() else "shared"


def resolve_data(config: Config) -> DataConfig:
    """Return the data section with what was left open as it is taken: kind of negatives, way of splitting."""
    data = config.data
    split = "column" if data.split_column else "chromosome" if data.genome else "homology"
    bound = tells_peaks_apart(config)
    context = context_of(data) if bound else data.context
    return dataclasses.replace(data, negatives=data.negatives or ("gc" if bound else None), split=data.split or split, context=context)


def resolve_strands(config: Config, examples: SequenceData) -> str:
    """Return how strands are read: what the config says, else single for stranded BED, else shared."""
    return config.strands or _default_strands(config, examples)


def _apply_policies(examples: SequenceData, data: DataConfig) -> SequenceData:
    """Apply --crop, --ambiguous and --deduplicate."""
    if data.crop is not None:
        examples = _cropped(examples, data.crop, data.crop_at)
    ambiguous = holds_ambiguous(examples.codes, examples.lengths)
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


def _cropped(examples: SequenceData, length: int, at: str) -> SequenceData:
    """Return the examples cut to a length; what that did is in the ledger."""
    sizes = np.full(len(examples), examples.length) if examples.lengths is None else examples.lengths
    over = np.maximum(sizes - length, 0)
    start = {"start": np.zeros_like(over), "middle": over // 2, "end": over}[at]
    padded = np.pad(examples.codes, ((0, 0), (0, max(0, length - examples.length))), constant_values=PAD)
    codes = np.take_along_axis(padded, start[:, None] + np.arange(length), axis=1)
    left = np.minimum(sizes, length)
    codes[np.arange(length) >= left[:, None]] = PAD
    if over.any():
        examples.ledger.note(f"{(over > 0).sum():,} sequences of up to {sizes.max():,} bp were cut to {length:,} bp, from their {at}")
    if (left < length).any():
        examples.ledger.note(f"{(left < length).sum():,} sequences are shorter than {length:,} bp; padded at their end, and padding is masked")
    return dataclasses.replace(examples, codes=codes, lengths=left if (left < length).any() else None)


def _keep(examples: SequenceData, kept: NDArray[np.bool_], reason: str) -> SequenceData:
    """Return the examples that are kept; the others go into the ledger."""
    left_out = examples.examples[~kept]
    for name, chrom, start, end in zip(*(left_out[column].tolist() for column in ("id", "chrom", "start", "end")), strict=True):
        place: dict[str, Any] = {"chrom": str(chrom), "start": int(start), "end": int(end)} if chrom else {}
        examples.ledger.drop(str(name), reason, **place)
    return examples.take(np.flatnonzero(kept))
