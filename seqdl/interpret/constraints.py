"""What a designed sequence has to keep: GC content, words and motifs that may not occur, bases that stay, a number of changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError, ShapeError
from seqdl.motif.motif import Motif
from seqdl.motif.scan import scan
from seqdl.sequence.alphabet import BASES, COMPLEMENT, IUPAC
from seqdl.sequence.encode import decode
from seqdl.types import Codes

Hit: TypeAlias = tuple[int, int, str]
"""Start, end (half-open, bp) and name of what occurs though it may not."""
_NEAR = 1e-9


@dataclass(frozen=True)
class Constraints:
    """What a designed sequence has to keep.

    Parameters
    ----------
    gc : (float, float), default (0, 1)
        Least and largest share of G and C.
    words : tuple of str
        IUPAC words that may not occur, on either strand.
    motifs : tuple of Motif
        Motifs that may have no hit, on either strand.
    pvalue : float, default 1e-4
        Of such a hit; see `seqdl.scan`.
    protected : tuple of (int, int)
        Stretches whose bases stay as in the start (0-based, half-open).
    max_changes : int, optional
        Bases in which the design may differ from its start, at most.

    Raises
    ------
    InputError
        If one of them is none: a range turned round, a letter that is none, a stretch without a base.

    Examples
    --------
    >>> rules = Constraints(gc=(0.3, 0.6), words=("GGTACC",), protected=((10, 20),), max_changes=8)
    >>> rules.words, Constraints(gc=(0.6, 0.3))
    Traceback (most recent call last):
    seqdl.errors.InputError: the GC range is 0.6 to 0.3: two shares from 0 to 1 were expected, the smaller first. Try 0.3 to 0.6.
    """

    gc: tuple[float, float] = (0.0, 1.0)
    words: tuple[str, ...] = ()
    motifs: tuple[Motif, ...] = ()
    pvalue: float = 1e-4
    protected: tuple[tuple[int, int], ...] = ()
    max_changes: int | None = None

    def __post_init__(self) -> None:
        low, high = self.gc
        if not 0 <= low <= high <= 1:
            raise InputError(f"the GC range is {low:g} to {high:g}: two shares from 0 to 1 were expected, the smaller first. Try 0.3 to 0.6.")
        for word in self.words:
            wrong = next((letter for letter in word.upper() if letter not in IUPAC), None)
            if not word or wrong is not None:
                raise InputError(f"the forbidden word '{word}' is no IUPAC word: letters such as GGTACC or RTCAY were expected. Check its spelling.")
        if not 0 < self.pvalue < 1:
            raise InputError(f"the p-value of a forbidden hit is {self.pvalue:g}: a number between 0 and 1 was expected. Try 1e-4.")
        for start, end in self.protected:
            if not 0 <= start < end:
                raise InputError(f"the protected stretch {start}:{end} holds no base: START:END, 0-based and half-open, was expected. Try 10:20.")
        if self.max_changes is not None and self.max_changes < 0:
            raise InputError(f"max_changes is {self.max_changes}: 0 or more was expected. Leave it out for as many as help.")

    def text(self) -> str:
        """Return the constraints in words.

        Examples
        --------
        >>> Constraints(gc=(0.3, 0.6), words=("GGTACC",), max_changes=8).text()
        'GC 0.3 to 0.6, no GGTACC, at most 8 changes'
        """
        said = [] if self.gc == (0.0, 1.0) else [f"GC {self.gc[0]:g} to {self.gc[1]:g}"]
        said += [f"no {word}" for word in self.words] + [f"no hit of {motif.label} (p <= {self.pvalue:g})" for motif in self.motifs]
        said += [f"{start}:{end} kept" for start, end in self.protected]
        said += [] if self.max_changes is None else [f"at most {self.max_changes} changes"]
        return ", ".join(said) or "none"


class Rules:
    """Constraints on what is made of one start.

    Parameters
    ----------
    constraints : Constraints
    start : Codes, (L,)
        Its protected bases stay, and changes are counted from it.

    Attributes
    ----------
    free : bool array, (L,)
        The positions that may change.
    least_gc, most_gc : int
        Number of G and C.

    Raises
    ------
    InputError
        If the start holds an unknown base, or no sequence at all can keep the constraints.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode, stack
    >>> rules = Rules(Constraints(words=("GGTACC",), max_changes=2), encode("AAGGTACCAA"))
    >>> rules.met(stack([encode("AAGGTACCAA"), encode("AAGATACCAA"), encode("TTTATACCAA")])).tolist()
    [False, True, False]
    """

    def __init__(self, constraints: Constraints, start: Codes) -> None:
        self.constraints, self.start = constraints, np.asarray(start, dtype=np.uint8)
        if self.start.ndim != 1 or not len(self.start):
            raise ShapeError(f"the start has the shape {self.start.shape}: the codes of one sequence (L,) were expected. Give them one by one.")
        if (self.start > 3).any():
            place = int(np.argmax(self.start > 3)) + 1
            raise InputError(f"the start has an unknown base at position {place:,}: A, C, G and T alone were expected. Say which base it is.")
        size = len(self.start)
        self.free = np.ones(size, dtype=np.bool_)
        for first, end in constraints.protected:
            if end > size:
                raise InputError(f"the protected stretch {first}:{end} reaches past the end: the start has {size:,} bp. Give a stretch within it.")
            self.free[first:end] = False
        self.least_gc, self.most_gc = int(np.ceil(constraints.gc[0] * size - _NEAR)), int(np.floor(constraints.gc[1] * size + _NEAR))
        self._tables = [(word, table) for word in constraints.words for table in _tables_of(word)]
        self._check_possible()

    @property
    def most_changes(self) -> int:
        """Changes that are allowed at most."""
        limit = self.constraints.max_changes
        return len(self.start) if limit is None else limit

    def met(self, codes: Codes) -> NDArray[np.bool_]:
        """Tell which sequences (N, L) keep every constraint, (N,)."""
        return np.asarray(self.excess(codes) == 0)

    def excess(self, codes: Codes) -> NDArray[np.int64]:
        """Count what breaks the constraints in each sequence (N, L): bases of GC, forbidden hits, changes; 0 where all are kept."""
        strong = ((codes == 1) | (codes == 2)).sum(1)
        changed = codes != self.start
        over = np.maximum(self.least_gc - strong, 0) + np.maximum(strong - self.most_gc, 0)
        over = over + np.maximum(changed.sum(1) - self.most_changes, 0) + changed[:, ~self.free].sum(1)
        for _, table in self._tables:
            over = over + _occurrences(codes, table).sum(1)
        if self.constraints.motifs:
            found = scan(self.constraints.motifs, codes, pvalue=self.constraints.pvalue)["sequence"].astype(np.int64)
            over = over + np.bincount(found, minlength=len(codes))
        return np.asarray(over, dtype=np.int64)

    def hits(self, codes: Codes) -> list[Hit]:
        """Return where forbidden words and motifs occur in one sequence (L,)."""
        found = [(int(at), int(at) + len(table), word) for word, table in self._tables for at in np.flatnonzero(_occurrences(codes[None], table)[0])]
        if self.constraints.motifs:
            table = scan(self.constraints.motifs, [codes], pvalue=self.constraints.pvalue)
            found += [(int(a), int(b), str(name)) for a, b, name in zip(table["start"], table["end"], table["motif"], strict=True)]
        return found

    def _check_possible(self) -> None:
        """Raise `InputError` where what is protected, or the number of changes, leaves no way to keep the constraints."""
        limits, size = self.constraints, len(self.start)
        for first, end, name in self.hits(self.start):
            if not self.free[first:end].any():
                raise InputError(
                    f"the protected bases {first}:{end} ({decode(self.start[first:end])}) hold the forbidden {name}: bases that may stay were "
                    "expected. Protect fewer of them, or allow it."
                )
        if self.least_gc > self.most_gc:
            raise InputError(
                f"no sequence of {size} bp has a GC content from {limits.gc[0]:g} to {limits.gc[1]:g}: a range that holds a multiple of 1/{size} "
                "was expected. Widen it."
            )
        strong = (self.start == 1) | (self.start == 2)
        up = min(int((~strong & self.free).sum()), self.most_changes)
        down = min(int((strong & self.free).sum()), self.most_changes)
        lowest, highest = int(strong.sum()) - down, int(strong.sum()) + up
        if lowest > self.most_gc or highest < self.least_gc:
            raise InputError(
                f"a GC content of {limits.gc[0]:g} to {limits.gc[1]:g} was asked for, and with what is protected and the changes that are allowed it "
                f"can be {lowest / size:.3g} to {highest / size:.3g}: a range that meets these was expected. Widen it, or allow more changes."
            )


def _tables_of(word: str) -> list[NDArray[np.bool_]]:
    """Return which codes each position of a word takes, (W, 5), on one strand and, where it differs, on the other."""
    table = np.array([[base in IUPAC[letter] for base in BASES] + [False] for letter in word.upper()], dtype=np.bool_)
    other = table[::-1][:, COMPLEMENT]
    return [table] if np.array_equal(table, other) else [table, other]


def _occurrences(codes: Codes, table: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return at which positions of sequences (N, L) a word begins, (N, L - W + 1)."""
    width, size = len(table), codes.shape[1]
    if width > size:
        return np.zeros((len(codes), 0), dtype=np.bool_)
    found = np.ones((len(codes), size - width + 1), dtype=np.bool_)
    for offset, taken in enumerate(table):
        found &= taken[codes[:, offset : offset + size - width + 1]]
    return found


def substituted(codes: Codes, positions: Sequence[int] | NDArray[np.integer], bases: Sequence[int] | NDArray[np.integer]) -> Codes:
    """Return copies (N, L) of one sequence (L,), the k-th with its own base at its own position.

    Examples
    --------
    >>> substituted(np.zeros(3, dtype=np.uint8), [0, 2], [1, 3]).tolist()
    [[1, 0, 0], [0, 0, 3]]
    """
    made = np.repeat(codes[None], len(positions), axis=0)
    made[np.arange(len(positions)), positions] = bases
    return made
