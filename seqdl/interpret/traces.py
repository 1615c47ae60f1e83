"""What recurrent and attention layers do along a sequence: hidden states, gates, and where is looked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from seqdl.errors import InputError, UnknownNameError
from seqdl.interpret.readout import OneHot, as_tensor, batches, evaluating
from seqdl.layers.attention import SelfAttention
from seqdl.layers.onehot import flip_positions, mask_positions
from seqdl.layers.pooling import AttentionPool

Looker: TypeAlias = SelfAttention | AttentionPool | nn.MultiheadAttention
Weights: TypeAlias = dict[str, Tensor]
Call: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Trace:
    """What one direction of one recurrent layer did.

    Attributes
    ----------
    layer : str
        Its name as in ``module.named_modules()``.
    number : int
        Which layer of a stack, from 0.
    direction : {"forward", "backward"}
    values : dict of str to array, (N, H, L), float32
        "hidden" in any case; of an LSTM also the gates "input", "forget" and "output" (0 to 1), what is proposed as new
        content, "cell" (-1 to 1), and the content that is kept, "memory"; of a GRU "reset", "update" and "new". L are the
        positions the layer reads; NaN where a row was packed as shorter.
    """

    layer: str
    number: int
    direction: Literal["forward", "backward"]
    values: Mapping[str, NDArray[np.float32]]


def trace(module: nn.Module, x: OneHot, *, layer: str | None = None, batch_size: int = 64) -> list[Trace]:
    """Follow the recurrent layers of a module along sequences.

    States and gates are computed anew from the weights, since torch's layers tell their last output alone.

    Parameters
    ----------
    module : nn.Module
        Any network with `nn.LSTM`, `nn.GRU` or `nn.RNN` in it.
    x : array or Tensor, (N, 4, L)
        One-hot sequences.
    layer : str, optional
        Name of one recurrent layer as in ``module.named_modules()``; by default all are followed.
    batch_size : int, default 64
        Sequences at a time; it changes no result.

    Returns
    -------
    list of Trace
        By layer, number and direction. Of a layer that is called more than once, the first call: later ones may read the
        other strand.

    Raises
    ------
    InputError
        If the module has no recurrent layer.
    UnknownNameError
        If none has that name.

    References
    ----------
    .. [1] Karpathy, Johnson & Fei-Fei, Visualizing and understanding recurrent networks, arXiv:1506.02078 (2015).

    Examples
    --------
    >>> from seqdl.models.lstm import LSTM
    >>> forward, backward = trace(LSTM(hidden=8), np.zeros((2, 4, 50)))
    >>> backward.direction, sorted(backward.values), backward.values["forget"].shape
    ('backward', ['cell', 'forget', 'hidden', 'input', 'memory', 'output'], (2, 8, 50))
    """
    parts: dict[str, nn.RNNBase] = _parts(module, layer, kinds=nn.RNNBase, what="recurrent layer")

    def follow(name: str, call: Call) -> dict[tuple[str, int, str], Weights]:
        return {(name, *key): values for key, values in _follow(parts[name], *call[0], **call[1]).items()}

    gathered = _gather(module, x, parts=parts, study=follow, batch_size=batch_size)
    return [
        Trace(name, number, "backward" if direction == "backward" else "forward", {key: _joined(each) for key, each in _turned(values).items()})
        for (name, number, direction), values in gathered.items()
    ]


def attention_weights(module: nn.Module, x: OneHot, *, layer: str | None = None, batch_size: int = 64) -> dict[str, NDArray[np.float32]]:
    """Return where the attention layers of a module look.

    Parameters
    ----------
    module : nn.Module
        Any network with our `SelfAttention` or `AttentionPool`, or torch's `nn.MultiheadAttention` in it.
    x, batch_size
        As in `trace`.
    layer : str, optional
        Name of one such layer; by default all.

    Returns
    -------
    dict of str to array
        By name of the layer: (N, H, L, L) of a layer with H heads, from each position to each; (N, 1, L) of a pooling.
        The last axis, what is looked at, adds up to 1. Of a layer that is called more than once, the first call.

    Raises
    ------
    InputError
        If the module has no attention layer.
    UnknownNameError
        If none has that name.

    Examples
    --------
    >>> from seqdl.models.transformer import Transformer
    >>> {name: weights.shape for name, weights in attention_weights(Transformer(layers=1), np.zeros((2, 4, 30))).items()}
    {'blocks.0.attention': (2, 4, 30, 30)}
    """
    parts: dict[str, Looker] = _parts(module, layer, kinds=(SelfAttention, AttentionPool, nn.MultiheadAttention), what="attention layer")

    def look(name: str, call: Call) -> dict[str, Weights]:
        return {name: {"weights": _weights(parts[name], *call[0], **call[1])}}

    gathered = _gather(module, x, parts=parts, study=look, batch_size=batch_size)
    return {name: _joined(_turned(values)["weights"]) for name, values in gathered.items()}


def _parts(module: nn.Module, layer: str | None, *, kinds: Any, what: str) -> dict[str, Any]:
    """Return the layers of some kinds by name, or the one that is named."""
    found = {name: part for name, part in module.named_modules() if isinstance(part, kinds)}
    if not found:
        raise InputError(f"{type(module).__name__} has no {what}: one was expected. For other networks use seqdl.attribute or seqdl.filter_motifs.")
    if layer is None:
        return found
    if layer not in found:
        raise UnknownNameError(what, layer, found)
    return {layer: found[layer]}


def _gather(
    module: nn.Module, x: OneHot, *, parts: Mapping[str, nn.Module], study: Callable[[str, Call], dict[Any, Weights]], batch_size: int
) -> dict[Any, list[Weights]]:
    """Run a module over batches, and study what each part was first called with; the findings of all batches by their key."""
    inputs = as_tensor(x)
    found: dict[Any, list[Weights]] = {}
    like = next((p for p in module.parameters() if p.is_floating_point()), inputs)
    with evaluating(module), torch.no_grad():
        for rows in batches(len(inputs), batch_size):
            calls = _first_calls(module, inputs[rows].to(like.device, like.dtype), parts)
            for name, call in calls.items():
                for key, values in study(name, call).items():
                    found.setdefault(key, []).append(values)
    return found


def _first_calls(module: nn.Module, x: Tensor, parts: Mapping[str, nn.Module]) -> dict[str, Call]:
    """Run a module, and return what each part was first called with."""
    calls: dict[str, Call] = {}

    def noting(name: str) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
        def note(_part: nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> None:
            calls.setdefault(name, (args, options))

        return note

    handles = [part.register_forward_pre_hook(noting(name), with_kwargs=True) for name, part in parts.items()]
    try:
        module(x)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _turned(batches_: list[Weights]) -> dict[str, list[Tensor]]:
    """Turn a list of dicts into a dict of lists."""
    return {key: [values[key] for values in batches_] for key in batches_[0]}


def _joined(parts: list[Tensor]) -> NDArray[np.float32]:
    """Put the batches under each other; where one is shorter, nothing is known of its last positions."""
    longest = max(part.shape[-1] for part in parts)
    padded = [nn.functional.pad(part.float(), (0, longest - part.shape[-1]), value=float("nan")) for part in parts]
    return np.asarray(torch.cat(padded).cpu().numpy(), dtype=np.float32)


def _weights(part: Looker, *args: Any, **options: Any) -> Tensor:
    """Return the weights of one call of an attention layer."""
    if not isinstance(part, nn.MultiheadAttention):
        return part.weights(*args, **options)
    named = inspect.signature(part.forward).bind(*args, **options).arguments
    weights: Tensor = part(**{**named, "need_weights": True, "average_attn_weights": False})[1]
    return weights


def _follow(cells: nn.RNNBase, inputs: Tensor | PackedSequence, start: Any = None) -> dict[tuple[int, str], Weights]:
    """Return what every layer and direction of a stack did with its inputs, each value (B, H, L)."""
    lengths: Tensor | None = None
    if isinstance(inputs, PackedSequence):
        padded, lengths = pad_packed_sequence(inputs, batch_first=True)
        x, lengths = padded.transpose(1, 2), lengths.to(padded.device)  # (B, C, L)
    else:
        alone = inputs.unsqueeze(0 if cells.batch_first else 1) if inputs.ndim == 2 else inputs
        x = alone.permute(0, 2, 1) if cells.batch_first else alone.permute(1, 2, 0)
    found: dict[tuple[int, str], Weights] = {}
    directions = ("forward", "backward") if cells.bidirectional else ("forward",)
    for number in range(cells.num_layers):
        for side, direction in enumerate(directions):
            turned = flip_positions(x, lengths) if side else x
            values = _steps(cells, turned, start=_start(start, number * len(directions) + side), name=f"l{number}{'_reverse' * side}")
            if side:
                values = {key: flip_positions(value, lengths) for key, value in values.items()}
            found[number, direction] = {key: mask_positions(value, lengths, float("nan")) for key, value in values.items()}
        x = torch.cat([found[number, direction]["hidden"] for direction in directions], dim=1).nan_to_num(0.0)
    return found


def _start(start: Any, index: int) -> list[Tensor] | None:
    """Return the first states (B, H) of one layer and direction from what torch's layers take, or nothing."""
    if start is None:
        return None
    states = start if isinstance(start, tuple) else (start,)
    return [state[index] if state.ndim == 3 else state[index : index + 1] for state in states]


def _steps(cells: nn.RNNBase, x: Tensor, *, start: list[Tensor] | None, name: str) -> Weights:
    """Read x (B, C, L) from left to right with the weights of one layer and direction."""
    w_x, w_h = getattr(cells, f"weight_ih_{name}"), getattr(cells, f"weight_hh_{name}")
    b_x, b_h = (getattr(cells, f"bias_ih_{name}"), getattr(cells, f"bias_hh_{name}")) if cells.bias else (None, None)
    w_out = getattr(cells, f"weight_hr_{name}") if cells.proj_size else None
    hidden = start[0] if start else x.new_zeros(len(x), w_h.shape[1])
    memory = start[1] if start and len(start) > 1 else x.new_zeros(len(x), cells.hidden_size)
    steps: list[Weights] = []
    for from_input in linear(x.transpose(1, 2), w_x, b_x).unbind(1):  # (B, gates * H) of each position
        values = _step(cells, from_input, linear(hidden, w_h, b_h), hidden=hidden, memory=memory)
        if w_out is not None:
            values["hidden"] = linear(values["hidden"], w_out)
        hidden, memory = values["hidden"], values.get("memory", memory)
        steps.append(values)
    return {key: torch.stack(values, dim=-1) for key, values in _turned(steps).items()}


def _step(cells: nn.RNNBase, from_input: Tensor, from_state: Tensor, *, hidden: Tensor, memory: Tensor) -> Weights:
    """Return what one position does, each (B, H); the equations are those of torch's documentation."""
    if isinstance(cells, nn.LSTM):
        i, f, g, o = (from_input + from_state).chunk(4, dim=1)
        gates = {"input": i.sigmoid(), "forget": f.sigmoid(), "cell": g.tanh(), "output": o.sigmoid()}
        kept = gates["forget"] * memory + gates["input"] * gates["cell"]
        return {**gates, "memory": kept, "hidden": gates["output"] * kept.tanh()}
    if isinstance(cells, nn.GRU):
        (r_x, z_x, n_x), (r_h, z_h, n_h) = from_input.chunk(3, dim=1), from_state.chunk(3, dim=1)
        reset, update = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        new = (n_x + reset * n_h).tanh()
        return {"reset": reset, "update": update, "new": new, "hidden": (1 - update) * new + update * hidden}
    bent = torch.relu if getattr(cells, "nonlinearity", "tanh") == "relu" else torch.tanh
    return {"hidden": bent(from_input + from_state)}
