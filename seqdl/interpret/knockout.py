"""Taking a motif out: its hits are destroyed, and as many bases elsewhere for comparison."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.interpret.inputs import scores_of
from seqdl.interpret.readout import Readout
from seqdl.interpret.spike import Trial
from seqdl.motif.motif import Motif
from seqdl.motif.scan import scan
from seqdl.progress import track
from seqdl.types import Codes

Way = Literal["shuffle", "replace"]
_TRIES = 20


def knock_out(
    module: nn.Module,
    motif: Motif,
    sequences: Codes,
    *,
    pvalue: float = 1e-4,
    how: Way = "shuffle",
    n_draws: int = 10,
    trial: Trial | None = None,
) -> pd.DataFrame:
    """Destroy the hits of a motif and measure what that does to the output.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L); its ``logits`` are read where it has some.
    motif : Motif
        What is looked for, on both strands.
    sequences : codes (N, L), uint8
        Real sequences.
    pvalue : float, default 1e-4
        p-value that a hit has at most, as for `seqdl.scan`.
    how : {"shuffle", "replace"}, default "shuffle"
        Whether the bases of hits that touch are put into another order, or drawn anew from the sequence's own bases.
    n_draws : int, default 10
        Draws that are averaged.
    trial : Trial, optional
        Its output, seed, ambiguous and batch_size are used.

    Returns
    -------
    DataFrame
        A row for each sequence with a hit: sequence (its row), n_hits, before, after, effect (after less before), and control, which is the same
        with as many bases, in runs of the same lengths, at places of the sequence that are no hits.

    Raises
    ------
    InputError
        If `n_draws` is below 1.
    UnknownNameError
        If there is no such way.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Conv1d(4, 1, 6, bias=False), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    >>> _ = net[0].weight.data.copy_(torch.eye(4)[[2, 0, 3, 3, 0, 1]].T[None])            # counts matches to GATTAC
    >>> motif = Motif("m", np.eye(4)[[2, 0, 3, 3, 0, 1]].T * 20)
    >>> sequences = np.full((3, 40), 1, dtype=np.uint8)
    >>> sequences[0, 10:16] = [2, 0, 3, 3, 0, 1]                                           # one of three has it
    >>> table = knock_out(net, motif, sequences, pvalue=1e-3)
    >>> table.sequence.tolist(), bool(table.effect[0] < -1), bool(abs(table.control[0]) < 1e-9)
    ([0], True, True)
    """
    if how not in ("shuffle", "replace"):
        raise UnknownNameError("way of destroying a motif", how, ["shuffle", "replace"])
    if n_draws < 1:
        raise InputError(f"n_draws is {n_draws}; expected at least 1. Ten is a good choice.")
    asked = trial or Trial()
    codes, readout = np.asarray(sequences, dtype=np.uint8), Readout(module, asked.output)
    hits = scan([motif], codes, pvalue=pvalue)
    rows = hits["sequence"].astype(np.int64).to_numpy()
    hit = np.zeros(codes.shape, dtype=bool)
    for row, start, end in zip(rows, hits["start"], hits["end"], strict=True):
        hit[row, start:end] = True
    found, n_hits = np.unique(rows, return_counts=True)
    rng = np.random.default_rng(asked.seed)
    before = scores_of(readout, codes[found], ambiguous=asked.ambiguous, batch_size=asked.batch_size)
    after, control = np.zeros(len(found)), np.zeros(len(found))
    for _ in track(range(n_draws if len(found) else 0), "draws"):
        elsewhere = np.stack([_elsewhere(hit[row], rng) for row in found])
        for total, mask in ((after, hit[found]), (control, elsewhere)):
            spoilt = np.stack([_spoil(codes[row], one, how, rng=rng) for row, one in zip(found, mask, strict=True)])
            total += scores_of(readout, spoilt, ambiguous=asked.ambiguous, batch_size=asked.batch_size) / n_draws
    table = pd.DataFrame({"sequence": found, "n_hits": n_hits, "before": before, "after": after})
    return table.assign(effect=after - before, control=control - before)


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end of each run of a mask (L,)."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _spoil(codes: Codes, mask: NDArray[np.bool_], how: Way, *, rng: np.random.Generator) -> Codes:
    """Return a sequence (L,) whose masked runs are in another order, or drawn anew."""
    changed = codes.copy()
    known = codes[codes < 4]
    for start, end in _runs(mask):
        changed[start:end] = rng.permutation(codes[start:end]) if how == "shuffle" else rng.choice(known, end - start)
    return changed


def _elsewhere(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return a mask (L,) of runs as long as those of `mask`, at other places; a run for which there is no room is left out."""
    other, taken = np.zeros_like(mask), mask.copy()
    for start, end in _runs(mask):
        for at in rng.integers(0, len(mask) - (end - start) + 1, _TRIES).tolist():
            if not taken[at : at + end - start].any():
                other[at : at + end - start] = taken[at : at + end - start] = True
                break
    return other
