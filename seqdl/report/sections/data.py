"""The examples, how they were divided, and those that were left out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from seqdl.report.facts import NEGATIVES, class_counts, negatives_kind
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import count, plural
from seqdl.report.section import Section
from seqdl.types import SPLITS

NAMES = {"train": "training", "val": "validation", "test": "test"}
FIRST_ROWS = 12
MOST_CHROMOSOMES = 8
OWN_COLOURS = frozenset({"positives", "negatives", "examples"})
LAST_COLOUR = 6
"""Classes from the seventh on share a colour."""


def data(run: RunFolder) -> Section:
    """Return counts a split and class, chromosomes, and the ledger of what was dropped."""
    title = "The data"
    counts = class_counts(run)
    ledger = _ledger(run)
    if not counts and ledger is None:
        return Section(
            "data", title, absent="This run folder holds no list of examples (data/examples.tsv) and no counts, so the data cannot be described."
        )
    order = [split for split in SPLITS if split in counts] + [split for split in counts if split not in SPLITS]
    largest = max((sum(counts[split].values()) for split in order), default=1) or 1
    chromosomes = _chromosomes(run)
    names = list(dict.fromkeys(name for split in order for name in counts[split]))
    marks = {name: name if name in OWN_COLOURS else f"class{min(i, LAST_COLOUR)}" for i, name in enumerate(names)}
    splits = [
        {
            "name": NAMES.get(split, split),
            "total": sum(counts[split].values()),
            "parts": [(name, marks[name], n, 100 * n / largest) for name, n in counts[split].items()],
            "chromosomes": chromosomes.get(split, ""),
        }
        for split in order
    ]
    total = sum(sum(counts[split].values()) for split in order)
    values = {
        "splits": splits,
        "ledger": ledger,
        "facts": _facts(run),
        "classes": [(name, marks[name]) for name in (names if run.task == "multiclass" else sorted(names, reverse=True))],
    }
    return Section("data", title, f"{plural(total, 'example')} in all." if splits else "", values)


def _facts(run: RunFolder) -> list[tuple[str, str]]:
    """Return what the config says about the data, in words."""
    found = []
    given = run.section("data")
    kind = negatives_kind(run)
    if kind:
        found.append(("negatives", NEGATIVES.get(kind, f"from a file, {given.get('negatives')}")))
    table = run.examples
    if table is not None and {"start", "end"} <= set(table.columns):
        lengths = (pd.to_numeric(table["end"], errors="coerce") - pd.to_numeric(table["start"], errors="coerce")).dropna()
        if len(lengths):
            low, high = int(lengths.min()), int(lengths.max())
            found.append(("length", f"{count(low)} bp" if low == high else f"{count(low)} to {count(high)} bp"))
    if given.get("context"):
        found.append(("read around it", f"{count(int(given['context']))} bp on either side"))
    words = {"split": "divided by", "strands": "strands", "center": "centred on", "ambiguous": "ambiguous bases"}
    if kind in NEGATIVES:  # negatives that were given are as many as they are
        words |= {"ratio": "negatives a positive", "train_ratio": "negatives a positive, training"}
    found += [(label, str(given[key])) for key, label in words.items() if given.get(key) not in (None, "")]
    return found


def _chromosomes(run: RunFolder) -> dict[str, str]:
    """Return split -> its chromosomes, in the order of the table."""
    table = run.examples
    if table is None or "chrom" not in table.columns:
        return {}
    found = {}
    for split, rows in table[table["chrom"] != ""].groupby("split", sort=False):
        names = [str(name) for name in rows["chrom"].unique()]
        more = f" and {len(names) - MOST_CHROMOSOMES} more" if len(names) > MOST_CHROMOSOMES else ""
        found[str(split)] = ", ".join(names[:MOST_CHROMOSOMES]) + more
    return found


def _ledger(run: RunFolder) -> dict[str, Any] | None:
    """Return the counts and first rows of data/dropped.tsv; None where the file is absent."""
    table = run.dropped
    if table is None:
        return None
    columns = [column for column in ("id", "chrom", "start", "end", "reason", "source") if column in table.columns]
    used = [column for column in columns if (table[column].astype(str).replace("nan", "") != "").any()]
    rows = [[_cell(value) for value in record] for record in table[used].head(FIRST_ROWS).itertuples(index=False)]
    reasons = [(str(reason), int(n)) for reason, n in table["reason"].value_counts().items()]
    return {"total": len(table), "reasons": reasons, "columns": used, "rows": rows}


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:,.0f}"  # noqa: PLR0124 (NaN is the one number that differs from itself)
    return f"{value:,}" if isinstance(value, int) else str(value)
