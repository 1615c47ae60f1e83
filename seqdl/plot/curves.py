"""Curves of a trained network: ROC, precision-recall, loss, scores by class, calibration, scatter, confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from seqdl.errors import InputError, ShapeError
from seqdl.evaluate.calibration import reliability as reliability_table
from seqdl.evaluate.metrics import auprc, auroc, precision_recall_curve, roc_curve
from seqdl.evaluate.regression import check_numbers, regression_metrics
from seqdl.plot.figure import axes_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

POSITIVE, NEGATIVE, NETWORK, GUIDE = "#b4540a", "#64748b", "#00707a", "#9aa3ad"


def roc(target: ArrayLike, prediction: ArrayLike, *, label: str = "network", ax: Axes | None = None, **style: Any) -> Axes:
    """Draw the ROC curve of a binary prediction, its area in the legend.

    Call it again with the same `ax` to lay several predictors over each other.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Probabilities or scores of any scale.
    label : str, default "network"
        Name in the legend.
    ax : Axes, optional
        Where to draw; a new figure by default.
    **style
        Passed on to `Axes.plot`.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If `target` holds one class only.

    Examples
    --------
    >>> ax = roc([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    >>> ax.get_xlabel(), ax.get_legend_handles_labels()[1]
    ('False positive rate', ['network (0.750)'])
    """
    _two_classes(target, "a ROC curve")
    curve = roc_curve(target, prediction)
    ax = axes_of(ax, 4, 4)
    if not ax.lines:
        ax.plot([0, 1], [0, 1], color=GUIDE, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    ax.plot(curve.false_positive_rate, curve.true_positive_rate, label=f"{label} ({auroc(target, prediction):.3f})", **{"color": _next(ax), **style})
    _square(ax, "False positive rate", "True positive rate")
    ax.legend(loc="lower right", frameon=False)
    return ax


def precision_recall(target: ArrayLike, prediction: ArrayLike, *, label: str = "network", ax: Axes | None = None, **style: Any) -> Axes:
    """Draw the precision-recall curve of a binary prediction, its average precision in the legend.

    The dashed line is what guessing reaches: the share of positives.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Probabilities or scores of any scale.
    label : str, default "network"
        Name in the legend.
    ax : Axes, optional
        Where to draw; a new figure by default.
    **style
        Passed on to `Axes.plot`.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If `target` holds one class only.

    Examples
    --------
    >>> precision_recall([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]).get_ylabel()
    'Precision'
    """
    _two_classes(target, "a precision-recall curve")
    curve = precision_recall_curve(target, prediction)
    ax = axes_of(ax, 4, 4)
    if not ax.lines:
        ax.axhline(float(np.mean(np.asarray(target, dtype=float))), color=GUIDE, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    ax.plot(curve.recall, curve.precision, label=f"{label} ({auprc(target, prediction):.3f})", drawstyle="steps-pre", **{"color": _next(ax), **style})
    _square(ax, "Recall", "Precision")
    ax.legend(loc="lower left", frameon=False)
    return ax


def loss(log: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw training and validation loss over the epochs.

    Parameters
    ----------
    log : DataFrame
        A run's log.csv: `epoch` and one or both of `train_loss`, `val_loss`.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If the table has no epoch, or no loss.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = loss(pd.DataFrame({"epoch": [0, 1], "train_loss": [0.7, 0.5], "val_loss": [0.7, 0.6]}))
    >>> ax.get_legend_handles_labels()[1]
    ['training', 'validation']
    """
    from matplotlib.ticker import MaxNLocator

    present = [column for column in ("train_loss", "val_loss") if column in log]
    if "epoch" not in log or not present:
        raise InputError(
            f"the log has the columns {', '.join(map(str, log.columns))}. Expected epoch and train_loss or val_loss; pass a run's log.csv."
        )
    ax = axes_of(ax, 4, 4)
    looks = {"train_loss": ("training", NEGATIVE, "--"), "val_loss": ("validation", NETWORK, "-")}
    for column in present:
        label, color, line = looks[column]
        rows = log[["epoch", column]].dropna()
        ax.plot(rows["epoch"], rows[column], color=color, linestyle=line, marker="o", markersize=3, label=label)
    _plain(ax, "Epoch", "Loss")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False)
    return ax


def histogram(target: ArrayLike, prediction: ArrayLike, *, bins: int = 25, ax: Axes | None = None) -> Axes:
    """Draw how the scores of positives and negatives are spread, each class as shares of its own size.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Probabilities or scores of any scale.
    bins : int, default 25
        Number of bins.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If `target` holds one class only.

    Examples
    --------
    >>> histogram([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], bins=5).get_xlabel()
    'Prediction'
    """
    _two_classes(target, "a histogram by class")
    truth, score = np.asarray(target), np.asarray(prediction, dtype=float)
    edges = np.linspace(0, 1, bins + 1) if score.min() >= 0 and score.max() <= 1 else np.linspace(score.min(), score.max(), bins + 1)
    ax = axes_of(ax, 4, 4)
    for value, label, color in ((0, "negatives", NEGATIVE), (1, "positives", POSITIVE)):
        chosen = score[truth == value]
        ax.hist(chosen, edges.tolist(), weights=np.full(chosen.size, 1 / chosen.size), color=color, alpha=0.55, label=f"{label} ({chosen.size:,})")
    _plain(ax, "Prediction", "Share of the class")
    ax.legend(frameon=False)
    return ax


def reliability(target: ArrayLike, prediction: ArrayLike, *, bins: int = 10, ax: Axes | None = None) -> Axes:
    """Draw the share of positives beside the predicted probability, with Wilson 95 % intervals.

    Parameters
    ----------
    target : array_like, (N,)
        The truth, 0 or 1.
    prediction : array_like, (N,)
        Probabilities, 0 to 1.
    bins : int, default 10
        Number of equally wide bins.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Examples
    --------
    >>> reliability([0, 1, 1, 1], [0.2, 0.3, 0.9, 0.7], bins=2).get_ylabel()
    'Share of positives'
    """
    table = reliability_table(target, prediction, bins=bins)
    used = table.n > 0
    ax = axes_of(ax, 4, 4)
    ax.plot([0, 1], [0, 1], color=GUIDE, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    whiskers = np.clip([table.observed[used] - table.low[used], table.high[used] - table.observed[used]], 0, None)
    ax.errorbar(table.prediction[used], table.observed[used], yerr=whiskers, fmt="o", color=NETWORK, markersize=5, linewidth=1.2)
    _square(ax, "Predicted probability", "Share of positives")
    return ax


def scatter(target: ArrayLike, prediction: ArrayLike, *, ax: Axes | None = None, **style: Any) -> Axes:
    """Draw predicted numbers over true ones, their correlations in the title; on the dashed line a prediction is the truth.

    Parameters
    ----------
    target, prediction : array_like, (N,)
        The truth, and what was said about it, in the same unit.
    ax : Axes, optional
        Where to draw; a new figure by default.
    **style
        Passed on to `Axes.plot`.

    Returns
    -------
    Axes

    Raises
    ------
    ShapeError, InputError
        If the two are not equally long, not finite, or empty.

    Examples
    --------
    >>> scatter([1.0, 2.0, 3.0], [1.5, 2.0, 2.5]).get_title()
    'Pearson r 1.000, R² 0.750'
    """
    truth, score = check_numbers(target, prediction)
    if not truth.size:
        raise InputError("there is no example to draw; at least one target with its prediction was expected. Choose a split that has some.")
    found = regression_metrics(truth, score)
    low, high = float(min(truth.min(), score.min())), float(max(truth.max(), score.max()))
    margin = 0.04 * (high - low) or 0.5
    span = (low - margin, high + margin)
    ax = axes_of(ax, 4, 4)
    ax.plot(span, span, color=GUIDE, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    ax.plot(truth, score, **{"linestyle": "none", "marker": "o", "markersize": 3, "markeredgewidth": 0, "alpha": 0.4, "color": NETWORK, **style})
    _plain(ax, "Target", "Prediction")
    ax.set(xlim=span, ylim=span, aspect="equal", title=f"Pearson r {found['pearson']:.3f}, R² {found['r2']:.3f}")
    return ax


def confusion(matrix: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Draw a confusion matrix: a row for each true class, shaded by shares of the row, with the counts.

    Parameters
    ----------
    matrix : array_like, (K, K)
        Counts, as from `seqdl.evaluate.classes.confusion_matrix`.
    names : sequence of str, (K,)
        The classes.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ShapeError
        If the matrix is not square, or there is not a name a class.

    Examples
    --------
    >>> ax = confusion([[8, 2], [1, 9]], ["donor", "acceptor"])
    >>> [text.get_text() for text in ax.texts]
    ['8', '2', '1', '9']
    """
    from matplotlib.colors import LinearSegmentedColormap

    counts = np.asarray(matrix)
    if counts.shape != (len(names), len(names)):
        raise ShapeError(
            f"the confusion matrix has shape {counts.shape} and there are {len(names)} names; (K, K) and K names were expected. "
            "Pass the task's outputs as names."
        )
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = axes_of(ax, 4, 4)
    ax.imshow(share, cmap=LinearSegmentedColormap.from_list("share", ["#ffffff", NETWORK]), vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        ink = "white" if share[row, column] > 0.55 else "black"
        ax.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=ink)
    ax.set_xticks(range(len(names)), list(names), rotation=45 if max(map(len, names), default=0) > 8 else 0)
    ax.set_yticks(range(len(names)), list(names))
    ax.set(xlabel="Called", ylabel="True class")
    ax.tick_params(length=0)
    return ax


def _two_classes(target: ArrayLike, what: str) -> None:
    values = np.unique(np.asarray(target, dtype=float))
    if values.size < 2:
        shown = f"only {values[0]:g}" if values.size else "no example"
        raise InputError(f"the targets hold {shown}; {what} needs positives (1) and negatives (0). Choose a split that has both.")


def _next(ax: Axes) -> str:
    return (NETWORK, POSITIVE, "#5b4b9a", "#7a6a00", NEGATIVE)[(len(ax.lines) - 1) % 5]


def _plain(ax: Axes, x: str, y: str) -> None:
    ax.set(xlabel=x, ylabel=y)
    ax.spines[["top", "right"]].set_visible(False)


def _square(ax: Axes, x: str, y: str) -> None:
    _plain(ax, x, y)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
