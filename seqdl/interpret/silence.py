"""Run a network without some of its filters: what comes before them is run once, and the pooling behind them too where it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.interpret.patch import patched, record_calls
from seqdl.interpret.readout import Readout, batches

CHUNK = 128
"""Sequences whose activations are kept at a time; small enough to stay near the processor's cache."""
N_PROBED, N_PROBES = 8, 3
"""Sequences, and random halves of the filters, by which a neck is put to the test."""
ROUNDING = 1e-6
"""A change of an output that is no more than this share of it is rounding, and counts as none."""


@dataclass(frozen=True)
class Silenced:
    """What a network answers without some of its filters.

    Attributes
    ----------
    whole : array, (N, T), float64
        The outputs of the network as it is.
    without : array, (N, G, T), float64
        The outputs without each group of filters.
    strongest : array, (N, F), float64
        The strongest activation of each filter.
    """

    whole: NDArray[np.float64]
    without: NDArray[np.float64]
    strongest: NDArray[np.float64]


def silence(readout: Readout, layer: nn.Module, x: Tensor, *, groups: Sequence[Sequence[int]] | None = None) -> Silenced:
    """Return what a network answers without each group of filters.

    A filter is silenced by its mean: in every call of the layer its channel is replaced by the channel's mean over all sequences
    and positions. Where the network goes on from one number a filter (as behind a global maximum), a silent filter is one fixed number
    there, so that only what follows is run for each group. That it is so is not taken from the name of a layer but tried on a few sequences, by
    silencing random halves of the filters both ways; where the ways differ, all that is behind the filters is run for each group.

    Parameters
    ----------
    readout : Readout
        Gives outputs (B, T) of placed one-hot; its module should be in evaluation mode, without gradients.
    layer : nn.Module
        The layer whose channels are the filters.
    x : Tensor, (N, 4, L)
        The sequences.
    groups : sequence of sequences of int, optional
        Numbers of the filters to silence together; by default each alone.

    Raises
    ------
    InputError
        If the network never calls the layer.
    """
    means = _channel_means(readout, layer, x)
    chosen = [list(group) for group in groups] if groups is not None else [[f] for f in range(len(means))]
    neck = find_neck(readout, layer, x[:N_PROBED], means=means)
    whole, without, strongest = [], [], []
    for rows in batches(len(x), CHUNK):
        part = readout.place(x[rows])
        held: list[Tensor] = []
        with _listening(neck.module if neck else None, held):
            calls, outputs = _calls(readout, layer, part)
        whole.append(outputs)
        strongest.append(torch.stack([call.flatten(2).amax(2) for call in calls]).amax(0))
        if not chosen:
            without.append(outputs[:, None][:, :0])
        elif neck:
            without.append(_settled(neck.without(held[0], chosen), outputs))
        else:
            replays = _replays(readout, layer, part, calls=calls, means=means, groups=chosen)
            without.append(torch.stack([replayed() for replayed in replays], 1))
    return Silenced(*(torch.cat(parts).double().cpu().numpy() for parts in (whole, without, strongest)))


@dataclass(frozen=True)
class Neck:
    """Where a network goes on from one number a filter and nothing else.

    Attributes
    ----------
    module : nn.Module
        The module that is given these numbers (B, F).
    silent : Tensor, (F,)
        The number of each filter that is silent.
    readout : Readout
    layer : nn.Module
        The layer of the filters.
    n_dims : int
        Dimensions of what the layer gives.
    n_inputs : int
        Channels of the sequences.
    """

    module: nn.Module
    silent: Tensor
    readout: Readout
    layer: nn.Module
    n_dims: int
    n_inputs: int

    def outputs(self, pooled: Tensor) -> Tensor:
        """Return the outputs (B, T) for the numbers (B, F) of the filters."""
        forward = self.module.forward
        features = pooled.new_zeros(*pooled.shape, *[1] * (self.n_dims - 2))  # what is made of these does not count
        given = pooled.clone()  # what follows may work in place
        with patched({self.layer: lambda *_inputs, **_options: features, self.module: lambda *_inputs, **_options: forward(given)}):
            return self.readout(pooled.new_zeros(len(pooled), self.n_inputs, 1))

    def without(self, pooled: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
        """Return the outputs (B, G, T) without each group of filters."""
        mask = torch.zeros(len(groups), len(self.silent), dtype=torch.bool, device=pooled.device)
        for row, group in zip(mask, groups, strict=True):
            row[group] = True
        changed = torch.where(mask, self.silent, pooled[:, None])  # (B, G, F)
        return self.outputs(changed.flatten(0, 1)).reshape(len(pooled), len(groups), -1)


def find_neck(readout: Readout, layer: nn.Module, x: Tensor, *, means: Tensor) -> Neck | None:
    """Return where a network goes on from one number a filter; None where there is no such place.

    Parameters
    ----------
    readout : Readout
    layer : nn.Module
    x : Tensor, (n, 4, L)
        A few sequences to try it on.
    means : Tensor, (F,)
        The mean of each channel.
    """
    x = readout.place(x)
    calls, outputs = _calls(readout, layer, x)
    rng = np.random.default_rng(0)
    groups = [list(range(len(means))), *(np.flatnonzero(rng.random(len(means)) < 0.5).tolist() for _ in range(N_PROBES))]
    for module, pooled in _given_one_number(readout, x, n_filters=len(means)):
        probed = []
        for replayed in _replays(readout, layer, x, calls=calls, means=means, groups=groups):
            held: list[Tensor] = []
            with _listening(module, held):
                probed.append((replayed(), held[0]))
        neck = Neck(module, probed[0][1][0], readout, layer, calls[0].ndim, x.shape[1])
        if _holds(neck, pooled, outputs, probed=probed, groups=groups):
            return neck
    return None


def _holds(neck: Neck, pooled: Tensor, outputs: Tensor, *, probed: list[tuple[Tensor, Tensor]], groups: list[list[int]]) -> bool:
    """Tell whether the numbers of silent filters are fixed, those of others untouched, and the outputs follow from them."""
    for (answer, found), group in zip(probed, groups, strict=True):
        expected = pooled.clone()
        expected[:, group] = neck.silent[group]
        if not torch.allclose(found, expected, rtol=1e-5, atol=1e-6):
            return False
        try:
            short = neck.outputs(expected)
        except Exception:  # a network that cannot go on from a single position, however it says so, is run as a whole
            return False
        if short.shape != answer.shape or not torch.allclose(short, answer, rtol=1e-4, atol=1e-5 * float(outputs.abs().max())):
            return False
    return True


def _given_one_number(readout: Readout, x: Tensor, *, n_filters: int) -> list[tuple[nn.Module, Tensor]]:
    """Return the modules that are called once, with one number a filter (B, F), in their order, and these numbers."""
    seen: list[tuple[nn.Module, Tensor | None]] = []

    def look(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        fits = len(inputs) == 1 and isinstance(inputs[0], Tensor) and inputs[0].shape == (len(x), n_filters)
        seen.append((module, inputs[0].detach().clone() if fits else None))

    handles = [part.register_forward_pre_hook(look) for part in readout.module.modules() if part is not readout.module]
    try:
        readout(x)
    finally:
        for handle in handles:
            handle.remove()
    calls = [module for module, _ in seen]
    return [(module, given) for module, given in seen if given is not None and calls.count(module) == 1]


@contextmanager
def _listening(module: nn.Module | None, held: list[Tensor]) -> Iterator[None]:
    """Keep what a module is given while a block runs."""
    handle = module.register_forward_pre_hook(lambda _module, inputs: held.append(inputs[0].detach().clone())) if module is not None else None
    try:
        yield
    finally:
        if handle is not None:
            handle.remove()


def _settled(silent: Tensor, outputs: Tensor) -> Tensor:
    """Return outputs (B, G, T) in which what differs from the whole (B, T) by rounding alone does not differ."""
    whole = outputs[:, None].expand_as(silent)
    return torch.where((silent - whole).abs() <= ROUNDING * whole.abs().clamp(min=1), whole, silent)


def _calls(readout: Readout, layer: nn.Module, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return what the layer gave in each call, and the outputs."""
    outputs: list[Tensor] = []
    calls = record_calls(layer, lambda: outputs.append(readout(x)))
    if not calls:
        raise InputError(
            f"the layer {layer} is never called by {type(readout.module).__name__}. Pass the network that uses it, or name another layer."
        )
    return calls, outputs[0]


def _channel_means(readout: Readout, layer: nn.Module, x: Tensor) -> Tensor:
    """Return the mean (F,) of each channel over sequences, positions and calls."""
    total, count = torch.zeros(()), 0
    for rows in batches(len(x), CHUNK):
        for call in _calls(readout, layer, readout.place(x[rows]))[0]:
            flat = call.transpose(0, 1).flatten(1)  # (F, n * P)
            total, count = total.to(flat.device) + flat.double().sum(1), count + flat.shape[1]
    return total / count


def _replays(
    readout: Readout, layer: nn.Module, x: Tensor, *, calls: list[Tensor], means: Tensor, groups: list[list[int]]
) -> Iterator[Callable[[], Tensor]]:
    """Yield for each group of filters a run of the network in which the layer only plays back `calls` without them."""
    working = [call.clone() for call in calls]
    for group in groups:
        for call in working:
            call[:, group] = means[group].to(call.dtype).view(1, -1, *[1] * (call.ndim - 2))
        versions = [call._version for call in working]
        yield lambda: _play_back(readout, layer, x, calls=working)
        for call, kept, version in zip(working, calls, versions, strict=True):
            if call._version == version:
                call[:, group] = kept[:, group]
            else:  # something behind the layer works in place
                call.copy_(kept)


def _play_back(readout: Readout, layer: nn.Module, x: Tensor, *, calls: list[Tensor]) -> Tensor:
    """Run the network while the layer answers with `calls`, one after the other."""
    answers = iter(calls)
    with patched({layer: lambda *_inputs, **_options: next(answers)}):
        return readout(x)
