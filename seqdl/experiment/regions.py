"""Examples from windows of a genome: with signals, with a label for every base, or with nothing but their bases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.chromosomes import rename_chromosomes
from seqdl.data.dataset import SequenceData
from seqdl.data.examples import interval_examples
from seqdl.data.genome import Genome
from seqdl.data.intervals import clip_to_genome, overlaps, resize, tile
from seqdl.data.targets import base_labels, base_profile
from seqdl.errors import DataError, InputError
from seqdl.experiment.intervals import chromosome_splits, read_intervals
from seqdl.io.bed import read_bed
from seqdl.io.gff import read_gff
from seqdl.io.signal import check_signal, open_signal
from seqdl.ledger import Ledger

if TYPE_CHECKING:
    from seqdl.experiment.config import Config
    from seqdl.experiment.data_config import DataConfig

GFF_ENDINGS = (".gff", ".gff3", ".gtf")
MOST_AMBIGUOUS = 0.5
"""Share of a window that may be other than A C G T."""


def from_regions(config: Config, *, whole: bool) -> SequenceData:
    """Make examples of windows of a genome.

    Parameters
    ----------
    config : Config
        ``--signal`` gives totals a window, or a value for every base where the task asks for that; ``--labels`` gives a label for
        every base; without either nothing is known of the windows.
    whole : bool
        Take everything as the test split.

    Raises
    ------
    SeqdlError
        If files or options do not fit each other.
    """
    data, ledger = config.data, Ledger()
    _check(data)
    genome = Genome(str(data.genome))
    windows = _windows(genome, data, ledger=ledger)
    split = chromosome_splits(windows["chrom"], genome, data, seed=config.seed, whole=whole, ledger=ledger)
    made = SequenceData(genome.fetch(windows), interval_examples(windows, np.zeros(len(windows)), split), [], genome=genome)
    made.examples = made.examples.drop(columns="target")
    if data.input_signal:
        made.signal = np.stack([_profile(path, windows, genome, data=data, ledger=ledger) for path in data.input_signal], axis=1)
    if data.signal:
        _add_signals(made, windows, config, ledger=ledger)
    elif data.labels:
        _add_labels(made, windows, data, ledger=ledger)
    made.ledger = ledger
    files = [data.genome, data.regions, data.peaks, data.exclude, data.labels, *(data.signal or []), *(data.input_signal or [])]
    made.inputs = [Path(path) for path in files if path]
    return made


def _check(data: DataConfig) -> None:
    """Raise `InputError` for options that contradict each other."""
    if data.signal and data.labels:
        raise InputError("--signal and --labels were given together: one kind of target was expected. Train a network for each.")
    if data.label_features and not data.labels:
        raise InputError("--label-features was given without --labels: the file of features was expected. Add --labels L.gff.")
    if data.input_signal and not data.signal:
        raise InputError("--input-signal was given without --signal: what is to be predicted from it was expected. Add --signal S.bw.")


def _windows(genome: Genome, data: DataConfig, *, ledger: Ledger) -> pd.DataFrame:
    """Return windows around the regions, or side by side over the genome; what is left out goes to the ledger."""
    source = data.regions or data.peaks
    if source:
        found = read_intervals(source, genome, data, ledger=ledger)
        windows = clip_to_genome(resize(found, data.window), genome.lengths, ledger)
    else:
        windows = tile(genome.lengths, data.window, step=data.step or data.window)
    repeated = windows.duplicated(["chrom", "start", "end", "strand"])
    ledger.drop_intervals(windows[repeated], "same window as an earlier one")
    windows = windows[~repeated].reset_index(drop=True)
    if data.exclude:
        touched = overlaps(windows, read_intervals(data.exclude, genome, data, ledger=ledger))
        ledger.drop_intervals(windows[touched], "overlaps an excluded region", source=Path(data.exclude).name)
        windows = windows[~touched].reset_index(drop=True)
    unknown = np.asarray((genome.fetch(windows) > 3).sum(axis=1) > MOST_AMBIGUOUS * data.window)
    ledger.drop_intervals(windows[unknown], "more than half of it is not A C G T")
    windows = windows[~unknown].reset_index(drop=True)
    if not len(windows):
        raise DataError(f"no window of {data.window} bp is left: {ledger.counts()}. Check --window, --regions and --exclude.")
    return windows


def _profile(path: str, windows: pd.DataFrame, genome: Genome, *, data: DataConfig, ledger: Ledger) -> NDArray[np.float32]:
    """Return the value of a signal at every base of the windows, (N, L)."""
    signal, lengths = open_signal(path, ledger=ledger), genome.lengths
    if data.rename_chromosomes:
        names = pd.DataFrame({"chrom": list(lengths)})
        theirs = rename_chromosomes(names, list(signal.lengths), aliases=data.chromosome_aliases)["chrom"]
        windows = windows.assign(chrom=windows["chrom"].map(dict(zip(lengths, theirs, strict=True))))
        lengths = dict(zip(theirs, lengths.values(), strict=True))
    check_signal(signal, lengths, ledger=ledger)
    return base_profile(signal, windows, ledger=ledger)


def _add_signals(made: SequenceData, windows: pd.DataFrame, config: Config, *, ledger: Ledger) -> None:
    """Set the signals as targets: their totals, or every base where the task reads them so."""
    from seqdl.registry import TASKS

    data, task = config.data, config.task["name"]
    names = _names(data.signal or [])
    along = bool(data.input_signal) if task == "auto" else "signal" in TASKS.get(task).serves
    totals, tracks = [], []
    for path in data.signal or []:
        profile = _profile(path, windows, genome=_genome(made), data=data, ledger=ledger)
        totals.append(profile.sum(axis=1, dtype=np.float64))
        if along:
            tracks.append(profile)
    made.set_targets(names, np.stack(totals, axis=1))
    made.numeric, made.counts = True, bool((np.stack(totals) >= 0).all())
    if along:
        made.tracks = np.stack(tracks, axis=1)


def _add_labels(made: SequenceData, windows: pd.DataFrame, data: DataConfig, *, ledger: Ledger) -> None:
    """Set a label for every base as target."""
    path, genome = str(data.labels), _genome(made)
    name = path.removesuffix(".gz").lower()
    features = read_gff(path, features=data.label_features, ledger=ledger) if name.endswith(GFF_ENDINGS) else read_bed(path, ledger=ledger)
    if data.rename_chromosomes:
        features = rename_chromosomes(features, list(genome.lengths), aliases=data.chromosome_aliases)
    kinds = list(data.label_features or (sorted(set(features["feature"])) if "feature" in features else [Path(path).name.split(".")[0]]))
    each = [base_labels(features, windows, classes=[kind] if "feature" in features else None) for kind in kinds]
    made.tracks, made.labels = np.stack(each, axis=1), True
    made.set_targets(kinds, made.tracks.mean(axis=2, dtype=np.float64))


def _genome(made: SequenceData) -> Genome:
    assert made.genome is not None
    return made.genome


def _names(paths: list[str]) -> list[str]:
    """Return a name for each file: its stem, or the whole name where stems repeat."""
    stems = [Path(path).name.split(".")[0] for path in paths]
    return stems if len(set(stems)) == len(stems) else [Path(path).name for path in paths]
