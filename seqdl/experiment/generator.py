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
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.types import Codes, Floats

HEADLINE = ("kmer_auroc", "js_6")
N_SAMPLES = 2_000
PARTS = 10
"""Parts of the training examples, by the number that a conditional model is told, for each of which samples are drawn."""
DETAILS = {
    "real": "the noise floor: nothing should be better",
    "positions": "each base drawn by its position",
    "dinucleotide_shuffle": "training sequences shuffled, pairs of neighbours kept",
}
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
    samples, card, metrics = _judged(run, seed=run.seed, say=say)
    write_samples(run.folder / "samples.fa", samples, force=True)
    if card is None:
        return metrics, []
    write_json(run.folder / "card.json", card)
    say(f"verdict: {metrics['verdict']['text']}")
    database = _database(run)
    return metrics, [Path(database)] if Path(database).is_file() else []


def measured(run: Run, data: SequenceData, *, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return a few figures of the report card of fresh samples beside real sequences and simple generators; "text" is its verdict."""
    _, _, metrics = _judged(run, seed=seed, say=say)
    return metrics | {"headline": HEADLINE, "text": metrics["verdict"]["text"]}


def _judged(run: Run, *, seed: int, say: Callable[[str], None]) -> tuple[Codes, dict[str, Any] | None, dict[str, Any]]:
    """Return samples, their card (None where there are too few sequences for one), and what metrics.json repeats of it."""
    data = run.data
    say(f"drawing {N_SAMPLES:,} sequences")
    samples = draw_like_training(run, N_SAMPLES, seed=seed)
    say("judging them beside held-out sequences, Markov chains and shuffles")
    try:
        known = load_database(_database(run))
        card = judge(samples, data.codes[data.held_out_rows()], data.codes_of("train"), motifs=known, seed=seed).to_dict()
    except DataError as error:
        say(f"note: there is no report card: {error}")
        return samples, None, {"test": {}, "baselines": {}, "verdict": {"text": str(error)}}
    beside = {"real": card["real"], **card["baselines"]}
    told = {name: {**_figures(entry), "detail": _detail(name)} for name, entry in beside.items() if entry}
    return samples, card, {"test": _figures(card["sample"]), "baselines": told, "verdict": card["verdict"]}


def _database(run: Run) -> str:
    return str(run.config.get("database") or "jaspar")


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
    if name.startswith("markov"):
        return f"each base drawn by the {name[-1]} before it" if name != "markov0" else "bases drawn by their frequencies"
    return DETAILS[name]


def draw_like_training(run: Run, n: int, *, seed: int) -> Codes:
    """Return n drawn sequences, of a conditional model for conditions as frequent as they are among the training examples.

    Of a number, as many conditions are taken as there are parts of equal size: the middle of each.
    """
    data = run.data
    if not getattr(run.task, "condition", 0):
        return draw(run.task, n, data.length, seed=seed)
    told = shares_of(data.targets("train")[:, 0], n, numeric=bool(run.task.condition == 1))
    parts = [draw(run.task, size, data.length, seed=seed + number, condition=what) for number, (what, size) in enumerate(told)]
    return np.random.default_rng(seed).permutation(np.concatenate(parts))


def shares_of(targets: Floats, n: int, *, numeric: bool) -> list[tuple[float, int]]:
    """Return conditions and how many of n sequences are drawn for each.

    Examples
    --------
    >>> shares_of(np.array([0.0, 1.0, 1.0, 2.0]), 10, numeric=False)
    [(0.0, 3), (1.0, 5), (2.0, 2)]
    >>> shares_of(np.arange(100.0), 20, numeric=True)[:2]
    [(4.5, 2), (14.5, 2)]
    """
    if numeric:
        parts = np.array_split(np.sort(targets), min(PARTS, len(targets)))
        values, weights = [float(np.median(part)) for part in parts], np.ones(len(parts))
    else:
        found, counts = np.unique(targets, return_counts=True)
        values, weights = found.tolist(), counts.astype(np.float64)
    ends = np.ceil(np.cumsum(weights) / weights.sum() * n - 1e-9).astype(int)
    sizes = np.diff(ends, prepend=0)
    return [(value, int(size)) for value, size in zip(values, sizes, strict=True) if size]
