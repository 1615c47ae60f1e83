"""Baselines on planted truth, on a real set with a published figure, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from Bio import SeqIO
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from seqdl.errors import DataError, ShapeError
from seqdl.evaluate.baseline import LogisticCurve, balanced_rows
from seqdl.evaluate.baselines import fit_baselines, fit_gc
from seqdl.evaluate.kmer_baseline import KmerVocabulary, fit_kmer
from seqdl.evaluate.metrics import auroc
from seqdl.evaluate.motif_baseline import enriched_motif, fit_motif
from seqdl.motif.motif import Motif
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import decode, encode, stack

SITE = encode("TTACCCGG")


def consensus(name, text):
    return Motif(name, np.eye(4)[encode(text)].T * 18 + 0.5)


def planted(n, *, seed, length=100, site=SITE):
    """Make n sequences, the first half with a site on a random strand at a random place."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    for row in range(n // 2):
        start = rng.integers(0, length - site.size)
        codes[row, start : start + site.size] = site if rng.random() < 0.5 else reverse_complement(site)
    return codes, np.arange(n) < n // 2


@pytest.fixture(scope="module")
def train_and_test():
    return planted(600, seed=0), planted(400, seed=1)


@pytest.fixture(scope="module")
def fitted(train_and_test):
    decoys = [consensus(f"decoy{i}", decode(np.random.default_rng(i).integers(0, 4, 9).astype(np.uint8))) for i in range(40)]
    return fit_baselines(*train_and_test[0], motifs=[*decoys, consensus("MA0363.1", "TTACCCGG")])


def test_the_planted_motif_is_chosen_among_decoys_and_named(fitted, train_and_test):
    assert "best known motif MA0363.1 (of 41, chosen on the training set)" in fitted["pwm"].detail
    codes, target = train_and_test[1]
    assert auroc(target, fitted["pwm"].predict(codes)) > 0.97


def test_kmers_find_a_planted_site_and_gc_does_not(fitted, train_and_test):
    codes, target = train_and_test[1]
    assert auroc(target, fitted["kmer"].predict(codes)) > 0.9
    assert abs(auroc(target, fitted["gc"].predict(codes)) - 0.5) < 0.1


@pytest.mark.parametrize("name", ["gc", "kmer", "pwm"])
def test_predictions_are_probabilities_that_do_not_depend_on_the_strand_or_the_batch(fitted, train_and_test, name):
    codes, _ = train_and_test[1]
    prediction = fitted[name].predict(codes)
    assert prediction.shape == (400,)
    assert prediction.min() >= 0
    assert prediction.max() <= 1
    np.testing.assert_allclose(fitted[name].predict(reverse_complement(codes)), prediction, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([fitted[name].predict(codes[:7]), fitted[name].predict(codes[7:])]), prediction, atol=1e-6)


@pytest.mark.parametrize("name", ["gc", "kmer", "pwm"])
def test_sequences_of_nothing_but_n_and_no_sequences_are_predicted_too(fitted, name):
    assert np.isfinite(fitted[name].predict(np.full((2, 100), 4, dtype=np.uint8))).all()
    assert fitted[name].predict(np.empty((0, 100), dtype=np.uint8)).shape == (0,)


def test_baselines_are_the_same_for_the_same_seed(train_and_test):
    (codes, target), (test, _) = train_and_test
    first, second = (fit_baselines(codes, target, seed=5) for _ in range(2))
    for name, baseline in first.items():
        np.testing.assert_array_equal(baseline.predict(test), second[name].predict(test))


def test_gc_content_takes_its_direction_from_the_training_set():
    rng = np.random.default_rng(0)
    rich, poor = (rng.choice(4, (200, 50), p=p).astype(np.uint8) for p in ([0.2, 0.3, 0.3, 0.2], [0.3, 0.2, 0.2, 0.3]))
    codes, target = np.concatenate([poor, rich]), np.arange(400) < 200
    baseline = fit_gc(codes, target)
    assert "poorer in GC" in baseline.detail
    assert auroc(target, baseline.predict(codes)) > 0.85


def test_without_known_motifs_one_is_made_and_the_detail_says_so(train_and_test):
    (codes, target), (test, test_target) = train_and_test
    baseline = fit_motif(codes, target, motifs=[])
    assert "no known motifs given" in baseline.detail
    assert any(core in baseline.motif.consensus for core in ("TACCCGG", "CCGGGTA", "TTACCCG", "CGGGTAA"))
    assert auroc(test_target, baseline.predict(test)) > 0.97


def test_a_gapped_site_is_grown_over_its_gap():
    rng = np.random.default_rng(0)
    codes, target = rng.integers(0, 4, (1000, 100)).astype(np.uint8), np.arange(1000) < 500
    codes[:500, 40:46], codes[:500, 51:54] = encode("ATCACT"), encode("ACG")  # as in Abf1: ATCACTNNNNNACG
    motif, _ = enriched_motif(codes, target)
    pattern = motif.consensus if "ATCACT" in motif.consensus else motif.reverse_complement().consensus
    assert pattern[pattern.index("ATCACT") + 11 :][:3] == "ACG"


@pytest.mark.parametrize("length", [3, 7, 12])
def test_very_short_sequences_have_baselines_too(length):
    codes = np.random.default_rng(0).integers(0, 4, (60, length)).astype(np.uint8)
    target = codes[:, 0] < 2
    baselines = fit_baselines(codes, target)
    assert all(np.isfinite(baseline.predict(codes)).all() for baseline in baselines.values())


def test_a_handful_of_sequences_is_enough_to_fit():
    codes, target = planted(6, seed=0)
    assert set(fit_baselines(codes, target)) == {"gc", "kmer", "pwm"}


def test_kmer_counts_and_weights_are_those_of_sklearn_on_text():
    codes, target = planted(120, seed=3, length=40)
    texts = [decode(row) for row in codes]

    def canonical(text):
        words = [text[i : i + 5] for i in range(len(text) - 4)]
        return [min(word, word.translate(str.maketrans("ACGT", "TGCA"))[::-1]) for word in words]

    wanted = np.log1p(CountVectorizer(analyzer=canonical).fit_transform(texts).toarray())
    counts = KmerVocabulary.of(codes, (5,)).count(codes)
    assert counts.shape == wanted.shape
    np.testing.assert_allclose(np.sort(counts.toarray(), axis=1), np.sort(wanted, axis=1), rtol=1e-6)
    ours = LogisticRegression(C=0.1).fit(counts, target).predict_proba(counts)
    np.testing.assert_allclose(ours, LogisticRegression(C=0.1).fit(wanted, target).predict_proba(wanted), atol=2e-3)


def test_kmers_reach_the_published_gapped_kmer_figure_on_nfe2(shared_data):
    folder = shared_data / "lsgkm_nfe2"

    def read(kind):
        name = f"wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0.{kind}.fa"
        return [encode(str(record.seq)) for record in SeqIO.parse(folder / name, "fasta")]

    sets = {split: (read(split), read(f"neg.{split}")) for split in ("tr", "test")}
    length = max(len(codes) for sides in sets.values() for side in sides for codes in side)
    (train, train_target), (test, test_target) = (
        (stack(positive + negative, length), np.arange(len(positive) + len(negative)) < len(positive)) for positive, negative in sets.values()
    )
    baseline = fit_kmer(train, train_target)
    assert auroc(test_target, baseline.predict(test)) > 0.98  # lsgkm's own predictions: .9929


def test_one_class_in_training_is_refused():
    with pytest.raises(DataError, match=r"the training set of the baselines: 5 of 5 examples are positive; both classes are needed\. Add negatives"):
        fit_baselines(np.zeros((5, 30), dtype=np.uint8), np.ones(5))


def test_one_sequence_instead_of_many_is_refused():
    with pytest.raises(ShapeError, match=r"codes has shape \(30,\); \(N, L\) is expected"):
        fit_baselines(np.zeros(30, dtype=np.uint8), np.ones(5))


@pytest.mark.parametrize(("n", "positives"), [(100, 50), (260, 60), (1000, 60)])
def test_a_balanced_sample_is_half_positive_where_there_are_enough(n, positives):
    target = np.arange(400) < 60
    rows = balanced_rows(target, n, np.random.default_rng(0))
    assert rows.size == min(n, 400)
    assert target[rows].sum() == positives
    assert np.unique(rows).size == rows.size


def test_the_logistic_curve_takes_nan_as_the_mean_and_infinities_as_the_edge():
    score = np.array([0.0, 1.0, 2.0, 3.0, -np.inf, np.nan])
    curve = LogisticCurve.fit(score, np.array([False, False, True, True, False, True]))
    assert curve(np.array([-np.inf]))[0] == curve(np.array([0.0]))[0]
    assert curve(np.array([np.nan]))[0] == pytest.approx(curve(np.array([1.5]))[0])
