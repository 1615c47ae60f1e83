"""Example sequences, with the contribution of every base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from seqdl.report.facts import NUMBERS
from seqdl.report.folder import RunFolder, Tracks
from seqdl.report.inline import inline_svg
from seqdl.report.numbers import decimal, plural
from seqdl.report.section import Section
from seqdl.sequence.encode import decode, one_hot

SHOWN = 5
STRETCH = 9
"""Width of the stretch that is named in the caption (bp)."""
METHODS = {
    "deeplift": "DeepLIFT",
    "ism": "in-silico mutagenesis",
    "input-x-gradient": "input × gradient",
    "integrated-gradients": "integrated gradients",
    "saliency": "saliency",
}


@dataclass(frozen=True)
class Track:
    """One example, ready for the page; `place` counts from 0, as the axis of the picture does."""

    name: str
    prediction: str
    truth: str
    right: bool
    stretch: str
    place: str
    picture: Markup


def tracks(run: RunFolder) -> Section:
    """Return up to five examples as letters scaled by their contribution."""
    title = "Where it looks"
    found = run.tracks
    if found is None or not found.names:
        words = (
            "There are no attributions in this run folder (attributions/examples.npz), "
            "so no sequence can be shown base by base. `seqdl attribute` on this run makes them."
        )
        return Section("tracks", title, absent=words)
    numbers = run.task in NUMBERS
    shown = [_track(found, index, numbers=numbers) for index in (range(min(SHOWN, len(found.names))) if numbers else _chosen(found))]
    method = METHODS.get(found.method.replace("_", "-"), found.method)
    lede = (
        f"{plural(len(shown), 'example')}. The height of a letter is what that base adds to the prediction; below the line it speaks against it."
        + (f" Method: {method}." if method else "")
    )
    return Section("tracks", title, lede, {"tracks": shown})


def _chosen(found: Tracks) -> list[int]:
    """Return which examples are shown: all of a few; else the surest hits, and the gravest errors where there are any."""
    if len(found.names) <= SHOWN or found.target.dtype.kind not in "fiub":
        return list(range(len(found.names)))[:SHOWN]
    positive, called = found.target == 1, found.prediction >= 0.5
    order = np.argsort(-found.prediction, kind="stable")
    wrong = [int(i) for i in order if called[i] and not positive[i]][:1] + [int(i) for i in order[::-1] if positive[i] and not called[i]][:1]
    right = [int(i) for i in order if i not in wrong]
    return right[: SHOWN - len(wrong)] + wrong


def _call(found: Tracks, index: int, *, numbers: bool) -> tuple[str, str, bool]:
    """Return what was predicted, what is true, and whether the call is right: of classes by name, of others by number."""
    if numbers:
        return decimal(found.prediction[index], 2), f"truly {decimal(found.target[index], 2)}", True
    if found.target.dtype.kind not in "fiub":
        called, truth = str(found.prediction[index]), str(found.target[index])
        return called, truth, called == truth
    prediction, target = float(found.prediction[index]), float(found.target[index])
    truth = {1.0: "positive", 0.0: "negative"}.get(target, decimal(target, 2))
    return decimal(prediction, 2), truth, target not in (0.0, 1.0) or (prediction >= 0.5) == (target == 1)


def _track(found: Tracks, index: int, *, numbers: bool) -> Track:
    from seqdl.plot.tracks import track_svg

    codes, scores = found.codes[index], found.attributions[index]
    per_base = scores.sum(axis=0)
    width = min(STRETCH, len(per_base))
    start = int(np.argmax(np.convolve(per_base, np.ones(width), mode="valid")))
    prediction, truth, right = _call(found, index, numbers=numbers)
    name = found.names[index] + (f" ({found.outputs[index]})" if found.outputs else "")
    stretch = decode(codes[start : start + width])
    picture = inline_svg(
        track_svg(scores, one_hot(codes)),
        prefix=f"track{index}-",
        label=f"Contribution of every base of {name}; the strongest stretch is {stretch} at {start} to {start + width}.",
    )
    return Track(
        name=name,
        prediction=prediction,
        truth=truth,
        right=right,
        stretch=stretch,
        place=f"{start}–{start + width}",
        picture=Markup(picture),
    )
