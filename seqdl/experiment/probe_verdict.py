"""What a probe has shown: means and intervals over repeats, a sentence, and the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqdl.experiment.folds import summarise
from seqdl.io.table import write_tsv

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FROM_SCRATCH, PRETRAINED = "from scratch", "pre-trained"
RANDOM = "random labels"
TOLERATED = 0.05
"""How far a score under random labels may lie from chance before anything is made of it."""
BY_HEART = 0.99
"""From this score on the training examples on, they are said to be learnt by heart."""


def write_probe(folder: Path, found: dict[str, Any]) -> list[Path]:
    """Write what a probe found as WHAT.tsv (a training a row), WHAT.svg and WHAT.json; return the paths."""
    from seqdl.experiment.motif_files import write_figure
    from seqdl.experiment.provenance import write_json

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{found['what']}.{ending}" for ending in ("tsv", "svg", "json")]
    write_tsv(paths[0], found["table"], force=True)
    write_figure(paths[1], lambda ax: draw(found, ax))
    write_json(paths[2], plain(found))
    return paths


def plain(found: dict[str, Any]) -> dict[str, Any]:
    """Return what a probe found without its table, for JSON."""
    return {name: value for name, value in found.items() if name != "table"}


def draw(found: dict[str, Any], ax: Axes) -> None:
    """Draw the scores of a probe on test and training examples."""
    from seqdl.plot.learning import learning_curve

    x = {"train-size": ("n_train", "Training examples"), "width": ("parameters_per_example", "Parameters per training example")}
    column, label = x.get(found["what"], ("x", "Repeat"))
    learning_curve(found["table"], column, words=(label, found["score"]), chance=found["chance"], ax=ax)


def summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return mean and interval of the scores over the repeats, for each series and x; of random labels over all of them."""
    found = []
    keys = ["series"] if (table["series"] == RANDOM).all() else ["series", "x"]
    for _, rows in table.groupby(keys, sort=False):
        first = rows.iloc[0]
        entry: dict[str, Any] = {
            name: first[name].item() if hasattr(first[name], "item") else first[name] for name in (*keys, "n_train", "n_parameters")
        }
        entry["parameters_per_example"] = float(first["parameters_per_example"])
        entry |= {name: summarise([float(value) for value in rows[name] if np.isfinite(value)]) for name in ("train_score", "test_score")}
        found.append(entry)
    return found


def interval(entry: dict[str, Any]) -> str:
    """Return a mean with its interval as text."""
    if entry["value"] is None:
        return "undefined"
    return f"{entry['value']:.3f}" + (f" ({entry['low']:.3f} to {entry['high']:.3f})" if entry.get("low") is not None else "")


def verdict(what: str, table: pd.DataFrame, *, name: str, chance: float) -> str:
    """Return what a probe has shown, in a sentence."""
    return {"random-labels": _say_random, "train-size": _say_sizes, "width": _say_widths}[what](table, name, chance)


def _say_random(table: pd.DataFrame, name: str, chance: float) -> str:
    found = summary(table)[0]
    test, train = found["test_score"], found["train_score"]
    if test["value"] is None:
        return f"random labels: {name} is undefined on the test set, so nothing is shown."
    off = abs(test["value"] - chance) > TOLERATED and (test["low"] is None or not test["low"] <= chance <= test["high"])
    meaning = "which it should not: look for leaks between the splits" if off else f"as it should be: chance is {chance:g}"
    return (
        f"random labels: test {name} {interval(test)}, {meaning}; on the training examples themselves {interval(train)}, which is what the network "
        "can learn by heart in as many steps."
    )


def _say_sizes(table: pd.DataFrame, name: str, chance: float) -> str:
    sentences = []
    for series, rows in table.groupby("series", sort=False):
        sizes = sorted(rows["x"].unique())
        last = summarise(rows.loc[rows["x"] == sizes[-1], "test_score"].tolist())
        words = f"{series}: test {name} {interval(last)} with all {int(sizes[-1]):,} training examples"
        if len(sizes) > 1:
            pair = [rows[rows["x"] == size].set_index("repeat")["test_score"] for size in sizes[-2:]]
            gained = summarise((pair[1] - pair[0]).tolist())
            rising = gained["low"] is not None and gained["low"] > 0
            words += f", {gained['value']:+.3f} from {int(sizes[-2]):,}: {'still rising, so that more would help' if rising else 'no rise shown'}"
        sentences.append(words)
    if table["series"].nunique() > 1:
        least = table[table["x"] == table["x"].min()].pivot(index="repeat", columns="series", values="test_score")
        gained = summarise((least[PRETRAINED] - least[FROM_SCRATCH]).tolist())
        sentences.append(
            f"with the fewest examples ({int(table['x'].min()):,}) pre-training makes a difference of {gained['value']:+.3f}{_bounds(gained)}"
        )
    return "; ".join(sentences) + "."


def _bounds(entry: dict[str, Any]) -> str:
    return "" if entry.get("low") is None else f" ({entry['low']:+.3f} to {entry['high']:+.3f})"


def _say_widths(table: pd.DataFrame, name: str, chance: float) -> str:
    rows = summary(table)
    ends = [rows[k] for k in dict.fromkeys((0, len(rows) - 1))]
    shown = [f"{interval(entry['test_score'])} at {entry['x']:g} times the width ({_ratio(entry)})" for entry in ends]
    fitted = next((entry for entry in rows if (entry["train_score"]["value"] or 0) > BY_HEART), None)
    if fitted is None:
        return f"width: test {name} {', '.join(shown)}; no width learns the training set by heart in as many steps."
    return f"width: test {name} {', '.join(shown)}; from {fitted['x']:g} times on ({_ratio(fitted)}) the training set is learnt by heart."


def _ratio(entry: dict[str, Any]) -> str:
    return f"{entry['parameters_per_example']:.2g} parameters an example"
