"""What the audit found before training: leaks, shortcuts, balance."""

from __future__ import annotations

from typing import Any

from seqdl.report.belief_data import FEATURES
from seqdl.report.facts import BASELINES
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import Estimate, count, estimate, number, percent
from seqdl.report.section import Section

KINDS = (
    ("exact", "exact copy", "the same sequence is in training"),
    ("reverse_complement", "reverse complement", "its reverse complement is in training"),
    ("near_copy", "near-copy", "80 % or more of its 24-mers are in training"),
    ("overlap", "overlap", "half or more of its interval is in a training interval"),
    ("leaky", "any of these", "counted once"),
    ("related", "related, no leak", "not 80 %, but half or more of its 24-mers are in training"),
)


def audit(run: RunFolder) -> Section:
    """Return the leak table and the shortcuts."""
    title = "The audit"
    if not run.audit:
        return Section(
            "audit",
            title,
            absent="There is no audit in this run folder (audit.json), "
            "so leaks and shortcuts are unknown. `seqdl audit` on the same inputs makes one.",
        )
    lede = "Made before training; nothing was removed unless --deduplicate was given."
    values = {
        "leaks": leak_table(run.audit.get("leakage")),
        "shortcuts": shortcut_rows(run.audit.get("shortcuts")),
        "baselines": baseline_rows(run.audit.get("baselines")),
        "verdict": run.audit.get("verdict") or [],
        "notes": run.audit.get("notes") or [],
    }
    return Section("audit", title, lede, values)


def leak_table(leakage: Any) -> dict[str, Any] | None:
    """Return the leak table: the heads of its splits, and rows of (kind, meaning, cells, whether it is the total)."""
    if not isinstance(leakage, dict) or not leakage:
        return None
    splits = {"val": "validation", "test": "test"}
    present = [split for split in splits if isinstance(leakage.get(split), dict) and leakage[split].get("n")]
    rows = []
    for kind, words, meaning in KINDS:
        if not any(f"n_{kind}" in leakage[split] for split in present):
            continue
        cells = []
        for split in present:
            n = number(leakage[split].get(f"n_{kind}"))
            cells.append("–" if n is None else "none" if n == 0 else f"{count(n)} ({percent(n / leakage[split]['n'])})")
        rows.append((words, meaning, cells, kind == "leaky"))
    return {"splits": [f"{splits[split]} ({count(leakage[split]['n'])})" for split in present], "rows": rows}


def shortcut_rows(entries: Any) -> list[dict[str, Any]]:
    """Return one row a feature: name, score, is_shortcut, and its means in positives and negatives, all but one in words."""
    rows = []
    for entry in entries if isinstance(entries, list) else []:
        value, low, high = (number(entry.get(key)) for key in ("auroc", "low", "high"))
        name = str(entry.get("name"))
        means = tuple(_mean(name, entry.get(f"{side}_mean")) for side in ("positive", "negative"))
        rows.append(
            {
                "name": FEATURES.get(name, name),
                "score": str(Estimate(value, low, high)) if value is not None else "not defined",
                "is_shortcut": bool(entry.get("is_shortcut")),
                "positives": means[0],
                "negatives": means[1],
            }
        )
    return rows


def baseline_rows(entries: Any) -> list[tuple[str, str, str]]:
    """Return (name, AUROC, what it is) of each baseline that was fitted beside the audit."""
    rows = []
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        value = estimate(entry.get("auroc"))
        rows.append((BASELINES.get(str(name), str(name)), str(value) if value is not None else "not defined", str(entry.get("detail") or "")))
    return rows


def _mean(name: str, value: object) -> str:
    found = number(value)
    if found is None:
        return "–"
    return f"{found:,.4g} bp" if name == "length" else percent(found)
