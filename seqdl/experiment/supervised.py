"""What is written of a network that predicts something of each sequence: predictions, metrics, motifs, example tracks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.experiment.calibrate import calibration_errors
from seqdl.experiment.complete import leaks_of
from seqdl.experiment.evaluate import evaluate_baselines, evaluate_predictions
from seqdl.experiment.provenance import write_json
from seqdl.experiment.tracks import write_tracks
from seqdl.experiment.yardstick import SeveralYardstick, Yardstick, measured_as, yardstick
from seqdl.io.table import write_tsv

if TYPE_CHECKING:
    from seqdl.experiment.run import Run


def write_outcome(run: Run, say: Callable[[str], None]) -> list[Path]:
    """Write predictions.tsv, metrics.json, motifs/ and attributions/; return the file of known motifs, if it was one."""
    from seqdl.io.databases import load_database

    folder = run.folder
    say("evaluating on held-out examples")
    database = run.config.get("database") or "jaspar"
    known = load_database(database)
    leaks = leaks_of(run.data)
    kind = measured_as(run.task, run.data)
    by = yardstick(kind, run.task.outputs)
    metrics = evaluate_predictions(run.predictions, by, leaky=leaks.leaky[run.predictions.index], seed=run.seed)
    say("fitting the baselines")
    metrics["baselines"], scores = evaluate_baselines(run.data, run.predictions, by, motifs=known, seed=run.seed)
    beside = {f"baseline_{name}": values for name, values in scores.items() if values.ndim == 1}
    write_tsv(folder / "predictions.tsv", run.predictions.assign(**beside), force=True, float_format="%.9g")
    name = run.config["task"]["name"]
    head = {"task": name, "kind": kind, "headline": by.headline, "outputs": run.task.outputs, "n": run.data.sizes()}
    calibration = calibration_errors(run.task, run.predictions)
    head |= {} if calibration is None else {"calibration": calibration}
    write_json(folder / "metrics.json", head | metrics | class_tables(run) | output_tables(run, by))
    if run.has_filters:
        say(f"turning filters into motifs, named against {database}")
        run.motifs(database)
    write_tracks(run, run.seed)
    return [Path(database)] if Path(database).is_file() else []


def output_tables(run: Run, by: Yardstick) -> dict[str, Any]:
    """Return the measures of each output on the test split, where there are several."""
    if not isinstance(by, SeveralYardstick):
        return {}
    test = by.scores(run.predictions[run.predictions["split"] == "test"])
    return {"per_output": by.per_output(*test, seed=run.seed)}


def class_tables(run: Run) -> dict[str, Any]:
    """Return the confusion matrix and the measures of each class on the test split, where there are classes."""
    if not run.data.classes:
        return {}
    from seqdl.evaluate.classes import confusion_matrix, per_class

    target, scores = yardstick("multiclass", run.data.classes).scores(run.predictions[run.predictions["split"] == "test"])
    matrix = confusion_matrix(target, scores.argmax(axis=1), len(run.data.classes))
    rows = per_class(target, scores)
    return {"confusion": matrix.tolist(), "per_class": [row | {"name": name} for name, row in zip(run.data.classes, rows, strict=True)]}
