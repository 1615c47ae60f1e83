"""What a part of the page is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from markupsafe import Markup

from seqdl.report.folder import RunFolder

Tone = Literal["good", "note", "caution", "serious"]


@dataclass(frozen=True)
class Section:
    """One part of the page, ready for its template.

    Attributes
    ----------
    name : str
        Anchor in the page; ``templates/sections/NAME.html`` draws it.
    title : str
        Heading.
    lede : str
        One or two plain sentences under the heading.
    values : mapping
        What the template is given.
    absent : str
        Why there is nothing to show, in words; empty where there is.
    """

    name: str
    title: str
    lede: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    absent: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture with what is said above it.

    Attributes
    ----------
    title, caption : str
    picture : Markup
        An SVG.
    legend : list of (CSS class, name)
        Of its lines; empty where there is nothing to tell apart.
    """

    title: str
    caption: str
    picture: Markup
    legend: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """One reason to believe the result, or not to.

    Attributes
    ----------
    tone : {"good", "note", "caution", "serious"}
        How much it weighs against the result.
    title : str
        The finding in one short sentence.
    text : str
        What was seen, with its numbers, and what to do.
    """

    tone: Tone
    title: str
    text: str


SectionMaker = Callable[[RunFolder], Section | None]
"""A function from a run to a section; None where the section makes no sense for this kind of run."""
