"""Transcription-factor binding with everything at its default: the network beside its baselines.

    python benchmarks/binding.py yeast Reb1 Abf1          four chromosome folds each, GC-matched genomic negatives
    python benchmarks/binding.py deepbind CTCFL MYC       dinucleotide-shuffled training negatives, the published test file

Reads the development data at ../shared/data, or where SEQDL_DATA points; runs go to --output (default: a temporary folder).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from seqdl.experiment.config import make_config
from seqdl.experiment.evaluate import comparison
from seqdl.experiment.folds import train_folds
from seqdl.experiment.train import train
from seqdl.io.fasta import write_fasta

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
FOLDS = 4


def yeast(factor: str, folder: Path, seed: int) -> dict[str, Any]:
    """Cross-validate over chromosomes on the ChIP-exo peaks of a yeast factor."""
    data = {"genome": str(DATA / "yeast_genome/S_cerevisiae.fasta.gz"), "peaks": str(DATA / f"yeast_peaks_dev/{factor}.sacCer3.bed")}
    return train_folds(make_config({"data": data, "seed": seed}), folder / factor, n_folds=FOLDS)


def deepbind(factor: str, folder: Path, seed: int) -> dict[str, Any]:
    """Train on the positives of an ENCODE set against shuffles of them, and test on its published test file."""
    files = write_deepbind(factor, folder)
    data = {"fasta": [str(files["train"])], "negatives": "dinuc", "test_fasta": [str(files["positives"]), str(files["negatives"])]}
    return train(make_config({"data": data, "seed": seed}), folder / factor).metrics


def write_deepbind(factor: str, folder: Path) -> dict[str, Path]:
    """Write the sequences of one set as FASTA: training positives, test positives, test negatives."""
    found = {}
    for name, part, bound in (("train", "AC", 1), ("positives", "B", 1), ("negatives", "B", 0)):
        table = pd.read_csv(next((DATA / "deepbind_dev").glob(f"{factor}_*_{part}.seq.gz")), sep="\t")
        table = table[table["Bound"] == bound]
        found[name] = folder / f"{factor}_{name}.fa"
        write_fasta(found[name], [f"{name}_{row}" for row in table.index], list(table["seq"]), force=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("yeast", "deepbind"))
    parser.add_argument("factors", nargs="+")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    folder = options.output or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    for factor in options.factors:
        began = time.process_time()
        metrics = {"yeast": yeast, "deepbind": deepbind}[options.kind](factor, folder, options.seed)
        print(f"\n{factor}  ({time.process_time() - began:.0f} CPU s)\n{comparison(metrics)}", flush=True)


if __name__ == "__main__":
    main()
