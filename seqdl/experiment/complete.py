"""After training: predictions, metrics, motifs, example tracks, manifest and the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.audit.leakage import find_leaks
from seqdl.audit.summary import audit_examples
from seqdl.experiment.evaluate import evaluate_baselines, evaluate_predictions
from seqdl.experiment.predict import device_name
from seqdl.experiment.provenance import refresh_outputs, write_json, write_manifest
from seqdl.experiment.tracks import write_tracks
from seqdl.experiment.yardstick import yardstick
from seqdl.io.bed import write_bed
from seqdl.io.table import write_tsv

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run


def silent(text: str) -> None:
    """Say nothing."""


def write_data(folder: Path, data: SequenceData, *, found: dict[str, Any] | None = None) -> None:
    """Write data/ and audit.json: what there is before anything is trained; `found` is the audit, where it was made already."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    write_tsv(folder / "data" / "examples.tsv", data.examples, force=True)
    write_tsv(folder / "data" / "dropped.tsv", data.ledger.table(), force=True)
    if data.negatives is not None:
        write_bed(folder / "data" / "negatives.bed", data.negatives, force=True)
    write_json(folder / "audit.json", audit(data) if found is None else found)


def audit(data: SequenceData) -> dict[str, Any]:
    """Return the audit of a data set."""
    target = None if data.numeric else data.targets()[:, 0]
    split = data.examples["split"].to_numpy()
    return audit_examples(data.sequences(data.rows()), target, split, intervals=intervals_of(data), ledger=data.ledger)


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
    from seqdl.io.databases import load_database
    from seqdl.report.build import build_report

    seed, folder = int(run.config.get("seed", 0)), run.folder
    say("evaluating on held-out examples")
    database_name = run.config.get("database") or "jaspar"
    known = load_database(database_name)
    leaks = find_leaks(run.data.codes, run.data.examples["split"].to_numpy(), intervals=intervals_of(run.data))
    by = yardstick(run.data.kind, run.task.outputs)
    metrics = evaluate_predictions(run.predictions, by, leaky=leaks.leaky[run.predictions.index], seed=seed)
    say("fitting the baselines")
    metrics["baselines"], scores = evaluate_baselines(run.data, run.predictions, by, motifs=known, seed=seed)
    beside = {f"baseline_{name}": values for name, values in scores.items() if values.ndim == 1}
    write_tsv(folder / "predictions.tsv", run.predictions.assign(**beside), force=True, float_format="%.9g")
    head = {"task": run.config["task"]["name"], "outputs": run.task.outputs, "n": run.data.counts()}
    write_json(folder / "metrics.json", head | metrics | class_tables(run))
    say(f"turning filters into motifs, named against {database_name}")
    run.motifs(database_name)
    write_tracks(run, seed)
    inputs = [*run.data.inputs, *([Path(database_name)] if Path(database_name).is_file() else [])]
    seconds = seconds if seconds is not None else logged_seconds(folder)
    write_manifest(folder, inputs=inputs, command=command, seed=seed, device=device_name(str(run.config.get("device", "auto"))), seconds=seconds)
    page = build_report(folder)  # it tells of the manifest, and is then an output itself
    refresh_outputs(folder)
    return page


def class_tables(run: Run) -> dict[str, Any]:
    """Return the confusion matrix and the measures of each class on the test split, where there are classes."""
    if not run.data.classes:
        return {}
    from seqdl.evaluate.classes import confusion_matrix, per_class

    target, scores = yardstick("multiclass", run.data.classes).scores(run.predictions[run.predictions["split"] == "test"])
    matrix = confusion_matrix(target, scores.argmax(axis=1), len(run.data.classes))
    rows = per_class(target, scores)
    return {"confusion": matrix.tolist(), "per_class": [row | {"name": name} for name, row in zip(run.data.classes, rows, strict=True)]}


def logged_seconds(folder: Path) -> float:
    """Return the seconds of training that log.csv tells of."""
    rows = (folder / "log.csv").read_text().splitlines()
    return float(rows[-1].rsplit(",", 1)[-1]) if len(rows) > 1 else 0.0
