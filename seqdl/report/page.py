"""The page: which sections it has, in which order, and what stands at its head."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from seqdl.plot.letters import COLOURS
from seqdl.report import charts
from seqdl.report.along import along_question
from seqdl.report.facts import ALONG, NEGATIVES, class_counts, headline_measures, is_binary, label_of, negatives_kind, quantity, score, steps, subject
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import count, decimal, duration, number, plural
from seqdl.report.section import Section, SectionMaker
from seqdl.report.sections.along import along
from seqdl.report.sections.audit import audit
from seqdl.report.sections.belief import belief
from seqdl.report.sections.curves import curves
from seqdl.report.sections.data import data
from seqdl.report.sections.learned import learned
from seqdl.report.sections.motifs import best_logo, motifs
from seqdl.report.sections.performance import performance
from seqdl.report.sections.repeat import repeat
from seqdl.report.sections.tracks import tracks
from seqdl.report.sections.training import training
from seqdl.report.verdict import Verdict, verdict

if TYPE_CHECKING:
    from jinja2 import Environment

SECTIONS: tuple[SectionMaker, ...] = (performance, learned, belief, curves, along, motifs, tracks, training, data, audit, repeat)
"""The parts of the page in their order. A new part is a function in this list and a template of its name."""

OF_TARGETS: tuple[SectionMaker, ...] = (curves, motifs, tracks)
"""The parts that make no sense of a network without targets."""

UNLABELLED = {
    "language": "How much of a base can a network tell from its neighbours?",
    "autoencoder": "How well do a few numbers stand for a sequence?",
    "generator": "Can a network write sequences that pass for real ones?",
}
"""What is asked of a network without targets."""

MOST_NAMED = 4
"""More classes than this are counted, not named."""


@dataclass(frozen=True)
class Head:
    """What is to be seen at a glance.

    Attributes
    ----------
    subject, question : str
        What the run is about.
    verdict : Verdict
        The answer in a sentence.
    figures : list of (label, value, remark)
        The few numbers that matter.
    logo : (caption, picture) or None
        The motif that stands for the run.
    ribbon : Markup
        One test sequence as a coloured strip; empty where there is none.
    kind : str
        What the page is called.
    more : (section, words)
        Where the reasons for the verdict stand.
    """

    subject: str
    question: str
    verdict: Verdict
    figures: list[tuple[str, str, str]]
    logo: tuple[str, Markup] | None = None
    ribbon: Markup | str = ""
    kind: str = "report"
    more: tuple[str, str] = ("belief", "How far to believe this")


def render(run: RunFolder, sections: Sequence[SectionMaker] = SECTIONS, *, heading: Callable[[RunFolder], Head] | None = None) -> str:
    """Return the page as text.

    Parameters
    ----------
    run : RunFolder
        What to report on.
    sections : sequence of functions, optional
        The parts of the page, in their order.
    heading : function, optional
        Makes the head of the page; by default that of a training run.

    Returns
    -------
    str
        One HTML document that fetches nothing.
    """
    unlabelled = run.metrics.get("family") not in (None, "supervised")
    made = [section for maker in sections if not (unlabelled and maker in OF_TARGETS) and (section := maker(run)) is not None]
    template = _environment().get_template("page.html")
    return template.render(
        head=(heading or head)(run),
        sections=made,
        css=_asset("report.css"),
        js=_asset("report.js"),
        colours=COLOURS,
        version=(run.manifest.get("versions") or {}).get("seqdl", ""),
        task=run.task,
    )


def head(run: RunFolder) -> Head:
    """Return the head of the page."""
    return Head(subject(run), _question(run), verdict(run), _figures(run), best_logo(run), _ribbon(run))


def _question(run: RunFolder) -> str:
    given = run.section("data")
    window = number(given.get("window")) if given.get("genome") else None  # sequences from files have lengths of their own
    size = f"{window + 2 * (number(given.get('context')) or 0):g} bp of DNA" if window else "a DNA sequence"
    if run.task == "regression":
        return f"Can a network predict {quantity(run)} from nothing but {size}?"
    if run.task in ALONG or run.task == "counts":
        return along_question(run, size)
    if run.task == "multiclass":
        n = len(run.outputs)
        names = f"{n} classes" if n > MOST_NAMED else " and ".join([", ".join(run.outputs[:-1]), run.outputs[-1]])
        return f"Can a network tell {names} apart by nothing but {size}?"
    if is_binary(run) and len(run.outputs) > 1:
        return f"Can a network tell {len(run.outputs)} labels of a sequence, each yes or no, from nothing but {size}?"
    if not is_binary(run):
        return UNLABELLED.get(str(run.metrics.get("family")), f"A network trained on DNA sequence; the task is {run.task or 'network'}.")
    other = NEGATIVES.get(negatives_kind(run), "the negatives given")
    return f"Can a network tell {subject(run)} from {other} by nothing but {size}?"


def _figures(run: RunFolder) -> list[tuple[str, str, str]]:
    """Return the few numbers at the head of the page."""
    found = []
    for measure in headline_measures(run):
        value = score(run, measure)
        if value is not None:
            label = label_of(measure)
            found.append((f"{label[0].upper()}{label[1:]}, test", decimal(value.value), f"95 % interval {value.interval}" if value.interval else ""))
    counts = class_counts(run)
    if counts.get("test"):
        found.append(("test examples", count(sum(counts["test"].values())), composition(counts["test"])))
    if counts.get("train"):
        found.append(("training examples", count(sum(counts["train"].values())), composition(counts["train"])))
    if len(found) < 4 and steps(run):
        found.append(("training", plural(steps(run) or 0, "step"), duration(run.manifest.get("seconds")) if run.manifest.get("seconds") else ""))
    return found


def composition(counts: dict[str, int]) -> str:
    """Return how many of each class there are, in words; empty where there is one."""
    if len(counts) > MOST_NAMED:
        return f"{len(counts)} classes of {count(min(counts.values()))} to {count(max(counts.values()))}"
    return ", ".join(f"{count(n)} {name}" for name, n in counts.items()) if len(counts) > 1 else ""


def _ribbon(run: RunFolder) -> Markup:
    if run.tracks is None or not run.tracks.names:
        return Markup("")
    best = int(run.tracks.prediction.argmax()) if run.tracks.prediction.dtype.kind == "f" else 0
    return Markup(charts.ribbon(run.tracks.codes[best].tolist(), run.tracks.attributions[best].sum(axis=0)))


def prose(text: str) -> Markup:
    """Return a sentence as HTML, with flags and what stands between backquotes set as code, and intervals kept on one line.

    Examples
    --------
    >>> prose("5 < 6: try --folds 5, or `seqdl compare`.")
    Markup('5 &lt; 6: try <code>--folds 5</code>, or <code>seqdl compare</code>.')
    """
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    flagged = re.sub(r"(?<![\w-])(--[a-z][a-z-]*(?:\.[a-z_]+)?(?: \d+(?:\.\d+)?)?)", r"<code>\1</code>", marked)
    return Markup(re.sub(r"\(?\d[\d.]*–\d[\d.]*\d\)?", r'<span class="whole">\g<0></span>', flagged))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("seqdl.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters.update(count=count, decimal=decimal, prose=prose)
    return environment


def _asset(name: str) -> Markup:
    return Markup((resources.files("seqdl.report") / "static" / name).read_text(encoding="utf-8"))


__all__ = ["SECTIONS", "Head", "Section", "head", "render"]
