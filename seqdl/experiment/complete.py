"""After training: what follows from the trained task, the manifest and the report."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from seqdl.audit.leakage import LeakTable, find_leaks
from seqdl.audit.summary import audit_examples
from seqdl.data.examples import within
from seqdl.experiment.predict import device_name
from seqdl.experiment.provenance import refresh_outputs, write_json, write_manifest
from seqdl.io.bed import write_bed
from seqdl.io.table import write_tsv

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.tasks.base import Task

Outcome: TypeAlias = "Callable[[Run, Callable[[str], None]], list[Path]]"
"""Measures a run and writes what it finds into the folder; returns the files it read besides the run's own inputs."""


def silent(text: str) -> None:
    """Say nothing."""


def write_data(folder: Path, data: SequenceData, *, found: dict[str, Any] | None = None) -> None:
    """Write data/ and audit.json: what there is before anything is trained; `found` is the audit, where it was made already."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    write_tsv(folder / "data" / "examples.tsv", within(data.examples, data.context), force=True)
    write_tsv(folder / "data" / "dropped.tsv", data.ledger.table(), force=True)
    if data.negatives is not None:
        write_bed(folder / "data" / "negatives.bed", data.negatives, force=True)
    write_json(folder / "audit.json", audit(data) if found is None else found)


def audit(data: SequenceData) -> dict[str, Any]:
    """Return the audit of a data set."""
    target = data.targets()[:, 0] if data.kind == "multiclass" or (data.kind == "binary" and len(data.outputs) == 1) else None
    split = data.examples["split"].to_numpy()
    lengths = np.full(len(data), data.length) if data.lengths is None else data.lengths
    return audit_examples(data.codes, target, split, lengths=lengths, intervals=intervals_of(data), ledger=data.ledger)


def leaks_of(data: SequenceData) -> LeakTable:
    """Return which held-out examples of a data set are in its training split, each looked at in its own length."""
    lengths = np.full(len(data), data.length) if data.lengths is None else data.lengths
    return find_leaks(data.codes, data.examples["split"].to_numpy(), lengths=lengths, intervals=intervals_of(data))


def intervals_of(data: SequenceData) -> pd.DataFrame | None:
    """Return the examples' intervals, or None where they have none."""
    table = data.examples
    return table[["chrom", "start", "end", "strand"]] if (table["chrom"] != "").all() else None


def complete(run: Run, *, command: str = "seqdl.fit", seconds: float | None = None, say: Callable[[str], None] = silent) -> Path:
    """Write everything of a run folder that follows from the trained task.

    Parameters
    ----------
    run : Run
    command : str
        For the manifest.
    seconds : float, optional
        For the manifest: how long the run took.
    say : callable, optional
        Told of each step.

    Returns
    -------
    Path
        The report.
    """
    from seqdl.report.build import build_report

    folder = run.folder
    inputs = [*run.data.inputs, *outcome_of(run.task)(run, say)]
    seconds = seconds if seconds is not None else logged_seconds(folder)
    place = device_name(str(run.config.get("device", "auto")))
    write_manifest(folder, inputs=inputs, command=command, seed=run.seed, device=place, seconds=seconds)
    page = build_report(folder)  # it tells of the manifest, and is then an output itself
    refresh_outputs(folder)
    return page


def outcome_of(task: Task) -> Outcome:
    """Return what is done with a trained task of its family: measured, and written into the run folder."""
    module = importlib.import_module(f"seqdl.experiment.{'along' if task.per_base and task.family == 'supervised' else task.family}")
    found: Outcome = module.write_outcome
    return found


def logged_seconds(folder: Path) -> float:
    """Return the seconds of training that log.csv tells of."""
    rows = (folder / "log.csv").read_text().splitlines()
    return float(rows[-1].rsplit(",", 1)[-1]) if len(rows) > 1 else 0.0
