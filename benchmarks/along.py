"""Tasks along the yeast genome, at their defaults, beside their baselines: chromosomes are held out.

    python benchmarks/along.py coding sites counts profile enhancement -o RUNS
    python benchmarks/along.py coding --model lstm -o RUNS

coding: a label for every base, from the gene annotation. sites: where in a window Abf1 binds. counts and profile: ATAC fragments, in a window and
at every base. enhancement: all fragments from a tenth of them. Reads the development data at ../shared/data, or where SEQDL_DATA points.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sets import DATA

from seqdl.data.genome import Genome
from seqdl.experiment.config import make_config
from seqdl.experiment.evaluate import comparison
from seqdl.experiment.train import train
from seqdl.io.gff import read_gff

GENOME = DATA / "yeast_genome/S_cerevisiae.fasta.gz"
GENES = DATA / "yeast_genome/S_cerevisiae.gff3.gz"
ATAC = DATA / "yeast_atac/SRR1822137_coverage_derived.bw"
SHARE = 0.1
"""Of the fragments, in the track that is to be enhanced."""
MARGIN = 500


def coding(folder: Path) -> dict[str, Any]:
    """Label coding bases in windows of 1 kb, side by side over the genome."""
    return {"data": {"genome": str(GENOME), "labels": str(GENES), "label_features": ["CDS"], "window": 1000}, "training": {"batch_size": 32}}


def sites(folder: Path) -> dict[str, Any]:
    """Find the site of Abf1 in windows that hold one somewhere."""
    return {"data": {"genome": str(GENOME), "peaks": str(DATA / "yeast_peaks_dev/Abf1.sacCer3.bed")}, "task": {"name": "localisation"}}


def counts(folder: Path) -> dict[str, Any]:
    """Predict the coverage of windows of 500 bp, side by side over the genome."""
    return {"data": {"genome": str(GENOME), "signal": [str(ATAC)], "window": 500}, "task": {"name": "counts"}}


def profile(folder: Path) -> dict[str, Any]:
    """Predict the coverage of every base around starts of genes."""
    starts = gene_starts(folder / "starts.bed")
    return {"data": {"genome": str(GENOME), "signal": [str(ATAC)], "regions": str(starts), "window": 600}, "task": {"name": "profile"}}


def enhancement(folder: Path) -> dict[str, Any]:
    """Predict the coverage of every base around starts of genes from a tenth of the fragments."""
    few, starts = subsampled(folder / "tenth.bw"), gene_starts(folder / "starts.bed")
    return {"data": {"genome": str(GENOME), "signal": [str(ATAC)], "input_signal": [str(few)], "regions": str(starts), "window": 600}}


def gene_starts(path: Path) -> Path:
    """Write the first base of every gene."""
    genes = read_gff(GENES, features=["gene"])
    first = np.where(genes["strand"] == "-", genes["end"] - 1, genes["start"])
    lengths = genes["chrom"].map(Genome(str(GENOME)).lengths)
    table = pd.DataFrame({"chrom": genes["chrom"], "start": first, "end": first + 1, "name": "gene", "score": 0, "strand": "."})
    table[(first > MARGIN) & (first < lengths - MARGIN)].to_csv(path, sep="\t", header=False, index=False)
    return path


def subsampled(path: Path) -> Path:
    """Write the coverage of a tenth of the fragments, drawn once."""
    import pybigtools

    lengths = Genome(str(GENOME)).lengths
    fragments = pd.read_csv(
        DATA / "yeast_atac/yeast_500k_SRR1822137.frag.gz", sep="\t", header=None, usecols=[0, 1, 2], names=["chrom", "start", "end"]
    ).replace({"chrom": {"chrM": "chrmt"}})
    few = fragments[np.random.default_rng(0).random(len(fragments)) < SHARE]

    def runs() -> Iterator[tuple[str, int, int, float]]:
        for chrom, length in lengths.items():
            own = few[few["chrom"] == chrom]
            steps = np.zeros(length + 1)
            np.add.at(steps, own["start"].to_numpy(), 1)
            np.add.at(steps, np.minimum(own["end"].to_numpy(), length), -1)
            depth = np.cumsum(steps)[:length]
            edges = np.r_[0, np.flatnonzero(np.diff(depth)) + 1, length]
            for start, end in itertools.pairwise(edges):
                if depth[start] > 0:
                    yield chrom, int(start), int(end), float(depth[start])

    pybigtools.open(str(path), "w").write(dict(lengths), runs())
    return path


TASKS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "coding": coding,
    "sites": sites,
    "counts": counts,
    "profile": profile,
    "enhancement": enhancement,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", choices=TASKS)
    parser.add_argument("--model", help="instead of the default")
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.tasks:
        config = {**TASKS[name](options.output), "seed": options.seed}
        if options.model:
            config["model"] = {"name": options.model}
        if options.max_steps:
            config["training"] = {**config.get("training", {}), "max_steps": options.max_steps}
        began = time.process_time()
        run = train(make_config(config), options.output / f"{name}_{options.model or 'default'}", force=True)
        print(f"\n{name}, {options.model or 'default'}  ({time.process_time() - began:.0f} CPU s)\n{comparison(run.metrics)}", flush=True)


if __name__ == "__main__":
    main()
