"""Motifs of clusters and agreement of groupings, against scipy and counting by hand."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy.stats import false_discovery_control, fisher_exact

from seqdl.errors import ShapeError
from seqdl.evaluate.clusters import enriched, rand_index


def drawn(n=60, n_motifs=5, n_clusters=3):
    rng = np.random.default_rng(4)
    clusters = rng.integers(-1, n_clusters, n)
    present = rng.random((n, n_motifs)) < 0.3
    present[clusters == 1, 2] = True
    return present, clusters


def test_p_values_are_those_of_fishers_exact_test_and_q_values_those_of_scipy():
    present, clusters = drawn()
    table = enriched(present, clusters)
    assert len(table) == 3 * 5
    for row in table.itertuples():
        inside, held = clusters == row.cluster, present[:, row.motif]
        counts = [[(held & inside).sum(), (~held & inside).sum()], [(held & ~inside).sum(), (~held & ~inside).sum()]]
        assert row.p == pytest.approx(fisher_exact(counts, alternative="greater").pvalue)
        assert row.n_sequences == counts[0][0]
        assert (row.rate, row.rate_elsewhere) == pytest.approx((held[inside].mean(), held[~inside].mean()))
    np.testing.assert_allclose(table["q"], false_discovery_control(table["p"]))


def test_the_motif_that_was_put_into_a_cluster_comes_first_there_and_nowhere_else():
    table = enriched(*drawn())
    first = table.drop_duplicates("cluster").set_index("cluster")
    assert first.loc[1, "motif"] == 2
    assert first.loc[1, "q"] < 1e-3
    assert (table[(table["motif"] == 2) & (table["cluster"] != 1)]["q"] > 0.5).all()


def test_what_is_in_no_cluster_makes_no_rows():
    assert enriched(np.ones((4, 2), dtype=bool), [-1, -1, -1, -1]).empty


def test_every_sequence_needs_a_cluster():
    with pytest.raises(ShapeError, match=r"\(3,\) clusters were given for motifs of shape \(4, 2\)"):
        enriched(np.ones((4, 2), dtype=bool), [0, 1, 0])


def test_the_rand_index_is_that_of_counting_pairs():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 3, 40), rng.integers(0, 4, 40)
    both = sum(one[i] == one[j] and other[i] == other[j] for i, j in combinations(range(40), 2))
    a, b = (sum(comb(int(n), 2) for n in np.bincount(some)) for some in (one, other))
    chance = a * b / comb(40, 2)
    assert rand_index(one, other) == pytest.approx((both - chance) / ((a + b) / 2 - chance))
