"""Build card.html: the report card of synthetic sequences as a page."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePath
from typing import Any, ClassVar

import numpy as np
from markupsafe import Markup

from seqdl.io.files import writing
from seqdl.motif.motif import Motif
from seqdl.plot.svg_logos import logo_svg
from seqdl.report import judge_charts
from seqdl.report.folder import RunFolder
from seqdl.report.inline import inline_svg
from seqdl.report.numbers import count, decimal, number, percent
from seqdl.report.page import Head, render
from seqdl.report.section import Finding, Section
from seqdl.report.sections.belief import WORDS
from seqdl.report.verdict import ORDER, Verdict

NAMES = {**{f"markov{k}": f"Markov order {k}" for k in range(6)}, "positions": "bases by position", "dinucleotide_shuffle": "dinucleotide shuffle"}
DRAWN = (("markov1", "gc"), ("markov3", "kmer"), ("markov5", "pwm"))
CLASSIFIERS = (("network", "CNN", "cnn"), ("kmer", "4-mers", "kmer"))
SHIFTED_Z = 5.0
LEGEND = [("network", "samples"), ("positive", "held-out real sequences")]


class CardFolder(RunFolder):
    """The files of a card: card.json."""

    marks: ClassVar[tuple[str, ...]] = ("card.json",)

    @cached_property
    def card(self) -> dict[str, Any]:
        """What card.json holds."""
        import json

        return self._mapping("card.json", json.loads)

    @cached_property
    def config(self) -> dict[str, Any]:
        """Nothing: a card has no config."""
        return {}

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The figures of the samples, of held-out real sequences and of each generator that there are figures of, by name."""
        others = {NAMES.get(key, key): row for key, row in self.card["baselines"].items() if row}
        return {"samples": self.card["sample"], "real, held out": self.card["real"], **others}


def build_judge_page(folder: Path) -> Path:
    """Write the card in a folder as one HTML page that fetches nothing.

    Parameters
    ----------
    folder : Path
        Holds card.json.

    Returns
    -------
    Path
        ``FOLDER/card.html``.

    Raises
    ------
    MissingFileError, InputError, FormatError
        If the folder or its file is not what it should be.
    """
    run = CardFolder(folder)
    page = render(run, SECTIONS, heading=head)  # type: ignore[arg-type]  # every section here is given this very folder
    target = folder / "card.html"
    with writing(target, force=True) as stream:
        stream.write(page)
    return target


def head(run: CardFolder) -> Head:
    """Return the head of the page."""
    name = PurePath(str(run.card["settings"].get("samples") or "")).name
    subject = name.split(".")[0] or "Synthetic sequences"
    question = "Could these synthetic sequences pass for real ones?"
    return Head(subject, question, card_verdict(run), _head_figures(run), kind="card", more=("belief", "What speaks for and against them"))


def card_verdict(run: CardFolder) -> Verdict:
    """Return the worst that was found in a headline, and the verdict in words."""
    found = findings(run)
    against = [finding for finding in found if finding.tone in ("serious", "caution")]
    text = str(run.card["verdict"]["text"])
    if not against:
        return Verdict("good", "Nothing tells them from real sequences", text)
    more = f", and {len(against) - 1} more" if len(against) > 1 else ""
    return Verdict(against[0].tone, f"{against[0].title}{more}", text)


def findings(run: CardFolder) -> list[Finding]:
    """Return what speaks for and against the samples, the worst first."""
    found = [Finding(entry["tone"], entry["title"], entry["text"]) for entry in run.card["verdict"]["findings"]]
    return sorted(found, key=lambda finding: ORDER.index(finding.tone))


def _head_figures(run: CardFolder) -> list[tuple[str, str, str]]:
    own, real = run.card["sample"], run.card["real"]
    found = []
    for _, words, key in CLASSIFIERS:
        value, floor = judge_charts.estimate_of(own, key), judge_charts.estimate_of(real, key)
        if value is not None:
            found.append(
                (f"AUROC of {'a fresh CNN' if key == 'cnn' else words}", decimal(value.value), f"real against real {decimal(floor and floor.value)}")
            )
    near, real_near = own["diversity"]["nearest_median"], real["diversity"]["nearest_median"]
    digits = 0 if run.card["settings"].get("unit") == "mismatches" else 2
    found.append(("nearest other sample", decimal(near, digits), f"real sequences {decimal(real_near, digits)} ({run.card['settings']['unit']})"))
    copies = own["novelty"]["near_rate"]
    found.append(("copies of training, or near", percent(copies), f"real sequences {percent(real['novelty']['near_rate'])}"))
    return found[:4]


def belief(run: CardFolder) -> Section:
    """Return the findings."""
    lede = (
        "Each figure of the samples is held against the same figure of real sequences that were held out: their distance from the other real "
        "ones is the best that can be reached."
    )
    return Section("belief", "What speaks for and against them", lede, {"findings": findings(run), "words": WORDS})


def card_tests(run: CardFolder) -> Section:
    """Return how well each set is told from real sequences, and the table of figures."""
    told = []
    for name, row in run.rows.items():
        scores = [(mark, words, judge_charts.estimate_of(row, key)) for mark, words, key in CLASSIFIERS]
        told.append(judge_charts.Told(name, name == "samples", [score for score in scores if score[2] is not None]))
    has_cnn = any(words == "CNN" for row in told for _, words, _ in row.scores)
    legend = [(mark, words) for mark, words, key in CLASSIFIERS if key == "kmer" or has_cnn]
    lede = (
        "A classifier that has never seen a sequence says whether it is real. The simple generators show what the figures are worth: a sample "
        "that does no better than a Markov chain has learnt no more than its words."
    )
    values = {
        "picture": Markup(judge_charts.ladder(told)),
        "legend": legend,
        "cnn": has_cnn,
        "tables": [(caption, [words for words, *_ in columns], _table(run, columns)) for caption, columns in TABLES],
    }
    return Section("card_tests", "Beside real sequences and simple generators", lede, values)


Column = tuple[str, str, str, int]
LIKENESS: tuple[Column, ...] = (
    ("3-mers, bits", "kmers", "js_3", 4),
    ("6-mers, bits", "kmers", "js_6", 4),
    ("GC, KS", "composition", "gc_ks", 3),
    ("base by position", "composition", "position_distance", 3),
    ("motif rates, |log2|", "motifs", "rate_error", 2),
    ("motif places, r", "motifs", "position_r", 2),
    ("motif pairs off", "motifs", "pairs_off", 0),
)
VARIETY: tuple[Column, ...] = (
    ("nearest other", "diversity", "nearest_median", -1),
    ("nearest in training", "novelty", "nearest_median", -1),
    ("near copies", "novelty", "near_rate", -2),
    ("longest run, bp", "novelty", "run_median", 0),
    ("precision", "embedding", "precision", 2),
    ("recall", "embedding", "recall", 2),
)
"""Heading, group, figure, decimals; -1 is a distance, -2 a share."""
TABLES = (("What they are made of, each set against the same real sequences", LIKENESS), ("How varied and how new they are", VARIETY))


def _table(run: CardFolder, columns: tuple[Column, ...]) -> list[tuple[str, bool, list[str]]]:
    """Return (name, whether these are the samples, cells) of every set."""
    far = 0 if run.card["settings"].get("unit") == "mismatches" else 2
    found = []
    for name, row in run.rows.items():
        cells = []
        for _, group, figure, digits in columns:
            value = (row.get(group) or {}).get(figure)
            cells.append(percent(value) if digits == -2 else decimal(value, far if digits == -1 else digits))
        found.append((name, name == "samples", cells))
    return found


def card_composition(run: CardFolder) -> Section:
    """Return k-mer spectra, GC content, lengths, bases by position, and the words that are off."""
    card = run.card
    series = [("samples", "network", card["sample"]), ("real, held out", "positive", card["real"])]
    series += [(NAMES[key], mark, card["baselines"][key]) for key, mark in DRAWN if card["baselines"].get(key)]
    by_k = [(name, mark, {int(key[3:]): value for key, value in row["kmers"].items() if number(value) is not None}) for name, mark, row in series]
    pictures = [("Words", "How far the k-mer spectrum is from the real one, by length.", judge_charts.spectra([one for one in by_k if one[2]]))]
    curves = card["curves"]
    pictures.append(("GC content", "Of each sequence.", judge_charts.pair(curves["gc"], "GC content", share=True)))
    if curves.get("length"):
        pictures.append(("Length", "Of each sequence.", judge_charts.pair(curves["length"], "Length (bp)")))
    if curves.get("positions"):
        pictures += [(f"{'ACGT'[b]} by position", "", judge_charts.positions(curves["positions"], b)) for b in range(4)]
    shown = [entry for entry in curves["kmers"] if abs(entry["z"]) >= SHIFTED_Z]
    words = []
    for title, some in (("too rare", [e for e in shown if e["z"] < 0]), ("too frequent", [e for e in reversed(shown) if e["z"] > 0])):
        if some:
            words.append((title, [(e["kmer"], judge_charts.per_kb(e["sample"]), judge_charts.per_kb(e["real"]), decimal(e["z"], 0)) for e in some]))
    lede = "What the sequences are made of. A Markov chain wins here by construction: these figures are needed, and never enough."
    values = {"legend": [*LEGEND, *((mark, NAMES[key]) for key, mark in DRAWN)], "pictures": _marked(pictures), "words": words}
    return Section("card_composition", "Composition", lede, values)


def card_motifs(run: CardFolder) -> Section:
    """Return the table of motifs."""
    title, rows = "Motifs", run.card["motifs"]
    if not rows:
        return Section(
            "card_motifs", title, absent=next((note for note in run.card["notes"] if "motif content" in note), "No motifs were looked for.") + "."
        )
    table = []
    for i, row in enumerate(rows):
        motif = Motif(row["name"], np.array(row["pfm"]))
        ratio = float(row["ratio"])
        table.append(
            {
                "name": row["name"],
                "logo": Markup(inline_svg(logo_svg(motif, height=76), prefix=f"m{i}-", label=f"logo of {row['name']}")),
                "rate": percent(row["rate"]),
                "real": percent(row["real_rate"]),
                "ratio": decimal(ratio, 2),
                "width": 100 * min(1.0, ratio / 2),
                "off": "too rare" if ratio < 0.5 and row["z"] < -4 else "too frequent" if ratio > 2 and row["z"] > 4 else "",
                "place": decimal(row["position_r"], 2) if row["placed"] else "anywhere",
                "real_place": decimal(row["held_out_position_r"], 2) if row["placed"] else "",
            }
        )
    lede = (
        "Share of the sequences with a site, and where sites stand. Motifs at free positions are learnt last, and a CNN that tells real from "
        "synthetic hardly sees them."
    )
    return Section("card_motifs", title, lede, {"rows": table})


def card_distances(run: CardFolder) -> Section:
    """Return how near samples lie to each other and to what the generator has seen."""
    own, real, unit = run.card["sample"], run.card["real"], run.card["settings"]["unit"]
    curves = run.card["curves"]["distances"]
    pictures = [
        (
            "To the nearest other sequence of the set",
            "A heap at the left is collapse: many sequences from few.",
            judge_charts.pair(curves["other"], unit.capitalize()),
        ),
        ("To the nearest training sequence", "A heap at the left is copying.", judge_charts.pair(curves["known"], unit.capitalize())),
    ]
    rows = [
        (
            "nearer to another sample than .5 % of real sequences are",
            percent(own["diversity"]["nearer_than_real"]),
            percent(real["diversity"]["nearer_than_real"]),
        ),
        ("exact copies of another sample", percent(own["diversity"]["duplicate_rate"]), percent(real["diversity"]["duplicate_rate"])),
        ("training sequences, letter by letter", count(own["novelty"]["exact_copies"]), count(real["novelty"]["exact_copies"])),
        ("within a tenth of the bases of a training sequence", percent(own["novelty"]["near_rate"]), percent(real["novelty"]["near_rate"])),
        (
            "nearer to training than .5 % of real sequences are",
            percent(own["novelty"]["nearer_than_real"]),
            percent(real["novelty"]["nearer_than_real"]),
        ),
        ("longest run shared with training, median and most, bp", _runs(own), _runs(real)),
    ]
    lede = "Unique sequences alone do not show collapse: a collapsed generator writes the same few with a base or two changed."
    return Section("card_distances", "Variety and novelty", lede, {"legend": LEGEND, "pictures": _marked(pictures), "rows": rows})


def _runs(row: dict[str, Any]) -> str:
    return f"{decimal(row['novelty']['run_median'], 0)} and {count(row['novelty']['run_longest'])}"


def card_notes(run: CardFolder) -> Section:
    """Return how the card was made."""
    settings = run.card["settings"]
    lede = f"{count(settings['n'])} sequences of each kind were compared; seed {settings['seed']}."
    notes = [f"{note[0].upper()}{note[1:]}." for note in run.card["notes"]]
    return Section("card_notes", "How it was made", lede, {"notes": notes, "command": settings.get("command") or "", "predictor": _predictor(run)})


def _predictor(run: CardFolder) -> list[tuple[str, str, str, str]]:
    """Return output, mean of the samples, mean of real sequences and distance, where a predictor was given."""
    own, real = run.card["sample"].get("predictor") or {}, run.card["real"].get("predictor") or {}
    return [(name, decimal(row["mean"], 2), decimal(real[name]["mean"], 2), decimal(row["ks"], 2)) for name, row in own.items()]


def _marked(pictures: list[tuple[str, str, str]]) -> list[tuple[str, str, Markup]]:
    return [(title, caption, Markup(picture)) for title, caption, picture in pictures]


SECTIONS = (belief, card_tests, card_composition, card_motifs, card_distances, card_notes)
