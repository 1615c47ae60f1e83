"""Variants held against the genome they are said to be of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.intervals import check_intervals
from seqdl.errors import InputError
from seqdl.io.table import require_columns
from seqdl.sequence.encode import decode, encode
from seqdl.types import Ints

if TYPE_CHECKING:
    from seqdl.data.genome import Genome
    from seqdl.ledger import Ledger

WRONG_REF = "REF is not what the genome has"
WRONG_BOTH = "neither REF nor ALT is what the genome has"


def check_reference(
    variants: pd.DataFrame, genome: Genome, *, on_mismatch: Literal["error", "skip", "swap"] = "error", ledger: Ledger | None = None
) -> pd.DataFrame:
    """Hold the REF of every variant against the genome.

    N in REF fits only an ambiguous base of the genome, in either case.

    Parameters
    ----------
    variants : DataFrame
        Columns chrom, start, end, ref, alt, as `read_vcf` gives them; id if there.
    genome : Genome
        The genome.
    on_mismatch : {"error", "skip", "swap"}, default "error"
        What to do with variants whose REF is not there: raise; leave them out, into the ledger; or take ALT for REF and REF for ALT
        where the genome has ALT, and leave out the others.
    ledger : Ledger, optional
        Takes what is left out, and notes on the counts.

    Returns
    -------
    DataFrame
        The variants that fit, numbered anew if some were left out; with ``"swap"`` there is a column ``swapped`` (bool).

    Raises
    ------
    InputError
        If a variant is not inside a chromosome of the genome, its end is not where REF ends, or, with ``"error"``, its REF is not there.

    Examples
    --------
    >>> from seqdl.data.genome import Genome
    >>> genome = Genome.from_codes({"chrI": encode("ACGTA")})
    >>> variants = pd.DataFrame({"chrom": "chrI", "start": [1, 3], "end": [2, 4], "ref": ["C", "G"], "alt": ["T", "T"]})
    >>> check_reference(variants, genome, on_mismatch="swap")
      chrom  start  end ref alt  swapped
    0  chrI      1    2   C   T    False
    1  chrI      3    4   T   G     True
    """
    if on_mismatch not in ("error", "skip", "swap"):
        raise InputError(f"on_mismatch is {on_mismatch!r}; 'error', 'skip' or 'swap' was expected. Choose one of them.")
    require_columns(variants, ("chrom", "start", "end", "ref", "alt"), "the table of variants")
    variants = variants.reset_index(drop=True)
    if not len(variants):
        return variants.assign(swapped=pd.Series(dtype=bool)) if on_mismatch == "swap" else variants
    _check_ends(variants)
    check_intervals(variants, genome.lengths, source="variants")
    starts = genome.locate(variants)
    fits = _is_there(genome, starts, variants["ref"])
    if on_mismatch == "error":
        if not fits.all():
            raise InputError(_explain(variants, ~fits, genome))
        return variants
    if on_mismatch == "skip":
        return _keep(variants, fits, reason=WRONG_REF, ledger=ledger)
    swapped = ~fits & _is_there(genome, starts, variants["alt"], inside=_room(variants, genome))
    turned = variants.assign(swapped=swapped)
    turned.loc[swapped, ["ref", "alt"]] = variants.loc[swapped, ["alt", "ref"]].to_numpy()
    turned["end"] = turned["start"] + turned["ref"].str.len().to_numpy(np.int64)
    if ledger is not None and swapped.any():
        ledger.note(f"{swapped.sum():,} of {len(variants):,} variants have the genome's allele as ALT; REF and ALT were swapped")
    return _keep(turned, fits | swapped, reason=WRONG_BOTH, ledger=ledger)


def _check_ends(variants: pd.DataFrame) -> None:
    wrong = (variants["end"] - variants["start"]).to_numpy() != variants["ref"].str.len().to_numpy()
    if wrong.any():
        row = variants.iloc[int(np.argmax(wrong))]
        raise InputError(
            f"{wrong.sum():,} of {len(variants):,} variants are not as long as their REF; first: {row['chrom']}:{row['start']}-{row['end']} "
            f"with REF {row['ref']!r}. end = start + len(ref) was expected (0-based, half-open). Read VCF files with seqdl.read_vcf."
        )


def _room(variants: pd.DataFrame, genome: Genome) -> NDArray[np.bool_]:
    """Tell where an allele as long as ALT would end inside the chromosome."""
    ends = variants["start"] + variants["alt"].str.len()
    return np.asarray(ends <= variants["chrom"].map(genome.lengths), dtype=bool)


def _is_there(genome: Genome, starts: Ints, alleles: pd.Series, *, inside: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Tell which alleles are what the genome has at `starts` of its flat array, in one gather for each length."""
    found = np.zeros(len(starts), dtype=bool)
    lengths = alleles.str.len().to_numpy(np.int64)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero((lengths == length) & (True if inside is None else inside))
        if length and len(rows):
            here = encode("".join(alleles.iloc[rows])).reshape(len(rows), length)
            found[rows] = (genome.gather(starts[rows], length) == here).all(axis=1)
    return found


def _explain(variants: pd.DataFrame, wrong: NDArray[np.bool_], genome: Genome) -> str:
    row = variants.iloc[int(np.argmax(wrong))]
    there = decode(np.asarray(genome.codes(row["chrom"])[row["start"] : row["end"]]))
    return (
        f"{wrong.sum():,} of {len(variants):,} variants have another REF than the genome; first: {row['chrom']}, position {row['start'] + 1:,}: "
        f"REF is {row['ref'][:40]}, the genome has {there[:40]}. The alleles of this genome were expected. Is it the same genome build? "
        "To go on without them, pass --mismatch skip (on_mismatch='skip'); to take ALT for REF where it fits, swap."
    )


def _keep(variants: pd.DataFrame, fits: NDArray[np.bool_], *, reason: str, ledger: Ledger | None) -> pd.DataFrame:
    """Leave out what does not fit, and say so."""
    if fits.all():
        return variants
    if ledger is not None:
        dropped = variants[~fits]
        names = [f"{row.chrom}:{int(row.start) + 1}:{row.ref}>{row.alt}" for row in dropped.itertuples()]  # type: ignore[arg-type]
        ledger.drop_intervals(dropped.assign(name=dropped.get("id", names)), reason)
        ledger.note(f"{len(dropped):,} of {len(variants):,} variants are left out: {reason}")
    return variants[fits].reset_index(drop=True)
