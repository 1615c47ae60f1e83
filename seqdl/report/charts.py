"""The pictures of the page, each a function from numbers to inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqdl.evaluate.calibration import Reliability
from seqdl.evaluate.metrics import auprc, auroc, precision_recall_curve, roc_curve
from seqdl.report.numbers import Estimate, count, decimal, percent
from seqdl.report.svg import Frame, nice_ticks, short, text, thinned
from seqdl.types import Floats

UNIT = (0.0, 1.0)


@dataclass(frozen=True)
class Curve:
    """One predictor in a ROC or precision-recall picture.

    Attributes
    ----------
    name : str
        As written beside it.
    mark : str
        CSS class: ``network``, ``pwm``, ``kmer``, ``gc``.
    target, score : Floats, (n,)
        The truth, 0 or 1, and the score.
    """

    name: str
    mark: str
    target: Floats
    score: Floats


def roc(curves: Sequence[Curve], threshold: float | None = 0.5) -> str:
    """Draw ROC curves, the first on top, with a dot where its threshold lies."""
    frame = Frame(UNIT, UNIT)
    body = [frame.axes("False positive rate", "True positive rate"), frame.line(UNIT, UNIT, "chance")]
    for curve in reversed(curves):
        found = roc_curve(curve.target, curve.score)
        body.append(frame.line(*thinned(found.false_positive_rate, found.true_positive_rate), curve.mark))
    first = curves[0]
    if threshold is not None:
        called, positive = first.score >= threshold, first.target == 1
        x, y = float(called[~positive].mean()), float(called[positive].mean())
        body.append(
            frame.dot(x, y, first.mark, tip=f"threshold {threshold:g}: finds {percent(y)} of the positives, calls {percent(x)} of the negatives")
        )
    areas = ", ".join(f"{curve.name} {auroc(curve.target, curve.score):.3f}" for curve in curves)
    return frame.picture(body, f"ROC curve on the test set. Area under the curve: {areas}; guessing gives 0.5.")


def precision_recall(curves: Sequence[Curve]) -> str:
    """Draw precision-recall curves, the first on top; the dashed line is guessing."""
    frame = Frame(UNIT, UNIT)
    prevalence = float(np.mean(curves[0].target))
    body = [frame.axes("Recall", "Precision"), frame.line(UNIT, (prevalence, prevalence), "chance")]
    for curve in reversed(curves):
        found = precision_recall_curve(curve.target, curve.score)
        body.append(frame.line(*thinned(found.recall, found.precision), curve.mark))
    areas = ", ".join(f"{curve.name} {auprc(curve.target, curve.score):.3f}" for curve in curves)
    return frame.picture(body, f"Precision-recall curve on the test set. Average precision: {areas}; guessing gives {prevalence:.3f}.")


def histogram(target: Floats, prediction: Floats, bins: int = 25) -> str:
    """Draw the scores of positives upwards and of negatives downwards, as shares of each class."""
    low, high = (0.0, 1.0) if prediction.min() >= 0 and prediction.max() <= 1 else (float(prediction.min()), float(prediction.max()) + 1e-9)
    edges = np.linspace(low, high, bins + 1)
    shares = [np.histogram(prediction[target == value], edges)[0] / max(1, int((target == value).sum())) for value in (1, 0)]
    top = max(0.05, float(max(shares[0].max(), shares[1].max()))) * 1.06
    frame = Frame((low, high), (-top, top), left=56)
    ticks = nice_ticks(-top, top, 7)
    body = [frame.axes("Prediction", "Share of the class", y_ticks=ticks, y_text=[f"{100 * abs(t):g} %" for t in ticks])]
    for share, sign, mark, name in ((shares[0], 1, "positive", "positives"), (shares[1], -1, "negative", "negatives")):
        for left, right, value in zip(edges[:-1], edges[1:], share, strict=True):
            if value:
                x, width = frame.px(left) + 0.5, frame.px(right) - frame.px(left) - 1
                y = min(frame.py(sign * value), frame.py(0))
                tip = f"{percent(value)} of the {name} score {left:.2f} to {right:.2f}"
                body.append(
                    f'<rect class="bar {mark}" x="{short(x)}" y="{short(y)}" width="{short(width)}" '
                    f'height="{short(abs(frame.py(value) - frame.py(0)))}"><title>{tip}</title></rect>'
                )
    body.append(f'<path class="axis" d="M{frame.left} {short(frame.py(0))}H{frame.width - frame.right}"/>')
    body.append(text((frame.left + 8, frame.top + 14), "positives", "side positive"))
    body.append(text((frame.width - frame.right - 8, frame.height - frame.bottom - 8), "negatives", "side negative", anchor="end"))
    medians = [float(np.median(prediction[target == value])) if (target == value).any() else float("nan") for value in (1, 0)]
    return frame.picture(
        body, f"Predictions by class: positives upwards, median {decimal(medians[0], 2)}; negatives downwards, median {decimal(medians[1], 2)}."
    )


def calibration(table: Reliability, *, of: str = "Predicted probability", share: str = "Share of positives", right: str = "positive") -> str:
    """Draw observed shares beside predicted probabilities; the larger the dot, the more examples it stands for."""
    frame = Frame(UNIT, UNIT)
    body = [frame.axes(of, share), frame.line(UNIT, UNIT, "chance")]
    largest = max(1, int(table.n.max()))
    for x, y, low, high, n in zip(table.prediction, table.observed, table.low, table.high, table.n, strict=True):
        if n:
            body.append(f'<path class="line network thin" d="M{short(frame.px(x))} {short(frame.py(low))}V{short(frame.py(high))}"/>')
            tip = f"{count(n)} examples predicted {x:.2f} on average; {percent(y)} of them are {right} ({percent(low)} to {percent(high)})"
            body.append(frame.dot(x, y, "network", radius=2.5 + 5 * float(np.sqrt(n / largest)), tip=tip))
    return frame.picture(
        body, f"Calibration on the test set, expected calibration error {table.expected_calibration_error:.3f}; the diagonal is perfect."
    )


def history(epochs: Floats, series: Mapping[str, tuple[str, Floats]], best: float | None, *, y_label: str) -> str:
    """Draw values over epochs; `series` is name -> (CSS class, values), `best` the epoch that was kept."""
    values = np.concatenate([value[np.isfinite(value)] for _, value in series.values()])
    margin = 0.06 * (float(values.max() - values.min()) or 1.0)
    frame = Frame(
        (float(epochs.min()), max(float(epochs.max()), float(epochs.min()) + 1)),
        (float(values.min()) - margin, float(values.max()) + margin),
        left=52,
    )
    whole = [t for t in nice_ticks(*frame.x) if t == int(t)]
    body = [frame.axes("Epoch", y_label, x_ticks=whole)]
    if best is not None:
        body.append(
            f'<path class="line kept" d="M{short(frame.px(best))} '
            f'{frame.top}V{frame.height - frame.bottom}"><title>epoch {best:g} was kept</title></path>'
        )
    for name, (mark, value) in series.items():
        known = np.isfinite(value)
        body.append(frame.line(epochs[known], value[known], mark))
        body += [frame.dot(x, y, mark, radius=2.5, tip=f"epoch {x:g}: {name} {y:.4g}") for x, y in zip(epochs[known], value[known], strict=True)]
    kept = f"; epoch {best:g} was kept" if best is not None else ""
    ends = ", ".join(f"{name} from {value[0]:.3g} to {value[-1]:.3g}" for name, (_, value) in series.items())
    return frame.picture(body, f"{y_label} over {len(epochs)} epochs: {ends}{kept}.")


def column(log: pd.DataFrame, name: str) -> Floats | None:
    """Return a column of log.csv as numbers; None where it is missing or empty."""
    if name not in log:
        return None
    values = pd.to_numeric(log[name], errors="coerce").to_numpy(dtype=np.float64)
    return values if np.isfinite(values).any() else None


def whiskers(rows: Sequence[tuple[str, str, Estimate | None]], *, measure: str, guess: float | None) -> str:
    """Draw estimates as dots with their intervals, one row each.

    Parameters
    ----------
    rows : sequence of (name, CSS class, estimate)
        From top to bottom; an undefined estimate is said in words.
    measure : str
        Name of the horizontal axis.
    guess : float or None
        What guessing reaches.
    """
    known = [estimate for _, _, estimate in rows if estimate is not None]
    lowest = min([e.bounds[0] for e in known] + ([guess] if guess is not None else []), default=0.0)
    highest = max([e.bounds[1] for e in known], default=1.0)
    low = max(0.0, np.floor((lowest - 0.02) * 10) / 10) if lowest >= 0 else lowest * 1.1
    frame = Frame(
        (float(low), 1.0 if highest <= 1 else highest * 1.05),
        (0.0, float(len(rows))),
        width=440,
        height=66 + 34 * len(rows),
        left=128,
        right=52,
        top=24,
        bottom=42,
    )
    places = {name: len(rows) - i - 0.5 for i, (name, _, _) in enumerate(rows)}
    body = [frame.axes(measure, "", y_ticks=[], x_ticks=nice_ticks(*frame.x))]
    if guess is not None:
        x = short(frame.px(guess))
        body.append(f'<path class="line chance" d="M{x} {frame.top}V{frame.height - frame.bottom}"/>')
        body.append(text((frame.px(guess), frame.top - 8), "guessing", "tick", anchor="middle"))
    reference = next((e for _, mark, e in rows if mark == "network" and e is not None), None)
    if reference is not None:
        left, right = (frame.px(max(frame.x[0], bound)) for bound in reference.bounds)
        body.append(
            f'<rect class="band network" x="{short(left)}" y="{frame.top}" '
            f'width="{short(right - left)}" height="{frame.height - frame.top - frame.bottom}"/>'
        )
    for name, mark, estimate in rows:
        y = places[name]
        body.append(text((frame.left - 12, frame.py(y) + 4.5), name, f"row {mark}", anchor="end"))
        if estimate is None:
            body.append(text((frame.left + 8, frame.py(y) + 4.5), "not defined", "tick"))
            continue
        low, high = estimate.bounds
        body.append(f'<path class="line whisker {mark}" d="M{short(frame.px(low))} {short(frame.py(y))}H{short(frame.px(high))}"/>')
        body.append(frame.dot(estimate.value, y, mark, radius=5.5 if mark == "network" else 4.5, tip=f"{name}: {measure} {estimate}"))
        body.append(text((frame.width - 4, frame.py(y) + 4.5), decimal(estimate.value), f"value {mark}", anchor="end"))
    said = "; ".join(f"{name} {estimate}" if estimate else f"{name} not defined" for name, _, estimate in rows)
    return frame.picture(body, f"{measure} on the test set with 95 % intervals: {said}.")


def ribbon(codes: Sequence[int], weights: Floats) -> str:
    """Draw one sequence as a strip of coloured bases, the stronger the more they weigh in the prediction."""
    strength = np.abs(np.asarray(weights, dtype=float))
    strength = strength / max(float(np.quantile(strength, 0.985)), 1e-12)
    cells = "".join(
        f'<rect class="base{"ACGT"[code]}" x="{i}" width="1.02" height="10" opacity="{0.1 + 0.9 * min(1.0, float(w)) ** 0.8:.2f}"/>'
        for i, (code, w) in enumerate(zip(codes, strength, strict=True))
        if code < 4
    )
    return f'<svg class="ribbon" aria-hidden="true" viewBox="0 0 {len(codes)} 10" preserveAspectRatio="none">{cells}</svg>'
