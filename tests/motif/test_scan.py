from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from Bio.motifs.matrix import PositionSpecificScoringMatrix
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.errors import InputError, ShapeError
from seqdl.motif.motif import Motif
from seqdl.motif.scan import COLUMNS, best_scores, scan
from seqdl.sequence.encode import decode, encode


def random_motif(width: int, seed: int = 0, *, sharpness: float = 0.3) -> Motif:
    rng = np.random.default_rng([seed, width])
    return Motif(f"m{width}", rng.dirichlet([sharpness] * 4, size=width).T)


def scores_by_biopython(motif: Motif, codes: np.ndarray, strand: str) -> np.ndarray:
    pwm = motif.pwm() if strand == "+" else motif.pwm()[::-1, ::-1]
    pssm = PositionSpecificScoringMatrix("ACGT", {base: list(row) for base, row in zip("ACGT", pwm, strict=True)})
    return np.asarray(pssm.calculate(decode(codes)), dtype=float).ravel()


@pytest.fixture(scope="module")
def sequences() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    made = [rng.integers(0, 4, length).astype(np.uint8) for length in (3000, 500, 3, 41, 2000)]
    made[0][100:117] = 4
    made[1][::50] = 4
    return made


@pytest.mark.parametrize("width", [1, 4, 5, 6, 7, 11, 12, 13, 19, 30])
def test_hits_are_those_of_biopython_at_the_same_threshold(sequences, width):
    motif = random_motif(width, sharpness=1.0)
    hits = scan([motif], sequences, pvalue=0.3 if width == 1 else 5e-3)
    assert len(hits) > 20
    threshold = hits["score"].min()
    for number, strand in itertools.product(range(len(sequences)), "+-"):
        found = hits[(hits["sequence"] == str(number)) & (hits["strand"] == strand)]
        if len(sequences[number]) < width:
            assert found.empty
            continue
        expected = scores_by_biopython(motif, sequences[number], strand)
        at = np.flatnonzero(expected >= threshold - 1e-4)  # Biopython sums in float32
        np.testing.assert_array_equal(found["start"], at)
        np.testing.assert_allclose(found["score"], expected[at], atol=1e-4)
    assert (hits["end"] - hits["start"] == width).all()


@pytest.mark.parametrize("width", [3, 5, 7])
@pytest.mark.parametrize("background", [(0.25, 0.25, 0.25, 0.25), (0.35, 0.15, 0.2, 0.3)])
def test_p_values_are_those_of_all_words_and_never_optimistic(width, background):
    motif = Motif("m", random_motif(width).ppm, background=background)
    words = np.array(list(itertools.product(range(4), repeat=width)), dtype=np.uint8)
    chance = np.prod(np.array(background)[words], axis=1)
    scores = motif.pwm()[words, np.arange(width)].sum(axis=1)
    exact = np.array([chance[scores >= score - 1e-9].sum() for score in scores])
    hits = scan([motif], words, pvalue=1.0, both_strands=False)
    hits = hits.assign(number=hits["sequence"].astype(int)).sort_values("number")
    assert len(hits) == len(words)
    ratio = hits["p"].to_numpy() / exact
    assert ratio.min() > 1 - 1e-9
    assert np.quantile(ratio, 0.95) < 1.05


@pytest.mark.parametrize("pvalue", [1e-3, 1e-2])
def test_random_sequence_has_as_many_hits_as_the_p_value_says(pvalue):
    codes = np.random.default_rng(5).integers(0, 4, 200_000).astype(np.uint8)
    hits = scan([random_motif(12, sharpness=1.0)], [codes], pvalue=pvalue)
    assert len(hits) / (2 * len(codes)) == pytest.approx(pvalue, rel=0.15)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("ACGTN", min_size=1, max_size=60), min_size=1, max_size=5), st.integers(1, 9))
def test_best_score_is_the_maximum_over_windows_and_strands(texts, width):
    codes = np.full((len(texts), 60), 4, np.uint8)
    for row, text in zip(codes, texts, strict=True):
        row[: len(text)] = encode(text)
    motif = random_motif(width)
    lowest = motif.pwm().min(axis=0).sum()
    expected = []
    for row in codes:
        both = np.concatenate([scores_by_biopython(motif, row, strand) for strand in "+-"])
        expected.append(np.nanmax(both) if np.isfinite(both).any() else lowest)
    np.testing.assert_allclose(best_scores([motif], codes)[:, 0], expected, atol=1e-4)


def test_motifs_of_every_width_keep_their_column_in_best_scores():
    motifs = [random_motif(width) for width in (12, 3, 6, 25, 3, 7)]
    codes = np.random.default_rng(2).integers(0, 4, (20, 80)).astype(np.uint8)
    together = best_scores(motifs, codes)
    np.testing.assert_array_equal(together, np.concatenate([best_scores([motif], codes) for motif in motifs], axis=1))
    assert together.dtype == np.float32


def test_one_strand_only_sees_the_strand_as_given():
    motif = Motif("m", np.eye(4)[:, [0, 0, 1, 1, 2, 0]])
    forward, reverse = encode("GGGAACCGAGGG"), encode("GGGTCGGTTGGG")
    both = best_scores([motif], np.stack([forward, reverse]))
    one = best_scores([motif], np.stack([forward, reverse]), both_strands=False)
    assert both[0] == both[1] == one[0] > one[1]
    assert list(scan([motif], [forward, reverse], pvalue=1e-3, both_strands=False)["sequence"]) == ["0"]


def test_sequences_shorter_than_the_motif_get_its_lowest_score():
    motif = random_motif(12)
    np.testing.assert_allclose(best_scores([motif], np.zeros((2, 5), np.uint8)), motif.pwm().min(axis=0).sum(), rtol=1e-6)
    assert best_scores([motif], np.zeros((0, 50), np.uint8)).shape == (0, 1)


def test_a_motif_too_short_for_the_p_value_has_no_hits_and_the_table_keeps_its_columns(sequences):
    hits = scan([random_motif(3)], sequences, pvalue=1e-6)
    assert hits.empty
    assert list(hits.columns) == list(COLUMNS)


def test_hits_never_reach_over_the_border_of_two_sequences():
    motif = Motif("m", np.eye(4)[:, [0, 1, 2, 3, 0, 1]])
    assert scan([motif], [encode("TTTACG"), encode("TACTTT")], pvalue=1e-3).empty
    assert len(scan([motif], [encode("TTTACGTACTTT")], pvalue=1e-3)) == 1


def test_more_hits_than_expected_are_all_returned():
    motif = Motif("m", np.eye(4)[:, [0] * 8])
    hits = scan([motif], [np.zeros(50_000, np.uint8)], names=["poly-A"], pvalue=1e-3, both_strands=False)
    np.testing.assert_array_equal(hits["start"], np.arange(50_000 - 7))


def test_hits_are_sorted_by_sequence_in_the_order_given_then_by_start(sequences):
    names = ["b", "a", "e", "d", "c"]
    hits = scan([random_motif(8), random_motif(5)], sequences, names=names, pvalue=1e-2)
    ranks = hits["sequence"].map({name: i for i, name in enumerate(names)})
    assert hits.assign(rank=ranks).sort_values(["rank", "start", "end"], kind="stable").index.tolist() == list(range(len(hits)))


def test_two_thousand_motifs_score_a_thousand_sequences_in_seconds():
    motifs = [random_motif(8 + seed % 10, seed) for seed in range(2000)]
    codes = np.random.default_rng(0).integers(0, 4, (1000, 200)).astype(np.uint8)
    best_scores(motifs[:2], codes[:2])  # compiled
    begin = time.perf_counter()
    best_scores(motifs, codes)
    assert time.perf_counter() - begin < 10


@pytest.mark.parametrize("pvalue", [0, -1, 2, float("nan")])
def test_a_p_value_out_of_range_is_refused(sequences, pvalue):
    with pytest.raises(InputError, match=r"pvalue is .*; expected a probability"):
        scan([random_motif(5)], sequences, pvalue=pvalue)


def test_names_have_to_be_one_a_sequence(sequences):
    with pytest.raises(InputError, match="1 names for 5 sequences"):
        scan([random_motif(5)], sequences, names=["a"])


@pytest.mark.parametrize("function", [scan, best_scores])
def test_no_motifs_are_refused(function):
    with pytest.raises(InputError, match="0 motifs to scan with"):
        function([], np.zeros((1, 5), np.uint8))


def test_codes_that_are_not_a_table_are_refused():
    with pytest.raises(ShapeError, match=r"\(9,\); expected \(sequences, length\)"):
        best_scores([random_motif(5)], np.zeros(9, np.uint8))
