"""The development sets, each as the config of one run or of several folds.

The data are read at ../shared/data, or where SEQDL_DATA points; what has to be written as FASTA or a table goes to a folder of the caller's.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from seqdl.io.fasta import write_fasta

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
CHROMOSOME_FOLDS = 4
STRONGEST = 3_000
"""Positives that are trained on in the sets of DeepBind: the files go by strength, and the test files hold the strongest, every other of 1,000."""
YEAST = ("Reb1", "Abf1", "Cbf1", "Fkh1", "Cin5", "Gcn4")
DEEPBIND = ("REST", "GABPA", "SP1", "ARID3A", "MYC", "ELK1", "CTCFL")

Parts = dict[str, dict[str, Any]]
"""Name of a fold, or "test" -> config."""


def yeast(factor: str, folder: Path) -> Parts:
    """Hold ChIP-exo peaks against GC-matched genomic negatives, chromosome folds."""
    data = {"genome": str(DATA / "yeast_genome/S_cerevisiae.fasta.gz"), "peaks": str(DATA / f"yeast_peaks_dev/{factor}.sacCer3.bed")}
    return folds({"data": data}, CHROMOSOME_FOLDS)


def deepbind(factor: str, folder: Path) -> Parts:
    """Hold the strongest bound sequences of ENCODE against shuffles of them, with the published test file."""
    files = write_deepbind(factor, folder)
    return {"test": {"data": {"fasta": [files["train"]], "negatives": "dinuc", "test_fasta": [files["positives"], files["negatives"]]}}}


def write_deepbind(factor: str, folder: Path) -> dict[str, str]:
    """Write one set as FASTA: training positives, test positives, test negatives."""
    found = {}
    for name, part, bound in (("train", "AC", 1), ("positives", "B", 1), ("negatives", "B", 0)):
        table = pd.read_csv(next((DATA / "deepbind_dev").glob(f"{factor}_*_{part}.seq.gz")), sep="\t")
        table = table[table["Bound"] == bound].head(STRONGEST)
        found[name] = written(folder / f"{factor}_{name}.fa", [f"{name}_{row}" for row in table.index], table["seq"])
    return found


def nfe2(folder: Path) -> Parts:
    """Take NFE2 in GM12878 as gkm-SVM's authors give it: 644 bound, 644 not, five folds."""
    stem = DATA / "lsgkm_nfe2/wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0"
    return folds({"data": {"fasta": [f"{stem}.tr.fa", f"{stem}.neg.tr.fa"]}}, 5)


def cnnprom(kind: str, folder: Path, *, split: str = "homology") -> Parts:
    """Hold promoters against other sequence, aligned at the start of transcription; five folds, or ten of the smallest set."""
    positives, negatives = {
        "ecoli": (["Ecoli_prom"], ["Ecoli_non_prom"]),
        "tata": (["Arabidopsis_tata"], ["Arabidopsis_non_prom"]),
        "non_tata": (["Arabidopsis_non_tata"], ["Arabidopsis_non_prom_big"]),
    }[kind]
    files = [str(DATA / f"cnnprom_dev/{name}.fa.gz") for name in (*positives, *negatives)]
    return folds({"data": {"fasta": files, "split": split}, "strands": "single"}, 10 if kind == "ecoli" else 5)


def enhancers(folder: Path) -> Parts:
    """Take the iEnhancer-2L sets: a training file and an independent test file."""
    files = {}
    for name in ("enhancer.cv", "non.cv", "enhancer.ind", "non.ind"):
        lines = (DATA / f"enhancer_ie2l/{name}.txt").read_text().split(">")[1:]
        records = [(record.split(None, 1)[0], "".join(record.split("\n")[1:]).replace("\r", "")) for record in lines]
        files[name] = written(folder / f"{name}.fa", *zip(*records, strict=True))
    return {"test": {"data": {"fasta": [files["enhancer.cv"], files["non.cv"]], "test_fasta": [files["enhancer.ind"], files["non.ind"]]}}}


def splice(folder: Path) -> Parts:
    """Take UCI splice junctions, copies kept together, ten folds."""
    table = pd.read_csv(DATA / "uci_splice/splice.data.gz", header=None, names=["class", "name", "sequence"], skipinitialspace=True)
    path = saved(table.assign(sequence=table["sequence"].str.strip()), folder / "splice.csv")
    return folds({"data": {"table": path, "target_columns": ["class"], "id_column": "name"}}, 10)


def yeast_promoters(folder: Path) -> Parts:
    """Take the expression that native yeast promoters drive, families kept together."""
    table = pd.read_csv(DATA / "yeast_promoter_mpra/Native_complex.csv.gz").rename(columns={"Measured Expression": "expression"})
    path = saved(table[["sequence", "expression"]], folder / "native_complex.csv")
    return folds({"data": {"table": path, "target_columns": ["expression"]}}, 5)


def utr(folder: Path) -> Parts:
    """Take the growth that native 5'UTRs of yeast allow, of those with 100 reads or more; lengths differ."""
    table = pd.read_csv(DATA / "yeast_5utr_native/Native_UTRs.csv.gz")
    table = table[table["t0"] >= 100].rename(columns={"UTR": "sequence"})
    return folds({"data": {"table": saved(table[["sequence", "growth_rate"]], folder / "utr.csv"), "target_columns": ["growth_rate"]}}, 5)


def ecoli_expression(folder: Path) -> Parts:
    """Take the expression of 165 bp promoters of E. coli, families kept together."""
    table = pd.read_csv(DATA / "ecoli_promoter_mpra/ecoli_mpra_expr.csv.gz").rename(columns={"realB": "sequence", "expr": "expression"})
    return folds({"data": {"table": saved(table, folder / "ecoli.csv"), "target_columns": ["expression"]}}, 5)


def donor_sites(folder: Path) -> Parts:
    """Take how often a 9-nt 5' splice site is used (PSI), with its own split."""
    table = pd.read_csv(DATA / "mavenn_mpsa/mpsa_data.csv.gz")
    table["split"] = table["set"].map({"training": "train", "validation": "val", "test": "test"})
    path = saved(table.rename(columns={"x": "sequence", "y": "psi"})[["sequence", "psi", "split"]], folder / "mpsa.csv")
    return {"test": {"data": {"table": path, "target_columns": ["psi"], "split": "column", "split_column": "split"}}}


SETS: dict[str, Callable[[Path], Parts]] = {
    **{factor: lambda folder, factor=factor: yeast(factor, folder) for factor in YEAST},  # type: ignore[misc]
    **{factor: lambda folder, factor=factor: deepbind(factor, folder) for factor in DEEPBIND},  # type: ignore[misc]
    "nfe2": nfe2,
    **{f"cnnprom_{kind}": lambda folder, kind=kind: cnnprom(kind, folder) for kind in ("ecoli", "tata", "non_tata")},  # type: ignore[misc]
    "cnnprom_ecoli_random": lambda folder: cnnprom("ecoli", folder, split="random"),
    "enhancers": enhancers,
    "splice": splice,
    "yeast_promoters": yeast_promoters,
    "utr": utr,
    "ecoli_expression": ecoli_expression,
    "donor_sites": donor_sites,
}
GROUPS = {
    "yeast": YEAST[:5],
    "deepbind": DEEPBIND,
    "promoters": ("cnnprom_ecoli", "cnnprom_tata", "cnnprom_non_tata"),
    "numbers": ("yeast_promoters", "utr", "ecoli_expression", "donor_sites"),
}


def folds(config: dict[str, Any], n: int) -> Parts:
    """Return a config a fold."""
    return {f"fold{k}": {**config, "data": {**config["data"], "fold": k, "n_folds": n}} for k in range(n)}


def written(path: Path, names: Any, sequences: Any) -> str:
    """Write a FASTA once and return where; names that repeat are told apart by number."""
    if not path.exists():
        write_fasta(path, [f"{name}_{k}" for k, name in zip(itertools.count(), names)], list(sequences))
    return str(path)


def saved(table: pd.DataFrame, path: Path) -> str:
    """Write a table once and return where."""
    if not path.exists():
        table.to_csv(path, index=False)
    return str(path)
