"""Attribution tracks."""

import xml.etree.ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from seqdl.errors import InputError, ShapeError
from seqdl.plot.letters import COLOURS
from seqdl.plot.tracks import track, track_svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def no_window():
    mpl.use("agg")
    yield
    plt.close("all")


@pytest.fixture
def example():
    x = np.eye(4)[[0, 1, 2, 3, 3, 0]].T
    return np.array([0.5, -0.2, 1.0, 0.0, 0.3, -0.7]) * x, x


def boxes(ax):
    """Return the extent of each base's letters on axes."""
    return {mpl.colors.to_hex(patch.get_facecolor()): patch.get_path().get_extents() for patch in ax.patches}


def test_letters_reach_exactly_to_their_scores(example):
    found = boxes(track(*example))
    assert found[COLOURS["G"]].y1 == pytest.approx(1.0)
    assert found[COLOURS["G"]].y0 == pytest.approx(0.0)
    assert found[COLOURS["C"]].y0 == pytest.approx(-0.2)
    assert (found[COLOURS["A"]].y0, found[COLOURS["A"]].y1) == pytest.approx((-0.7, 0.5))


def test_letters_stand_at_their_positions(example):
    found = boxes(track(*example, start=100))
    assert 101.5 <= found[COLOURS["G"]].x0 < found[COLOURS["G"]].x1 <= 102.5


def test_only_the_bases_of_the_sequence_are_drawn_where_it_is_given(example):
    _, x = example
    assert len(boxes(track(np.ones_like(x), x[:, :] * np.array([[1], [0], [0], [0]])))) == 1
    assert len(boxes(track(np.ones_like(x)))) == 4


def test_without_a_sequence_letters_of_one_position_are_stacked():
    found = boxes(track([[1.0], [2.0], [-0.5], [-1.0]]))
    extents = {base: (found[COLOURS[base]].y0, found[COLOURS[base]].y1) for base in "ACGT"}
    assert extents["A"] == pytest.approx((0, 1))  # the smaller next to zero
    assert extents["C"] == pytest.approx((1, 3))
    assert extents["G"] == pytest.approx((-0.5, 0))
    assert extents["T"] == pytest.approx((-1.5, -0.5))


def test_axes_are_labelled_and_those_given_are_used(example):
    _, ax = plt.subplots()
    assert track(*example, ax=ax, label="logits") is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("position (bp)", "logits")


def test_text_follows_the_style_so_that_dark_pages_are_legible(example):
    with plt.style.context("dark_background"):
        ax = track(*example)
    assert ax.lines[0].get_color() == "white"


@pytest.mark.parametrize("scores", [np.zeros((4, 5)), np.zeros((4, 0)), torch.zeros(4, 5, requires_grad=True)])
def test_nothing_to_draw_still_gives_axes(scores):
    assert not track(scores).patches
    assert track_svg(scores).startswith("<svg")


def test_svg_holds_one_path_a_base_and_its_axes_take_the_colour_of_the_text(example):
    root = ET.fromstring(track_svg(*example, title="peak <1> & co", start=12_345))
    fills = [path.get("fill") for path in root.iter(f"{SVG}path")]
    assert fills == [COLOURS["A"], COLOURS["C"], COLOURS["G"], COLOURS["T"], "none"]
    assert {group.get("fill") for group in root.iter(f"{SVG}g")} == {"currentColor"}
    assert root.find(f"{SVG}title").text == "peak <1> & co"
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "12,345" in texts
    assert {"position (bp)", "attribution"} <= set(texts)


def test_svg_letters_have_the_heights_of_the_scores():
    x = np.eye(4)[[0, 3]].T
    root = ET.fromstring(track_svg(x * [2.0, 1.0], x))
    heights = {}
    for path in root.iter(f"{SVG}path"):
        if path.get("fill") != "none":
            ys = [float(part.split()[1]) for part in path.get("d").replace("M", "L").replace("Z", "").split("L")[1:]]
            heights[path.get("fill")] = max(ys) - min(ys)
    assert heights[COLOURS["A"]] == pytest.approx(2 * heights[COLOURS["T"]], rel=0.01)


@pytest.mark.parametrize("scale", [1e-6, 1, 1e5])
def test_ticks_fit_any_scale(example, scale):
    root = ET.fromstring(track_svg(example[0] * scale, example[1]))
    ticks = [text.text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "end"]
    assert 2 <= len(ticks) <= 6
    assert max(len(text) for text in ticks) <= 7


def test_a_long_track_is_drawn_fast():
    import time

    x = np.eye(4)[np.random.default_rng(0).integers(0, 4, 1000)].T
    before = time.perf_counter()
    text = track_svg(np.random.default_rng(1).normal(size=x.shape), x)
    assert time.perf_counter() - before < 1
    assert len(text) < 500_000


@pytest.mark.parametrize("draw", [track, track_svg])
@pytest.mark.parametrize(
    ("scores", "x", "error", "message"),
    [
        (np.zeros((2, 4, 5)), None, ShapeError, r"pass scores\[0\]"),
        (np.zeros((5, 4)), None, ShapeError, r"pass scores\.T"),
        (np.full((4, 2), np.nan), None, InputError, "the score of A at position 1 is nan"),
        (np.zeros((4, 5)), np.zeros((4, 6)), ShapeError, r"x has the shape \(4, 6\), the scores have \(4, 5\)"),
    ],
)
def test_wrong_input_says_what_to_pass(draw, scores, x, error, message):
    with pytest.raises(error, match=message):
        draw(scores, x)
