"""Run folders of other tasks: a number and several classes, made from that of the binary run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from seqdl.evaluate import classes, regression

SIZES = {"train": 4000, "val": 500, "test": 2000}
CLASSES = ["donor", "acceptor", "neither"]


def write_number_run(folder: Path, *, noise: float = 0.5, offset: float = 0.0, seed: int = 0) -> Path:
    """Turn a binary run folder into one of a regression; `noise` and `offset` are those of the network's predictions."""
    rng = np.random.default_rng(seed)
    split = np.repeat(list(SIZES), list(SIZES.values()))
    target = 8 + 2 * rng.normal(size=split.size)
    names = [f"promoter{i}" for i in range(split.size)]
    _examples(folder, pd.DataFrame({"id": names, "target": target, "split": split}))
    prediction = 8 + 0.8 * (target - 8) + noise * 2 * rng.normal(size=target.size) + offset
    held_out = split != "train"
    table = pd.DataFrame({"id": names, "split": split, "target": target, "prediction": prediction, "logit": prediction})[held_out]
    table.to_csv(folder / "predictions.tsv", sep="\t", index=False, float_format="%.9g")
    metrics = {"task": "regression", "outputs": ["target"], "n": {name: {"examples": n} for name, n in SIZES.items()}}
    for name in ("val", "test"):
        rows = table[table["split"] == name]
        metrics[name] = regression.regression_intervals(rows["target"], rows["prediction"], n_resamples=200)
    metrics["test_leak_free"] = metrics["test"]
    test = table[table["split"] == "test"]
    metrics["baselines"] = {}
    for name, strength, detail in (
        ("gc", 0.2, "GC content, ridge regression (the target rises with it)"),
        ("kmer", 0.7, "k-mers of 5, 6 and 7 bp (strands told apart), ridge regression (penalty 100, chosen on the training set)"),
    ):
        guess = strength * test["target"] + 2 * rng.normal(size=len(test))
        measured = regression.regression_intervals(test["target"], guess, n_resamples=200, metrics=("pearson", "spearman"))
        gain = regression.paired_difference(test["target"], test["prediction"], guess, metrics=("pearson", "spearman"), n_resamples=200)
        metrics["baselines"][name] = {**measured, "detail": detail, "network_minus_this": gain}
    _finish(folder, metrics, task="regression", tracks=(test["prediction"].to_numpy()[:6], test["target"].to_numpy()[:6]))
    _log(folder, "val_pearson")
    return folder


def write_class_run(folder: Path, *, skill: float = 3.0, seed: int = 0) -> Path:
    """Turn a binary run folder into one of three classes; `skill` is what the true class gains in logits."""
    rng = np.random.default_rng(seed)
    split = np.repeat(list(SIZES), list(SIZES.values()))
    number = rng.choice(3, size=split.size, p=[0.24, 0.24, 0.52])
    names = [f"site{i}" for i in range(split.size)]
    label = np.array(CLASSES, dtype=object)[number]
    _examples(folder, pd.DataFrame({"id": names, "target": label, "split": split}))
    logit = rng.normal(size=(split.size, 3)) + skill * np.eye(3)[number]
    probability = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
    held_out = split != "train"
    columns = {"id": names, "split": split, "target": label, "prediction": np.array(CLASSES, dtype=object)[logit.argmax(axis=1)]}
    for k, name in enumerate(CLASSES):
        columns |= {f"prediction_{name}": probability[:, k], f"logit_{name}": logit[:, k]}
    table = pd.DataFrame(columns)[held_out]
    table.to_csv(folder / "predictions.tsv", sep="\t", index=False, float_format="%.9g")
    counts = {name: {one: int(((split == name) & (label == one)).sum()) for one in CLASSES} for name in SIZES}
    metrics = {"task": "multiclass", "outputs": CLASSES, "n": counts}
    for name in ("val", "test"):
        metrics[name] = classes.class_intervals(number[split == name], probability[split == name], n_resamples=200)
    test, truth = split == "test", number[split == "test"]
    metrics["baselines"] = {}
    for name, strength, detail in (
        ("gc", 0.1, "GC content, logistic regression"),
        ("kmer", 1.0, "k-mers of 5, 6 and 7 bp (strands told apart), logistic regression (C = 0.1, chosen on the training set)"),
        ("position", 2.2, "base at each position, logistic regression (C = 0.3, chosen on the training set)"),
    ):
        other = rng.normal(size=(truth.size, 3)) + strength * np.eye(3)[truth] + np.log([0.24, 0.24, 0.52])
        other = np.exp(other) / np.exp(other).sum(axis=1, keepdims=True)
        measured = classes.class_intervals(truth, other, n_resamples=200, metrics=("accuracy", "macro_auroc"))
        gain = classes.paired_difference(truth, probability[test], other, metrics=("accuracy", "macro_auroc"), n_resamples=200)
        metrics["baselines"][name] = {**measured, "detail": detail, "network_minus_this": gain}
    metrics["confusion"] = classes.confusion_matrix(truth, logit[test].argmax(axis=1), 3).tolist()
    metrics["per_class"] = classes.per_class(truth, probability[test], CLASSES)
    _finish(folder, metrics, task="multiclass", tracks=(table["prediction"].to_numpy(dtype=str)[:6], table["target"].to_numpy(dtype=str)[:6]))
    _log(folder, "val_accuracy")
    return folder


def _examples(folder: Path, table: pd.DataFrame) -> None:
    empty = dict.fromkeys(("chrom", "start", "end", "strand"), "")
    table = table.assign(**empty)[["id", "chrom", "start", "end", "strand", "target", "split"]]
    table.to_csv(folder / "data/examples.tsv", sep="\t", index=False)


def _finish(folder: Path, metrics: dict[str, object], *, task: str, tracks: tuple[np.ndarray, np.ndarray]) -> None:
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["data"] = {
        "table": "/data/sequences.csv",
        "sequence_column": "seq",
        "target_columns": ["log_expression" if task == "regression" else "site"],
        "split": "homology",
        "strands": "single",
    }
    config["task"] = {"name": task, "pooling": "max"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    audit = json.loads((folder / "audit.json").read_text())
    audit |= {"n": metrics["n"], "shortcuts": [], "leak": False, "verdict": audit["verdict"][:1]}
    (folder / "audit.json").write_text(json.dumps(audit))
    with np.load(folder / "attributions/examples.npz") as arrays:
        kept = {name: arrays[name] for name in ("id", "codes", "attributions", "method")}
    np.savez_compressed(folder / "attributions/examples.npz", **kept, prediction=tracks[0], target=tracks[1])


def _log(folder: Path, column: str) -> None:
    log = pd.read_csv(folder / "log.csv").rename(columns={"val_auroc": column})
    log.to_csv(folder / "log.csv", index=False)


@pytest.fixture(scope="session")
def number_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of a regression; read only."""
    return write_number_run(Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("runs") / "expression")))


@pytest.fixture(scope="session")
def class_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of three classes; read only."""
    return write_class_run(Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("runs") / "splice")))


@pytest.fixture
def own_number_run(number_run: Path, tmp_path: Path) -> Path:
    """Return the run folder of a regression, to change things in."""
    return Path(shutil.copytree(number_run, tmp_path / "expression"))


@pytest.fixture
def own_class_run(class_run: Path, tmp_path: Path) -> Path:
    """Return the run folder of three classes, to change things in."""
    return Path(shutil.copytree(class_run, tmp_path / "splice"))
