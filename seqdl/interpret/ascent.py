"""Search by gradient: straight through the choice of bases, from the logits of a sequence or from the latents of a generator."""

from __future__ import annotations

import numpy as np
import torch

from seqdl.interpret.maximize import ascended
from seqdl.interpret.repair import repair
from seqdl.interpret.search import Problem, better
from seqdl.types import Codes

SURE = 1.0
"""Logit of the start's bases, the others having 0."""
RATE = 0.3
NOISE = 0.05


def straight_through(problem: Problem, start: Codes) -> Codes:
    """Let the logits of the bases climb the gradient at the likeliest bases [1]_, [2]_.

    Each step reads the likeliest bases off, brings them under the rules, and moves the logits by the gradient there as if those bases were
    the softmax; the best sequence on the way is kept.

    Parameters
    ----------
    problem : Problem
    start : Codes, (L,)
        Keeps the rules.

    Returns
    -------
    Codes, (L,)

    References
    ----------
    .. [1] Bengio, Léonard & Courville, Estimating or propagating gradients through stochastic neurons, arXiv:1308.3432 (2013).
    .. [2] Linder & Seelig, Fast activation maximization for molecular sequence design, BMC Bioinformatics 22 (2021).
    """
    logits = np.zeros((4, len(start)))
    logits[start, np.arange(len(start))] = SURE
    logits += NOISE * problem.rng.standard_normal(logits.shape)
    best, value = start, float(problem.objective.value(start[None])[0])
    for _ in range(problem.how.steps):
        if problem.objective.goal.reached(value):
            break
        hard = repair(problem.rules, logits.argmax(0).astype(np.uint8), problem.rng, preference=logits)
        if hard is None:
            hard = best
        reached = float(problem.objective.value(hard[None])[0])
        if better(reached, value):
            best, value = hard, reached
        slope = problem.objective.gradient(hard)
        odds = np.exp(logits - logits.max(0))
        odds /= odds.sum(0)
        through = odds * (slope - (odds * slope).sum(0))
        logits = ascended(torch.from_numpy(logits[None]), torch.from_numpy(through[None]), rate=RATE)[0].numpy()
    return best
