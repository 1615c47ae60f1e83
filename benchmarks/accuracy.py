"""How good the default is, on every development set, beside what else a user could take.

    python benchmarks/accuracy.py run yeast deepbind --seeds 0 1 2 --peers -o RESULTS      trains; what is there already is kept
    python benchmarks/accuracy.py table RESULTS                                           prints the table

A cell is a set, one of its folds and a seed. Each is written to RESULTS/cells.jsonl when it is done, so that several processes may share the work.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from peers import TEXTBOOK, GappedKmers
from sets import GROUPS, SETS

from seqdl.evaluate.metrics import auprc, auroc
from seqdl.experiment.build import build_task
from seqdl.experiment.config import make_config
from seqdl.experiment.fit import Fitting
from seqdl.experiment.predict import data_logits
from seqdl.experiment.prepare import prepare
from seqdl.experiment.train import train

PEERS = ("gapped", "textbook")


def default(config: dict[str, Any], folder: Path, seed: int) -> dict[str, Any]:
    """Train with everything at its default and return test metrics, those of the baselines, and CPU seconds."""
    began = time.process_time()
    run = train(make_config({**config, "seed": seed}), folder, force=True)
    seconds = time.process_time() - began
    lead = run.metrics["headline"]
    names = [*lead, "mcc", "accuracy"]
    found = {"network": {name: run.metrics["test"][name]["value"] for name in names if name in run.metrics["test"]}}
    if "mcc" in found["network"]:
        found["network"]["mcc_chosen"] = mcc_at_chosen(folder / "predictions.tsv")
    for name, entry in run.metrics["baselines"].items():
        found[name] = {metric: entry[metric]["value"] for metric in lead if metric in entry}
    return {"seconds": seconds, "lead": lead[0], "scores": found, "motif": first_motif(folder / "motifs" / "motifs.tsv")}


def mcc_at_chosen(path: Path) -> float:
    """Return the correlation coefficient of the test split at the threshold that gives the greatest on validation."""
    table = pd.read_csv(path, sep="\t")
    val, test = (
        (part["target"].to_numpy() > 0, part["prediction"].to_numpy()) for part in (table[table["split"] == name] for name in ("val", "test"))
    )
    thresholds = np.unique(val[1])
    best = max(thresholds, key=lambda threshold: correlation(val[0], val[1] >= threshold))
    return correlation(test[0], test[1] >= best)


def correlation(truth: Any, found: Any) -> float:
    """Return the correlation coefficient of two yes-or-no columns; 0 where one is constant."""
    return float(np.corrcoef(truth, found)[0, 1]) if found.any() and not found.all() else 0.0


def first_motif(path: Path) -> list[Any] | None:
    """Return consensus, best match, its q-value, other matches and their family, of the most important motif; None of a network without filters."""
    if not path.is_file():
        return None
    first = pd.read_csv(path, sep="\t").fillna("").iloc[0]
    return [first["consensus"], first["match"], first["match_q"], first["also_matches"], first["match_family"]]


def peers(config: dict[str, Any], folder: Path, seed: int, *, names: list[str]) -> dict[str, Any]:
    """Return test metrics of the gapped k-mer machine and of the textbook network, both on as many negatives a positive as the test has.

    Where the default reads what surrounds a window, so may the machine ("gapped_wide"); the test examples are the same in all cases.
    """
    own = {**config, "data": {**config["data"], "train_ratio": 2 if "peaks" in config["data"] else 1}, "seed": seed}
    data = prepare(make_config(own))
    whole = data.codes
    window = whole[:, data.context : data.length - data.context]
    train_rows, test_rows = data.rows("train"), data.rows("test")
    target = data.truth()[:, 0] > 0
    found = {}
    for name, codes in {"gapped": window, "gapped_wide": whole}.items() if data.context else [("gapped", whole)]:
        if "gapped" not in names:
            continue
        scores = GappedKmers().fit(codes[train_rows], target[train_rows], seed=seed).predict(codes[test_rows])
        found[name] = {"auroc": auroc(target[test_rows], scores), "auprc": auprc(target[test_rows], scores)}
    if "textbook" not in names:
        return found
    textbook = make_config({**TEXTBOOK, "seed": seed, "data": own["data"]})
    data.codes, data.context = np.ascontiguousarray(window), 0
    task = build_task(textbook, data)
    Fitting(task, data, folder, textbook.training, seed=seed).run()
    scores = data_logits(task, data, test_rows)[:, 0]
    found["textbook"] = {"auroc": auroc(target[test_rows], scores), "auprc": auprc(target[test_rows], scores)}
    return found


def work(options: argparse.Namespace) -> None:
    """Do the cells that are not there yet."""
    place: Path = options.output
    place.mkdir(parents=True, exist_ok=True)
    names = [one for name in options.sets for one in GROUPS.get(name, (name,))]
    for seed in options.seeds:
        for name in names:
            for part, config in SETS[name](place).items():
                key = f"{name}/{part}/{seed}"
                if (options.parts and part not in options.parts) or not claim(place, key):
                    continue
                folder = place / "runs" / key.replace("/", "_")
                cell = default(config, folder, seed)
                if options.peers is not None:
                    cell["scores"] |= peers(config, folder, seed, names=options.peers or list(PEERS))
                if not options.keep:
                    shutil.rmtree(folder)
                with (place / "cells.jsonl").open("a") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    file.write(json.dumps({"set": name, "part": part, "seed": seed, **cell}) + "\n")
                shown = {method: round(float(np.nan_to_num(score.get(cell["lead"], np.nan))), 3) for method, score in cell["scores"].items()}
                print(f"{key:28} {cell['seconds']:4.0f} CPU s  {shown}", flush=True)


def claim(place: Path, key: str) -> bool:
    """Take a cell, unless another process has taken it."""
    try:
        (place / f"{key.replace('/', '_')}.taken").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def show(place: Path) -> None:
    """Print mean and spread over seeds: each seed's score is the mean over its folds."""
    cells = [json.loads(line) for line in (place / "cells.jsonl").read_text().splitlines()]
    by_set: dict[str, dict[str, dict[int, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    seconds = defaultdict(list)
    methods = dict.fromkeys(method for cell in cells for method in cell["scores"])
    for cell in cells:
        seconds[cell["set"]].append(cell["seconds"])
        for method, score in cell["scores"].items():
            value = score.get(cell["lead"])
            if value is not None:
                by_set[cell["set"]][method][cell["seed"]].append(value)
    lead = {cell["set"]: cell["lead"] for cell in cells}
    print("| set | measure | " + " | ".join(methods) + " | CPU s |\n|---" * 1 + "|---" * (len(methods) + 2) + "|")
    for name, found in by_set.items():
        row = [spread([statistics.fmean(values) for values in found[method].values()]) for method in methods]
        print(f"| {name} | {lead[name]} | " + " | ".join(row) + f" | {statistics.fmean(seconds[name]):.0f} |")
    for group, names in GROUPS.items():
        there = [name for name in names if name in by_set]
        if len(there) > 1:
            means = [_mean_over(by_set, there, method) for method in methods]
            print(f"| mean of {group} ({len(there)}) | | " + " | ".join(means) + " | |")


def _mean_over(by_set: dict[str, Any], names: list[str], method: str) -> str:
    if any(not by_set[name][method] for name in names):
        return "-"
    seeds = sorted(set.intersection(*(set(by_set[name][method]) for name in names)))
    return spread([statistics.fmean(statistics.fmean(by_set[name][method][seed]) for name in names) for seed in seeds])


def spread(values: list[float], *, digits: int = 3) -> str:
    """Return mean and standard deviation, as text."""
    if not values:
        return "-"
    return f"{statistics.fmean(values):.{digits}f}" + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    run = verbs.add_parser("run")
    run.add_argument("sets", nargs="+", choices=(*SETS, *GROUPS))
    run.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    run.add_argument("--parts", nargs="+", metavar="PART", help="these folds only, such as fold0")
    run.add_argument(
        "--peers", nargs="*", choices=PEERS, metavar="NAME", help="also the gapped k-mer machine and the textbook network, or one of them"
    )
    run.add_argument("--keep", action="store_true", help="keep the run folders")
    run.add_argument("-o", "--output", type=Path, required=True)
    run.set_defaults(does=work)
    table = verbs.add_parser("table")
    table.add_argument("output", type=Path)
    table.set_defaults(does=lambda options: show(options.output))
    options = parser.parse_args()
    options.does(options)


if __name__ == "__main__":
    main()
