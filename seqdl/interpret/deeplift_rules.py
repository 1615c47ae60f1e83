"""DeepLIFT's rescale rule for the parts of a network that are not linear.

Sequences and references travel interleaved through the network: sequence, reference, sequence, reference ... (so pairs
stay together also where a module stacks both strands along the batch). A nonlinear part is replaced by its secant
between the two: it gives the very values it always gives, but its gradient is the slope from the reference to the
sequence. The gradient of the whole network is then DeepLIFT's multiplier, whatever else happens in between, and a
part that is used twice needs no care.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.interpret.word_slopes import word_slopes
from seqdl.layers.activation import Exp
from seqdl.layers.monotone import Monotone
from seqdl.layers.onehot import mask_positions
from seqdl.layers.pooling import AttentionPool, GlobalMax
from seqdl.layers.words import Words, is_exact

SMALL = 1e-6
"""Below this difference of inputs the slope is taken from the derivative."""
ELEMENTWISE: tuple[type[nn.Module], ...] = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Softsign, nn.Sigmoid,
    nn.LogSigmoid, nn.Tanh, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, Exp, Monotone,
)  # fmt: skip
POOLING = (nn.MaxPool1d, nn.MaxPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d)


def rescaled(module: nn.Module, *, hypothetical: bool = False) -> dict[nn.Module, Callable[..., Any]]:
    """Return the stand-ins of every nonlinear part that has a rule.

    Rules exist for the activations of torch and our own, max pooling (`MaxPool1d`, `MaxPool2d`, their adaptive kin) and
    `GlobalMax`, softmax, `AttentionPool` and `Words`. What else bends (recurrent layers, functional calls) keeps its gradient, and the
    contributions then do not add up exactly.

    Parameters
    ----------
    module : nn.Module
        The network.
    hypothetical : bool, default False
        Whether the slope towards bases that stand neither in the sequence nor in its reference is asked for.
    """
    forwards: dict[nn.Module, Callable[..., Any]] = {}
    for part in module.modules():
        if isinstance(part, ELEMENTWISE):
            forwards[part] = _elementwise(part.forward)
        elif isinstance(part, GlobalMax):
            forwards[part] = _global_max
        elif isinstance(part, POOLING) and not part.return_indices:
            forwards[part] = _max_pool(part)
        elif isinstance(part, nn.Softmax) and part.dim is not None:
            forwards[part] = functools.partial(_softmax, dim=part.dim)
        elif isinstance(part, AttentionPool):
            forwards[part] = _attention(part)
        elif isinstance(part, Words):
            forwards[part] = _words(copy.copy(part), hypothetical=hypothetical)
    return forwards


def pair(first: Tensor, second: Tensor) -> Tensor:
    """Interleave two batches row by row."""
    return torch.stack([first, second], 1).flatten(0, 1)


def _words(words: Words, *, hypothetical: bool) -> Callable[[Tensor], Tensor]:
    """Return the secant of weights of words: the mean of the gradients on the way from the reference to the sequence.

    Towards the bases of the two it is looked up, where these are known; towards all four it is worked out at points of the way: the gradient is a
    polynomial there, and places of Gauss and Legendre make its mean exact.
    """

    def secant(x: Tensor) -> Tensor:
        value, sequence, reference = words(x.detach()).detach(), x[0::2], x[1::2].detach()
        same = torch.equal(sequence.detach().sum(1), reference.sum(1))
        if same and not hypothetical and is_exact(x.detach()):
            change = _looked_up(words, sequence, reference)
        else:
            change = _on_the_way(words, sequence, reference, degree=words.kept - 1 if same else words.kept + words.width - 1)
        return pair(value[0::2] + change - change.detach(), value[1::2])

    return secant


def _looked_up(words: Words, sequence: Tensor, reference: Tensor) -> Tensor:
    """Return what has the mean slope towards the bases that stand in the sequence and in the reference (B, 4, L)."""
    base = sequence.detach()
    change: Tensor = sequence.new_zeros(())
    for standing, slope in zip((base, reference), word_slopes(words, base, reference), strict=True):
        at_base = words.padded(sequence * standing).sum(1).unfold(-1, words.width, 1)  # (B, L, width)
        change = change + torch.einsum("bdwl,blw->bdl", slope, at_base)
    return change


def _on_the_way(words: Words, sequence: Tensor, reference: Tensor, *, degree: int) -> Tensor:
    """Return what has the mean slope towards all bases, for a gradient that is a polynomial of a degree on the way."""
    places, weights = np.polynomial.legendre.leggauss(degree // 2 + 1)
    moved, change = sequence - sequence.detach(), sequence.new_zeros(())
    for at, weight in zip((places + 1) / 2, weights / 2, strict=True):
        change = change + weight * words(torch.lerp(reference, sequence.detach(), at) + moved)
    return change


def _elementwise(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return the secant of an elementwise function."""

    def secant(x: Tensor) -> Tensor:
        with torch.no_grad():
            value = forward(x.clone())  # a clone, for functions that work in place
            here, there = x[0::2], x[1::2]
            change = here - there
        with torch.enable_grad():
            point = here.detach().clone().requires_grad_(True)
            (slope,) = torch.autograd.grad(forward(point * 1).sum(), point)
        far = change.abs() >= SMALL
        slope = torch.where(far, (value[0::2] - value[1::2]) / torch.where(far, change, 1), slope)
        return pair(_with_slope(value[0::2], slope, x[0::2]), value[1::2])

    return secant


def _with_slope(value: Tensor, slope: Tensor, x: Tensor) -> Tensor:
    """Return `value` with the gradient `slope` towards `x`."""
    return value + slope * (x - x.detach())


def _softmax(x: Tensor, dim: int) -> Tensor:
    """Return the softmax, put together of an exponential, a sum, a reciprocal and a product, each with its rule."""
    top = x.detach().amax(dim, keepdim=True)
    top = torch.maximum(top[0::2], top[1::2])  # the same for a sequence and its reference, so that it is a constant
    powers = _elementwise(torch.exp)(x.double() - pair(top, top))
    return _product(powers, _elementwise(torch.reciprocal)(powers.sum(dim, keepdim=True))).to(x.dtype)


def _product(first: Tensor, second: Tensor) -> Tensor:
    """Multiply: either factor's change counts with the mean of the other over sequence and reference, which adds up exactly."""
    value = (first * second).detach()
    change = value[0::2]
    for one, other in ((first, second), (second, first)):
        slope = (other[0::2] + other[1::2]).detach() / 2
        change = change + slope * (one[0::2] - one[0::2].detach())
    return pair(change, value[1::2])


def _attention(pool: AttentionPool) -> Callable[..., Tensor]:
    """Return an attention pooling with its rule."""

    def pooled(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        weights = _softmax(mask_positions(pool.score(x), lengths, float("-inf")), dim=-1)
        return _product(x, weights).sum(-1)

    return pooled


def _global_max(x: Tensor) -> Tensor:
    """Return the maximum over the last axis, with its rule."""
    value, index = x.detach().max(-1, keepdim=True)
    return _routed(x, value, index).squeeze(-1)


def _max_pool(pool: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a max pooling with its rule."""
    twin = copy.copy(pool)
    twin.__dict__["return_indices"] = True

    def pooled(x: Tensor) -> Tensor:
        value, index = twin(x.detach())
        return _in_space(x, value, index)

    return pooled


def _in_space(x: Tensor, value: Tensor, index: Tensor) -> Tensor:
    """Apply the rule over the axes of space flattened into one, which is how torch counts its indices."""
    n_axes = value.ndim - 2
    return _routed(x.flatten(-n_axes), value.flatten(-n_axes), index.flatten(-n_axes)).view(value.shape)


def _routed(x: Tensor, value: Tensor, index: Tensor) -> Tensor:
    """Share the change of each maximum between its place in the sequence and its place in the reference.

    A maximum that grew does so at the place it has in the sequence, one that shrank at the place it had in the
    reference; at either place the input changed in that direction and at least as much, so that the slopes are at
    most 1 and the shares add up to the change exactly.

    Parameters
    ----------
    x : Tensor, (2n, ..., L)
        Interleaved inputs.
    value, index : Tensor, (2n, ..., K)
        The maxima and where they are on the last axis of `x`.
    """
    here, there = x[0::2], x[1::2].detach()
    high, low = value[0::2], value[1::2]
    grown, shrunk = (high - low).clamp(min=0), (high - low).clamp(max=0)
    at_sequence, at_reference = index[0::2], index[1::2]
    new, old = here.gather(-1, at_sequence), here.gather(-1, at_reference)
    new_change = new.detach() - there.gather(-1, at_sequence)
    old_change = old.detach() - there.gather(-1, at_reference)
    unchanged = ((high == low) & (new_change == 0)).to(x.dtype)  # the plain gradient, where there is no change to share
    new_slope = torch.where(grown > 0, grown / torch.where(grown > 0, new_change, 1), unchanged)
    old_slope = torch.where(shrunk < 0, shrunk / torch.where(shrunk < 0, old_change, 1), 0)
    return pair(_with_slope(_with_slope(high, new_slope, new), old_slope, old), low)
