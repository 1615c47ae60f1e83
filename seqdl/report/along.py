"""Predictions along the sequence as the report sees them: read once, and which windows are shown, by rule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from seqdl.errors import FormatError
from seqdl.report.facts import quantity, subject
from seqdl.report.folder import RunFolder
from seqdl.types import Floats

NEIGHBOURS = 3
"""Windows on either side of the median one that are drawn with it, where they lie side by side."""
CLEAR = (0.1, 0.9)
"""Windows with fewer or more labelled bases show no border, and are not chosen."""


@dataclass(frozen=True)
class Along:
    """What was predicted of every base of the test windows, and what is true.

    Attributes
    ----------
    names : list of str, (n,)
        Ids of the windows.
    outputs : list of str, (T,)
    prediction, target : Floats, (n, T, L)
    input : Floats (n, C, L), optional
        The signal that the network began from.
    """

    names: list[str]
    outputs: list[str]
    prediction: Floats
    target: Floats
    input: Floats | None = None


@dataclass(frozen=True)
class Stretch:
    """Some windows side by side, or one.

    Attributes
    ----------
    words : str
        Why it is shown.
    rows : list of int
        The windows from left to right.
    place : str
        Where it lies; the name of the window where nothing says it.
    start : int
        Coordinate of its first base; 0 where nothing says it.
    """

    words: str
    rows: list[int]
    place: str
    start: int


def read_along(run: RunFolder) -> Along | None:
    """Return the predictions of a run along the sequence; None where it has none.

    Raises
    ------
    FormatError
        If predictions.npz does not hold them.
    """
    path: Path = run.path / "predictions.npz"
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            prediction, target = (arrays[name].astype(np.float32) for name in ("prediction", "target"))
            given = arrays["input"].astype(np.float32) if "input" in arrays else None
            return Along([str(name) for name in arrays["id"]], [str(name) for name in arrays["outputs"]], prediction, target, given)
    except (OSError, ValueError, KeyError) as error:
        raise FormatError(
            f"{path} cannot be read ({str(error)[:120]}). Expected what `seqdl train` writes; train again or restore the file."
        ) from error


def along_question(run: RunFolder, size: str) -> str:
    """Return what the run asks, in a sentence."""
    what = subject(run)
    if run.task == "segmentation":
        return f"Can a network tell, base by base, what is {what} from nothing but {size}?"
    if run.task == "localisation":
        return f"Can a network find the site of {what} in {size}?"
    if run.task == "enhancement":
        beside = "" if run.section("task").get("use_sequence", True) else ", without the sequence"
        return f"Can a network restore the signal {what} from a noisier measurement of it{beside}?"
    if run.task == "counts":
        return f"Can a network predict how much of {quantity(run)} there is from nothing but {size}?"
    return f"Can a network predict the profile of {what} from nothing but {size}?"


def agreement(found: Along, task: str) -> Floats:
    """Return how well each window is predicted, (n,): the larger the better; NaN for windows that are not to be shown.

    Of labels the share of bases that are right, in windows with a border; of sites how near the likeliest base is; of signals the
    correlation along the window.
    """
    truth, guess = found.target[:, 0], found.prediction[:, 0]
    if task == "segmentation":
        share = (truth > 0).mean(axis=1)
        right = ((guess >= 0.5) == (truth > 0)).mean(axis=1)
        return np.where((share >= CLEAR[0]) & (share <= CLEAR[1]), right, np.nan)
    if task == "localisation":
        middle = (truth * np.arange(truth.shape[1])).sum(axis=1) / np.maximum(truth.sum(axis=1), 1)
        return np.where(truth.sum(axis=1) > 0, -np.abs(guess.argmax(axis=1) - middle), np.nan)
    y, x = (values - values.mean(axis=1, keepdims=True) for values in (truth, guess))
    with np.errstate(divide="ignore", invalid="ignore"):
        found_r = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    return np.asarray(found_r, dtype=np.float64)


def stretches(run: RunFolder, found: Along) -> list[Stretch]:
    """Return what is shown: the window of median agreement with its neighbours, and those at the 90th and 10th percentile."""
    score = agreement(found, run.task)
    ranked = np.flatnonzero(np.isfinite(score))
    ranked = ranked[np.argsort(score[ranked], kind="stable")]
    if not ranked.size:
        return []
    places = _places(run, found)
    shown = []
    for share, words in ((0.5, "median agreement"), (0.9, "90th percentile of agreement"), (0.1, "10th percentile of agreement")):
        row = int(ranked[round(share * (ranked.size - 1))])
        rows = _neighbours(places, row) if share == 0.5 else [row]
        words += ", with its neighbours" if len(rows) > 1 else ""
        shown.append(_stretch(found, places, rows, words=words))
    return list({tuple(one.rows): one for one in reversed(shown)}.values())[::-1]


def _places(run: RunFolder, found: Along) -> pd.DataFrame | None:
    """Return chrom, start and end of the windows; None where they have none, or are read on either strand."""
    table = run.examples
    if table is None or not {"chrom", "start", "end", "strand"} <= set(table.columns):
        return None
    rows = table.assign(id=table["id"].astype(str)).set_index("id").reindex(found.names)
    start = pd.to_numeric(rows["start"], errors="coerce")
    if start.isna().any():
        return None
    return pd.DataFrame({"chrom": rows["chrom"].astype(str), "start": start.astype(int), "strand": rows["strand"].astype(str)}).reset_index(drop=True)


def _neighbours(places: pd.DataFrame | None, row: int) -> list[int]:
    """Return the window with those that lie side by side with it, up to three either way."""
    if places is None or (places["strand"] == "-").any():
        return [row]
    by_place = {(chrom, start): i for i, (chrom, start) in enumerate(zip(places["chrom"], places["start"], strict=True))}
    chrom, start = places["chrom"].iloc[row], int(places["start"].iloc[row])
    width = _width(places)
    rows = [row]
    for side in (-1, 1):
        for step in range(1, NEIGHBOURS + 1):
            other = by_place.get((chrom, start + side * step * width))
            if other is None:
                break
            rows.insert(0 if side < 0 else len(rows), other)
    return rows


def _width(places: pd.DataFrame) -> int:
    """Return the step from window to window: the smallest there is on a chromosome."""
    steps = places.sort_values(["chrom", "start"], kind="stable").groupby("chrom")["start"].diff()
    positive = steps[steps > 0]
    return int(positive.min()) if len(positive) else 1


def _stretch(found: Along, places: pd.DataFrame | None, rows: list[int], *, words: str) -> Stretch:
    if places is None:
        return Stretch(words, rows, found.names[rows[0]], 0)
    length = found.target.shape[2]
    if len(rows) > 1 and _width(places) != length:  # windows that overlap, or leave gaps, are shown alone
        rows = [rows[len(rows) // 2]]
        words = words.removesuffix(", with its neighbours")
    chrom, start = places["chrom"].iloc[rows[0]], int(places["start"].iloc[rows[0]])
    end = int(places["start"].iloc[rows[-1]]) + length
    minus = " (read on the reverse strand)" if places["strand"].iloc[rows[0]] == "-" else ""
    return Stretch(words, rows, f"{chrom}:{start + 1:,}–{end:,}{minus}", 0 if minus else start)
