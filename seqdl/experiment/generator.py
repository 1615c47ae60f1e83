"""What is written of a generative run: samples, and the report card that tells whether they are any good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.errors import DataError
from seqdl.experiment.judge import judge
from seqdl.experiment.provenance import write_json
from seqdl.experiment.samples import draw, write_samples
from seqdl.io.databases import load_database

if TYPE_CHECKING:
    from seqdl.experiment.run import Run

HEADLINE = ("kmer_auroc", "js_6")
N_SAMPLES = 2_000
FIGURES = {"kmer_auroc": ("two_sample", "kmer", "value"), "cnn_auroc": ("two_sample", "cnn", "value"), "js_6": ("kmers", "js_6")}
"""What of the card stands in metrics.json too: how well a k-mer model and a network tell samples from real ones, and their 6-mers' divergence."""


def write_outcome(run: Run, say: Callable[[str], None]) -> list[Path]:
    """Write samples.fa, card.json and metrics.json; return the file of known motifs, if it was one."""
    metrics, files = write_card(run, say)
    data, task = run.data, run.task
    head: dict[str, Any] = {"task": run.config["task"]["name"], "kind": data.kind, "family": task.family, "headline": HEADLINE, "n": data.sizes()}
    write_json(run.folder / "metrics.json", head | metrics)
    return files


def write_card(run: Run, say: Callable[[str], None]) -> tuple[dict[str, Any], list[Path]]:
    """Draw samples, judge them against held-out sequences, and write samples.fa and card.json.

    Returns
    -------
    metrics : dict
        "test" and "baselines" with a few figures of the card, and its "verdict"; where there are too few sequences, why there is no card.
    files : list of Path
        The file of known motifs, if it was one.
    """
    data, database = run.data, run.config.get("database") or "jaspar"
    say(f"drawing {N_SAMPLES:,} sequences")
    samples = draw(run.task, N_SAMPLES, data.length, seed=run.seed, **conditions(run))
    write_samples(run.folder / "samples.fa", samples, force=True)
    say("judging them beside held-out sequences, Markov chains and shuffles")
    try:
        card = judge(samples, data.codes[data.held_out_rows()], data.codes_of("train"), motifs=load_database(database), seed=run.seed).to_dict()
    except DataError as error:
        say(f"note: there is no report card: {error}")
        return {"test": {}, "baselines": {}, "verdict": {"text": str(error)}}, []
    write_json(run.folder / "card.json", card)
    beside = {"real": card["real"], **card["baselines"]}
    told = {name: {**_figures(entry), "detail": _detail(name)} for name, entry in beside.items() if entry}
    return {"test": _figures(card["sample"]), "baselines": told, "verdict": card["verdict"]}, [Path(database)] if Path(database).is_file() else []


def _figures(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the few figures of a part of the card that metrics.json repeats."""
    found = {}
    for name, path in FIGURES.items():
        value: Any = entry
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        found[name] = {"value": value if isinstance(value, int | float) else None}
    return found


def _detail(name: str) -> str:
    return "held-out real sequences: the noise floor" if name == "real" else name.replace("_", " ")


def conditions(run: Run) -> dict[str, Any]:
    """Return the condition that samples are drawn for, of a conditional model: the middle of the targets."""
    if not getattr(run.task, "condition", 0):
        return {}
    return {"condition": float(np.median(run.data.targets("train")[:, 0]))}
