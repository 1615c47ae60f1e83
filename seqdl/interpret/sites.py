"""Where filters fire: the strongest sites of each filter, found in one pass over any number of sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.errors import ShapeError
from seqdl.interpret.inputs import SequenceInput, Sequences
from seqdl.interpret.locate import FilterBank, filter_bank
from seqdl.interpret.readout import Readout, batches, evaluating, reverse_complement
from seqdl.interpret.word_scan import WordWindows, word_windows
from seqdl.types import Codes

PER_SEQUENCE = 2
"""Sites a sequence may give to a filter, so that a repeat in one sequence does not make a motif."""
ACTIVATIONS_AT_ONCE = 4_000_000
"""Activations that are held at a time, 16 MB: 100,000 sequences of 1 kb and 300 filters take no more than seven of 200 bp."""


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
        with np.errstate(invalid="ignore"):  # of no window at all the range is -inf - inf
            spread = self.highest - self.lowest
            return np.asarray(spread > 1e-6 * np.maximum(1, np.abs(self.highest)))

    def centres(self, length: int) -> NDArray[np.float64]:
        """Return where the middle of each site lies, (F, S), in bp from the middle of sequences of `length` bp; NaN where there is none."""
        centre = self.start + self.onehot.shape[-1] / 2 - length / 2
        return np.where(np.isfinite(self.score), centre, np.nan)


@dataclass(frozen=True)
class Windows:
    """The activations of some sequences on one or both strands.

    Attributes
    ----------
    first : int
        Row of the first sequence.
    activation : Tensor, (n, F, P), float32
        P windows: those of the given strand, then those of the other; ``-inf`` where a window holds an ambiguous base.
    reads : list of Tensor (n, 4, L)
        The sequences on each strand, as the filters read them.
    at : Tensor, (P,), int64
        First base of each window on the strand that was read.
    span : int
        Bases of a window (bp).
    """

    first: int
    activation: Tensor
    reads: list[Tensor]
    at: Tensor
    span: int

    @property
    def start(self) -> Tensor:
        """First base of each window (P,) on the given strand."""
        half = len(self.at) // len(self.reads)
        return torch.cat([self.at[:half], self.reads[0].shape[-1] - self.span - self.at[half:]])

    def strand(self, window: Tensor) -> Tensor:
        """Return 1 for windows of the given strand, -1 for those of the other."""
        return torch.where(window < len(self.at) // len(self.reads), 1, -1)

    def bases(self, row: Tensor, window: Tensor) -> Codes:
        """Return the bases (K, W) of some windows as the filters read them."""
        found = torch.empty(len(row), 4, self.span)
        for strand, read in zip((1, -1), self.reads, strict=False):
            chosen = self.strand(window) == strand
            found[chosen] = read.unfold(2, self.span, 1)[row[chosen], :, self.at[window[chosen]]]
        bases: Codes = found.argmax(1).byte().numpy()
        return bases

    def strongest(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the best score of each filter in each sequence and its window, (n, F), and the lowest score of each filter (F,)."""
        top, where = self.activation.max(2)
        low = self.activation.amin((0, 2))
        if not low.isfinite().all():
            low = self.activation.masked_fill(~self.activation.isfinite(), torch.inf).amin((0, 2))
        return top, where, low

    def second(self, row: Tensor, filters: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
        """Return the best score of some filters in some sequences that does not overlap `window`, and where, each (K,)."""
        left = self.activation[row, filters]  # (K, P)
        left[(self.start - self.start[window][:, None]).abs() < self.span] = -torch.inf
        found = left.max(1)
        return found.values, found.indices


def windows(bank: FilterBank, module: nn.Module, x: Sequences, *, both_strands: bool = True, batch_size: int | None = None) -> Iterator[Windows]:
    """Run filters over sequences, batch by batch.

    Parameters
    ----------
    bank : FilterBank
        The filters.
    module : nn.Module
        The module they belong to, for its device; it should be in evaluation mode.
    x : Sequences
        The sequences.
    both_strands : bool, default True
        Also read the reverse complement.
    batch_size : int, optional
        Sequences at a time; by default what keeps memory small.

    Raises
    ------
    ShapeError
        If the sequences are shorter than the filters.
    """
    readout, span, length = Readout(module), bank.geometry.span, x.length
    if length < span:
        raise ShapeError(
            f"the sequences are {length} bp long, shorter than the filters of layer '{bank.name}' ({span} bp). "
            f"Expected at least {span} bp; pass longer sequences."
        )
    if batch_size is None and len(x):
        with torch.no_grad():
            one = bank.run(readout.place(x.one_hot(slice(0, 1)))).numel()
        batch_size = max(1, ACTIVATIONS_AT_ONCE // max(1, 2 * one))
    for rows in batches(len(x), batch_size or 1):
        given = x.one_hot(rows)
        reads = [given, reverse_complement(given)] if both_strands else [given]
        parts, at = [], torch.zeros(0)
        for read in reads:
            with torch.no_grad():
                activation = bank.run(readout.place(read)).float().cpu()
            inside = bank.geometry.inside(activation.shape[-1], length)
            at = bank.geometry.starts(activation.shape[-1])[inside]
            if not len(at):
                raise ShapeError(
                    f"no position of layer '{bank.name}' lies in {length} bp; expected longer sequences. Pass some of {2 * span} bp or more."
                )
            parts.append(_clean(activation[:, :, inside], read.cpu(), at, span=span))
        activation = torch.cat(parts, 2) if len(parts) > 1 else parts[0]
        yield Windows(rows.start, activation, [read.cpu() for read in reads], at.repeat(len(reads)), span)


def _clean(activation: Tensor, read: Tensor, at: Tensor, *, span: int) -> Tensor:
    """Return the activations (n, F, P) with ``-inf`` where a window holds an ambiguous base."""
    unknown = read.amax(1) <= 0.5  # (n, L); an ambiguous base has no channel above a quarter
    if not unknown.any():
        return activation
    before = nn.functional.pad(unknown.cumsum(1), (1, 0))  # (n, L + 1)
    return activation.masked_fill((before[:, at + span] > before[:, at])[:, None], -torch.inf)


def find_sites(
    module: nn.Module, x: SequenceInput, *, layer: str | None = None, n_sites: int = 100, both_strands: bool = True, batch_size: int | None = None
) -> Sites:
    """Find the strongest sites of each filter.

    A sequence gives at most two sites to a filter, and those do not overlap. Memory does not grow with N.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L).
    x : array or Tensor, (N, 4, L), or codes (N, L) uint8
        The sequences.
    layer : str, optional
        Name of the layer; by default the first convolution over the bases.
    n_sites : int, default 100
        Sites a filter, at most.
    both_strands : bool, default True
        Also read the reverse complement.
    batch_size : int, optional
        Sequences at a time; by default what keeps memory small. It changes no result.
    """
    sequences = Sequences(x)
    best = _Best(n_sites)
    with evaluating(module):
        bank = filter_bank(module, layer, length=sequences.length)
        looked_up = word_windows(bank, sequences, both_strands=both_strands)
        for some in looked_up or windows(bank, module, sequences, both_strands=both_strands, batch_size=batch_size):
            best.take(some)
    return best.sites(len(sequences))


class _Best:
    """Keeps the best sites seen so far, as flat arrays of candidates that are thinned out now and then."""

    def __init__(self, n_sites: int) -> None:
        self.n_sites = n_sites
        self.n_filters = self.span = 0
        self.found: list[dict[str, NDArray[np.generic]]] = []
        self.n_found = 0
        self.lowest = self.highest = self.bar = torch.zeros(0)

    def take(self, some: Windows | WordWindows) -> None:
        """Add the best sites of some sequences that may be among the best of all."""
        top, where, low = some.strongest()
        if not self.n_filters:
            self.n_filters, self.span = top.shape[1], some.span
            self.bar = torch.full((self.n_filters,), -torch.inf)  # what a site has to exceed
            self.lowest, self.highest = -self.bar, self.bar
        self.lowest, self.highest = torch.minimum(self.lowest, low), torch.maximum(self.highest, top.amax(0))
        row, filters = torch.nonzero(top > self.bar, as_tuple=True)
        window = where[row, filters]
        self._add(some, row, filters, window=window, score=top[row, filters])
        score, second = some.second(row, filters, window)
        chosen = score > self.bar[filters]
        self._add(some, row[chosen], filters[chosen], window=second[chosen], score=score[chosen])
        if self.n_found > 2 * self.n_filters * self.n_sites:
            self._thin()

    def _add(self, some: Windows | WordWindows, row: Tensor, filters: Tensor, *, window: Tensor, score: Tensor) -> None:
        self.n_found += len(row)
        columns = {"filter": filters, "score": score, "sequence": row + some.first, "start": some.start[window], "strand": some.strand(window)}
        # the bases as one byte each, since most candidates are dropped again
        self.found.append({name: values.numpy() for name, values in columns.items()} | {"bases": some.bases(row, window)})

    def _thin(self) -> dict[str, NDArray[np.generic]]:
        """Keep the best of each filter, sorted, the earlier of equals first; and raise the bar."""
        joined = {name: np.concatenate([part[name] for part in self.found]) for name in self.found[0]}
        order = np.lexsort((joined["start"], joined["sequence"], -joined["score"].astype(np.float64), joined["filter"]))
        sizes = np.bincount(joined["filter"].astype(np.int64), minlength=self.n_filters)
        rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        kept = {name: values[order[rank < self.n_sites]] for name, values in joined.items()}
        self.found, self.n_found = [kept], int(np.minimum(sizes, self.n_sites).sum())
        ends = np.cumsum(np.minimum(sizes, self.n_sites))
        full = sizes >= self.n_sites
        self.bar[torch.from_numpy(full)] = torch.from_numpy(kept["score"][ends[full] - 1].astype(np.float32))
        return kept

    def sites(self, n: int) -> Sites:
        """Return what was kept."""
        if not self.found:
            raise ShapeError(f"x holds {n} sequences; expected at least one. Pass the sequences the filters should be read on.")
        kept = self._thin()
        filters = kept["filter"].astype(np.int64)
        sizes = np.bincount(filters, minlength=self.n_filters)
        rank = np.arange(len(filters)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        shape = (self.n_filters, int(sizes.max(initial=0)))
        score = np.full(shape, -np.inf, dtype=np.float32)
        score[filters, rank] = kept["score"]
        places = {name: np.zeros(shape, dtype=np.int64) for name in ("sequence", "start", "strand")}
        for name, place in places.items():
            place[filters, rank] = kept[name]
        onehot = np.zeros((*shape, 4, self.span), dtype=np.float32)
        onehot[filters, rank] = np.eye(4, dtype=np.float32)[kept["bases"].astype(np.int64)].transpose(0, 2, 1)
        return Sites(score, places["sequence"], places["start"], places["strand"], onehot, self.lowest.numpy(), self.highest.numpy())
