"""Sequences towards a target: searches over substitutions or latents, under constraints that every result keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from torch import Tensor

from seqdl.errors import InputError, UnknownNameError
from seqdl.interpret.ascent import straight_through
from seqdl.interpret.constraints import Constraints, Rules
from seqdl.interpret.evolve import evolutionary
from seqdl.interpret.latents import Writer, ascend_latents, evolve_latents
from seqdl.interpret.objective import Goal, Objective, Scored, Towards
from seqdl.interpret.repair import feasible_start
from seqdl.interpret.search import Problem, Search, beam, greedy
from seqdl.progress import track
from seqdl.types import Codes, Floats

SEARCHES: Mapping[str, Callable[[Problem, Codes], Codes]] = MappingProxyType(
    {"greedy": greedy, "beam": beam, "evolutionary": evolutionary, "gradient": straight_through}
)
LATENT_SEARCHES: Mapping[str, Callable[[Problem, Writer, Tensor], Codes]] = MappingProxyType(
    {"evolutionary": evolve_latents, "gradient": ascend_latents}
)


@dataclass(frozen=True)
class Designs:
    """Designed sequences, one for each start.

    Attributes
    ----------
    starts, codes : list of Codes, n of (L,)
        Before and after.
    before, after : array, (n,)
        Their scores.
    changes : int array, (n,)
        Bases in which they differ.
    """

    starts: list[Codes]
    codes: list[Codes]
    before: Floats
    after: Floats
    changes: np.ndarray


def design_sequences(
    scored: Scored,
    starts: Sequence[Codes] | Codes,
    *,
    towards: Towards = "max",
    output: int | str = 0,
    constraints: Constraints | None = None,
    search: Search | None = None,
) -> Designs:
    """Change sequences so that a network's score of them goes where it should.

    A network can be fooled by its own optimum: score the designs with another one, trained apart, before any is believed.

    Parameters
    ----------
    scored : nn.Module or callable
        A network, of whose outputs (before the link) one is read; or a function of one-hot (B, 4, L) with one number a sequence.
    starts : codes (n, L), or n codes (L,)
        What is changed; first of all so that it keeps the constraints.
    towards : "max", "min" or float, default "max"
    output : int or str, default 0
        Which output, by number or name.
    constraints : Constraints, optional
        What every design keeps.
    search : Search, optional
        The method, and how long it searches.

    Returns
    -------
    Designs

    Raises
    ------
    InputError
        If no sequence can keep the constraints, or the method asks for a gradient and there is none.
    UnknownNameError
        If there is no such method or output.

    Examples
    --------
    >>> from seqdl.sequence.encode import decode, encode
    >>> found = design_sequences(lambda x: x[:, 2].sum(1), [encode("ACTTGA")], constraints=Constraints(gc=(0.5, 0.7), protected=((0, 3),)))
    >>> decode(found.codes[0]), float(found.after[0])
    ('ACTGGG', 3.0)
    """
    how = search or Search()
    if how.method not in SEARCHES:
        raise UnknownNameError("search method", how.method, SEARCHES)
    objective = Objective(scored, output, goal=Goal(towards))
    made = []
    rules = _rules_of(starts, constraints or Constraints())
    for number, rule in enumerate(track(rules, "designing", total=len(rules))):
        problem = Problem(objective, rule, how, np.random.default_rng((how.seed, number)))
        found = SEARCHES[how.method](problem, feasible_start(rule, problem.rng))
        made.append(greedy(problem, found) if how.mend and how.method != "greedy" else found)
    return _collected(objective, rules, made)


def design_latents(
    scored: Scored,
    writer: Writer,
    starts: Sequence[Codes] | Codes | None = None,
    *,
    towards: Towards = "max",
    output: int | str = 0,
    constraints: Constraints | None = None,
    search: Search | None = None,
) -> Designs:
    """Search the latents of a generator for a sequence whose score goes where it should.

    Parameters
    ----------
    scored : nn.Module or callable
        See `design_sequences`.
    writer : Writer
        The generator, and the latents to begin with.
    starts : codes (n, L), optional
        What protected bases and changes are counted from; by default what the first latents are decoded to.
    towards, output, constraints
        See `design_sequences`.
    search : Search, optional
        Its method is evolutionary (the default here) or gradient. Nothing is mended: but for the constraints, the generator has the last word.

    Returns
    -------
    Designs

    Raises
    ------
    InputError
        If no sequence can keep the constraints.
    UnknownNameError
        If there is no such method or output.
    """
    how = search or Search(method="evolutionary")
    if how.method not in LATENT_SEARCHES:
        raise UnknownNameError("search method among latents", how.method, LATENT_SEARCHES)
    objective = Objective(scored, output, goal=Goal(towards))
    rules = _rules_of(writer.likeliest(writer.latents)[0] if starts is None else starts, constraints or Constraints())
    made = []
    for number, rule in enumerate(track(rules, "designing", total=len(rules))):
        problem = Problem(objective, rule, how, np.random.default_rng((how.seed, number)))
        made.append(LATENT_SEARCHES[how.method](problem, writer, writer.latents[number]))
    return _collected(objective, rules, made)


def _rules_of(starts: Sequence[Codes] | Codes, constraints: Constraints) -> list[Rules]:
    """Return the rules of each start; which one is wrong stands in the error."""
    rules = []
    for number, start in enumerate(starts, 1):
        try:
            rules.append(Rules(constraints, start))
        except InputError as error:
            raise type(error)(f"start {number}: {error}") from None
    if not rules:
        raise InputError("there is no start to design from: at least one sequence was expected. Give one.")
    return rules


def _collected(objective: Objective, rules: Sequence[Rules], made: Sequence[Codes]) -> Designs:
    """Return the designs with their scores; a design that broke its rules would be our mistake."""
    assert all(rule.met(codes[None])[0] for rule, codes in zip(rules, made, strict=True)), "a design breaks its constraints"
    starts = [rule.start for rule in rules]
    before, after = (np.array([float(objective.scores(one[None])[0]) for one in some]) for some in (starts, made))
    changes = np.array([int((a != b).sum()) for a, b in zip(starts, made, strict=True)])
    return Designs(starts, list(made), before, after, changes)
