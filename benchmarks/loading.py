"""How many sequences a second can be loaded, beside other ways to do it, in one run.

    python benchmarks/loading.py                     the yeast genome of the development data
    python benchmarks/loading.py --megabases 120     a random genome of that size, made in a temporary folder

Everything is timed `--repeats` times in turn, and the fastest counts. Files are in the page cache and the .fai is there. One call means
the whole way from the names of a FASTA and a BED to int8 one-hot, with the codes of the genome in a cache of this run's own, or without.
On a busy machine `--clock cpu` counts the processor's seconds, those of all threads, rather than those on the wall.
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
import pyfaidx
import torch
from torch import Tensor

from seqdl.data.augment import Augmentation
from seqdl.data.datamodule import Loading, SequenceDataModule
from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome
from seqdl.layers.onehot import one_hot
from seqdl.sequence import encode
from seqdl.sequence.shuffle import dinucleotide_shuffle
from seqdl.types import Codes

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
YEAST = DATA / "yeast_genome" / "S_cerevisiae.fasta.gz"
BATCH = 256
WIDTHS = (200, 1_000)
FEW = 50
"""The loops see one in so many of the intervals."""
PEER = "tangermeme extract_loci, one call, 2 jobs"
TABLE_PEER = "tangermeme extract_loci, from a table, 2 jobs"
LOOP = "pyfaidx and a loop over bases"
PERMUTED = "np.permuted, which keeps no dinucleotides"
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


def pyfaidx_loop(path: Path, intervals: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Read each interval with pyfaidx and encode it base by base, as scripts do."""
    from pyfaidx import Fasta

    reader: Any = Fasta  # untyped
    width = int(intervals["end"].iloc[0] - intervals["start"].iloc[0])
    found = np.zeros((len(intervals), 4, width), dtype=np.int8)
    row_of = {"A": 0, "C": 1, "G": 2, "T": 3}
    with reader(str(path), as_raw=True, sequence_always_upper=True) as fasta:
        for one, chrom, start, end in zip(found, intervals["chrom"], intervals["start"], intervals["end"], strict=True):
            for position, base in enumerate(fasta[chrom][start:end]):
                if base in row_of:
                    one[row_of[base], position] = 1
    return found


def fetching(path: Path, folder: Path, *, n: int, width: int) -> dict[str, Work]:
    """Return the ways to get n intervals into memory; they are checked to give the same bases."""
    from tangermeme.io import extract_loci

    genome = with_codes(path, folder)
    intervals = random_intervals(genome.lengths, n, width)
    bed = folder / "intervals.bed"
    intervals.assign(name=".", score=0)[["chrom", "start", "end", "name", "score", "strand"]].to_csv(bed, sep="\t", header=False, index=False)
    loci = intervals[["chrom", "start", "end"]]
    few, mapped = loci[: n // FEW], without_codes(path, folder)
    works: dict[str, Work] = {
        PEER: lambda: extract_loci(str(bed), str(path), in_window=width, n_jobs=2),
        PEER.replace("2 jobs", "1 job"): lambda: extract_loci(str(bed), str(path), in_window=width, n_jobs=1),
        "seqdl, one call, without codes": lambda: without_codes(path, folder).one_hot(bed),
        "seqdl, one call, with codes": lambda: with_codes(path, folder).one_hot(bed),
        TABLE_PEER: lambda: extract_loci(loci, str(path), in_window=width, n_jobs=2),
        "seqdl, from a table, without codes": lambda: mapped.one_hot(intervals),
        "seqdl, from a table, with codes": lambda: genome.one_hot(intervals),
        "seqdl, Genome.fetch, codes (not one-hot), with codes": lambda: genome.fetch(intervals),
        LOOP: lambda: pyfaidx_loop(path, few),
    }
    expected = int8_one_hot(genome.fetch(intervals))
    for name, work in works.items():
        if "not one-hot" not in name:
            np.testing.assert_array_equal(np.asarray(work()), expected[: len(few)] if name == LOOP else expected)
    return works


def with_codes(path: Path, folder: Path) -> Genome:
    """Open the genome with its codes in the cache."""
    os.environ["SEQDL_CACHE"] = str(folder / "cache")
    return Genome(path)


def without_codes(path: Path, folder: Path) -> Genome:
    """Open the genome where no codes are."""
    os.environ["SEQDL_CACHE"] = str(folder / "no_cache")
    return Genome(path)


def batching(genome: Genome, *, n: int, width: int) -> tuple[dict[str, Work], dict[str, Work]]:
    """Return the ways to draw n sequences in random batches: as codes, and as the float32 one-hot that a network reads."""
    intervals = random_intervals(genome.lengths, n, width).assign(name="x", score=0.0)
    halves = intervals[: n // 2], intervals[n // 2 :]
    data = SequenceData.from_intervals(genome, *halves, split=["train"] * n)
    prebuilt = torch.from_numpy(encode.one_hot(data.codes))
    order = np.random.default_rng(2).permutation(n)[: n // BATCH * BATCH].reshape(-1, BATCH)
    index = torch.from_numpy(order)

    targets = data.targets()

    def gather(see: Callable[[Tensor], object] = id, *, take: bool = False) -> None:
        for rows in order:
            see(torch.from_numpy(data.codes.take(rows, axis=0) if take else data.codes[rows]))
            targets[rows]

    modules: dict[str, SequenceDataModule] = {}

    def epoch(see: Callable[[Tensor], object] = id, **loading: Any) -> None:
        module = modules.setdefault(str(loading), SequenceDataModule(data, Loading(BATCH, **loading)))  # one a training, as Lightning has it
        for batch in module.train_dataloader():
            see(batch.codes)

    moved, varied = Augmentation(turned=0.5, jitter=20), Augmentation(turned=0.5, jitter=20, mask=0.02, mutate=0.02)
    codes: dict[str, Work] = {
        "gathered without a loader, codes[rows]": gather,
        "gathered without a loader, codes.take(rows)": lambda: gather(take=True),
        "our loader, 0 processes": epoch,
        "our loader, 2 processes": lambda: epoch(workers=2),
        "our loader, 0 processes, turned and moved": lambda: epoch(augmentation=moved),
        "our loader, 0 processes, also masked and mutated": lambda: epoch(augmentation=varied),
    }
    tensors: dict[str, Work] = {
        "gathered without a loader, one-hot": lambda: gather(one_hot),
        "our loader, 0 processes, one-hot": lambda: epoch(one_hot),
        "rows of a one-hot tensor that was made before": lambda: [(prebuilt[rows], targets[rows]) for rows in index],
    }
    return codes, tensors


def shuffling(genome: Genome, *, n: int, width: int) -> dict[str, Work]:
    """Return the ways to shuffle n sequences."""
    from tangermeme.ersatz import dinucleotide_shuffle as theirs

    codes = genome.fetch(random_intervals(genome.lengths, n, width))
    hot = torch.from_numpy(int8_one_hot(codes))
    rng = np.random.default_rng(0)
    works: dict[str, Work] = {
        PERMUTED: lambda: rng.permuted(codes, axis=1),
        "seqdl.dinucleotide_shuffle": lambda: dinucleotide_shuffle(codes, seed=0),
        "tangermeme dinucleotide_shuffle": lambda: theirs(hot, n=1, random_state=0),
    }
    for work in works.values():
        work()  # compiles
    return works


def fastest(works: dict[str, Work], repeats: int, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Return the fewest seconds of each, all of them taken in turn."""
    seconds = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, work in works.items():
            began = clock()
            work()
            seconds[name] = min(seconds[name], clock() - began)
    return seconds


def show(title: str, rates: dict[str, list[float]], reference: str, sizes: tuple[int, ...] = WIDTHS) -> None:
    """Print a table of rates, and their ratios to one of them."""
    print(f"\n| {title} | {' | '.join(f'{size:,} bp | ratio' for size in sizes)} |\n|---|{'---|---|' * len(sizes)}")
    for name, found in rates.items():
        cells = [f"{rate:,.0f} | {rate / rates[reference][i]:.2f}" for i, rate in enumerate(found)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabases", type=int, default=0, help="size of a random genome; 0: the yeast genome")
    parser.add_argument("-n", type=int, default=50_000, help="sequences")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    options = parser.parse_args()
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = random_genome(folder, options.megabases) if options.megabases else plain_yeast(folder)
        pyfaidx.Faidx(str(path)).close()  # writes the .fai
        time.sleep(2.1)  # a younger file may change without its times telling, and is hashed again
        genome = with_codes(path, folder)
        genome.flat  # noqa: B018  # makes them
        print(f"{sum(genome.lengths.values()) / 1e6:.0f} Mb, {options.n:,} sequences; sequences a second ({options.clock} clock)")
        fetched: dict[str, list[float]] = {}
        drawn: dict[str, list[float]] = {}
        read: dict[str, list[float]] = {}
        for width in WIDTHS:
            for work, seconds in fastest(fetching(path, folder, n=options.n, width=width), options.repeats, clock).items():
                fetched.setdefault(work, []).append((options.n // FEW if work == LOOP else options.n) / seconds)
            torch.set_num_threads(1)  # numba's threads, which tangermeme starts, would spin beside torch's
            for works, table in zip(batching(genome, n=options.n, width=width), (drawn, read), strict=True):
                for work, seconds in fastest(works, options.repeats, clock).items():
                    table.setdefault(work, []).append(options.n / seconds)
        show("one call: FASTA and BED to int8 one-hot", {name: rates for name, rates in fetched.items() if "table" not in name}, PEER)
        show("from a table of intervals", {name: rates for name, rates in fetched.items() if "table" in name}, TABLE_PEER)
        show(f"random batches of {BATCH}, codes", drawn, "gathered without a loader, codes[rows]")
        show(f"random batches of {BATCH}, float32 one-hot", read, "rows of a one-hot tensor that was made before")
        shuffled = {work: [10_000 / seconds] for work, seconds in fastest(shuffling(genome, n=10_000, width=200), options.repeats, clock).items()}
        show("shuffles of 10,000 sequences", shuffled, PERMUTED, (200,))


if __name__ == "__main__":
    main()
