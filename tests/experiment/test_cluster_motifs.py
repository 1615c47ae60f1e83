"""Known motifs that are enriched in clusters of sequences."""

from __future__ import annotations

import numpy as np

from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.experiment.cluster_motifs import ClusterMotifs, summary
from seqdl.motif.motif import Motif

SITE = np.array([1, 1, 2, 2, 0, 0, 2, 3], dtype=np.uint8)  # CCGGAAGT


def test_the_family_of_a_factor_stands_beside_its_motif():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (120, 60)).astype(np.uint8)
    codes[:60, 20:28] = SITE
    motifs = [Motif("M1", np.eye(4)[SITE].T * 20 + 0.1, alt_name="GABPA", families=("Ets-related",)), Motif("M2", rng.dirichlet([1] * 4, 8).T)]
    clusters = np.repeat([0, 1], 60)
    table = ClusterMotifs(SequenceSet.of(list(codes)), motifs).table(clusters)
    first = table.iloc[0]
    assert (first["motif"], first["family"], first["cluster"]) == ("M1 GABPA", "Ets-related", 0)
    found = summary(table, clusters)
    assert (found["0"]["best"], found["0"]["family"]) == ("M1 GABPA", "Ets-related")
    assert found["1"] == {"n": 0}
