"""The four letters as outlines, and the colours of the bases.

The outlines are drawn in a unit box (y up) and stretched to any width and height, which is what a logo needs and what
text in SVG cannot do reliably. The colours are those of the field (A green, C blue, G orange, T red), chosen to be
legible on white and on black alike.
"""

from __future__ import annotations

BASES = "ACGT"
COLOURS = {"A": "#1a9850", "C": "#3274d0", "G": "#e08a00", "T": "#d7352b"}

# Each outline is a list of (command, coordinates) as in SVG: M, L and Z, and C for a cubic Bezier curve.
# Holes rely on the even-odd rule.
Outline = tuple[tuple[str, tuple[float, ...]], ...]

_A: Outline = (
    ("M", (0.0, 0.0)),
    ("L", (0.365, 1.0)),
    ("L", (0.635, 1.0)),
    ("L", (1.0, 0.0)),
    ("L", (0.785, 0.0)),
    ("L", (0.705, 0.235)),
    ("L", (0.295, 0.235)),
    ("L", (0.215, 0.0)),
    ("Z", ()),
    ("M", (0.352, 0.405)),
    ("L", (0.648, 0.405)),
    ("L", (0.5, 0.845)),
    ("Z", ()),
)
_T: Outline = (
    ("M", (0.395, 0.0)),
    ("L", (0.395, 0.825)),
    ("L", (0.02, 0.825)),
    ("L", (0.02, 1.0)),
    ("L", (0.98, 1.0)),
    ("L", (0.98, 0.825)),
    ("L", (0.605, 0.825)),
    ("L", (0.605, 0.0)),
    ("Z", ()),
)
_C: Outline = (
    ("M", (0.97, 0.665)),
    ("C", (0.93, 0.87, 0.77, 1.0, 0.53, 1.0)),
    ("C", (0.2, 1.0, 0.01, 0.8, 0.01, 0.5)),
    ("C", (0.01, 0.2, 0.2, 0.0, 0.53, 0.0)),
    ("C", (0.77, 0.0, 0.93, 0.13, 0.97, 0.335)),
    ("L", (0.76, 0.365)),
    ("C", (0.73, 0.24, 0.65, 0.17, 0.53, 0.17)),
    ("C", (0.33, 0.17, 0.225, 0.29, 0.225, 0.5)),
    ("C", (0.225, 0.71, 0.33, 0.83, 0.53, 0.83)),
    ("C", (0.65, 0.83, 0.73, 0.76, 0.76, 0.635)),
    ("Z", ()),
)
_G: Outline = (
    ("M", (0.955, 0.7)),
    ("C", (0.9, 0.89, 0.75, 1.0, 0.52, 1.0)),
    ("C", (0.2, 1.0, 0.01, 0.8, 0.01, 0.5)),
    ("C", (0.01, 0.2, 0.2, 0.0, 0.52, 0.0)),
    ("C", (0.71, 0.0, 0.87, 0.06, 0.98, 0.16)),
    ("L", (0.98, 0.54)),
    ("L", (0.52, 0.54)),
    ("L", (0.52, 0.38)),
    ("L", (0.775, 0.38)),
    ("L", (0.775, 0.235)),
    ("C", (0.7, 0.19, 0.62, 0.17, 0.54, 0.17)),
    ("C", (0.33, 0.17, 0.225, 0.29, 0.225, 0.5)),
    ("C", (0.225, 0.71, 0.33, 0.83, 0.52, 0.83)),
    ("C", (0.64, 0.83, 0.71, 0.77, 0.745, 0.67)),
    ("Z", ()),
)
OUTLINES: dict[str, Outline] = {"A": _A, "C": _C, "G": _G, "T": _T}


def letter_path(base: str, x: float, y: float, *, width: float, height: float) -> str:
    """Return one letter as SVG path data.

    Parameters
    ----------
    base : str
        A, C, G or T.
    x, y : float
        Left and *bottom* of the letter in SVG coordinates (pixels, y down).
    width, height : float
        Its size in pixels; a negative height turns the letter upside down, below y.

    Examples
    --------
    >>> letter_path("T", 0, 10, width=10, height=10)[:27]
    'M3.95 10L3.95 1.75L.2 1.75L'
    """
    parts = []
    for command, numbers in OUTLINES[base]:
        points = (f"{number(x + width * across)} {number(y - height * up)}" for across, up in zip(numbers[::2], numbers[1::2], strict=True))
        parts.append(command + " ".join(points))
    return "".join(parts)


def letter_group(paths: dict[str, list[str]]) -> str:
    """Return SVG path elements, one a base, from path data gathered by base.

    Examples
    --------
    >>> letter_group({"T": ["M0 0Z"], "A": []})
    '<path fill="#d7352b" fill-rule="evenodd" d="M0 0Z"/>'
    """
    return "".join(f'<path fill="{COLOURS[base]}" fill-rule="evenodd" d="{"".join(paths[base])}"/>' for base in BASES if paths.get(base))


def number(value: float) -> str:
    """Write a coordinate with two decimals and nothing needless.

    Examples
    --------
    >>> number(1.0), number(0.256), number(-0.001)
    ('1', '.26', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    if text in {"-0", ""}:
        return "0"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
