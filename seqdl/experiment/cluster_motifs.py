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
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.io.files import check_writable, writing
from seqdl.io.table import write_tsv
from seqdl.sequence.shuffle import dinucleotide_shuffle

if TYPE_CHECKING:
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
        Of the draw of 10,000 sequences, where there are more, and of their shuffles.
    """

    def __init__(self, sequences: SequenceSet, motifs: Sequence[Motif], *, seed: int = 0) -> None:
        n = len(sequences)
        self.rows = np.sort(np.random.default_rng(seed).permutation(n)[:MOST_SCANNED])
        self.motifs = list(motifs)
        self.sequences, self.seed = sequences.take(self.rows), seed
        self.content = MotifContent.of(self.sequences, self.motifs)

    def table(self, clusters: NDArray[np.int64]) -> pd.DataFrame:
        """Return the motifs of each cluster at a q-value of at most .05, the smallest p first.

        The columns are those of `seqdl.evaluate.clusters.enriched`; family: that of the factor, where the database tells; and rate_shuffled: the
        share of dinucleotide shuffles of the cluster's own sequences that hold the motif. Where it is no lower than the rate, composition is all
        that the motif tells of.
        """
        found = enriched(self.content.present, clusters[self.rows])
        kept = found[found["q"] <= SIGNIFICANT].reset_index(drop=True)
        labels = np.array([motif.label for motif in self.motifs], dtype=object)
        number = kept["motif"].to_numpy(dtype=np.int64)
        shuffled = self._rates_shuffled(kept["cluster"].to_numpy(dtype=np.int64), number, clusters[self.rows])
        kept.insert(5, "rate_shuffled", shuffled)
        families = np.array(["; ".join(motif.families) for motif in self.motifs], dtype=object)
        return kept.assign(motif=labels[number], family=families[number], number=number)

    def _rates_shuffled(self, cluster: NDArray[np.int64], number: NDArray[np.int64], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the share of the shuffles of a cluster that hold a motif, for each pair of the two."""
        chosen, column = np.unique(number, return_inverse=True)
        if not len(chosen):
            return np.empty(0)
        shuffles = SequenceSet(dinucleotide_shuffle(self.sequences.codes, seed=self.seed), self.sequences.lengths)
        present = MotifContent.of(shuffles, [self.motifs[k] for k in chosen]).present
        return np.array([present[clusters == of, at].mean() for of, at in zip(cluster, column, strict=True)])


def summary(table: pd.DataFrame, clusters: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """Return, for each cluster, how many motifs it is enriched for, and the best of them with its family and its rates."""
    found: dict[str, dict[str, Any]] = {}
    for number in np.unique(clusters[clusters != NO_CLUSTER]).tolist():
        rows = table[table["cluster"] == number]
        rates = {name: float(rows[name].iloc[0]) for name in ("rate", "rate_elsewhere", "rate_shuffled")} if len(rows) else {}
        best = {"best": rows["motif"].iloc[0], "family": rows["family"].iloc[0]} if len(rows) else {}
        found[str(number)] = {"n": len(rows), **best, **rates}
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
