"""From the figures of a report card to words: what the sequences can be used for, and what they lack."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from seqdl.evaluate.diversity import Collapse

Figures = dict[str, Any]
Tone = Literal["good", "note", "caution", "serious"]

SLIGHT, PLAIN = 0.55, 0.65
"""AUROC of a classifier up to which sets pass as one, and above which they are plainly two."""
GUARD_Z = 3.0
"""Standard errors that an AUROC has to lie above .5 before it speaks against the samples."""
COPY_P, COPY_RATE = 1e-3, 1e-3
"""Copies speak against the samples where the chance of so many more than among real sequences is below the first, and their surplus above
the second."""
JS_3, GC_KS, LENGTH_KS, POSITION = 0.003, 0.1, 0.1, 0.02
"""Surplus over the noise floor of the 3-mer divergence (bits) and of base by position; distance of the GC contents and of the lengths."""
POSITION_R = 0.2
"""How far the correlation of where sites begin may lie below that of held-out real sequences."""
COVERED = 0.15
SCORE_KS = 0.15
NAMED = 4
CLASSIFIERS = ("classifier", "kmers")
BASELINES = {
    **{f"markov{order}": f"a Markov chain of order {order}" for order in range(6)},
    "positions": "base frequencies by position",
    "dinucleotide_shuffle": "a dinucleotide shuffle",
}


@dataclass(frozen=True)
class Remark:
    """One thing that speaks for or against the samples.

    Attributes
    ----------
    check : str
        What was looked at: collapse, copies, composition, kmers, motifs, classifier, coverage, predictor.
    tone : {"good", "note", "caution", "serious"}
    title, text : str
        In a few words, and with its numbers.
    lacks : str
        What the samples lack, for the list of what is missing; empty where nothing is.
    """

    check: str
    tone: Tone
    title: str
    text: str
    lacks: str = ""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a verdict is made of."""

    sample: Figures
    real: Figures
    baselines: Mapping[str, Figures | None]
    collapse: Collapse
    motifs: Sequence[Figures]


def verdict(sample: Figures, real: Figures, baselines: Mapping[str, Figures | None], *, collapse: Collapse, motifs: Sequence[Figures]) -> Figures:
    """Come to a verdict.

    Parameters
    ----------
    sample, real : dict
        The figures of the samples and of held-out real sequences.
    baselines : dict of str to dict or None
        Those of the simple generators.
    collapse : Collapse
    motifs : sequence of dict
        Rows of motifs: name, ratio, z.

    Returns
    -------
    dict
        "collapsed", "copies": bool; "told_apart": bool; "text"; "usable", "missing": lists of str; "findings": list of check, tone, title, text.
    """
    evidence = Evidence(sample, real, baselines, collapse, motifs)
    remarks = [remark for look in LOOKS for remark in look(evidence)]
    against = {remark.check for remark in remarks if remark.tone in ("serious", "caution")}
    usable = _usable(against, sample)
    missing = [remark.lacks for remark in sorted(remarks, key=lambda remark: remark.check in CLASSIFIERS) if remark.lacks]
    order = ("serious", "caution", "good", "note")
    return {
        "collapsed": collapse.collapsed,
        "copies": "copies" in against,
        "told_apart": "classifier" in against or "kmers" in against,
        "text": _text(evidence, against, usable=usable, missing=missing),
        "usable": usable,
        "missing": missing,
        "findings": [asdict(remark) for remark in sorted(remarks, key=lambda remark: order.index(remark.tone))],
    }


def _usable(against: set[str], sample: Figures) -> list[str]:
    """Return what the samples can be used for."""
    if "collapse" in against:
        return []
    found = []
    if "composition" not in against:
        found.append("background sequences of the right composition")
    if not against & {"composition", "kmers", "motifs"}:
        found.append("sequences in which words and motifs are as frequent as in real ones")
    if not against & {"composition", "kmers", "motifs", "classifier", "coverage", "predictor"} and sample["two_sample"].get("cnn"):
        found.append("in place of real sequences, for instance to train on or to hold a method against")
    return [] if "copies" in against else found


def _text(evidence: Evidence, against: set[str], *, usable: list[str], missing: list[str]) -> str:
    """Return the verdict as sentences."""
    if "collapse" in against:
        parts = [f"Collapsed: {evidence.collapse.reason}. Not usable as a set of sequences."]
    elif "copies" in against:
        parts = ["Not usable as new sequences: more of them than of real sequences are copies, or near copies, of training sequences."]
    elif usable:
        parts = [
            f"Usable as {'; as '.join(usable)}.".replace("as in place", "in place"),
            "Not collapsed, and no more copies than among real sequences.",
        ]
    else:
        parts = ["Not usable in place of real sequences, nor as their background. Not collapsed, and no more copies than among real sequences."]
    if missing:
        parts.append(f"What is missing: {'; '.join(missing)}.")
    elif not against:
        parts.append("Nothing that was looked at tells them from real sequences.")
    rival = _as_good(evidence)
    if rival and "collapse" not in against:
        parts.append(rival)
    return " ".join(parts)


def _as_good(evidence: Evidence) -> str:
    """Say which simple generator does as well or better under the strongest classifier; empty where none does."""
    name = "cnn" if evidence.sample["two_sample"].get("cnn") else "kmer"
    own = _told(evidence.sample, name)
    if not own > SLIGHT:
        return ""
    scores = {key: _told(figures, name) for key, figures in evidence.baselines.items() if figures is not None}
    known = {key: value for key, value in scores.items() if not math.isnan(value)}
    if not known:
        return ""
    best = min(known, key=lambda key: known[key])
    if own < known[best] - 0.01:
        return ""
    what = "a CNN" if name == "cnn" else "4-mers"
    how, plural = ("as well" if own < known[best] + 0.02 else "better"), best == "positions"
    words, verb, them = BASELINES[best], "do" if plural else "does", "them" if plural else "it"
    return (
        f"{words[0].upper()}{words[1:]} {verb} {how}: {what} tell{'s' if name == 'cnn' else ''} {them} from real with an AUROC of "
        f"{known[best]:.2f}, the samples with {own:.2f}."
    )


def _told(figures: Figures, name: str) -> float:
    entry = figures["two_sample"].get(name) or {}
    value = entry.get("value")
    return float("nan") if value is None else float(value)


def _look_at_collapse(e: Evidence) -> list[Remark]:
    c = e.collapse
    if c.collapsed:
        return [Remark("collapse", "serious", "The samples have collapsed", f"{c.reason[0].upper()}{c.reason[1:]}.", "variety")]
    text = (
        f"The nearest other sample is at {_short(c.median)} in the median, among real sequences at {_short(c.real_median)}; "
        f"{_percent(c.nearer)} lie nearer to another than .5 % of real sequences do."
    )
    return [Remark("collapse", "good", "Not collapsed", text)]


def _look_at_copies(e: Evidence) -> list[Remark]:
    own, real, n, m = e.sample["novelty"], e.real["novelty"], e.sample["n"], e.real["n"]
    for name, words in (("exact_rate", "copies"), ("near_rate", "copies, or differ in at most a tenth of their bases from one,")):
        if own[name] - real[name] >= COPY_RATE and _surplus_p(own[name] * n, real[name] * m, n=n, m=m) < COPY_P:
            text = f"{_percent(own[name])} of the samples are {words} of training sequences; of held-out real sequences {_percent(real[name])}."
            return [Remark("copies", "serious", "Training sequences were copied", text, "novelty")]
    text = (
        f"{own['exact_copies']:,} of {n:,} samples are training sequences, {_percent(own['near_rate'])} are near one (held-out real sequences: "
        f"{real['exact_copies']:,} and {_percent(real['near_rate'])}); the longest run shared with one is {_short(own['run_median'])} bp in the "
        f"median, for real ones {_short(real['run_median'])} bp."
    )
    return [Remark("copies", "good", "No more copies than among real sequences", text)]


def _surplus_p(k: float, other: float, *, n: int, m: int) -> float:
    """Return the chance of k or more of n where `other` of m were found, if both come from one source (Fisher's exact test)."""
    from scipy.stats import hypergeom

    a, b = round(k), round(other)
    return float(hypergeom.sf(a - 1, n + m, a + b, n))


def _look_at_composition(e: Evidence) -> list[Remark]:
    own, real, n = e.sample["composition"], e.real["composition"], e.sample["n"]
    noise = 2.2 * math.sqrt(2 / n)
    found = []
    if own["gc_ks"] > max(GC_KS, noise):
        words = f"GC content is {own['gc_mean']:.3f} ± {own['gc_sd']:.3f}, in real sequences {real['gc_mean']:.3f} ± {real['gc_sd']:.3f}"
        found.append(Remark("composition", "caution", "GC content is off", f"{words}.", "the GC content of real sequences"))
    if own["length_ks"] > max(LENGTH_KS, noise):
        words = f"Lengths are {own['length_mean']:.0f} bp in the mean, of real sequences {real['length_mean']:.0f} bp"
        found.append(Remark("composition", "caution", "Lengths are off", f"{words}.", "the lengths of real sequences"))
    excess = e.sample["kmers"]["js_3"] - e.real["kmers"]["js_3"]
    if excess > max(JS_3, 2 * e.real["kmers"]["js_3"]):
        words = f"The 3-mer spectrum is {e.sample['kmers']['js_3']:.4f} bits from the real one; real sequences are {e.real['kmers']['js_3']:.4f}"
        found.append(Remark("composition", "caution", "Short words are off", f"{words}.", "the 3-mer content of real sequences"))
    if own["position_distance"] > 2 * real["position_distance"] + POSITION:
        words = f"Base frequencies differ by {own['position_distance']:.3f} a position; between real sequences by {real['position_distance']:.3f}"
        found.append(Remark("positions", "caution", "Bases do not stand where they should", f"{words}.", "the bases of each position"))
    return found or [
        Remark("composition", "good", "Composition as in real sequences", "GC content, lengths, 3-mers and bases by position are in line.")
    ]


def _classified(e: Evidence, name: str, check: str, *, who: str) -> list[Remark]:
    """Say whether a classifier tells the samples from real sequences."""
    entry, floor = e.sample["two_sample"].get(name), e.real["two_sample"].get(name)
    value = _told(e.sample, name)
    if not entry or math.isnan(value):
        return []
    low = value - GUARD_Z / 1.96 * (value - entry["low"])
    said = f"AUROC {value:.3f} ({entry['low']:.3f} to {entry['high']:.3f}); real against real {floor['value']:.3f}; .5 is best"
    if value <= SLIGHT or low <= 0.5:
        blind = " This test is blind to motifs at free positions: read it with the motif rates." if name == "cnn" else ""
        return [Remark(check, "good", f"{who} does not tell them from real sequences", f"{said}.{blind}")]
    degree = "plainly" if value > PLAIN else "somewhat"
    return [
        Remark(check, "caution", f"{who} {degree} tells them from real sequences", f"{said}.", f"what {who[0].lower() + who[1:]} sees ({value:.2f})")
    ]


def _look_at_kmers(e: Evidence) -> list[Remark]:
    return _classified(e, "kmer", "kmers", who="A 4-mer model")


def _look_at_classifier(e: Evidence) -> list[Remark]:
    return _classified(e, "cnn", "classifier", who="A fresh CNN")


def _look_at_motifs(e: Evidence) -> list[Remark]:
    if not e.motifs:
        return []
    own, real = e.sample["motifs"], e.real["motifs"]
    found = []
    for words, rows in (
        ("too rare", [row for row in e.motifs if row["ratio"] < 0.5 and row["z"] < -4]),
        ("too frequent", [row for row in e.motifs if row["ratio"] > 2 and row["z"] > 4]),
    ):
        if rows:
            rows = sorted(rows, key=lambda row: -abs(math.log(row["ratio"])))
            more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
            names = ", ".join(f"{row['name']} ({row['ratio']:.2f} of real)" for row in rows[:NAMED]) + more
            title = f"{len(rows)} of {len(e.motifs)} motifs {'is' if len(rows) == 1 else 'are'} {words}"
            found.append(Remark("motifs", "caution", title, f"{names}.", names if words == "too rare" else ""))
    if own["position_r"] < real["position_r"] - POSITION_R:
        text = f"Where sites begin correlates with r {own['position_r']:.2f}; for held-out real sequences {real['position_r']:.2f}."
        found.append(Remark("motifs", "caution", "Motifs do not stand where they should", text, "motifs at their places"))
    if own["pairs_off"] > 0 and not real["pairs_off"] > 0:
        n = int(own["pairs_off"])
        text = f"{n} {'pair is' if n == 1 else 'pairs are'} together at least twice as often, or half as often, as in real sequences, beyond chance."
        found.append(Remark("motifs", "caution", "Motifs are not together as they should be", text, "pairs of motifs"))
    if found:
        return found
    rates = f"{2 ** own['rate_error']:.2f}-fold"
    return [Remark("motifs", "good", "Motifs as in real sequences", f"The rates of {len(e.motifs)} motifs are off by {rates} in the mean.")]


def _look_at_coverage(e: Evidence) -> list[Remark]:
    own, real = e.sample["embedding"], e.real["embedding"]
    allowed = max(COVERED, 4 * math.sqrt(0.5 / e.sample["n"]))
    found = []
    if own["precision"] < real["precision"] - allowed:
        text = f"{_percent(own['precision'])} lie among real sequences in 4-mer space; of held-out real ones {_percent(real['precision'])}."
        found.append(Remark("coverage", "caution", "Many samples lie outside of what is real", text, "likeness of single sequences"))
    if own["recall"] < real["recall"] - allowed:
        text = (
            f"{_percent(own['recall'])} of real sequences lie among the samples in 4-mer space; among held-out real ones {_percent(real['recall'])}."
        )
        found.append(Remark("coverage", "caution", "Part of what is real is never made", text, "part of the real sequences"))
    return found


def _look_at_predictor(e: Evidence) -> list[Remark]:
    own, real = e.sample.get("predictor"), e.real.get("predictor")
    if not own or not real:
        return []
    off = [name for name, one in own.items() if one["ks"] > max(SCORE_KS, 2.2 * math.sqrt(2 / e.sample["n"]))]
    if not off:
        return [
            Remark("predictor", "good", "The predictor scores them like real sequences", f"{len(own)} outputs, none off by more than {SCORE_KS}.")
        ]
    name = max(off, key=lambda name: float(own[name]["ks"]))
    text = f"'{name}': mean logit {own[name]['mean']:.2f}, of held-out real sequences {real[name]['mean']:.2f}."
    return [Remark("predictor", "caution", "The predictor scores them otherwise than real sequences", text, f"the scores of '{name}'")]


LOOKS: tuple[Callable[[Evidence], list[Remark]], ...] = (
    _look_at_collapse,
    _look_at_copies,
    _look_at_classifier,
    _look_at_kmers,
    _look_at_motifs,
    _look_at_composition,
    _look_at_coverage,
    _look_at_predictor,
)
"""A new check is a function in this list."""


def _short(value: float) -> str:
    return f"{value:.3g}"


def _percent(share: float) -> str:
    value = 100 * float(share)
    return "0 %" if not value else f"{value:.2g} %" if value < 1 else f"{np.round(value, 1):g} %"
