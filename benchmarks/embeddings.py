"""Autoencoders: what they give back, what their latents are worth, and whether a VAE uses them, beside what needs no network.

    python benchmarks/embeddings.py promoters -o RUNS --seeds 0 1 2      Arabidopsis, 96 bp: a run for each purpose, beside PCA
    python benchmarks/embeddings.py repair -o RUNS --seeds 0 1 2         splice junctions, 60 bp: damaged bases that are restored
    python benchmarks/embeddings.py clusters -o RUNS --seeds 0 1 2       sequences bound by GABPA, REST or CTCFL, mixed
    python benchmarks/embeddings.py vaes -o RUNS --only ecoli            a VAE at its defaults, and one that is made to collapse

Test figures; everything was chosen on validation sequences. Prints CPU seconds of a training alone and of everything. Reads the development data at
../shared/data, or where SEQDL_DATA points; a run that is there already is not trained again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sets import DATA, written
from sklearn.cluster import KMeans

from seqdl.evaluate.clusters import rand_index
from seqdl.evaluate.latent_space import principal_components
from seqdl.experiment.autoencoder import kmer_roots
from seqdl.experiment.config import make_config
from seqdl.experiment.embed import clusters_of
from seqdl.experiment.run import Run, load_run
from seqdl.experiment.train import train
from seqdl.io.fasta import read_fasta
from seqdl.sequence.encode import decode

Config = dict[str, Any]
WINDOW = 96
STRONGEST = 3_000
MIXTURES = {"goal": ("GABPA", "REST", "CTCFL"), "other": ("SP1", "MYC", "ARID3A")}
PURPOSES: dict[str, Config] = {
    "bases": {"task": {"latent": 128, "bottleneck": "local"}},
    "few_bases": {"task": {"latent": 32, "bottleneck": "local"}},
    "kinds": {"task": {"latent": 64, "damage": 0.6}, "training": {"max_steps": 2500, "lr": 0.005}},
    "fewer": {"task": {"latent": 32, "damage": 0.6}, "training": {"max_steps": 2500}},
    "default": {},
}
"""What an autoencoder is trained for, and how."""
REPAIR: Config = {"task": {"name": "autoencoder", "latent": 32, "damage": 0.6}, "training": {"max_steps": 1000}}
SITES = {"latent": 16, "bottleneck": "sites", "damage": 0.3}
WAYS: dict[str, Config] = {"default": {}, "collapsing": {"beta": 1.0, "anneal": 0.0, "free_bits": 0.0}}


# promoters ------------------------------------------------------------------------------------------


def promoters(options: argparse.Namespace) -> None:
    """Train on promoters and non-promoters, and print what is given back, what labels are read off, and what is restored."""
    files = {name: fasta(options.output / f"{name}.fa", parts) for name, parts in ARABIDOPSIS.items()}
    data = {"fasta": list(files.values()), "crop": WINDOW, "crop_at": "end"}
    for name in options.only or PURPOSES:
        for seed in options.seeds:
            more = PURPOSES[name]
            config = {"data": data, "strands": "single", "seed": seed, **more, "task": {"name": "autoencoder", **more.get("task", {})}}
            run, seconds = trained(options.output / f"{name}{seed}", config)
            print(f"\n{name}, seed {seed}: {seconds}", flush=True)
            report_promoters(run.metrics)


ARABIDOPSIS = {
    "promoters": ("Arabidopsis_tata", "Arabidopsis_non_tata"),
    "others": ("Arabidopsis_non_prom", "Arabidopsis_non_prom_big"),
}


def fasta(path: Path, parts: tuple[str, ...]) -> str:
    """Write several files of CNNProm as one, since their names repeat."""
    records = [record for part in parts for record in read_fasta(DATA / f"cnnprom_dev/{part}.fa.gz")]
    return written(path, (path.stem for _ in records), [decode(record.codes) for record in records])


def report_promoters(metrics: Config) -> None:
    """Print the test figures of one run."""
    entry, floor = metrics["test"], metrics["baselines"]
    shown = [f"{name} {one['accuracy']['value']:.3f}" for name, one in {"network": entry, **floor}.items()]
    print(f"  {metrics['latent']['n']} latents; bases given back: " + ", ".join(shown))
    for name, row in metrics["probe"].items():
        print(f"  {name:12} AUROC, linear {row['auroc']:.3f}; accuracy, linear {row['accuracy']:.3f}, neighbours {row['knn_accuracy']:.3f}")
    report_repair(metrics)


def repair(options: argparse.Namespace) -> None:
    """Train on damaged splice junctions, unlabelled, and print how many damaged bases are restored."""
    table = pd.read_csv(DATA / "uci_splice/splice.data.gz", header=None, names=["class", "name", "sequence"], skipinitialspace=True)
    path = written(options.output / "splice.fa", ("junction" for _ in range(len(table))), table["sequence"].str.strip())
    for seed in options.seeds:
        run, seconds = trained(options.output / f"splice{seed}", {"data": {"fasta": [path]}, "strands": "single", "seed": seed, **REPAIR})
        print(f"\nsplice junctions, seed {seed}: {seconds}", flush=True)
        report_repair(run.metrics)


def report_repair(metrics: Config) -> None:
    """Print the shares of damaged bases that are restored, where the run was trained on damaged ones."""
    found = metrics.get("restored") or {"hidden": {}, "replaced": {}}
    for part, row in {"all": found, "hidden": found["hidden"], "replaced": found["replaced"]}.items():
        shown = ", ".join(f"{name} {row[name]:.4f}" for name in found["hidden"])
        if shown:
            print(f"  damaged bases restored, {part} (of {found['n_bases']:,} in all): {shown}")


# clusters -------------------------------------------------------------------------------------------


def clusters(options: argparse.Namespace) -> None:
    """Train on a mixture without saying what is what, and hold clusters of held-out sequences, and of all, against the factors."""
    for mixture in options.only or MIXTURES:
        classes = [bound(name, options.output) for name in MIXTURES[mixture]]
        data = {"fasta": [f"{name}={path}" for name, path in zip(MIXTURES[mixture], classes, strict=True)]}
        for seed in options.seeds:
            run, seconds = trained(options.output / f"{mixture}{seed}", {"data": data, "seed": seed, "task": {"name": "autoencoder", **SITES}})
            print(f"\n{' + '.join(MIXTURES[mixture])}, seed {seed}: {seconds}", flush=True)
            report_clusters(run, seed=seed, k=len(classes))


def bound(factor: str, folder: Path) -> str:
    """Write the strongest bound sequences of a factor's training file."""
    table = pd.read_csv(next((DATA / "deepbind_dev").glob(f"{factor}_*_AC.seq.gz")), sep="\t")
    table = table[table["Bound"] == 1].head(STRONGEST)
    return written(folder / f"{factor}.fa", (factor for _ in range(len(table))), table["seq"])


def report_clusters(run: Run, *, seed: int, k: int) -> None:
    """Print adjusted Rand indices with the factors, of the latents and of as many components of 5-mers, scaled to unit variance or not."""
    data, rows = run.data, run.data.rows("test")
    truth = data.targets()[:, 0]
    counts = kmer_roots(data.codes)
    latents = run.embed(data.codes)
    (components,), _, _ = principal_components(counts, [counts], latents.shape[1])
    for name, values in {"network": latents, "PCA of 5-mers": components}.items():
        found = {"scaled": clusters_of(values, str(k), seed=seed), "unscaled": KMeans(k, n_init=10, random_state=seed).fit_predict(values)}
        shown = (f"{how} {rand_index(one, truth):.3f} (test part {rand_index(one[rows], truth[rows]):.3f})" for how, one in found.items())
        print(f"  {name:14} adjusted Rand index: " + ", ".join(shown))


# VAEs -----------------------------------------------------------------------------------------------


def ecoli(folder: Path) -> str:
    """Write 12,575 natural promoters of E. coli, 165 bp."""
    table = pd.read_csv(DATA / "ecoli_promoter_mpra/ecoli_mpra_expr.csv.gz")
    return written(folder / "ecoli.fa", ("promoter" for _ in range(len(table))), table["realB"])


def tata(folder: Path) -> str:
    """Write human and mouse promoters with a TATA box, 300 bp."""
    lines = [line for name in ("hs", "mm") for line in pd.read_csv(DATA / f"deepromoter_tata/{name}_pos_TATA.txt.gz", header=None)[0]]
    return written(folder / "tata.fa", ("promoter" for _ in lines), lines)


VAES: dict[str, Callable[[Path], str]] = {"ecoli": ecoli, "tata": tata}


def vaes(options: argparse.Namespace) -> None:
    """Train a VAE at its defaults and one with beta 1 from the first step; print what the latents carry, and what is said of it."""
    for name in options.only or VAES:
        for seed in options.seeds:
            for way in options.ways:
                config = {"data": {"fasta": [VAES[name](options.output)]}, "seed": seed, "task": {"name": "vae", **WAYS[way]}}
                run, seconds = trained(options.output / f"{name}_{way}{seed}", config)
                print(f"\n{name}, {way}, seed {seed}: {seconds}", flush=True)
                latent, floor = run.metrics["latent"], run.metrics["baselines"]
                print(f"  {latent['kl_bits']:.2f} bits a sequence; {latent['text']}\n  PCA {floor['pca']['accuracy']['value']:.3f}")
                card = json.loads((run.folder / "card.json").read_text())
                print(f"  samples: {card['verdict']['text']}")


# runs -----------------------------------------------------------------------------------------------


def trained(folder: Path, config: Config) -> tuple[Run, str]:
    """Train, unless it was done before, and say what it cost."""
    if (folder / "metrics.json").is_file():
        return load_run(folder), "trained before"
    began, marks = time.process_time(), []

    def say(text: str) -> None:
        marks.append(time.process_time()) if text.startswith("measuring what is given back") else None

    run = train(make_config(config), folder, force=True, say=say)
    whole = time.process_time() - began
    return run, f"{marks[0] - began if marks else np.nan:.0f} CPU s until trained, {whole:.0f} in all"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    for name, does, parts in (("promoters", promoters, PURPOSES), ("repair", repair, ()), ("clusters", clusters, MIXTURES), ("vaes", vaes, VAES)):
        verb = verbs.add_parser(name, help=does.__doc__)
        if parts:
            verb.add_argument("--only", nargs="+", choices=tuple(parts))
        verb.add_argument("--seeds", nargs="+", type=int, default=[0])
        verb.add_argument("-o", "--output", type=Path, required=True)
        if does is vaes:
            verb.add_argument("--ways", nargs="+", choices=tuple(WAYS), default=list(WAYS))
        verb.set_defaults(does=does)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    options.does(options)


if __name__ == "__main__":
    main()
