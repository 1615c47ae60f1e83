"""Filters to motifs: how much memory and time many long sequences take.

    python benchmarks/filter_memory.py --sequences 100000 --length 1000 --filters 300

Sequences are random codes, the network one convolution with untrained weights. Prints the peak of the resident memory over what it was
before, the codes included, and the CPU seconds.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import torch
from torch import nn

from seqdl.interpret.filters import filter_motifs


def resident_mb() -> float:
    """Return the peak resident memory of this process so far (MB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=100_000)
    parser.add_argument("--length", type=int, default=1_000)
    parser.add_argument("--filters", type=int, default=300)
    parser.add_argument("--width", type=int, default=19)
    parser.add_argument("--method", choices=("top", "fraction", "weighted"), default="top")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(4, options.filters, options.width, padding=options.width // 2), nn.ReLU())
    rng = np.random.default_rng(0)
    filter_motifs(net, rng.integers(0, 4, (8, options.length), dtype=np.uint8), method=options.method)  # what is loaded or compiled once
    before = resident_mb()
    codes = rng.integers(0, 4, (options.sequences, options.length), dtype=np.uint8)
    began = time.process_time()
    motifs = filter_motifs(net, codes, method=options.method)
    print(
        f"{options.sequences:,} x {options.length:,} bp, {options.filters} filters of {options.width} bp, {options.method}: {len(motifs)} motifs, "
        f"peak {resident_mb() - before:,.0f} MB over {before:,.0f} MB (codes {codes.nbytes / 1e6:,.0f} MB), {time.process_time() - began:,.0f} CPU s"
    )


if __name__ == "__main__":
    main()
