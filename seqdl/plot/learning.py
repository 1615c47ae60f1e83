"""Scores over what was given to a network: examples, or parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqdl.io.table import require_columns
from seqdl.plot.curves import GUIDE, NETWORK, POSITIVE
from seqdl.plot.figure import axes_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from pandas.core.groupby import SeriesGroupBy

COLOURS = (NETWORK, POSITIVE, "#5b4b9a")


def learning_curve(
    table: pd.DataFrame, x: str, *, words: tuple[str, str] = ("", "Score"), chance: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw scores on test and training examples over what was varied: every training a dot, a line through the means.

    About the means on test examples their 95 % interval (Student) over the trainings is shaded, where there are several.

    Parameters
    ----------
    table : DataFrame
        A row a training: series, train_score, test_score and the column `x`.
    x : str
        The column on the horizontal axis, which is logarithmic where its values are more than fourfold apart.
    words : tuple of 2 str
        Labels of the axes.
    chance : float, optional
        What a guess reaches: a dashed line.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"series": "from scratch", "n_train": [10, 100], "train_score": [1.0, 0.9], "test_score": [0.6, 0.8]}
    >>> ax = learning_curve(pd.DataFrame(rows), "n_train", words=("Training examples", "AUROC"))
    >>> ax.get_xscale(), ax.get_legend_handles_labels()[1]
    ('log', ['from scratch: test', 'from scratch: training'])
    """
    require_columns(table, ("series", x, "train_score", "test_score"), "the table")
    ax = axes_of(ax, 6.4, 3.8)
    for number, (name, rows) in enumerate(table.groupby("series", sort=False)):
        colour = COLOURS[number % len(COLOURS)]
        for column, label, line in (("test_score", "test", "-"), ("train_score", "training", ":")):
            means = rows.groupby(x)[column].mean()
            ax.plot(means.index, means.to_numpy(), line, color=colour, label=f"{name}: {label}")
            ax.plot(rows[x], rows[column], ".", color=colour, alpha=0.5, markersize=4)
        low, high = _interval(rows.groupby(x)["test_score"])
        ax.fill_between(low.index, low, high, color=colour, alpha=0.12, linewidth=0)
    if table[x].max() > 4 * table[x].min() > 0:
        ax.set_xscale("log")
    if chance is not None:
        ax.axhline(chance, color=GUIDE, linestyle="--", linewidth=1)
    ax.set(xlabel=words[0], ylabel=words[1])
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small")
    return ax


def _interval(scores: SeriesGroupBy[Any, Any]) -> tuple[pd.Series, pd.Series]:
    """Return the bounds of Student's 95 % interval of each mean; NaN where there is one score."""
    from scipy.stats import t

    n, mean = scores.count(), scores.mean()
    half = t.ppf(0.975, (n - 1).where(n > 1)) * scores.std() / n**0.5
    return mean - half, mean + half
