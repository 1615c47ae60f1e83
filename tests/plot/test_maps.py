"""The map of embeddings: points, colours and legend."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from seqdl.errors import ShapeError
from seqdl.plot import embedding

POINTS = np.random.default_rng(0).normal(size=(60, 2))


def drawn(groups=None, points=POINTS):
    return embedding(points, groups, ax=Figure().subplots())


def shown(ax):
    return sum(len(part.get_offsets()) for part in ax.collections)


@pytest.mark.parametrize("groups", [None, ["a", "b", "c"] * 20, [-1, 0, 1] * 20, [f"kind{i % 15}" for i in range(60)]])
def test_every_point_is_drawn_once(groups):
    assert shown(drawn(groups)) == len(POINTS)


def test_groups_have_a_colour_each_and_their_size_in_the_legend():
    ax = drawn(["b"] * 40 + ["a"] * 20)
    assert ax.get_legend_handles_labels()[1] == ["a (20)", "b (40)"]
    colours = {tuple(part.get_facecolor()[0]) for part in ax.collections}
    assert len(colours) == 2


def test_what_is_in_no_cluster_and_rare_groups_are_grey_together():
    labels = drawn([-1] * 10 + [0] * 50).get_legend_handles_labels()[1]
    assert labels == ["none or other (10)", "0 (50)"]
    labels = drawn([f"k{i % 12:02}" for i in range(60)]).get_legend_handles_labels()[1]
    assert labels[0] == "none or other (20)"
    assert len(labels) == 1 + 8


@pytest.mark.parametrize(
    ("points", "groups", "message"),
    [(POINTS[:, :1], None, r"the points have the shape \(60, 1\)"), (POINTS, ["a"], r"the groups have the shape \(1,\) for 60 points")],
)
def test_points_and_groups_that_do_not_fit_are_refused(points, groups, message):
    with pytest.raises(ShapeError, match=message):
        drawn(groups, points)
