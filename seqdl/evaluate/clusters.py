"""Clusters of sequences: which motifs they hold more often than the others, and how far two groupings agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqdl.errors import ShapeError
from seqdl.motif.compare import benjamini_hochberg

NO_CLUSTER = -1
"""The number of what lies in no cluster; it counts among the others."""


def enriched(present: NDArray[np.bool_], clusters: ArrayLike) -> pd.DataFrame:
    """Test which motifs the sequences of a cluster hold more often than those outside of it.

    Parameters
    ----------
    present : bool array, (N, M)
        Whether a sequence holds a site of a motif.
    clusters : int array, (N,)
        The cluster of each sequence; -1 for none.

    Returns
    -------
    DataFrame
        A row a cluster and motif: cluster, motif (its column), n_sequences (of the cluster that hold it), rate and rate_elsewhere (shares of
        the sequences), fold (their ratio, half a sequence added to each count), p (Fisher's exact test, one-sided [1]_) and q
        (Benjamini-Hochberg over all rows [2]_); by cluster, the smallest p first, of equal ones the
        largest difference of rates.

    Raises
    ------
    ShapeError
        If there is not one cluster a sequence.

    References
    ----------
    .. [1] Fisher (1922), Journal of the Royal Statistical Society 85:87. .. [2] Benjamini and Hochberg (1995), Journal of the Royal
       Statistical Society B 57:289.

    Examples
    --------
    >>> present = np.repeat([[True, True], [False, True]], 10, axis=0)
    >>> enriched(present, np.repeat([0, 1], 10))[["cluster", "motif", "rate", "rate_elsewhere"]].iloc[0].tolist()
    [0.0, 0.0, 1.0, 0.0]
    """
    from scipy.stats import hypergeom

    cluster = np.asarray(clusters)
    if present.ndim != 2 or cluster.shape != present.shape[:1]:
        raise ShapeError(f"{cluster.shape} clusters were given for motifs of shape {present.shape}; (N,) and (N, M) were expected. Give each one.")
    n, total, tables = len(present), present.sum(axis=0), []
    for number in np.unique(cluster[cluster != NO_CLUSTER]):
        size = int((cluster == number).sum())
        held = present[cluster == number].sum(axis=0)
        outside = total - held
        tables.append(
            pd.DataFrame(
                {
                    "cluster": int(number),
                    "motif": np.arange(present.shape[1]),
                    "n_sequences": held,
                    "rate": held / size,
                    "rate_elsewhere": outside / max(1, n - size),
                    "fold": (held + 0.5) / (size + 1) / ((outside + 0.5) / (n - size + 1)),
                    "p": hypergeom.sf(held - 1, n, total, size),
                }
            )
        )
    if not tables:
        return pd.DataFrame(columns=["cluster", "motif", "n_sequences", "rate", "rate_elsewhere", "fold", "p", "q"])
    table = pd.concat(tables, ignore_index=True)
    table["q"] = benjamini_hochberg(table["p"].to_numpy())
    excess = table["rate_elsewhere"] - table["rate"]  # of many sequences several p are 0
    return table.assign(excess=excess).sort_values(["cluster", "p", "excess", "motif"], ignore_index=True).drop(columns="excess")


def rand_index(one: ArrayLike, other: ArrayLike) -> float:
    """Return how far two groupings agree, the adjusted Rand index: 1 where they are the same, about 0 by chance [1]_.

    Parameters
    ----------
    one, other : array, (N,)
        The group of each example: numbers or names.

    References
    ----------
    .. [1] Hubert and Arabie (1985), Journal of Classification 2:193.

    Examples
    --------
    >>> rand_index([0, 0, 1, 1], ["b", "b", "a", "a"])
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(np.asarray(one), np.asarray(other)))
