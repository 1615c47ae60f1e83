"""Predictions for new sequences, for regions, and tiled over a genome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome
from seqdl.data.intervals import check_intervals, clip_to_genome, resize
from seqdl.errors import InputError
from seqdl.experiment.predict import linked, predict_logits, prediction_columns
from seqdl.io.bed import read_bed
from seqdl.io.fasta import read_fasta
from seqdl.ledger import Ledger

if TYPE_CHECKING:
    from seqdl.tasks.base import Task

CHUNK = 65_536
"""Windows that are predicted at a time over a genome."""


def predict_fasta(task: Task, path: str, ledger: Ledger, *, device: str = "auto") -> pd.DataFrame:
    """Predict every sequence of a FASTA.

    Returns
    -------
    DataFrame
        id, prediction, logit, in the order of the file.
    """
    records = read_fasta(path, ledger=ledger)
    data = SequenceData.from_sequences(
        [record.codes for record in records], np.zeros(len(records)), ["test"] * len(records), names=[record.name for record in records]
    )
    logits = predict_logits(task, data.codes, lengths=data.lengths, device=device)
    return pd.DataFrame({"id": data.examples["id"], **prediction_columns(task, logits)})


def predict_regions(task: Task, genome: Genome, path: str, *, ledger: Ledger, device: str = "auto") -> pd.DataFrame:
    """Predict windows around the middle of every interval of a BED, as wide as those the network was trained on.

    Returns
    -------
    DataFrame
        id, chrom, start, end, strand, prediction, logit.
    """
    intervals = read_bed(path, ledger=ledger)
    check_intervals(intervals, genome.lengths, source=path)
    width = trained_length(task)
    windows = clip_to_genome(resize(intervals, width), genome.lengths, ledger)
    logits = predict_logits(task, genome.fetch(windows), device=device)
    table = windows[["name", "chrom", "start", "end", "strand"]].rename(columns={"name": "id"}).reset_index(drop=True)
    return table.assign(**prediction_columns(task, logits))


def trained_length(task: Task) -> int:
    """Return the width of the windows a task was trained on (bp).

    Raises
    ------
    InputError
        If its checkpoint does not say.
    """
    length = task.recipe.get("length")
    if not length:
        raise InputError("the checkpoint does not say how wide the windows were that it was trained on. Train it with seqdl train or seqdl.fit.")
    return int(length)


@dataclass(frozen=True)
class Tile:
    """Predictions of neighbouring windows of one chromosome.

    Attributes
    ----------
    chrom : str
    starts, ends : int array (n,)
        The stretch in the middle of each window that its prediction stands for.
    values : float array (n,)
        Predictions of the first output.
    """

    chrom: str
    starts: np.ndarray[Any, np.dtype[np.int64]]
    ends: np.ndarray[Any, np.dtype[np.int64]]
    values: np.ndarray[Any, np.dtype[np.floating[Any]]]


def tile_genome(task: Task, genome: Genome, *, step: int, device: str = "auto") -> Iterator[Tile]:
    """Predict windows every `step` bases over a whole genome; memory does not grow with it.

    Parameters
    ----------
    task : Task
    genome : Genome
    step : int
        Bases from window to window; each prediction stands for the `step` bases in the middle of its window.
    device : str, default "auto"

    Yields
    ------
    Tile
    """
    width = trained_length(task)
    if not 1 <= step <= width:
        raise InputError(f"--step {step}: 1 to {width} (the width of the windows) was expected.")
    shift = (width - step) // 2
    for chrom, length in genome.lengths.items():
        starts = np.arange(0, length - width + 1, step, dtype=np.int64)
        for first in range(0, len(starts), CHUNK):
            some = starts[first : first + CHUNK]
            windows = pd.DataFrame({"chrom": chrom, "start": some, "end": some + width, "strand": "."})
            logits = predict_logits(task, genome.fetch(windows), device=device)
            yield Tile(chrom, some + shift, some + shift + step, linked(task, logits)[:, 0])


def write_bigwig(path: Path, tiles: Iterator[Tile], lengths: dict[str, int]) -> int:
    """Write tiles as bigWig, whole or not at all; return how many values there are.

    Parameters
    ----------
    path : Path
    tiles : iterator of Tile
    lengths : dict
        Length of each chromosome.
    """
    import pybigtools

    written = 0
    failure: list[Exception] = []

    def values() -> Iterator[tuple[str, int, int, float]]:
        nonlocal written
        try:
            for tile in tiles:
                written += len(tile.values)
                yield from zip([tile.chrom] * len(tile.starts), tile.starts.tolist(), tile.ends.tolist(), tile.values.tolist(), strict=True)
        except Exception as error:  # pybigtools would print it and call the file whole
            failure.append(error)

    temporary = path.with_name(f".{path.name}.part.bw")  # pybigtools goes by the ending
    try:
        pybigtools.open(str(temporary), "w").write(dict(lengths), values())  # type: ignore[no-untyped-call]
        if failure:
            raise failure[0]
        if not written:
            raise InputError(f"no window fits into the genome, whose longest chromosome is {max(lengths.values()):,} bp: a longer one was expected.")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return written
