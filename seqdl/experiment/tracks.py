"""Attributions of a few examples, chosen by rule and not by looks."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.io.files import writing
from seqdl.sequence.encode import one_hot

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.types import Ints

N_TRACKS = 5


@dataclass(frozen=True)
class Example:
    """A row of the data, and the output whose prediction is explained there; of classes the one that was called."""

    row: int
    output: str


def write_tracks(run: Run, seed: int) -> None:
    """Write attributions/examples.npz: five examples of the test split and what each base adds to their prediction."""
    table = run.predictions
    examples = examples_of(table, run.data, list(run.task.outputs))
    if not examples:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # contributions that do not add up: a layer has no rule
            method, scores = "deeplift", _attributions(run, examples, "deeplift", seed=seed)
    except (UserWarning, InputError):  # ... or refuses, as a recurrent one does
        method, scores = "integrated-gradients", _attributions(run, examples, "integrated-gradients", seed=seed)
    rows = np.array([example.row for example in examples], dtype=np.int64)
    several = len(run.task.outputs) > 1 and not run.data.classes
    kind = str if run.data.classes else float
    said = {word: [table.at[one.row, f"{word}_{one.output}" if several else word] for one in examples] for word in ("prediction", "target")}
    beside: dict[str, Any] = {word: np.array(values, dtype=kind) for word, values in said.items()}
    if several:
        beside["output"] = np.array([example.output for example in examples])
    folder = run.folder / "attributions"
    folder.mkdir(exist_ok=True)
    with writing(folder / "examples.npz", force=True, binary=True) as handle:
        np.savez_compressed(
            handle,
            id=table.loc[rows, "id"].to_numpy(dtype=str),
            codes=run.data.codes[rows],
            attributions=scores,
            method=np.array(method),
            **beside,
        )


def _attributions(run: Run, examples: list[Example], method: str, *, seed: int) -> NDArray[np.float32]:
    """Return the attributions of some examples, (n, 4, L), each at its own length: padding is not sequence."""
    from seqdl.interpret.attribute import attribute

    data, task = run.data, run.task
    rows = np.array([example.row for example in examples], dtype=np.int64)
    scores = np.zeros((len(rows), 4, data.length), dtype=np.float32)
    for k, (codes, example) in enumerate(zip(data.sequences(rows), examples, strict=True)):
        x = one_hot(codes[None], ambiguous=task.ambiguous)
        if data.signal is not None:  # held fixed: the bases alone are attributed to
            x = np.concatenate([x, data.signal[example.row, None, :, : len(codes)]], axis=1)
        scores[k, :, : len(codes)] = attribute(task, x, method=method, output=example.output, seed=seed)[0]
    return scores


def examples_of(table: pd.DataFrame, data: SequenceData, outputs: list[str]) -> list[Example]:
    """Return at most five examples of the test split, and which output is explained there.

    Of several outputs: for each of the first five the example with the highest prediction, where it is true if the
    output is yes or no. Else as `example_rows` says.
    """
    if len(outputs) == 1 or data.classes:
        rows = example_rows(table, data)
        return [Example(int(row), str(table.at[row, "prediction"]) if data.classes else outputs[0]) for row in rows]
    test = table[table["split"] == "test"]
    found: list[Example] = []
    for output in outputs[:N_TRACKS]:
        among: Any = test[test[f"target_{output}"] > 0] if data.kind == "binary" else test
        if len(among):
            found.append(Example(int(among[f"logit_{output}"].idxmax()), output))
    return found


def example_rows(table: pd.DataFrame, data: SequenceData) -> Ints:
    """Return at most five rows of the test split.

    Of two classes: positives at the top, the quartiles and the bottom of the predictions, and the highest negative. Of
    numbers, and of windows with a truth at every base: the same places, and the largest error. Of several classes: the surest
    example of each, and the surest mistake.

    Parameters
    ----------
    table : DataFrame
        Predictions, its index the rows of `data`.
    data : SequenceData
    """
    test = table[table["split"] == "test"]
    if not len(test):
        return np.empty(0, dtype=np.int64)
    if data.classes:
        sure = test[[f"prediction_{name}" for name in data.classes]].max(axis=1)
        test = test.loc[sure.sort_values(ascending=False, kind="stable").index]
        right = test[test["target"] == test["prediction"]]
        picked = [*right.drop_duplicates("target").index[: N_TRACKS - 1], *test.index[test["target"] != test["prediction"]][:1]]
        return np.array(picked, dtype=np.int64)
    yes_or_no = data.kind == "binary"
    test = test.sort_values("prediction" if data.tracks is None else "logit", ascending=False, kind="stable")
    among = test.index[test["target"] > 0] if yes_or_no else test.index
    picked = [among[round(q * (len(among) - 1))] for q in (0.0, 0.25, 0.5, 1.0)] if len(among) else []
    picked += list(test.index[test["target"] <= 0][:1]) if yes_or_no else [(test["prediction"] - test["target"]).abs().idxmax()]
    return np.array(list(dict.fromkeys(picked))[:N_TRACKS], dtype=np.int64)
