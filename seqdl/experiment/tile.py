"""Predictions for new sequences, for regions, and tiled over a genome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome
from seqdl.data.intervals import check_intervals, clip_to_genome, resize
from seqdl.data.targets import base_profile
from seqdl.errors import InputError
from seqdl.experiment.predict import linked, linked_along, predict_logits, prediction_columns
from seqdl.experiment.team import ALONE, Team
from seqdl.io.bed import read_bed
from seqdl.io.fasta import read_fasta
from seqdl.io.files import writing
from seqdl.ledger import Ledger

if TYPE_CHECKING:
    from seqdl.io.signal import Signal
    from seqdl.tasks.base import Task
    from seqdl.types import Floats, Ints

CHUNK, CHUNK_BASES = 65_536, 8_000_000
"""Windows that are predicted at a time over a genome, and bases where every one is predicted."""
STEP = 50
"""Bases from window to window where nothing else is said."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """Logits of some sequences, with their names and, where they lie in a genome, their places.

    Attributes
    ----------
    table : DataFrame, n rows
        id; of windows of a genome also chrom, start, end, strand.
    logits : array, (n, T), or (n, T, L) of a task per base
    lengths : int array (n,), optional
        True lengths of sequences that are padded at their end.
    """

    table: pd.DataFrame
    logits: Floats
    lengths: Ints | None = None

    def columns(self, task: Task) -> pd.DataFrame:
        """Return the table with the columns prediction and logit; of a task per base they sum each sequence up."""
        return self.table.assign(**prediction_columns(task, self.logits, lengths=self.lengths))

    def along(self, task: Task) -> Floats:
        """Return predictions at every base, (n, T, L); NaN in the padding."""
        return linked_along(task, self.logits, lengths=self.lengths)


def predict_fasta(task: Task, path: str, ledger: Ledger, *, device: str = "auto", team: Team = ALONE) -> Predicted:
    """Predict every sequence of a FASTA, in the order of the file; a team shares them out."""
    check_signals(task, 0)
    records = read_fasta(path, ledger=ledger)
    data = SequenceData.from_sequences(
        [record.codes for record in records], np.zeros(len(records)), ["test"] * len(records), names=[record.name for record in records]
    )
    logits = predict_logits(task, data.codes, lengths=data.lengths, device=device, team=team)
    return Predicted(pd.DataFrame({"id": data.examples["id"]}), logits, data.lengths)


def predict_regions(
    task: Task, genome: Genome, path: str, *, ledger: Ledger, signals: Sequence[Signal] = (), device: str = "auto", team: Team = ALONE
) -> Predicted:
    """Predict windows around the middle of every interval of a BED, as wide as those the network was trained on.

    Parameters
    ----------
    task : Task
    genome : Genome
    path : str
        BED.
    ledger : Ledger
        Takes what is left out.
    signals : sequence of Signal
        What the network reads beside the bases.
    device : str, default "auto"
    team : Team, optional
        The processes that predict together.
    """
    check_signals(task, len(signals))
    intervals = read_bed(path, ledger=ledger)
    check_intervals(intervals, genome.lengths, source=path)
    windows = clip_to_genome(resize(intervals, trained_length(task)), genome.lengths, ledger)
    logits = predict_logits(task, genome.fetch(windows), signal=read_signals(signals, windows), device=device, team=team)
    table = windows[["name", "chrom", "start", "end", "strand"]].rename(columns={"name": "id"}).reset_index(drop=True)
    return Predicted(table, logits)


def read_signals(signals: Sequence[Signal], windows: pd.DataFrame) -> Floats | None:
    """Return the values of signals at every base of windows, (n, C, L)."""
    return np.stack([base_profile(signal, windows) for signal in signals], axis=1) if signals else None


def check_signals(task: Task, n_given: int) -> None:
    """Raise `InputError` unless as many signals were given as the network reads beside the bases."""
    recipe = task.recipe.get("members", [task.recipe])[0].get("model") or {}
    n_read = int(recipe.get("in_channels", 4)) - 4
    if n_read != n_given:
        raise InputError(
            f"the network reads {n_read} signals beside the bases, and {n_given} were given: as many were expected. "
            f"{'Give them along a genome, with --genome G.fa --input-signal I.bw ...' if n_read else 'Leave --input-signal out.'}"
        )


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
        The stretch that each prediction stands for: the middle of a window, or bases.
    values : float array (n,)
        Predictions of the first output.
    """

    chrom: str
    starts: np.ndarray[Any, np.dtype[np.int64]]
    ends: np.ndarray[Any, np.dtype[np.int64]]
    values: np.ndarray[Any, np.dtype[np.floating[Any]]]


def tile_genome(
    task: Task, genome: Genome, *, step: int | None = None, signals: Sequence[Signal] = (), device: str = "auto", team: Team = ALONE
) -> Iterator[Tile]:
    """Predict windows every `step` bases over a whole genome; memory does not grow with it.

    Parameters
    ----------
    task : Task
        Of one that predicts every base, each window gives the bases in its middle, as far as halfway into its overlap with the next.
    genome : Genome
    step : int, optional
        Bases from window to window. A prediction of a whole window stands for the `step` bases in its middle. Default 50, and half
        a window of a task per base.
    signals : sequence of Signal
        What the network reads beside the bases.
    device : str, default "auto"
    team : Team, optional
        The processes that predict together; each of them is to take every tile.

    Yields
    ------
    Tile
    """
    width = trained_length(task)
    if step is None:
        step = max(1, width // 2) if task.per_base else min(STEP, width)
    if not 1 <= step <= width:
        raise InputError(f"--step {step}: 1 to {width} (the width of the windows) was expected.")
    check_signals(task, len(signals))
    shift = (width - step) // 2
    at_once = max(1, CHUNK_BASES // width) if task.per_base else CHUNK
    for chrom, length in genome.lengths.items():
        starts = np.arange(0, length - width + 1, step, dtype=np.int64)
        if task.per_base and len(starts) and starts[-1] < length - width:
            starts = np.append(starts, length - width)  # up to the end of the chromosome
        cuts = inner_parts(starts, width)
        for first in range(0, len(starts), at_once):
            some = starts[first : first + at_once]
            windows = pd.DataFrame({"chrom": chrom, "start": some, "end": some + width, "strand": "."})
            logits = predict_logits(task, genome.fetch(windows), signal=read_signals(signals, windows), device=device, team=team)
            if task.per_base:
                yield _stitched(chrom, some, cuts[first : first + at_once], values=linked_along(task, logits)[:, 0])
            else:
                yield Tile(chrom, some + shift, some + shift + step, linked(task, logits)[:, 0])


def region_tiles(task: Task, predicted: Predicted) -> Iterator[Tile]:
    """Stitch the predictions at every base of windows of a genome, chromosome by chromosome; of each overlap every window gives its half.

    Raises
    ------
    InputError
        If the task predicts no bases.
    """
    if not task.per_base:
        raise InputError("regions were to be written as bigWig, but the network predicts whole windows: a TSV was expected. Use -o out.tsv.")
    values = predicted.along(task)[:, 0]
    table = predicted.table
    minus = (table["strand"] == "-").to_numpy()
    values[minus] = values[minus, ::-1]
    for chrom, rows in table.groupby("chrom", sort=False).indices.items():
        starts = table["start"].to_numpy(np.int64)[rows]
        order = np.argsort(starts, kind="stable")
        yield _stitched(str(chrom), starts[order], inner_parts(starts[order], values.shape[1]), values=values[rows[order]])


def inner_parts(starts: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return the part of each window, begin and end, that is its own: to the middle of the overlap with its neighbours.

    Parameters
    ----------
    starts : int64 array, (n,)
        In ascending order.
    width : int
        Of every window (bp).

    Returns
    -------
    int64 array, (n, 2)

    Examples
    --------
    >>> inner_parts(np.array([0, 4, 20]), 10).tolist()
    [[0, 7], [7, 14], [20, 30]]
    """
    parts = np.stack([starts, starts + width], axis=1)
    if len(starts) > 1:
        touching = starts[1:] < starts[:-1] + width
        middle = (starts[1:] + starts[:-1] + width) // 2
        parts[1:, 0] = np.where(touching, middle, starts[1:])
        parts[:-1, 1] = np.where(touching, middle, starts[:-1] + width)
    return parts


def _stitched(chrom: str, starts: NDArray[np.int64], parts: NDArray[np.int64], *, values: Floats) -> Tile:
    """Return the own part of every window base by base; neighbours that agree in four digits are one stretch."""
    position = starts[:, None] + np.arange(values.shape[1])
    own = (position >= parts[:, :1]) & (position < parts[:, 1:])
    place, value = position[own], _four_digits(values[own])
    new = np.ones(place.size, dtype=bool)
    new[1:] = (place[1:] != place[:-1] + 1) | (value[1:] != value[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], place.size) - 1
    return Tile(chrom, place[first], place[last] + 1, value[first])


def _four_digits(values: Floats) -> Floats:
    """Return values rounded to four digits that count."""
    with np.errstate(divide="ignore"):
        size = np.where(values != 0, np.floor(np.log10(np.abs(values))), 0.0)
    unit = 10.0 ** (size - 3)
    return np.asarray(np.round(values / unit) * unit, dtype=np.float64)


def write_along(path: Path, task: Task, predicted: Predicted, *, force: bool = False) -> None:
    """Write predictions at every base as .npz: id (n,), prediction (n, T, L), outputs (T,) and, of windows, chrom, start, end and strand."""
    if not task.per_base:
        raise InputError(f"{path}: predictions at every base were to be written, but the network predicts whole windows. Use -o out.tsv.")
    columns = {name: predicted.table[name].to_numpy() for name in ("chrom", "start", "end", "strand", "id") if name in predicted.table}
    words: dict[str, Any] = {name: values.astype(str) if name in ("chrom", "strand", "id") else values for name, values in columns.items()}
    with writing(path, force=force, binary=True) as handle:
        np.savez_compressed(handle, prediction=predicted.along(task), outputs=np.array(task.outputs, dtype=str), **words)


def write_bigwig(path: Path, tiles: Iterator[Tile], lengths: dict[str, int]) -> int:
    """Write tiles as bigWig, whole or not at all; return how many stretches of one value there are.

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
