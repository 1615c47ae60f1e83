"""Measures against scikit-learn, and what is undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from seqdl.errors import DataError, InputError, ShapeError
from seqdl.evaluate.counted import METRICS, CountedMetrics, check_both_classes
from seqdl.evaluate.metrics import auprc, auroc, binary_metrics, precision_recall_curve, roc_curve


def example(n=400, *, seed=0, digits=None, share=0.3):
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < share).astype(int)
    prediction = np.clip(rng.random(n) * 0.7 + 0.3 * target, 0, 1)
    return target, prediction if digits is None else prediction.round(digits)


@pytest.mark.parametrize("digits", [None, 2, 1, 0])
@pytest.mark.parametrize("seed", [0, 1])
def test_measures_are_those_of_sklearn_with_and_without_ties(seed, digits):
    target, prediction = example(seed=seed, digits=digits)
    called = prediction >= 0.5
    found = binary_metrics(target, prediction)
    assert found["auroc"] == pytest.approx(oracle.roc_auc_score(target, prediction))
    assert found["auprc"] == pytest.approx(oracle.average_precision_score(target, prediction))
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(target, called))
    assert found["mcc"] == pytest.approx(oracle.matthews_corrcoef(target, called))
    assert found["f1"] == pytest.approx(oracle.f1_score(target, called))
    assert found["brier"] == pytest.approx(oracle.brier_score_loss(target, prediction))
    assert found["log_loss"] == pytest.approx(oracle.log_loss(target, prediction))


def test_counting_an_example_twice_is_giving_it_weight_two():
    target, prediction = example(digits=1)
    counted = CountedMetrics(target, prediction)
    weight = np.random.default_rng(1).integers(0, 4, target.size)
    found = counted.measure(weight[counted.positive_rows][None], weight[counted.negative_rows][None])
    called = prediction >= 0.5
    assert found["auroc"][0] == pytest.approx(oracle.roc_auc_score(target, prediction, sample_weight=weight))
    assert found["auprc"][0] == pytest.approx(oracle.average_precision_score(target, prediction, sample_weight=weight))
    assert found["accuracy"][0] == pytest.approx(oracle.accuracy_score(target, called, sample_weight=weight))
    assert found["mcc"][0] == pytest.approx(oracle.matthews_corrcoef(target, called, sample_weight=weight))
    assert found["f1"][0] == pytest.approx(oracle.f1_score(target, called, sample_weight=weight))
    assert found["brier"][0] == pytest.approx(oracle.brier_score_loss(target, prediction, sample_weight=weight))
    assert found["log_loss"][0] == pytest.approx(oracle.log_loss(target, prediction, sample_weight=weight))


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=1, max_size=30))
def test_auroc_is_the_chance_that_a_positive_beats_a_negative(pairs):
    target, score = np.array([t for t, _ in pairs]), np.array([float(s) for _, s in pairs])
    wins = [(p > q) + 0.5 * (p == q) for p in score[target] for q in score[~target]]
    assert auroc(target, score) == pytest.approx(np.mean(wins) if wins else math.nan, nan_ok=True)


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=30))
def test_a_rising_transform_changes_no_ranked_measure(pairs):
    target, score = np.array([t for t, _ in pairs]), np.array([float(s) for _, s in pairs])
    assert auroc(target, score) == pytest.approx(auroc(target, np.exp(score)), nan_ok=True)
    assert auprc(target, score) == pytest.approx(auprc(target, np.exp(score)), nan_ok=True)
    assert auroc(target, -score) == pytest.approx(1 - auroc(target, score), nan_ok=True)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_leaves_ranked_measures_and_mcc_undefined_but_not_accuracy(label):
    found = binary_metrics([label] * 3, [0.2, 0.6, 0.7])
    assert all(math.isnan(found[name]) for name in ("auroc", "auprc", "mcc"))
    assert found["accuracy"] == pytest.approx(2 / 3 if label else 1 / 3)


def test_nothing_is_defined_without_examples():
    found = binary_metrics([], [])
    assert tuple(found) == METRICS
    assert all(math.isnan(value) for value in found.values())


def test_scores_that_are_no_probabilities_have_ranked_measures_only():
    found = binary_metrics([0, 1, 1, 0], [-3.0, 8.0, 1.0, 2.0])
    assert found["auroc"] == 0.75
    assert all(math.isnan(found[name]) for name in METRICS if name not in ("auroc", "auprc"))


def test_f1_is_undefined_without_a_positive_and_a_call_and_zero_with_misses_only():
    assert math.isnan(binary_metrics([0, 0], [0.1, 0.2])["f1"])
    assert binary_metrics([1, 0], [0.1, 0.2])["f1"] == 0


@pytest.mark.parametrize(
    ("target", "prediction", "error", "message"),
    [
        ([0, 1], [0.1], ShapeError, r"target has shape \(2,\) and prediction \(1,\)"),
        ([[0, 1]], [[0.1, 0.2]], ShapeError, "one output at a time"),
        ([0, 1, 2], [0.1, 0.2, 0.3], InputError, r"target holds 2 \(first in row 2\)"),
        ([0, float("nan")], [0.1, 0.2], InputError, "target holds nan"),
        ([0, 1, 1], [0.1, float("nan"), float("inf")], InputError, r"2 of 3 predictions are not finite \(first: row 1, nan\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(target, prediction, error, message):
    with pytest.raises(error, match=message):
        binary_metrics(target, prediction)


def test_an_unknown_measure_is_refused_by_name():
    counted = CountedMetrics([0, 1], [0.1, 0.2])
    with pytest.raises(InputError, match=r"no measure named auc\. Available: auroc"):
        counted.measure(np.ones((1, 1)), np.ones((1, 1)), ["auc"])


def test_one_class_is_refused_where_both_are_needed():
    with pytest.raises(DataError, match=r"the test set: 0 of 4 examples are positive; both classes are needed. Add positives"):
        check_both_classes(np.zeros(4, dtype=bool), "the test set")


@pytest.mark.parametrize("digits", [None, 1])
def test_the_roc_curve_is_that_of_sklearn_without_points_on_straight_lines(digits):
    target, prediction = example(digits=digits)
    curve = roc_curve(target, prediction)
    false_positive_rate, true_positive_rate, threshold = oracle.roc_curve(target, prediction, drop_intermediate=False)
    points = set(zip(false_positive_rate.tolist(), true_positive_rate.tolist(), threshold.tolist(), strict=True))
    ours = list(zip(curve.false_positive_rate.tolist(), curve.true_positive_rate.tolist(), curve.threshold.tolist(), strict=True))
    assert set(ours) <= points
    assert len(ours) < len(points)
    assert ours[0][:2] == (0, 0)
    assert ours[-1][:2] == (1, 1)
    assert oracle.auc(curve.false_positive_rate, curve.true_positive_rate) == pytest.approx(auroc(target, prediction))


@pytest.mark.parametrize("digits", [None, 1])
def test_the_precision_recall_curve_is_that_of_sklearn(digits):
    target, prediction = example(digits=digits)
    curve = precision_recall_curve(target, prediction)
    precision, recall, threshold = oracle.precision_recall_curve(target, prediction)
    reached = np.flatnonzero(recall == 1)[-1]  # sklearn goes on to the lowest score
    np.testing.assert_allclose(curve.precision[:0:-1], precision[reached:-1])
    np.testing.assert_allclose(curve.recall[:0:-1], recall[reached:-1])
    np.testing.assert_allclose(curve.threshold[:0:-1], threshold[reached:])
    assert np.sum(np.diff(curve.recall) * curve.precision[1:]) == pytest.approx(auprc(target, prediction))


def test_curves_of_one_class_hold_nan_and_do_not_fail():
    assert np.isnan(roc_curve([1, 1], [0.2, 0.3]).false_positive_rate).all()
    assert np.isnan(precision_recall_curve([0, 0], [0.2, 0.3]).recall).all()
