"""Writing sites of motifs into bases, without overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from seqdl.errors import InputError, UnknownNameError
from seqdl.motif.motif import Motif
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes

Orientation: TypeAlias = Literal["same", "facing", "away", "any"]
Outside: TypeAlias = Literal["lone", "rearranged"]

_TRIES = 20  # places tried before a site is given up


@dataclass(frozen=True)
class Pairing:
    """How two motifs stand to each other.

    Parameters
    ----------
    spacing : tuple of 2 int
        Fewest and most bases (bp) between the end of one and the start of the other; every number as likely.
    orientation : {"same", "facing", "away", "any"}, default "same"
        Both on one strand, the first before the second; or towards each other, or away from each other, the first on the left where the
        pair is read on the forward strand; or any of these.
    outside : {"lone", "rearranged"}, default "lone"
        What stands outside peaks: each motif by itself, so that only their company tells; or both in another arrangement,
        so that only spacing and orientation tell.

    Raises
    ------
    InputError
        If the spacing is no range, or any arrangement is allowed and another one is to stand outside.
    UnknownNameError
        If there is no such orientation, or no such thing to stand outside.
    """

    spacing: tuple[int, int]
    orientation: Orientation = "same"
    outside: Outside = "lone"

    def __post_init__(self) -> None:
        for kind, word, known in (("orientation", self.orientation, Orientation), ("way to stand outside", self.outside, Outside)):
            if word not in get_args(known):
                raise UnknownNameError(kind, word, get_args(known))
        if not 0 <= self.spacing[0] <= self.spacing[1]:
            raise InputError(
                f"pairs are spaced {self.spacing[0]} to {self.spacing[1]} bp apart; expected a spacing of 0 or more, the smaller number first."
            )

    def arrangement(self, rng: np.random.Generator) -> tuple[int, str]:
        """Draw a spacing and the strands of both, read on the pair's own strand."""
        low, high = self.spacing
        spacing = low if low == high else int(rng.integers(low, high + 1))
        orientation = self.orientation if self.orientation != "any" else ("same", "facing", "away")[rng.integers(3)]
        return spacing, {"same": "++", "facing": "+-", "away": "-+"}[orientation]

    def other(self, room: int, rng: np.random.Generator) -> tuple[int, str]:
        """Draw another spacing, up to `room` bp, or where there is but one orientation also the strands of another."""
        spacings = [spacing for spacing in range(room + 1) if not self.spacing[0] <= spacing <= self.spacing[1]]
        strands = [way for way in ("++", "+-", "-+") if self.orientation != "any" and way != self.arrangement(rng)[1]]
        if strands and (not spacings or rng.random() < 0.5):
            return self.arrangement(rng)[0], strands[rng.integers(len(strands))]
        return spacings[rng.integers(len(spacings))], self.arrangement(rng)[1]


@dataclass(frozen=True)
class Site:
    """A planted site; places count from the first base of the array it was planted in."""

    start: int
    end: int
    strand: str
    motif: str
    peak: str
    kind: str


class Planter:
    """Plants sites into bases and keeps the list.

    Parameters
    ----------
    bases : uint8 array, (L,)
        Changed in place.
    rng : Generator
        Source of chance.

    Attributes
    ----------
    sites : list of Site
        What was planted so far.
    """

    def __init__(self, bases: Codes, rng: np.random.Generator) -> None:
        self.bases, self.rng = bases, rng
        self.sites: list[Site] = []
        self._taken = np.zeros(len(bases), dtype=bool)

    def plant(self, motif: Motif, start: int, end: int, *, peak: str = "", kind: str = "site") -> bool:
        """Plant one site anywhere between `start` and `end`; return whether there was room."""
        at = self._room(motif.width, start, end)
        if at is None:
            return False
        self._write(motif, at, "+-"[self.rng.integers(2)], peak=peak, kind=kind)
        return True

    def plant_pair(
        self, pair: tuple[Motif, Motif], start: int, end: int, *, arrangement: tuple[int, str], peak: str = "", kind: str = "pair"
    ) -> bool:
        """Plant two sites in an arrangement, read on either strand; return whether there was room."""
        spacing, strands = arrangement
        first, second = zip(pair, strands, strict=True)
        at = self._room(pair[0].width + spacing + pair[1].width, start, end)
        if at is None:
            return False
        if "+-"[self.rng.integers(2)] == "-":  # read from the other strand, the second motif comes first and both are turned round
            first, second = ((motif, "+-"[strand == "+"]) for motif, strand in (second, first))
        self._write(first[0], at, first[1], peak=peak, kind=kind)
        self._write(second[0], at + first[0].width + spacing, second[1], peak=peak, kind=kind)
        self._taken[at : at + first[0].width + spacing + second[0].width] = True  # nothing else between them
        return True

    def _room(self, width: int, start: int, end: int) -> int | None:
        """Find a free place of `width` by trial, or None."""
        for at in self.rng.integers(start, end - width + 1, size=_TRIES).tolist():
            if not self._taken[at : at + width].any():
                return int(at)
        return None

    def _write(self, motif: Motif, at: int, strand: str, *, peak: str, kind: str) -> None:
        """Draw a site from the motif's probabilities and write it."""
        edges = np.cumsum(motif.ppm, axis=0)[:3]  # (3, W)
        site = (self.rng.random(motif.width) > edges).sum(axis=0).astype(np.uint8)
        self.bases[at : at + motif.width] = reverse_complement(site) if strand == "-" else site
        self._taken[at : at + motif.width] = True
        self.sites.append(Site(at, at + motif.width, strand, motif.label, peak, kind))
