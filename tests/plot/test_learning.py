"""Scores over examples or parameters."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from seqdl.plot.learning import learning_curve


@pytest.fixture(autouse=True)
def close_figures():
    mpl.use("Agg")
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


@pytest.fixture
def table():
    rows = [("from scratch", n, 0.9, score) for n, scores in ((10, (0.6, 0.7, 0.8)), (100, (0.8, 0.9, 0.85))) for score in scores]
    return pd.DataFrame(rows, columns=["series", "n_train", "train_score", "test_score"])


def test_the_shade_is_students_interval_of_the_mean(table):
    (shade,) = learning_curve(table, "n_train").collections
    corners = shade.get_paths()[0].vertices
    for n, scores in table.groupby("n_train")["test_score"]:
        low, high = t.interval(0.95, 2, scores.mean(), scores.sem())
        np.testing.assert_allclose([corners[corners[:, 0] == n, 1].min(), corners[corners[:, 0] == n, 1].max()], [low, high])


def test_a_single_training_a_point_has_no_shade(table):
    (shade,) = learning_curve(table.drop_duplicates("n_train"), "n_train").collections
    assert not any(np.isfinite(path.vertices).all() and len(path.vertices) for path in shade.get_paths())
