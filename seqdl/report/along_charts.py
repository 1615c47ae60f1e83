"""Tracks of the page: measured and predicted values along a stretch, labels as boxes above them."""

from __future__ import annotations

import numpy as np

from seqdl.report.numbers import decimal
from seqdl.report.svg import Frame, nice_ticks, short, tick_label
from seqdl.types import Floats

MOST_POINTS = 480
"""Points of a line; of longer stretches means are drawn."""
BOX = 12
"""Height of a label's box (px)."""


def profile_track(target: Floats, prediction: Floats, *, start: int, given: Floats | None = None) -> str:
    """Draw a measured profile as an area, and the predicted one as a line over it.

    Parameters
    ----------
    target, prediction : Floats, (L,)
    start : int
        Coordinate of the first base.
    given : Floats (L,), optional
        The signal that the network began from, drawn as a thin line.
    """
    lines = [binned(values, start) for values in (target, prediction) + (() if given is None else (given,))]
    known = np.concatenate([y[np.isfinite(y)] for _, y in lines])
    low, high = min(0.0, float(known.min(initial=0.0))), float(known.max(initial=0.0)) or 1.0
    frame = _frame((start, start + len(target)), (low, low + (high - low) * 1.06), top=8)
    x, y = (np.nan_to_num(part) for part in lines[0])
    area = frame.path(np.concatenate([[x[0]], x, [x[-1]]]), np.concatenate([[0.0], y, [0.0]]), closed=True)
    body = [_axes(frame, "Signal"), f'<path class="area measured" d="{area}"/>']
    if given is not None:
        body.append(frame.line(*lines[2], "gc thin"))
    body.append(frame.line(*lines[1], "network"))
    beside = " The thin line is the input." if given is not None else ""
    words = f"Measured (area) and predicted (line) over {len(target):,} bp, correlation {decimal(_r(target, prediction))}.{beside}"
    return frame.picture(body, words)


def label_track(target: Floats, prediction: Floats, *, start: int, place: float | None = None) -> str:
    """Draw the predicted probability of a label as a line, and the labels themselves as boxes above it.

    Parameters
    ----------
    target, prediction : Floats, (L,)
    start : int
        Coordinate of the first base.
    place : float, optional
        Where a site is predicted to lie: a dashed line.
    """
    top = 1.0 if place is None else max(float(prediction.max()), 1e-6) * 1.05
    frame = _frame((start, start + len(target)), (0.0, top), top=8 + BOX + 6)
    body = [_axes(frame, "Probability")]
    for first, end in runs(target > 0):
        left, right = frame.px(start + first), frame.px(start + end)
        body.append(
            f'<rect class="box measured" x="{short(left)}" y="8" width="{short(max(right - left, 1.5))}" height="{BOX}">'
            f"<title>{start + first + 1:,} to {start + end:,}</title></rect>"
        )
    if place is not None:
        body.append(f'<path class="line kept" d="M{short(frame.px(start + place + 0.5))} 8V{frame.height - frame.bottom}"/>')
    body.append(frame.line(*binned(prediction, start), "network"))
    n = len(runs(target > 0))
    return frame.picture(body, f"Predicted probability (line) over {len(target):,} bp, below {n} true {'label' if n == 1 else 'labels'} (boxes).")


def runs(row: np.ndarray) -> list[tuple[int, int]]:
    """Return begin and end of every stretch of True.

    Examples
    --------
    >>> runs(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    change = np.diff(np.concatenate([[False], row, [False]]).astype(np.int8))
    return list(zip(np.flatnonzero(change == 1).tolist(), np.flatnonzero(change == -1).tolist(), strict=True))


def binned(values: Floats, start: int) -> tuple[Floats, Floats]:
    """Return coordinates and values of a line with at most 480 points, each the mean of as many bases.

    Examples
    --------
    >>> x, y = binned(np.arange(4.0), 10)
    >>> x.tolist(), y.tolist()
    ([10.5, 11.5, 12.5, 13.5], [0.0, 1.0, 2.0, 3.0])
    """
    step = -(-len(values) // MOST_POINTS)
    edges = np.arange(0, len(values), step)
    sizes = np.diff(np.append(edges, len(values)))
    means = np.add.reduceat(np.nan_to_num(np.asarray(values, dtype=np.float64)), edges) / sizes
    return start + edges + sizes / 2, means


def _frame(x: tuple[float, float], y: tuple[float, float], *, top: int) -> Frame:
    widest = max((len(tick_label(tick)) for tick in nice_ticks(*y, 4)), default=1)
    return Frame(x, y, width=960, height=132 + top, left=max(46, 24 + 7 * widest), right=12, top=top, bottom=40)


def _axes(frame: Frame, label: str) -> str:
    return frame.axes("Position (bp)", label, x_ticks=nice_ticks(*frame.x, 9), y_ticks=nice_ticks(*frame.y, 4))


def _r(target: Floats, prediction: Floats) -> float:
    known = np.isfinite(target) & np.isfinite(prediction)
    if known.sum() < 2 or target[known].std() == 0 or prediction[known].std() == 0:
        return float("nan")
    return float(np.corrcoef(target[known], prediction[known])[0, 1])
