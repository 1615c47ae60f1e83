"""How each kind of target along the sequence is measured: its measures by window, and its baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import DataError

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.evaluate.along import Windows
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task
    from seqdl.types import Codes, Floats

Array = NDArray[Any]


@dataclass(frozen=True)
class Training:
    """What a baseline of one output is fitted on.

    Attributes
    ----------
    codes : Codes, (N, L)
    truth : array, (N, L)
    signal : array (N, C, L), optional
    motifs : list of Motif, optional
    seed : int
    """

    codes: Codes
    truth: Floats
    signal: Floats | None
    motifs: list[Motif] | None
    seed: int


class AlongYardstick(Protocol):
    """What evaluation asks of a kind of target along the sequence."""

    @property
    def headline(self) -> tuple[str, ...]:
        """The measures to lead with, and to give for baselines."""

    def windows(self, truth: Array, guess: Array) -> Windows:
        """Return what measures a prediction (N, L) of one output."""

    def fit(self, given: Training) -> Mapping[str, Any]:
        """Return name -> baseline of one output, with .detail and .predict(codes, signal)."""


@dataclass(frozen=True)
class LabelYardstick:
    """A label at every base: ranking of bases first."""

    headline: tuple[str, ...] = ("auroc", "auprc")

    def windows(self, truth: Array, guess: Array) -> Windows:
        """Return what measures probabilities."""
        from seqdl.evaluate.along import LabelWindows

        return LabelWindows(truth, guess)

    def fit(self, given: Training) -> Mapping[str, Any]:
        """Fit base composition, k-mers, and reading frames with their codons."""
        from seqdl.evaluate.along_baselines import fit_label_baselines

        return fit_label_baselines(given.codes, given.truth, seed=given.seed)


@dataclass(frozen=True)
class ProfileYardstick:
    """Counts at every base: how much there is in a window, and where."""

    headline: tuple[str, ...] = ("profile_pearson", "log_pearson", "jsd")

    def windows(self, truth: Array, guess: Array) -> Windows:
        """Return what measures expected counts."""
        from seqdl.evaluate.along import ProfileWindows

        return ProfileWindows(truth, guess)

    def fit(self, given: Training) -> Mapping[str, Any]:
        """Fit the mean profile, its total by k-mers, and the surroundings of a base."""
        from seqdl.evaluate.along_baselines import fit_signal_baselines

        return fit_signal_baselines(given.codes, given.truth, seed=given.seed)


@dataclass(frozen=True)
class SignalYardstick:
    """Numbers at every base: correlation over bases first."""

    headline: tuple[str, ...] = ("pearson", "log_pearson")

    def windows(self, truth: Array, guess: Array) -> Windows:
        """Return what measures predicted numbers."""
        from seqdl.evaluate.along import SignalWindows

        return SignalWindows(truth, guess)

    def fit(self, given: Training) -> Mapping[str, Any]:
        """Fit the smoothing of the input where there is one, else what the sequence tells."""
        from seqdl.evaluate.along_baselines import fit_signal_baselines, fit_smoothing

        if given.signal is not None:
            return fit_smoothing(given.signal, given.truth)
        return fit_signal_baselines(given.codes, given.truth, seed=given.seed)


@dataclass(frozen=True)
class SiteYardstick:
    """The place of a site: how often it is found first.

    Parameters
    ----------
    half_width : int
        Bases on either side of a site that belong to it.
    """

    half_width: int
    headline: tuple[str, ...] = ("within_10", "median_distance", "iou")

    def windows(self, truth: Array, guess: Array) -> Windows:
        """Return what measures probabilities (N, L), or places (N,)."""
        from seqdl.evaluate.along_sites import SiteWindows, place_distances, site_places

        places = guess if guess.ndim == 1 else site_places(guess, self.half_width)
        return SiteWindows(place_distances(truth, places, self.half_width), self.half_width)

    def fit(self, given: Training) -> Mapping[str, Any]:
        """Fit the middle of the window and the best hit of a known motif."""
        from seqdl.evaluate.along_sites import CentreBaseline, fit_hits

        found: dict[str, Any] = {"centre": CentreBaseline()}
        if given.motifs:
            found["pwm"] = fit_hits(given.codes, given.truth, given.motifs, half_width=self.half_width, seed=given.seed)
        return found


def along_yardstick(task: Task, data: SequenceData) -> AlongYardstick:
    """Return how the targets of a task per base are measured."""
    from seqdl.tasks.localisation import Localisation
    from seqdl.tasks.profile import Profile

    reader = getattr(task, "reader", task)
    if isinstance(reader, Localisation):
        return SiteYardstick(reader.half_width)
    if data.labels:
        return LabelYardstick()
    return ProfileYardstick() if isinstance(reader, Profile) else SignalYardstick()


def fit_each(by: AlongYardstick, data: SequenceData, rows: Array, *, motifs: list[Motif] | None, seed: int) -> list[Mapping[str, Any]]:
    """Return the baselines of every output, fitted on some rows; none for an output that cannot be learned from them."""
    assert data.tracks is not None
    signal = None if data.signal is None else data.signal[rows]
    found: list[Mapping[str, Any]] = []
    for t in range(data.tracks.shape[1]):
        truth = data.tracks[rows, t].astype(np.float32)
        try:
            found.append(by.fit(Training(data.codes[rows], truth, signal, motifs, seed)))
        except DataError:
            found.append({})
    return found
