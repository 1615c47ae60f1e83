"""Time 100 logos: the SVG drawer of the galleries beside logomaker, in one run.

python benchmarks/logos.py
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt

from seqdl.io.databases import load_database
from seqdl.plot.logos import logo, save_logo

N_FAST, N_SLOW = 100, 10


def main() -> None:
    motifs = load_database("jaspar")[:N_FAST]
    with tempfile.TemporaryDirectory() as folder:
        save_logo(motifs[0], Path(folder) / "warm.svg")
        began = time.perf_counter()
        for motif in motifs:
            save_logo(motif, Path(folder) / f"{motif.name}.svg")
        fast = (time.perf_counter() - began) / N_FAST
        plt.close(logo(motifs[0]).figure)
        began = time.perf_counter()
        for motif in motifs[:N_SLOW]:
            axes = logo(motif)
            axes.figure.savefig(Path(folder) / f"{motif.name}.png")
            plt.close(axes.figure)
        slow = (time.perf_counter() - began) / N_SLOW
    print(f"SVG drawer   {1e3 * fast:8.2f} ms a logo, {100 * fast:6.2f} s for 100")
    print(f"logomaker    {1e3 * slow:8.2f} ms a logo, {100 * slow:6.2f} s for 100")
    print(f"ratio        {slow / fast:8.0f} x")


if __name__ == "__main__":
    main()
