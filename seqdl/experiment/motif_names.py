"""What found motifs are called: the known motif that each matches best, the others, and the family that these are of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from seqdl.motif.compare import match_motifs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqdl.motif.motif import Motif

NAME_COLUMNS = ("match", "match_p", "match_q", "offset", "strand", "also_matches", "match_family")
N_MATCHES, SURE_Q = 5, 0.01
"""Known motifs that a row names, the best included; besides the best only those below this q-value."""
MOST_MATCHES = 50
"""Known motifs, the best first, whose families are counted."""


def names_of(found: Sequence[Motif], database: Sequence[Motif]) -> pd.DataFrame:
    """Return what each motif matches best, what else it matches as surely, and the family of factors that most of these are of.

    A database has many motifs of one family that resemble each other more than the data can tell apart, and now and then one of another factor
    that looks the same: which of them is the best is chance, the family is not.

    Parameters
    ----------
    found : sequence of Motif
    database : sequence of Motif

    Returns
    -------
    DataFrame
        One row a motif: ``name`` and `NAME_COLUMNS`. ``match_family`` is such as "Ets-related (36 of 40)": so many of the known motifs below
        a q-value of .01 (of the best 50 at most) are of that structural family; empty where none is or the database does not tell.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import numpy as np
    >>> from seqdl.motif.motif import Motif
    >>> rng = np.random.default_rng(0)
    >>> known = [Motif(f"M{k}", rng.dirichlet([0.1] * 4, 10).T, families=("even",) if k % 2 == 0 else ("odd",)) for k in range(40)]
    >>> names_of([replace(known[3], name="filter0")], known)[["name", "match", "match_family"]].values.tolist()
    [['filter0', 'M3', 'odd (1 of 1)']]
    """
    columns = {"query": "name", "target": "match", "p": "match_p", "q": "match_q"}
    if not found or not database:
        return pd.DataFrame(columns=["name", *NAME_COLUMNS])
    matches = match_motifs(found, database, top=min(MOST_MATCHES, len(database)))
    best = matches.drop_duplicates("query", ignore_index=True).rename(columns=columns)[[*columns.values(), "offset", "strand"]]
    sure = matches[matches["q"] < SURE_Q]
    listed = matches.groupby("query", sort=False).head(N_MATCHES)
    rest = listed[listed.duplicated("query") & (listed["q"] < SURE_Q)]
    also = rest.groupby("query")["target"].agg("; ".join)
    families = {motif.label: motif.families for motif in database}
    shared = {query: _commonest([families[label] for label in rows]) for query, rows in sure.groupby("query")["target"]}
    named = best["name"]
    return best.assign(also_matches=named.map(also).astype(object).fillna(""), match_family=named.map(shared).astype(object).fillna(""))


def _commonest(families: Sequence[tuple[str, ...]]) -> str:
    """Return the family that most known motifs are of, and how many; of several as common the one that comes first."""
    counted = Counter(family for some in families for family in some)
    if not counted:
        return ""
    name, n = counted.most_common(1)[0]
    return f"{name} ({n} of {len(families)})"
