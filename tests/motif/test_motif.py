from __future__ import annotations

import numpy as np
import pytest
from Bio import motifs as bio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqdl.errors import InputError, ShapeError
from seqdl.motif.motif import Motif

matrices = st.integers(1, 12).flatmap(
    lambda w: arrays(np.float64, (4, w), elements=st.integers(0, 40).map(float)).filter(lambda m: (m.sum(0) > 0).all())
)


def as_bio(matrix: np.ndarray) -> bio.Motif:
    return bio.Motif(alphabet="ACGT", counts={base: list(row) for base, row in zip("ACGT", matrix, strict=True)})


@given(matrices)
def test_reverse_complement_twice_is_the_motif(matrix):
    motif = Motif("m", matrix, alt_name="M", background=(0.3, 0.2, 0.1, 0.4))
    twice = motif.reverse_complement().reverse_complement()
    np.testing.assert_array_equal(twice.pfm, motif.pfm)
    assert (twice.label, twice.background, twice.n_sites) == (motif.label, motif.background, motif.n_sites)


@given(matrices)
def test_consensus_is_that_of_biopython(matrix):
    assert Motif("m", matrix).consensus == str(as_bio(matrix).degenerate_consensus)


@given(matrices)
def test_reverse_complement_reads_the_other_strand(matrix):
    np.testing.assert_array_equal(Motif("m", matrix).reverse_complement().pfm, [as_bio(matrix).reverse_complement().counts[b] for b in "ACGT"])


@pytest.mark.parametrize("background", [(0.25, 0.25, 0.25, 0.25), (0.31, 0.19, 0.19, 0.31)])
def test_pwm_is_that_of_biopython(background):
    counts = np.random.default_rng(0).integers(0, 30, (4, 9)).astype(float)
    counts[:, :] += (30 * 4 - counts.sum(0)) / 4  # equal column sums, as Biopython takes pseudocounts in counts
    named = dict(zip("ACGT", background, strict=True))
    pssm = as_bio(counts).counts.normalize({base: 2 * share for base, share in named.items()}).log_odds(named)
    np.testing.assert_allclose(Motif("m", counts, background=background).pwm(2.0), [pssm[base] for base in "ACGT"], atol=1e-9)


def test_information_is_two_bits_for_one_base_and_none_for_a_uniform_column():
    motif = Motif("m", np.array([[1, 0.25, 0.5], [0, 0.25, 0.5], [0, 0.25, 0], [0, 0.25, 0]]))
    np.testing.assert_allclose(motif.information_per_position, [2, 0, 1])
    assert motif.information_bits == pytest.approx(3)


@pytest.mark.parametrize(("matrix", "n_sites"), [(np.full((4, 3), 5.0), 20), (np.full((4, 3), 0.25), 20), (np.full((4, 2), 100.0), 400)])
def test_number_of_sites_is_the_column_sum_of_counts_and_twenty_for_probabilities(matrix, n_sites):
    assert Motif("m", matrix).n_sites == n_sites


def test_sites_are_counted_and_ambiguous_bases_are_not():
    codes = np.array([[0, 1, 4], [0, 3, 4], [4, 3, 4]], dtype=np.uint8)
    motif = Motif.from_sites("m", codes)
    np.testing.assert_allclose(motif.ppm, [[1, 0, 0.25], [0, 1 / 3, 0.25], [0, 0, 0.25], [0, 2 / 3, 0.25]])
    assert motif.n_sites == 3


def test_trimming_cuts_weak_flanks_and_keeps_weak_middles():
    strong, weak = [9, 0, 0, 0], [1, 1, 1, 1]
    motif = Motif("m", np.array([weak, strong, weak, strong, weak, weak], dtype=float).T)
    assert motif.trim().width == 3
    assert motif.trim(min_bits=2.5).width == 6


@pytest.mark.parametrize(("alt_name", "label"), [("", "m"), ("REB1", "m REB1"), ("m", "m")])
def test_label_is_identifier_and_name(alt_name, label):
    assert Motif("m", np.ones((4, 1)), alt_name=alt_name).label == label


def test_matrix_is_a_read_only_copy():
    given_matrix = np.ones((4, 3))
    motif = Motif("m", given_matrix)
    given_matrix[:] = 7
    assert motif.pfm.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        motif.pfm[0, 0] = 2


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        (np.ones((8, 4)), ShapeError, r"\(8, 4\); expected \(4, width\).*transposed"),
        (np.ones((4, 0)), ShapeError, r"\(4, 0\); expected"),
        (np.ones(4), ShapeError, "expected"),
        (-np.ones((4, 2)), InputError, "holds -1 for A at position 1; expected counts or probabilities"),
        (np.full((4, 2), np.nan), InputError, "holds nan for A at position 1"),
        (np.array([[1, 0]] * 4), InputError, "position 2 of motif 'm' holds no counts"),
    ],
)
def test_a_wrong_matrix_is_refused_with_the_place(matrix, error, message):
    with pytest.raises(error, match=message):
        Motif("m", matrix)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_sites": 0}, "made of 0 sites"),
        ({"background": (0.5, 0.5, 0, 0)}, "four positive numbers that sum to 1"),
        ({"background": (1, 1, 1, 1)}, "four positive numbers that sum to 1"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Motif("m", np.ones((4, 2)), **options)


@pytest.mark.parametrize("pseudocount", [0, -1])
def test_a_pseudocount_that_gives_infinite_scores_is_refused(pseudocount):
    with pytest.raises(InputError, match=f"pseudocount is {pseudocount}"):
        Motif("m", np.ones((4, 2))).pwm(pseudocount)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (5,)])
def test_sites_of_a_wrong_shape_are_refused(shape):
    with pytest.raises(ShapeError, match="expected \\(sites, width\\)"):
        Motif.from_sites("m", np.zeros(shape, dtype=np.uint8))
