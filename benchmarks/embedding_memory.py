"""How much memory seqdl embed takes, by the number of sequences: streamed as TSV, as NPZ and as AnnData.

    python benchmarks/embedding_memory.py                     1,000,000 x 200 bp: ten minutes, 0.6 GB of disk
    python benchmarks/embedding_memory.py -n 20000 100000     two sizes, to see that memory does not grow with them

An autoencoder is trained for some steps on 200 random sequences; then each file is embedded by a process of its own, in which a thread reads
RssAnon of /proc/self/status twenty times a second: memory that is the process's own. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)


def own_memory() -> float:
    """Return RssAnon of this process, MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024 / 1e6


def write_sequences(path: Path, n: int, width: int) -> None:
    """Write random sequences, 10,000 at a time."""
    rng = np.random.default_rng(0)
    with path.open("wb") as out:
        for first in range(0, n, 10_000):
            codes = LETTERS[rng.integers(0, 4, (min(10_000, n - first), width))]
            out.write(b"".join(b">sequence%d\n%s\n" % (first + i, row.tobytes()) for i, row in enumerate(codes)))


def embed(run: str, fasta: str, output: str) -> None:
    """Embed in this process; print the CPU seconds, and the largest RssAnon in MB."""
    from seqdl.cli.main import main

    most = [0.0]

    def look() -> None:
        while True:
            most[0] = max(most[0], own_memory())
            time.sleep(0.05)

    threading.Thread(target=look, daemon=True).start()
    began = time.process_time()
    if main(["embed", run, "--fasta", fasta, "-o", output, "--device", "cpu", "--quiet"]):
        sys.exit(1)
    print(f"{time.process_time() - began:.0f} {most[0]:.0f}")


def walk(folder: Path, sizes: list[int], width: int, formats: list[str]) -> None:
    """Train, embed files of each size, and print the table."""
    write_sequences(folder / "train.fa", 200, width)
    words = ["train", "--fasta", str(folder / "train.fa"), "--task", "autoencoder", "--model", "cnn", "--model.filters", "32", "--split", "random"]
    words += ["--max-steps", "10", "--device", "cpu", "--quiet", "-o", str(folder / "run")]
    subprocess.run([sys.executable, "-m", "seqdl.cli.main", *words], check=True, stdout=subprocess.DEVNULL)
    print(f"sequences of {width:,} bp, 32 latents\n\n| sequences | format | CPU seconds | most own memory, MB | file, MB |\n|---|---|---|---|---|")
    for n in sizes:
        fasta = folder / "x.fa"
        write_sequences(fasta, n, width)
        for ending in formats:
            output = folder / f"x.{ending}"
            command = [sys.executable, __file__, "--embed", str(folder / "run"), str(fasta), str(output)]
            seconds, megabytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            print(f"| {n:,} | {ending} | {seconds} | {megabytes} | {output.stat().st_size / 1e6:.0f} |", flush=True)
            output.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, nargs="+", default=[1_000_000], help="sequences")
    parser.add_argument("--formats", nargs="+", choices=("tsv", "npz", "h5ad"), default=["tsv", "npz", "h5ad"])
    parser.add_argument("--width", type=int, default=200, help="bp")
    parser.add_argument("--embed", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.embed:
        embed(*options.embed)
        return
    with tempfile.TemporaryDirectory() as name:
        walk(Path(name), options.n, options.width, options.formats)


if __name__ == "__main__":
    main()
