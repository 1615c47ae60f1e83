from __future__ import annotations

import numpy as np
import pytest
from memelite import tomtom
from scipy.stats import false_discovery_control

from seqdl.errors import InputError
from seqdl.motif.compare import COLUMNS, benjamini_hochberg, match_motifs
from seqdl.motif.motif import Motif


@pytest.fixture(scope="module")
def known() -> list[Motif]:
    rng = np.random.default_rng(3)
    return [Motif(f"T{i}", rng.dirichlet([0.2] * 4, size=int(rng.integers(6, 15))).T, alt_name=f"F{i}") for i in range(60)]


def test_a_motif_matches_itself_best(known):
    table = match_motifs(known, known)
    assert list(table.columns) == list(COLUMNS)
    assert list(table["target"]) == [motif.label for motif in known]
    assert (table["offset"] == 0).all()
    assert (table["strand"] == "+").all()
    assert list(table["overlap"]) == [motif.width for motif in known]


@pytest.mark.parametrize(("cut", "offset"), [(slice(2, None), 2), (slice(0, -1), 0)])
def test_offset_counts_the_query_from_the_start_of_the_target(known, cut, offset):
    target = max(known, key=lambda motif: motif.width)
    match = match_motifs([Motif("q", target.ppm[:, cut])], known).iloc[0]
    assert (match["target"], match["offset"], match["strand"], match["overlap"]) == (target.label, offset, "+", target.ppm[:, cut].shape[1])


def test_offset_is_negative_where_the_query_begins_before_the_target(known):
    flank = np.full((4, 3), 0.25)
    match = match_motifs([Motif("q", np.concatenate([flank, known[4].ppm], axis=1))], known).iloc[0]
    assert (match["target"], match["offset"]) == (known[4].label, -3)


def test_the_other_strand_is_found(known):
    match = match_motifs([known[7].reverse_complement()], known).iloc[0]
    assert (match["target"], match["strand"], match["offset"]) == (known[7].label, "-", 0)


def test_a_palindrome_is_reported_on_the_forward_strand(known):
    palindrome = Motif("p", np.eye(4)[:, [1, 0, 1, 2, 3, 2]] * 0.9 + 0.025)
    match = match_motifs([palindrome], [*known, palindrome]).iloc[0]
    assert (match["target"], match["strand"]) == ("p", "+")


def test_p_values_are_those_of_memelite(known):
    queries = known[:5]
    table = match_motifs(queries, known, top=None)
    reference = tomtom([q.ppm for q in queries], [t.ppm for t in known])[0]
    number = {motif.label: i for i, motif in enumerate(known)}
    for q, (_, rows) in enumerate(table.groupby("query", sort=False)):
        np.testing.assert_allclose(rows["p"], reference[q, [number[label] for label in rows["target"]]], rtol=1e-9)


def test_rows_come_by_query_in_their_order_then_by_p(known):
    queries = [known[9], known[2], known[30]]
    table = match_motifs(queries, known, top=4)
    assert list(table["query"]) == [query.name for query in queries for _ in range(4)]
    assert all(rows["p"].is_monotonic_increasing for _, rows in table.groupby("query"))


def test_random_motifs_have_uniform_or_larger_p_values(known):
    rng = np.random.default_rng(11)
    queries = [Motif(f"r{i}", rng.dirichlet([0.2] * 4, size=9).T) for i in range(60)]
    p = match_motifs(queries, known, top=None)["p"].to_numpy()
    assert (p <= 0.01).mean() < 0.02
    assert match_motifs(queries, known)["q"].lt(0.05).mean() < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_q_values_are_those_of_scipy(seed):
    p = np.random.default_rng(seed).random((3, 50)) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), [false_discovery_control(row) for row in p])


def test_top_may_ask_for_more_targets_than_there_are(known):
    assert len(match_motifs(known[:2], known[:3], top=10)) == 6


def test_no_queries_give_an_empty_table(known):
    table = match_motifs([], known)
    assert table.empty
    assert list(table.columns) == list(COLUMNS)


def test_no_targets_are_refused(known):
    with pytest.raises(InputError, match="0 target motifs; expected at least one"):
        match_motifs(known, [])


def test_top_below_one_is_refused(known):
    with pytest.raises(InputError, match="top is 0; expected 1 or more"):
        match_motifs(known, known, top=0)
