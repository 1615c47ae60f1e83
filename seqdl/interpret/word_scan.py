"""Filters over bases, scored by looking words up instead of multiplying: for where there is much to scan.

A filter is cut into words of four bases. What each of the 256 words adds to the score of each filter stands in a table, so that a window of 19 bp
costs five additions a filter instead of 76 products. Numbers are those of the convolution but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.interpret.inputs import Sequences
from seqdl.interpret.locate import FilterBank
from seqdl.interpret.readout import batches
from seqdl.sequence.alphabet import AMBIGUOUS
from seqdl.types import Codes

WORD = 4
WORTH_IT = 10**11
"""Products from which on words are looked up: some seconds of multiplying, which is what it takes to load and compile the loops."""
WINDOWS_AT_ONCE = 2**19
"""Windows of one strand that are looked at in a batch: their words take a byte each."""
N_COMPARED = 4
TOLERANCE = 1e-3
"""Sequences that are also scored by the layer itself before its tables are trusted, and how far the best scores may differ."""


@dataclass(frozen=True)
class WordTables:
    """What each word adds to each filter.

    Attributes
    ----------
    rows : array, (tiles, strands, blocks, words, filters of a tile), float32
        For all filters at a time; beyond the last filter zero.
    columns : array, (F, strands, blocks, words), float32
        The same for one filter at a time.
    offsets : array, (blocks,), int64
        Where in a window the words stand.
    span : int
        Bases of a window (bp).
    """

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]
    offsets: NDArray[np.int64]
    span: int

    @property
    def size(self) -> int:
        """Bases of a word."""
        return min(WORD, self.span)


def weights_of(bank: FilterBank) -> tuple[Tensor, Tensor] | None:
    """Return weights (F, 4, W) and offsets (F,) of filters that are a sum over the bases of a window; None of others.

    The norm behind a convolution is taken in, and a dilated filter has zeros between its taps.
    """
    layer, norm = bank.convolution, None if bank.layer is bank.convolution else bank.layer
    if layer is None or layer.groups != 1:
        return None
    plain = layer.weight.detach().float().cpu().reshape(layer.out_channels, 4, -1)
    weight = torch.zeros(*plain.shape[:2], bank.geometry.span)
    weight[:, :, :: layer.dilation[-1]] = plain
    offset = torch.zeros(len(weight)) if layer.bias is None else layer.bias.detach().float().cpu()
    if norm is None:
        return weight, offset
    if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d) or norm.running_mean is None or norm.running_var is None:
        return None
    scale = (norm.running_var.cpu() + norm.eps).rsqrt()
    shift = -norm.running_mean.cpu() * scale
    if norm.weight is not None:
        scale, shift = scale * norm.weight.detach().cpu(), shift * norm.weight.detach().cpu() + norm.bias.detach().cpu()
    return weight * scale[:, None, None], offset * scale + shift


def word_tables(weight: Tensor, offset: Tensor, *, both_strands: bool) -> WordTables:
    """Make the tables of filters; those of the other strand score what stands on the given one."""
    from seqdl.interpret.word_kernels import TILE

    n_filters, _, span = weight.shape
    size = min(WORD, span)
    n_blocks = -(-span // size)
    offsets = np.minimum(np.arange(n_blocks) * size, span - size)
    word = np.arange(4**size)
    strands = [weight, weight.flip(1, 2)] if both_strands else [weight]
    columns = np.zeros((n_filters, len(strands), n_blocks, 4**size), dtype=np.float64)
    for strand, filters in enumerate(strands):
        values = filters.double().numpy()
        for block, start in enumerate(offsets):
            for place in range(block * size - start, size):  # what the word before has counted is not counted again
                columns[:, strand, block] += values[:, (word >> 2 * (size - 1 - place)) & 3, start + place]
    columns[:, :, 0] += offset.double().numpy()[:, None, None]
    n_tiles = -(-n_filters // TILE)
    padded = np.zeros((n_tiles * TILE, *columns.shape[1:]), dtype=np.float32)
    padded[:n_filters] = columns
    rows = padded.reshape(n_tiles, TILE, *columns.shape[1:]).transpose(0, 2, 3, 4, 1)
    return WordTables(np.ascontiguousarray(rows), padded[:n_filters], offsets.astype(np.int64), span)


@dataclass(frozen=True)
class WordWindows:
    """The best windows of some sequences; `seqdl.interpret.sites.Windows` without the activations.

    Attributes
    ----------
    first : int
        Row of the first sequence.
    codes : Codes, (n, L)
    tables : WordTables
    at : array, (strands, P), int64
        First base of each window on the given strand.
    """

    first: int
    codes: Codes
    tables: WordTables
    at: NDArray[np.int64]

    @property
    def span(self) -> int:
        """Bases of a window (bp)."""
        return self.tables.span

    @property
    def start(self) -> Tensor:
        """First base of each window (strands x P,) on the given strand."""
        return torch.from_numpy(self.at.ravel())

    def strand(self, window: Tensor) -> Tensor:
        """Return 1 for windows of the given strand, -1 for those of the other."""
        return torch.where(window < self.at.shape[1], 1, -1)

    def bases(self, row: Tensor, window: Tensor) -> Codes:
        """Return the bases (K, W) of some windows as the filters read them."""
        starts = self.start[window].numpy()
        read = np.lib.stride_tricks.sliding_window_view(self.codes, self.span, axis=1)[row.numpy(), starts]
        found: Codes = np.where((self.strand(window) == 1).numpy()[:, None], read, 3 - read[:, ::-1])
        return found

    def strongest(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the best score of each filter in each sequence and its window, (n, F), and the lowest score of each filter (F,)."""
        from seqdl.interpret.word_kernels import best_windows

        found = best_windows(self._words(), self.tables.rows, (self.at, self.tables.offsets))
        top, where, low = (torch.from_numpy(values[..., : len(self.tables.columns)]) for values in found)
        return top, where.long(), low

    def second(self, row: Tensor, filters: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
        """Return the best score of some filters in some sequences that does not overlap `window`, and where, each (K,)."""
        from seqdl.interpret.word_kernels import next_windows

        asked = row.numpy(), filters.numpy(), self.start[window].numpy(), self.span
        found = torch.from_numpy(next_windows(self._words(), self.tables.columns, (self.at, self.tables.offsets), asked))
        return found[:, 0].float(), found[:, 1].long()

    def _words(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the number of the word that begins at each position, and whether a window that begins there is without ambiguous bases."""
        size, unknown = self.tables.size, self.codes >= AMBIGUOUS
        known = np.where(unknown, 0, self.codes).astype(np.uint8)
        words = np.zeros((len(known), known.shape[1] - size + 1), dtype=np.uint8)
        for place in range(size):
            words |= known[:, place : place + words.shape[1]] << np.uint8(2 * (size - 1 - place))
        before = np.pad(np.cumsum(unknown, axis=1, dtype=np.int32), ((0, 0), (1, 0)))
        return words, before[:, self.span :] == before[:, : -self.span]


def word_windows(bank: FilterBank, x: Sequences, *, both_strands: bool = True, least: int | None = None) -> Iterator[WordWindows] | None:
    """Return the windows of sequences batch by batch, or None where words cannot be looked up or it is not worth it.

    Parameters
    ----------
    bank : FilterBank
        The filters; their module should be in evaluation mode.
    x : Sequences
        The sequences, given as codes.
    both_strands : bool, default True
        Also read the reverse complement.
    least : int, optional
        Products from which on it is worth it; by default `WORTH_IT`.
    """
    length, span = x.length, bank.geometry.span
    if x.codes is None or length < span or not len(x):
        return None
    found = weights_of(bank)
    if found is None or len(x) * length * (1 + both_strands) * found[0].numel() < (WORTH_IT if least is None else least):
        return None
    like = next(bank.layer.parameters(), torch.zeros(()))
    with torch.no_grad():
        activation = bank.run(x.one_hot(slice(0, N_COMPARED)).to(like.device, like.dtype)).float().cpu()
    inside = bank.geometry.inside(activation.shape[-1], length)
    starts = bank.geometry.starts(activation.shape[-1])[inside].numpy().astype(np.int64)
    if not len(starts):
        return None
    at = np.stack([starts, length - span - starts] if both_strands else [starts])
    tables = word_tables(*found, both_strands=both_strands)
    given = WordWindows(0, np.ascontiguousarray(x.codes[:N_COMPARED]), tables, at[:1])
    if not _agree(given, activation[:, :, inside]):
        return None
    size = max(1, WINDOWS_AT_ONCE // length)
    return (WordWindows(rows.start, np.ascontiguousarray(x.codes[rows]), tables, at) for rows in batches(len(x), size))


def _agree(given: WordWindows, activation: Tensor) -> bool:
    """Tell whether tables give the best scores that the layer gives; a layer may do more than its weights say."""
    clean = torch.from_numpy(given._words()[1][:, given.at[0]])
    expected = activation.masked_fill(~clean[:, None], -torch.inf).amax(2)
    top = given.strongest()[0]
    return bool(torch.allclose(top, expected, rtol=TOLERANCE, atol=TOLERANCE))
