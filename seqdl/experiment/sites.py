"""Examples for finding sites: windows that hold one anywhere but at their end, and a label over it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from seqdl.data.dataset import SequenceData
from seqdl.data.examples import interval_examples
from seqdl.data.genome import Genome
from seqdl.data.intervals import clip_to_genome, overlaps
from seqdl.data.targets import site_map
from seqdl.errors import DataError, InputError
from seqdl.experiment.intervals import chromosome_splits, read_intervals
from seqdl.ledger import Ledger
from seqdl.registry import TASKS

if TYPE_CHECKING:
    from seqdl.experiment.config import Config

N_SHIFTS = 10
"""Windows a site in training, each with the site elsewhere; one in validation and test."""


def finds_sites(config: Config) -> bool:
    """Tell whether the task that was named looks for the place of a site."""
    return bool(config.task["name"] == "localisation" and config.data.peaks)


def from_sites(config: Config, *, whole: bool) -> SequenceData:
    """Make windows around sites, shifted at random so that the site lies off the middle.

    Parameters
    ----------
    config : Config
        ``--peaks`` gives the sites: their summits where the file has any, else their midpoints.
    whole : bool
        Take everything as the test split.

    Raises
    ------
    SeqdlError
        If files or options do not fit each other.
    """
    data, ledger = config.data, Ledger()
    genome = Genome(str(data.genome))
    if data.negatives:
        raise InputError(f"--negatives {data.negatives} was given with --task localisation, where every window holds a site. Leave it out.")
    half = int(config.task.get("half_width", TASKS.options("localisation")["half_width"].default))
    reach = data.window // 2 - half - 1
    if reach < 1:
        raise InputError(
            f"--window is {data.window} bp, and a site with {half} bp on either side cannot be moved in it: {2 * half + 4} bp or more were expected. "
            "Widen --window, or lower --task.half_width."
        )
    sites = _sites(genome, config, ledger=ledger)
    split = chromosome_splits(sites["chrom"], genome, data, seed=config.seed, whole=whole, ledger=ledger)
    copies = np.where(split == "train", N_SHIFTS, 1)
    of = np.repeat(np.arange(len(sites)), copies)
    rng = np.random.default_rng(config.seed)
    place = sites["place"].to_numpy(np.int64)[of]
    start = place - data.window // 2 + rng.integers(-reach, reach, len(of), endpoint=True)
    windows = pd.DataFrame(
        {
            "chrom": sites["chrom"].to_numpy()[of],
            "start": start,
            "end": start + data.window,
            "name": sites["name"].astype(str).to_numpy()[of],
            "strand": sites["strand"].to_numpy()[of],
            "place": place,
            "split": split[of],
        }
    )
    windows = clip_to_genome(windows, genome.lengths, ledger).reset_index(drop=True)
    ahead = windows["place"] - windows["start"]
    inside = np.where(windows["strand"] == "-", data.window - 1 - ahead, ahead)
    examples = interval_examples(windows, inside.astype(np.float64), windows["split"].to_numpy())
    made = SequenceData(genome.fetch(windows), examples, ["target"], labels=True, genome=genome)
    made.tracks = site_map(sites.assign(start=sites["place"]), windows, half_width=half)[:, None, :]
    ledger.note(f"each window holds a site within {reach} bp of its middle; of a training site there are {N_SHIFTS} windows")
    made.ledger, made.inputs = ledger, [Path(path) for path in (data.genome, data.peaks, data.exclude) if path]
    return made


def _sites(genome: Genome, config: Config, *, ledger: Ledger) -> pd.DataFrame:
    """Return the peaks with the base of their site, `place`; repeats and what is excluded go to the ledger."""
    data, path = config.data, str(config.data.peaks)
    found = read_intervals(path, genome, data, ledger=ledger)
    by_summit = (data.center or ("summit" if "summit" in found else "midpoint")) == "summit"
    if by_summit and "summit" not in found:
        raise InputError(f"--center summit was given, but {path} has no summits. Use --center midpoint.")
    found = found.assign(place=found["summit"] if by_summit else (found["start"] + found["end"]) // 2)
    repeated = found.duplicated(["chrom", "place"])
    ledger.drop_intervals(found[repeated], "same site as an earlier one", source=Path(path).name)
    found = found[~repeated].reset_index(drop=True)
    if data.exclude:
        touched = overlaps(found, read_intervals(data.exclude, genome, data, ledger=ledger))
        ledger.drop_intervals(found[touched], "overlaps an excluded region", source=Path(data.exclude).name)
        found = found[~touched].reset_index(drop=True)
    if not len(found):
        raise DataError(f"{path}: no site is left: {ledger.counts()}. Check --exclude.")
    return found
