"""Which motifs a variant makes or breaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from seqdl.data.genome import Genome
from seqdl.interpret.variants import allele_windows
from seqdl.motif.motif import Motif
from seqdl.motif.scan import scan
from seqdl.types import Codes, Ints

COLUMNS = ("motif_lost", "motif_gained")
CHUNK = 50_000
"""Variants that are scanned at a time."""


def motif_changes(variants: pd.DataFrame, genome: Genome, motifs: Sequence[Motif], *, pvalue: float = 1e-4) -> pd.DataFrame:
    """Name the motif that has a hit on one allele of a variant and none on the other.

    Only hits that touch the variant count; for insertions and deletions those that reach over its right end too.

    Parameters
    ----------
    variants : DataFrame
        chrom, start, end, ref, alt, inside the genome.
    genome : Genome
    motifs : sequence of Motif
    pvalue : float, default 1e-4
        p-value that a hit has at most, as for `seqdl.scan`.

    Returns
    -------
    DataFrame
        motif_lost and motif_gained, in the order of the variants: the label of the motif with the smallest p-value, empty where there is none.

    Examples
    --------
    >>> from seqdl.sequence.encode import encode
    >>> genome = Genome.from_codes({"chrI": encode("CCCCCGATTACACCCCC")})
    >>> motif = Motif("m", np.eye(4)[encode("GATTACA")].T * 20, alt_name="TOY")
    >>> variants = pd.DataFrame({"chrom": "chrI", "start": [7, 1], "end": [8, 2], "ref": ["T", "C"], "alt": ["G", "G"]})
    >>> motif_changes(variants, genome, [motif]).values.tolist()
    [['m TOY', ''], ['', '']]
    """
    parts = [_changes(variants.iloc[first : first + CHUNK], genome, motifs, pvalue=pvalue) for first in range(0, len(variants), CHUNK)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: pd.Series(dtype=str) for name in COLUMNS})


def _changes(variants: pd.DataFrame, genome: Genome, motifs: Sequence[Motif], *, pvalue: float) -> pd.DataFrame:
    sizes = {name: variants[name].str.len().to_numpy(np.int64) for name in ("ref", "alt")}
    widest = max((motif.width for motif in motifs), default=0)
    length = 2 * (widest + max(int(size.max(initial=0)) for size in sizes.values()))
    windows = dict(zip(("ref", "alt"), allele_windows(variants, genome, length=length), strict=True))
    middle = (variants["start"] + variants["end"]).to_numpy(np.int64) // 2
    at = variants["start"].to_numpy(np.int64) - (middle - length // 2)
    indel = (sizes["ref"] != sizes["alt"]).astype(np.int64)
    best = {name: _best_hits(motifs, windows[name], (at, at + sizes[name] + indel), pvalue=pvalue) for name in windows}
    labels = {motif.name: motif.label for motif in reversed(motifs)}
    found = {}
    for column, here, there in (("motif_lost", "ref", "alt"), ("motif_gained", "alt", "ref")):
        only = best[here].index.difference(best[there].index)
        first = best[here].loc[only].sort_values(kind="stable").reset_index().drop_duplicates("sequence")
        names = pd.Series(first["motif"].map(labels).to_numpy(), index=first["sequence"].astype(np.int64))
        found[column] = names.reindex(range(len(variants)), fill_value="").to_numpy()
    return pd.DataFrame(found)


def _best_hits(motifs: Sequence[Motif], codes: Codes, touched: tuple[Ints, Ints], *, pvalue: float) -> pd.Series:
    """Return the smallest p-value by (sequence, motif) of hits that touch a stretch, from first to end, of their sequence."""
    first, end = touched
    hits = scan(motifs, codes, pvalue=pvalue)
    row = hits["sequence"].astype(np.int64).to_numpy()
    touching = hits[(hits["start"].to_numpy() < end[row]) & (hits["end"].to_numpy() > first[row])]
    return touching.groupby(["sequence", "motif"])["p"].min()
