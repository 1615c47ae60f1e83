"""Known motifs that are enriched in clusters of sequences, as a table and logos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.evaluate.clusters import NO_CLUSTER, enriched
from seqdl.evaluate.motif_content import MotifContent
from seqdl.io.files import check_writable, writing
from seqdl.io.table import write_tsv

if TYPE_CHECKING:
    from seqdl.evaluate.sequence_set import SequenceSet
    from seqdl.motif.motif import Motif

SIGNIFICANT = 0.05
MOST_SCANNED = 10_000
"""Sequences that are scanned; of more a draw is."""


class ClusterMotifs:
    """Sites of known motifs in sequences, to be held against any clusters of them.

    Parameters
    ----------
    sequences : SequenceSet
    motifs : sequence of Motif
        A site is a window at p 1e-4, on either strand.
    seed : int, default 0
        Of the draw of 10,000 sequences, where there are more.
    """

    def __init__(self, sequences: SequenceSet, motifs: Sequence[Motif], *, seed: int = 0) -> None:
        n = len(sequences)
        self.rows = np.sort(np.random.default_rng(seed).permutation(n)[:MOST_SCANNED])
        self.motifs = list(motifs)
        self.content = MotifContent.of(sequences.take(self.rows), self.motifs)

    def table(self, clusters: NDArray[np.int64]) -> pd.DataFrame:
        """Return the motifs of each cluster at a q-value of at most .05, the smallest p first; see `seqdl.evaluate.clusters.enriched`."""
        found = enriched(self.content.present, clusters[self.rows])
        kept = found[found["q"] <= SIGNIFICANT].reset_index(drop=True)
        labels = np.array([motif.label for motif in self.motifs], dtype=object)
        return kept.assign(motif=labels[kept["motif"].to_numpy(dtype=np.int64)], number=kept["motif"])


def summary(table: pd.DataFrame, clusters: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """Return, for each cluster, how many motifs it is enriched for, and the best of them with its rates."""
    found: dict[str, dict[str, Any]] = {}
    for number in np.unique(clusters[clusters != NO_CLUSTER]).tolist():
        rows = table[table["cluster"] == number]
        best = {} if rows.empty else {"best": rows["motif"].iloc[0], "rate": float(rows["rate"].iloc[0])}
        more = {} if rows.empty else {"rate_elsewhere": float(rows["rate_elsewhere"].iloc[0])}
        found[str(number)] = {"n": len(rows), **best, **more}
    return found


def logo_folder(path: str | Path) -> Path:
    """Return the folder of the logos that belong to a table.

    Examples
    --------
    >>> logo_folder("out/clusters.tsv").as_posix()
    'out/clusters_logos'
    """
    place = Path(path)
    return place.with_name(f"{place.name.removesuffix('.gz').removesuffix('.tsv')}_logos")


def write_cluster_motifs(path: str | Path, table: pd.DataFrame, motifs: Sequence[Motif], *, force: bool = False) -> list[Path]:
    """Write the table, and beside it a logo of the best motif of each cluster.

    Returns
    -------
    list of Path
        The logos: clusterK.svg in the folder `logo_folder`.
    """
    from seqdl.plot.svg_logos import GREY, logo_svg

    best = table.drop_duplicates("cluster")
    logos = [logo_folder(path) / f"cluster{number}.svg" for number in best["cluster"]]
    if logos:
        logos[0].parent.mkdir(exist_ok=True)
    for logo in logos:
        check_writable(logo, force=force)
    write_tsv(path, table.drop(columns="number"), force=force, float_format="%.6g")
    for logo, (_, row) in zip(logos, best.iterrows(), strict=True):
        title = f"cluster {row['cluster']}: {row['motif']}, {row['rate']:.0%} of it, {row['rate_elsewhere']:.0%} elsewhere"
        with writing(logo, force=force) as stream:
            stream.write(logo_svg(motifs[int(row["number"])], title=title, ink=GREY) + "\n")
    return logos
