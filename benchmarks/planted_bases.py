"""Planted bases: how well attributions single them out, on what `seqdl simulate` makes, everything at its default.

    python benchmarks/planted_bases.py --seeds 0 1 2
    python benchmarks/planted_bases.py --motifs 12 --seeds 0      the twelve motifs and ten decoys of motif_recovery.py

Peaks hold sites of six JASPAR motifs, drawn from their probabilities, weak ones included. The network is trained as `seqdl train --genome --peaks`
does. Of test peaks with a site, the AUROC of |attribution| is printed for the bases of all sites against all others, pooled over the sequences.
Not all can be had: a site may look like background. Beside the methods stands what one gets who knows the motifs: at each base the log odds of
the motif, times the chance that a site is there.

Runs go to --output (default: a temporary folder); a run that is there already is taken as it is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from motif_recovery import DECOYS, PLANTED

from seqdl.cli.simulate import DEFAULT_MOTIFS
from seqdl.data.simulate import Layout, simulate, write_simulation
from seqdl.evaluate.metrics import auroc
from seqdl.experiment.attribute import Asked, How, explain, from_run
from seqdl.experiment.config import make_config
from seqdl.experiment.run import Run, load_run
from seqdl.experiment.train import train
from seqdl.io.databases import load_database
from seqdl.io.table import read_tsv
from seqdl.motif.motif import Motif
from seqdl.types import Codes

N_PEAKS = 2_000
GENOME_BP = 12_000_000
N_EXPLAINED = 100
SITES_PER_PEAK = 1.98
METHODS = ("deeplift", "ism", "expected-gradients", "integrated-gradients", "input-x-gradient", "saliency")


def trained(folder: Path, motifs: list[Motif], decoys: list[Motif], *, seed: int) -> tuple[Run, pd.DataFrame]:
    """Simulate and train, or open what is there; return the run and the planted sites."""
    run = folder / f"run{seed}"
    if not (run / "report.html").is_file():
        made = simulate(motifs=motifs, n_peaks=N_PEAKS, decoys=decoys, seed=seed, layout=Layout(genome_length=GENOME_BP))
        files = write_simulation(folder / f"data{seed}", made, force=True)
        train(make_config({"data": {"genome": str(files["genome"]), "peaks": str(files["peaks"])}, "seed": seed}), run, force=True)
    return load_run(run), read_tsv(folder / f"data{seed}" / "truth.tsv")


def planted_bases(asked: Asked, truth: pd.DataFrame) -> np.ndarray:
    """Return which bases (n, L) lie in a site that makes a peak a peak."""
    planted = np.zeros(asked.codes.shape, dtype=bool)
    sites = dict(iter(truth[truth["kind"] == "site"].groupby("chrom")))
    for row, window in enumerate(asked.table.itertuples()):
        near = sites[window.chrom]
        for site in near[(near["end"] > window.start) & (near["start"] < window.end)].itertuples():
            planted[row, max(0, site.start - window.start) : site.end - window.start] = True
    return planted


def by_motifs(codes: Codes, motifs: list[Motif]) -> np.ndarray:
    """Return what each base (n, L) tells somebody who knows the motifs: its log odds, times the chance of a site."""
    background = np.bincount(codes.ravel(), minlength=4)[:4, None] / codes.size
    matrices = [np.log(np.clip(motif.ppm, 1e-4, None) / background) for motif in motifs]
    matrices += [matrix[::-1, ::-1] for matrix in matrices]
    odds = []
    for matrix in matrices:
        windows = np.lib.stride_tricks.sliding_window_view(codes, matrix.shape[1], axis=1)
        score = matrix[windows, np.arange(matrix.shape[1])].sum(2)
        odds.append(np.exp(score) * SITES_PER_PEAK / len(matrices) / score.shape[1])
    told = np.zeros(codes.shape)
    for matrix, each in zip(matrices, odds, strict=True):
        width, starts = matrix.shape[1], np.arange(each.shape[1])
        rivals = np.zeros(each.shape)  # the odds of all windows that overlap this one
        for other, theirs in zip(matrices, odds, strict=True):
            before = np.pad(np.cumsum(theirs, 1), ((0, 0), (1, 0)))
            first, last = np.maximum(starts - other.shape[1] + 1, 0), np.minimum(starts + width, theirs.shape[1])
            rivals += before[:, last] - before[:, np.minimum(first, theirs.shape[1])]
        chance = each / (1 + rivals)
        for column in range(width):
            told[:, column : column + len(starts)] += chance * matrix[codes[:, column : column + len(starts)], column]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--motifs", type=int, choices=(6, 12), default=6)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    folder = options.output or Path(tempfile.mkdtemp())
    newest = {motif.name.split(".")[0]: motif for motif in load_database("jaspar")}
    motifs = [newest[name] for name in (DEFAULT_MOTIFS if options.motifs == 6 else PLANTED)]
    decoys = [newest[name] for name in DECOYS] if options.motifs == 12 else []
    for seed in options.seeds:
        began = time.process_time()
        run, truth = trained(folder, motifs, decoys, seed=seed)
        asked = from_run(run)
        planted = planted_bases(asked, truth)
        chosen = np.flatnonzero(planted.any(1))[:N_EXPLAINED]
        asked = Asked(asked.table.iloc[chosen].reset_index(drop=True), asked.codes[chosen], asked.lengths[chosen])
        planted, test = planted[chosen], run.metrics["test"]["auroc"]["value"]
        seconds = time.process_time() - began
        print(f"\nseed {seed}: {len(chosen)} peaks, {planted.mean():.1%} of bases planted; test AUROC {test:.3f} ({seconds:.0f} CPU s)")
        print(f"  {'the motifs themselves':<22} {auroc(planted.ravel(), np.abs(by_motifs(asked.codes, motifs)).ravel()):.3f}", flush=True)
        for method in options.methods:
            began = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                track = explain(run.task, asked, How(method, seed=seed)).track
            value = auroc(planted.ravel(), np.abs(track).ravel())
            print(f"  {method:<22} {value:.3f} ({time.process_time() - began:.1f} CPU s)", flush=True)


if __name__ == "__main__":
    main()
