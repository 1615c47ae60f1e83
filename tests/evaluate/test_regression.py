"""Measures of a predicted number against scipy and scikit-learn, and their intervals against a plain loop."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from seqdl.errors import DataError, InputError, ShapeError
from seqdl.evaluate.regression import METRICS, CountedRegression, paired_difference, regression_intervals, regression_metrics
from seqdl.evaluate.resampling import draw_counts

ORACLES = {
    "pearson": lambda t, p: stats.pearsonr(t, p).statistic,
    "spearman": lambda t, p: stats.spearmanr(t, p).statistic,
    "r2": r2_score,
    "rmse": lambda t, p: mean_squared_error(t, p) ** 0.5,
    "mae": mean_absolute_error,
}


def example(n=200, seed=0, digits=None):
    rng = np.random.default_rng(seed)
    target = 1e3 + rng.normal(size=n)
    prediction = target + rng.normal(size=n)
    return (target, prediction) if digits is None else (target.round(digits), prediction.round(digits))


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("digits", [None, 0])  # 0: full of ties
def test_measures_are_those_of_scipy_and_scikit_learn(name, digits):
    target, prediction = example(digits=digits)
    assert regression_metrics(target, prediction)[name] == pytest.approx(ORACLES[name](target, prediction), rel=1e-9)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 3)), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_counting_an_example_twice_is_having_it_twice(rows):
    target, prediction, times = (np.array(column) for column in zip(*rows, strict=True))
    if not times.sum():
        return
    counted = CountedRegression(target, prediction).measure(times[None].astype(np.int32))
    plain = regression_metrics(np.repeat(target, times), np.repeat(prediction, times))
    for name in METRICS:
        assert counted[name][0] == pytest.approx(plain[name], abs=1e-7, nan_ok=True)


@pytest.mark.parametrize(
    ("target", "prediction", "undefined"),
    [
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], {"pearson", "spearman", "r2"}),
        ([1.0, 2.0, 3.0], [0.1, 0.1, 0.1], {"pearson", "spearman"}),
        ([1.0], [2.0], {"pearson", "spearman", "r2"}),
        ([], [], set(METRICS)),
    ],
)
def test_what_is_undefined_is_nan_and_null_with_its_interval(target, prediction, undefined):
    found = regression_metrics(target, prediction)
    assert {name for name, value in found.items() if np.isnan(value)} == undefined
    intervals = regression_intervals(target, prediction, n_resamples=50)
    assert {name for name, entry in intervals.items() if entry["value"] is None} == undefined
    json.dumps(intervals, allow_nan=False)


@pytest.mark.parametrize("name", METRICS)
def test_the_interval_is_that_of_a_plain_loop_over_resamples(name):
    target, prediction = example()
    drawn = draw_counts(300, target.size, np.random.default_rng(7))  # the very same resamples
    looped = [ORACLES[name](np.repeat(target, times), np.repeat(prediction, times)) for times in drawn]
    found = regression_intervals(target, prediction, n_resamples=300, seed=7)[name]
    assert [found["low"], found["high"]] == pytest.approx(np.quantile(looped, [0.025, 0.975]))
    assert found["low"] <= found["value"] <= found["high"]


def test_an_interval_is_the_same_for_the_same_seed():
    target, prediction = example()
    assert regression_intervals(target, prediction, seed=3) == regression_intervals(target, prediction, seed=3)
    assert regression_intervals(target, prediction, seed=3) != regression_intervals(target, prediction, seed=4)


def test_drawing_whole_groups_widens_the_interval_where_members_resemble_each_other():
    rng = np.random.default_rng(0)
    family = np.repeat(np.arange(20), 30)
    target = np.repeat(rng.normal(size=20), 30)
    prediction = target + np.repeat(rng.normal(size=20), 30) + 0.05 * rng.normal(size=600)
    narrow = regression_intervals(target, prediction, metrics=["pearson"])["pearson"]
    wide = regression_intervals(target, prediction, metrics=["pearson"], groups=family)["pearson"]
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])


def test_the_paired_interval_is_narrower_than_two_separate_ones():
    target, prediction = example(400)
    worse = prediction + 0.3 * np.random.default_rng(1).normal(size=400)
    gain = paired_difference(target, prediction, worse)["pearson"]
    alone = regression_intervals(target, prediction)["pearson"]
    assert 0 < gain["low"] < gain["value"] < gain["high"]
    assert gain["high"] - gain["low"] < 0.7 * (alone["high"] - alone["low"])
    assert gain["value"] == pytest.approx(alone["value"] - regression_metrics(target, worse)["pearson"])


def test_a_prediction_does_not_differ_from_itself():
    target, prediction = example()
    assert all(
        entry == {"value": 0.0, "low": 0.0, "high": 0.0} for entry in paired_difference(target, prediction, prediction, n_resamples=50).values()
    )


def test_twenty_thousand_examples_take_about_a_second():
    target, prediction = example(20_000)
    start = time.process_time()
    regression_intervals(target, prediction)
    assert time.process_time() - start < 6  # 0.7 s on an idle core


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (([1.0, 2.0], [1.0]), {}, ShapeError, r"target has shape \(2,\) and prediction \(1,\)"),
        (([1.0, np.nan], [1.0, 2.0]), {}, InputError, r"1 of 2 targets are not finite \(first: row 1, nan\)"),
        (([1.0, 2.0], [np.inf, 2.0]), {}, InputError, "1 of 2 predictions are not finite"),
        (([1.0, 2.0], [1.0, 2.0]), {"metrics": ["auroc"]}, InputError, "no measure named auroc"),
        (([1.0, 2.0], [1.0, 2.0]), {"level": 95}, InputError, "level is 95"),
        (([1.0, 2.0], [1.0, 2.0]), {"n_resamples": 0}, InputError, "n_resamples is 0"),
        (([1.0, 2.0], [1.0, 2.0]), {"groups": ["a", "a"]}, DataError, "groups holds 1 group"),
    ],
)
def test_wrong_input_is_named(arguments, options, error, words):
    with pytest.raises(error, match=words):
        regression_intervals(*arguments, **options)
