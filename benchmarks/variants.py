"""Variant effects beside saturation mutagenesis of twelve human elements: how fast, and how far a network of one factor gets.

    python benchmarks/variants.py                       trains on the NFE2 peaks of GM12878, with everything at its default
    python benchmarks/variants.py --run RUN             takes a run that is there

Printed is, for each assay, the correlation of the effect (logits) with the measured log2 change of expression, over variants of at least ten
barcodes. A network that knows one factor is not expected to explain a promoter: the table says how much it does.
Reads the development data at ../shared/data, or where SEQDL_DATA points.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import pandas as pd
from scipy.stats import spearmanr

from seqdl.data.genome import Genome
from seqdl.data.variants import check_reference
from seqdl.experiment.config import make_config
from seqdl.experiment.run import load_run
from seqdl.experiment.train import train
from seqdl.experiment.variants import motifs_of_run, score_variants, windowing_of
from seqdl.io.fasta import read_fasta

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
LEAST_BARCODES = 10


def elements() -> tuple[Genome, pd.DataFrame]:
    """Return the elements as a genome of one chromosome each, and their variants at the element's own coordinates."""
    folder = DATA / "human_mpra_satmut_dev"
    records = {record.name: record for record in read_fasta(folder / "elements.GRCh38.fa")}
    table = pd.read_csv(folder / "variants.GRCh38.tsv.gz", sep="\t")
    first = {name: int(record.description.split(":")[1].split("-")[0]) for name, record in records.items()}
    start = table["Pos"].astype(int) - table["Element"].map(first)
    variants = pd.DataFrame({"chrom": table["Element"], "start": start, "end": start + 1, "ref": table["Ref"], "alt": table["Alt"].replace("-", "")})
    variants["id"] = variants["chrom"] + ":" + table["Pos"].astype(int).astype(str) + table["Ref"] + ">" + table["Alt"]
    genome = Genome.from_codes({name: record.codes for name, record in records.items()})
    return genome, variants.assign(measured=table["Coefficient"], barcodes=table["Barcodes"])


def trained(folder: Path) -> Path:
    """Train on the NFE2 set of lsgkm."""
    name = DATA / "lsgkm_nfe2" / "wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0"
    train(make_config({"data": {"fasta": [f"{name}.tr.fa", f"{name}.neg.tr.fa"], "test_fasta": [f"{name}.test.fa", f"{name}.neg.test.fa"]}}), folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--shifts", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    run = load_run(options.run or trained(Path(tempfile.mkdtemp()) / "run"))
    genome, variants = elements()
    kept = check_reference(variants, genome)
    began, wall = time.process_time(), time.monotonic()
    table = score_variants(run.task, kept, genome, windowing=windowing_of(run.task, shifts=options.shifts), motifs=motifs_of_run(run))
    print(f"{len(table):,} variants in {time.process_time() - began:.0f} CPU s, {time.monotonic() - wall:.0f} s; {len(options.shifts)} shifts")
    print(f"{'assay':<10} {'variants':>8} {'Pearson':>8} {'Spearman':>8} {'|.| Spearman':>13}")
    sure = table[table["barcodes"] >= LEAST_BARCODES]
    for name, rows in sure.groupby("chrom", sort=False):
        alike = spearmanr(rows["effect"].abs(), rows["measured"].abs()).statistic
        r, rho = rows["effect"].corr(rows["measured"]), spearmanr(rows["effect"], rows["measured"]).statistic
        print(f"{name:<10} {len(rows):>8,} {r:>8.3f} {rho:>8.3f} {alike:>13.3f}")


if __name__ == "__main__":
    main()
