"""What recurrent and attention layers do along a sequence, as pictures of values: a row a unit, or a row a place that looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import ShapeError
from seqdl.plot.figure import axes_of
from seqdl.sequence.encode import decode

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIGNED, SHARES = "RdBu_r", "Greens"
"""Colours of values that may be negative, and of those that may not."""
MOST_LETTERS = 80
"""Bases up to which every one is written below the picture."""


def states(values: ArrayLike, codes: ArrayLike | None = None, *, label: str = "hidden state", ordered: bool = True, ax: Axes | None = None) -> Axes:
    """Draw the units of a recurrent layer along one sequence, a row a unit.

    Parameters
    ----------
    values : array_like, (H, L)
        Hidden states, memory or a gate of one sequence, such as ``seqdl.trace(task, x)[0].values["forget"][0]``. Values are coloured from 0 to 1
        where none is negative, else from minus to plus what is largest; NaN (padding) stays white.
    codes : array_like, (L,), optional
        The bases (A C G T = 0 1 2 3), written below up to 80 of them.
    label : str, default "hidden state"
        What the colours are.
    ordered : bool, default True
        Put units below each other by the place where they move most, so that what a stretch of the sequence sets off stands together.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ShapeError
        If the values are not (H, L), or there is not one base a position.

    Examples
    --------
    >>> ax = states([[0.0, 0.9, 0.9], [0.5, 0.5, 0.0]], [0, 1, 2], label="forget gate")
    >>> [tick.get_text() for tick in ax.get_xticklabels()], ax.get_ylabel()
    (['A', 'C', 'G'], 'unit')
    """
    shown = _matrix(values, codes, "units and positions, (H, L)")
    if ordered and shown.shape[1] > 1:
        moved = np.nan_to_num(np.abs(np.diff(shown, axis=1)))
        shown = shown[np.argsort(moved.argmax(axis=1), kind="stable")]
    ax = _picture(shown, label=label, ax=ax)
    ax.set(ylabel="unit", yticks=[])
    _positions(ax, shown.shape[1], codes)
    return ax


def attention(weights: ArrayLike, codes: ArrayLike | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw where an attention layer looks in one sequence: from each place (a row) to each, or bars of a pooling.

    Parameters
    ----------
    weights : array_like, (L, L) or (1, L)
        Of one sequence and head, such as ``seqdl.attention_weights(task, x)["head.pool"][0]``.
    codes : array_like, (L,), optional
        The bases, written below up to 80 of them.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ShapeError
        If the weights are neither (L, L) nor (1, L), or there is not one base a position.

    Examples
    --------
    >>> ax = attention([[0.1, 0.7, 0.2]], [0, 1, 2])
    >>> [float(bar.get_height()) for bar in ax.patches], ax.get_ylabel()
    ([0.1, 0.7, 0.2], 'weight')
    """
    shown = _matrix(weights, codes, "places that look and places looked at, (L, L) or (1, L)")
    n = shown.shape[1]
    if shown.shape[0] not in (1, n):
        raise ShapeError(f"the weights have the shape {shown.shape}; (L, L) or (1, L) was expected. Take one sequence and one head.")
    if len(shown) == 1:
        ax = axes_of(ax, _wide(n), 1.8)
        ax.bar(np.arange(n), np.nan_to_num(shown[0]), width=1.0, color="#00707a")
        ax.set(ylabel="weight", xlim=(-0.5, n - 0.5))
        ax.spines[["top", "right"]].set_visible(False)
    else:
        ax = _picture(shown, label="weight", ax=ax, top=float(np.nanmax(shown)))
        ax.set_ylabel("from position")
    _positions(ax, n, codes)
    return ax


def _matrix(values: ArrayLike, codes: ArrayLike | None, what: str) -> NDArray[np.float64]:
    """Return values as a matrix, with one base a column where there are bases."""
    shown = np.asarray(values, dtype=np.float64)
    if shown.ndim != 2 or not shown.size:
        raise ShapeError(f"the values have the shape {shown.shape}; {what}, were expected. Take one sequence, such as values[0].")
    if codes is not None and np.shape(codes) != shown.shape[1:]:
        raise ShapeError(f"the codes have the shape {np.shape(codes)} for {shown.shape[1]} positions; one base a position was expected.")
    return shown


def _wide(n: int) -> float:
    """Return the inches of a figure of n positions."""
    return float(np.clip(n * 0.11, 5, 14))


def _picture(shown: NDArray[np.float64], *, label: str, ax: Axes | None, top: float = 1.0) -> Axes:
    """Draw a matrix in colours with their key beside it."""
    ax = axes_of(ax, _wide(shown.shape[1]), float(np.clip(len(shown) * 0.06, 2.4, 6)))
    largest = float(np.nanmax(np.abs(shown), initial=0.0)) or 1.0
    signed = bool((shown < 0).any())
    limits: dict[str, Any] = {"cmap": SIGNED, "vmin": -largest, "vmax": largest} if signed else {"cmap": SHARES, "vmin": 0.0, "vmax": max(top, 0.0)}
    image = ax.imshow(shown, aspect="auto", interpolation="nearest", **limits)
    ax.figure.colorbar(image, ax=ax, label=label, pad=0.02)
    ax.spines[:].set_visible(False)
    return ax


def _positions(ax: Axes, n: int, codes: ArrayLike | None) -> None:
    """Write bases below where there are few, else say what is counted."""
    if codes is not None and n <= MOST_LETTERS:
        ax.set_xticks(np.arange(n), list(decode(np.asarray(codes, dtype=np.uint8))))
        ax.tick_params(axis="x", length=0, labelsize=8)
    else:
        ax.set_xlabel("position (bp)")
