"""The baselines of numbers and of classes: planted truth, scikit-learn, and the published splice set."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from seqdl.errors import DataError, InputError, ShapeError
from seqdl.evaluate.class_baselines import fit_class_baselines
from seqdl.evaluate.classes import class_metrics
from seqdl.evaluate.linear import KmerChoice, PositionVocabulary, are_aligned, choose, folds_of, kmer_choices
from seqdl.evaluate.number_baselines import fit_number_baselines
from seqdl.evaluate.regression import regression_metrics
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import encode, one_hot, stack

SITE = encode("GATTACA")


def planted(n, *, seed, length=60, both_strands=False):
    """Make n sequences, half of them with a site, on one strand or either, and numbers that rise with it."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    has = np.arange(n) % 2 == 0
    for row in np.flatnonzero(has):
        start = rng.integers(0, length - SITE.size)
        codes[row, start : start + SITE.size] = reverse_complement(SITE) if both_strands and rng.random() < 0.5 else SITE
    return codes, 5 + 3 * has + rng.normal(size=n), has.astype(np.int64)


@pytest.fixture(scope="module")
def data():
    return planted(900, seed=0), planted(400, seed=1)


@pytest.fixture(scope="module")
def numbers(data):
    return fit_number_baselines(data[0][0], data[0][1])


@pytest.fixture(scope="module")
def classes(data):
    return fit_class_baselines(data[0][0], data[0][2], 3)


def test_kmers_find_a_planted_site_and_gc_does_not(data, numbers, classes):
    codes, number, label = data[1]
    assert regression_metrics(number, numbers["kmer"].predict(codes))["pearson"] > 0.6
    assert abs(regression_metrics(number, numbers["gc"].predict(codes))["pearson"]) < 0.3
    assert class_metrics(label, classes["kmer"].predict(codes))["accuracy"] > 0.85


@pytest.mark.parametrize("both", [False, True])
def test_strands_are_told_apart_where_that_helps(both):
    codes, number, _ = planted(1500, seed=2, both_strands=both)
    detail = fit_number_baselines(codes, number)["kmer"].detail
    assert ("both strands as one" if both else "strands told apart") in detail
    assert "chosen on the training set" in detail


@pytest.mark.parametrize("name", ["gc", "kmer", "position"])
def test_predictions_do_not_depend_on_the_batch_and_n_is_no_hindrance(data, numbers, classes, name):
    codes = data[1][0]
    for fitted, shape in ((numbers[name], ()), (classes[name], (3,))):
        whole = fitted.predict(codes)
        assert whole.shape == (400, *shape)
        np.testing.assert_allclose(np.concatenate([fitted.predict(codes[:7]), fitted.predict(codes[7:])]), whole, rtol=1e-6)
        assert np.isfinite(fitted.predict(np.full((2, 60), 4, dtype=np.uint8))).all()
        assert fitted.predict(np.empty((0, 60), dtype=np.uint8)).shape == (0, *shape)


def test_probabilities_sum_to_one_and_a_class_that_was_never_seen_has_none(data, classes):
    probabilities = classes["kmer"].predict(data[1][0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities[:, 2] == 0).all()


def test_gc_is_the_least_squares_line_and_says_its_direction():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (500, 40)).astype(np.uint8)
    gc = ((codes == 1) | (codes == 2)).mean(axis=1)
    number = 3 - 2 * gc + 0.1 * rng.normal(size=500)
    fitted = fit_number_baselines(codes, number)["gc"]
    np.testing.assert_allclose(fitted.predict(codes), np.poly1d(np.polyfit(gc, number, 1))(gc), atol=1e-5)
    assert "the target falls with it" in fitted.detail


def test_the_position_model_is_a_ridge_regression_on_the_one_hot_encoding():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (600, 20)).astype(np.uint8)
    number = (codes[:, 4] == 2) + 0.5 * (codes[:, 9] == 0) + 0.3 * rng.normal(size=600)
    fitted = fit_number_baselines(codes, number)["position"]
    penalty = float(fitted.detail.partition("penalty ")[2].partition(",")[0])
    x = one_hot(codes).transpose(0, 2, 1).reshape(600, -1)
    oracle = Ridge(alpha=penalty).fit(x, (number - number.mean()) / number.std())
    np.testing.assert_allclose(fitted.predict(codes), oracle.predict(x) * number.std() + number.mean(), atol=2e-3)


def test_the_class_model_is_a_multinomial_logistic_regression_on_the_one_hot_encoding():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (600, 20)).astype(np.uint8)
    label = np.minimum(codes[:, 4], 2).astype(int)
    fitted = fit_class_baselines(codes, label, 3)["position"]
    penalty = float(fitted.detail.partition("C = ")[2].partition(",")[0])
    x = one_hot(codes).transpose(0, 2, 1).reshape(600, -1)
    oracle = LogisticRegression(C=penalty, max_iter=1000).fit(x, label)
    np.testing.assert_allclose(fitted.predict(codes), oracle.predict_proba(x), atol=0.02)


def test_positions_count_nothing_for_an_ambiguous_base():
    codes = np.array([[0, 4, 3]], dtype=np.uint8)
    assert PositionVocabulary(3).count(codes).toarray().tolist() == [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]


def test_sequences_of_different_lengths_have_no_position_model():
    rng = np.random.default_rng(0)
    codes = stack([rng.integers(0, 4, int(n)).astype(np.uint8) for n in rng.integers(30, 60, 200)])
    assert not are_aligned(codes)
    assert sorted(fit_number_baselines(codes, rng.normal(size=200))) == ["gc", "kmer"]
    assert sorted(fit_class_baselines(codes, rng.integers(0, 2, 200), 2)) == ["gc", "kmer"]


def test_a_sequence_of_another_length_is_refused_by_the_position_model(numbers):
    with pytest.raises(ShapeError, match="the sequences are 50 bp long; 60 bp are expected"):
        numbers["position"].predict(np.zeros((1, 50), dtype=np.uint8))


def test_very_short_sequences_are_served():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (300, 9)).astype(np.uint8)
    assert [choice.ks for choice in kmer_choices(9)] == [(1, 2, 3)] * 2
    assert str(KmerChoice((1, 2), canonical=False)) == "k-mers of 1 and 2 bp (strands told apart)"
    fitted = fit_number_baselines(codes, (codes[:, 3] == 2) + 0.1 * rng.normal(size=300))
    assert regression_metrics((codes[:, 3] == 2).astype(float), fitted["position"].predict(codes))["pearson"] > 0.95


def test_few_sequences_and_a_constant_target_are_served():
    codes = np.random.default_rng(0).integers(0, 4, (4, 30)).astype(np.uint8)
    assert np.isfinite(fit_number_baselines(codes, [1.0, 2.0, 3.0, 4.0])["kmer"].predict(codes)).all()
    np.testing.assert_allclose(fit_number_baselines(codes, np.full(4, 2.5))["kmer"].predict(codes), 2.5)
    assert fit_class_baselines(codes, [0, 0, 1, 2], 3)["kmer"].predict(codes).shape == (4, 3)


def test_the_same_seed_gives_the_same_baselines(data):
    codes, number, label = data[0]
    for fit in (lambda: fit_number_baselines(codes, number, seed=4), lambda: fit_class_baselines(codes, label, 2, seed=4)):
        first, second = fit(), fit()
        assert all(np.array_equal(first[name].predict(codes), second[name].predict(codes)) for name in first)


def test_the_choice_takes_the_best_features_then_the_best_penalty():
    asked = []

    def score(matrix, inside, penalty):
        asked.append((int(matrix[0, 0]), penalty))
        return matrix[0, 0] - abs(penalty - 1)

    class Constant:
        def __init__(self, value):
            self.value = value

        def count(self, codes):
            return np.full((len(codes), 1), self.value)

    makers = [lambda codes, value=value: Constant(value) for value in (1, 3, 2)]
    codes = np.zeros((30, 5), dtype=np.uint8)
    fold = folds_of(np.zeros(30, dtype=np.int64), np.random.default_rng(0))
    assert choose(makers, (1, 10, 100), codes, fold=fold, score=score) == (1, 1)
    assert {penalty for value, penalty in asked if value != 3} == {10}


def test_splice_sites_are_best_told_by_position(shared_data):
    with gzip.open(shared_data / "uci_splice/splice.data.gz", "rt") as handle:
        rows = [line.split(",") for line in handle if line.strip()]
    codes = stack([encode(row[2].strip()) for row in rows])
    label = np.unique([row[0] for row in rows], return_inverse=True)[1]
    shuffled = np.random.default_rng(1).permutation(label.size)
    test, train = shuffled[:700], shuffled[700:]
    fitted = fit_class_baselines(codes[train], label[train], 3)
    reached = {name: class_metrics(label[test], one.predict(codes[test]))["accuracy"] for name, one in fitted.items()}
    assert reached["position"] > 0.93
    assert reached["position"] > reached["kmer"] + 0.1 > reached["gc"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda c: fit_number_baselines(c[0], [1.0]), ShapeError, r"codes has shape \(30,\)"),
        (lambda c: fit_number_baselines(c, [1.0]), ShapeError, "target has shape"),
        (lambda c: fit_number_baselines(c, [1.0, np.nan, 2.0, 3.0]), InputError, "1 of 4 targets are not finite"),
        (lambda c: fit_number_baselines(c[:1], [1.0]), DataError, "1 of at least 2 sequences"),
        (lambda c: fit_class_baselines(c, [0, 1], 2), ShapeError, "one class for each of the 4 sequences"),
        (lambda c: fit_class_baselines(c, [0, 1, 2, 0], 2), InputError, "target holds 2"),
        (lambda c: fit_class_baselines(c, [1, 1, 1, 1], 2), DataError, "1 of 2 classes"),
    ],
)
def test_wrong_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call(np.zeros((4, 30), dtype=np.uint8))
