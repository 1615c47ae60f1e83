"""What a search improves: one number of a network, towards a maximum, a minimum or a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.interpret.inputs import scores_of
from seqdl.interpret.readout import Readout, evaluating
from seqdl.layers.onehot import one_hot
from seqdl.types import Codes, Floats

Towards: TypeAlias = Literal["max", "min"] | float
Scored: TypeAlias = nn.Module | Callable[[Tensor], Tensor]
"""A network, or a function of one-hot (B, 4, L) with one number a sequence, (B,)."""
NEAR = 1e-3
"""So near to a wanted value nothing more is gained, in units of the score."""


@dataclass(frozen=True)
class Goal:
    """Where a score should go.

    Parameters
    ----------
    towards : "max", "min" or float

    Examples
    --------
    >>> scores = np.array([1.0, 4.0])
    >>> Goal("max").value(scores), Goal("min").value(scores), Goal(3.0).value(scores)
    (array([1., 4.]), array([-1., -4.]), array([-2., -1.]))
    """

    towards: Towards = "max"

    def __post_init__(self) -> None:
        number = isinstance(self.towards, int | float) and bool(np.isfinite(self.towards))
        if not number and self.towards not in ("max", "min"):
            raise InputError(f"towards is {self.towards!r}: 'max', 'min' or a number was expected. Say where the score should go.")

    def value(self, scores: Floats) -> Floats:
        """Return how good scores are: the higher the better."""
        if isinstance(self.towards, str):
            return scores if self.towards == "max" else np.negative(scores)
        return np.asarray(-np.abs(scores - self.towards))

    def slope(self, score: float) -> float:
        """Return how the value changes with the score."""
        if isinstance(self.towards, str):
            return 1.0 if self.towards == "max" else -1.0
        return float(np.sign(self.towards - score))

    def reached(self, value: float) -> bool:
        """Tell whether nothing more is to be gained."""
        return not isinstance(self.towards, str) and value > -NEAR


class Called(nn.Module):
    """A function in the clothes of a module.

    Parameters
    ----------
    function : callable
        One-hot (B, 4, L) -> (B,).
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Return what the function gives."""
        return self.function(x)


class Objective:
    """One output of a network and where it should go.

    Parameters
    ----------
    scored : nn.Module or callable
    output : int or str, default 0
    goal : Goal, optional
        By default the maximum.

    Examples
    --------
    >>> count = Objective(lambda x: x[:, 2].sum(1))
    >>> count.value(np.array([[2, 2, 0], [0, 1, 2]], dtype=np.uint8))
    array([2., 1.])
    """

    def __init__(self, scored: Scored, output: int | str = 0, *, goal: Goal | None = None) -> None:
        module = scored if isinstance(scored, nn.Module) else Called(scored)
        self.readout, self.goal = Readout(module, output), goal or Goal()
        self._differentiable = True

    def scores(self, codes: Codes) -> Floats:
        """Return the scores (N,) of sequences (N, L)."""
        return scores_of(self.readout, codes)

    def value(self, codes: Codes) -> Floats:
        """Return how good sequences (N, L) are, (N,): the higher the better."""
        return self.goal.value(self.scores(codes))

    def gradient(self, codes: Codes) -> Floats:
        """Return how the value of one sequence (L,) changes with each of its bases, (4, L).

        Raises
        ------
        InputError
            If the module lets no gradient through.
        """
        with evaluating(self.readout.module):
            score, gradient = self.readout.gradient(self.readout.place(one_hot(torch.from_numpy(codes[None].copy()))))
        found: Floats = gradient[0].double().cpu().numpy()
        return self.goal.slope(float(score[0])) * found

    def first_order_gain(self, codes: Codes) -> Floats | None:
        """Return what each substitution of one sequence promises to first order, (4, L); None where there is no gradient."""
        if not self._differentiable:
            return None
        try:
            slope = self.gradient(codes)
        except (InputError, RuntimeError):  # a function that leaves torch
            self._differentiable = False
            return None
        return slope - slope[codes, np.arange(len(codes))]
