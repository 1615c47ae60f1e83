"""What the first layer looks for, as logos, named against a database."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from seqdl.errors import SeqdlError
from seqdl.io.motifs import read_motifs
from seqdl.motif.motif import Motif
from seqdl.report.belief_data import SIGNIFICANT, VAGUE_BITS
from seqdl.report.folder import RunFolder
from seqdl.report.inline import inline_svg
from seqdl.report.numbers import decimal, number, plural, probability
from seqdl.report.section import Section

LOGO_BUDGET = 1_200_000
"""Characters of logos a page may hold, so that it can still be mailed; later rows go without."""
FEW_SITES = 20
FIRST_ROWS = 12
"""Rows that are seen before the reader asks for all."""
MOST_FAMILIES = 60
"""Rows of families over several networks; further down are mostly filters of one network that the score does not need."""
BEGAN = {
    "init_motifs": "The filters began as known motifs: that they match these was given to them, and not found.",
    "init": "The filters began as those of another run.",
}
"""What is said of filters that did not begin by chance, by the option of the training."""
BEGAN_APART = (
    "The networks share no weights and began differently, so a motif that several of them found is more believable than one that a single network "
    "found; but all saw the same examples."
)
BEGAN_ALIKE = "All networks began alike, so that several of them hold a motif makes it no more believable."
AGAINST = {"regression": "Lowers the prediction.", "multiclass": "Speaks against the class it matters most for."}
LOST = {"regression": "Pearson r", "multiclass": "AUROC of the class it matters most for,"}
"""What is lost without a filter, by task; AUROC in others."""


@dataclass(frozen=True)
class Row:
    """One motif, ready for the table; numbers are None where unknown, so that sorting puts them last."""

    rank: int
    name: str
    consensus: str
    match_id: str
    match_name: str
    q: float | None
    bits: float | None
    importance: float | None
    share: float
    known: bool
    logo: Markup
    reverse_logo: Markup
    note: str
    members: int | None = None
    of_members: int | None = None

    @property
    def shown(self) -> dict[str, str]:
        """The numbers as they are written."""
        return {"q": probability(self.q), "bits": decimal(self.bits, 1), "importance": decimal(self.importance, 4)}


def motifs(run: RunFolder) -> Section:
    """Return the table of motifs."""
    title = "What it looks for"
    table = run.motifs
    if table is None:
        return Section("motifs", title, absent="There are no motifs in this run folder (motifs/motifs.tsv). `seqdl motifs` on this run makes them.")
    if table.empty:
        return Section("motifs", title, absent="No filter of the first layer fired often enough to make a motif.")
    whole, families, began = table, "of_members" in table, _began(run)
    table = table.head(MOST_FAMILIES) if families else table
    rows = motif_rows(run, table)
    records = whole.to_dict("records")
    known = [record for record in records if _is_known(record)]
    vague = sum((bits := number(record.get("information_bits"))) is not None and bits < VAGUE_BITS for record in records)
    different = len({str(record["match"]).partition(" ")[0] for record in known})
    if families:
        parts = _over_networks(whole, alike=began is not None)
    else:
        parts = [f"{plural(len(rows), 'filter')} of the first layer, as {'a motif' if len(rows) == 1 else 'motifs'}, the most important first."]
    if began is not None:
        parts.append(began)
    if known:
        parts.append(
            f"{len(known)} {'matches' if len(known) == 1 else 'match'} a known motif at q < {SIGNIFICANT:g}"
            + (f", {different} different ones in all." if different > 1 else ".")
        )
    if vague:
        parts.append(f"{vague} {'is' if vague == 1 else 'are'} vague (under {VAGUE_BITS:g} bits): their matches mean little.")
    return Section(
        "motifs",
        title,
        " ".join(parts),
        {
            "rows": rows,
            "first": FIRST_ROWS,
            "families": families,
            "has_importance": any(row.importance is not None for row in rows),
            "lost": LOST.get(run.task, "AUROC"),
        },
    )


def _began(run: RunFolder) -> str | None:
    """Return what the filters began as, in words; None where that was chance."""
    given = run.section("training")
    return next((words for option, words in BEGAN.items() if given.get(option)), None)


def _over_networks(table: pd.DataFrame, *, alike: bool) -> list[str]:
    """Say what the families of filters over the networks of an ensemble are, and how far to believe them."""
    n_networks, n_filters = int(table["of_members"].max()), int(table["filters"].sum())
    shared = int((table["members"] > 1).sum())
    parts = [
        f"{plural(n_filters, 'filter')} of {n_networks} networks, as {plural(len(table), 'motif')}: those that look alike are laid over "
        "each other and make one, named after the sharpest of them. The most important come first.",
        f"{shared} {'was' if shared == 1 else 'were'} found in more than one network. {BEGAN_ALIKE if alike else BEGAN_APART}",
    ]
    if len(table) > MOST_FAMILIES:
        parts.append(f"The first {MOST_FAMILIES} are shown; all are in motifs/motifs.tsv.")
    return parts


def motif_rows(run: RunFolder, table: pd.DataFrame) -> list[Row]:
    """Return the rows, with logos inline as long as the budget lasts."""
    by_name = _read_motifs(run.path / "motifs" / "motifs.meme")
    largest = max((abs(value) for value in (number(v) for v in table.get("importance", [])) if value is not None), default=0.0)
    rows, spent = [], 0
    for rank, record in enumerate(table.to_dict("records"), start=1):
        name = str(record["name"])
        reverse = _is_reverse(record)
        folder = run.path / "motifs" / "logos"
        logo = reverse_logo = ""
        if spent < LOGO_BUDGET:
            logo = _logo(folder / f"{name}.svg", by_name.get(name), prefix=f"logo{rank}-", label=f"logo of {name}")
            if reverse:
                turned = by_name[name].reverse_complement() if name in by_name else None
                reverse_logo = _logo(folder / f"{name}_rc.svg", turned, prefix=f"logo{rank}r-", label=f"reverse complement of the logo of {name}")
            spent += len(logo) + len(reverse_logo)
        rows.append(_row(rank, record, largest=largest, logos=(logo, reverse_logo), task=run.task))
    return rows


def _row(rank: int, record: Mapping[Hashable, Any], *, largest: float, logos: tuple[str, str], task: str) -> Row:
    match_id, _, match_name = str(record.get("match") or "").partition(" ")
    importance = number(record.get("importance"))
    return Row(
        rank=rank,
        name=str(record["name"]),
        consensus=str(record.get("consensus") or ""),
        match_id=match_id,
        match_name=match_name or match_id,
        q=number(record.get("match_q")) if match_id else None,
        bits=number(record.get("information_bits")),
        importance=importance,
        share=max(0.0, importance) / largest if importance is not None and largest else 0.0,
        known=_is_known(record),
        logo=Markup(logos[0]),
        reverse_logo=Markup(logos[1]),
        note=_note(record, match_id, task),
        members=_whole(record.get("members")),
        of_members=_whole(record.get("of_members")),
    )


def _whole(value: Any) -> int | None:
    """Return a count, or None where there is none."""
    found = number(value)
    return None if found is None else round(found)


def _is_known(record: Mapping[Hashable, Any]) -> bool:
    q = number(record.get("match_q"))
    return bool(record.get("match")) and q is not None and q < SIGNIFICANT


def _is_reverse(record: Mapping[Hashable, Any]) -> bool:
    """Tell whether the motif is to be shown turned round too: where a match that counts lies on the other strand."""
    return _is_known(record) and record.get("strand") == "-"


def _note(record: Mapping[Hashable, Any], match_id: str, task: str = "") -> str:
    """Say in words what to make of a motif."""
    bits, sites = (number(record.get(key)) for key in ("information_bits", "n_sites"))
    importance, direction = number(record.get("importance")), number(record.get("direction"))
    notes = []
    if bits is not None and bits < VAGUE_BITS:
        notes.append("Vague filter: a match to it means little." if match_id else "Vague filter.")
    elif not _is_known(record):
        notes.append("Like no known motif.")
    elif isinstance(also := record.get("also_matches"), str) and also:
        others = [label.partition(" ")[2] or label for label in also.split("; ")]
        notes.append(f"Also like {', '.join(dict.fromkeys(others))} (q < .01).")
    if _is_known(record) and isinstance(shared := record.get("match_family"), str) and shared:
        notes.append(f"Family of what it is like: {shared}.")
    together, family = number(record.get("family_importance")), str(record.get("family") or "")
    if together is not None and importance is not None and together > importance:
        leads = family == record.get("name")
        notes.append(f"{'With those that look like it' if leads else f'Looks like {family}; together'} {decimal(together, 3)}.")
    if sites is not None and sites < FEW_SITES:
        notes.append(f"Made of {plural(round(sites), 'site')} only.")
    if importance is not None and importance <= 0:
        notes.append("The score does not need it.")
    elif direction is not None and direction < 0:
        notes.append(AGAINST.get(task, "Speaks against the positive class."))
    return " ".join(notes)


def _logo(path: Path, motif: Motif | None, *, prefix: str, label: str) -> str:
    """Return a logo from its file, or drawn anew from the motif; empty where there is neither."""
    if path.is_file():
        return inline_svg(path.read_text(encoding="utf-8"), prefix=prefix, label=label, source=str(path))
    if motif is None:
        return ""
    from seqdl.plot.svg_logos import logo_svg

    return inline_svg(logo_svg(motif), prefix=prefix, label=label)


def _read_motifs(path: Path) -> dict[str, Motif]:
    """Return the motifs by name; none where the file is absent or broken, for the table says enough without."""
    if not path.is_file():
        return {}
    try:
        return {motif.name: motif for motif in read_motifs(path)}
    except SeqdlError:
        return {}


def best_logo(run: RunFolder) -> tuple[str, Markup] | None:
    """Return (caption, logo) of the motif that stands for the run: the most important sharp one with a known match."""
    table = run.motifs
    if table is None or table.empty:
        return None
    rows = motif_rows(run, table.head(12))
    known = [row for row in rows if row.known and (row.bits or 0) >= VAGUE_BITS]
    best = (known or rows)[0]
    logo = best.reverse_logo or best.logo
    if not logo:
        return None
    match = f"matches {best.match_name}" if best.known else "like no known motif"
    return f"{best.name}, {match}", Markup(re.sub(r"\blogo(\d+r?)-", r"head\1-", logo))
