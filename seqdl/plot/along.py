"""Predictions along the sequence: measured and predicted tracks, with genes as boxes above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import InputError, ShapeError
from seqdl.io.table import require_columns
from seqdl.plot.figure import axes_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MEASURED, PREDICTED, BOX = "#b9c4cc", "#00707a", "#64748b"
BOX_SHARE = 0.1
"""Height of a row of boxes, as a share of that of the track."""
MOST_ROWS = 3


def profile(
    measured: ArrayLike,
    predicted: ArrayLike | None = None,
    *,
    features: pd.DataFrame | None = None,
    start: int = 0,
    label: str = "signal",
    names: tuple[str, str] = ("measured", "predicted"),
    ax: Axes | None = None,
) -> Axes:
    """Draw a measured track as an area and the predicted one as a line, with features such as genes as boxes above.

    Parameters
    ----------
    measured : array_like, (L,)
        Values at every base; of a label 0 and 1.
    predicted : array_like, (L,), optional
    features : DataFrame, optional
        Columns start and end, in the coordinates of `start`, of one chromosome; name and strand are written into the boxes where
        there are any. What lies outside the track is left out; boxes that overlap stand in up to three rows.
    start : int, default 0
        Coordinate of the first base (bp).
    label : str, default "signal"
        What the heights are.
    names : tuple of two str, default ("measured", "predicted")
        What the legend calls the area and the line, such as ("annotated", "predicted") for labels.
    ax : Axes, optional
        Where to draw; by default on a new figure. Heights that it shows already, or that axes show which share theirs, stay in view.

    Returns
    -------
    Axes

    Raises
    ------
    ShapeError
        If the tracks are not (L,), or differ in length.
    InputError
        If a column of `features` is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> genes = pd.DataFrame({"start": [102], "end": [140], "name": ["YFG1"], "strand": ["+"]})
    >>> ax = profile(np.arange(50.0), np.arange(50.0) / 2, features=genes, start=100)
    >>> [float(x) for x in ax.get_xlim()], [text.get_text() for text in ax.texts]
    ([100.0, 150.0], ['YFG1 >'])
    """
    from matplotlib.ticker import MaxNLocator

    tracks = _tracks(measured, predicted)
    length = len(tracks[0])
    ax = axes_of(ax, float(np.clip(length * 0.006, 6, 14)), 2.2)
    shared = [other.get_ylim() for other in ax.get_shared_y_axes().get_siblings(ax) if other.has_data()]
    x = start + np.arange(length + 1)
    ax.stairs(tracks[0], x, fill=True, color=MEASURED, label=names[0])
    if len(tracks) > 1:
        ax.plot(start + np.arange(length) + 0.5, tracks[1], color=PREDICTED, linewidth=1.3, label=names[1])
    known = np.concatenate([track[np.isfinite(track)] for track in tracks])
    low, high = min(0.0, float(known.min(initial=0.0))), float(known.max(initial=0.0)) or 1.0
    n_rows = _boxes(ax, features, (start, start + length), heights=(low, high)) if features is not None else 0
    top = high + (high - low) * (0.04 + n_rows * BOX_SHARE * 1.3)
    ax.set_ylim(min([low, *(bottom for bottom, _ in shared)]), max([top, *(other for _, other in shared)]))
    ax.set_xlim(start, start + length)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    ax.ticklabel_format(axis="x", style="plain", useOffset=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xlabel("position (bp)")
    ax.set_ylabel(label)
    if len(tracks) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax


def _tracks(measured: ArrayLike, predicted: ArrayLike | None) -> list[NDArray[np.float64]]:
    """Return the tracks as float64 (L,) each."""
    tracks = [np.asarray(track, dtype=np.float64) for track in (measured, predicted) if track is not None]
    shapes = [track.shape for track in tracks]
    if any(len(shape) != 1 for shape in shapes) or len(set(shapes)) > 1:
        raise ShapeError(
            f"the tracks have the shapes {', '.join(map(str, shapes))}; expected (L,) each. Pass one output of one window, such as y[0, 0]."
        )
    if not tracks[0].size:
        raise InputError("the track holds no base; expected at least one. Pass another window.")
    return tracks


def _boxes(ax: Axes, features: pd.DataFrame, span: tuple[int, int], *, heights: tuple[float, float]) -> int:
    """Draw the features that lie in a span in rows above the track; return how many rows there are."""
    from matplotlib.patches import Rectangle

    require_columns(features, ["start", "end"], "the table of features")
    inside = features[(features["end"] > span[0]) & (features["start"] < span[1])].sort_values("start", kind="stable")
    low, high = heights
    tall = (high - low) * BOX_SHARE
    ends: list[int] = []
    for row in inside.to_dict("records"):
        first, last = max(int(row["start"]), span[0]), min(int(row["end"]), span[1])
        place = next((i for i, end in enumerate(ends) if end <= first), len(ends))
        if place >= MOST_ROWS:
            continue
        ends[place : place + 1] = [last]
        bottom = high + tall * (0.3 + 1.3 * place)
        ax.add_patch(Rectangle((first, bottom), last - first, tall, facecolor=BOX, linewidth=0))
        words = _words(row)
        if words:
            ax.text((first + last) / 2, bottom + tall / 2, words, ha="center", va="center", fontsize=7, color="white", clip_on=True)
    return len(ends)


def _words(row: dict[Any, Any]) -> str:
    """Return name and direction of a feature."""
    name = str(row.get("name") or "").replace("nan", "").strip()
    arrow = {"+": " >", "-": " <"}.get(str(row.get("strand")), "")
    return name + arrow if name not in ("", ".") else arrow.strip()
