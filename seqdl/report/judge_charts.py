"""The pictures of the report card of synthetic sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqdl.report.numbers import Estimate, count, decimal, number, percent
from seqdl.report.svg import Frame, nice_ticks, short, text

LOWEST_JS = 1e-6
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Told:
    """How well one set is told from real sequences.

    Attributes
    ----------
    name : str
    own : bool
        Whether these are the samples that are judged.
    scores : list of (CSS class, words, estimate or None)
        One a classifier.
    """

    name: str
    own: bool
    scores: list[tuple[str, str, Estimate | None]]


def ladder(rows: Sequence[Told]) -> str:
    """Draw how well classifiers tell each set from real sequences; on the dashed line not at all."""
    lowest = min((e.bounds[0] for row in rows for _, _, e in row.scores if e is not None), default=0.5)
    frame = Frame(
        (min(0.45, lowest - 0.02), 1.0), (0.0, float(len(rows))), width=640, height=64 + 30 * len(rows), left=172, right=56, top=22, bottom=42
    )
    body = [frame.axes("AUROC of a fresh classifier, against real sequences", "", y_ticks=[], x_ticks=nice_ticks(*frame.x))]
    x = short(frame.px(0.5))
    body.append(f'<path class="line chance" d="M{x} {frame.top}V{frame.height - frame.bottom}"/>')
    body.append(text((frame.px(0.5), frame.top - 7), "not told apart", "tick", anchor="middle"))
    said = []
    for i, row in enumerate(rows):
        y = len(rows) - i - 0.5
        if row.own:
            top = short(frame.py(y + 0.5))
            body.append(f'<rect class="band network" x="0" y="{top}" width="{frame.width}" height="{short(frame.py(y - 0.5) - frame.py(y + 0.5))}"/>')
        body.append(text((frame.left - 12, frame.py(y) + 4.5), row.name, "row network" if row.own else "row", anchor="end"))
        for k, (mark, words, estimate) in enumerate(row.scores):
            if estimate is None:
                continue
            place = y + 0.14 * (1 - 2 * k) * (len(row.scores) > 1)
            low, high = estimate.bounds
            body.append(f'<path class="line whisker {mark}" d="M{short(frame.px(low))} {short(frame.py(place))}H{short(frame.px(high))}"/>')
            body.append(frame.dot(estimate.value, place, mark, radius=5 if row.own else 4, tip=f"{row.name}, {words}: AUROC {estimate}"))
        shown = next((estimate for _, _, estimate in row.scores if estimate is not None), None)
        if shown is not None:
            body.append(
                text((frame.width - 4, frame.py(y) + 4.5), decimal(shown.value), f"value {'network' if row.own else ''}".strip(), anchor="end")
            )
        scores = ", ".join(f"{words} {decimal(estimate.value)}" for _, words, estimate in row.scores if estimate is not None)
        said.append(f"{row.name}: {scores or 'left out'}")
    return frame.picture(body, f"AUROC of fresh classifiers against real sequences; .5 is not told apart. {'; '.join(said)}.")


def spectra(series: Sequence[tuple[str, str, dict[int, float]]]) -> str:
    """Draw the divergence of k-mer spectra over k on a logarithmic scale; `series` are (name, CSS class, values by k)."""
    values = [max(v, LOWEST_JS) for _, _, by_k in series for v in by_k.values()]
    ks = sorted({k for _, _, by_k in series for k in by_k})
    low, high = np.floor(np.log10(min(values))), np.ceil(np.log10(max(values)))
    frame = Frame((ks[0] - 0.2, ks[-1] + 0.2), (float(low), float(max(high, low + 1))), left=56)
    ticks = [float(t) for t in range(int(low), int(max(high, low + 1)) + 1)]
    body = [
        frame.axes(
            "k",
            "Divergence (bits)",
            x_ticks=[float(k) for k in ks],
            y_ticks=ticks,
            y_text=["1" if t == 0 else f"10{str(int(t)).translate(_RAISED)}" for t in ticks],
        )
    ]
    for name, mark, by_k in reversed(series):
        points = sorted(by_k.items())
        logs = [float(np.log10(max(v, LOWEST_JS))) for _, v in points]
        body.append(frame.line([k for k, _ in points], logs, mark))
        if mark == "network":
            body += [frame.dot(k, y, mark, radius=3, tip=f"{name}, {k}-mers: {v:.2g} bits") for (k, v), y in zip(points, logs, strict=True)]
    ends = "; ".join(f"{name} {by_k[max(by_k)]:.2g}" for name, _, by_k in series)
    return frame.picture(body, f"Jensen-Shannon divergence of k-mer spectra from real ones over k. At k = {ks[-1]}: {ends}.")


def pair(histogram: dict[str, Any], label: str, *, share: bool = False) -> str:
    """Draw the samples as bars and held-out real sequences as a line, as shares of each."""
    edges, own, real = (np.asarray(histogram[key], dtype=float) for key in ("edges", "sample", "real"))
    frame = Frame((float(edges[0]), float(edges[-1])), (0.0, max(0.02, float(max(own.max(), real.max()))) * 1.06), left=52)
    ticks = nice_ticks(*frame.y)
    body = [frame.axes(label, "Share of the sequences", y_ticks=ticks, y_text=[f"{100 * t:g} %" for t in ticks])]
    floor = frame.py(0)
    for left, right, value in zip(edges[:-1].tolist(), edges[1:].tolist(), own.tolist(), strict=True):
        if value:
            x, width, y = frame.px(left) + 0.5, max(frame.px(right) - frame.px(left) - 1, 0.5), frame.py(value)
            tip = f"{percent(value)} of the samples: {left:.3g} to {right:.3g}"
            body.append(
                f'<rect class="bar network" x="{short(x)}" y="{short(y)}" width="{short(width)}" height="{short(floor - y)}">'
                f"<title>{tip}</title></rect>"
            )
    xs = np.repeat(edges, 2)
    body.append(frame.line(xs, np.concatenate([[0], np.repeat(real, 2), [0]]), "positive"))
    middles = [(edges[:-1] + edges[1:]) / 2 @ shares / max(shares.sum(), 1e-12) for shares in (own, real)]
    words = [percent(m) if share else decimal(m, 2) for m in middles]
    return frame.picture(body, f"{label}: mean of the samples {words[0]}, of held-out real sequences {words[1]}.")


def positions(profile: dict[str, Any], base: int) -> str:
    """Draw how often one base stands at each position, in samples and in real sequences."""
    step = int(profile["step"])
    own, real = np.asarray(profile["sample"][base], dtype=float), np.asarray(profile["real"][base], dtype=float)
    at = np.arange(len(own)) * step + step / 2
    highest = float(max(own.max(), real.max(), 0.3)) * 1.06
    frame = Frame((0.0, float(len(own) * step)), (0.0, min(1.0, highest)), height=200, left=52)
    ticks = nice_ticks(*frame.y, 5)
    body = [frame.axes("Position (bp)", f"Share of {'ACGT'[base]}", y_ticks=ticks, y_text=[f"{100 * t:g} %" for t in ticks])]
    body += [frame.line(at, real, "positive"), frame.line(at, own, "network")]
    apart = float(np.abs(own - real).max())
    return frame.picture(body, f"Share of {'ACGT'[base]} by position, samples against real sequences; they differ by at most {percent(apart)}.")


def estimate_of(row: dict[str, Any] | None, name: str) -> Estimate | None:
    """Return the AUROC of one classifier in a row of figures; None where it is undefined.

    Examples
    --------
    >>> estimate_of({"two_sample": {"kmer": {"value": 0.6, "low": 0.5, "high": 0.7}}}, "kmer")
    Estimate(value=0.6, low=0.5, high=0.7)
    """
    entry = ((row or {}).get("two_sample") or {}).get(name) or {}
    value = number(entry.get("value"))
    return None if value is None else Estimate(value, number(entry.get("low")), number(entry.get("high")))


def per_kb(rate: float) -> str:
    """Write how often a word occurs in a thousand bases.

    Examples
    --------
    >>> per_kb(0.00213)
    '2.13'
    """
    return decimal(1000 * rate, 2) if rate < 0.1 else count(1000 * rate)
