"""What variants do to the outputs of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.data.genome import Genome
from seqdl.data.intervals import check_intervals, of_chromosomes
from seqdl.errors import InputError
from seqdl.interpret.readout import Readout, evaluating
from seqdl.io.table import require_columns
from seqdl.layers.onehot import one_hot, reverse_complement
from seqdl.progress import track
from seqdl.sequence.encode import encode
from seqdl.types import Ambiguous, Codes, Ints

Array = NDArray[np.float64]
Members = Callable[[Tensor], Tensor]
"""One-hot (B, 4, L) -> the outputs of each member of an ensemble, (M, B, T)."""
CHUNK = 4_096
"""Variants whose windows are held at a time."""


@dataclass(frozen=True)
class Effects:
    """Outputs of windows with the reference and with the alternative allele.

    Attributes
    ----------
    ref, alt : array, (N, T)
        Outputs, averaged over shifts, strands and members.
    spread : array, (N, T)
        Standard deviation of the difference over the members; NaN with one.
    """

    ref: Array
    alt: Array
    spread: Array

    @property
    def effect(self) -> Array:
        """The differences, alternative less reference (N, T)."""
        return self.alt - self.ref


@dataclass(frozen=True)
class Windowing:
    """How variants are shown to a network.

    Parameters
    ----------
    length : int
        Length of the windows (bp).
    shifts : sequence of int, default (0,)
        Where the middle of the window lies beside the variant (bp); outputs are averaged over these.
    both_strands : bool, default True
        Average over both strands; left out where the network answers both alike.
    ambiguous : {"zero", "uniform"}, default "zero"
        How the network reads an ambiguous base, and what lies beyond the end of a chromosome.
    batch_size : int, default 256
        Windows at a time.
    """

    length: int
    shifts: Sequence[int] = (0,)
    both_strands: bool = True
    ambiguous: Ambiguous = "zero"
    batch_size: int = 256


def variant_effects(
    module: nn.Module,
    variants: pd.DataFrame,
    genome: Genome,
    *,
    length: int | None = None,
    windowing: Windowing | None = None,
    members: Members | None = None,
) -> Effects:
    """Measure what each variant does to the outputs of a network.

    The window of a variant lies around its reference allele. The other allele is put in its place; what it is shorter or longer is filled
    from, or pushed over, the right end of the window, so that what stands left of the variant stays where it is.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L); its ``logits`` are read where it has some.
    variants : DataFrame
        chrom, start, end (0-based half-open: the bases of `ref`), ref, alt, as `seqdl.read_vcf` gives them. Hold them against the genome first,
        with `seqdl.check_reference`: the window of the reference allele is what the genome has.
    genome : Genome
    length : int, optional
        Length of the windows (bp), where no `windowing` says it.
    windowing : Windowing, optional
        How the variants are shown.
    members : callable, optional
        One-hot (B, 4, L) to the outputs of each member of an ensemble (M, B, T); the spread is taken over these, and the outputs are their
        mean.

    Returns
    -------
    Effects
        In the order of the variants.

    Raises
    ------
    InputError
        If a variant is not inside its chromosome, an allele is longer than half of the window, or a shift than a quarter of it.

    Examples
    --------
    >>> genome = Genome.from_codes({"chrI": encode("CCCCCGATCCCCC")})
    >>> net = nn.Sequential(nn.Conv1d(4, 1, 3, bias=False), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    >>> _ = net[0].weight.data.copy_(torch.eye(4)[[2, 0, 3]].T[None])                   # counts matches to GAT
    >>> variants = pd.DataFrame({"chrom": "chrI", "start": [6, 6], "end": [7, 7], "ref": ["A", "A"], "alt": ["C", "AA"]})
    >>> variant_effects(net, variants, genome, length=8).effect.ravel()
    array([-1., -1.])
    """
    if windowing is None:
        if length is None:
            raise InputError("no length was given; the length of the windows was expected, in bp. Give length= as in training.")
        windowing = Windowing(length)
    require_columns(variants, ("chrom", "start", "end", "ref", "alt"), "the table of variants")
    check_intervals(variants, genome.lengths, source="variants")
    _check_alleles(variants, windowing)
    readout = Readout(module)
    outputs = _Outputs(readout, members, windowing)
    parts: list[tuple[Array, Array]] = []
    with evaluating(module), torch.no_grad():
        for first in track(range(0, len(variants), CHUNK), "variants"):
            some = variants.iloc[first : first + CHUNK]
            sums = [np.zeros(0), np.zeros(0)]
            for shift in windowing.shifts:
                ref, alt = allele_windows(some, genome, length=windowing.length, shift=shift)
                for k, codes in enumerate((ref, alt)):
                    sums[k] = sums[k] + outputs.of(codes) if sums[k].size else outputs.of(codes)  # (M, n, T)
            parts.append((sums[0] / len(windowing.shifts), sums[1] / len(windowing.shifts)))
    if not parts:
        empty = np.zeros((0, 1))
        return Effects(empty, empty, empty)
    ref, alt = (np.concatenate([part[k] for part in parts], axis=1) for k in range(2))
    spread = (alt - ref).std(0, ddof=1) if len(ref) > 1 else np.full(ref.shape[1:], np.nan)
    return Effects(ref.mean(0), alt.mean(0), spread)


def allele_windows(variants: pd.DataFrame, genome: Genome, *, length: int, shift: int = 0) -> tuple[Codes, Codes]:
    """Return the windows around variants with each allele.

    Parameters
    ----------
    variants : DataFrame
        chrom, start, end, ref, alt.
    genome : Genome
    length : int
        Length of the windows (bp).
    shift : int, default 0
        How far right of the variant's middle the middle of the window lies (bp).

    Returns
    -------
    ref, alt : codes, (N, length)
        Beyond the ends of a chromosome the bases are ambiguous (4).

    Examples
    --------
    >>> genome = Genome.from_codes({"chrI": encode("AACGTTTT")})
    >>> variants = pd.DataFrame({"chrom": "chrI", "start": [2, 2], "end": [4, 4], "ref": ["CG", "CG"], "alt": ["C", "CGG"]})
    >>> allele_windows(variants, genome, length=6)[1]
    array([[0, 0, 1, 3, 3, 3],
           [0, 0, 1, 2, 2, 3]], dtype=uint8)
    """
    start, end = (variants[name].to_numpy(np.int64) for name in ("start", "end"))
    first = (start + end) // 2 - length // 2 + shift
    longest = int(max(0, (end - start).max(initial=0)))
    wide = _padded_windows(variants["chrom"], first, genome, length=length + longest)  # room for what a deletion brings in
    ref = wide[:, :length]
    alt = ref.copy()
    sizes = variants["alt"].str.len().to_numpy(np.int64)
    position = np.arange(length)
    at, after = start - first, end - first
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        source = position[None] - size + (after - at)[rows, None]  # where the bases right of the allele come from
        right = position[None] >= at[rows, None] + size
        alt[rows] = np.where(right, np.take_along_axis(wide[rows], np.clip(source, 0, wide.shape[1] - 1), 1), ref[rows])
        if size:
            alleles = encode("".join(variants["alt"].iloc[rows])).reshape(len(rows), size)
            for k in range(size):
                column = at[rows] + k
                inside = (column >= 0) & (column < length)
                alt[rows[inside], column[inside]] = alleles[inside, k]
    return ref, alt


class _Outputs:
    """Outputs of windows, averaged over both strands where the network answers them differently."""

    def __init__(self, readout: Readout, members: Members | None, how: Windowing) -> None:
        self.readout, self.how = readout, how
        self.function = members or (lambda x: readout.answer(x)[None])
        self.turn: bool | None = None if how.both_strands else False

    def of(self, codes: Codes) -> Array:
        """Return the outputs (M, N, T) of windows; windows that come up several times are run once."""
        unique, inverse = np.unique(codes, axis=0, return_inverse=True)
        parts = [self._batch(unique[first : first + self.how.batch_size]) for first in range(0, len(unique), self.how.batch_size)]
        return np.concatenate(parts, axis=1)[:, inverse.ravel()]

    def _batch(self, codes: Codes) -> Array:
        x = self.readout.place(one_hot(torch.from_numpy(codes), ambiguous=self.how.ambiguous))
        y = self._run(x)
        if self.turn is None or self.turn:
            other = self._run(reverse_complement(x))
            if self.turn is None:  # one look is enough: a network that shares its weights over the strands answers both alike
                self.turn = not np.allclose(y, other, rtol=1e-4, atol=1e-4)
            y = (y + other) / 2 if self.turn else y
        return y

    def _run(self, x: Tensor) -> Array:
        y = self.function(x).double()
        y = y[..., None] if y.ndim == 2 else y.flatten(3).sum(3) if y.ndim > 3 else y
        return np.asarray(y.cpu().numpy())


def _padded_windows(chrom: pd.Series, first: Ints, genome: Genome, *, length: int) -> Codes:
    """Return windows that may leave their chromosome, (N, length); what lies outside is ambiguous."""
    size = of_chromosomes(chrom, genome.lengths)
    moved = np.clip(first, 0, np.maximum(size - length, 0))
    short = size < length
    codes = np.full((len(first), length), 4, dtype=np.uint8)
    if (~short).any():
        codes[~short] = genome.gather(of_chromosomes(chrom[~short], genome.offsets) + moved[~short], length)
    for row in np.flatnonzero(short):
        codes[row, : size[row]] = genome.codes(str(chrom.iloc[row]))
    outside = np.flatnonzero(first != moved)
    for row in outside:  # the few at the ends of chromosomes
        shifted, by = np.full(length, 4, dtype=np.uint8), int(first[row] - moved[row])
        kept = codes[row, max(0, by) : length + min(0, by)]
        shifted[max(0, -by) : max(0, -by) + len(kept)] = kept
        codes[row] = shifted
    return codes


def _check_alleles(variants: pd.DataFrame, windowing: Windowing) -> None:
    """Raise `InputError` if an allele takes more than half of the window, or a shift leads away from the variant."""
    length = windowing.length
    far = [shift for shift in windowing.shifts if abs(shift) > length // 4]
    if far or not len(windowing.shifts):
        raise InputError(
            f"the shifts are {list(windowing.shifts)} for windows of {length} bp; expected at least one, and none over a quarter of the window, "
            "so that the variant stays inside. Try 0."
        )
    longest = variants[["ref", "alt"]].apply(lambda column: column.str.len()).max(axis=1)
    wrong = np.flatnonzero(longest.to_numpy() > length // 2)
    if len(wrong):
        row = variants.iloc[int(wrong[0])]
        raise InputError(
            f"{len(wrong):,} of {len(variants):,} variants have an allele of more than half of the window ({length} bp); first: {row['chrom']}, "
            f"position {row['start'] + 1:,}, {int(longest.iloc[wrong[0]]):,} bp. Shorter alleles were expected. Leave these out."
        )
