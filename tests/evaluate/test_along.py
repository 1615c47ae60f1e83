from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    d2_tweedie_score,
    jaccard_score,
    matthews_corrcoef,
    r2_score,
    roc_auc_score,
)

from seqdl.evaluate.along import LabelWindows, ProfileWindows, SignalWindows
from seqdl.evaluate.along_baselines import fit_label_baselines, fit_signal_baselines, fit_smoothing, smoothed
from seqdl.evaluate.along_features import LocalGc, LocalKmers, OpenFrame
from seqdl.evaluate.along_sites import CentreBaseline, SiteWindows, best_hits, fit_hits, place_distances, site_centres
from seqdl.evaluate.counts import CountedCounts, count_difference, count_intervals
from seqdl.evaluate.several import binary_measure, number_measure, several_difference, several_intervals
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import encode

N, L = 12, 30


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def labelled(rng):
    target = (rng.random((N, L)) < 0.3).astype(float)
    return target, np.clip(0.3 * target + 0.7 * rng.random((N, L)), 0, 1).round(2)


@pytest.fixture
def profiles(rng):
    target = rng.poisson(rng.gamma(1.0, 3.0, (N, L))).astype(float)
    return target, target + rng.gamma(2.0, 2.0, (N, L))


def once(n=N):
    return np.ones((1, n), dtype=np.int32)


def drawn(rng, n=N):
    """Return counts of one resample, and the rows it stands for."""
    rows = rng.integers(0, n, n)
    return np.bincount(rows, minlength=n)[None].astype(np.int32), rows


def both(values, rows):
    return [side[rows].ravel() for side in values]


# labels ---------------------------------------------------------------------------------------------


def label_measures(target, prediction):
    called = prediction >= 0.5
    return {
        "auroc": roc_auc_score(target, prediction),
        "accuracy": accuracy_score(target, called),
        "iou": jaccard_score(target, called),
        "mcc": matthews_corrcoef(target, called),
        "brier": brier_score_loss(target, prediction),
    }


def test_the_measures_of_labels_are_those_of_sklearn_over_all_bases(labelled):
    found = LabelWindows(*labelled).measure(once())
    for name, expected in label_measures(*both(labelled, slice(None))).items():
        assert found[name][0] == pytest.approx(expected, rel=1e-6), name
    assert found["auprc"][0] == pytest.approx(average_precision_score(*both(labelled, slice(None))), rel=1e-6)


def test_a_resample_of_windows_is_measured_as_if_it_were_the_data(labelled, rng):
    counts, rows = drawn(rng)
    found = LabelWindows(*labelled).measure(counts)
    for name, expected in label_measures(*both(labelled, rows)).items():
        assert found[name][0] == pytest.approx(expected, rel=1e-6), name


def test_many_different_scores_are_ranked_to_within_a_thousandth(rng):
    target = (rng.random((40, 500)) < 0.2).astype(float)
    score = 1 / (1 + np.exp(-rng.normal(size=target.shape) - target))
    found = LabelWindows(target, score).measure(once(40))
    assert found["auroc"][0] == pytest.approx(roc_auc_score(target.ravel(), score.ravel()), abs=1e-3)
    assert found["auprc"][0] == pytest.approx(average_precision_score(target.ravel(), score.ravel()), abs=2e-3)


def test_bases_that_are_not_known_are_left_out(labelled):
    target, score = labelled
    hidden = target.copy()
    hidden[:, 20:] = np.nan
    found, expected = LabelWindows(hidden, score).measure(once()), LabelWindows(target[:, :20], score[:, :20]).measure(once())
    assert {name: value[0] for name, value in found.items()} == pytest.approx({name: value[0] for name, value in expected.items()})


def test_ranking_is_undefined_where_no_base_has_the_label(labelled):
    found = LabelWindows(np.zeros((N, L)), labelled[1]).measure(once())
    assert np.isnan(found["auroc"][0])
    assert np.isnan(found["auprc"][0])


def test_tracks_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"target has shape \(2, 3\) and prediction \(2, 4\); both should be \(N, L\)"):
        LabelWindows(np.zeros((2, 3)), np.zeros((2, 4)))


# signals --------------------------------------------------------------------------------------------


def test_the_measures_of_a_signal_are_those_of_scipy_and_sklearn(profiles, rng):
    counts, rows = drawn(rng)
    found, (target, score) = SignalWindows(*profiles).measure(counts), both(profiles, rows)
    assert found["pearson"][0] == pytest.approx(pearsonr(target, score)[0])
    assert found["log_pearson"][0] == pytest.approx(pearsonr(np.log1p(target), np.log1p(score))[0])
    assert found["r2"][0] == pytest.approx(r2_score(target, score))


def test_the_measures_of_a_profile_are_means_over_windows(profiles):
    target, score = profiles
    found = ProfileWindows(target, score).measure(once())
    assert found["profile_pearson"][0] == pytest.approx(np.mean([pearsonr(a, b)[0] for a, b in zip(target, score, strict=True)]))
    assert found["jsd"][0] == pytest.approx(np.mean([jensenshannon(a, b, base=2) for a, b in zip(target, score, strict=True)]))
    assert found["log_pearson"][0] == pytest.approx(pearsonr(np.log1p(target.sum(1)), np.log1p(score.sum(1)))[0])
    assert found["pearson"][0] == pytest.approx(pearsonr(target.ravel(), score.ravel())[0])


def test_an_empty_window_has_no_profile_and_a_flat_prediction_gets_nothing(profiles):
    target, score = profiles
    target, score = target.copy(), score.copy()
    target[0], score[1] = 0, 2.0
    found = ProfileWindows(target, score).measure(once())
    rest = [pearsonr(a, b)[0] for a, b in zip(target[2:], score[2:], strict=True)]
    assert found["profile_pearson"][0] == pytest.approx(sum(rest) / (N - 1))


# sites ----------------------------------------------------------------------------------------------


def test_sites_are_found_in_their_labels_also_at_the_ends_and_side_by_side():
    labels = np.zeros((3, 40))
    labels[0, 10:17] = 1
    labels[1, :5] = labels[1, 36:] = 1
    labels[2, 10:22] = 1  # two sites of 7 bp, 5 bp apart
    assert [one.tolist() for one in site_centres(labels, 3)] == [[13], [1, 39], [13, 18]]


def test_the_distance_is_that_to_the_nearest_site_and_unknown_without_one():
    labels = np.zeros((2, 40))
    labels[0, 2:9] = labels[0, 30:37] = 1
    found = place_distances(labels, np.array([28, 5]), 3)
    assert found[0] == 5
    assert np.isnan(found[1])


def test_the_measures_of_sites_are_median_share_and_overlap(rng):
    distances = np.array([0.0, 3.0, 10.0, 11.0, np.nan, 50.0])
    counts = rng.integers(0, 4, (5, 6)).astype(np.int32)
    counts[:, 0] += 1
    found = SiteWindows(distances, 5).measure(counts)
    for r, row in enumerate(counts):
        repeated = np.repeat(distances[[0, 1, 2, 3, 5]], row[[0, 1, 2, 3, 5]])
        overlap = [len(set(range(11)) & set(range(int(d), int(d) + 11))) / len(set(range(11)) | set(range(int(d), int(d) + 11))) for d in repeated]
        assert found["median_distance"][r] == np.median(repeated)
        assert found["within_10"][r] == pytest.approx((repeated <= 10).mean())
        assert found["iou"][r] == pytest.approx(np.mean(overlap))


def test_the_planted_motif_is_chosen_and_its_hits_lie_on_the_sites(rng):
    site = encode("GATTACAGG")
    codes = rng.integers(0, 4, (60, 80)).astype(np.uint8)
    labels, middles = np.zeros((60, 80)), rng.integers(15, 65, 60)
    for row, middle in enumerate(middles):
        codes[row, middle - 4 : middle + 5] = site if row % 2 else 3 - site[::-1]
        labels[row, middle - 10 : middle + 11] = 1
    motifs = [Motif(name, np.eye(4)[:, encode(text)] * 0.96 + 0.01) for name, text in (("OTHER", "CCCGGGT"), ("OWN", "GATTACAGG"))]
    chosen = fit_hits(codes, labels, motifs, half_width=10)
    assert chosen.motif.name == "OWN"
    assert np.median(np.abs(chosen.predict(codes) - middles)) == 0
    assert place_distances(labels, chosen.predict(codes), 10).mean() < place_distances(labels, CentreBaseline().predict(codes), 10).mean()


def test_a_hit_is_reported_on_either_strand():
    motif = Motif("m", np.eye(4)[:, encode("ACCGT")] * 0.96 + 0.01)
    place, sign = best_hits(motif, np.stack([encode("TTACCGTTTTTT"), encode("TTTTTACGGTTT")]))
    assert place.tolist() == [4, 7]
    assert sign.tolist() == [1, -1]


# several outputs, counts -------------------------------------------------------------------------------


def test_several_outputs_are_measured_each_and_by_their_mean(rng):
    target = (rng.random((80, 3)) < 0.4).astype(float)
    score = rng.random((80, 3)) + 0.3 * target
    found = several_intervals([binary_measure(target[:, t], score[:, t] / 2) for t in range(3)], 80, n_resamples=50)
    each = [roc_auc_score(target[:, t], score[:, t]) for t in range(3)]
    assert [one["auroc"]["value"] for one in found.each] == pytest.approx(each)
    assert found.mean["auroc"]["value"] == pytest.approx(np.mean(each))
    assert found.mean["auroc"]["low"] < np.mean(each) < found.mean["auroc"]["high"]


def test_an_output_with_one_class_is_left_out_of_the_mean(rng):
    target = (rng.random((40, 2)) < 0.4).astype(float)
    target[:, 1] = 0
    score = rng.random((40, 2))
    found = several_intervals([binary_measure(target[:, t], score[:, t]) for t in range(2)], 40, n_resamples=20)
    assert found.each[1]["auroc"]["value"] is None
    assert found.mean["auroc"]["value"] == pytest.approx(roc_auc_score(target[:, 0], score[:, 0]))


def test_the_same_prediction_twice_differs_by_nothing(rng):
    target, score = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    same = [number_measure(target[:, t], score[:, t]) for t in range(2)]
    assert several_difference(same, same, 30, names=("pearson",), n_resamples=20)["pearson"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_the_measures_of_counts_are_those_of_scipy_and_sklearn(rng):
    rate = rng.gamma(2.0, 8.0, 200)
    target, guess = rng.poisson(rate).astype(float), rate * rng.gamma(5.0, 0.2, 200)
    counts, rows = drawn(rng, 200)
    found, (t, g) = CountedCounts(target, guess).measure(counts), (target[rows], guess[rows])
    assert found["log_pearson"][0] == pytest.approx(pearsonr(np.log1p(t), np.log1p(g))[0])
    assert found["spearman"][0] == pytest.approx(spearmanr(t, g)[0])
    assert found["deviance_explained"][0] == pytest.approx(d2_tweedie_score(t, g, power=1))


def test_a_better_prediction_of_counts_is_better_on_every_resample(rng):
    rate = rng.gamma(2.0, 8.0, 300)
    target = rng.poisson(rate)
    assert count_difference(target, rate, rng.permutation(rate), n_resamples=100)["log_pearson"]["low"] > 0
    assert count_intervals(target, rate, n_resamples=50)["deviance_explained"]["value"] > 0.5


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match=r"a target is -1: counts of 0 or more were expected"):
        CountedCounts([1.0, -1.0], [1.0, 1.0])


# baselines ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("features", [LocalGc(), LocalKmers(3, 7), LocalKmers(4, 50), OpenFrame(4)], ids=str)
def test_weights_over_whole_windows_are_weights_over_columns(features, rng):
    codes = rng.integers(0, 5, (6, 70)).astype(np.uint8)
    row, place = (axis.ravel() for axis in np.mgrid[0:6, 0:70])
    matrix = features.at(codes, (row, place))
    weights = rng.normal(size=matrix.shape[1])
    np.testing.assert_allclose(features.scores(codes, weights).ravel(), np.asarray(matrix @ weights).ravel(), atol=1e-5)


def test_the_longest_open_frame_is_counted_on_both_strands():
    body = "GCT" * 9
    forward = encode("TAA" + "ATG" + body + "TAA" + "TTTA")
    lengths = OpenFrame().at(np.stack([forward]), (np.zeros(1, int), np.array([15])))
    assert np.expm1(lengths[0, 64]) >= 10
    turned = (3 - forward[::-1]).astype(np.uint8)
    again = OpenFrame().at(turned[None], (np.zeros(1, int), np.array([len(forward) - 1 - 15])))
    np.testing.assert_allclose(again[0, 64:], lengths[0, 64:])


def test_label_baselines_find_what_the_bases_around_tell(rng):
    codes = rng.integers(0, 4, (60, 120)).astype(np.uint8)
    labels = np.zeros((60, 120), dtype=np.float32)
    for row in range(60):
        first = rng.integers(10, 60)
        labels[row, first : first + 45] = 1
        codes[row, first : first + 45] = rng.choice([0, 1, 2, 3], 45, p=[0.1, 0.4, 0.4, 0.1])
    found = fit_label_baselines(codes[:40], labels[:40])
    scores = {name: roc_auc_score(labels[40:].ravel(), one.predict(codes[40:]).ravel()) for name, one in found.items()}
    assert set(scores) == {"gc", "kmer", "codon"}
    assert scores["gc"] > 0.85
    assert scores["kmer"] > 0.8


def test_a_label_without_both_kinds_of_base_has_no_baseline(rng):
    codes = rng.integers(0, 4, (4, 50)).astype(np.uint8)
    with pytest.raises(ValueError, match=r"of 200 training bases 200 have the label: some with it and some without were expected"):
        fit_label_baselines(codes, np.ones((4, 50), dtype=np.float32))


def test_signal_baselines_give_the_mean_profile_and_totals_that_follow_the_sequence(rng):
    codes = rng.integers(0, 4, (150, 60)).astype(np.uint8)
    strong = ((codes == 1) | (codes == 2)).mean(1)
    tracks = (np.exp(4 * strong)[:, None] * np.linspace(1, 3, 60)).astype(np.float32)
    found = fit_signal_baselines(codes[:110], tracks[:110])
    assert set(found) == {"mean", "kmer", "gc", "context"}
    np.testing.assert_allclose(found["mean"].predict(codes[110:]), np.tile(tracks[:110].mean(0), (40, 1)), rtol=1e-5)
    totals = found["kmer"].predict(codes[110:]).sum(1)
    assert np.corrcoef(np.log(totals), np.log(tracks[110:].sum(1)))[0, 1] > 0.8


def test_the_best_smoothing_is_chosen_on_the_training_windows(rng):
    clean = np.repeat(rng.gamma(1.0, 2.0, (40, 10)), 25, axis=1)
    noisy = rng.poisson(clean)[:, None].astype(np.float32)
    found = fit_smoothing(noisy, clean)
    agreement = {name: np.corrcoef(one.predict(np.zeros((40, 250)), noisy).ravel(), clean.ravel())[0, 1] for name, one in found.items()}
    assert agreement["smoothing"] > agreement["input"]
    assert 5 <= int(found["smoothing"].detail.split(" over ")[1].split()[0]) <= 51


def test_smoothing_keeps_a_constant_also_at_the_ends():
    np.testing.assert_allclose(smoothed(np.full((2, 20), 3.0), np.full(7, 1 / 7)), 3.0)
