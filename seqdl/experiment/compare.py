"""Runs against each other on the same test set: paired differences, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.errors import InputError, MissingFileError, listing
from seqdl.experiment.evaluate import HEADINGS, number
from seqdl.experiment.folds import summarise
from seqdl.experiment.provenance import read_json
from seqdl.experiment.yardstick import Yardstick, yardstick
from seqdl.io.table import read_tsv

if TYPE_CHECKING:
    import pandas as pd

FIRST, BEST = "first", "best"


class Comparison(dict[str, Any]):
    """What `compare_runs` returns; prints as a table."""

    def __str__(self) -> str:
        """Return a line a run: its measures, and by how much it differs from the reference."""
        shown, reference = self["headline"], self["reference"]
        names = [entry["run"] for entry in self["runs"]]
        width = max(len(name) for name in names)
        heads = [f"{HEADINGS.get(metric, metric):<22}{'minus reference':<25}" for metric in shown]
        lines = [f"{self['n_test']:,} test examples; reference: {reference}", "  ".join([" " * width, *heads]).rstrip()]
        for entry in self["runs"]:
            cells = [f"{number(entry['test'].get(metric) or {}):<22}{_difference(entry, metric):<25}" for metric in shown]
            lines.append("  ".join([f"{entry['run']:<{width}}", *cells]).rstrip())
        return "\n".join([*lines, *self["verdict"]])


@dataclass(frozen=True)
class Side:
    """A run's test predictions, by id."""

    folder: Path
    metrics: Mapping[str, Any]
    table: pd.DataFrame

    @property
    def kind(self) -> str:
        """The kind of its targets."""
        return str(self.metrics.get("kind") or self.metrics.get("task") or "binary")

    @property
    def yardstick(self) -> Yardstick:
        """How its predictions are measured."""
        return yardstick(self.kind, self.metrics.get("outputs") or ())


def compare_runs(folders: Sequence[str | Path], *, against: str = FIRST, seed: int = 0) -> Comparison:
    """Compare runs on the test set they share.

    Parameters
    ----------
    folders : sequence of path, two or more
        Run folders, or folders of `--folds` or `--seeds` with as many runs each.
    against : str, default "first"
        The reference: "first", "best" (on the validation split, so that the test set chooses nothing), or one of the folders.
    seed : int, default 0
        Of the bootstrap.

    Returns
    -------
    Comparison
        "reference", "headline", "n_test", "runs" (each with "run", "test", and of all but the reference "minus_reference": metric ->
        {"value", "low", "high"}, on the same resamples of the same examples; over folds or seeds Student's interval of the paired
        differences) and "verdict", a sentence for each.

    Raises
    ------
    InputError
        If there are fewer than two, or their test sets or targets differ.
    MissingFileError
        If one is no finished run.
    """
    places = [Path(folder) for folder in folders]
    if len(places) < 2:
        raise InputError(f"{len(places)} run was given: two or more were expected, since runs are compared with each other.")
    repeated = {str(place) for place in places if places.count(place) > 1}
    if repeated:
        raise InputError(f"{listing(repeated)}: given more than once. Give each run once.")
    parts = [_parts(place) for place in places]
    if any(list(part) != list(parts[0]) for part in parts):
        shown = "; ".join(f"{place} {listing(part)}" for place, part in zip(places, parts, strict=True))
        raise InputError(f"the folders do not hold the same runs ({shown}): as many folds or seeds were expected in each. Train the missing ones.")
    reference = _reference(places, parts, against)
    entries = []
    for place, part in zip(places, parts, strict=True):
        entry = {"run": str(place), "test": _test_metrics(part)}
        if place != places[reference]:
            entry["minus_reference"] = _differences(part, parts[reference], seed)
        entries.append(entry)
    first = next(iter(parts[0].values()))
    headline = first.yardstick.headline
    n_test = (
        sum(len(side.table) for side in parts[0].values()) if len({tuple(side.table.index) for side in parts[0].values()}) > 1 else len(first.table)
    )
    found = Comparison(reference=str(places[reference]), headline=list(headline), n_test=n_test, runs=entries)
    found["verdict"] = [_verdict(entry, headline[0], found["reference"]) for entry in entries if "minus_reference" in entry]
    return found


def _parts(place: Path) -> dict[str, Side]:
    """Return the runs in a folder by name: itself, or those of its folds or seeds."""
    inner = sorted((path.parent for path in place.glob("*/predictions.tsv")), key=lambda path: (len(path.name), path.name))
    if inner and not (place / "predictions.tsv").is_file():
        return {folder.name: read_side(folder) for folder in inner}
    return {"": read_side(place)}


def read_side(folder: Path) -> Side:
    """Read a run's metrics and its predictions of the test split.

    Raises
    ------
    MissingFileError
        If it is no finished run of a network that predicts something of each sequence.
    """
    metrics, path = read_json(folder / "metrics.json"), folder / "predictions.tsv"
    if not path.is_file():
        raise MissingFileError(
            f"{folder}: there is no predictions.tsv, so there is nothing to compare. Give runs that predict something of each sequence."
        )
    table = read_tsv(path)
    return Side(folder, metrics, table[table["split"] == "test"].set_index("id", drop=False).sort_index())


def _reference(places: list[Path], parts: list[dict[str, Side]], against: str) -> int:
    """Return the number of the run that the others are held against."""
    if against == FIRST:
        return 0
    if against != BEST:
        names = [str(place) for place in places]
        if str(Path(against)) not in names:
            raise InputError(f"--against {against}: none of the runs that were given ({listing(names)}): first, best or one of them was expected.")
        return names.index(str(Path(against)))
    lead = next(iter(parts[0].values())).yardstick.headline[0]
    scores = [[side.metrics.get("val", {}).get(lead, {}).get("value") for side in part.values()] for part in parts]
    if any(value is None for values in scores for value in values):
        raise InputError(f"--against best: not every run has a {lead} on its validation split. Use --against first.")
    return int(np.argmax([np.mean(values) for values in scores]))


def _test_metrics(part: dict[str, Side]) -> dict[str, Any]:
    """Return the test metrics of a run, or mean and interval over several."""
    entries = [side.metrics["test"] for side in part.values()]
    if len(entries) == 1:
        return dict(entries[0])
    names = [name for name, value in entries[0].items() if isinstance(value, dict) and "value" in value]
    return {name: summarise([entry[name]["value"] for entry in entries if entry[name]["value"] is not None]) for name in names}


def _differences(part: dict[str, Side], reference: dict[str, Side], seed: int) -> dict[str, Any]:
    """Return the paired differences of a run to the reference; over folds or seeds their mean and its interval."""
    found = [_gain(part[name], reference[name], seed) for name in part]
    if len(found) == 1:
        return found[0]
    return {metric: summarise([one[metric]["value"] for one in found if one[metric]["value"] is not None]) for metric in found[0]}


def _gain(one: Side, other: Side, seed: int) -> dict[str, Any]:
    """Return by how much one run's test predictions are better than another's, on the same resamples."""
    check_same_test(one, other)
    by = one.yardstick
    target, first = by.scores(one.table)
    _, second = by.scores(other.table)
    return dict(by.gain(target, first, second, seed=seed))


def check_same_test(one: Side, other: Side) -> None:
    """Raise `InputError` unless two runs were tested on the same examples, with the same targets."""
    if one.kind != other.kind or one.metrics.get("outputs") != other.metrics.get("outputs"):
        outputs = [listing(side.metrics.get("outputs") or []) for side in (one, other)]
        raise InputError(
            f"{one.folder} predicts {one.kind} ({outputs[0]}) and {other.folder} {other.kind} ({outputs[1]}): the same was expected. "
            "Compare runs of one question."
        )
    left, right = set(one.table["id"]), set(other.table["id"])
    if left != right:
        odd, place, absent = (left - right, one, other) if left - right else (right - left, other, one)
        raise InputError(
            f"{len(odd):,} of the {len(place.table):,} test examples of {place.folder} are not in the test set of {absent.folder}; first: "
            f"{min(odd)}. The same test set was expected: train both with the same data and split."
        )
    columns = [name for name in one.table.columns if name == "target" or name.startswith("target_")]
    differ = (one.table[columns].to_numpy() != other.table[columns].to_numpy()).any(axis=1)
    if differ.any():
        raise InputError(
            f"{int(differ.sum()):,} of {len(differ):,} test examples have other targets in {one.folder} than in {other.folder}; first: "
            f"{one.table['id'].iloc[int(np.flatnonzero(differ)[0])]}. The same targets were expected."
        )


def _difference(entry: Mapping[str, Any], metric: str) -> str:
    """Return a difference with its interval and signs."""
    found = (entry.get("minus_reference") or {}).get(metric)
    if found is None:
        return ""
    if found["value"] is None or found["low"] is None:
        return "undefined" if found["value"] is None else f"{found['value']:+.3f}"
    return f"{found['value']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})"


def _verdict(entry: Mapping[str, Any], metric: str, reference: str) -> str:
    """Return what the interval of the leading measure says."""
    found, name = entry["minus_reference"][metric], HEADINGS.get(metric, metric)
    if found["value"] is None or found["low"] is None:
        return f"{entry['run']}: no interval of the difference in {name}, so nothing is shown."
    word = "better" if found["low"] > 0 else "worse" if found["high"] < 0 else "not shown to differ"
    return f"{entry['run']}: {word} {'from' if word.startswith('not') else 'than'} {reference} in {name} ({_difference(entry, metric)})."
