"""Curves of in-silico experiments, and the gallery of filters."""

import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from seqdl.errors import InputError
from seqdl.motif.motif import Motif
from seqdl.plot.experiments import by_position, firing, spacing
from seqdl.plot.gallery import gallery_svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def close_figures():
    mpl.use("Agg")
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


@pytest.fixture
def curve():
    rows = [(orientation, d, 0.1 * d, 0.1 * d - 0.05, 0.1 * d + 0.05) for orientation in ("+ +", "+ -") for d in range(4)]
    return pd.DataFrame(rows, columns=["orientation", "spacing", "interaction", "interaction_low", "interaction_high"])


def test_a_spacing_curve_has_a_line_an_orientation_with_its_values(curve):
    ax = spacing(curve)
    lines = {line.get_label(): line for line in ax.lines}
    for orientation in ("+ +", "+ -"):
        np.testing.assert_allclose(lines[orientation].get_ydata(), [0, 0.1, 0.2, 0.3])
        np.testing.assert_array_equal(lines[orientation].get_xdata(), range(4))
    assert len(ax.collections) == 2
    assert ax.get_ylabel() == "Interaction (logits)"


def test_a_curve_is_drawn_on_the_axes_it_is_given(curve):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert spacing(curve, ax=ax) is ax


def test_a_table_without_its_column_is_refused(curve):
    with pytest.raises(InputError, match="the curve has no column 'effect'"):
        spacing(curve, column="effect")


def test_an_empty_curve_is_refused(curve):
    with pytest.raises(InputError, match="the curve has no row"):
        spacing(curve.head(0))


def test_positions_are_drawn_a_line_a_strand():
    table = pd.DataFrame({"strand": ["+", "+", "-"], "position": [-5, 5, 0], "effect": [1.0, 2, 3], "effect_low": 0.0, "effect_high": 4.0})
    lines = {line.get_label(): line for line in by_position(table).lines}
    assert lines["+"].get_ydata().tolist() == [1, 2]
    assert lines["-"].get_ydata().tolist() == [3]


def test_the_shares_of_sites_sum_to_one():
    centres = {"filter0": np.random.default_rng(0).uniform(-50, 50, 80), "filter1": [0.0]}
    for line in firing(centres, 100, bins=8).lines[:2]:
        assert line.get_ydata().sum() == pytest.approx(1)


def test_no_filter_cannot_be_drawn():
    with pytest.raises(InputError, match="there are 0 filters to draw"):
        firing({}, 100)


@pytest.fixture
def motifs():
    rng = np.random.default_rng(0)
    return [Motif(f"filter{k}", rng.dirichlet([0.2] * 4, 6 + k).T) for k in range(5)]


def test_a_gallery_is_one_valid_svg_with_a_logo_a_motif(motifs):
    root = ET.fromstring(gallery_svg(motifs))
    assert len(list(root.iter(f"{SVG}svg"))) == 6


def test_logos_of_a_gallery_do_not_lie_over_each_other(motifs):
    root = ET.fromstring(gallery_svg(motifs, columns=2))
    places = [
        cell.get("transform")
        for cell in root.iter(f"{SVG}g")
        if (cell.get("transform") or "").startswith("translate(") and cell.find(f"{SVG}text") is not None
    ]
    assert len(set(places)) == 5
    assert len({place.split()[0] for place in places}) == 2


def test_what_is_left_out_is_said(motifs):
    assert "3 more are not drawn" in gallery_svg(motifs, limit=2)
    assert "3 more are not drawn; 7 are vague" in gallery_svg(motifs, limit=2, left_out="7 are vague")
    assert "7 are vague" in gallery_svg(motifs, left_out="7 are vague")


def test_the_number_of_networks_a_motif_was_found_in_is_written(motifs):
    row = {"match": "MA0363.3 REB1", "match_q": 1e-4, "importance": 0.123, "information_bits": 16.0, "members": 4, "of_members": 6}
    assert ">q 0.0001, importance 0.123, in 4 of 6 networks<" in gallery_svg(motifs[:1], [row])


def test_only_a_sure_match_names_a_motif(motifs):
    rows = [{"match": "MA1 SURE", "match_q": 0.01}, {"match": "MA2 UNSURE", "match_q": 0.4}]
    text = gallery_svg(motifs[:2], rows)
    assert "SURE" in text
    assert "UNSURE" not in text
    assert "like no known motif" in text


@pytest.mark.parametrize(("some", "columns"), [([], 3), (None, 0)])
def test_nothing_to_draw_is_refused(some, columns, motifs):
    with pytest.raises(InputError, match="were to be drawn; expected at least one of each"):
        gallery_svg(motifs if some is None else some, columns=columns)
