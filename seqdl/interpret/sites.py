"""Where filters fire: the strongest sites of each filter, found in one pass over any number of sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.errors import ShapeError
from seqdl.interpret.locate import FilterBank, filter_bank
from seqdl.interpret.readout import OneHot, Readout, as_tensor, batches, evaluating, reverse_complement

PER_SEQUENCE = 2
"""Sites a sequence may give to a filter, so that a repeat in one sequence does not make a motif."""


@dataclass(frozen=True)
class Sites:
    """The strongest sites of each filter, best first.

    Attributes
    ----------
    score : array, (F, S), float32
        Activations; ``-inf`` where there are fewer than S sites.
    sequence : array, (F, S), int64
        Row of the sequence.
    start : array, (F, S), int64
        First base of the site on the given strand, 0-based.
    strand : array, (F, S), int64
        1 as given, -1 the other strand.
    onehot : array, (F, S, 4, W), float32
        The bases of the site, as the filter read them.
    lowest, highest : array, (F,), float32
        Range of the activations over all windows.
    """

    score: NDArray[np.float32]
    sequence: NDArray[np.int64]
    start: NDArray[np.int64]
    strand: NDArray[np.int64]
    onehot: NDArray[np.float32]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Whether each filter (F,) responds to the sequence at all."""
        spread = self.highest - self.lowest
        return np.asarray(spread > 1e-6 * np.maximum(1, np.abs(self.highest)))


@dataclass(frozen=True)
class Windows:
    """The activations of some sequences on one or both strands.

    Attributes
    ----------
    first : int
        Row of the first sequence.
    activation : Tensor, (n, F, P), float32
        P windows: those of the given strand, then those of the other; ``-inf`` where a window leaves the sequence or
        holds an ambiguous base.
    onehot : Tensor, (n, P, 4, W)
        The bases of each window as the filter reads them.
    start, strand : Tensor, (P,), int64
        First base on the given strand, and 1 or -1.
    """

    first: int
    activation: Tensor
    onehot: Tensor
    start: Tensor
    strand: Tensor


def windows(bank: FilterBank, module: nn.Module, x: OneHot, *, both_strands: bool = True, batch_size: int = 256) -> Iterator[Windows]:
    """Run filters over sequences, batch by batch.

    Parameters
    ----------
    bank : FilterBank
        The filters.
    module : nn.Module
        The module they belong to, for its device; it should be in evaluation mode.
    x : array or Tensor, (N, 4, L)
        One-hot sequences.
    both_strands : bool, default True
        Also read the reverse complement.
    batch_size : int, default 256
        Sequences at a time.

    Raises
    ------
    ShapeError
        If the sequences are shorter than the filters.
    """
    sequences, readout = as_tensor(x), Readout(module)
    span, length = bank.geometry.span, sequences.shape[-1]
    if length < span:
        raise ShapeError(
            f"the sequences are {length} bp long, shorter than the filters of layer '{bank.name}' ({span} bp). "
            f"Expected at least {span} bp; pass longer sequences."
        )
    for rows in batches(len(sequences), batch_size):
        given = readout.place(sequences[rows])
        strands = [given, reverse_complement(given)] if both_strands else [given]
        parts = []
        for strand, read in zip((1, -1), strands, strict=False):
            with torch.no_grad():
                activation = bank.run(read).float().cpu()
            start = bank.geometry.starts(activation.shape[-1])
            inside = (start >= 0) & (start <= length - span)
            onehot = read.float().cpu().unfold(2, span, 1).transpose(1, 2)[:, start[inside]]  # (n, P, 4, W)
            whole = (onehot.amax(2) > 0.5).all(2)  # an ambiguous base has no column above a quarter
            activation = activation[:, :, inside].masked_fill(~whole[:, None], -torch.inf)
            start = start[inside] if strand == 1 else length - span - start[inside]
            parts.append((activation, onehot, start, torch.full_like(start, strand)))
        activation, onehot = torch.cat([part[0] for part in parts], 2), torch.cat([part[1] for part in parts], 1)
        yield Windows(rows.start, activation, onehot, torch.cat([part[2] for part in parts]), torch.cat([part[3] for part in parts]))


def find_sites(
    module: nn.Module, x: OneHot, *, layer: str | None = None, n_sites: int = 100, both_strands: bool = True, batch_size: int = 256
) -> Sites:
    """Find the strongest sites of each filter.

    A sequence gives at most two sites to a filter, and those do not overlap. Memory does not grow with N.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L).
    x : array or Tensor, (N, 4, L)
        One-hot sequences.
    layer : str, optional
        Name of the layer; by default the first convolution over the bases.
    n_sites : int, default 100
        Sites a filter, at most.
    both_strands : bool, default True
        Also read the reverse complement.
    batch_size : int, default 256
        Sequences at a time.
    """
    bank, best = filter_bank(module, layer), _Best(n_sites)
    with evaluating(module):
        for some in windows(bank, module, x, both_strands=both_strands, batch_size=batch_size):
            best.take(some, bank.geometry.span)
    return best.sites(len(as_tensor(x)))


class _Best:
    """Keeps the best sites seen so far."""

    def __init__(self, n_sites: int) -> None:
        self.n_sites = n_sites
        self.kept: tuple[Tensor, ...] | None = None
        self.lowest = self.highest = torch.zeros(0)

    def take(self, some: Windows, span: int) -> None:
        """Merge the best sites of some sequences."""
        activation = some.activation
        finite = torch.isfinite(activation)
        lowest = activation.masked_fill(~finite, torch.inf).amin((0, 2))
        highest = activation.amax((0, 2))
        score, index = _candidates(activation, some.start, span)  # (F, n * PER_SEQUENCE) each
        row = torch.arange(len(activation)).repeat(PER_SEQUENCE).expand_as(index)
        new = (score, row + some.first, some.start[index], some.strand[index])
        score, order = score.topk(min(self.n_sites, score.shape[1]), dim=1)
        onehot = some.onehot[row.gather(1, order), index.gather(1, order)]  # (F, S, 4, W)
        kept = (score, *(values.gather(1, order) for values in new[1:]), onehot)
        if self.kept is None:
            self.kept, self.lowest, self.highest = kept, lowest, highest
            return
        self.lowest, self.highest = torch.minimum(self.lowest, lowest), torch.maximum(self.highest, highest)
        joined = tuple(torch.cat([old, fresh], 1) for old, fresh in zip(self.kept, kept, strict=True))
        order = joined[0].topk(min(self.n_sites, joined[0].shape[1]), dim=1).indices
        filters = torch.arange(len(order))[:, None]
        self.kept = tuple(values[filters, order] for values in joined)

    def sites(self, n: int) -> Sites:
        """Return what was kept."""
        if self.kept is None:
            raise ShapeError(f"x holds {n} sequences; expected at least one. Pass the sequences the filters should be read on.")
        score, sequence, start, strand, onehot = (values.numpy() for values in self.kept)
        return Sites(score, sequence, start, strand, onehot, self.lowest.numpy(), self.highest.numpy())


def _candidates(activation: Tensor, start: Tensor, span: int) -> tuple[Tensor, Tensor]:
    """Return score and window (F, n * PER_SEQUENCE) of the best sites of each sequence; those of one sequence do not overlap."""
    left, scores, indices = activation, [], []
    for rank in range(PER_SEQUENCE):
        score, index = left.max(2)  # (n, F)
        scores.append(score.T)
        indices.append(index.T)
        if rank + 1 < PER_SEQUENCE:
            near = (start - start[index][..., None]).abs() < span  # (n, F, P)
            left = left.masked_fill(near, -torch.inf)
    return torch.cat(scores, 1), torch.cat(indices, 1)
