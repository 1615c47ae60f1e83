"""How many sequences a second can be loaded, beside other ways to do it, in one run.

    python benchmarks/loading.py                     the yeast genome of the development data
    python benchmarks/loading.py --megabases 120     a random genome of that size, made in a temporary folder

Everything is timed `--repeats` times in turn, and the fastest counts. Files are in the page cache, the .fai is there, and
the codes of the genome are in a cache of this run's own.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqdl.data.augment import Augmentation
from seqdl.data.datamodule import Loading, SequenceDataModule
from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome
from seqdl.layers.onehot import one_hot
from seqdl.sequence import encode
from seqdl.types import Codes

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
YEAST = DATA / "yeast_genome" / "S_cerevisiae.fasta.gz"
BATCH = 256
Work = Callable[[], Any]


def plain_yeast(folder: Path) -> Path:
    """Unpack the yeast genome, since the others read no plain gzip."""
    path = folder / "genome.fa"
    with gzip.open(YEAST, "rb") as packed, path.open("wb") as out:
        shutil.copyfileobj(packed, out)
    return path


def random_genome(folder: Path, megabases: int) -> Path:
    """Write a random genome of chromosomes of 10 Mb, 60 bases a line."""
    rng, path = np.random.default_rng(0), folder / "genome.fa"
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    with path.open("wb") as out:
        for number in range(max(1, megabases // 10)):
            lines = np.full((10_000_000 // 60, 61), ord("\n"), dtype=np.uint8)
            lines[:, :60] = letters[rng.integers(0, 4, (len(lines), 60))]
            out.write(b">chr%d\n" % (number + 1) + lines.tobytes())
    return path


def random_intervals(lengths: dict[str, int], n: int, width: int) -> pd.DataFrame:
    """Return n intervals of one width, in no order, on one strand."""
    rng = np.random.default_rng(1)
    names = np.array([name for name, length in lengths.items() if length > width])
    sizes = np.array([lengths[name] for name in names])
    which = rng.choice(len(names), n, p=sizes / sizes.sum())
    start = rng.integers(0, sizes[which] - width)
    return pd.DataFrame({"chrom": names[which], "start": start, "end": start + width, "strand": "+"})


def int8_one_hot(codes: Codes) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Return what tangermeme returns: (N, 4, L) int8."""
    found = np.empty((len(codes), 4, codes.shape[1]), dtype=np.int8)
    np.equal(codes[:, None], np.arange(4, dtype=np.uint8)[:, None], out=found.view(bool))
    return found


def pyfaidx_loop(path: Path, intervals: pd.DataFrame) -> Codes:
    """Read each interval with pyfaidx and encode it by a lookup table."""
    from pyfaidx import Fasta

    reader: Any = Fasta  # untyped
    table = np.full(256, 4, dtype=np.uint8)
    for letters in ("ACGT", "acgt"):
        table[np.frombuffer(letters.encode(), dtype=np.uint8)] = range(4)
    found = np.empty((len(intervals), int(intervals["end"].iloc[0] - intervals["start"].iloc[0])), dtype=np.uint8)
    with reader(str(path), as_raw=True) as fasta:
        for row, chrom, start, end in zip(found, intervals["chrom"], intervals["start"], intervals["end"], strict=True):
            row[:] = table[np.frombuffer(fasta[chrom][start:end].encode(), dtype=np.uint8)]
    return found


def fetching(path: Path, genome: Genome, *, n: int, width: int) -> dict[str, Work]:
    """Return the ways to get n intervals into memory; they are checked to give the same bases."""
    from tangermeme.io import extract_loci

    intervals = random_intervals(genome.lengths, n, width)
    loci = intervals[["chrom", "start", "end"]]
    few = loci[: n // 10]
    works: dict[str, Work] = {
        "seqdl: Genome.fetch, codes": lambda: genome.fetch(intervals),
        "seqdl: Genome.fetch, int8 one-hot": lambda: int8_one_hot(genome.fetch(intervals)),
        "tangermeme extract_loci, 2 jobs, int8 one-hot": lambda: extract_loci(loci, str(path), in_window=width, n_jobs=2),
        "tangermeme extract_loci, 1 job, int8 one-hot": lambda: extract_loci(loci, str(path), in_window=width, n_jobs=1),
        "pyfaidx and a lookup table, codes": lambda: pyfaidx_loop(path, few),
    }
    codes = genome.fetch(intervals)
    np.testing.assert_array_equal(works["tangermeme extract_loci, 2 jobs, int8 one-hot"]().numpy(), int8_one_hot(codes))
    np.testing.assert_array_equal(pyfaidx_loop(path, few), codes[: len(few)])
    return works


def batching(genome: Genome, *, n: int, width: int) -> tuple[dict[str, Work], dict[str, Work]]:
    """Return the ways to draw n sequences in random batches: as codes, and as the float32 one-hot that a network reads."""
    intervals = random_intervals(genome.lengths, n, width).assign(name="x", score=0.0)
    halves = intervals[: n // 2], intervals[n // 2 :]
    data = SequenceData.from_intervals(genome, *halves, split=["train"] * n)
    prebuilt = torch.from_numpy(encode.one_hot(data.codes))
    order = np.random.default_rng(2).permutation(n)[: n // BATCH * BATCH].reshape(-1, BATCH)
    index = torch.from_numpy(order)

    targets = data.targets()

    def gather(see: Callable[[Tensor], object] = id) -> None:
        for rows in order:
            see(torch.from_numpy(data.codes[rows]))
            targets[rows]

    def epoch(see: Callable[[Tensor], object] = id, **loading: Any) -> None:
        for batch in SequenceDataModule(data, Loading(BATCH, **loading)).train_dataloader():
            see(batch.codes)

    moved, varied = Augmentation(turned=0.5, jitter=20), Augmentation(turned=0.5, jitter=20, mask=0.02, mutate=0.02)
    codes: dict[str, Work] = {
        "gathered without a loader": gather,
        "our DataLoader, 0 processes": epoch,
        "our DataLoader, 2 processes": lambda: epoch(workers=2),
        "our DataLoader, 0 processes, turned and moved": lambda: epoch(augmentation=moved),
        "our DataLoader, 0 processes, also masked and mutated": lambda: epoch(augmentation=varied),
    }
    tensors: dict[str, Work] = {
        "gathered without a loader, one-hot": lambda: gather(one_hot),
        "our DataLoader, 0 processes, one-hot": lambda: epoch(one_hot),
        "rows of a one-hot tensor that was made before": lambda: [(prebuilt[rows], targets[rows]) for rows in index],
    }
    return codes, tensors


def fastest(works: dict[str, Work], repeats: int) -> dict[str, float]:
    """Return the fewest seconds of each, all of them taken in turn."""
    seconds = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    return seconds


def show(title: str, rates: dict[str, list[float]], reference: str) -> None:
    """Print a table of rates, and their ratios to one of them."""
    print(f"\n| {title} | 200 bp | ratio | 1,000 bp | ratio |\n|---|---|---|---|---|")
    for name, found in rates.items():
        cells = [f"{rate:,.0f} | {rate / rates[reference][i]:.2f}" for i, rate in enumerate(found)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabases", type=int, default=0, help="size of a random genome; 0: the yeast genome")
    parser.add_argument("-n", type=int, default=50_000, help="sequences")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["SEQDL_CACHE"] = str(folder / "cache")
        path = random_genome(folder, options.megabases) if options.megabases else plain_yeast(folder)
        genome = Genome(path)
        print(f"{sum(genome.lengths.values()) / 1e6:.0f} Mb, {options.n:,} sequences; sequences a second")
        fetched: dict[str, list[float]] = {}
        drawn: dict[str, list[float]] = {}
        read: dict[str, list[float]] = {}
        for width in (200, 1_000):
            for work, seconds in fastest(fetching(path, genome, n=options.n, width=width), options.repeats).items():
                fetched.setdefault(work, []).append((options.n // 10 if work.startswith("pyfaidx") else options.n) / seconds)
            torch.set_num_threads(1)  # numba's threads, which tangermeme starts, would spin beside torch's
            for works, table in zip(batching(genome, n=options.n, width=width), (drawn, read), strict=True):
                for work, seconds in fastest(works, options.repeats).items():
                    table.setdefault(work, []).append(options.n / seconds)
        show("intervals of a genome", fetched, "tangermeme extract_loci, 2 jobs, int8 one-hot")
        show(f"random batches of {BATCH}, codes", drawn, "gathered without a loader")
        show(f"random batches of {BATCH}, float32 one-hot", read, "rows of a one-hot tensor that was made before")


if __name__ == "__main__":
    main()
