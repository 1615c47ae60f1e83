"""Bringing a sequence under constraints with few changes of what was wanted: directly where that can be, else by min-conflicts."""

from __future__ import annotations

import numpy as np

from seqdl.errors import InputError, listing
from seqdl.interpret.constraints import Rules, substituted
from seqdl.types import Codes, Floats

TRIED = 256
"""Substitutions that are tried in a round, at most."""
PATIENCE = 100
"""Rounds beyond one for each fault."""
RESTARTS = 5
PATCHED = 0.05
"""Share of the rounds in which any substitution is taken, so that no circle is walked for ever."""


def repair(rules: Rules, codes: Codes, rng: np.random.Generator, *, preference: Floats | None = None) -> Codes | None:
    """Bring a sequence under its rules.

    Protected bases go back, the least wanted changes and then the least wanted bases give way to the number of changes and to GC; what is
    left, forbidden words above all, is mended by the substitution that leaves the fewest faults [1]_.

    Parameters
    ----------
    rules : Rules
    codes : Codes, (L,)
    rng : Generator
    preference : array, (4, L), optional
        How much each base is wanted at each position; by default what is there, and else chance.

    Returns
    -------
    Codes, (L,), or None
        None if no way was found.

    References
    ----------
    .. [1] Minton et al., Minimizing conflicts, Artificial Intelligence 58:161 (1992).

    Examples
    --------
    >>> from seqdl.interpret.constraints import Constraints
    >>> from seqdl.sequence.encode import decode, encode
    >>> rules = Rules(Constraints(gc=(0.5, 0.5), protected=((0, 2),)), encode("AAAA"))
    >>> decode(repair(rules, encode("TTCC"), np.random.default_rng(0)))
    'AACC'
    """
    wanted = _wanted(codes, rng) if preference is None else preference
    made = np.where(rules.free, codes, rules.start)
    made = _fewer_changes(rules, made, wanted)
    made = _balanced(rules, made, wanted)
    left = int(rules.excess(made[None])[0])
    for round_ in range(PATIENCE + 3 * left):
        if left == 0:
            return made
        positions, bases = _mending(rules, made, rng)
        if not len(positions):
            return None
        tried = substituted(made, positions, bases)
        faults = rules.excess(tried)
        tie = wanted[bases, positions] - wanted[made[positions], positions] if round_ < PATIENCE // 2 else rng.random(len(positions))
        best = int(np.lexsort((-tie, faults))[0]) if rng.random() >= PATCHED else int(rng.integers(len(positions)))
        made, left = tried[best], int(faults[best])
    return made if left == 0 else None


def feasible_start(rules: Rules, rng: np.random.Generator) -> Codes:
    """Return the start, with the changes that its constraints ask for.

    Raises
    ------
    InputError
        If no way was found to keep all of them.
    """
    for _ in range(RESTARTS):
        made = repair(rules, rules.start, rng)
        if made is not None:
            return made
    names = [name for _, _, name in rules.hits(rules.start)]
    raise InputError(
        f"no sequence near the start keeps the constraints ({rules.constraints.text()}); the start holds {listing(dict.fromkeys(names))}. "
        "Constraints that can be kept together were expected. Forbid or protect less, or allow more changes."
    )


def _wanted(codes: Codes, rng: np.random.Generator) -> Floats:
    """Return how much each base is wanted: what is there by far, the others by chance."""
    wanted = rng.random((4, len(codes)))
    wanted[codes, np.arange(len(codes))] += 1
    return wanted


def _fewer_changes(rules: Rules, codes: Codes, wanted: Floats) -> Codes:
    """Take back the changes that gain least, until no more are left than are allowed."""
    at = np.flatnonzero(codes != rules.start)
    surplus = len(at) - rules.most_changes
    if surplus <= 0:
        return codes
    gain = wanted[codes[at], at] - wanted[rules.start[at], at]
    back = at[np.argsort(gain, kind="stable")[:surplus]]
    made = codes.copy()
    made[back] = rules.start[back]
    return made


def _balanced(rules: Rules, codes: Codes, wanted: Floats) -> Codes:
    """Bring GC into its range by the substitutions that lose least."""
    strong = (codes == 1) | (codes == 2)
    short, surplus = rules.least_gc - int(strong.sum()), int(strong.sum()) - rules.most_gc
    if short <= 0 and surplus <= 0:
        return codes
    others = np.array([1, 2] if short > 0 else [0, 3])
    best = others[wanted[others].argmax(0)]  # (L,)
    spot = np.arange(len(codes))
    loss = wanted[codes, spot] - wanted[best, spot]
    fits = rules.free & (~strong if short > 0 else strong)
    if (codes != rules.start).sum() + max(short, surplus) > rules.most_changes:
        fits = fits & (codes != rules.start)  # no change may be added, so changes change
    at = np.flatnonzero(fits)
    at = at[np.argsort(loss[at], kind="stable")[: max(short, surplus)]]
    made = codes.copy()
    made[at] = best[at]
    return made


def _mending(rules: Rules, codes: Codes, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and bases of substitutions to try: where something forbidden stands, if it does, else anywhere."""
    free = rules.free
    inside = np.zeros_like(free)
    for start, end, _ in rules.hits(codes):
        inside[start:end] = True
    at = np.flatnonzero(inside & free) if (inside & free).any() and rng.random() > PATCHED else np.flatnonzero(free)
    if rules.constraints.max_changes is not None:
        at = np.union1d(at, np.flatnonzero(codes != rules.start))  # taking a change back makes room for another
    positions, bases = np.repeat(at, 3), (np.repeat(codes[at], 3) + np.tile([1, 2, 3], len(at))) % 4
    if len(positions) > TRIED:
        chosen = rng.choice(len(positions), TRIED, replace=False)
        positions, bases = positions[chosen], bases[chosen]
    return positions, bases
