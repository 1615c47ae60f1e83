"""Profiles along the sequence: what the legend says, and what stays in view where heights are shared."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from seqdl.plot.along import profile


@pytest.fixture(autouse=True)
def no_window():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.mark.parametrize(("options", "words"), [({}, ["measured", "predicted"]), ({"names": ("annotated", "network")}, ["annotated", "network"])])
def test_the_legend_says_what_the_area_and_the_line_are(options, words):
    ax = profile(np.arange(9.0), np.arange(9.0) / 2, **options)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == words


@pytest.mark.parametrize("heights", [(10.0, 1.0), (1.0, 10.0)])
def test_axes_that_share_their_heights_show_the_tallest_and_the_lowest(heights):
    _, axes = plt.subplots(1, 2, sharey=True)
    for ax, height in zip(axes, heights, strict=True):
        profile(height * np.linspace(-1, 1, 9), ax=ax)
    low, high = axes[0].get_ylim()
    assert low <= -10
    assert high >= 10


def test_what_was_drawn_before_stays_in_view():
    _, ax = plt.subplots()
    ax.bar(np.arange(9), np.full(9, 5.0))
    profile(np.ones(9), ax=ax)
    assert ax.get_ylim()[1] >= 5


def test_by_itself_a_track_fills_its_axes():
    low, high = profile(np.ones(9)).get_ylim()
    assert low == 0
    assert high == pytest.approx(1.04)
