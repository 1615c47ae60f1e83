"""Curves of in-silico experiments: an effect over distance or position, and where filters fire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from seqdl.errors import InputError
from seqdl.io.table import require_columns
from seqdl.plot.curves import GUIDE, NEGATIVE, NETWORK, POSITIVE
from seqdl.plot.figure import axes_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLOURS = (NETWORK, POSITIVE, "#5b4b9a", "#7a6a00", NEGATIVE, "#b03060", "#3d7a2e", "#1f5fa8")


def spacing(table: pd.DataFrame, *, column: str = "interaction", ax: Axes | None = None) -> Axes:
    """Draw what a pair of motifs does over its distance, a line an orientation, with its interval shaded.

    Parameters
    ----------
    table : DataFrame
        From `seqdl.spacing_curve`: orientation, spacing, and `column` with its ``_low`` and ``_high``.
    column : str, default "interaction"
        What to draw: "interaction" (beyond the sum of the single effects) or "effect".
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If a column is missing, or there is no row.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = {"orientation": "+ +", "spacing": [0, 1], "effect": [0.1, 0.4], "effect_low": [0, 0.3], "effect_high": [0.2, 0.5]}
    >>> ax = spacing(pd.DataFrame(curve), column="effect")
    >>> ax.get_xlabel(), ax.get_legend_handles_labels()[1]
    ('Distance between the motifs (bp)', ['+ +'])
    """
    names = {"interaction": "Interaction (logits)", "effect": "Effect of the pair (logits)"}
    return _lines(table, "spacing", column, by="orientation", words=("Distance between the motifs (bp)", names.get(column, column)), ax=ax)


def by_position(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what a motif does over the place it is put at, a line a strand, with its interval shaded.

    Parameters
    ----------
    table : DataFrame
        From `seqdl.interpret.spike.position_curve`: strand, position, effect, effect_low, effect_high.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = {"strand": "+", "position": [-5, 5], "effect": [0.1, 0.4], "effect_low": [0, 0.3], "effect_high": [0.2, 0.5]}
    >>> by_position(pd.DataFrame(curve)).get_ylabel()
    'Effect (logits)'
    """
    words = ("Middle of the motif, from the middle of the sequence (bp)", "Effect (logits)")
    return _lines(table, "position", "effect", by="strand", words=words, ax=ax)


def firing(centres: Mapping[str, ArrayLike], length: int, *, bins: int = 20, ax: Axes | None = None) -> Axes:
    """Draw where the sites of filters lie in the window, a line a filter.

    Parameters
    ----------
    centres : mapping of str to array (S,)
        The middle of each site of each filter, in bp from the middle of the window.
    length : int
        Length of the window (bp).
    bins : int, default 20
        Equal stretches that sites are counted in.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    InputError
        If there is no filter.

    Examples
    --------
    >>> ax = firing({"filter0": [0.0, 1.0, -40.0]}, 100, bins=5)
    >>> ax.get_ylabel(), ax.lines[0].get_ydata().round(2).tolist()[2]
    ('Share of the sites', 0.67)
    """
    if not centres:
        raise InputError("there are 0 filters to draw; expected at least one with sites. Read the filters on sequences that drive them.")
    edges = np.linspace(-length / 2, length / 2, bins + 1)
    ax = axes_of(ax, 6, 3.6)
    for (name, values), colour in zip(centres.items(), _colours(len(centres)), strict=True):
        counts = np.histogram(np.asarray(values, dtype=float), edges)[0]
        ax.plot((edges[1:] + edges[:-1]) / 2, counts / max(counts.sum(), 1), color=colour, label=name)
    ax.axhline(1 / bins, color=GUIDE, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    _plain(ax, "Middle of the site, from the middle of the window (bp)", "Share of the sites")
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize="small")
    return ax


def _lines(table: pd.DataFrame, x: str, y: str, *, by: str, words: tuple[str, str], ax: Axes | None) -> Axes:
    """Draw a line with its interval for each value of a column."""
    require_columns(table, [by, x, y, f"{y}_low", f"{y}_high"], "the curve")
    if not len(table):
        raise InputError("the curve has no row; expected at least one distance or position. Ask for more of them.")
    ax = axes_of(ax, 6, 3.6)
    ax.axhline(0, color=GUIDE, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    groups = list(table.groupby(by, sort=False))
    for (name, rows), colour in zip(groups, _colours(len(groups)), strict=True):
        ax.fill_between(rows[x], rows[f"{y}_low"], rows[f"{y}_high"], color=colour, alpha=0.15, linewidth=0)
        ax.plot(rows[x], rows[y], color=colour, linewidth=1.6, label=str(name))
    _plain(ax, *words)
    ax.legend(frameon=False, title=by, fontsize="small", title_fontsize="small")
    return ax


def _colours(n: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(n)]


def _plain(ax: Axes, x: str, y: str) -> None:
    ax.set(xlabel=x, ylabel=y)
    ax.spines[["top", "right"]].set_visible(False)
