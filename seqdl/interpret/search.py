"""Searches by substitution: greedy, and with a beam of several sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqdl.errors import InputError
from seqdl.interpret.constraints import Rules, substituted
from seqdl.interpret.objective import Objective
from seqdl.types import Codes, Floats, Ints

FROM_EACH_KIND = 8
"""Substitutions of each kind (more or less GC, more or fewer changes) that are tried in pairs."""
PAIRS = 256
BEAM_PATIENCE = 3
"""Rounds without anything better after which a beam ends."""


@dataclass(frozen=True)
class Search:
    """How sequences are searched.

    Parameters
    ----------
    method : {"greedy", "beam", "evolutionary", "gradient"}, default "greedy"
    steps : int, default 100
        Rounds, generations or steps of ascent, at most.
    tried : int, default 64
        Substitutions that are tried first in each round, those that the gradient speaks for; of each sequence in a beam a share of them.
    width : int, default 8
        Sequences in the beam.
    population : int, default 40
        Sequences, or latents, of a generation.
    mend : bool, default True
        Whether the best that another method finds is mended as by the greedy one, until no substitution and no pair of them helps.
    seed : int, default 0

    Raises
    ------
    InputError
        If a number is too small.
    """

    method: str = "greedy"
    steps: int = 100
    tried: int = 64
    width: int = 8
    population: int = 40
    mend: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("tried", 1), ("width", 1), ("population", 4)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}: {least} or more was expected. Leave it out for a usual number.")


@dataclass(frozen=True)
class Problem:
    """One sequence to improve.

    Attributes
    ----------
    objective : Objective
    rules : Rules
    how : Search
    rng : Generator
    """

    objective: Objective
    rules: Rules
    how: Search
    rng: np.random.Generator


def better(value: float, than: float) -> bool:
    """Tell whether a value is better by more than rounding."""
    return value > than + 1e-6 * max(1.0, abs(than))


def greedy(problem: Problem, start: Codes) -> Codes:
    """Take the best substitution, or pair of them, that keeps the rules, until none helps.

    Parameters
    ----------
    problem : Problem
    start : Codes, (L,)
        Keeps the rules.

    Returns
    -------
    Codes, (L,)
    """
    best, value = start, float(problem.objective.value(start[None])[0])
    for _ in range(problem.how.steps):
        if problem.objective.goal.reached(value):
            break
        found = _step(problem, best, value)
        if found is None:
            break
        best, value = found
    return best


def beam(problem: Problem, start: Codes) -> Codes:
    """Keep the best few sequences of each round, though they be worse than those of the last.

    Parameters
    ----------
    problem : Problem
    start : Codes, (L,)
        Keeps the rules.

    Returns
    -------
    Codes, (L,)
    """
    held, best, value = start[None], start, float(problem.objective.value(start[None])[0])
    seen, idle, n = {start.tobytes()}, 0, max(8, 2 * problem.how.tried // problem.how.width)
    for _ in range(problem.how.steps):
        children = np.concatenate([_promising(problem, one, n) for one in held])
        fresh = [row for row in {child.tobytes(): child for child in children}.values() if row.tobytes() not in seen]
        if not fresh or problem.objective.goal.reached(value) or idle == BEAM_PATIENCE:
            break
        pool = np.stack(fresh)
        values = problem.objective.value(pool)
        kept = np.argsort(-values, kind="stable")[: problem.how.width]
        held = pool[kept]
        seen |= {one.tobytes() for one in held}
        idle += 1
        if better(float(values[kept[0]]), value):
            best, value, idle = held[0], float(values[kept[0]]), 0
    return best


def _substitutions(problem: Problem, codes: Codes) -> tuple[Ints, Ints]:
    """Return positions and bases of every substitution of free bases."""
    at = np.flatnonzero(problem.rules.free)
    return np.repeat(at, 3), (np.repeat(codes[at], 3) + np.tile([1, 2, 3], len(at))) % 4


def _promising(problem: Problem, codes: Codes, n: int) -> Codes:
    """Return the substituted sequences (n, L) that keep the rules and promise most by the gradient, n at most; all where there is none."""
    positions, bases = _substitutions(problem, codes)
    gain = problem.objective.first_order_gain(codes)
    if gain is None:
        children = substituted(codes, positions, bases)
        return children[problem.rules.met(children)]
    order = np.argsort(-gain[bases, positions], kind="stable")[: 4 * n]
    children = substituted(codes, positions[order], bases[order])
    return children[problem.rules.met(children)][:n]


def _step(problem: Problem, codes: Codes, value: float) -> tuple[Codes, float] | None:
    """Return the best neighbour and its value, or None if nothing helps: of those that promise most, of all, of pairs."""
    found = _best_of(problem, _promising(problem, codes, problem.how.tried), value)
    if found is not None:
        return found
    positions, bases = _substitutions(problem, codes)
    if not len(positions):
        return None
    singles = substituted(codes, positions, bases)
    values = problem.objective.value(singles)
    found = _best_of(problem, singles, value, values=np.where(problem.rules.met(singles), values, -np.inf))
    return found or _best_of(problem, _pairs(problem, codes, singles, values=values), value)


def _best_of(problem: Problem, children: Codes, value: float, *, values: Floats | None = None) -> tuple[Codes, float] | None:
    """Return the best of some sequences and its value, if it is better than a value."""
    if not len(children):
        return None
    values = problem.objective.value(children) if values is None else values
    best = int(values.argmax())
    return (children[best], float(values[best])) if better(float(values[best]), value) else None


def _pairs(problem: Problem, codes: Codes, singles: Codes, *, values: Floats) -> Codes:
    """Return sequences with two substitutions that keep the rules though one alone may not: one gives room that the other takes."""
    strong = ((singles == 1) | (singles == 2)).sum(1)
    changes = (singles != problem.rules.start).sum(1)
    chosen: list[int] = []
    for kind in sorted(set(zip(strong.tolist(), changes.tolist(), strict=True))):
        of_kind = np.flatnonzero((strong == kind[0]) & (changes == kind[1]))
        chosen += of_kind[np.argsort(-values[of_kind], kind="stable")[:FROM_EACH_KIND]].tolist()
    first, second = (np.array(chosen)[side] for side in np.triu_indices(len(chosen), 1))
    order = np.argsort(-(values[first] + values[second]), kind="stable")
    first, second = first[order], second[order]
    at = [(singles[side] != codes).argmax(1) for side in (first, second)]
    apart = at[0] != at[1]
    made: Codes = singles[first[apart]]
    rows = np.arange(len(made))
    made[rows, at[1][apart]] = singles[second[apart], at[1][apart]]
    kept: Codes = made[problem.rules.met(made)][:PAIRS] if len(made) else made
    return kept
