"""The pictures of predicted numbers: prediction against target, and how far off."""

from __future__ import annotations

import numpy as np

from seqdl.evaluate.regression import regression_metrics
from seqdl.report.numbers import count, decimal, percent
from seqdl.report.svg import Frame, nice_ticks, short, tick_label
from seqdl.types import Floats

MOST_POINTS = 1_500
BINS = 40
_REACH = 5.0  # residuals beyond so many spreads are counted in the last bin on their side


def scatter(target: Floats, prediction: Floats, *, seed: int = 0) -> str:
    """Draw predictions over targets, at most 1,500 of them; on the dashed line a prediction is the truth.

    Parameters
    ----------
    target, prediction : Floats, (n,)
        The truth, and what was said about it, in the same unit.
    seed : int, default 0
        Of the draw, where there are more.
    """
    span = span_of(np.concatenate([target, prediction]))
    frame = Frame(span, span, left=_margin(span))
    rows = np.arange(target.size)
    if target.size > MOST_POINTS:
        rows = np.sort(np.random.default_rng(seed).choice(target.size, MOST_POINTS, replace=False))
    points = "".join(
        f'<circle cx="{short(frame.px(x))}" cy="{short(frame.py(y))}" r="2.2"/>'
        for x, y in zip(target[rows].tolist(), prediction[rows].tolist(), strict=True)
    )
    body = [frame.axes("Target", "Prediction"), f'<g class="points network">{points}</g>', frame.line(span, span, "chance")]
    found = regression_metrics(target, prediction)
    shown = f"{count(rows.size)} of {count(target.size)} test examples" if rows.size < target.size else f"{count(target.size)} test examples"
    return frame.picture(
        body, f"Prediction against target, {shown}: Pearson r {decimal(found['pearson'])}, R² {decimal(found['r2'])}; the diagonal is perfect."
    )


def residuals(target: Floats, prediction: Floats) -> str:
    """Draw how far predictions lie above (right) or below (left) the truth, as shares of the examples."""
    off = prediction - target
    reach = _REACH * float(off.std())
    low, high = max(float(off.min()), float(off.mean()) - reach), min(float(off.max()), float(off.mean()) + reach)
    low, high = span_of(np.array([min(low, 0.0), max(high, 0.0)]), margin=0.02)
    edges = np.linspace(low, high, BINS + 1)
    shares = np.histogram(np.clip(off, low, high), edges)[0] / max(1, off.size)
    frame = Frame((low, high), (0.0, max(0.02, float(shares.max())) * 1.06), left=52)
    ticks = nice_ticks(*frame.y)
    body = [frame.axes("Prediction − target", "Share of the examples", y_ticks=ticks, y_text=[f"{100 * t:g} %" for t in ticks])]
    floor = frame.py(0)
    for left, right, value in zip(edges[:-1].tolist(), edges[1:].tolist(), shares.tolist(), strict=True):
        if value:
            x, width, y = frame.px(left) + 0.5, frame.px(right) - frame.px(left) - 1, frame.py(value)
            body.append(
                f'<rect class="bar network" x="{short(x)}" y="{short(y)}" width="{short(width)}" height="{short(floor - y)}">'
                f"<title>{percent(value)} are off by {left:.3g} to {right:.3g}</title></rect>"
            )
    body.append(f'<path class="line kept" d="M{short(frame.px(0))} {frame.top}V{frame.height - frame.bottom}"/>')
    half = float(np.median(np.abs(off)))
    return frame.picture(body, f"Residuals: mean {decimal(off.mean())}, standard deviation {decimal(off.std())}; half are within {decimal(half)}.")


def span_of(values: Floats, margin: float = 0.04) -> tuple[float, float]:
    """Return the range of values and a margin; never empty."""
    low, high = float(values.min()), float(values.max())
    pad = margin * (high - low) or 0.5 * abs(low) or 0.5
    return low - pad, high + pad


def _margin(span: tuple[float, float]) -> int:
    """Return the left margin that the tick labels of a range need."""
    return max(46, 24 + 7 * max(len(tick_label(tick)) for tick in nice_ticks(*span)))
