"""How much memory a million intervals take, from the files to the predictions, and what it costs to open a genome.

    python benchmarks/memory.py                                 1,000,000 x 1,000 bp of a random genome of 300 Mb: some minutes, 3 GB of disk
    python benchmarks/memory.py -n 100000 --megabases 30        smaller

A thread reads RssAnon of /proc/self/status twenty times a second: memory that is the process's own. Pages of files (the codes of the
genome, and large arrays, which lie in unlinked files of the cache folder) are the system's to keep or to drop, and are listed apart. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)


def status() -> dict[str, float]:
    """Return the sizes of this process, MB."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines() if line.endswith(" kB"))
    return {words[0].rstrip(":"): int(words[1]) * 1024 / 1e6 for words in lines}


class Watch:
    """Keeps the largest RssAnon and RssFile since it was asked last."""

    def __init__(self) -> None:
        self._anon = self._file = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            found = status()
            self._anon, self._file = max(self._anon, found["RssAnon"]), max(self._file, found["RssFile"])
            time.sleep(0.05)

    def most(self) -> tuple[float, float]:
        """Return the largest of both, and begin anew."""
        now = status()
        found = max(self._anon, now["RssAnon"]), max(self._file, now["RssFile"])
        self._anon = self._file = 0.0
        return found

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Print a line of the table when the block ends."""
        self.most()
        began = time.monotonic()
        yield
        seconds, (own, files) = time.monotonic() - began, self.most()
        print(f"| {name} | {seconds:.0f} | {own:,.0f} | {status()['RssAnon']:,.0f} | {files:,.0f} |", flush=True)


def write_genome(path: Path, megabases: int) -> dict[str, int]:
    """Write a random genome of ten chromosomes, 60 bases a line; return their lengths."""
    rng = np.random.default_rng(0)
    n_lines = megabases * 1_000_000 // 10 // 60
    with path.open("wb") as out:
        for number in range(10):
            out.write(b">chr%d\n" % (number + 1))
            for first in range(0, n_lines, 100_000):
                lines = np.full((min(100_000, n_lines - first), 61), ord("\n"), dtype=np.uint8)
                lines[:, :60] = LETTERS[rng.integers(0, 4, (len(lines), 60))]
                out.write(lines.tobytes())
    return {f"chr{number + 1}": n_lines * 60 for number in range(10)}


def write_regions(path: Path, lengths: dict[str, int], *, n: int, width: int) -> None:
    """Write intervals at random places, sorted by chromosome, on either strand."""
    rng = np.random.default_rng(1)
    chrom = np.array(list(lengths))[np.sort(rng.integers(0, len(lengths), n))]
    start = rng.integers(0, min(lengths.values()) - width, n)
    table = pd.DataFrame({"chrom": chrom, "start": start, "end": start + width, "name": ".", "score": 0, "strand": rng.choice(["+", "-"], n)})
    table.to_csv(path, sep="\t", header=False, index=False)


def open_genome(path: str) -> None:
    """Open a genome and read one window; print what that took, MB, beyond what the imports do."""
    import pyfaidx  # noqa: F401  # so that its import is not counted

    from seqdl.data.genome import Genome

    before, watch = status()["RssAnon"], Watch()
    genome = Genome(path)
    genome.sequence("chr1", 1_000, 1_200)
    print(f"{max(watch.most()[0] - before, 0):.1f}")


def show_opening(folder: Path) -> None:
    """Print what opening a genome of 30 Mb and one of 300 Mb costs, as its codes are made and when they are there."""
    print("\n| opening a genome, own memory | as its codes are made, MB | when they are there, MB |\n|---|---|---|")
    for megabases in (30, 300):
        path = folder / f"{megabases}.fa"
        write_genome(path, megabases)
        time.sleep(2.1)  # a younger file may change without its times telling, and is hashed again
        cells = [subprocess.run([sys.executable, __file__, "--open", path], capture_output=True, text=True, check=True).stdout.strip() for _ in "12"]
        print(f"| {megabases} Mb | {' | '.join(cells)} |", flush=True)
        path.unlink()


def walk(folder: Path, *, n: int, width: int, megabases: int) -> None:
    """Go from the files to predictions, and print the table."""
    from seqdl.audit.summary import audit_examples
    from seqdl.data.dataset import SequenceData
    from seqdl.data.genome import Genome
    from seqdl.data.split import split_by_chromosome
    from seqdl.experiment.build import create_model, create_task
    from seqdl.experiment.fit import fit_task
    from seqdl.experiment.predict import predict_logits
    from seqdl.experiment.training_config import TrainingConfig
    from seqdl.io.bed import read_bed

    lengths = write_genome(folder / "genome.fa", megabases)
    write_regions(folder / "regions.bed", lengths, n=n, width=width)
    watch = Watch()
    print(f"{n:,} intervals of {width:,} bp, a genome of {megabases} Mb")
    print("\n| stage | seconds | most of its own, MB | at its end, MB | of files, MB |\n|---|---|---|---|---|")
    with watch.stage("imports"):
        import torch  # noqa: F401
    with watch.stage("the genome, its codes made"):
        genome = Genome(folder / "genome.fa")
    with watch.stage("the BED"):
        intervals = read_bed(folder / "regions.bed")
    with watch.stage("examples: codes, table, splits"):
        split = split_by_chromosome(intervals["chrom"], genome.lengths)
        half = n // 2
        data = SequenceData.from_intervals(genome, intervals[:half], intervals[half:], split=split)
        del intervals
    with watch.stage("audit: leaks, shortcuts, duplicates"):
        place = data.examples[["chrom", "start", "end"]]
        found = audit_examples(
            data.codes, data.targets()[:, 0], data.examples["split"].to_numpy(), lengths=np.full(n, width), intervals=place, ledger=data.ledger
        )
    task = create_task("binary", create_model("cnn", filters=16), outputs=["target"])
    with watch.stage("training, 2 epochs of 50 steps of 64, and validation on all of it"):
        options = TrainingConfig(max_steps=100, batch_size=64)
        fit_task(task, data, folder / "run", training=options, device="cpu")
    with watch.stage("predictions of the test split"):
        rows = data.rows("test")
        logits = np.concatenate([predict_logits(task, data.codes[part], device="cpu") for part in np.array_split(rows, 10)])
    print(f"\nleak: {found['leak']}; {len(logits):,} predictions; {found['verdict'][0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=1_000_000, help="intervals")
    parser.add_argument("--width", type=int, default=1_000, help="bp")
    parser.add_argument("--megabases", type=int, default=300, help="size of the genome")
    parser.add_argument("--open", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        open_genome(options.open)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["SEQDL_CACHE"] = str(folder / "cache")
        walk(folder, n=options.n, width=options.width, megabases=options.megabases)
        show_opening(folder)


if __name__ == "__main__":
    main()
