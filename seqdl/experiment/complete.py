"""After training: predictions, metrics, motifs, example tracks, manifest and the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.audit.leakage import find_leaks
from seqdl.audit.summary import audit_examples
from seqdl.experiment.evaluate import add_differences, evaluate_baselines, evaluate_predictions
from seqdl.experiment.predict import device_name
from seqdl.experiment.provenance import refresh_outputs, write_json, write_manifest
from seqdl.io.bed import write_bed
from seqdl.io.files import writing
from seqdl.io.table import write_tsv

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.types import Codes, Ints

N_TRACKS = 5


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
    target, split = data.targets()[:, 0], data.examples["split"].to_numpy()
    return audit_examples(sequences_of(data, data.rows()), target, split, intervals=intervals_of(data), ledger=data.ledger)


def sequences_of(data: SequenceData, rows: Ints) -> list[Codes]:
    """Return the sequences of some rows at their own lengths, so that an N at an end is not taken for padding."""
    lengths = np.full(len(data), data.length) if data.lengths is None else data.lengths
    return [data.codes[row, : lengths[row]] for row in rows]


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
    metrics = evaluate_predictions(run.predictions, leaky=leaks.leaky[run.predictions.index], seed=seed)
    say("fitting the baselines: GC, k-mers, best known motif")
    metrics["baselines"], scores = evaluate_baselines(run.data, known, seed=seed)
    add_differences(metrics["baselines"], scores, run.predictions, seed=seed)
    beside = {f"baseline_{name}": values for name, values in scores.items()}
    write_tsv(folder / "predictions.tsv", run.predictions.assign(**beside), force=True, float_format="%.9g")
    head = {"task": run.config["task"]["name"], "outputs": run.task.outputs, "n": run.data.counts()}
    write_json(folder / "metrics.json", head | metrics)
    say(f"turning filters into motifs, named against {database_name}")
    run.motifs(database_name)
    write_tracks(run, seed)
    inputs = [*run.data.inputs, *([Path(database_name)] if Path(database_name).is_file() else [])]
    seconds = seconds if seconds is not None else logged_seconds(folder)
    write_manifest(folder, inputs=inputs, command=command, seed=seed, device=device_name(str(run.config.get("device", "auto"))), seconds=seconds)
    page = build_report(folder)  # it tells of the manifest, and is then an output itself
    refresh_outputs(folder)
    return page


def logged_seconds(folder: Path) -> float:
    """Return the seconds of training that log.csv tells of."""
    rows = (folder / "log.csv").read_text().splitlines()
    return float(rows[-1].rsplit(",", 1)[-1]) if len(rows) > 1 else 0.0


def write_tracks(run: Run, seed: int) -> None:
    """Write the attributions of five examples of the test split, chosen by rule and not by looks."""
    from seqdl.interpret.attribute import attribute
    from seqdl.sequence.encode import one_hot

    table = run.predictions
    rows = example_rows(table)
    codes = run.data.codes[rows]
    lengths = np.full(len(rows), run.data.length) if run.data.lengths is None else run.data.lengths[rows]
    scores = np.zeros((len(rows), 4, run.data.length), dtype=np.float32)
    for row, length in enumerate(lengths):  # each at its own length: padding is not sequence
        scores[row, :, :length] = attribute(run.task, one_hot(codes[row : row + 1, :length]), method="deeplift", seed=seed)[0]
    folder = run.folder / "attributions"
    folder.mkdir(exist_ok=True)
    chosen = table.loc[rows]
    with writing(folder / "examples.npz", force=True, binary=True) as handle:
        np.savez_compressed(
            handle,
            id=chosen["id"].to_numpy(dtype=str),
            codes=codes,
            attributions=scores,
            prediction=chosen["prediction"].to_numpy(),
            target=chosen["target"].to_numpy(),
            method=np.array("deeplift"),
        )


def example_rows(table: pd.DataFrame) -> Ints:
    """Return rows of the test split: three positives at the top, middle and lower quartile, a missed one, a false alarm.

    Parameters
    ----------
    table : DataFrame
        Predictions: id, split, target, prediction.
    """
    test = table[table["split"] == "test"].sort_values("prediction", ascending=False, kind="stable")
    positives, negatives = test.index[test["target"] > 0], test.index[test["target"] <= 0]
    picked = [positives[min(len(positives) - 1, round(q * (len(positives) - 1)))] for q in (0.0, 0.25, 0.5, 1.0)] if len(positives) else []
    picked += list(negatives[:1])
    return np.array(list(dict.fromkeys(picked))[:N_TRACKS], dtype=np.int64)
