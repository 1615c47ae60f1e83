"""Planted motifs, found again: everything at its default, by three ways of reading filters.

    python benchmarks/motif_recovery.py --seeds 0 1 2

Of 10,000 sequences of 200 bp half hold sites of twelve JASPAR motifs (0 to 3 each), and all hold decoys: ten other motifs, about two sites a
sequence, that tell nothing. 8,000 are for training. The ways are: all networks of the ensemble, a motif a family of filters that look alike; the
first network alone, a motif a filter; and all networks again, every window over half of a filter's maximum instead of the strongest hundred.
Printed are, for each seed and way: how many of the twelve come back (Tomtom q < .05 to that very matrix, in all of JASPAR CORE), how many of them
by one of the twelve most important families, the mean Pearson r of their best motifs to the truth, and whether a decoy leads such a family.
How many of the ten decoys match any motif tells how much of the first number is chance: hundreds of filters match something.

Runs go to --output (default: a temporary folder); a run that is there already is taken as it is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from seqdl.data.simulate import Layout, simulate
from seqdl.experiment.config import make_config
from seqdl.experiment.demo import recover
from seqdl.experiment.motifs import Extraction, Reading, extract_motifs
from seqdl.experiment.run import Run, load_run
from seqdl.experiment.train import train
from seqdl.io.databases import load_database
from seqdl.io.fasta import write_fasta
from seqdl.motif.compare import match_motifs
from seqdl.motif.motif import Motif
from seqdl.tasks.ensemble import Ensemble

# CTCF, GABPA, HNF1A, SRF, CEBPA, REB1, NRF1, YY1, MAX, GATA1, FOXA1, STAT3
PLANTED = ("MA0139", "MA0062", "MA0046", "MA0083", "MA0102", "MA0363", "MA0506", "MA0095", "MA0058", "MA0035", "MA0148", "MA0144")
# MEF2C, TP53, HNF4A, RFX5, FOS::JUN, ESR1, TEAD4, ZBTB33, PAX6, RELA
DECOYS = ("MA0497", "MA0106", "MA0114", "MA0510", "MA0099", "MA0112", "MA0809", "MA0527", "MA0069", "MA0107")
N_EACH = 5_000
WIDTH = 200


def write_sequences(folder: Path, planted: list[Motif], decoys: list[Motif], *, seed: int) -> list[Path]:
    """Simulate a genome, and write its peaks and as many windows between them as FASTA."""
    made = simulate(motifs=planted, n_peaks=N_EACH, decoys=decoys, seed=seed, layout=Layout(peak_width=WIDTH, decoy_distance=100))
    files = [folder / "positives.fa", folder / "negatives.fa"]
    rng = np.random.default_rng(seed)
    positives, negatives = [], []
    for chrom, codes in made.genome.items():
        starts = made.peaks.loc[made.peaks["chrom"] == chrom, "start"].to_numpy()
        positives += [codes[start : start + WIDTH] for start in starts]
        free = np.ones(len(codes) - WIDTH, dtype=bool)
        for start in starts:
            free[max(0, start - WIDTH) : start + WIDTH] = False
        negatives += [codes[start : start + WIDTH] for start in rng.choice(np.flatnonzero(free)[::WIDTH], len(starts), replace=False)]
    folder.mkdir(parents=True, exist_ok=True)
    for path, sequences in zip(files, (positives, negatives), strict=True):
        write_fasta(path, [f"{path.stem}{i}" for i in range(len(sequences))], sequences, force=True)
    return files


def trained(folder: Path, files: list[Path], *, seed: int) -> Run:
    """Train with everything at its default, or open what is there."""
    if (folder / "report.html").is_file():
        return load_run(folder)
    return train(make_config({"data": {"fasta": [str(path) for path in files]}, "seed": seed}), folder, force=True)


def correlation(filters: list[Motif], matches: pd.DataFrame, truth: Motif) -> float:
    """Return Pearson's r of the filter that matches best to the truth, over the columns where Tomtom lays them over each other."""
    best = matches[matches["target"] == truth.label].nsmallest(1, "q").iloc[0]
    ours = next(motif for motif in filters if motif.name == best["query"]).ppm
    theirs = truth.ppm if best["strand"] == "+" else truth.reverse_complement().ppm
    first, last = max(0, best["offset"]), min(theirs.shape[1], best["offset"] + ours.shape[1])
    pair = ours[:, first - best["offset"] : last - best["offset"]], theirs[:, first:last]
    return float(np.corrcoef(pair[0].ravel(), pair[1].ravel())[0, 1])


def judge(found: Extraction, planted: list[Motif], decoys: list[Motif], database: list[Motif]) -> str:
    """Return what was recovered, in a line."""
    recovery = recover(found.motifs, planted, database)
    matches = match_motifs(found.motifs, database, top=None)
    r = np.mean([correlation(found.motifs, matches, motif) for motif in planted])
    leaders = list(dict.fromkeys(found.table["family"]))[: len(planted)]
    of_all = matches[matches["target"].isin([motif.label for motif in (*planted, *decoys)]) & (matches["q"] < 0.05)]
    nearest = of_all.sort_values("q", kind="stable").drop_duplicates("query").set_index("query")["target"]
    names = {motif.label for motif in decoys}
    fooled = [f"{leader} ({nearest[leader]})" for leader in leaders if nearest.get(leader) in names]
    led = recover([motif for motif in found.motifs if motif.name in leaders], planted, database)
    of_decoys = recover(found.motifs, decoys, database)
    bits = found.table["information_bits"].median()
    missed = sorted({motif.label for motif in planted} - set(recovery.found))
    return (
        f"recovered {len(recovery.found)} of {len(planted)}, {len(led.found)} of them by the {len(planted)} most important families, mean r {r:.3f}, "
        f"decoys among these families: {', '.join(fooled) or 'none'}, anywhere: {len(of_decoys.found)} of {len(decoys)}; "
        f"{len(found.motifs)} motifs of {found.n_filters} filters, "
        f"median {bits:.1f} bits; missed: {', '.join(missed) or 'none'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    folder = options.output or Path(tempfile.mkdtemp())
    database = load_database("jaspar")
    newest = {motif.name.split(".")[0]: motif for motif in database}
    planted, decoys = [newest[name] for name in PLANTED], [newest[name] for name in DECOYS]
    for seed in options.seeds:
        began = time.process_time()
        run = trained(folder / f"run{seed}", write_sequences(folder / f"data{seed}", planted, decoys, seed=seed), seed=seed)
        auroc = run.metrics["test"]["auroc"]["value"]
        print(f"\nseed {seed}: test AUROC {auroc:.3f} ({time.process_time() - began:.0f} CPU s)", flush=True)
        first = run.task.tasks[0] if isinstance(run.task, Ensemble) else run.task
        for name, task, reading in (("all", run.task, Reading()), ("first", first, Reading()), ("fraction", run.task, Reading(method="fraction"))):
            began = time.process_time()
            found = extract_motifs(task, run.data, database, reading=reading, seed=seed)
            seconds = time.process_time() - began
            print(f"  {name:<9} {judge(found, planted, decoys, database)} ({seconds:.1f} CPU s)", flush=True)


if __name__ == "__main__":
    main()
