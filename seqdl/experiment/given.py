"""Sequences as users hand them over: a FASTA file, strings, codes or one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import InputError, ShapeError
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.io.fasta import read_fasta
from seqdl.sequence.encode import codes_of, encode

if TYPE_CHECKING:
    from torch import Tensor

    from seqdl.types import Codes

Given: TypeAlias = "str | Path | Sequence[str] | Sequence[Codes] | NDArray[Any] | Tensor"
"""The path of a FASTA file, a list of strings or of codes, codes (N, L), or one-hot (N, 4, L)."""


def read_sequences(given: Given, *, name: str = "sequences") -> tuple[list[str], SequenceSet]:
    """Take sequences in any of the forms that users have them in.

    Parameters
    ----------
    given : str or Path, list of str, list of codes (L_i,), codes (N, L), or one-hot (N, 4, L)
        A string is the path of a FASTA file. A column of one-hot without a single largest value is an ambiguous base.
    name : str
        What they are called in messages.

    Returns
    -------
    names : list of str
        Those of the file; else sequence1, sequence2, ...
    sequences : SequenceSet

    Raises
    ------
    InputError
        If a sequence stands where the path of a file was expected, or a letter is no nucleotide.
    ShapeError
        If an array has another shape.
    DataError
        If there are no sequences, one is empty, or a code is above 4.

    Examples
    --------
    >>> names, some = read_sequences(["ACG", "T"])
    >>> names, some.codes.tolist()
    (['sequence1', 'sequence2'], [[0, 1, 2], [3, 4, 4]])
    >>> read_sequences(np.eye(4)[None])[1].codes.tolist()
    [[0, 1, 2, 3]]
    """
    if isinstance(given, str | Path):
        if given and set(str(given).upper()) <= set("ACGTUN") and not Path(given).exists():
            raise InputError(
                f"the {name} are the one text '{str(given)[:20]}'; a list of texts, or the path of a FASTA, was expected. Put it into a list."
            )
        records = read_fasta(given)
        return [record.name for record in records], SequenceSet.of([record.codes for record in records], name=name)
    found: Any = given.detach().cpu().numpy() if hasattr(given, "detach") else given
    if isinstance(found, np.ndarray):
        if found.ndim == 3:
            found = codes_of(found)
        elif not np.issubdtype(found.dtype, np.integer):
            raise ShapeError(
                f"the {name} are {found.dtype} of the shape {found.shape}; codes (N, L) as integers or one-hot (N, 4, L) were expected. "
                "Of one sequence pass x[None]."
            )
    else:
        found = [encode(one) if isinstance(one, str) else one for one in found]
    some = SequenceSet.of(found, name=name)
    return [f"sequence{i}" for i in range(1, len(some) + 1)], some
