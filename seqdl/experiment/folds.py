"""Several runs for one number: cross-validation by chromosome, repeats over seeds."""

from __future__ import annotations

import copy
import dataclasses
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


def train_folds(config: Config, folder: Path, *, n_folds: int, **how: Any) -> dict[str, Any]:
    """Train `n_folds` runs into folder/fold0 ... and write folder/metrics.json over them.

    Parameters
    ----------
    config : Config
    folder : Path
    n_folds : int, >= 3
        Fold k tests the chromosomes whose index is k modulo `n_folds` (of sequences: families of near copies; with a random split: examples)
        and validates on the next fold.
    **how
        command, force, resume, say, as for `train`; with `resume`, finished runs are kept.

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
    configs = {}
    for fold in range(n_folds):
        configs[f"fold{fold}"] = copy.deepcopy(config)
        configs[f"fold{fold}"].data.fold, configs[f"fold{fold}"].data.n_folds = fold, n_folds
    return train_several(configs, folder, **how)


def train_seeds(config: Config, folder: Path, *, n_seeds: int, **how: Any) -> dict[str, Any]:
    """Train `n_seeds` runs that differ in nothing but their seed into folder/seed0 ... and write folder/metrics.json over them.

    Parameters
    ----------
    config : Config
        Its seed is the first; the others follow it.
    folder, **how
        As for `train_folds`.
    n_seeds : int, >= 2

    Raises
    ------
    InputError
        If there are fewer than two seeds.
    """
    if n_seeds < 2:
        raise InputError(f"--seeds {n_seeds}: at least 2 were expected, since one shows no spread. Use --seeds 3 or more, or --seed for one.")
    configs = {f"seed{k}": dataclasses.replace(copy.deepcopy(config), seed=config.seed + k) for k in range(n_seeds)}
    return train_several(configs, folder, **how)


def train_several(
    configs: dict[str, Config], folder: Path, *, command: str = "", force: bool = False, resume: bool = False, say: Callable[[str], None] = silent
) -> dict[str, Any]:
    """Train a run a config into folder/NAME and write folder/metrics.json over them."""
    if not resume:
        check_output(folder, force=force)
    found = []
    for number, (name, config) in enumerate(configs.items(), start=1):
        place = folder / name
        if not (resume and (place / MANIFEST).is_file()):
            say(f"{name} ({number} of {len(configs)})")
            begun = resume and (place / "checkpoints" / "last.ckpt").is_file()
            train(config, place, command=command, force=force or (resume and not begun), resume=begun, say=say)
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
        if isinstance(first, dict) and "value" in first:
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
