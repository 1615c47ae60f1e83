"""Attributions of a few examples, chosen by rule and not by looks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqdl.io.files import writing
from seqdl.sequence.encode import one_hot

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.types import Ints

N_TRACKS = 5


def write_tracks(run: Run, seed: int) -> None:
    """Write attributions/examples.npz: five examples of the test split and what each base adds to their prediction."""
    table = run.predictions
    rows = example_rows(table, run.data)
    codes = run.data.codes[rows]
    chosen = table.loc[rows]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # contributions that do not add up: a layer has no rule
            method, scores = "deeplift", _attributions(run, rows, "deeplift", seed=seed)
    except UserWarning:
        method, scores = "integrated-gradients", _attributions(run, rows, "integrated-gradients", seed=seed)
    folder = run.folder / "attributions"
    folder.mkdir(exist_ok=True)
    with writing(folder / "examples.npz", force=True, binary=True) as handle:
        np.savez_compressed(
            handle,
            id=chosen["id"].to_numpy(dtype=str),
            codes=codes,
            attributions=scores,
            prediction=chosen["prediction"].to_numpy(dtype=str if run.data.classes else float),
            target=chosen["target"].to_numpy(dtype=str if run.data.classes else float),
            method=np.array(method),
        )


def _attributions(run: Run, rows: Ints, method: str, *, seed: int) -> NDArray[np.float32]:
    """Return the attributions of some rows, (n, 4, L), each at its own length: padding is not sequence."""
    from seqdl.interpret.attribute import attribute

    chosen = run.predictions.loc[rows]
    scores = np.zeros((len(rows), 4, run.data.length), dtype=np.float32)
    for row, codes in enumerate(run.data.sequences(rows)):
        output = str(chosen["prediction"].iloc[row]) if run.data.classes else 0
        x = one_hot(codes[None], ambiguous=run.task.ambiguous)
        scores[row, :, : len(codes)] = attribute(run.task, x, method=method, output=output, seed=seed)[0]
    return scores


def example_rows(table: pd.DataFrame, data: SequenceData) -> Ints:
    """Return at most five rows of the test split.

    Of two classes: positives at the top, the quartiles and the bottom of the predictions, and the highest negative. Of
    numbers: the same places, and the largest error. Of several classes: the surest example of each, and the surest mistake.

    Parameters
    ----------
    table : DataFrame
        Predictions, its index the rows of `data`.
    data : SequenceData
    """
    test = table[table["split"] == "test"]
    if data.classes:
        sure = test[[f"prediction_{name}" for name in data.classes]].max(axis=1)
        test = test.loc[sure.sort_values(ascending=False, kind="stable").index]
        right = test[test["target"] == test["prediction"]]
        picked = [*right.drop_duplicates("target").index[: N_TRACKS - 1], *test.index[test["target"] != test["prediction"]][:1]]
        return np.array(picked, dtype=np.int64)
    test = test.sort_values("prediction", ascending=False, kind="stable")
    among = test.index if data.numeric else test.index[test["target"] > 0]
    picked = [among[round(q * (len(among) - 1))] for q in (0.0, 0.25, 0.5, 1.0)] if len(among) else []
    picked += [(test["prediction"] - test["target"]).abs().idxmax()] if data.numeric else list(test.index[test["target"] <= 0][:1])
    return np.array(list(dict.fromkeys(picked))[:N_TRACKS], dtype=np.int64)
