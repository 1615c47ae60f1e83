"""The sequences an attribution is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdl.errors import InputError, ShapeError
from seqdl.sequence.alphabet import AMBIGUOUS
from seqdl.sequence.encode import codes_of, one_hot
from seqdl.sequence.shuffle import dinucleotide_shuffle
from seqdl.types import Codes

ReferenceSpec = int | Literal["uniform", "zeros"] | NDArray[Any] | Tensor
"""A number of dinucleotide shuffles, a constant, or one-hot (R, 4, L) for all or (N, R, 4, L) for each sequence."""


@dataclass(frozen=True)
class References:
    """The reference sequences of N sequences.

    Attributes
    ----------
    count : int
        R, how many each sequence has.
    codes : Codes, (N, R, L), or None
        Shuffles, kept as codes because one-hot would take sixteen times the memory.
    given : Tensor, (N, 4, L) or (N, 4 + C, L)
        The sequences. Shuffling leaves ambiguous bases where they are; they are taken from here as they were read, and so are measured
        tracks, which are held fixed.
    dense : Tensor, (N, R, 4, L) or (1, R, 4, L), or None
        Anything else.
    """

    count: int
    given: Tensor
    codes: Codes | None = None
    dense: Tensor | None = None

    def rows(self, rows: slice) -> Tensor:
        """Return the references (n, R, 4, L), or (n, R, 4 + C, L), of some sequences."""
        bases, given = self._bases(rows), self.given[rows]
        if given.shape[1] == bases.shape[2]:
            return bases
        return torch.cat([bases, given[:, None, 4:].expand(-1, self.count, -1, -1)], 2)

    def _bases(self, rows: slice) -> Tensor:
        """Return the references without the tracks, (n, R, 4, L)."""
        if self.codes is not None:
            shuffled = torch.from_numpy(one_hot(self.codes[rows]))
            unknown = torch.from_numpy(self.codes[rows] >= AMBIGUOUS).unsqueeze(2)  # (n, R, 1, L)
            return torch.where(unknown, self.given[rows, None, :4], shuffled) if unknown.any() else shuffled
        assert self.dense is not None
        return self.dense[rows] if len(self.dense) > 1 else self.dense.expand(rows.stop - rows.start, -1, -1, -1)


def make_references(x: Tensor, references: ReferenceSpec, *, seed: int = 0) -> References:
    """Make or check the references of one-hot sequences.

    Shuffles depend on the seed and on the row of the sequence in `x`, not on the batch size.

    Parameters
    ----------
    x : Tensor, (N, 4, L) or (N, 4 + C, L)
        One-hot sequences; measured tracks behind the bases are the same in every reference.
    references : int, "uniform", "zeros", or array (R, 4, L) or (N, R, 4, L)
        A number asks for so many dinucleotide shuffles of each sequence; "uniform" is .25 for every base;
        "zeros" is no base at all.
    seed : int, default 0
        Seed of the shuffles.

    Raises
    ------
    InputError
        If the number is below 1, or the word is unknown.
    ShapeError
        If an array does not fit `x`.

    Examples
    --------
    >>> make_references(torch.eye(4)[None], "uniform").rows(slice(0, 1))[0, 0, :, 0]
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    n, _, length = x.shape
    fixed = x.cpu().float()
    if isinstance(references, (int, np.integer)):
        if references < 1:
            raise InputError(f"references is {references}; expected the number of shuffles, at least 1. Ten is a good choice.")
        codes = np.repeat(codes_of(fixed[:, :4].numpy()), int(references), axis=0)
        shuffled = dinucleotide_shuffle(codes, seed=seed) if len(codes) else codes
        return References(int(references), fixed, codes=shuffled.reshape(n, int(references), length))
    if isinstance(references, str):
        if references not in ("uniform", "zeros"):
            raise InputError(
                f"references is '{references}'; expected a number of shuffles, 'uniform', 'zeros' or an array. Ten shuffles are a good choice."
            )
        value = 0.25 if references == "uniform" else 0.0
        return References(1, fixed, dense=torch.full((1, 1, 4, length), value))
    given = references.detach() if isinstance(references, Tensor) else torch.as_tensor(np.asarray(references))
    dense = given.to(torch.float32).cpu()
    dense = dense[None] if dense.ndim == 3 else dense
    if dense.ndim != 4 or dense.shape[0] not in (1, n) or dense.shape[1] < 1 or dense.shape[2:] != (4, length):
        raise ShapeError(
            f"references have the shape {tuple(given.shape)} for x {tuple(x.shape)}; "
            f"expected (R, 4, {length}) or ({n}, R, 4, {length}). Cut them to the length of x."
        )
    return References(dense.shape[1], fixed, dense=dense)


def contributions(x: Tensor, reference: Tensor, multiplier: Tensor, *, hypothetical: bool = False) -> Tensor:
    """Turn multipliers into contributions.

    The whole difference of a position is written at the base that stands there, so that contributions are zero
    off the sequence and still add up to the difference of the outputs. With ``hypothetical`` every base gets what
    it would contribute if it stood there under the same multipliers.

    Parameters
    ----------
    x, reference : Tensor, (n, R, 4, L) or (n, R, 4 + C, L)
        The sequence, and what it is compared with.
    multiplier : Tensor, (n, R, 4, L)
        The output's change for a unit of change in each base.
    hypothetical : bool, default False
        Return all four bases.

    Returns
    -------
    Tensor, (n, 4, L)
        The mean over references.
    """
    x, reference = x[:, :, :4], reference[:, :, :4]
    if hypothetical:
        return (multiplier - (reference * multiplier).sum(2, keepdim=True)).mean(1)
    parts = (x - reference) * multiplier
    # Where no base stands (an N against a dense reference) there is nothing to project on.
    return torch.where(x.sum(2, keepdim=True) > 0, x * parts.sum(2, keepdim=True), parts).mean(1)
