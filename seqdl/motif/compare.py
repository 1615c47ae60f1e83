"""Motif against motif: Tomtom p-values and what they say after correction."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.motif.motif import Motif

COLUMNS = ("query", "target", "p", "q", "offset", "strand", "overlap")
FEW_TARGETS = 25
"""With fewer targets than this, p-values depend much on which targets they are."""
_CHUNK = 256  # queries compared at once: 256 x 2,633 JASPAR motifs on two strands take 54 MB


def match_motifs(queries: Sequence[Motif], targets: Sequence[Motif], *, top: int | None = 1) -> pd.DataFrame:
    """Compare motifs with known motifs by Tomtom [1]_ with complete scores [2]_.

    Parameters
    ----------
    queries : sequence of Motif
        What is to be named.
    targets : sequence of Motif
        The known motifs, the whole database: its columns are the null model of the p-values, so fewer than 25 targets
        give rough ones.
    top : int or None, default 1
        How many of the best targets to keep for each query; None keeps all.

    Returns
    -------
    DataFrame
        By query in the order given, then by p. ``query`` name; ``target`` label (``ID NAME``); ``p`` of the better of both
        strands, corrected for looking at two; ``q`` Benjamini-Hochberg over all targets of the query; ``offset`` the query's
        first position counted from the target's first, on the strand that matched; ``strand`` of the target, ``+`` or ``-``;
        ``overlap`` in bp.

    Raises
    ------
    InputError
        If there is no target or `top` is below 1.

    References
    ----------
    .. [1] Gupta, Stamatoyannopoulos, Bailey and Noble (2007), Genome Biology 8:R24.
    .. [2] Tanaka, Bailey, Grant and Noble (2011), Bioinformatics 27:1603.
    """
    if not len(targets):
        raise InputError("there are 0 target motifs; expected at least one to compare with. Pass a motif database, such as load_database('jaspar').")
    if top is not None and top < 1:
        raise InputError(f"top is {top}; expected 1 or more targets a query, or None for all.")
    tables = [_match(queries[first : first + _CHUNK], targets, top) for first in range(0, len(queries), _CHUNK)]
    return pd.concat(tables, ignore_index=True) if tables else _empty()


def benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return q-values along the last axis: the smallest false discovery rate at which each p would be kept [1]_.

    References
    ----------
    .. [1] Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.5])).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    order = np.argsort(p, axis=-1, kind="stable")
    scaled = np.take_along_axis(p, order, -1) * p.shape[-1] / np.arange(1, p.shape[-1] + 1)
    smallest = np.minimum(np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1], 1)
    q = np.empty_like(smallest)
    np.put_along_axis(q, order, smallest, -1)
    return q


def _match(queries: Sequence[Motif], targets: Sequence[Motif], top: int | None) -> pd.DataFrame:
    """Compare one chunk of queries with every target on both strands."""
    from memelite.tomtom import tomtom

    compare: Any = tomtom  # untyped

    forward = [target.ppm for target in targets]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"tomtom was given \d+ target motifs")  # said in the docstring, and by the verbs
        # Both strands are targets of their own here, so that a palindrome is reported on '+', not on '-'.
        found = compare([query.ppm for query in queries], [*forward, *(ppm[::-1, ::-1] for ppm in forward)], reverse_complement=False)
    p, _, offset, overlap = (part.reshape(len(queries), 2, len(targets)) for part in found[:4])
    strand = p.argmin(axis=1)  # (queries, targets)
    best = p.min(axis=1)
    best = np.clip(best * (2 - best), 0, 1)  # 1 - (1 - p)^2, exact for small p
    q = benjamini_hochberg(best)

    keep = np.argsort(best, axis=1, kind="stable")[:, :top]
    rows = np.arange(len(queries))[:, None]
    chosen = strand[rows, keep]
    labels = np.array([target.label for target in targets], dtype=object)
    return pd.DataFrame(
        {
            "query": np.repeat([query.name for query in queries], keep.shape[1]),
            "target": labels[keep].ravel(),
            "p": best[rows, keep].ravel(),
            "q": q[rows, keep].ravel(),
            "offset": offset[rows, chosen, keep].ravel().astype(np.int64),
            "strand": np.array(["+", "-"], dtype=object)[chosen].ravel(),
            "overlap": overlap[rows, chosen, keep].ravel().astype(np.int64),
        }
    )


def _empty() -> pd.DataFrame:
    """Return the table of no matches, with the column types of a full one."""
    types = {"p": "float64", "q": "float64", "offset": "int64", "overlap": "int64"}
    return pd.DataFrame({name: pd.Series(dtype=types.get(name, "str")) for name in COLUMNS})
