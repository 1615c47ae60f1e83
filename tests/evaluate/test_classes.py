"""Measures of a choice among classes against scikit-learn, and their intervals against a plain loop."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sklearn.metrics as sk

from seqdl.errors import InputError, ShapeError
from seqdl.evaluate.classes import METRICS, class_intervals, class_metrics, confusion_matrix, paired_difference, per_class
from seqdl.evaluate.metrics import binary_metrics
from seqdl.evaluate.resampling import draw_counts

ORACLES = {
    "accuracy": lambda t, p: sk.accuracy_score(t, p.argmax(1)),
    "balanced_accuracy": lambda t, p: sk.balanced_accuracy_score(t, p.argmax(1)),
    "macro_auroc": lambda t, p: sk.roc_auc_score(t, p, multi_class="ovr"),
    "macro_f1": lambda t, p: sk.f1_score(t, p.argmax(1), average="macro"),
    "log_loss": sk.log_loss,
    "mcc": lambda t, p: sk.matthews_corrcoef(t, p.argmax(1)),
}


def example(n=300, k=4, seed=0, skill=1.0):
    rng = np.random.default_rng(seed)
    target = rng.choice(k, n, p=np.arange(1, k + 1) / sum(range(k + 1)))
    logit = rng.normal(size=(n, k)) + skill * np.eye(k)[target]
    return target, np.exp(logit) / np.exp(logit).sum(1, keepdims=True)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("k", [3, 7])
def test_measures_are_those_of_scikit_learn(name, k):
    target, probabilities = example(k=k)
    assert class_metrics(target, probabilities)[name] == pytest.approx(ORACLES[name](target, probabilities))


def test_two_classes_are_measured_as_a_binary_prediction():
    target, probabilities = example(k=2)
    found, binary = class_metrics(target, probabilities), binary_metrics(target, probabilities[:, 1])
    assert {name: found[name] for name in ("accuracy", "mcc", "log_loss")} == pytest.approx({n: binary[n] for n in ("accuracy", "mcc", "log_loss")})
    assert found["macro_auroc"] == pytest.approx(binary["auroc"])


def test_a_class_without_examples_takes_no_part_in_the_means():
    target, probabilities = example(k=3)
    padded = np.concatenate([probabilities, np.zeros((len(target), 1))], axis=1)
    assert class_metrics(target, padded) == pytest.approx(class_metrics(target, probabilities))


def test_what_is_undefined_is_nan_and_null_with_its_interval():
    one = class_metrics([1, 1], [[0.2, 0.8], [0.4, 0.6]])
    assert {name for name, value in one.items() if np.isnan(value)} == {"macro_auroc", "mcc"}
    assert all(np.isnan(value) for value in class_metrics([], np.empty((0, 3))).values())
    json.dumps(class_intervals([1, 1], [[0.2, 0.8], [0.4, 0.6]], n_resamples=20), allow_nan=False)


def test_scores_that_are_no_probabilities_have_no_log_loss():
    target, probabilities = example()
    found = class_metrics(target, 3 * probabilities - 1)
    assert np.isnan(found["log_loss"])
    assert found["accuracy"] == class_metrics(target, probabilities)["accuracy"]


@pytest.mark.parametrize("name", METRICS)
def test_the_interval_is_that_of_a_plain_loop_over_resamples(name):
    target, probabilities = example(k=3)
    rng = np.random.default_rng(7)
    drawn = np.zeros((200, target.size), dtype=np.int32)
    for k in range(3):  # the very same resamples, each class among itself
        drawn[:, target == k] = draw_counts(200, int((target == k).sum()), rng)
    looped = [ORACLES[name](np.repeat(target, times), np.repeat(probabilities, times, axis=0)) for times in drawn]
    found = class_intervals(target, probabilities, n_resamples=200, seed=7)[name]
    assert [found["low"], found["high"]] == pytest.approx(np.quantile(looped, [0.025, 0.975]))
    assert found["low"] <= found["value"] <= found["high"]


def test_whole_groups_can_be_drawn():
    target, probabilities = example()
    by_group = class_intervals(target, probabilities, groups=np.arange(300) // 30)
    assert by_group["accuracy"]["value"] == class_metrics(target, probabilities)["accuracy"]


def test_a_better_prediction_has_a_paired_difference_above_zero():
    target, probabilities = example(800, skill=2.0)
    _, guess = example(800, skill=0.0, seed=1)
    found = paired_difference(target, probabilities, guess)
    assert found["accuracy"]["low"] > 0 > found["log_loss"]["high"]
    assert found["accuracy"]["value"] == pytest.approx(class_metrics(target, probabilities)["accuracy"] - class_metrics(target, guess)["accuracy"])


def test_the_confusion_matrix_and_the_classes_are_those_of_scikit_learn():
    target, probabilities = example()
    calls = probabilities.argmax(1)
    matrix = confusion_matrix(target, calls, 4)
    assert matrix.dtype == np.int64
    np.testing.assert_array_equal(matrix, sk.confusion_matrix(target, calls))
    precision, recall, _, n = sk.precision_recall_fscore_support(target, calls)
    rows = per_class(target, probabilities, list("abcd"))
    assert [row["name"] for row in rows] == list("abcd")
    assert [row["n"] for row in rows] == n.tolist()
    np.testing.assert_allclose([row["precision"] for row in rows], precision)
    np.testing.assert_allclose([row["recall"] for row in rows], recall)
    np.testing.assert_allclose([row["auroc"] for row in rows], [sk.roc_auc_score(target == k, probabilities[:, k]) for k in range(4)])


def test_a_class_that_is_never_there_and_never_called_has_no_numbers():
    rows = per_class([0, 0, 1], [[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.3, 0.7, 0.0]])
    assert rows[2] == {"n": 0, "recall": None, "precision": None, "auroc": None}


@pytest.mark.parametrize(
    ("target", "probabilities", "error", "words"),
    [
        ([0, 1], [0.2, 0.8], ShapeError, r"target has shape \(2,\) and probabilities \(2,\)"),
        ([0, 1], [[1.0], [1.0]], ShapeError, "two classes or more"),
        ([0, 3], [[0.2, 0.8], [0.2, 0.8]], InputError, r"target holds 3 \(first in row 1\); with 2 classes, 0 to 1 are expected"),
        ([0, 0.5], [[0.2, 0.8], [0.2, 0.8]], InputError, r"target holds 0\.5"),
        ([0, 1], [[0.2, np.nan], [0.2, 0.8]], InputError, "1 of 2 rows of probabilities are not finite"),
    ],
)
def test_wrong_input_is_named(target, probabilities, error, words):
    with pytest.raises(error, match=words):
        class_metrics(target, probabilities)


def test_wrong_calls_names_and_measures_are_named():
    with pytest.raises(ShapeError, match=r"predicted \(1,\)"):
        confusion_matrix([0, 1], [0], 2)
    with pytest.raises(InputError, match="predicted holds 2"):
        confusion_matrix([0, 1], [0, 2], 2)
    with pytest.raises(InputError, match="1 names for 2 classes"):
        per_class([0, 1], [[0.2, 0.8], [0.2, 0.8]], ["a"])
    with pytest.raises(InputError, match="no measure named auroc"):
        class_intervals([0, 1], [[0.2, 0.8], [0.2, 0.8]], metrics=["auroc"])
