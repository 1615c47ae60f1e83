"""Calibration against scikit-learn and hand-made cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from seqdl.errors import InputError
from seqdl.evaluate.calibration import expected_calibration_error, reliability
from seqdl.evaluate.metrics import binary_metrics


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    prediction = rng.random(2000) ** 2
    return (rng.random(2000) < prediction).astype(int), prediction


@pytest.mark.parametrize("bins", [5, 10, 20])
def test_bins_hold_what_sklearn_says(example, bins):
    table = reliability(*example, bins=bins)
    observed, predicted = calibration_curve(*example, n_bins=bins, strategy="uniform")
    np.testing.assert_allclose(table.observed[table.n > 0], observed)
    np.testing.assert_allclose(table.prediction[table.n > 0], predicted)
    assert table.n.sum() == 2000


def test_intervals_are_wilson_intervals(example):
    table = reliability(*example)
    for low, high, share, n in zip(table.low, table.high, table.observed, table.n, strict=True):
        wanted = binomtest(round(share * n), int(n)).proportion_ci(0.95, method="wilson")
        assert (low, high) == (pytest.approx(wanted.low, abs=1e-6), pytest.approx(wanted.high, abs=1e-6))


def test_the_calibrated_have_a_small_error_and_the_overconfident_a_large_one(example):
    target, prediction = example
    assert expected_calibration_error(target, prediction) < 0.03
    assert expected_calibration_error(target, np.where(prediction > 0.4, 1.0, 0.0)) > 0.1


def test_the_error_is_that_among_the_metrics(example):
    assert binary_metrics(*example)["ece"] == pytest.approx(expected_calibration_error(*example))


def test_a_hand_made_case_has_the_hand_computed_error():
    assert expected_calibration_error([1, 1, 0, 0], [0.9, 0.9, 0.9, 0.1]) == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.1)


def test_empty_bins_are_nan_and_one_belongs_to_the_last_bin():
    table = reliability([1], [1.0], bins=4)
    assert table.n.tolist() == [0, 0, 0, 1]
    assert np.isnan(table.observed[:3]).all()
    assert math.isnan(expected_calibration_error([], []))


@pytest.mark.parametrize(
    ("prediction", "bins", "message"),
    [([0.2, 3.0], 10, "predictions reach from 0.2 to 3; probabilities lie in 0..1"), ([0.2, 0.3], 0, "bins is 0; at least 1 bin is needed")],
)
def test_what_is_no_probability_is_refused(prediction, bins, message):
    with pytest.raises(InputError, match=message):
        reliability([0, 1], prediction, bins=bins)
