"""Small hand-made SVG: a frame with axes, and the marks that are drawn into it.

Nothing here holds a colour: marks carry CSS classes, so that one picture serves light, dark and print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

Span = tuple[float, float]


def short(value: float) -> str:
    """Write a coordinate in as few characters as a screen can tell apart.

    Examples
    --------
    >>> short(12.0), short(3.14159), short(-0.01)
    ('12', '3.1', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def tick_label(value: float) -> str:
    """Write the number at a tick.

    Examples
    --------
    >>> tick_label(0.5), tick_label(1.0), tick_label(1500.0), tick_label(0.25)
    ('0.5', '1', '1,500', '0.25')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.10g}".replace("-", "−")


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers between `low` and `high`, at most `most` of them.

    Examples
    --------
    >>> nice_ticks(0, 1), nice_ticks(0.31, 0.69), nice_ticks(0, 14)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.4, 0.5, 0.6], [0.0, 5.0, 10.0])
    """
    span = high - low
    if span <= 0:
        return [low]
    magnitude = 10.0 ** np.floor(np.log10(span / most))
    step = next(magnitude * f for f in (1, 2, 5, 10, 20) if span / (magnitude * f) <= most - 1 + 1e-9)
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [float(round(k * step, 10)) for k in range(first, last + 1)]


@dataclass(frozen=True)
class Frame:
    """A plotting area within a picture, and the way from data to pixels.

    Attributes
    ----------
    x, y : tuple of 2 floats
        The data range along each axis.
    width, height : int
        Size of the picture in its own units, about pixels.
    left, right, top, bottom : int
        Margins.
    """

    x: Span
    y: Span
    width: int = 400
    height: int = 320
    left: int = 46
    right: int = 12
    top: int = 12
    bottom: int = 42

    def px(self, value: float) -> float:
        """Return the horizontal place of a value."""
        return self.left + (value - self.x[0]) / (self.x[1] - self.x[0]) * (self.width - self.left - self.right)

    def py(self, value: float) -> float:
        """Return the vertical place of a value; larger values lie higher."""
        return self.height - self.bottom - (value - self.y[0]) / (self.y[1] - self.y[0]) * (self.height - self.top - self.bottom)

    def path(self, xs: ArrayLike, ys: ArrayLike, *, closed: bool = False) -> str:
        """Return the `d` of a path through the points."""
        points = [f"{short(self.px(x))} {short(self.py(y))}" for x, y in zip(np.asarray(xs).tolist(), np.asarray(ys).tolist(), strict=True)]
        kept = [point for i, point in enumerate(points) if i == 0 or point != points[i - 1]]
        return "M" + "L".join(kept) + ("Z" if closed else "")

    def axes(
        self,
        x_label: str,
        y_label: str,
        *,
        x_ticks: Sequence[float] | None = None,
        y_ticks: Sequence[float] | None = None,
        y_text: Iterable[str] | None = None,
    ) -> str:
        """Draw grid, axes, ticks and labels."""
        left, right, top, bottom = self.left, self.width - self.right, self.top, self.height - self.bottom
        xs = nice_ticks(*self.x) if x_ticks is None else list(x_ticks)
        ys = nice_ticks(*self.y) if y_ticks is None else list(y_ticks)
        names = [tick_label(y) for y in ys] if y_text is None else list(y_text)
        parts = [f'<path class="grid" d="M{left} {short(self.py(y))}H{right}"/>' for y in ys]
        parts += [f'<path class="grid" d="M{short(self.px(x))} {top}V{bottom}"/>' for x in xs]
        parts.append(f'<path class="axis" d="M{left} {bottom}H{right}"/>')
        parts += [text((self.px(x), bottom + 16), tick_label(x), "tick", anchor="middle") for x in xs]
        parts += [text((left - 7, self.py(y) + 4), name, "tick", anchor="end") for y, name in zip(ys, names, strict=True)]
        if x_label:
            parts.append(text(((left + right) / 2, self.height - 6), x_label, "label", anchor="middle"))
        if y_label:
            middle = short((top + bottom) / 2)
            parts.append(f'<text class="label" text-anchor="middle" transform="translate(11 {middle})rotate(-90)">{escape(y_label)}</text>')
        return "".join(parts)

    def line(self, xs: ArrayLike, ys: ArrayLike, mark: str) -> str:
        """Draw a line of the CSS class `mark`."""
        return f'<path class="line {mark}" d="{self.path(xs, ys)}"/>'

    def dot(self, x: float, y: float, mark: str, *, radius: float = 4, tip: str = "") -> str:
        """Draw a dot; `tip` is shown when the pointer rests on it."""
        inner = f"<title>{escape(tip)}</title>" if tip else ""
        return f'<circle class="dot {mark}" cx="{short(self.px(x))}" cy="{short(self.py(y))}" r="{short(radius)}">{inner}</circle>'

    def picture(self, body: Iterable[str], description: str) -> str:
        """Wrap what was drawn into an `<svg>` that says in words what it shows."""
        return picture("".join(body), description, width=self.width, height=self.height)


def text(place: tuple[float, float], words: str, mark: str, *, anchor: str = "start") -> str:
    """Draw words at a place given in pixels."""
    return f'<text class="{mark}" x="{short(place[0])}" y="{short(place[1])}" text-anchor="{anchor}">{escape(words)}</text>'


def picture(body: str, description: str, *, width: int, height: int) -> str:
    """Wrap drawn parts into an `<svg>` that says in words what it shows."""
    return (
        f'<svg class="chart" role="img" aria-label="{escape(description)}" viewBox="0 '
        f'0 {width} {height}" width="{width}" height="{height}">{body}</svg>'
    )


def thinned(xs: ArrayLike, ys: ArrayLike, tolerance: float = 0.0015) -> tuple[np.ndarray, np.ndarray]:
    """Leave out points of a curve that no eye would miss (Ramer, Douglas and Peucker).

    Parameters
    ----------
    xs, ys : array_like, (n,)
        The curve.
    tolerance : float
        How far the thinned curve may lie from the full one, in data units.

    Returns
    -------
    tuple of 2 arrays, (m,)

    Examples
    --------
    >>> thinned([0, 0.5, 1], [0, 0.5, 1])[0].tolist()
    [0.0, 1.0]
    """
    points = np.column_stack([np.asarray(xs, dtype=float), np.asarray(ys, dtype=float)])
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    open_stretches = [(0, len(points) - 1)]
    while open_stretches:
        first, last = open_stretches.pop()
        if last - first < 2:
            continue
        chord = points[last] - points[first]
        offset = points[first + 1 : last] - points[first]
        length = float(np.hypot(*chord))
        distance = np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0]) / length if length else np.hypot(offset[:, 0], offset[:, 1])
        worst = int(np.argmax(distance))
        if distance[worst] > tolerance:
            middle = first + 1 + worst
            keep[middle] = True
            open_stretches += [(first, middle), (middle, last)]
    return points[keep, 0], points[keep, 1]
