"""Searches by generations: of sequences, and of the latents that a generator turns into sequences."""

from __future__ import annotations

import numpy as np

from seqdl.interpret.repair import repair
from seqdl.interpret.search import Problem, better
from seqdl.types import Codes

IDLE = 25
"""Generations without anything better after which it ends."""
CROSSED, SWAPPED = 0.5, 0.3
"""Share of the children that have two parents, and of the mutations that let two positions change places."""


def evolutionary(problem: Problem, start: Codes) -> Codes:
    """Let a population of sequences mutate and cross, the better half of parents and children living on.

    A child that breaks the rules is brought under them, or dies.

    Parameters
    ----------
    problem : Problem
    start : Codes, (L,)
        Keeps the rules.

    Returns
    -------
    Codes, (L,)
    """
    size = problem.how.population
    if not problem.rules.free.any():
        return start
    held = start[None]
    values = problem.objective.value(held)
    best, idle = float(values[0]), 0
    for _ in range(problem.how.steps):
        if idle == IDLE or problem.objective.goal.reached(best):
            break
        children = [_child(problem, held, values) for _ in range(size)]
        known = {one.tobytes() for one in held}
        alive = {one.tobytes(): one for one in _under_rules(problem, children) if one.tobytes() not in known}
        if alive:
            born = np.stack(list(alive.values()))
            held, values = np.concatenate([held, born]), np.concatenate([values, problem.objective.value(born)])
        kept = np.argsort(-values, kind="stable")[:size]
        held, values = held[kept], values[kept]
        idle = 0 if better(float(values[0]), best) else idle + 1
        best = max(best, float(values[0]))
    winner: Codes = held[0]
    return winner


def _child(problem: Problem, held: Codes, values: np.ndarray) -> Codes:
    """Return a mutated child of one or two parents, each the better of two."""
    rng = problem.rng
    first, second = (_parent(values, rng) for _ in range(2))
    child: Codes = held[first].copy()
    if rng.random() < CROSSED:
        left, right = np.sort(rng.integers(0, len(child) + 1, 2))
        child[left:right] = held[second, left:right]
    free = np.flatnonzero(problem.rules.free)
    for _ in range(1 + rng.poisson(1)):
        a, b = rng.choice(free, 2)
        if rng.random() < SWAPPED:
            child[a], child[b] = child[b], child[a]
        else:
            child[a] = (child[a] + rng.integers(1, 4)) % 4
    return child


def _parent(values: np.ndarray, rng: np.random.Generator) -> int:
    a, b = rng.integers(0, len(values), 2)
    return int(a if values[a] >= values[b] else b)


def _under_rules(problem: Problem, children: list[Codes]) -> list[Codes]:
    """Return the children that keep the rules, or can be brought to."""
    kept = problem.rules.met(np.stack(children))
    alive = []
    for child, good in zip(children, kept, strict=True):
        made = child if good else repair(problem.rules, child, problem.rng)
        if made is not None:
            alive.append(made)
    return alive
