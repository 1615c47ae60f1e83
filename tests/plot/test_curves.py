from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, roc_auc_score

from seqdl.errors import InputError, ShapeError
from seqdl.plot import curves

RNG = np.random.default_rng(1)
TARGET = RNG.integers(0, 2, 300)
SCORE = np.clip(RNG.normal(0.35 + 0.3 * TARGET, 0.2), 0, 1)
LOG = pd.DataFrame({"epoch": [0, 1, 2], "train_loss": [0.7, 0.5, 0.4], "val_loss": [0.7, np.nan, 0.5]})
DRAWINGS = {
    "roc": lambda ax=None: curves.roc(TARGET, SCORE, ax=ax),
    "precision_recall": lambda ax=None: curves.precision_recall(TARGET, SCORE, ax=ax),
    "loss": lambda ax=None: curves.loss(LOG, ax=ax),
    "histogram": lambda ax=None: curves.histogram(TARGET, SCORE, ax=ax),
    "reliability": lambda ax=None: curves.reliability(TARGET, SCORE, ax=ax),
    "scatter": lambda ax=None: curves.scatter(TARGET, SCORE, ax=ax),
    "confusion": lambda ax=None: curves.confusion([[3, 1], [0, 2]], ["a", "b"], ax=ax),
}


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_curve_makes_its_own_axes_or_draws_into_given_ones(name):
    assert isinstance(DRAWINGS[name](), Axes)
    given = plt.subplots()[1]
    assert DRAWINGS[name](given) is given
    assert given.get_xlabel()
    assert given.get_ylabel()


def test_the_roc_curve_and_its_label_have_the_area_of_sklearn():
    ax = curves.roc(TARGET, SCORE, label="mine")
    x, y = ax.lines[-1].get_data()
    assert np.trapezoid(y, x) == pytest.approx(roc_auc_score(TARGET, SCORE))
    assert ax.get_legend_handles_labels()[1] == [f"mine ({roc_auc_score(TARGET, SCORE):.3f})"]


def test_the_precision_recall_label_has_the_average_precision_of_sklearn():
    labels = curves.precision_recall(TARGET, SCORE).get_legend_handles_labels()[1]
    assert labels == [f"network ({average_precision_score(TARGET, SCORE):.3f})"]


def test_curves_laid_over_each_other_differ_in_colour_and_share_one_guide():
    ax = curves.roc(TARGET, SCORE)
    curves.roc(TARGET, -SCORE, label="other", ax=ax)
    assert len(ax.lines) == 3
    assert len({line.get_color() for line in ax.lines}) == 3


def test_style_is_passed_on():
    assert curves.roc(TARGET, SCORE, color="#123456").lines[-1].get_color() == "#123456"


def test_reliability_has_the_points_of_sklearn():
    observed, predicted = calibration_curve(TARGET, SCORE, n_bins=10)
    x, y = curves.reliability(TARGET, SCORE).lines[1].get_data()
    np.testing.assert_allclose(x, predicted)
    np.testing.assert_allclose(y, observed)


def test_each_class_of_the_histogram_adds_up_to_one():
    ax = curves.histogram(TARGET, SCORE)
    heights = [sum(bar.get_height() for bar in bars) for bars in ax.containers]
    assert heights == pytest.approx([1, 1])


@pytest.mark.parametrize("draw", [curves.roc, curves.precision_recall, curves.histogram])
@pytest.mark.parametrize(("target", "seen"), [([1, 1, 1], "only 1"), ([], "no example")])
def test_one_class_is_refused(draw, target, seen):
    with pytest.raises(InputError, match=rf"the targets hold {seen}; .* needs positives \(1\) and negatives"):
        draw(target, [0.1] * len(target))


def test_a_log_without_a_loss_is_refused():
    with pytest.raises(InputError, match=r"the log has the columns epoch, lr\. Expected epoch and train_loss or val_loss"):
        curves.loss(pd.DataFrame({"epoch": [0], "lr": [0.1]}))


def test_a_scatter_holds_every_point_and_the_diagonal():
    rng = np.random.default_rng(0)
    target = rng.normal(size=50)
    ax = curves.scatter(target, target + 1, color="black")
    diagonal, points = ax.lines
    assert diagonal.get_xdata()[0] == diagonal.get_ydata()[0]
    np.testing.assert_array_equal(points.get_xdata(), target)
    assert points.get_color() == "black"
    assert ax.get_title().startswith("Pearson r 1.000, R²")
    with pytest.raises(InputError, match="no example to draw"):
        curves.scatter([], [])


def test_a_confusion_matrix_shows_counts_shaded_by_share_of_the_row():
    ax = curves.confusion([[90, 10], [500, 500]], ["donor", "acceptor"])
    assert [text.get_text() for text in ax.texts] == ["90", "10", "500", "500"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.9, 0.1], [0.5, 0.5]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["donor", "acceptor"]
    with pytest.raises(ShapeError, match=r"shape \(2, 2\) and there are 1 names"):
        curves.confusion([[1, 2], [3, 4]], ["donor"])
