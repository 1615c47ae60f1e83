"""The filters of a network side by side: a sheet of logos, each with what it is and how much it matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from seqdl.errors import InputError
from seqdl.motif.motif import Motif
from seqdl.plot.letters import number
from seqdl.plot.svg_logos import FONT, GREY, logo_svg

_WIDTH, _HEIGHT, _WORDS, _GAP = 300.0, 96.0, 34.0, 14.0  # px of a logo, of the words above it, and between the cells
SIGNIFICANT = 0.05
"""The q-value below which a match is given as the name of a motif."""
_PER_CHARACTER = 5.8  # px of a letter of 11 px, on average


def gallery_svg(
    motifs: Sequence[Motif], rows: Sequence[Mapping[Any, Any]] = (), *, columns: int = 3, limit: int = 48, ink: str | None = GREY, left_out: str = ""
) -> str:
    """Draw motifs as a sheet of logos, as SVG.

    Parameters
    ----------
    motifs : sequence of Motif
        What to draw, from left to right, then down.
    rows : sequence of mapping, optional
        A row of the motif table for each (`motifs.tsv`): match, match_q, importance, information_bits, members and stability are written
        above the logo where they are there.
    columns : int, default 3
        Logos side by side.
    limit : int, default 48
        Logos at most; how many are left out is said at the bottom.
    ink : str, optional
        Colour of axes and words; None takes that of the page.
    left_out : str, default ""
        What was left out before, to be said at the bottom.

    Returns
    -------
    str
        An ``<svg>`` element that is also a valid file.

    Raises
    ------
    InputError
        If there is no motif, or `columns` is below 1.

    Examples
    --------
    >>> sheet = gallery_svg([Motif("filter3", [[1], [0], [0], [0]])], [{"match": "MA0363.3 REB1", "match_q": 1e-9, "importance": 0.02}])
    >>> "REB1" in sheet and "q 1e-09" in sheet and "importance 0.020" in sheet
    True
    """
    if not len(motifs) or columns < 1:
        raise InputError(f"{len(motifs)} motifs in {columns} columns were to be drawn; expected at least one of each. Check the motif file.")
    shown = list(motifs[:limit])
    cell_width, cell_height = _WIDTH + _GAP, _HEIGHT + _WORDS + _GAP
    cells = []
    for place, motif in enumerate(shown):
        x, y = _GAP + place % columns * cell_width, _GAP + place // columns * cell_height
        title, detail = _words(motif, rows[place] if place < len(rows) else {})
        # a position is never wider than in a logo of 14 bp, so that letters are alike over the sheet
        logo = logo_svg(motif, width=46 + min(18.0, (_WIDTH - 46) / motif.width) * motif.width, height=_HEIGHT)
        cells.append(
            f'<g transform="translate({number(x)} {number(y)})"><text x="0" y="12" font-size="12" font-weight="bold">{escape(_fit(title))}</text>'
            f'<text x="0" y="27" font-size="11">{escape(_fit(detail))}</text><g transform="translate(0 {number(_WORDS)})">{logo}</g></g>'
        )
    n_lines = -(-len(shown) // columns)
    said = ([f"{len(motifs) - len(shown)} more are not drawn"] if len(motifs) > len(shown) else []) + ([left_out] if left_out else [])
    width, height = _GAP + min(columns, len(shown)) * cell_width, _GAP + n_lines * cell_height + (20 if said else 0)
    foot = f'<text x="{number(_GAP)}" y="{number(height - 8)}" font-size="11">{escape("; ".join(said))}</text>' if said else ""
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    colour = f' color="{escape(ink)}"' if ink else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"{colour}><title>Logos of {len(shown)} motifs</title>'
        f'<g fill="currentColor" {FONT}>{"".join(cells)}{foot}</g></svg>'
    )


def _words(motif: Motif, row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return the title of a logo, and what there is to say of it."""
    match, q = row.get("match"), row.get("match_q")
    known = isinstance(match, str) and match and isinstance(q, int | float) and q < SIGNIFICANT
    named = f" · {match}" if known else " · like no known motif" if isinstance(q, int | float) else ""
    said = [("match_q", "q {:.2g}"), ("importance", "importance {:.3f}"), ("information_bits", "{:.1f} bits"), ("stability", "in {:.0%} of the runs")]
    parts = [text.format(float(row[key])) for key, text in said[not known :] if isinstance(row.get(key), int | float) and row[key] == row[key]]
    if isinstance(row.get("of_members"), int | float):  # instead of the bits of a motif with a name: there is no room for both
        parts = [part for part in parts if not (known and part.endswith(" bits"))] + [f"in {row['members']:.0f} of {row['of_members']:.0f} networks"]
    return f"{motif.label}{named}", ", ".join(parts)


def _fit(text: str) -> str:
    """Return the text cut to the width of a cell."""
    limit = int(_WIDTH / _PER_CHARACTER)
    return text if len(text) <= limit else text[: limit - 1] + "…"
