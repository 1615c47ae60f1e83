"""A map of embeddings: a point a sequence, coloured by its label or cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from seqdl.errors import ShapeError
from seqdl.plot.curves import GUIDE
from seqdl.plot.experiments import COLOURS
from seqdl.plot.figure import axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED = len(COLOURS)
NONE = "-1"
"""How clusters call what lies in none."""


def embedding(points: ArrayLike, groups: ArrayLike | None = None, *, names: tuple[str, str] = ("map 1", "map 2"), ax: Axes | None = None) -> Axes:
    """Draw a map of embeddings, a point a sequence.

    Parameters
    ----------
    points : array_like, (N, 2)
        From `seqdl.experiment.embed.map_of`, or any two columns.
    groups : array_like, (N,), optional
        Labels or clusters that colour the points: the eight most frequent are named, the others, and cluster -1, are grey.
    names : tuple of str
        Of the axes.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ShapeError
        If the points are not (N, 2), or there is not one group a point.

    Examples
    --------
    >>> ax = embedding([[0, 0], [1, 1], [2, 0]], ["a", "b", "a"])
    >>> ax.get_legend_handles_labels()[1]
    ['a (2)', 'b (1)']
    """
    places = np.asarray(points, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 2:
        raise ShapeError(f"the points have the shape {places.shape}; (N, 2) was expected. Take two columns.")
    kinds = np.full(len(places), "") if groups is None else np.asarray(groups).astype(str)
    if kinds.shape != places.shape[:1]:
        raise ShapeError(f"the groups have the shape {kinds.shape} for {len(places)} points; one a point was expected. Give them in the same order.")
    ax = axes_of(ax, 4.6, 4.6)
    words, counts = np.unique(kinds[kinds != NONE], return_counts=True)
    named = [str(words[k]) for k in np.argsort(-counts, kind="stable")[:MOST_NAMED]]
    size = float(np.clip(4_000 / max(1, len(places)), 4, 24))
    style: dict[str, Any] = {"s": size, "linewidths": 0, "alpha": 0.75, "rasterized": len(places) > 2_000}
    rest = ~np.isin(kinds, named)
    if rest.any():
        ax.scatter(*places[rest].T, color=GUIDE, label=f"none or other ({rest.sum():,})", **style)
    for name in sorted(named, key=lambda word: (len(word), word)):
        of = kinds == name
        ax.scatter(*places[of].T, color=COLOURS[named.index(name)], label=f"{name} ({of.sum():,})" if name else None, **style)
    ax.set(xlabel=names[0], ylabel=names[1], xticks=[], yticks=[])
    ax.spines[["top", "right"]].set_visible(False)
    if groups is not None:
        ax.legend(loc="best", frameon=False, fontsize="small", markerscale=(24 / size) ** 0.5)
    return ax
