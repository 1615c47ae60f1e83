"""Codes of sequences: what a layer of a network makes of them, and whether alike sequences lie near each other there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.interpret.inputs import SequenceInput, Sequences
from seqdl.interpret.patch import record_calls
from seqdl.interpret.readout import Readout, batches, evaluating
from seqdl.progress import track
from seqdl.types import Ambiguous

Pooling = Literal["mean", "max"]


def layer_codes(
    module: nn.Module, x: SequenceInput, *, layer: str, pooling: Pooling = "mean", ambiguous: Ambiguous = "zero", batch_size: int = 256
) -> NDArray[np.float32]:
    """Return what a layer gives for each sequence.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L).
    x : array or Tensor, (N, 4, L), or codes (N, L) uint8
        The sequences; of codes a batch at a time becomes one-hot.
    layer : str
        Name of the layer as in ``module.named_modules()``. Where it is called for each strand, both calls are pooled.
    pooling : {"mean", "max"}, default "mean"
        Of outputs that lie along the sequence (B, C, L), over the positions.
    ambiguous : {"zero", "uniform"}, default "zero"
        How an ambiguous base among codes is read.
    batch_size : int, default 256
        Sequences at a time; it changes no result.

    Returns
    -------
    array, (N, C), float32

    Raises
    ------
    UnknownNameError
        If there is no such layer or pooling.
    InputError
        If the layer is never called, or does not give one row a sequence.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv1d(4, 6, 3), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(6, 1))
    >>> layer_codes(net, np.zeros((5, 20), dtype=np.uint8), layer="1").shape
    (5, 6)
    """
    named = dict(module.named_modules())
    if layer not in named:
        raise UnknownNameError("layer", layer, [name for name in named if name])
    if pooling not in ("mean", "max"):
        raise UnknownNameError("pooling of codes", pooling, ["mean", "max"])
    sequences, readout = Sequences(x, ambiguous=ambiguous), Readout(module)
    parts = []
    with evaluating(module), torch.no_grad():
        for rows in track(list(batches(len(sequences), batch_size)), "codes"):
            given = readout.place(sequences.one_hot(rows))
            calls = record_calls(named[layer], lambda given=given: readout.answer(given))  # type: ignore[misc]  # bound now, not when it is called
            parts.append(_pooled(calls, len(given), layer, pooling=pooling).float().cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)


def _pooled(calls: list[Tensor], n: int, layer: str, *, pooling: Pooling) -> Tensor:
    """Return one row a sequence, (n, C), over positions and calls."""
    if not calls or any(len(call) != n or call.ndim < 2 for call in calls):
        shapes = ", ".join(str(tuple(call.shape)) for call in calls) or "no call"
        raise InputError(f"layer '{layer}' gives {shapes} for {n} sequences; expected ({n}, C) or ({n}, C, positions). Name another layer.")
    flat = [call.flatten(2) if call.ndim > 2 else call[..., None] for call in calls]
    each = torch.stack([call.amax(2) if pooling == "max" else call.mean(2) for call in flat])
    return each.amax(0) if pooling == "max" else each.mean(0)


@dataclass(frozen=True)
class Purity:
    """How often the nearest neighbours of a sequence have its label.

    Attributes
    ----------
    value : float
        Mean share of neighbours with the same label.
    chance : float
        The same for labels dealt at random.
    by_label : dict
        Mean share for the sequences of each label.
    """

    value: float
    chance: float
    by_label: dict[Any, float]


def knn_purity(codes: ArrayLike, labels: ArrayLike, *, k: int = 10) -> Purity:
    """Measure whether sequences of one label lie near each other.

    Parameters
    ----------
    codes : array_like, (N, C)
        From `layer_codes`; distances are Euclidean over standardised columns.
    labels : array_like, (N,)
        The label of each.
    k : int, default 10
        Neighbours, the sequence itself left out.

    Raises
    ------
    ShapeError
        If there is not a label a row.
    InputError
        If `k` is below 1, or there are no more than k sequences.

    Examples
    --------
    >>> found = knn_purity([[0.0], [0.1], [5.0], [5.1]], ["a", "a", "b", "b"], k=1)
    >>> found.value, round(found.chance, 2)
    (1.0, 0.33)
    """
    from sklearn.neighbors import NearestNeighbors

    points, names = np.asarray(codes, dtype=np.float64), np.asarray(labels)
    if points.ndim != 2 or names.shape != (len(points),):
        raise ShapeError(
            f"the codes have the shape {points.shape} and the labels {names.shape}; expected (N, C) and (N,). Take both from the same rows."
        )
    if not 1 <= k < len(points):
        raise InputError(f"k is {k} for {len(points)} sequences; expected at least 1 and fewer than there are. Ten is a good choice.")
    spread = points.std(0)
    search: Any = NearestNeighbors
    scaled = (points - points.mean(0)) / np.where(spread > 0, spread, 1)
    neighbours = search(n_neighbors=k).fit(scaled).kneighbors(return_distance=False)
    same = (names[neighbours] == names[:, None]).mean(1)
    values, counts = np.unique(names, return_counts=True)
    chance = float((counts * (counts - 1)).sum() / (len(names) * (len(names) - 1)))
    return Purity(float(same.mean()), chance, {value.item(): float(same[names == value].mean()) for value in values})
