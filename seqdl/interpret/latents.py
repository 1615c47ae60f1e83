"""Searches among the latents of a generator, so that what is designed stays near what the generator writes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqdl.interpret.repair import feasible_start, repair
from seqdl.interpret.search import Problem, better
from seqdl.types import Codes

MARGIN = 2.0
"""A normal latent of Z numbers lies at sqrt(Z) + N(0, 1/2) from the middle; none farther out than this beyond sqrt(Z) is looked at."""
MOVED = 0.3
"""Standard deviation of a mutation of a latent."""
RATE = 0.05
"""Step of ascent, as a share of sqrt(Z)."""
KEPT_PACE = 0.8
IDLE = 25


@dataclass(frozen=True)
class Writer:
    """What turns latents into sequences, and where the search among them begins.

    Attributes
    ----------
    decode : callable
        Latents (B, Z) -> logits of the bases (B, 4, L), the same for the same latent, with a gradient.
    latents : Tensor, (n, Z)
        One for each design.
    """

    decode: Callable[[Tensor], Tensor]
    latents: Tensor

    def likeliest(self, latents: Tensor) -> tuple[Codes, np.ndarray]:
        """Return the likeliest sequences (B, L) of latents (B, Z), and the logits (B, 4, L)."""
        with torch.no_grad():
            logits = self.decode(latents)
        return logits.argmax(1).to(torch.uint8).cpu().numpy(), logits.double().cpu().numpy()


def within(latents: Tensor) -> Tensor:
    """Return latents (B, Z) drawn back to where normal ones lie.

    Examples
    --------
    >>> within(torch.tensor([[32.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])).tolist()
    [[4.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]
    """
    radius = math.sqrt(latents.shape[1]) + MARGIN
    drawn: Tensor = latents * (radius / latents.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1)
    return drawn


def evolve_latents(problem: Problem, writer: Writer, latent: Tensor) -> Codes:
    """Let a population of latents mutate and mix; what they are decoded to is brought under the rules.

    Parameters
    ----------
    problem : Problem
    writer : Writer
    latent : Tensor, (Z,)
        Where it begins.

    Returns
    -------
    Codes, (L,)
    """
    size, rng = problem.how.population, problem.rng
    held = latent[None]
    best = feasible_start(problem.rules, rng)
    value, idle = float(problem.objective.value(best[None])[0]), 0
    written, _ = _written(problem, writer, held)
    values = problem.objective.value(written) if len(written) else np.array([-np.inf])  # what it is decoded to may not come under the rules
    for _ in range(problem.how.steps):
        if idle == IDLE or problem.objective.goal.reached(value):
            break
        a, b = rng.integers(0, len(held), (2, size)), rng.integers(0, len(held), (2, size))
        mothers, fathers = (held[torch.from_numpy(np.where(values[pair[0]] >= values[pair[1]], *pair))] for pair in (a, b))
        from_mother = torch.from_numpy(rng.random((size, held.shape[1])) < 0.5)
        moved = torch.from_numpy(rng.normal(0, MOVED, (size, held.shape[1]))).to(held)
        children = within(torch.where(from_mother.to(held.device), mothers, fathers) + moved)
        codes, alive = _written(problem, writer, children)
        idle += 1
        if not len(codes):
            continue
        found = problem.objective.value(codes)
        if better(float(found.max()), value):
            best, value, idle = codes[int(found.argmax())], float(found.max()), 0
        held, values = torch.cat([held, children[alive]]), np.concatenate([values, found])
        kept = np.argsort(-values, kind="stable")[:size]
        held, values = held[torch.from_numpy(kept)], values[kept]
    return best


def ascend_latents(problem: Problem, writer: Writer, latent: Tensor) -> Codes:
    """Let a latent climb the gradient, taken at the likeliest bases and passed on through the softmax of the decoder.

    Parameters
    ----------
    problem : Problem
    writer : Writer
    latent : Tensor, (Z,)
        Where it begins.

    Returns
    -------
    Codes, (L,)
    """
    best = feasible_start(problem.rules, problem.rng)
    value = float(problem.objective.value(best[None])[0])
    here, pace = latent[None].clone(), torch.zeros_like(latent[None])
    for _ in range(problem.how.steps):
        if problem.objective.goal.reached(value):
            break
        codes, _ = _written(problem, writer, here)
        hard = codes[0] if len(codes) else best
        reached = float(problem.objective.value(hard[None])[0])
        if better(reached, value):
            best, value = hard, reached
        slope = torch.from_numpy(problem.objective.gradient(hard))[None]
        with torch.inference_mode(False), torch.enable_grad():
            leaf = here.detach().clone().requires_grad_(True)
            odds = writer.decode(leaf).softmax(1)
            (uphill,) = torch.autograd.grad((odds * slope.to(odds)).sum(), leaf)
        pace = KEPT_PACE * pace + (1 - KEPT_PACE) * uphill / uphill.norm().clamp(min=1e-12)
        here = within(here + RATE * math.sqrt(here.shape[1]) * pace / (1 - KEPT_PACE))
    return best


def _written(problem: Problem, writer: Writer, latents: Tensor) -> tuple[Codes, Tensor]:
    """Return what latents are decoded to, under the rules, and the numbers of those that could be brought there."""
    codes, logits = writer.likeliest(latents)
    made = [repair(problem.rules, one, problem.rng, preference=wanted) for one, wanted in zip(codes, logits, strict=True)]
    alive = [number for number, one in enumerate(made) if one is not None]
    kept = [one for one in made if one is not None]
    return np.stack(kept) if kept else codes[:0], torch.tensor(alive, dtype=torch.long)
