"""The measures of the report card, each against an independent reference or a result worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.errors import DataError, InputError, ShapeError
from seqdl.evaluate.embedding import precision_recall
from seqdl.evaluate.markov_ladder import MarkovChain, position_sample, simple_generators
from seqdl.evaluate.motif_content import MotifContent, compare_motifs, least_pvalue, motif_figures, telling_motifs
from seqdl.evaluate.nearest import nearest, unit_of
from seqdl.evaluate.novelty import Known, Novelty
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.evaluate.spectra import composition, jensen_shannon, kmer_spectrum, kolmogorov_smirnov, position_distance
from seqdl.evaluate.two_sample import auroc_interval, kmer_scores, kmer_test
from seqdl.motif.motif import Motif
from seqdl.sequence.composition import kmer_counts
from seqdl.sequence.edit import reverse_complement

RNG = np.random.default_rng(0)


def random_codes(n, length, *, letters=4, seed=0):
    return np.random.default_rng(seed).integers(0, letters, (n, length)).astype(np.uint8)


def sharp_motif(name, codes):
    return Motif(name, np.eye(4)[:, codes] * 996 + 1)


# sets of sequences -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "said", "error"),
    [
        (np.zeros(4, np.uint8), r"have the shape \(4,\)", ShapeError),
        ([np.zeros((2, 2), np.uint8)], r"has the shape \(2, 2\)", ShapeError),
        ([], "there are none", DataError),
        ([np.zeros(0, np.uint8)], "one of them is empty", DataError),
        (np.full((2, 2), 7, np.uint8), "hold a code 7", DataError),
    ],
)
def test_what_is_no_set_of_sequences_is_refused(given_, said, error):
    with pytest.raises(error, match=said):
        SequenceSet.of(given_)


def test_a_list_and_its_padding_hold_the_same_sequences():
    rows = [random_codes(1, n, seed=n)[0] for n in (5, 1, 9)]
    some = SequenceSet.of(rows)
    assert [row.tolist() for row in some.list()] == [row.tolist() for row in rows]
    assert (some.length, some.take(np.array([1])).codes.shape) == (None, (1, 1))


# spectra ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 6])
def test_the_spectrum_is_the_sum_of_the_counts_of_each_sequence(k):
    codes = random_codes(40, 30, letters=5)
    assert kmer_spectrum(codes, k).tolist() == kmer_counts(codes, k).sum(axis=0).tolist()


def test_the_divergence_is_the_square_of_scipys_distance():
    from scipy.spatial.distance import jensenshannon

    p, q = RNG.random(64), RNG.random(64) * (RNG.random(64) > 0.3)
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2)
    assert np.isnan(jensen_shannon(p, np.zeros(64)))


def test_the_distance_of_cumulative_distributions_is_that_of_scipy():
    from scipy.stats import ks_2samp

    a, b = RNG.normal(size=50).round(1), RNG.normal(0.5, size=70).round(1)
    assert kolmogorov_smirnov(np.append(a, np.nan), b) == pytest.approx(ks_2samp(a, b).statistic)
    assert np.isnan(kolmogorov_smirnov(a, np.array([np.nan])))


def test_base_by_position_is_undefined_where_lengths_differ():
    same, other = SequenceSet.of(random_codes(20, 10)), SequenceSet.of([random_codes(1, n)[0] for n in (5, 6)])
    assert np.isnan(composition(other, same, {})["composition"]["position_distance"])
    assert composition(same, same, {})["composition"]["position_distance"] == 0
    assert position_distance(same.codes[:, ::-1], same.codes) > 0


# nearest ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 63, 64, 65, 130])
@pytest.mark.parametrize("itself", [True, False])
def test_the_nearest_by_mismatches_is_the_one_a_plain_comparison_finds(length, itself):
    a, b = random_codes(30, length, letters=5), random_codes(50, length, letters=5, seed=1)
    b = a if itself else b
    apart = ((a[:, None] != b[None]) | (a[:, None] > 3)).sum(axis=2)
    if itself:
        np.fill_diagonal(apart, 10**6)
    found = nearest(SequenceSet.of(a), None if itself else SequenceSet.of(b))
    assert found.distance.tolist() == apart.min(axis=1).tolist()
    assert apart[np.arange(30), found.index].tolist() == apart.min(axis=1).tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=150), st.lists(st.integers(0, 3), min_size=1, max_size=150))
def test_edits_are_those_of_biopythons_aligner(first, second):
    from Bio.Align import PairwiseAligner

    aligner = PairwiseAligner(mode="global", match_score=0, mismatch_score=-1, open_gap_score=-1, extend_gap_score=-1)
    a, b = ("".join("ACGT"[base] for base in codes) for codes in (first, second))
    found = nearest(*(SequenceSet.of([np.array(codes, np.uint8)]) for codes in (first, second)), unit="edits per base")
    assert found.distance[0] * max(len(a), len(b)) == pytest.approx(-aligner.score(a, b))


def test_a_relative_with_insertions_is_found_among_many():
    rows = [random_codes(1, n, seed=n)[0] for n in range(80, 180)]
    rows.append(np.insert(np.delete(rows[40], [3, 50]), 70, 0))
    found = nearest(SequenceSet.of(rows), unit="edits per base")
    assert found.index[100] == 40
    assert found.distance[100] * 120 == pytest.approx(3, abs=0.5)


def test_both_strands_find_a_reverse_complement_and_other_lengths_are_refused():
    a = SequenceSet.of(random_codes(20, 40))
    back = SequenceSet.of(reverse_complement(a.codes))
    assert nearest(a, back, both_strands=True).distance.max() == 0
    assert nearest(a, back).distance.min() > 0
    ragged = SequenceSet.of([row[: 30 + i] for i, row in enumerate(a.codes[:5])])
    assert (unit_of(a, back), unit_of(a, ragged)) == ("mismatches", "edits per base")
    with pytest.raises(ShapeError, match="sequences of different lengths"):
        nearest(a, ragged)


# novelty ---------------------------------------------------------------------------------------------


def longest_common(a, b):
    """Return the longest common stretch by the table of the textbook."""
    best, before = 0, [0] * (len(b) + 1)
    for x in a:
        row = [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y < 4 else 0)
        best, before = max(best, *row), row
    return best


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_the_longest_shared_run_is_that_of_the_textbook_on_either_strand(seed):
    rng = np.random.default_rng(seed)
    known = [rng.integers(0, rng.integers(2, 6), rng.integers(1, 60)).astype(np.uint8) for _ in range(4)]
    asked = [rng.integers(0, rng.integers(2, 6), rng.integers(1, 60)).astype(np.uint8) for _ in range(3)]
    asked += [np.concatenate([asked[0], known[0][len(known[0]) // 3 :]]), reverse_complement(known[1])]
    found = Known(SequenceSet.of(known), "edits per base").longest_runs(SequenceSet.of(asked))
    truth = [max(longest_common(a, b) for one in known for b in (one, reverse_complement(one))) for a in asked]
    assert found.tolist() == truth


def test_copies_reverse_complements_and_near_copies_are_told_apart():
    train = random_codes(200, 60)
    sample = random_codes(5, 60, seed=1)
    sample[0], sample[1], sample[2] = train[3], reverse_complement(train[4]), train[5]
    sample[2, [0, 10, 20]] = (sample[2, [0, 10, 20]] + 1) % 4
    found = Novelty.of(SequenceSet.of(sample), Known(SequenceSet.of(train), "mismatches"))
    assert found.copied.tolist() == [True, True, False, False, False]
    assert found.near.tolist() == [True, True, True, False, False]
    assert found.distance[:3].tolist() == [0, 0, 3]
    assert found.run[:3].tolist() == [60, 60, 39]


# simple generators -----------------------------------------------------------------------------------


def test_a_fitted_chain_gives_back_the_chain_it_was_drawn_from():
    table = np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]])
    truth = MarkovChain((np.full((1, 4), 0.25), table))
    drawn = truth.sample(2_000, 100, rng=np.random.default_rng(0))
    again = MarkovChain.fit(drawn, 1)
    assert np.abs(again.tables[1] - table).max() < 0.01
    entropy = -(table * np.log2(table)).sum(axis=1) @ np.bincount(drawn[:, 10:].ravel(), minlength=4) / drawn[:, 10:].size
    assert again.bits_per_base(drawn) == pytest.approx(entropy, abs=0.01)


def test_each_rung_keeps_its_words_and_no_longer_ones():
    source = random_codes(3_000, 40)
    source[:, 10:16] = [3, 0, 3, 0, 0, 0]
    made = simple_generators(SequenceSet.of(source), 3_000)
    apart = {name: [jensen_shannon(kmer_spectrum(some.codes, k), kmer_spectrum(source, k)) for k in (2, 4, 6)] for name, some in made.items()}
    assert [apart["markov1"][0] < 0.002, apart["markov3"][1] < 0.002, apart["markov5"][2] < 0.01] == [True] * 3
    assert [apart["markov0"][0] > 0.004, apart["markov1"][1] > 0.01, apart["markov3"][2] > 0.01] == [True] * 3
    assert apart["dinucleotide_shuffle"][0] < 1e-6
    assert position_distance(made["positions"].codes, source) < 0.02 < position_distance(made["markov5"].codes, source)


def test_generators_take_the_lengths_of_their_source_and_leave_positions_out_where_these_differ():
    source = SequenceSet.of([random_codes(1, n, seed=n)[0] for n in (20, 30, 40)] * 20)
    made = simple_generators(source, 50)
    assert made["positions"] is None
    assert set(made["markov2"].lengths.tolist()) == {20, 30, 40}
    assert all((row < 4).all() for row in made["markov2"].list())


def test_an_order_out_of_range_is_refused():
    with pytest.raises(InputError, match="order of the Markov chain is 12"):
        MarkovChain.fit(random_codes(2, 5), 12)


def test_the_position_wise_sample_has_the_frequencies_of_each_position():
    source = np.where(np.random.default_rng(0).random((4_000, 5)) < [0, 0.25, 0.5, 0.75, 1], 3, 1).astype(np.uint8)
    assert (position_sample(source, 4_000, rng=np.random.default_rng(1)) == 3).mean(axis=0) == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.03)


# two samples, embedding ------------------------------------------------------------------------------


def test_the_auroc_is_that_of_scikit_learn_and_its_interval_covers_as_it_says():
    from sklearn.metrics import roc_auc_score

    truth, score = RNG.integers(0, 2, 300), RNG.random(300).round(2)
    assert auroc_interval(truth, score)["value"] == pytest.approx(roc_auc_score(truth, score))
    rng, covered = np.random.default_rng(0), 0
    for _ in range(400):  # two normal distributions one standard deviation apart: AUROC Phi(1 / sqrt 2)
        found = auroc_interval(np.arange(400) < 200, np.concatenate([rng.normal(1, 1, 200), rng.normal(0, 1, 200)]))
        covered += found["low"] <= 0.7602 <= found["high"]
    assert 0.92 <= covered / 400 <= 0.98
    assert np.isnan(auroc_interval(np.array([1, 0]), np.array([1.0, 0.0]))["value"])


def test_four_mers_tell_what_differs_and_not_what_does_not():
    one, other = SequenceSet.of(random_codes(400, 60)), SequenceSet.of(random_codes(400, 60, seed=1))
    planted = one.codes.copy()
    planted[:200, 20:26] = [2, 0, 3, 3, 0, 1]
    assert kmer_test(SequenceSet.of(planted), other)["low"] > 0.6
    same = kmer_test(one, other)
    assert same["low"] < 0.5 < same["high"] or abs(same["value"] - 0.5) < 0.06
    assert kmer_scores(one, other, seed=3)[1].tolist() == kmer_scores(one, other, seed=3)[1].tolist()


def test_precision_and_recall_are_those_of_a_plain_computation():
    from sklearn.neighbors import NearestNeighbors

    sample, real = RNG.normal(size=(150, 3)), RNG.normal(0.7, 1.3, size=(200, 3))

    def covered(points, others):
        radius = NearestNeighbors(n_neighbors=6).fit(others).kneighbors(others)[0][:, 5]
        return (np.linalg.norm(points[:, None] - others[None], axis=2) <= radius).any(axis=1).mean()

    found = precision_recall(sample, real)
    assert (found["precision"], found["recall"]) == pytest.approx((covered(sample, real), covered(real, sample)))
    assert np.isnan(precision_recall(sample[:5], real)["recall"])
    with pytest.raises(ShapeError, match="the embeddings have the shapes"):
        precision_recall(sample, real[:, :2])


# motif content ---------------------------------------------------------------------------------------


def test_planted_rates_places_and_pairs_are_measured():
    rng = np.random.default_rng(0)
    first, second = sharp_motif("one", [3, 0, 3, 0, 0, 0, 0, 2]), sharp_motif("two", [2, 1, 1, 2, 2, 0, 0, 2])
    codes = random_codes(1_000, 60)
    codes[:600, 10:18] = [3, 0, 3, 0, 0, 0, 0, 2]
    for row in range(300):  # only together with the first
        start = rng.integers(25, 50)
        codes[row, start : start + 8] = [2, 1, 1, 2, 2, 0, 0, 2]
    content = MotifContent.of(SequenceSet.of(codes), [first, second])
    assert content.rate == pytest.approx([0.6, 0.3], abs=0.02)
    assert content.places[0].argmax() == 10
    lift, expected = content.log_lift()
    assert (lift[0], expected[0]) == pytest.approx((np.log2(1 / 0.6), 180), abs=8)
    apart = MotifContent.of(SequenceSet.of(codes[::-1, ::-1]), [first, second])
    assert motif_figures(content, content)["rate_error"] == pytest.approx(0)
    assert motif_figures(apart, content)["too_rare"] == 2


def test_pairs_that_are_kept_apart_are_found():
    both, neither = np.zeros((2_000, 2), bool), np.zeros((2_000, 2), bool)
    both[:600] = True
    neither[:600, 0], neither[600:1_200, 1] = True, True
    together, apart = (MotifContent(present, None, np.array([8, 8]), None) for present in (both, neither))
    assert motif_figures(apart, together)["pairs_off"] == 1
    assert motif_figures(together, together)["pairs_off"] == 0


def test_a_motif_with_a_place_is_told_from_one_anywhere():
    anywhere, placed = np.full(57, 20.0), np.full(57, 2.0)
    placed[30] = 200
    content = MotifContent(np.ones((2_000, 2), bool), np.stack([anywhere, placed]), np.array([8, 8]), 64)
    padded = MotifContent(content.present, np.pad(content.places, ((0, 0), (0, 7))), content.widths, 64)
    assert padded.placed().tolist() == [False, True]


@pytest.mark.parametrize("width", [3, 6, 10])
def test_a_motif_too_short_for_the_p_value_is_found_by_its_best_word(width):
    site = [2, 0, 3, 3, 0, 1, 0, 2, 2, 1][:width]
    motif = sharp_motif("short", site)
    codes = random_codes(300, 40)
    assert least_pvalue(motif) == pytest.approx(0.25**width)
    content = MotifContent.of(SequenceSet.of(codes), [motif], both_strands=False)
    word = "".join("ACGT"[base] for base in site)
    truth = np.mean([word in "".join("ACGT"[base] for base in row) for row in codes])
    if width < 10:
        assert content.rate[0] == truth
    else:
        assert content.rate[0] >= truth


def test_telling_motifs_are_those_planted_and_each_family_once():
    site = [3, 0, 3, 0, 0, 0, 0, 2]
    motifs = [sharp_motif("absent", [2, 1, 1, 2, 2, 0, 0, 2]), sharp_motif("planted", site), sharp_motif("twin", site)]
    codes = random_codes(1_000, 60)
    shuffled = MotifContent.of(SequenceSet.of(codes), motifs)
    codes[:400, 10:18] = site
    assert telling_motifs(MotifContent.of(SequenceSet.of(codes), motifs), shuffled) == [1]


def test_motifs_of_one_name_are_kept_apart_and_none_is_refused():
    codes = random_codes(200, 30)
    codes[:, 5:13] = [3, 0, 3, 0, 0, 0, 0, 2]
    found = compare_motifs(codes, codes, [sharp_motif("m", [3, 0, 3, 0, 0, 0, 0, 2]), sharp_motif("m", [2, 1, 1, 2, 2, 0, 0, 2])])
    assert [round(match.rate) for match in found] == [1, 0]
    with pytest.raises(InputError, match="there are 0 motifs"):
        compare_motifs(codes, codes, [])
