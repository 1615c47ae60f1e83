from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from seqdl.evaluate.calibration import reliability
from seqdl.report import charts
from seqdl.report.numbers import Estimate
from seqdl.report.svg import Frame, nice_ticks, thinned

RNG = np.random.default_rng(0)
TARGET = RNG.integers(0, 2, 400).astype(float)
SCORE = np.clip(RNG.normal(0.35 + 0.3 * TARGET, 0.2), 0, 1)
CURVE = charts.Curve("network", "network", TARGET, SCORE)


def points(svg: str, mark: str) -> np.ndarray:
    """Return the points of the line of one class, (n, 2) in pixels."""
    path = re.search(rf'class="line {mark}" d="M([^"]+)"', svg)
    assert path
    return np.array([[float(x) for x in pair.split()] for pair in path[1].split("L")])


def test_the_drawn_roc_curve_has_the_area_of_the_prediction():
    frame = Frame((0, 1), (0, 1))
    drawn = points(charts.roc([CURVE]), "network")
    x = (drawn[:, 0] - frame.px(0)) / (frame.px(1) - frame.px(0))
    y = (drawn[:, 1] - frame.py(0)) / (frame.py(1) - frame.py(0))
    assert np.trapezoid(y, x) == pytest.approx(roc_auc_score(TARGET, SCORE), abs=0.003)


def test_pictures_say_their_numbers_in_words():
    area = roc_auc_score(TARGET, SCORE)
    assert f"Area under the curve: network {area:.3f}" in charts.roc([CURVE])
    assert f"guessing gives {TARGET.mean():.3f}" in charts.precision_recall([CURVE])
    assert "expected calibration error" in charts.calibration(reliability(TARGET, SCORE))


def test_the_histogram_has_all_of_each_class():
    shares = [float(share) for share in re.findall(r"<title>([\d.]+) % of the positives", charts.histogram(TARGET, SCORE))]
    assert sum(shares) == pytest.approx(100, abs=3)


def test_scores_outside_0_to_1_get_an_axis_of_their_own():
    assert "−" in charts.histogram(TARGET, 10 * (SCORE - 0.5))


def test_an_estimate_lies_where_the_axis_says_and_an_undefined_one_is_said():
    svg = charts.whiskers([("network", "network", Estimate(0.9, 0.8, 0.95)), ("k-mers", "kmer", None)], measure="AUROC", guess=0.5)
    assert "network: AUROC 0.900 (0.800–0.950)" in svg
    assert "not defined" in svg
    low, value, high = (
        float(re.search(pattern, svg)[1]) for pattern in (r'whisker network" d="M([\d.]+)', r'cx="([\d.]+)"', r'whisker network" d="M[^"]+H([\d.]+)"')
    )
    assert (value - low) / (high - low) == pytest.approx(2 / 3, abs=0.02)


def test_a_single_epoch_can_be_drawn():
    svg = charts.history(np.array([0.0]), {"validation": ("network", np.array([0.5]))}, None, y_label="Loss")
    assert "nan" not in svg


def test_ambiguous_bases_leave_a_gap_in_the_ribbon():
    assert charts.ribbon([0, 4, 3], np.array([1.0, 1.0, 0.5])).count("<rect") == 2


def test_no_picture_carries_a_colour_of_its_own():
    drawn = charts.roc([CURVE]) + charts.histogram(TARGET, SCORE) + charts.ribbon([0, 1], np.ones(2))
    assert not re.search(r"#[0-9a-fA-F]{3,6}\b|rgb\(", drawn)


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_ticks_are_few_and_lie_within_the_axis(low, span):
    ticks = nice_ticks(low, low + span)
    assert 1 <= len(ticks) <= 6
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=60))
def test_thinning_keeps_the_ends_and_stays_close(curve):
    xs, ys = zip(*curve, strict=True)
    kept_x, kept_y = thinned(xs, ys, tolerance=0.01)
    assert (kept_x[0], kept_y[0], kept_x[-1], kept_y[-1]) == (xs[0], ys[0], xs[-1], ys[-1])
    chords = list(zip(np.column_stack([kept_x, kept_y])[:-1], np.column_stack([kept_x, kept_y])[1:], strict=True))
    for point in np.array(curve):
        assert min(_distance(point, a, b) for a, b in chords) <= 0.01 + 1e-9


def _distance(point, a, b):
    length = np.hypot(*(b - a))
    if not length:
        return np.hypot(*(point - a))
    return abs((b - a)[0] * (point - a)[1] - (b - a)[1] * (point - a)[0]) / length
