"""The demonstration: simulate peaks with known motifs, train, and see which are found again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seqdl.data.simulate import Layout, simulate, write_simulation
from seqdl.experiment.complete import silent
from seqdl.experiment.config import make_config
from seqdl.experiment.train import train
from seqdl.io.meme import read_meme
from seqdl.motif.compare import match_motifs

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.experiment.run import Run
    from seqdl.motif.motif import Motif

N_PEAKS = 2_000
GENOME_BP = 12_000_000
"""Room for twenty background windows a peak."""
LARGEST_Q = 0.05
"""A planted motif counts as recovered if Tomtom finds that very matrix at most at this q-value, among all known ones."""


@dataclass(frozen=True)
class Recovery:
    """Which planted motifs were found again.

    Attributes
    ----------
    table : DataFrame
        motif, filter, q: the planted motif, the filter that matches it best, and at which q-value.
    n_planted : int
    """

    table: pd.DataFrame
    n_planted: int

    @property
    def found(self) -> list[str]:
        """Labels of the motifs that were recovered."""
        return list(self.table.loc[self.table["q"] < LARGEST_Q, "motif"])

    def verdict(self) -> str:
        """Return the verdict in a line."""
        return f"recovered {len(self.found)} of {self.n_planted} planted motifs (Tomtom q < {LARGEST_Q}): {', '.join(self.found) or 'none'}"


def recover(found: list[Motif], planted: list[Motif], database: list[Motif]) -> Recovery:
    """Match filters against a database that holds the planted motifs, and see which of those are found.

    Parameters
    ----------
    found : list of Motif
        From the filters.
    planted : list of Motif
        The truth.
    database : list of Motif
        Every known motif; the planted ones are added where it lacks them, so that the q-values are those a user would get.
    """
    names = {motif.label for motif in planted}
    everything = [*(motif for motif in database if motif.label not in names), *planted]
    matches = match_motifs(found, everything, top=None)
    best = matches[matches["target"].isin(names)].sort_values("q", kind="stable").drop_duplicates("target")
    table = best.rename(columns={"target": "motif", "query": "filter"})[["motif", "filter", "q"]].reset_index(drop=True)
    return Recovery(table, len(planted))


def demo(
    folder: Path, motifs: list[Motif], database: list[Motif], *, seed: int = 0, force: bool = False, say: Callable[[str], None] = silent
) -> tuple[Run, Recovery]:
    """Simulate, train and compare.

    Parameters
    ----------
    folder : Path
        data/ and run/ are written here.
    motifs : list of Motif
        What is planted.
    database : list of Motif
        Every known motif.
    seed : int
    force : bool
    say : callable

    Returns
    -------
    run : Run
    recovery : Recovery
    """
    say(f"simulating a genome with peaks that hold {len(motifs)} motifs: {', '.join(motif.label for motif in motifs)}")
    simulation = simulate(motifs=motifs, n_peaks=N_PEAKS, seed=seed, layout=Layout(genome_length=GENOME_BP))
    files = write_simulation(folder / "data", simulation, force=force)
    data = {"genome": str(files["genome"].resolve()), "peaks": str(files["peaks"].resolve()), "context": 0}  # nothing but chance surrounds these
    config = make_config({"data": data, "seed": seed, "members": 3})
    run = train(config, folder / "run", command=f"seqdl demo -o {folder}", force=force, say=say)
    return run, recover(read_meme(run.folder / "motifs" / "motifs.meme"), motifs, database)
