"""Filters of several networks that answer together: how much each family of them matters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from seqdl.errors import UnknownNameError
from seqdl.interpret.importance import METRICS, Outputs, covariance, losses
from seqdl.interpret.inputs import SequenceInput, Sequences
from seqdl.interpret.locate import filter_bank
from seqdl.interpret.readout import batches, evaluating
from seqdl.interpret.silence import CHUNK, Silenced, silence

Filter = tuple[int, int]
"""A network by its place, and a filter of it by its number."""


def _mean(logits: Tensor) -> Tensor:
    """Return the mean of the answers (M, N, T)."""
    return logits.mean(0)


@dataclass(frozen=True)
class Committee:
    """Several networks that answer together.

    Parameters
    ----------
    networks : sequence of nn.Module
        Each takes one-hot (B, 4, L) and gives logits (B, T), the same outputs in all.
    combine : callable, optional
        From the logits of all networks (M, N, T), float32, on the CPU, to those of the committee (N, T); by default their mean.
    """

    networks: Sequence[nn.Module]
    combine: Callable[[Tensor], Tensor] = _mean


def committee_importance(
    committee: Committee,
    x: SequenceInput,
    target: ArrayLike,
    *,
    families: Sequence[Sequence[Filter]],
    layer: str | None = None,
    metric: str = "auroc",
    output: int | str | None = 0,
) -> pd.DataFrame:
    """Measure what a committee loses when all filters of a family, in all its networks, are silenced together.

    The networks look for the same things, so that without one filter the others still answer; without the whole family none does. Filters are
    silenced as by `seqdl.interpret.importance.filter_importance`, and each network is only run without its own part of a family.

    Parameters
    ----------
    committee : Committee
    x, target, layer, metric, output
        As for `filter_importance`; all of `x` is used.
    families : sequence of sequences of (int, int)
        The filters to silence together, as (network, filter); the first of each is the one whose activations tell the direction.

    Returns
    -------
    DataFrame
        One row a family: ``importance`` (loss of the metric; NaN where it is undefined), ``output`` (its number), ``direction`` (1 where a
        stronger activation raises the output, -1 where it lowers it, 0 where neither).

    Raises
    ------
    ShapeError
        If `target` does not fit `x`.
    UnknownNameError
        If there is no such metric, output or layer.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv1d(4, 1, 1, bias=False), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(1, 1))
    >>> _ = net[0].weight.data.copy_(torch.tensor([[1.0, 0, 0, 0]])[..., None])       # A counts
    >>> x = np.eye(4)[[[0, 1, 1], [0, 2, 2], [1, 2, 2], [2, 2, 2]]].transpose(0, 2, 1)
    >>> _ = net[3].weight.data.fill_(1)
    >>> committee_importance(Committee([net, net]), x, [1, 1, 0, 0], families=[[(0, 0)], [(0, 0), (1, 0)]])["importance"].tolist()
    [0.0, 0.5]
    """
    if metric not in METRICS:
        raise UnknownNameError("metric of filter importance", metric, METRICS)
    given, asked = Sequences(x), Outputs(committee.networks[0], output)
    truth = asked.truth(target, len(given))
    columns = slice(None) if output is None else slice(asked.index, asked.index + 1)
    own = [[sorted({f for network, f in family if network == k}) for family in families] for k in range(len(committee.networks))]
    sequences, answers = given.all(), []
    for network, groups in zip(committee.networks, own, strict=True):
        silent = [group for group in groups if group]
        answers.append(_answers(network, sequences, silent, layer=layer))
    whole, without = _combined(committee, answers, own)
    loss = losses(truth, whole[:, columns], without[:, :, columns], metric=METRICS[metric])  # (G, T)
    defined = ~np.isnan(loss).all(1)
    most = np.where(np.isnan(loss), -np.inf, loss).argmax(1)
    each = np.arange(len(families))
    leading = [answers[family[0][0]].strongest[:, family[0][1]] for family in families]
    activation = np.stack(leading, 1) if leading else np.zeros((len(given), 0))
    change = whole[:, columns][:, None] - without[:, :, columns]
    direction = np.sign(covariance(activation, change[:, each, most]).round(12)).astype(int)
    number = most if output is None else np.full(len(families), asked.index)
    return pd.DataFrame({"importance": np.where(defined, loss[each, most], np.nan), "output": number, "direction": direction})


def _answers(network: nn.Module, x: Tensor, groups: list[list[int]], *, layer: str | None) -> Silenced:
    """Return what a network answers without each group of its filters; one without a group need not have filters."""
    readout = Outputs(network, None)
    with evaluating(network), torch.no_grad():
        if groups:
            return silence(readout, filter_bank(network, layer, length=x.shape[-1]).layer, x, groups=groups)
        whole = torch.cat([readout(readout.place(x[rows])) for rows in batches(len(x), CHUNK)]).double().cpu().numpy()
    return Silenced(whole, whole[:, None][:, :0], whole[:, :0])


def _combined(committee: Committee, answers: list[Silenced], own: list[list[list[int]]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the outputs of the committee (N, T), and those without each family (N, G, T)."""

    def combine(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        with torch.no_grad():
            logits: NDArray[np.float64] = committee.combine(torch.from_numpy(np.stack(parts)).float()).double().numpy()
        return logits

    whole = combine([answer.whole for answer in answers])
    places = [np.cumsum([bool(group) for group in groups]) - 1 for groups in own]
    without = [
        combine([a.without[:, place[g]] if groups[g] else a.whole for a, groups, place in zip(answers, own, places, strict=True)])
        for g in range(len(own[0]))
    ]
    return whole, np.stack(without, 1) if without else whole[:, None][:, :0]
