"""How much each filter matters to the predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.evaluate.metrics import auroc
from seqdl.interpret.inputs import SequenceInput, Sequences
from seqdl.interpret.locate import filter_bank
from seqdl.interpret.readout import Readout, evaluating
from seqdl.interpret.silence import silence
from seqdl.interpret.sites import find_sites
from seqdl.types import Floats


def filter_importance(
    module: nn.Module,
    x: SequenceInput,
    target: ArrayLike,
    *,
    layer: str | None = None,
    output: int | str | None = 0,
    metric: str = "auroc",
    max_sequences: int = 1000,
) -> pd.DataFrame:
    """Measure what the predictions lose when one filter is silenced.

    A filter is silenced by its mean: in every call of the layer its channel is replaced by the channel's mean over all
    sequences and positions, and the rest of the network is run again. What comes before the layer is run once, and so is the pooling
    where it makes one number a filter (`seqdl.interpret.silence`).

    Parameters
    ----------
    module : nn.Module
        The whole network (or task): takes one-hot (B, 4, L), gives logits or predictions.
    x : array or Tensor, (N, 4, L), or codes (N, L) uint8
        Sequences, best of a set the network was not trained on.
    target : array_like, (N,) or (N, T)
        The truth; of several columns that of `output` is taken.
    layer : str, optional
        Name of the layer; by default the first convolution over the bases.
    output : int, str or None, default 0
        Which output, by number or by name; None takes for each filter the output that loses most.
    metric : {"auroc", "pearson"}, default "auroc"
        What is lost: AUROC of a binary target, or the correlation with a number.
    max_sequences : int, default 1000
        Of more sequences so many are drawn (always the same ones).

    Returns
    -------
    DataFrame
        One row a filter, the most important first: ``filter`` (name), ``importance`` (loss of the metric), ``output`` (its
        number), ``direction`` (1 where a stronger activation raises the output, -1 where it lowers it, 0 where neither),
        ``position`` and ``position_sd`` (bp from the middle of the sequence to the middle of the strongest 100 sites: mean
        and standard deviation; NaN for a filter that never responds).

    Raises
    ------
    ShapeError
        If `target` does not fit `x`.
    UnknownNameError
        If there is no such metric, output or layer.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv1d(4, 2, 1, bias=False), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(2, 1))
    >>> _ = net[0].weight.data.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0]])[..., None])
    >>> _ = net[3].weight.data.copy_(torch.tensor([[1.0, 0]]))       # only A counts
    >>> x = np.eye(4)[[[0, 1, 1], [0, 2, 2], [1, 2, 2], [2, 2, 2]]].transpose(0, 2, 1)
    >>> table = filter_importance(net, x, [1, 1, 0, 0])
    >>> table["filter"].tolist(), table.importance.tolist(), table.direction.tolist()
    (['filter0', 'filter1'], [0.5, 0.0], [1, 0])
    """
    if metric not in METRICS:
        raise UnknownNameError("metric of filter importance", metric, METRICS)
    readout, given = Outputs(module, output), Sequences(x)
    truth, chosen = readout.truth(target, len(given)), np.arange(len(given))
    if len(given) > max_sequences:
        chosen = np.sort(np.random.default_rng(0).permutation(len(given))[:max_sequences])
    sequences, truth = given.one_hot(chosen), truth[chosen]
    with evaluating(module), torch.no_grad():
        found = filter_bank(module, layer, length=given.length).layer
        outputs = silence(readout, found, sequences)
    whole, silenced = outputs.whole, outputs.without
    loss = losses(truth, whole, silenced, metric=METRICS[metric])  # (F, T)
    most = np.where(np.isnan(loss), -np.inf, loss).argmax(1)
    filters = np.arange(len(loss))
    change = whole[:, None] - silenced  # (N, F, T): what the filter adds to each output
    direction = np.sign(covariance(outputs.strongest, change[:, filters, most]).round(12)).astype(int)
    sites = find_sites(module, sequences, layer=layer)
    position, spread = _positions(sites.centres(given.length), np.isfinite(sites.score))
    table = pd.DataFrame(
        {
            "filter": [f"filter{f}" for f in filters],
            "importance": loss[filters, most],
            "output": readout.index if output is not None else most,
            "direction": direction,
            "position": np.where(sites.alive, position, np.nan),
            "position_sd": np.where(sites.alive, spread, np.nan),
        }
    )
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def family_importance(
    module: nn.Module,
    x: SequenceInput,
    target: ArrayLike,
    *,
    families: Sequence[Sequence[int]],
    layer: str | None = None,
    metric: str = "auroc",
    output: int | str | None = 0,
) -> NDArray[np.float64]:
    """Measure what the predictions lose when several filters are silenced together.

    Filters that look for the same stand in for each other, so that silencing one of them alone costs little.

    Parameters
    ----------
    module, x, target, layer, metric, output
        As for `filter_importance`; all of `x` is used.
    families : sequence of sequences of int
        Numbers of the filters to silence together.

    Returns
    -------
    array, (n_families,)
        Loss of the metric for each family.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv1d(4, 2, 1, bias=False), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(2, 1))
    >>> _ = net[0].weight.data.copy_(torch.tensor([[1.0, 0, 0, 0], [1, 0, 0, 0]])[..., None])    # twice the same
    >>> _ = net[3].weight.data.copy_(torch.tensor([[1.0, 1]]))
    >>> x = np.eye(4)[[[0, 1, 1], [0, 2, 2], [1, 2, 2], [2, 2, 2]]].transpose(0, 2, 1)
    >>> family_importance(net, x, [1, 1, 0, 0], families=[[0], [0, 1]]).tolist()
    [0.0, 0.5]
    """
    if metric not in METRICS:
        raise UnknownNameError("metric of filter importance", metric, METRICS)
    readout, given = Outputs(module, output), Sequences(x)
    truth = readout.truth(target, len(given))
    with evaluating(module), torch.no_grad():
        found = filter_bank(module, layer, length=given.length).layer
        outputs = silence(readout, found, given.all(), groups=families)
    loss = losses(truth, outputs.whole, outputs.without, metric=METRICS[metric])
    defined = ~np.isnan(loss).all(1)
    return np.where(defined, np.where(np.isnan(loss), -np.inf, loss).max(1, initial=-np.inf), np.nan)


def pearson(target: ArrayLike, prediction: ArrayLike) -> float:
    """Return the correlation of two arrays (N,); NaN where one does not vary.

    Examples
    --------
    >>> pearson([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    1.0
    """
    a, b = np.asarray(target, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


Metric: TypeAlias = Callable[[ArrayLike, ArrayLike], float]
METRICS: dict[str, Metric] = {"auroc": auroc, "pearson": pearson}


class Outputs(Readout):
    """A readout of one output (B, 1), or of all of them (B, T)."""

    def __init__(self, module: nn.Module, output: int | str | None) -> None:
        super().__init__(module, 0 if output is None else output)
        self.every = output is None

    def __call__(self, x: Tensor) -> Tensor:
        """Return the outputs of placed one-hot sequences."""
        if not self.every:
            return super().__call__(x)[:, None]
        y: Tensor = self.answer(x)
        return y[:, None] if y.ndim == 1 else y.flatten(2).sum(2) if y.ndim > 2 else y

    def truth(self, target: ArrayLike, n: int) -> NDArray[np.float64]:
        """Return the truth of the outputs, (N, 1) or (N, T)."""
        values = np.asarray(target, dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or len(values) != n:
            raise ShapeError(
                f"target has the shape {np.shape(target)} for {n} sequences; expected ({n},) or ({n}, T). Take both from the same split."
            )
        if n == 0:
            raise InputError("x holds no sequence; expected some hundreds. Pass sequences of both classes.")
        return values if self.every or values.shape[1] == 1 else values[:, self.index, None]


def losses(truth: NDArray[np.float64], whole: NDArray[Any], silenced: NDArray[Any], *, metric: Metric) -> NDArray[np.float64]:
    """Return what the metric of each output loses, (F, T), for outputs (N, T) and those without each filter (N, F, T)."""
    outputs = range(whole.shape[1])
    if truth.shape[1] != whole.shape[1]:
        raise ShapeError(
            f"target has {truth.shape[1]} columns for {whole.shape[1]} outputs; expected one each. Name one output, or give all columns."
        )
    full = np.array([metric(truth[:, t], whole[:, t]) for t in outputs])
    loss: NDArray[np.float64] = full - np.array(
        [[metric(truth[:, t], silenced[:, f, t]) for t in outputs] for f in range(silenced.shape[1])]
    ).reshape(-1, len(full))
    return loss


def _positions(centre: Floats, valid: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return mean and standard deviation (F,) of the valid centres (F, S)."""
    n = np.maximum(valid.sum(1), 1)
    mean = np.where(valid, centre, 0).sum(1) / n
    return mean, np.sqrt(np.where(valid, (centre - mean[:, None]) ** 2, 0).sum(1) / n)


def covariance(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance (F,) of matching columns of two arrays (N, F)."""
    return np.asarray(((a - a.mean(0)) * (b - b.mean(0))).mean(0))
