"""What is written of a network that predicts something of every base: tracks, measures by window, motifs, examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqdl.evaluate.along import Windows
from seqdl.evaluate.several import SeveralIntervals, several_difference, several_intervals
from seqdl.experiment.along_yardstick import AlongYardstick, along_yardstick, fit_each
from seqdl.experiment.complete import leaks_of, silent
from seqdl.experiment.predict import data_logits, held_out_table, linked_along
from seqdl.experiment.provenance import write_json
from seqdl.experiment.team import ALONE, Team
from seqdl.experiment.tracks import write_tracks
from seqdl.io.files import writing
from seqdl.io.table import write_tsv

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task
    from seqdl.types import Floats, Ints

MOST_TRAINING_BASES = 10_000_000
"""Bases of the training windows that the baselines are fitted on; of more some windows are drawn."""
LARGEST_HALF = 60_000.0
"""Above this a number does not fit into 16 bits."""


@dataclass(frozen=True)
class Held:
    """Some held-out windows: what is true and what was predicted at every base.

    Attributes
    ----------
    rows : int array (n,)
        Rows of the data set.
    truth, guess : array, (n, T, L)
        Truth is NaN in the padding.
    """

    rows: Ints
    truth: Floats
    guess: Floats

    def part(self, chosen: Any) -> Held:
        """Return some of the windows."""
        return Held(self.rows[chosen], self.truth[chosen], self.guess[chosen])

    def windows(self, by: AlongYardstick) -> list[Windows]:
        """Return what measures each output."""
        return [by.windows(self.truth[:, t], self.guess[:, t]) for t in range(self.truth.shape[1])]


def write_outcome(run: Run, say: Callable[[str], None]) -> list[Path]:
    """Write predictions.tsv, predictions.npz, metrics.json, motifs/ and attributions/; return the file of known motifs, if it was one."""
    from seqdl.io.databases import load_database

    folder, data, task = run.folder, run.data, run.task
    say("evaluating on held-out windows")
    database = run.config.get("database") or "jaspar"
    known = load_database(database)
    logits = data_logits(task, data, data.held_out_rows(), device=run.config.get("device", "auto"))
    run.predictions = held_out_table(task, data, logits)
    write_tsv(folder / "predictions.tsv", run.predictions, force=True, float_format="%.9g")
    held = hold_out(task, data, logits)
    metrics = measure_along(task, data, held, motifs=known, seed=run.seed, say=say)
    name = run.config["task"]["name"]
    head = {"task": name, "kind": data.kind, "outputs": task.outputs, "n": data.sizes(), "n_bases": n_bases(data)}
    write_json(folder / "metrics.json", head | metrics)
    write_predictions(folder / "predictions.npz", data, held.part(np.isin(held.rows, data.rows("test"))))
    if run.has_filters:
        say(f"turning filters into motifs, named against {database}")
        run.motifs(database)
    write_tracks(run, run.seed)
    return [Path(database)] if Path(database).is_file() else []


def evaluate_along(run: Run, split: str) -> dict[str, Any]:
    """Return the measures of a run along the sequence on a split, without its baselines."""
    found = measure_windows(held_of(run, split), along_yardstick(run.task, run.data), seed=run.seed)
    return {} if found is None else found.mean


def held_of(run: Run, split: str) -> Held:
    """Return truth and predictions of a run on the windows of a held-out split."""
    held = held_by(run.task, run.data, device=run.config.get("device", "auto"))
    return held.part(run.data.examples["split"].to_numpy()[held.rows] == split)


def held_by(task: Task, data: SequenceData, *, device: str = "auto", team: Team = ALONE) -> Held:
    """Return truth and predictions of everything that was held out."""
    return hold_out(task, data, data_logits(task, data, data.held_out_rows(), device=device, team=team))


def hold_out(task: Task, data: SequenceData, logits: Floats) -> Held:
    """Return truth and predictions of the held-out windows for their logits (n, T, L)."""
    assert data.tracks is not None
    rows = data.held_out_rows()
    lengths = None if data.lengths is None else data.lengths[rows]
    truth = data.tracks[rows].astype(np.float32)
    if lengths is not None:
        truth[np.broadcast_to((np.arange(truth.shape[2]) >= lengths[:, None])[:, None], truth.shape)] = np.nan
    return Held(rows, truth, linked_along(task, logits, lengths=lengths))


def measure_along(
    task: Task, data: SequenceData, held: Held, *, motifs: list[Motif] | None, seed: int, say: Callable[[str], None] = silent
) -> dict[str, Any]:
    """Measure a network along the sequence beside its baselines.

    Parameters
    ----------
    task : Task
    data : SequenceData
    held : Held
        Its predictions for validation and test.
    motifs : list of Motif, optional
        Candidates for the best known motif.
    seed : int
        Of the bootstrap, and of what the baselines are fitted on.
    say : callable

    Returns
    -------
    dict
        "headline", "val", "test", "test_leak_free", "n_leaks", "per_output" where there are several, "baselines": measures with
        95 % intervals by bootstrap over windows.
    """
    by = along_yardstick(task, data)
    split = data.examples["split"].to_numpy()
    leaky = leaks_of(data).leaky[held.rows]
    parts = {name: split[held.rows] == name for name in ("val", "test")}
    parts["test_leak_free"] = parts["test"] & ~leaky
    measured = {name: measure_windows(held.part(chosen), by, seed=seed) for name, chosen in parts.items()}
    found: dict[str, Any] = {"headline": by.headline, "n_leaks": int((parts["test"] & leaky).sum())} | {
        name: {} if one is None else one.mean for name, one in measured.items()
    }
    if len(task.outputs) > 1 and measured["test"] is not None:
        found["per_output"] = dict(zip(task.outputs, measured["test"].each, strict=True))
    say("fitting the baselines")
    rows = training_rows(data, seed)
    fitted = fit_each(by, data, rows, motifs=motifs, seed=seed)
    found["baselines"] = compare_baselines(held.part(parts["test"]), fitted, by, data=data, seed=seed)
    return found


def measure_windows(held: Held, by: AlongYardstick, *, seed: int) -> SeveralIntervals | None:
    """Return the measures of every output and their mean, with intervals over windows; None where there are no windows."""
    if not len(held.rows):
        return None
    return several_intervals([one.measure for one in held.windows(by)], len(held.rows), seed=seed)


def compare_baselines(test: Held, fitted: Sequence[Mapping[str, Any]], by: AlongYardstick, *, data: SequenceData, seed: int) -> dict[str, Any]:
    """Hold the network against baselines on the test windows.

    Parameters
    ----------
    test : Held
        The network's predictions.
    fitted : sequence of mappings
        The baselines of each output; those that are missing for one are left out for it, of the network too.
    by : AlongYardstick
    data : SequenceData
    seed : int

    Returns
    -------
    dict
        Baseline -> its headline measures, "detail", and "network_minus_this" on the same resamples of windows.
    """
    n = len(test.rows)
    codes, signal = data.codes[test.rows], None if data.signal is None else data.signal[test.rows]
    network = test.windows(by) if n else []
    entries: dict[str, Any] = {}
    for name in dict.fromkeys(name for one in fitted for name in one):
        outputs = [t for t, one in enumerate(fitted) if name in one]
        others = [by.windows(test.truth[:, t], np.asarray(fitted[t][name].predict(codes, signal))) for t in outputs] if n else []
        if not others:
            continue
        theirs, ours = [one.measure for one in others], [network[t].measure for t in outputs]
        measured = several_intervals(theirs, n, seed=seed).mean
        entries[name] = {metric: measured[metric] for metric in by.headline} | {"detail": fitted[outputs[0]][name].detail}
        entries[name]["network_minus_this"] = several_difference(ours, theirs, n, names=by.headline, seed=seed)
    return entries


def training_rows(data: SequenceData, seed: int) -> Ints:
    """Return the training rows that baselines are fitted on: all, or as many as make ten million bases."""
    rows = data.rows("train")
    most = max(2, MOST_TRAINING_BASES // data.length)
    return rows if len(rows) <= most else np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def n_bases(data: SequenceData) -> dict[str, Any] | None:
    """Return how many labelled bases of each kind there are in each split; None where targets are numbers."""
    if not data.labels or data.tracks is None:
        return None
    return {
        split: {name: int((data.tracks[data.rows(split), t] > 0).sum()) for t, name in enumerate(data.outputs)}
        | {"all": int(len(data.rows(split)) * data.length)}
        for split in ("train", "val", "test")
    }


def write_predictions(path: Path, data: SequenceData, test: Held) -> None:
    """Write truth and predictions of every test base: id (n,), prediction and target (n, T, L), outputs (T,), and the input signals."""
    arrays: dict[str, Any] = {
        "prediction": small(test.guess),
        "target": np.nan_to_num(test.truth).astype(np.uint8) if data.labels else small(test.truth),
    }
    if data.signal is not None:
        arrays["input"] = small(data.signal[test.rows])
    names: pd.Series[Any] = data.examples["id"].iloc[test.rows]
    with writing(path, force=True, binary=True) as handle:
        np.savez_compressed(handle, id=names.to_numpy(dtype=str), outputs=np.array(data.outputs, dtype=str), **arrays)


def small(values: Floats) -> Floats:
    """Return values in 16 bits, or in 32 where one is too large for that."""
    top = np.nanmax(np.abs(values)) if values.size and not np.isnan(values).all() else 0.0
    return values.astype(np.float16 if top < LARGEST_HALF else np.float32)
