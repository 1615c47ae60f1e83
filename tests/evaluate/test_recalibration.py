"""Maps to calibrated logits, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from seqdl.evaluate.calibration import expected_calibration_error
from seqdl.evaluate.recalibration import class_line, classes_calibration_error, isotonic_knots, temperature


def binary(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits that are 2.5 times too large and off by .7, and targets."""
    rng = np.random.default_rng(seed)
    logits = 3 * rng.normal(size=n)
    return logits, (rng.random(n) < 1 / (1 + np.exp(-(logits / 2.5 - 0.7)))).astype(float)


def several(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits of three classes that are twice too large, and targets."""
    rng = np.random.default_rng(seed)
    logits = 4 * rng.normal(size=(n, 3))
    shares = np.exp(logits / 2 + [0.5, 0, -1.0])
    return logits, (rng.random((n, 1)) > (shares / shares.sum(1, keepdims=True)).cumsum(1)).sum(1)


def test_the_temperature_of_two_classes_is_a_logistic_regression_without_intercept():
    logits, target = binary()
    reference = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8).fit(logits[:, None], target)
    assert temperature(logits, target) == pytest.approx(reference.coef_[0, 0], rel=1e-3)


def test_the_temperature_of_classes_has_the_least_cross_entropy():
    from sklearn.metrics import log_loss

    logits, target = several()
    found = temperature(logits, target)

    def loss(scale: float) -> float:
        raised = np.exp(scale * logits)
        return log_loss(target, raised / raised.sum(1, keepdims=True))

    assert loss(found) < min(loss(1.01 * found), loss(0.99 * found))
    assert found < 0.7


def test_the_line_of_classes_gives_every_class_its_frequency():
    logits, target = several()
    scale, shift = class_line(logits, target)
    raised = np.exp(scale * logits + shift)
    probabilities = raised / raised.sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities.mean(0), np.bincount(target) / len(target), atol=1e-4)
    assert shift.mean() == pytest.approx(0, abs=1e-9)
    assert classes_calibration_error(target, probabilities) < 0.6 * classes_calibration_error(
        target, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    )


@pytest.mark.parametrize("fit", [temperature, class_line], ids=lambda fit: fit.__name__)
def test_where_one_class_is_all_there_is_nothing_changes(fit):
    found = fit(np.random.default_rng(0).normal(size=(20, 3)), np.ones(20, dtype=int))
    scale, shift = found if isinstance(found, tuple) else (found, np.zeros(3))
    assert scale == 1
    assert not shift.any()


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="3 logits for 3 targets, 1 of them not finite"):
        temperature([0.0, np.nan, 1.0], [0, 1, 1])


@pytest.mark.parametrize("n", [30, 400, 4_000])
def test_isotonic_knots_lie_beside_isotonic_regression(n):
    logits, target = binary(n)
    x, y = isotonic_knots(logits, target)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) > 0).all()
    share = IsotonicRegression(out_of_bounds="clip").fit(logits, target).predict(x)
    ours = 1 / (1 + np.exp(-y))
    sizes = np.array([(IsotonicRegression().fit_transform(logits, target) == value).sum() for value in share])
    assert (np.abs(ours - share) <= 0.5 / (sizes + 1) + 0.05).all()
    assert ((ours > 0) & (ours < 1)).all()


def test_isotonic_calibration_lowers_the_error_on_other_examples():
    logits, target = binary(2_000)
    x, y = isotonic_knots(logits, target)
    other, truth = binary(5_000, seed=1)
    before, after = (expected_calibration_error(truth, 1 / (1 + np.exp(-values))) for values in (other, np.interp(other, x, y)))
    assert before > 0.15
    assert after < 0.04


def test_examples_of_one_score_are_one_knot():
    x, y = isotonic_knots(np.zeros(5), [0, 1, 1, 1, 1])
    assert x.tolist() == [0.0]
    assert y[0] == pytest.approx(np.log(4.5 / 1.5))
