"""Sequence logos written straight as SVG: a hundred in a fraction of a second, sharp at any size.

Axes and text take `currentColor`, so a logo inside a page follows the page from light to dark; written to a file of its own
it takes a grey that reads on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError
from seqdl.motif.motif import Motif
from seqdl.plot.letters import BASES, letter_group, letter_path, number

Kind = Literal["bits", "probability"]
GREY = "#757575"
"""Contrast 4.6 : 1 against white and against black."""
FONT = "font-family=\"'Helvetica Neue', Helvetica, Arial, sans-serif\""

_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 6.0, 8.0, 20.0  # px around the letters
_TITLE = 16.0  # px more where there is a title
_PER_CHARACTER = 7.2  # px of a bold letter of 12 px, on average
_THINNEST = 0.25  # px; letters lower than this cannot be seen


def logo_svg(
    motif: Motif | ArrayLike,
    *,
    width: float | None = None,
    height: float = 120.0,
    kind: Kind = "bits",
    reverse_complement: bool = False,
    title: str | None = None,
    ink: str | None = None,
) -> str:
    """Draw a sequence logo [1]_ as SVG.

    Parameters
    ----------
    motif : Motif or array (4, W)
        What to draw; an array holds counts or probabilities.
    width, height : float
        Size in px; by default 22 px a position and 120 px.
    kind : {"bits", "probability"}
        Height of a stack: its information content (axis 0 to 2 bits), or 1.
    reverse_complement : bool, default False
        Draw the other strand.
    title : str, optional
        Text above the logo; none by default.
    ink : str, optional
        Colour of axis and text; by default they inherit the page's text colour.

    Returns
    -------
    str
        An ``<svg>`` element that is also a valid file.

    Raises
    ------
    InputError
        If `kind` is unknown or the size leaves no room for letters.

    References
    ----------
    .. [1] Schneider and Stephens (1990), Nucleic Acids Research 18:6097.

    Examples
    --------
    >>> text = logo_svg(Motif("m1", [[1, 0], [0, 1], [0, 0], [0, 0]]), title="REB1")
    >>> text.startswith("<svg xmlns") and text.count('fill="#') == 2 and ">bits<" in text and ">REB1<" in text
    True
    """
    name, heights = stack_heights(motif, kind=kind, reverse_complement=reverse_complement)
    n_positions = heights.shape[1]
    top = _TOP + (_TITLE if title else 0)
    step = 22.0 if width is None else (width - _LEFT - _RIGHT) / n_positions
    if width is None:
        width = _LEFT + _RIGHT + max(step * n_positions, _PER_CHARACTER * len(title or ""))
    room = height - top - _BOTTOM
    shown = _shortened(title, int((width - _LEFT) / _PER_CHARACTER)) if title else ""
    if step <= 0.5 or room <= 5:
        raise InputError(
            f"a logo of {n_positions} positions does not fit into {width:g} x {height:g} px; expected some room for letters. Make it larger."
        )
    highest = 2.0 if kind == "bits" else 1.0
    paths: dict[str, list[str]] = {base: [] for base in BASES}
    for position, column in enumerate(heights.T):
        floor = top + room
        for base in np.argsort(column, kind="stable"):
            tall = float(column[base]) * room / highest
            if tall >= _THINNEST:
                letter = BASES[base]
                paths[letter].append(letter_path(letter, _LEFT + (position + 0.03) * step, floor, width=0.94 * step, height=tall))
                floor -= tall
    label = escape(f"Sequence logo of {name}" if name else "Sequence logo")
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    colour = f' color="{escape(ink)}"' if ink else ""
    heading = f'<text x="{number(_LEFT)}" y="15" font-size="12" font-weight="bold">{escape(shown)}</text>' if shown else ""
    axes = _axes(n_positions, (_LEFT, top, step, room), kind)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"{colour}><title>{label}</title>'
        f'<g fill="currentColor" {FONT} font-size="11">{axes}{heading}</g>{letter_group(paths)}</svg>'
    )


def logo_sheet(motifs: Sequence[Motif], *, kind: Kind = "bits", reverse_complement: bool = False, ink: str | None = None) -> str:
    """Draw several logos below each other, each with its label, as one SVG.

    Parameters
    ----------
    motifs : sequence of Motif
        What to draw, from top to bottom.
    kind, reverse_complement, ink
        As in `logo_svg`.

    Raises
    ------
    InputError
        If there is no motif.

    Examples
    --------
    >>> logo_sheet([Motif("m1", [[1], [0], [0], [0]])] * 3).count("<svg")
    4
    """
    if not len(motifs):
        raise InputError("there are 0 motifs to draw; expected at least one. Check the motif file.")
    logos = [logo_svg(motif, kind=kind, reverse_complement=reverse_complement, title=motif.label) for motif in motifs]
    height = 120.0 + 12
    width = max(float(text.split('width="', 1)[1].split('"', 1)[0]) for text in logos)
    total = height * len(logos)
    size = f'width="{number(width)}" height="{number(total)}" viewBox="0 0 {number(width)} {number(total)}"'
    placed = "".join(f'<g transform="translate(0 {number(i * height)})">{text}</g>' for i, text in enumerate(logos))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}' + (f' color="{escape(ink)}"' if ink else "") + f">{placed}</svg>"


def stack_heights(motif: Motif | ArrayLike, *, kind: Kind = "bits", reverse_complement: bool = False) -> tuple[str, NDArray[np.float64]]:
    """Return the name of a motif and the height of its letters, (4, W), in bits or as probabilities.

    Raises
    ------
    InputError
        If `kind` is unknown.

    Examples
    --------
    >>> stack_heights([[1, 0.5], [0, 0], [0, 0], [0, 0.5]])[1].tolist()
    [[2.0, 0.5], [0.0, 0.0], [0.0, 0.0], [0.0, 0.5]]
    """
    if kind not in ("bits", "probability"):
        raise InputError(f"a logo of kind '{kind}' is not known; expected 'bits' or 'probability'. Choose one of these.")
    drawn = motif if isinstance(motif, Motif) else Motif("", np.asarray(motif, dtype=np.float64))
    if reverse_complement:
        drawn = drawn.reverse_complement()
    heights = drawn.ppm * drawn.information_per_position if kind == "bits" else drawn.ppm
    return drawn.label, np.asarray(heights, dtype=np.float64)


def _shortened(text: str, limit: int) -> str:
    """Return the text cut to `limit` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: max(limit - 1, 1)] + "…"


def _axes(n_positions: int, frame: tuple[float, float, float, float], kind: Kind) -> str:
    """Return the axis in bits with its ticks, and the numbers of the positions."""
    left, top, step, room = frame
    ticks = ("0", "1", "2") if kind == "bits" else ("0", "0.5", "1")
    x, bottom = left - 4, top + room
    parts = [f'<path fill="none" stroke="currentColor" d="M{number(x)} {number(top)}V{number(bottom)}']
    levels = [bottom - room * i / (len(ticks) - 1) for i in range(len(ticks))]
    parts += [f"M{number(x - 4)} {number(y)}H{number(x)}" for y in levels]
    parts.append('"/>')
    parts += [f'<text x="{number(x - 7)}" y="{number(y + 4)}" text-anchor="end">{tick}</text>' for tick, y in zip(ticks, levels, strict=True)]
    middle = number(top + room / 2)
    parts.append(f'<text transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">{"bits" if kind == "bits" else "probability"}</text>')
    every = 1 if step >= 15 else 5
    numbered = [i for i in range(1, n_positions + 1) if i % every == 0 or i == 1]
    parts += [f'<text x="{number(left + (i - 0.5) * step)}" y="{number(bottom + 14)}" text-anchor="middle">{i}</text>' for i in numbered]
    return "".join(parts)
