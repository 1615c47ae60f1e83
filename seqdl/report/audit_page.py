"""Build audit.html: the data and the audit sections of the report, for examples that no network has seen."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from seqdl.io.files import writing
from seqdl.report.belief_data import FEATURES, contradictions, dropped, leaks, related, shortcuts
from seqdl.report.facts import class_counts, subject
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import Estimate, count, decimal, estimate, number, percent
from seqdl.report.page import Head, composition, render
from seqdl.report.section import Finding
from seqdl.report.sections.audit import audit
from seqdl.report.sections.data import data
from seqdl.report.verdict import ORDER, Verdict

SECTIONS = (audit, data)


class AuditFolder(RunFolder):
    """The files of an audit: audit.json, which also says how the examples were made, and data/."""

    marks: ClassVar[tuple[str, ...]] = ("audit.json",)

    @cached_property
    def config(self) -> dict[str, Any]:
        """How the examples were made; empty where they came from Python."""
        return {"data": self.audit.get("data") or {}}

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What there is to count: the examples of each split."""
        return {"n": self.audit.get("n") or {}}


def build_audit_page(folder: Path) -> Path:
    """Write the audit in a folder as one HTML page that fetches nothing.

    Parameters
    ----------
    folder : Path
        Holds audit.json, data/examples.tsv and data/dropped.tsv.

    Returns
    -------
    Path
        ``FOLDER/audit.html``.

    Raises
    ------
    MissingFileError, InputError, FormatError
        If the folder or its files are not what they should be.
    """
    page = render(AuditFolder(folder), SECTIONS, heading=head)
    target = folder / "audit.html"
    with writing(target, force=True) as stream:
        stream.write(page)
    return target


def head(run: RunFolder) -> Head:
    """Return the head of the page."""
    question = "What is wrong with these examples, before a network sees them?"
    return Head(subject(run), question, verdict(run), _figures(run), kind="audit", more=("audit", "What was found"))


def verdict(run: RunFolder) -> Verdict:
    """Return the worst that was found, or that nothing was."""
    found = [finding for judge in (leaks, shortcuts, related, contradictions, dropped) for finding in judge(run)]
    against = sorted((finding for finding in found if finding.tone in ("serious", "caution")), key=lambda finding: ORDER.index(finding.tone))
    if against:
        return Verdict(against[0].tone, _headline(against), against[0].text)
    if not (run.audit.get("leakage") or {}).get("test", {}).get("n") or not any(number(entry.get("auroc")) for entry in run.audit["shortcuts"]):
        return Verdict("note", "Only in part audited", "Leaks need a test set, and shortcuts two classes in it.")
    return Verdict("good", "Neither a leak nor a shortcut", " ".join(finding.text for finding in found if finding.tone == "good"))


def _headline(against: list[Finding]) -> str:
    first, *others = against
    return f"{first.title}, and more" if len(others) > 1 else f"{first.title}. {others[0].title}" if others else first.title


def _figures(run: RunFolder) -> list[tuple[str, str, str]]:
    """Return the few numbers at the head of the page."""
    found = []
    test = (run.audit.get("leakage") or {}).get("test") or {}
    if test.get("n"):
        found.append(("test examples that leak", percent(test["n_leaky"] / test["n"]), f"{count(test['n_leaky'])} of {count(test['n'])}"))
    measured = [entry for entry in run.audit.get("shortcuts") or [] if number(entry.get("auroc")) is not None]
    if measured:
        best = max(measured, key=lambda entry: float(entry["auroc"]))
        score = Estimate(best["auroc"], best["low"], best["high"])
        found.append((f"AUROC of {FEATURES.get(best['name'], best['name'])}", decimal(score.value), f"95 % interval {score.interval}"))
    kmers = estimate(((run.audit.get("baselines") or {}).get("kmer") or {}).get("auroc"))
    if kmers is not None:
        found.append(("AUROC of k-mers, a baseline", decimal(kmers.value), f"95 % interval {kmers.interval}"))
    counts = class_counts(run)
    total: dict[str, int] = {}
    for split in counts.values():
        for name, n in split.items():
            total[name] = total.get(name, 0) + n
    if total:
        found.append(("examples", count(sum(total.values())), composition(total)))
    return found
