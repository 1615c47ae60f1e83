"""The map of an autoencoder's latents in the report, a point a held-out sequence."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from seqdl.report.number_charts import span_of
from seqdl.report.numbers import count
from seqdl.report.section import Figure
from seqdl.report.svg import Frame, short

MOST_POINTS = 1_500
MOST_NAMED = 6
YES_OR_NO = {"1": "positives", "0": "negatives"}


def latent_map(table: pd.DataFrame, *, seed: int = 0) -> Figure | None:
    """Return the map that latents.tsv holds, coloured by label where there is one; None where all sequences lie at one place.

    Parameters
    ----------
    table : DataFrame
        With the columns map1 and map2, and label where it is known.
    seed : int, default 0
        Of the draw of 1,500 points, where there are more, and of the order in which they are drawn.
    """
    x, y = (table[name].to_numpy(dtype=np.float64) for name in ("map1", "map2"))
    if len(table) < 2 or not (np.ptp(x) and np.ptp(y)):
        return None
    labels = table["label"].astype(str).to_numpy() if "label" in table else np.full(len(table), "")
    words, sizes = np.unique(labels, return_counts=True)
    named = [str(words[k]) for k in np.argsort(-sizes, kind="stable")[:MOST_NAMED]]
    frame = Frame(span_of(x), span_of(y), left=24, bottom=30)
    rows = np.random.default_rng(seed).permutation(len(table))[:MOST_POINTS]
    points = "".join(
        f'<circle class="class{named.index(labels[k]) if labels[k] in named else MOST_NAMED}" '
        f'cx="{short(frame.px(float(x[k])))}" cy="{short(frame.py(float(y[k])))}" r="2.2"/>'
        for k in rows.tolist()
    )
    shown = f"{count(len(rows))} held-out sequences"
    picture = frame.picture([frame.axes("map 1", "map 2", x_ticks=[], y_ticks=[]), f'<g class="points">{points}</g>'], f"t-SNE map of {shown}.")
    names = YES_OR_NO if set(named) == set(YES_OR_NO) else {}
    legend = [(f"class{k}", names.get(name, name)) for k, name in enumerate(named) if name]
    legend += [(f"class{MOST_NAMED}", "other")] if len(words) > MOST_NAMED else []
    caption = f"by t-SNE of the latents of {shown}: those near each other have like latents, distances farther off tell little."
    return Figure("Map", caption, Markup(picture), legend)
