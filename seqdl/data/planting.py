"""Writing sites of motifs into bases, without overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqdl.motif.motif import Motif
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes

_TRIES = 20  # places tried before a site is given up


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

    def plant_pair(self, pair: tuple[Motif, Motif], start: int, end: int, *, spacing: int, peak: str = "") -> bool:
        """Plant two sites on one strand, the second `spacing` bp after the first; return whether there was room."""
        first, second = pair
        at = self._room(first.width + spacing + second.width, start, end)
        if at is None:
            return False
        strand = "+-"[self.rng.integers(2)]
        if strand == "-":  # read from the other strand, the second motif comes first
            first, second = second, first
        self._write(first, at, strand, peak=peak, kind="pair")
        self._write(second, at + first.width + spacing, strand, peak=peak, kind="pair")
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
