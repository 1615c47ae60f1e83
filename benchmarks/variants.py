"""Variant effects beside saturation mutagenesis of twelve human elements: how fast, and how far a network of one factor gets.

    python benchmarks/variants.py                       trains on the NFE2 peaks of GM12878, with everything at its default
    python benchmarks/variants.py --run RUN RUN         takes runs that are there

The variants are written as VCF and scored by `seqdl variants`. Printed is, for each assay, the correlation of the effect (logits) with the
measured log2 change of expression, over variants of at least ten barcodes, with a 95 % interval from a bootstrap of positions, whose variants
resemble each other. A network that knows one factor is not expected to explain a promoter: the table says how much it does.
Reads the development data at ../shared/data, or where SEQDL_DATA points.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from seqdl.cli.main import main as seqdl
from seqdl.experiment.config import make_config
from seqdl.experiment.train import train
from seqdl.io.fasta import read_fasta
from seqdl.io.vcf import write_vcf
from seqdl.sequence.encode import decode

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
ELEMENTS = DATA / "human_mpra_satmut_dev" / "elements.GRCh38.fa"
LEAST_BARCODES = 10
N_RESAMPLES = 1_000


def written(path: Path) -> pd.DataFrame:
    """Write the variants as VCF at each element's own coordinates, and return what was measured, by id."""
    table = pd.read_csv(ELEMENTS.with_name("variants.GRCh38.tsv.gz"), sep="\t").astype({"Pos": int})
    records = {record.name: record for record in read_fasta(ELEMENTS)}
    first = {name: int(record.description.split(":")[1].split("-")[0]) for name, record in records.items()}
    elements = {name: decode(record.codes) for name, record in records.items()}
    rows = [spelt(elements[row.Element], row.Pos - first[row.Element], row.Ref, row.Alt) for row in table.itertuples()]
    variants = pd.DataFrame(rows, columns=["start", "ref", "alt"]).assign(chrom=table["Element"])
    variants["end"] = variants["start"] + variants["ref"].str.len()
    variants["id"] = table["Element"] + ":" + table["Pos"].astype(str) + table["Ref"] + ">" + table["Alt"]
    write_vcf(path, variants)
    return table.assign(id=variants["id"])[["id", "Pos", "Coefficient", "Barcodes"]]


def spelt(element: str, start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Return start, REF and ALT as a VCF has them: a deletion with the base before it, at the first base with the one behind it."""
    if alt != "-":
        return start, ref, alt
    return (start - 1, element[start - 1] + ref, element[start - 1]) if start else (start, ref + element[1], element[1])


def trained(folder: Path) -> Path:
    """Train on the NFE2 set of lsgkm."""
    name = DATA / "lsgkm_nfe2" / "wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0"
    train(make_config({"data": {"fasta": [f"{name}.tr.fa", f"{name}.neg.tr.fa"], "test_fasta": [f"{name}.test.fa", f"{name}.neg.test.fa"]}}), folder)
    return folder


def interval(effect: np.ndarray, measured: np.ndarray, positions: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of Pearson's r over resamples of whole positions."""
    rng, (_, place) = np.random.default_rng(0), np.unique(positions, return_inverse=True)
    n = place.max() + 1
    weight = np.stack([np.bincount(rng.integers(0, n, n), minlength=n)[place] for _ in range(N_RESAMPLES)])
    total = weight.sum(1)
    x, y = ((values - (weight @ values / total)[:, None]) for values in (effect, measured))
    r = (weight * x * y).sum(1) / np.sqrt((weight * x**2).sum(1) * (weight * y**2).sum(1))
    low, high = np.quantile(r, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, nargs="+")
    parser.add_argument("--shifts", default="0")
    parser.add_argument("--motifs", help="as of seqdl variants; none leaves out which motifs come and go, and its time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = written(folder / "variants.vcf")
        for run in options.run or [trained(folder / "run")]:
            words = ["--genome", ELEMENTS, "--vcf", folder / "variants.vcf", f"--shifts={options.shifts}", "-o", folder / "out.tsv"]
            words += ["--motifs", options.motifs] if options.motifs else []
            began, wall = time.process_time(), time.monotonic()
            if seqdl(["variants", *map(str, [run, *words]), "--force", "--quiet"]):
                raise SystemExit(1)
            spent = f"{time.process_time() - began:.0f} CPU s, {time.monotonic() - wall:.0f} s"
            table = pd.read_csv(folder / "out.tsv", sep="\t", keep_default_na=False).merge(measured, on="id")
            print(f"\n{run.name}: {len(table):,} variants in {spent}; shifts {options.shifts}")
            report(table[table["Barcodes"] >= LEAST_BARCODES])


def report(table: pd.DataFrame) -> None:
    """Print a row an assay."""
    print(f"{'assay':<10} {'variants':>8} {'Pearson (95 %)':>24} {'Spearman':>8} {'|.| Spearman':>13}")
    means = []
    for name, rows in table.groupby("chrom", sort=False):
        x, y = rows["effect"].to_numpy(), rows["Coefficient"].to_numpy()
        r, rho, alike = (np.corrcoef(*pair)[0, 1] for pair in ((x, y), (rankdata(x), rankdata(y)), (rankdata(np.abs(x)), rankdata(np.abs(y)))))
        low, high = interval(x, y, rows["Pos"].to_numpy())
        means.append((r, rho, alike))
        print(f"{name:<10} {len(rows):>8,} {f'{r:.3f} ({low:.3f} to {high:.3f})':>24} {rho:>8.3f} {alike:>13.3f}")
    print("mean       {:>8,} {:>24.3f} {:>8.3f} {:>13.3f}".format(len(table), *np.mean(means, axis=0)), flush=True)


if __name__ == "__main__":
    main()
