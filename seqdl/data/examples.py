"""The table of examples that lie in a genome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from seqdl.types import Floats


def within(intervals: pd.DataFrame, context: int) -> pd.DataFrame:
    """Return intervals without the bases that surround them at either end (bp); what has no place stays as it is.

    Examples
    --------
    >>> within(pd.DataFrame({"chrom": ["chrI"], "start": [0], "end": [400]}), 100)
      chrom  start  end
    0  chrI    100  300
    """
    if not context or (intervals["chrom"] == "").any():
        return intervals
    return intervals.assign(start=intervals["start"] + context, end=intervals["end"] - context)


def interval_examples(intervals: pd.DataFrame, target: Floats, split: Sequence[str] | Any, *, output: str = "target") -> pd.DataFrame:
    """Return an examples table for intervals; the id is the place and, where several share it, a number."""
    place = intervals["chrom"] + ":" + intervals["start"].astype(str) + "-" + intervals["end"].astype(str) + "(" + intervals["strand"] + ")"
    repeat = place.groupby(place).cumcount()
    ids = place.where(repeat == 0, place + "_" + (repeat + 1).astype(str))
    table = intervals[["chrom", "start", "end", "strand"]].reset_index(drop=True)
    table.insert(0, "id", ids.to_numpy())
    table[output] = target
    table["split"] = np.asarray(split)
    return table
