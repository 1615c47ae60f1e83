"""How the game of a generator and a critic went, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from seqdl.report import charts
from seqdl.report.numbers import plural
from seqdl.report.section import Figure
from seqdl.types import Floats

Series = Mapping[str, tuple[str, Floats]]
"""Name -> (CSS class, values)."""

PANELS: tuple[tuple[str, str, str, dict[str, tuple[str, str]]], ...] = (
    (
        "Both losses",
        "Each player lives on the other's mistakes, so neither loss has to fall. A critic near zero has won, and teaches nothing any more.",
        "Loss",
        {
            "critic, training": ("pale", "train_loss"),
            "critic, held-out": ("network", "val_loss"),
            "generator": ("kmer", "train_generator_loss"),
        },
    ),
    (
        "The critic's gap",
        "The mean score of real sequences less that of generated ones. A gap on training sequences that held-out ones do not show is "
        "a critic that remembers them.",
        "Gap",
        {"training": ("pale", "train_gap"), "held-out": ("network", "val_gap")},
    ),
    (
        "How often the critic is right",
        "The share of each kind on its own side of the threshold. Where it stays near a half, the critic cannot tell the two apart.",
        "Share told right",
        {
            "real, training": ("pale", "train_right_real"),
            "real, held-out": ("network", "val_right_real"),
            "generated": ("kmer", "val_right_fake"),
        },
    ),
    (
        "How varied the samples are",
        "The distance from a sample to the sample nearest to it (median), as a share of the same among held-out sequences: far below 1, the samples "
        "are variations of a few.",
        "Nearest, samples / real",
        {"samples": ("network", "val_nearest")},
    ),
    (
        "How far the samples are from real sequences",
        "On held-out sequences: the divergence of 6-mers, which is not 0 even for real ones where they are few, and the distance of the base "
        "frequencies at each position. The epoch that was kept has the smallest sum of the first and the square of the second, epochs that had "
        "collapsed left out. These are draws as they come, before the critic chooses among them (the option select).",
        "Distance",
        {"6-mers": ("network", "val_js"), "positions": ("kmer", "val_positions")},
    ),
)


def game_figures(log: pd.DataFrame, epochs: Floats, best: float | None) -> list[Figure]:
    """Return the pictures of the game that a log of its epochs can give.

    Parameters
    ----------
    log : DataFrame
        log.csv of a gan run.
    epochs : array, (n,)
    best : float, optional
        The epoch that was kept.

    Returns
    -------
    list of Figure
        Of each panel that has at least one of its columns.
    """
    figures = []
    for title, caption, label, columns in PANELS:
        series: Series = {name: (mark, values) for name, (mark, key) in columns.items() if (values := charts.column(log, key)) is not None}
        if not series:
            continue
        collapsed = charts.column(log, "val_collapsed") if "val_nearest" in {key for _, key in columns.values()} else None
        if collapsed is not None:
            n = int((collapsed > 0).sum())
            said = f"In {plural(n, 'epoch')} of {len(log)} they had collapsed, and in the two before." if n else "They did not collapse."
            caption = f"{caption} {said}"
        figures.append(Figure(title, caption, Markup(charts.history(epochs, series, best, y_label=label)), legend_of(series)))
    return figures


def legend_of(series: Series) -> list[tuple[str, str]]:
    """Return (CSS class, name) of lines; none where there is one line."""
    return [(mark, name) for name, (mark, _) in series.items()] if len(series) > 1 else []
