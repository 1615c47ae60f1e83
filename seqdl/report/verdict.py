"""The verdict: all findings, and the one sentence at the head of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seqdl.report import belief, belief_data
from seqdl.report.facts import BASELINES, baselines, class_counts, headline_measures, judged_by, label_of, score
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import plural
from seqdl.report.section import Finding, Tone

JUDGES: tuple[Callable[[RunFolder], list[Finding]], ...] = (
    belief.against_baselines,
    belief.other_measures,
    belief.latents,
    belief.samples,
    belief_data.leaks,
    belief_data.related,
    belief_data.shortcuts,
    belief_data.contradictions,
    belief.sample_size,
    belief.training,
    belief_data.motifs,
    belief.calibration,
    belief.scale,
    belief.missed_classes,
    belief_data.split,
    belief_data.dropped,
    belief_data.negatives,
    belief.rarity,
    belief.one_seed,
)
"""A new reason to believe or to doubt is a function in this list."""
ORDER: tuple[Tone, ...] = ("serious", "caution", "good", "note")


@dataclass(frozen=True)
class Verdict:
    """The head of the page.

    Attributes
    ----------
    tone : {"good", "note", "caution", "serious"}
        How far to believe the run at a glance.
    headline : str
        A few words.
    sentence : str
        The number behind them.
    """

    tone: Tone
    headline: str
    sentence: str


def findings(run: RunFolder) -> list[Finding]:
    """Return every finding: what speaks against the run, for it, and what is to be kept in mind; each in the order of `JUDGES`."""
    found = [finding for judge in JUDGES for finding in judge(run)]
    return sorted(found, key=lambda finding: ORDER.index(finding.tone))


def verdict(run: RunFolder) -> Verdict:
    """Return the verdict on a run."""
    measures = headline_measures(run)
    if not measures:
        return Verdict("note", "Not scored yet", "This run folder holds no test metrics, so nothing can be said about how good the network is.")
    found = findings(run)
    worst = next((finding for finding in found if finding.tone in ("serious", "caution")), None)
    sentence = _numbers(run, measures[0])
    if ignored := belief.latents(run):
        return Verdict(ignored[0].tone, ignored[0].title, ignored[0].text)
    if judged_by(run) is None:
        return _of_samples(run) or Verdict("note", f"{label_of(measures[0])} {score(run, measures[0])}", sentence)
    better = any(finding.title.startswith("Better than every") for finding in found)
    if worst is None:
        headline = "Better than every baseline, and no check speaks against it" if better else "No check speaks against it"
        return Verdict("good", headline, sentence)
    if worst.tone == "serious" or not better:
        return Verdict(worst.tone, worst.title, sentence)
    return Verdict("caution", f"Better than every baseline, but {worst.title[0].lower()}{worst.title[1:]}", sentence)


def _of_samples(run: RunFolder) -> Verdict | None:
    """Return what the report card of a generator says of its samples, in words; None where there is no card."""
    found = belief.samples(run)
    if not found:
        return None
    words = str(run.metrics["verdict"]["text"])
    against = [finding for finding in found if finding.tone in ("serious", "caution")]
    return Verdict(against[0].tone, against[0].title, words) if against else Verdict("good", "Nothing tells its samples from real sequences", words)


def _numbers(run: RunFolder, measure: str) -> str:
    """Write the leading measure with its interval, beside the strongest baseline."""
    n = sum(class_counts(run).get("test", {}).values())
    on = f"on {plural(n, 'held-out example')}" if n else "on the test set"
    label = label_of(measure)
    words = f"{label[0].upper()}{label[1:]} {score(run, measure)} {on}"
    rivals = {name: value for name, value in baselines(run, measure).items() if name != "real"}  # the floor, which no baseline can pass
    if not rivals:
        return f"{words}; there is no baseline to hold it against."
    name, best = next(iter(rivals.items()))
    return f"{words}; the strongest baseline, the {BASELINES.get(name, name)}, reaches {best}."
