from __future__ import annotations

import time
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from seqdl.errors import InputError, OutputExistsError
from seqdl.motif.motif import Motif
from seqdl.plot.letters import BASES, COLOURS, OUTLINES, letter_path, number
from seqdl.plot.logos import logo, save_logo
from seqdl.plot.svg_logos import GREY, logo_sheet, logo_svg, stack_heights

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def motif() -> Motif:
    return Motif("MA0363.3", np.array([[9, 0, 2, 3], [0, 9, 2, 1], [0, 0, 3, 1], [0, 0, 2, 4]]), alt_name="REB1 <&>")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_heights_are_probability_times_information(motif):
    name, heights = stack_heights(motif)
    assert name == motif.label
    np.testing.assert_allclose(heights.sum(axis=0), motif.information_per_position)
    np.testing.assert_allclose(stack_heights(motif, kind="probability")[1], motif.ppm)
    np.testing.assert_allclose(stack_heights(motif, reverse_complement=True)[1], heights[::-1, ::-1])


def test_svg_is_a_valid_file_with_an_axis_in_bits_and_numbered_positions(motif):
    svg = logo_svg(motif)
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert texts(svg) == ["0", "1", "2", "bits", "1", "2", "3", "4"]
    assert "currentColor" in svg
    assert "color=" not in svg.split(">", 1)[0]


def test_letters_of_a_stack_reach_as_high_as_its_information():
    svg = logo_svg([[1, 0.5], [0, 0.5], [0, 0], [0, 0]], height=128)  # 100 px of letters, 50 a bit
    paths = {path.get("fill"): path.get("d") for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("fill") != "none"}
    assert set(paths) == {COLOURS["A"], COLOURS["C"]}
    tops = {}
    for base in "AC":
        numbers = [float(word) for word in paths[COLOURS[base]].replace("M", " ").replace("L", " ").replace("C", " ").replace("Z", " ").split()]
        tops[base] = min(numbers[1::2])
    assert tops["A"] == pytest.approx(8)  # two bits: the top of the axis
    assert tops["C"] == pytest.approx(108 - 50, abs=0.1)  # one bit, C on top of A or below it


def test_names_are_escaped_and_long_titles_fit(motif):
    svg = logo_svg(motif, title=motif.label * 5)
    assert motif.label * 5 in texts(svg)
    assert float(ET.fromstring(svg).get("width")) > 46 + 22 * motif.width
    narrow = logo_svg(motif, title=motif.label * 5, width=200)
    assert any(text.endswith("…") for text in texts(narrow))


@pytest.mark.parametrize("colour", [*COLOURS.values(), GREY])
@pytest.mark.parametrize(("background", "least"), [("#ffffff", 2.5), ("#111418", 2.5)])
def test_colours_stand_out_on_light_and_dark(colour, background, least):
    light, dark = sorted([luminance(colour), luminance(background)], reverse=True)
    assert (light + 0.05) / (dark + 0.05) > least


@pytest.mark.parametrize("base", BASES)
def test_letters_fill_their_box(base):
    points = np.array([pair for command, numbers in OUTLINES[base] for pair in np.reshape(numbers, (-1, 2)) if command != "Z"])
    assert points.min() >= 0
    assert points.max() <= 1
    np.testing.assert_allclose([points[:, 1].min(), points[:, 1].max()], [0, 1])
    assert np.ptp(points[:, 0]) > 0.9


def test_a_negative_height_draws_below_the_line():
    drawn = letter_path("T", 0, 10, width=10, height=-5)
    assert "15" in drawn


@pytest.mark.parametrize(("value", "text"), [(0.5, ".5"), (-0.5, "-.5"), (10, "10"), (0, "0"), (1.999, "2"), (-0.0001, "0"), (100.10, "100.1")])
def test_coordinates_are_written_shortly(value, text):
    assert number(value) == text


def test_hundred_svg_logos_take_less_than_a_second(tmp_path):
    rng = np.random.default_rng(0)
    motifs = [Motif(f"m{i}", rng.dirichlet([0.3] * 4, size=15).T) for i in range(100)]
    begin = time.process_time()
    for one in motifs:
        save_logo(one, tmp_path / f"{one.name}.svg")
    assert time.process_time() - begin < 1
    for path in tmp_path.iterdir():
        ET.parse(path)


def test_axes_are_labelled_and_drawn_on_the_axes_given(motif):
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert logo(motif, ax=ax) is ax
    assert ax.get_ylabel() == "bits"
    assert ax.get_ylim() == (0, 2)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3", "4"]
    assert logo(motif.ppm, kind="probability").get_ylabel() == "probability"


def test_letters_of_matplotlib_are_as_high_as_those_of_svg(motif):
    ax = logo(motif)
    tops = [patch.get_extents().transformed(ax.transData.inverted()).y1 for patch in ax.patches]
    assert max(tops) == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".jpg", b"\xff\xd8"), (".svg", b"<svg")])
def test_the_ending_names_the_format(tmp_path, motif, suffix, magic):
    path = tmp_path / f"logo{suffix}"
    save_logo(motif, path)
    assert path.read_bytes().startswith(magic)
    with pytest.raises(OutputExistsError, match="logo"):
        save_logo(motif, path)
    save_logo(motif, path, force=True)


def test_an_svg_file_has_a_title_and_a_colour_of_its_own(tmp_path, motif):
    save_logo(motif, tmp_path / "logo.svg")
    text = (tmp_path / "logo.svg").read_text()
    assert ET.fromstring(text).get("color") == GREY
    assert motif.label in texts(text)


def test_several_motifs_share_a_sheet(motif):
    root = ET.fromstring(logo_sheet([motif, motif.reverse_complement()], ink=GREY))
    assert len(list(root.iter(f"{SVG}svg"))) == 3
    assert float(root.get("height")) == 2 * 132


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, p: logo_svg(m, kind="nats"), "kind 'nats' is not known; expected 'bits' or 'probability'"),
        (lambda m, p: logo(m, kind="nats"), "kind 'nats' is not known"),
        (lambda m, p: logo_svg(m, width=10), "does not fit into 10 x 120 px"),
        (lambda m, p: logo_sheet([]), "0 motifs to draw"),
        (lambda m, p: save_logo(m, p / "logo.bmp"), r"unknown ending '\.bmp'; expected \.svg"),
        (lambda m, p: logo(-np.ones((4, 3))), "expected counts or probabilities"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, motif, call, message):
    with pytest.raises(InputError, match=message):
        call(motif, tmp_path)
