"""Examples whose truth lies along the sequence, made from arrays and from windows of a genome."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome

N, LENGTH = 12, 10
SPLIT = ["train"] * 6 + ["val"] * 3 + ["test"] * 3


@pytest.fixture
def codes():
    return np.random.default_rng(0).integers(0, 4, (N, LENGTH), dtype=np.uint8)


def along(codes, tracks, **more):
    return SequenceData.along(codes, tracks, SPLIT, **{"outputs": ["one", "two"]} | more)


def test_labels_are_zero_and_one_and_their_targets_the_share_of_labelled_bases(codes):
    tracks = np.random.default_rng(1).random((N, 2, LENGTH)) < 0.3
    data = along(codes, tracks)
    assert (data.kind, data.numeric, data.counts, data.tracks.dtype) == ("labels", False, False, np.uint8)
    np.testing.assert_array_equal(data.tracks, tracks)
    np.testing.assert_allclose(data.targets(), tracks.mean(axis=2), rtol=1e-6)
    assert list(data.examples) == ["id", "chrom", "start", "end", "strand", "one", "two", "split"]
    np.testing.assert_array_equal(data.codes_of("test"), codes[-3:])


@pytest.mark.parametrize(("low", "counts"), [(0, True), (-9, False)])
def test_numbers_have_their_totals_as_targets_and_are_counts_where_none_is_negative(codes, low, counts):
    tracks = np.random.default_rng(1).integers(low, 9, (N, 2, LENGTH)).astype(float)
    data = along(codes, tracks)
    assert (data.kind, data.numeric, data.counts, data.tracks.dtype) == ("signal", True, counts, np.float32)
    np.testing.assert_allclose(data.targets(), tracks.sum(axis=2), rtol=1e-6)


def test_numbers_that_happen_to_be_zero_and_one_stay_numbers_where_that_is_said(codes):
    assert along(codes, np.zeros((N, 2, LENGTH)), labels=False).kind == "signal"


def test_one_track_and_one_signal_need_no_dimension_of_their_own(codes):
    reads = np.random.default_rng(1).poisson(3, (N, LENGTH))
    data = along(codes, reads, outputs=["reads"], signal=reads / 2, names=[f"w{i}" for i in range(N)])
    assert data.tracks.shape == data.signal.shape == (N, 1, LENGTH)
    np.testing.assert_array_equal(data.signal, data.tracks / 2)
    assert data.examples["id"].iloc[-1] == "w11"


@pytest.mark.parametrize(
    ("tracks", "more", "message"),
    [
        (np.zeros((N, 2, LENGTH - 1)), {}, r"the tracks have the shape \(12, 2, 9\) and the codes \(12, 10\); \(12, T, 10\) was expected"),
        (np.zeros((N, 3, LENGTH)), {}, r"the outputs are \['one', 'two'\] and there are 3 tracks"),
        (np.zeros((N, 2, LENGTH)), {"outputs": ["one", "one"]}, "as many different names was expected"),
        (np.zeros((N, 2, LENGTH)), {"outputs": ["one", "split"]}, "none of them id, chrom"),
        (np.full((N, 2, LENGTH), np.nan), {}, "the tracks hold nan; finite numbers were expected"),
        (np.full((N, 2, LENGTH), 2), {"labels": True}, "the labels hold 2; 0 and 1 were expected"),
        (np.zeros((N, 2, LENGTH)), {"signal": np.zeros((N, 4))}, r"the signals have the shape \(12, 4\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(codes, tracks, more, message):
    with pytest.raises(ValueError, match=message):
        along(codes, tracks, **more)


def test_sequences_of_different_lengths_are_refused(codes):
    with pytest.raises(ValueError, match=r"the codes have the shape \(10,\); \(N, L\) was expected"):
        along(codes[0], np.zeros((1, 2, LENGTH)))


# windows of a genome --------------------------------------------------------------------------------


@pytest.fixture
def genome():
    rng = np.random.default_rng(0)
    return Genome.from_codes({name: rng.integers(0, 4, 40, dtype=np.uint8) for name in ("a", "b", "c")})


def windows(strand="+"):
    rows = [(chrom, start, start + LENGTH, ".", 0.0, strand) for chrom in "abc" for start in range(0, 40, LENGTH)]
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "name", "score", "strand"])


@pytest.mark.parametrize(("strand", "bases"), [("+", [2, 3, 4]), ("-", [5, 6, 7])])
def test_labels_of_windows_are_read_on_their_strand(genome, strand, bases):
    site = pd.DataFrame({"chrom": list("abc"), "start": 12, "end": 15, "feature": "any"})
    data = SequenceData.from_windows(genome, windows(strand), labels={"site": site}, val=["b"], test=["c"])
    assert np.flatnonzero(data.tracks[1, 0]).tolist() == bases
    assert data.tracks.sum() == 9
    assert data.sizes() == {split: {"examples": 4} for split in ("train", "val", "test")}
    assert data.examples["id"].iloc[0] == f"a:0-10({strand})"
    np.testing.assert_array_equal(data.codes, genome.fetch(windows(strand)))


def test_windows_of_which_nothing_is_known_are_for_language_models(genome):
    data = SequenceData.from_windows(genome, windows(), val=["b"], test=["c"])
    assert (data.kind, data.outputs, data.tracks) == ("none", [], None)


def test_labels_and_signals_together_are_refused(genome):
    with pytest.raises(ValueError, match="labels and signals were given together"):
        SequenceData.from_windows(genome, windows(), labels={"x": windows()}, signals={"y": None})


# subsets --------------------------------------------------------------------------------------------


def test_tracks_are_dealt_out_with_their_targets_and_the_test_split_stays(codes):
    tracks = np.random.default_rng(1).integers(2, 9, (N, 1, LENGTH))
    found = along(codes, tracks, outputs=["reads"]).permuted(seed=1)
    np.testing.assert_allclose(found.targets()[:, 0], found.tracks[:, 0].sum(axis=1))
    np.testing.assert_array_equal(found.tracks[-3:], tracks[-3:])
    assert (found.tracks != tracks).any()


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_out_of_range_is_refused(codes, share):
    with pytest.raises(ValueError, match=r"a share of [01.5]+ of the training examples was asked for; more than 0 and at most 1"):
        along(codes, np.zeros((N, 2, LENGTH))).subset(share)
