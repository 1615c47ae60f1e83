"""How good generated sequences are: simulated promoters whose answer is known, two real sets, collapse, and generation by condition.

    python benchmarks/generate.py promoters -o RESULTS       GAN, LSTM language model and VAE on 10,000 simulated promoters, on one card
    python benchmarks/generate.py real -o RESULTS            human TATA promoters and promoters of E. coli, beside Markov chains
    python benchmarks/generate.py collapse -o RESULTS        the GAN of the lecture: does the monitor see its collapse, does the card
    python benchmarks/generate.py condition -o RESULTS       promoters of E. coli by tercile of expression, scored by a predictor of its own
    python benchmarks/generate.py table RESULTS              prints the tables

Networks are what `seqdl train --task gan`, `next_base` and `vae` take by default. A cell is a set, a generator and a seed; each is written to
RESULTS/cells.jsonl when it is done, its samples beside it, and what is there already is kept. One thread; times are CPU seconds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.dataset import SequenceData
from seqdl.data.promoters import promoter_elements, simulate_promoters
from seqdl.data.split import split_by_homology
from seqdl.evaluate.card import CardMaker, Figures, Measured, motif_rows
from seqdl.evaluate.card_pools import make_pools
from seqdl.evaluate.card_verdict import verdict
from seqdl.evaluate.diversity import Collapse, Diversity, collapse_monitor
from seqdl.evaluate.markov_ladder import MarkovChain, position_sample
from seqdl.evaluate.metrics import auroc
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.experiment.auto import resolve_auto
from seqdl.experiment.build import build_task
from seqdl.experiment.config import make_config
from seqdl.experiment.fit import fit_task, load_weights
from seqdl.experiment.judge import CnnProbe
from seqdl.experiment.predict import predict_logits
from seqdl.experiment.samples import draw
from seqdl.io.databases import load_database
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import encode
from seqdl.types import Codes

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
N_TRAIN, N_VAL, N_JUDGED = 10_000, 1_000, 5_000
LENGTH = 64
LECTURE = {"generator": "dense", "loss": "classic", "output": "softmax", "detector": False, "penalty": 0.0, "average": 0.0, "select": 1}
GENERATORS: dict[str, dict[str, Any]] = {
    "gan": {"task": {"name": "gan"}},
    "language model": {"task": {"name": "next_base"}},
    "vae": {"task": {"name": "vae"}},
    "lecture GAN": {"task": {"name": "gan", **LECTURE}, "model": {"name": "mlp"}, "training": {"max_steps": 1_500, "keep": "last"}},
}
TERCILES = ["low", "middle", "high"]
CORES = {"tata": (192, 256), "ecoli": (85, 165)}
"""The bases that are learnt: human, around the TATA box, which mostly begins at base 219 of 300; E. coli, the last 80, which hold both boxes."""


def write_cell(place: Path, cell: dict[str, Any]) -> None:
    with (place / "cells.jsonl").open("a") as file:
        file.write(json.dumps(cell) + "\n")
    print(json.dumps({key: value for key, value in cell.items() if key != "motifs"}), cell.get("motifs", ""), flush=True)


def cells(place: Path) -> list[dict[str, Any]]:
    path = place / "cells.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def is_done(place: Path, **key: Any) -> bool:
    return any(all(cell.get(name) == value for name, value in key.items()) for cell in cells(place))


def written(data: SequenceData, options: dict[str, Any], folder: Path, *, seed: int, n: int) -> tuple[Codes, float]:
    """Train a generator at its default and return n sequences that it wrote, and the CPU seconds of its training."""
    config = make_config({"data": {"fasta": ["in-memory.fa"]}, **options, "strands": "single", "seed": seed})
    config, _ = resolve_auto(config, data)
    began = time.process_time()
    task = build_task(config, data)
    fit_task(task, data, folder, training=config.training, seed=seed)
    seconds = time.process_time() - began
    return draw(task, n, data.length, seed=seed), seconds


class Judge:
    """One reference of real sequences, and the card's figures of whatever is held against it."""

    def __init__(self, real: Codes, train: Codes, motifs: list[Motif], *, n: int, seed: int) -> None:
        real_set, train_set = SequenceSet.of(real), SequenceSet.of(train)
        self.maker = CardMaker(make_pools(real_set.take(np.arange(n)), real_set, train_set, seed=seed), motifs, probes=[CnnProbe(seed)], seed=seed)
        self.real = self.maker.figures(self.maker.pools.held_out)
        self.n = len(self.maker.pools.held_out)

    def __call__(self, codes: Codes | None) -> Figures:
        """Return the figures that count; of held-out real sequences where no others are given."""
        found = self.real if codes is None else self.maker.figures(SequenceSet.of(codes[: self.n]))
        return summary(self.maker, found, self.real)


def summary(maker: CardMaker, found: Measured, real: Measured) -> Figures:
    """Return the figures of the card that a table shows, and what its verdict says."""
    rows, collapse = motif_rows(maker, found, real), Collapse.between(found.diversity, real.diversity)
    words = verdict(found.figures, real.figures, {}, collapse=collapse, motifs=rows)
    figures = found.figures
    return {
        "js_4": figures["kmers"]["js_4"],
        "js_6": figures["kmers"]["js_6"],
        "cnn": figures["two_sample"]["cnn"]["value"],
        "kmer": figures["two_sample"]["kmer"]["value"],
        "positions": figures["composition"]["position_distance"],
        "nearest": collapse.median,
        "nearest_real": collapse.real_median,
        "exact": figures["novelty"]["exact_copies"],
        "near_rate": figures["novelty"]["near_rate"],
        "collapsed": words["collapsed"],
        "copies": words["copies"],
        "against": [finding["title"] for finding in words["findings"] if finding["tone"] in ("serious", "caution")],
        "motifs": {row["name"].split()[-1]: [round(row["ratio"], 3), round(row["position_r"], 4)] for row in rows},
    }


def promoters(options: argparse.Namespace) -> None:
    """Train each generator on 10,000 simulated promoters and hold what it writes against others of the simulation."""
    for seed in options.seeds:
        train, val, real = (simulate_promoters(n, seed=10 * seed + i)[0] for i, n in enumerate((N_TRAIN, N_VAL, 2 * N_JUDGED), start=1_000))
        data = simulated(train, val)
        names = ["real", "markov3", *options.generators]
        names = [name for name in names if not is_done(options.output, set="promoters", generator=name, seed=seed)]
        if not names:
            continue
        judge = Judge(real, train, [element.motif for element in promoter_elements()], n=N_JUDGED, seed=seed)
        for name in names:
            network = name in GENERATORS
            codes, seconds = trained(name, data, options, seed=seed) if network else (simple(name, train, seed, n=N_JUDGED), 0.0)
            write_cell(options.output, {"set": "promoters", "generator": name, "seed": seed, "seconds": seconds, **judge(codes)})


def simulated(train: Codes, val: Codes) -> SequenceData:
    """Return a data set of both; a test split has to be there, and is not looked at."""
    sizes = [len(train), len(val), 10]
    return SequenceData.from_sequences(np.concatenate([train, val, val[:10]]), None, np.repeat(["train", "val", "test"], sizes))


def simple(name: str, train: Codes, seed: int, *, n: int) -> Codes | None:
    """Return what stands beside the networks; None for held-out real sequences."""
    rng = np.random.default_rng(seed)
    if name == "real":
        return None
    return position_sample(train, n, rng=rng) if name == "positions" else MarkovChain.fit(train, int(name[-1])).sample(n, train.shape[1], rng=rng)


def trained(name: str, data: SequenceData, options: argparse.Namespace, *, seed: int, mark: str = "") -> tuple[Codes, float]:
    """Return what a trained network writes, and keep it."""
    folder = options.output / "runs" / f"{mark}{name.replace(' ', '_')}_{seed}"
    steps = {"training": {"max_steps": options.steps}} if options.steps and name == "gan" else {}
    codes, seconds = written(data, GENERATORS[name] | steps, folder, seed=seed, n=N_JUDGED)
    np.save(folder / "samples.npy", codes)
    return codes, seconds


def real(options: argparse.Namespace) -> None:
    """Train on real promoters and hold what is written against a test split that nothing was chosen on, beside all Markov chains."""
    for name in options.sets:
        codes, _ = {"tata": tata, "ecoli": ecoli}[name]()
        split = split_by_homology(list(codes), fractions=(0.6, 0.1, 0.3), seed=0)
        data = SequenceData.from_sequences(codes, None, split)
        train, test = codes[split == "train"], codes[split == "test"]
        for seed in options.seeds:
            judge = ladder(name, train, test, options, seed=seed)
            for one in options.generators:
                if not is_done(options.output, set=name, generator=one, seed=seed):
                    drawn, seconds = trained(one, data, options, seed=seed, mark=name)
                    write_cell(options.output, {"set": name, "generator": one, "seed": seed, "seconds": seconds, **judge(drawn)})


def ladder(name: str, train: Codes, test: Codes, options: argparse.Namespace, *, seed: int) -> Judge:
    """Write the cells of the simple generators, and return the judge that they were held before."""
    motifs = load_database("jaspar") if name == "tata" else [consensus("-35", "TTGACA"), consensus("-10", "TATAAT")]
    judge = Judge(test, train, motifs, n=len(test) // 2, seed=seed)
    for one in ("real", *(f"markov{order}" for order in range(6)), "positions"):
        if not is_done(options.output, set=name, generator=one, seed=seed):
            write_cell(options.output, {"set": name, "generator": one, "seed": seed, "seconds": 0.0, **judge(simple(one, train, seed, n=judge.n))})
    return judge


def tata() -> tuple[Codes, None]:
    """Return human promoters with a TATA box, 64 bp around it."""
    with gzip.open(DATA / "deepromoter_tata/hs_pos_TATA.txt.gz", "rt") as lines:
        return np.stack([encode(line.strip())[slice(*CORES["tata"])] for line in lines if line.strip()]), None


def ecoli() -> tuple[Codes, NDArray[np.float64]]:
    """Return the last 80 bp of promoters of E. coli, and the logarithm of their expression."""
    table = pd.read_csv(DATA / "ecoli_promoter_mpra/ecoli_mpra_expr.csv.gz", encoding="utf-8-sig")
    return np.stack([encode(sequence)[slice(*CORES["ecoli"])] for sequence in table["realB"]]), table["expr"].to_numpy(dtype=np.float64)


def consensus(name: str, word: str) -> Motif:
    return Motif(name, np.eye(4)[:, encode(word)] * 90 + 2.5)


def collapse(options: argparse.Namespace) -> None:
    """Ask monitor and card about the GAN of the lecture, samples of which a part comes from 32 modes, and healthy ones."""
    for seed in options.seeds:
        train, val, first, second = (simulate_promoters(n, seed=2_000 + 10 * seed + i)[0] for i, n in enumerate((N_TRAIN, N_VAL, 5_000, 5_000)))
        sets = {f"{100 * share:.0f} % from 32 modes": part_from_modes(first, share, seed=seed) for share in (1.0, 0.5, 0.25)} | {"real": first}
        sets["lecture GAN"], _ = trained("lecture GAN", simulated(train, val), options, seed=seed)
        for name, codes in sets.items():
            alarms = [collapse_monitor(codes[i : i + 512], second[i : i + 512], n=512).collapsed for i in range(0, 4_608, 512)]
            found = Collapse.between(*(Diversity.of(SequenceSet.of(some), unit="mismatches") for some in (codes, second)))
            cell = {"set": "collapse", "generator": name, "seed": seed, "card": found.collapsed, "reason": found.reason, "monitor": sum(alarms)}
            if name == "lecture GAN":
                log = pd.read_csv(options.output / "runs" / f"lecture_GAN_{seed}" / "log.csv")
                cell["epochs"] = [int((log["val_collapsed"] > 0).sum()), len(log)]
            write_cell(options.output, cell | {"of": len(alarms)})


def part_from_modes(codes: Codes, share: float, *, seed: int, modes: int = 32) -> Codes:
    """Replace a share of sequences by 32 others, each with two bases drawn anew."""
    rng, codes, n = np.random.default_rng(seed), codes.copy(), int(share * len(codes))
    codes[:n] = simulate_promoters(modes, seed=5_000 + seed)[0][rng.integers(0, modes, n)]
    for _ in range(2):
        codes[np.arange(n), rng.integers(0, codes.shape[1], n)] = rng.integers(0, 4, n)
    return codes[rng.permutation(len(codes))]


def condition(options: argparse.Namespace) -> None:
    """Train on terciles of expression, and score what is written for each by a regression trained on other promoters."""
    codes, expression = ecoli()
    halves = split_by_homology(list(codes), fractions=(0.45, 0.1, 0.45), seed=1)
    own, other = halves == "train", halves == "test"
    edges = np.quantile(expression[own], [1 / 3, 2 / 3])
    tercile = np.array(TERCILES)[np.digitize(expression, edges)]
    split = np.where(own, "train", np.where(halves == "val", "val", "test"))
    data = SequenceData.from_sequences(codes, list(tercile), split, classes=TERCILES)
    away = np.where(other, np.where(np.random.default_rng(0).random(len(codes)) < 0.9, "train", "val"), "test")
    judge = scorer(codes, expression, away, options.output / "runs" / "predictor")
    for seed in options.seeds:
        folder = options.output / "runs" / f"condition_{seed}"
        config = make_config(
            {"data": {"fasta": ["in-memory.fa"]}, "task": {"name": "gan", "condition": 3}, "strands": "single", "seed": seed}
            | ({"training": {"max_steps": options.steps}} if options.steps else {})
        )
        task = build_task(resolve_auto(config, data)[0], data)
        began = time.process_time()
        fit_task(task, data, folder, training=config.training, seed=seed)
        seconds = time.process_time() - began
        scores = {name: judge(draw(task, 1_000, data.length, seed=seed, condition=float(i))) for i, name in enumerate(TERCILES)}
        real_scores = {name: judge(codes[own & (tercile == name)][:1_000]) for name in TERCILES}
        for kind, found in {"samples": scores, "real": real_scores}.items():
            truth = np.repeat([False, True], [len(found["low"]), len(found["high"])])
            figures = {name: [float(values.mean()), float(values.std() / len(values) ** 0.5)] for name, values in found.items()}
            auc = auroc(truth, np.concatenate([found["low"], found["high"]]))
            write_cell(options.output, {"set": "condition", "generator": kind, "seed": seed, "seconds": seconds, **figures, "auroc": auc})
        np.save(folder / "samples.npy", np.stack([draw(task, 1_000, data.length, seed=seed, condition=float(i)) for i in range(3)]))


def scorer(codes: Codes, expression: NDArray[np.float64], split: NDArray[np.str_], folder: Path) -> Callable[[Codes], NDArray[np.float64]]:
    """Train one network of the default for numbers, say how good it is on what the generator learns from, and return its predictions."""
    data = SequenceData.from_sequences(codes, expression, list(split), numeric=True)
    config = make_config({"data": {"fasta": ["in-memory.fa"]}, "strands": "single", "members": 1})
    config, _ = resolve_auto(config, data)
    task = build_task(config, data)
    kept = folder / "checkpoints" / "best.ckpt"
    if kept.is_file():
        load_weights(task, kept)
    else:
        fit_task(task, data, folder, training=config.training)
    rows = np.flatnonzero(split == "test")
    print(f"predictor: r {np.corrcoef(predict_logits(task, codes[rows])[:, 0], expression[rows])[0, 1]:.3f} on the promoters that it never saw")
    return lambda some: predict_logits(task, some)[:, 0]


def table(options: argparse.Namespace) -> None:
    """Print means and ranges over seeds."""
    found = cells(options.output)
    for name in dict.fromkeys(cell["set"] for cell in found):
        mine = [cell for cell in found if cell["set"] == name]
        for generator in dict.fromkeys(cell["generator"] for cell in mine):
            some = [cell for cell in mine if cell["generator"] == generator]
            print(name, generator, f"{len(some)} seeds", *(f"{key} {spread(values)}" for key, values in columns(some)), sep=" | ")


def columns(some: list[dict[str, Any]]) -> Iterator[tuple[str, list[float]]]:
    """Yield the figures of cells by name, those of motifs as rate and place."""
    for key, first in some[0].items():
        if key == "motifs":
            for motif in first:
                yield f"{motif} rate", [cell["motifs"][motif][0] for cell in some]
                yield f"{motif} place r", [cell["motifs"][motif][1] for cell in some]
        elif isinstance(first, int | float) and key != "seed":
            yield key, [float(cell[key]) for cell in some]


def spread(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{statistics.fmean(values):.4g}" + (f" ({low:.4g}-{high:.4g})" if len(values) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    seeds = {"promoters": [0, 1, 2], "real": [0], "collapse": [0, 1, 2, 3, 4], "condition": [0, 1, 2]}
    for does in (promoters, real, collapse, condition):
        verb = verbs.add_parser(does.__name__, help=does.__doc__)
        verb.add_argument("--seeds", nargs="+", type=int, default=seeds[does.__name__])
        verb.add_argument("-o", "--output", type=Path, required=True)
        verb.add_argument("--steps", type=int, help="of the GAN (default: its own)")
        verb.set_defaults(does=does)
        if does in (promoters, real):
            usual = ["gan", "language model", "vae"] if does is promoters else ["gan"]
            verb.add_argument("--generators", nargs="+", choices=tuple(GENERATORS), default=usual)
        if does is real:
            verb.add_argument("--sets", nargs="+", choices=tuple(CORES), default=list(CORES))
    shown = verbs.add_parser("table", help="print means and ranges over seeds")
    shown.add_argument("output", type=Path)
    shown.set_defaults(does=table)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    options.does(options)


if __name__ == "__main__":
    main()
