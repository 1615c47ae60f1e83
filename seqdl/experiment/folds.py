"""Cross-validation by chromosome: a run a fold, and the numbers over them."""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqdl.errors import InputError
from seqdl.experiment.complete import silent
from seqdl.experiment.config import Config
from seqdl.experiment.provenance import MANIFEST, write_json
from seqdl.experiment.run import load_run
from seqdl.experiment.train import check_output, train


def train_folds(
    config: Config, folder: Path, *, n_folds: int, command: str = "", force: bool = False, resume: bool = False, say: Callable[[str], None] = silent
) -> dict[str, Any]:
    """Train `n_folds` runs into folder/fold0 ... and write folder/metrics.json over them.

    Parameters
    ----------
    config : Config
    folder : Path
    n_folds : int, >= 3
        Fold k tests the chromosomes whose index is k modulo `n_folds` and validates on the next fold.
    command, force, resume, say
        As for `train`; with `resume`, finished folds are kept.

    Returns
    -------
    dict
        What metrics.json holds.

    Raises
    ------
    InputError
        If there are fewer than three folds.
    """
    if n_folds < 3:
        raise InputError(f"--folds {n_folds}: at least 3 were expected, since one fold tests and the next validates. Use --folds 3 or more.")
    if not resume:
        check_output(folder, force=force)
    found = []
    for fold in range(n_folds):
        place = folder / f"fold{fold}"
        done = resume and (place / MANIFEST).is_file()
        if not done:
            say(f"fold {fold + 1} of {n_folds}")
            one = copy.deepcopy(config)
            one.data.fold, one.data.n_folds = fold, n_folds
            begun = resume and (place / "checkpoints" / "last.ckpt").is_file()
            train(one, place, command=command, force=force or (resume and not begun), resume=begun, say=say)
        found.append(load_run(place).metrics)
    metrics = over_runs(found)
    write_json(folder / "metrics.json", metrics)
    return metrics


def over_runs(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return mean, spread and a 95 % interval of the mean for every metric of several runs.

    Parameters
    ----------
    found : list of dict
        What metrics.json of each run holds.

    Returns
    -------
    dict
        "test", "val" and "baselines" with {"value": mean, "low", "high", "sd", "values"} a metric. The interval is
        Student's, over runs: it says how much the mean would move with other runs, not how one run's test set was drawn.
    """
    sections = {name: _over([one.get(name) or {} for one in found]) for name in ("val", "test", "test_leak_free")}
    names = list(found[0].get("baselines") or {})
    baselines = {name: _over([one["baselines"][name] for one in found]) for name in names}
    head = {key: found[0].get(key) for key in ("task", "outputs")}
    return head | {"n_runs": len(found)} | sections | {"baselines": baselines}


def _over(entries: list[dict[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for metric, first in entries[0].items():
        if isinstance(first, dict):
            values = [entry[metric]["value"] for entry in entries if entry.get(metric, {}).get("value") is not None]
            result[metric] = summarise(values)
    return result


def summarise(values: list[float]) -> dict[str, Any]:
    """Return the mean of a few values with Student's 95 % interval.

    Examples
    --------
    >>> found = summarise([0.8, 0.9, 1.0])
    >>> round(found["value"], 3), round(found["low"], 3), round(found["high"], 3)
    (0.9, 0.652, 1.148)
    """
    from scipy.stats import t

    if not values:
        return {"value": None, "low": None, "high": None, "values": []}
    mean = statistics.fmean(values)
    if len(values) == 1:
        return {"value": mean, "low": None, "high": None, "values": values}
    spread = statistics.stdev(values)
    half = float(t.ppf(0.975, len(values) - 1)) * spread / math.sqrt(len(values))
    return {"value": mean, "low": mean - half, "high": mean + half, "sd": spread, "values": values}
