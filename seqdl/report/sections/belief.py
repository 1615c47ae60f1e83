"""How far to believe the run, in plain language."""

from __future__ import annotations

from seqdl.report.folder import RunFolder
from seqdl.report.section import Section
from seqdl.report.verdict import findings

WORDS = {"serious": "Against it", "caution": "Take care", "note": "Keep in mind", "good": "In its favour"}


def belief(run: RunFolder) -> Section:
    """Return the findings: against, for, and to keep in mind."""
    title = "How far to believe this"
    found = findings(run)
    if not found:
        return Section("belief", title, absent="There are no metrics and no audit in this run folder, so there is nothing to judge by.")
    lede = "Worked out from the numbers of this run: baselines, leaks, shortcuts, sample sizes, training and calibration."
    return Section("belief", title, lede, {"findings": found, "words": WORDS})
