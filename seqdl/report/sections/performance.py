"""How well the network does, beside simpler models."""

from __future__ import annotations

from collections import Counter
from typing import Any

from markupsafe import Markup

from seqdl.report import charts
from seqdl.report.facts import BASELINES, baseline_detail, baselines, guess, headline_measures, label_of, meaning_of, score
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import Estimate, estimate
from seqdl.report.section import Section

SPLITS = {"val": "validation", "test": "test", "test_leak_free": "test without leaks"}


def performance(run: RunFolder) -> Section:
    """Return the measures of the network and of its baselines."""
    title = "How well it does"
    measures = headline_measures(run)
    if not measures:
        return Section(
            "performance", title, absent="There are no test metrics in this run folder (metrics.json). `seqdl evaluate` on this run writes them."
        )
    names = [name for name in run.metrics.get("baselines") or {} if any(name in baselines(run, measure) for measure in measures)]
    order = list(baselines(run, measures[0]))
    names = order + [name for name in names if name not in order]
    rows = [("network", "network", [score(run, measure) for measure in measures], _network_detail(run))]
    rows += [
        (BASELINES.get(name, name), name, [baselines(run, measure).get(name) for measure in measures], baseline_detail(run, name)) for name in names
    ]
    guesses = [guess(run, measure) for measure in measures]
    figures = [
        Markup(charts.whiskers([(name, mark, values[i]) for name, mark, values, _ in rows], measure=label_of(measure), guess=guesses[i]))
        for i, measure in enumerate(measures)
    ]
    values: dict[str, Any] = {
        "labels": [label_of(measure) for measure in measures],
        "explained": [(label_of(measure), meaning_of(run, measure)) for measure in measures if meaning_of(run, measure)],
        "figures": figures,
        "rows": rows,
        "outputs": _each_output(run, measures),
        **_all_measures(run),
    }
    lede = "Every number is on the test set, which took no part in training or in any choice. Whiskers are 95 % bootstrap intervals."
    if values["outputs"]:
        lede += f" There are {len(values['outputs'])} outputs; a number without a name is their mean."
    if not names:
        lede += " This run holds no baselines, so there is nothing to compare it with."
    return Section("performance", title, lede, values)


def _each_output(run: RunFolder, measures: list[str]) -> list[tuple[str, list[Estimate | None]]]:
    """Return the leading measures of each of several outputs; none where there is one."""
    rows = run.metrics.get("per_output")
    return [(str(name), [estimate(row.get(measure)) for measure in measures]) for name, row in rows.items()] if isinstance(rows, dict) else []


def _network_detail(run: RunFolder) -> str:
    members = run.config.get("ensemble") or []
    names = [run.section("model").get("name"), *(one.get("model", {}).get("name") for one in members if isinstance(one, dict))]
    counted = Counter(str(name) for name in names if name)
    listed = ", ".join(f"{k} {name}" if len(names) > 1 else name for name, k in counted.items())
    return f"this run: {listed}" if listed else "this run"


def _all_measures(run: RunFolder) -> dict[str, Any]:
    """Return the table of every measure on every split."""
    splits = {name: words for name, words in SPLITS.items() if run.metrics.get(name)}
    known: dict[str, list[Estimate | None]] = {}
    for split in splits:
        for measure, entry in run.metrics[split].items():
            if isinstance(entry, (dict, int, float)) or entry is None:
                known.setdefault(measure, [])
    for measure, cells in known.items():
        cells += [estimate(run.metrics[split].get(measure)) for split in splits]
    table = [(label_of(measure), meaning_of(run, measure), cells) for measure, cells in known.items()]
    return {"splits": list(splits.values()), "measures": table}
