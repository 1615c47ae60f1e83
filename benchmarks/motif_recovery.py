"""Planted motifs, found again: everything at its default, by three ways of reading filters and one of attributions.

    python benchmarks/motif_recovery.py --seeds 0 1 2

Of 10,000 sequences of 200 bp half hold sites of twelve JASPAR motifs (0 to 3 each), and all hold decoys: ten other motifs, about two sites a
sequence, that tell nothing. 8,000 are for training. The ways are: all networks of the ensemble, a motif a family of filters that look alike; the
first network alone, a motif a filter; all networks again, every window over half of a filter's maximum instead of the strongest hundred; and
seqlets of attributions (ISM of the ensemble, 1,500 positives), clustered by tfmodisco-lite, the commonest pattern first.
Printed are, for each seed and way: how many of the twelve come back (Tomtom q < .05 to that very matrix, in all of JASPAR CORE), how many of them
by one of the twelve most important families, the mean Pearson r of their best motifs to the truth, and whether a decoy leads such a family.
How many of the ten decoys match any motif tells how much of the first number is chance: hundreds of filters match something.

Runs go to --output (default: a temporary folder); a run that is there already is taken as it is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from seqdl.data.simulate import Layout, simulate
from seqdl.experiment.attribute import Asked, How, explain
from seqdl.experiment.attribute_files import motif_table
from seqdl.experiment.config import make_config
from seqdl.experiment.demo import recover
from seqdl.experiment.motifs import Reading, extract_motifs
from seqdl.experiment.run import Run, load_run
from seqdl.experiment.train import train
from seqdl.interpret.modisco import discover_motifs
from seqdl.io.databases import load_database
from seqdl.io.fasta import write_fasta
from seqdl.motif.compare import match_motifs
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import one_hot
from seqdl.tasks.base import Task
from seqdl.tasks.ensemble import Ensemble

# CTCF, GABPA, HNF1A, SRF, CEBPA, REB1, NRF1, YY1, MAX, GATA1, FOXA1, STAT3
PLANTED = ("MA0139", "MA0062", "MA0046", "MA0083", "MA0102", "MA0363", "MA0506", "MA0095", "MA0058", "MA0035", "MA0148", "MA0144")
# MEF2C, TP53, HNF4A, RFX5, FOS::JUN, ESR1, TEAD4, ZBTB33, PAX6, RELA
DECOYS = ("MA0497", "MA0106", "MA0114", "MA0510", "MA0099", "MA0112", "MA0809", "MA0527", "MA0069", "MA0107")
N_EACH = 5_000
WIDTH = 200
N_EXPLAINED = 1_500
WAYS = ("all", "first", "fraction", "attributions")
Found = tuple[list[Motif], pd.DataFrame]
"""Motifs, and their table in order of importance."""


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


def by_filters(run: Run, database: list[Motif], *, task: Task, reading: Reading, seed: int) -> Found:
    """Return the motifs of filters."""
    found = extract_motifs(task, run.data, database, reading=reading, seed=seed)
    return found.motifs, found.table


def by_attributions(run: Run, database: list[Motif], *, seed: int) -> Found:
    """Return the motifs of attributions to the bases of positives."""
    rows = np.flatnonzero((run.data.targets() > 0).any(1))
    rows = np.random.default_rng(seed).permutation(rows)[:N_EXPLAINED]
    codes = run.data.codes[rows]
    asked = Asked(run.data.examples.iloc[rows].reset_index(drop=True)[["id"]], codes, np.full(len(rows), codes.shape[1]))
    explained = explain(run.task, asked, How("ism", seed=seed))
    assert explained.every_base is not None
    return motif_table(discover_motifs(explained.every_base, one_hot(codes)), database)


def judge(found: Found, planted: list[Motif], decoys: list[Motif], database: list[Motif]) -> str:
    """Return what was recovered, in a line."""
    motifs, table = found
    recovery = recover(motifs, planted, database)
    matches = match_motifs(motifs, database, top=None)
    r = np.mean([correlation(motifs, matches, motif) for motif in planted])
    leaders = list(dict.fromkeys(table["family"]))[: len(planted)]
    of_all = matches[matches["target"].isin([motif.label for motif in (*planted, *decoys)]) & (matches["q"] < 0.05)]
    nearest = of_all.sort_values("q", kind="stable").drop_duplicates("query").set_index("query")["target"]
    names = {motif.label for motif in decoys}
    fooled = [f"{leader} ({nearest[leader]})" for leader in leaders if nearest.get(leader) in names]
    led = recover([motif for motif in motifs if motif.name in leaders], planted, database)
    of_decoys = recover(motifs, decoys, database)
    missed = sorted({motif.label for motif in planted} - set(recovery.found))
    return (
        f"recovered {len(recovery.found)} of {len(planted)}, {len(led.found)} of them by the {len(planted)} most important families, mean r {r:.3f}, "
        f"decoys among these families: {', '.join(fooled) or 'none'}, anywhere: {len(of_decoys.found)} of {len(decoys)}; "
        f"{len(motifs)} motifs, median {table['information_bits'].median():.1f} bits; missed: {', '.join(missed) or 'none'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ways", nargs="+", choices=WAYS, help="of these four only (default: all)")
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
        ways: dict[str, Callable[[], Found]] = {
            "all": partial(by_filters, run, database, task=run.task, reading=Reading(), seed=seed),
            "first": partial(by_filters, run, database, task=first, reading=Reading(), seed=seed),
            "fraction": partial(by_filters, run, database, task=run.task, reading=Reading(method="fraction"), seed=seed),
            "attributions": partial(by_attributions, run, database, seed=seed),
        }
        for name in options.ways or ways:
            began = time.process_time()
            found = ways[name]()
            seconds = time.process_time() - began
            print(f"  {name:<12} {judge(found, planted, decoys, database)} ({seconds:.1f} CPU s)", flush=True)


if __name__ == "__main__":
    main()
