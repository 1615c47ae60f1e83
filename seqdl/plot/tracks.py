"""Attribution tracks: each base drawn as high as it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError, ShapeError
from seqdl.plot.figure import axes_of
from seqdl.plot.letters import BASES, COLOURS, OUTLINES, letter_group, letter_path, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Heights = NDArray[np.float64]
GAP = 0.06
"""Share of a base's width left free between letters."""
SVG_MARGIN = (54.0, 8.0, 30.0, 8.0)
"""Pixels left, right, below and above the letters of an SVG track."""


def track(scores: ArrayLike, x: ArrayLike | None = None, *, ax: Axes | None = None, start: int = 0, label: str = "attribution") -> Axes:
    """Draw attributions as letters on matplotlib axes.

    Parameters
    ----------
    scores : array_like, (4, L)
        Attributions in the order A C G T.
    x : array_like, (4, L), optional
        The one-hot sequence: only its own bases are drawn, at the height of their attribution. Without it every base with a
        score is drawn, and letters of one position are stacked away from zero.
    ax : Axes, optional
        Where to draw; by default on a new figure.
    start : int, default 0
        Coordinate of the first base (bp).
    label : str, default "attribution"
        What the heights are.

    Returns
    -------
    Axes
        A base lies between its coordinate less .5 and plus .5.

    Raises
    ------
    ShapeError
        If `scores` is not (4, L), or `x` has another shape.
    InputError
        If a score is not finite.

    Examples
    --------
    >>> ax = track(np.eye(4), np.eye(4), start=100)
    >>> ax.get_xlim(), ax.get_ylabel()
    ((np.float64(99.5), np.float64(103.5)), 'attribution')
    """
    from matplotlib.patches import PathPatch
    from matplotlib.ticker import MaxNLocator

    heights = _heights(scores, x)
    length = heights.shape[1]
    ax = axes_of(ax, float(np.clip(length * 0.11, 3.5, 20)), 1.9)
    base, position, low, high = _letters(heights)
    for b, letter in enumerate(BASES):
        mine = base == b
        if mine.any():
            path = _compound_path(letter, start - 0.5 + GAP / 2 + position[mine], bottom=low[mine], height=high[mine] - low[mine])
            ax.add_patch(PathPatch(path, facecolor=COLOURS[letter], linewidth=0))
    ax.axhline(0, color=ax.xaxis.label.get_color(), linewidth=0.6)
    ax.set_xlim(start - 0.5, start + max(length, 1) - 0.5)
    ax.set_ylim(*_limits(low, high))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    ax.ticklabel_format(axis="x", style="plain", useOffset=False)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4))
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xlabel("position (bp)")
    ax.set_ylabel(label)
    return ax


def track_svg(
    scores: ArrayLike,
    x: ArrayLike | None = None,
    *,
    width: int = 960,
    height: int = 130,
    start: int = 0,
    label: str = "attribution",
    title: str = "",
) -> str:
    """Draw attributions as an SVG element, fast and without matplotlib.

    Axes and text take ``currentColor``, so that the picture is legible on light and dark pages.

    Parameters
    ----------
    scores : array_like, (4, L)
        Attributions in the order A C G T.
    x : array_like, (4, L), optional
        The one-hot sequence, as in `track`.
    width, height : int, default 960 and 130
        Size in pixels; the element shrinks with its container.
    start : int, default 0
        Coordinate of the first base (bp).
    label : str, default "attribution"
        What the heights are.
    title : str, optional
        A text for screen readers and as tooltip.

    Raises
    ------
    ShapeError, InputError
        As `track`.

    Examples
    --------
    >>> track_svg(np.eye(4), np.eye(4))[:31]
    '<svg class="track" viewBox="0 0'
    """
    heights = _heights(scores, x)
    left, right, below, above = SVG_MARGIN
    base, position, low, high = _letters(heights)
    bottom, top = _limits(low, high)
    step = (width - left - right) / max(heights.shape[1], 1)
    scale = (height - below - above) / (top - bottom)
    zero = above + top * scale
    paths: dict[str, list[str]] = {letter: [] for letter in BASES}
    for b, at, lower, upper in zip(base.tolist(), position.tolist(), low.tolist(), high.tolist(), strict=True):
        size = (upper - lower) * scale
        if abs(size) >= 0.2:  # lower letters are not seen, but weigh as much
            paths[BASES[b]].append(letter_path(BASES[b], left + (at + GAP / 2) * step, zero - lower * scale, width=step * (1 - GAP), height=size))
    axes = _svg_axes(width, height, zero=zero, scale=scale, limits=(bottom, top), ticks=_position_ticks(heights.shape[1], start, step), label=label)
    heading = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<svg class="track" viewBox="0 0 {width} {height}" width="{width}" height="{height}" style="max-width:100%;height:auto" role="img" '
        f'aria-label="{escape(title or label, {chr(34): "&quot;"})}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="system-ui,sans-serif" font-size="11">{heading}{letter_group(paths)}{axes}</svg>'
    )


def _heights(scores: ArrayLike, x: ArrayLike | None) -> Heights:
    """Check the input and return the height (4, L) of every letter."""
    values = _array(scores)
    if values.ndim != 2 or values.shape[0] != 4:
        advice = "For one sequence of a batch pass scores[0]." if values.ndim == 3 else "Rows are A C G T; pass scores.T if they are columns."
        raise ShapeError(f"scores have the shape {values.shape}; expected (4, L). {advice}")
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise InputError(
            f"the score of {BASES[row]} at position {column + 1} is {values[row, column]}; expected finite numbers. Look at what made it."
        )
    if x is None:
        return values
    onehot = _array(x)
    if onehot.shape != values.shape:
        raise ShapeError(
            f"x has the shape {onehot.shape}, the scores have {values.shape}; expected the same. Pass the one-hot sequence the scores belong to."
        )
    return values * onehot


def _array(values: Any) -> Heights:
    """Return an array of float64, also of a tensor on another device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return np.asarray(values, dtype=np.float64)


def _letters(heights: Heights) -> tuple[NDArray[np.intp], NDArray[np.intp], Heights, Heights]:
    """Return base, position, and both ends of every letter; ends are further from zero the later a letter is stacked."""
    order = np.argsort(np.abs(heights), axis=0, kind="stable")  # small letters near zero
    stacked = np.take_along_axis(heights, order, 0)
    up, down = np.cumsum(np.maximum(stacked, 0), 0), np.cumsum(np.minimum(stacked, 0), 0)
    far = np.where(stacked > 0, up, down)
    rank, position = np.nonzero(stacked)
    high = far[rank, position]
    return order[rank, position], position, high - stacked[rank, position], high


def _limits(low: Heights, high: Heights) -> tuple[float, float]:
    """Return the range of the heights with some room, zero within."""
    bottom, top = min(0.0, float(high.min(initial=0))), max(0.0, float(high.max(initial=0)))
    if top == bottom:
        return -1.0, 1.0
    room = 0.06 * (top - bottom)
    return (bottom - room if bottom < 0 else 0.0), (top + room if top > 0 else 0.0)


def _compound_path(letter: str, left: Heights, *, bottom: Heights, height: Heights) -> Any:
    """Return many copies of a letter as one matplotlib path, which draws far faster than one patch a letter."""
    from matplotlib.path import Path

    kinds = {"M": [Path.MOVETO], "L": [Path.LINETO], "C": [Path.CURVE4] * 3, "Z": [Path.CLOSEPOLY]}
    codes = [code for command, _ in OUTLINES[letter] for code in kinds[command]]
    points = np.array([pair for _, numbers in OUTLINES[letter] for pair in (np.reshape(numbers, (-1, 2)) if numbers else [(0.0, 0.0)])])
    size = np.stack([np.full_like(height, 1 - GAP), height], 1)
    vertices = points[None] * size[:, None] + np.stack([left, bottom], 1)[:, None]
    return Path(vertices.reshape(-1, 2), np.tile(codes, len(left)))


def _position_ticks(length: int, start: int, step: float) -> list[tuple[float, str]]:
    """Return where the position ticks are (pixels from the left of the letters) and what they say."""
    space = _nice(max(length, 1) / 10, whole=True)
    first = int(np.ceil(start / space) * space)
    return [((value - start + 0.5) * step, f"{value:,}") for value in range(first, start + length, int(space))]


def _nice(raw: float, *, whole: bool = False) -> float:
    """Return the next of 1, 2, 5, 10 ... times a power of ten."""
    power = 10.0 ** np.floor(np.log10(raw))
    space = next(float(m * power) for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    return max(1.0, space) if whole else space


def _svg_axes(width: int, height: int, *, zero: float, scale: float, limits: tuple[float, float], ticks: list[tuple[float, str]], label: str) -> str:
    """Return the axes, ticks and labels of an SVG track."""
    left, right, below, above = SVG_MARGIN
    floor = height - below
    space = _nice((limits[1] - limits[0]) / 3)
    values = np.arange(np.ceil(limits[0] / space), np.floor(limits[1] / space) + 1) * space
    ticks_of = [f"{value + 0:.6g}" if space >= 0.01 else f"{value:.0e}".replace("e-0", "e-") if round(value / space) else "0" for value in values]
    lines = [
        f"M{number(left)} {number(above)}V{number(floor)}",
        f"M{number(left)} {number(zero)}H{number(width - right)}M{number(left)} {number(floor)}H{number(width - right)}",
    ]
    lines += [f"M{number(left - 4)} {number(zero - value * scale)}h4" for value in values]
    lines += [f"M{number(left + at)} {number(floor)}v4" for at, _ in ticks]
    texts = [
        f'<text x="{number(left - 7)}" y="{number(zero - value * scale + 4)}" text-anchor="end">{text}</text>'
        for value, text in zip(values.tolist(), ticks_of, strict=True)
    ]
    texts += [f'<text x="{number(left + at)}" y="{number(floor + 15)}" text-anchor="middle">{text}</text>' for at, text in ticks]
    texts.append(f'<text x="{number((left + width - right) / 2)}" y="{number(height - 3)}" text-anchor="middle">position (bp)</text>')
    middle = number((above + floor) / 2)
    texts.append(f'<text x="11" y="{middle}" text-anchor="middle" transform="rotate(-90 11 {middle})">{escape(label)}</text>')
    return f'<path d="{"".join(lines)}" fill="none" stroke="currentColor" stroke-width=".8"/><g fill="currentColor">{"".join(texts)}</g>'
