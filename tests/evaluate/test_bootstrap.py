"""Bootstrap intervals against a plain loop, and their properties."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from seqdl.errors import DataError, InputError, ShapeError
from seqdl.evaluate.bootstrap import paired_difference, with_intervals
from seqdl.evaluate.counted import METRICS
from seqdl.evaluate.metrics import binary_metrics


def example(n=300, seed=0):
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.3).astype(int)
    return target, np.clip(rng.random(n) * 0.8 + 0.2 * target, 0, 1)


@pytest.mark.parametrize(("name", "oracle"), [("auroc", roc_auc_score), ("auprc", average_precision_score), ("log_loss", log_loss)])
def test_the_interval_is_that_of_a_plain_loop_over_resamples(name, oracle):
    target, prediction = example()
    rng = np.random.default_rng(7)
    positive, negative = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    looped = []
    for _ in range(800):
        rows = np.concatenate([rng.choice(positive, positive.size), rng.choice(negative, negative.size)])
        looped.append(oracle(target[rows], prediction[rows]))
    found = with_intervals(target, prediction, n_resamples=4000)[name]
    spread = np.std(looped)
    assert found["low"] == pytest.approx(np.quantile(looped, 0.025), abs=0.25 * spread)
    assert found["high"] == pytest.approx(np.quantile(looped, 0.975), abs=0.25 * spread)


def test_values_are_those_of_binary_metrics_and_lie_in_their_intervals():
    target, prediction = example()
    found = with_intervals(target, prediction)
    assert tuple(found) == METRICS
    for name, value in binary_metrics(target, prediction).items():
        assert found[name]["value"] == value
        if name != "ece":  # resampling adds noise to every bin, so this one is biased upwards
            assert found[name]["low"] < value < found[name]["high"]


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    target, prediction = example()
    assert with_intervals(target, prediction, seed=3) == with_intervals(target, prediction, seed=3)
    assert with_intervals(target, prediction, seed=3)["auroc"]["low"] != with_intervals(target, prediction, seed=4)["auroc"]["low"]


def test_a_higher_level_is_a_wider_interval():
    target, prediction = example()
    narrow, wide = (with_intervals(target, prediction, level=level)["auroc"] for level in (0.8, 0.99))
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


def test_drawing_whole_groups_widens_the_interval_where_members_resemble_each_other():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 50)
    target = rng.integers(0, 2, 1000)
    noise = rng.normal(0, 1, 20)[groups]  # some chromosomes are easy, some are misleading
    prediction = noise * (2 * target - 1) + rng.normal(0, 0.3, 1000) + target
    single = with_intervals(target, prediction, metrics=["auroc"])["auroc"]
    grouped = with_intervals(target, prediction, groups=groups, metrics=["auroc"])["auroc"]
    assert grouped["high"] - grouped["low"] > 2 * (single["high"] - single["low"])


def test_undefined_measures_are_none_and_the_result_is_json():
    found = with_intervals([1, 1, 1], [0.2, 0.6, 0.9])
    assert found["auroc"] == {"value": None, "low": None, "high": None}
    assert found["accuracy"]["value"] == pytest.approx(2 / 3)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_without_examples_everything_is_none():
    assert with_intervals([], [])["brier"] == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"level": 95}, InputError, "level is 95; it should lie between 0 and 1"),
        ({"n_resamples": 0}, InputError, "n_resamples is 0"),
        ({"metrics": ["auc"]}, InputError, "no measure named auc"),
        ({"groups": ["chrI"]}, ShapeError, r"groups has shape \(1,\); one label for each of the 300"),
        ({"groups": ["chrI"] * 300}, DataError, "groups holds 1 group; drawing groups needs at least 2"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        with_intervals(*example(), **options)


def test_a_paired_difference_of_a_prediction_and_itself_is_nothing():
    rng = np.random.default_rng(0)
    target, score = rng.integers(0, 2, 300), rng.random(300)
    assert paired_difference(target, score, score)["auroc"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_a_paired_difference_agrees_with_resampling_by_hand_and_sklearn():
    rng = np.random.default_rng(1)
    target = np.r_[np.ones(120), np.zeros(180)]
    first = target + rng.normal(size=300)
    second = first + rng.normal(size=300)
    found = paired_difference(target, first, second, metrics=["auroc"], n_resamples=2000)["auroc"]
    assert found["value"] == pytest.approx(roc_auc_score(target, first) - roc_auc_score(target, second))
    by_hand = []
    for _ in range(1000):
        rows = np.r_[rng.integers(0, 120, 120), rng.integers(120, 300, 180)]
        by_hand.append(roc_auc_score(target[rows], first[rows]) - roc_auc_score(target[rows], second[rows]))
    np.testing.assert_allclose([found["low"], found["high"]], np.quantile(by_hand, [0.025, 0.975]), atol=0.012)


def test_an_interval_holds_its_own_value_also_where_resampling_is_biased():
    rng = np.random.default_rng(0)
    prediction = rng.random(3000)
    target = (rng.random(3000) < prediction).astype(int)  # perfectly calibrated: resamples can only look worse
    found = with_intervals(target, prediction, metrics=["ece"])["ece"]
    assert found["low"] <= found["value"] <= found["high"]
