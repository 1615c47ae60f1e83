from __future__ import annotations

import pytest

from seqdl.errors import FormatError
from seqdl.motif.motif import Motif
from seqdl.plot.logos import save_logo
from seqdl.report.inline import inline_svg

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def taken(body: str, prefix: str = "p-") -> str:
    return inline_svg(SVG.format(body), prefix=prefix, label="a picture")


def test_ids_and_what_refers_to_them_get_the_prefix():
    found = taken('<defs><path id="a"/><clipPath id="c"/></defs><use xlink:href="#a"/><g clip-path="url(#c)"/>')
    assert 'id="p-a"' in found
    assert 'href="#p-a"' in found
    assert 'clip-path="url(#p-c)"' in found


@pytest.mark.parametrize("reference", ["url(#c)", "url('#c')", "url( #c )", 'url("#c")'])
def test_references_inside_the_picture_survive_however_they_are_quoted(reference):
    assert "url(#p-c" in taken(f"<style>.x {{ fill: {reference} }}</style>")


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        '<g onclick="alert(1)"/>',
        '<image href="http://x.org/a.png"/>',
        '<use href="http://x.org/a.svg#b"/>',
        '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
        "<foreignObject><p>hello</p></foreignObject>",
        '<style>@import url("http://x.org/a.css"); .a { fill: url(http://x.org/b) }</style>',
        '<g style="fill: url(http://x.org/a)"/>',
    ],
)
def test_nothing_that_runs_or_fetches_is_taken(body):
    found = taken(body)
    assert "x.org" not in found
    assert "alert" not in found
    assert "hello" not in found


def test_a_logo_drawn_by_matplotlib_is_taken_too(tmp_path):
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots()
    ax.plot([0, 1], label="x")
    fig.savefig(tmp_path / "a.svg")
    plt.close(fig)
    text = (tmp_path / "a.svg").read_text()
    first, second = (inline_svg(text, prefix=prefix, label="a") for prefix in ("a-", "b-"))
    ids = [part.split('"')[0] for part in (first + second).split(' id="')[1:]]
    assert ids
    assert len(ids) == len(set(ids))
    assert "<?xml" not in first
    assert "<metadata" not in first


def test_a_saved_logo_keeps_its_letters_and_gets_its_label(tmp_path):
    save_logo(Motif("m", [[1, 0], [0, 1], [0, 0], [0, 0]]), tmp_path / "m.svg")
    found = inline_svg((tmp_path / "m.svg").read_text(), prefix="x-", label="logo of <m>")
    assert found.startswith('<svg role="img" aria-label="logo of &lt;m&gt;"')
    assert found.count("<path") >= 3


@pytest.mark.parametrize(("text", "message"), [("no picture", "is not SVG"), ("<html/>", "begins with <html>")])
def test_what_is_no_svg_is_refused_by_name(text, message):
    with pytest.raises(FormatError, match=rf"m\.svg {message}"):
        inline_svg(text, prefix="", label="", source="m.svg")
