"""Inputs that drive a filter or an output as far as it goes: gradient ascent from a blank sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.interpret.locate import filter_bank, find_layer, reads_bases
from seqdl.interpret.readout import Readout, batches, evaluating
from seqdl.motif.motif import Motif
from seqdl.progress import track
from seqdl.types import Codes

Driven = Callable[[Tensor], Tensor]
"""One-hot or relaxed sequences (B, 4, L) -> what is driven (B,)."""


@dataclass(frozen=True)
class Ascent:
    """How an input is driven.

    Parameters
    ----------
    steps : int, default 150
        Steps of gradient ascent to the best sequence, and as many back to what of it has to be there.
    rate : float, default 0.5
        Length of a step, in logits of the bases, where a column's gradient is as large as that of the whole sequence on average.
    sharpness : float, default 3.0
        How sure the bases of a column of average weight become: its best base is e^3 times as probable as one that makes no
        difference. The price of information follows from it.
    noise : float, default 0.1
        Standard deviation of the logits to begin with: what makes the starts differ.
    flips : int, default 64
        Single substitutions that are tried in each round in which the best discrete sequence is mended.
    rounds : int, default 50
        Such rounds, at most; it ends when no substitution helps.
    seed : int, default 0
    """

    steps: int = 150
    rate: float = 0.5
    sharpness: float = 3.0
    noise: float = 0.1
    flips: int = 64
    rounds: int = 50
    seed: int = 0


@dataclass(frozen=True)
class Maximised:
    """Inputs that were driven, the best first.

    Attributes
    ----------
    ppm : array, (n, 4, L), float32
        The relaxed sequences: a distribution over the bases at each position, the more even the less the position matters.
    codes : array, (n, L), uint8
        The best discrete sequence that was met on the way from each start.
    relaxed, activation : array, (n,), float32
        What the relaxed and the discrete sequences reach.
    """

    ppm: NDArray[np.float32]
    codes: Codes
    relaxed: NDArray[np.float32]
    activation: NDArray[np.float32]

    def motifs(self, name: str) -> list[Motif]:
        """Return the relaxed sequences as motifs ``name_1``, ``name_2`` ..., their blank flanks cut off."""
        return [Motif(f"{name}_{k}", ppm.astype(np.float64)).trim() for k, ppm in enumerate(self.ppm, start=1)]


def maximize_input(
    module: nn.Module,
    length: int | None = None,
    *,
    output: int | str = 0,
    filter_index: int | None = None,
    layer: str | None = None,
    n: int = 5,
    ascent: Ascent | None = None,
) -> Maximised:
    """Find inputs that drive an output, or a filter, as far as it goes.

    From a blank input (the four bases alike, but for a little noise) the logits of the bases climb the gradient, the input being
    their softmax [1]_. The most probable bases are read off on the way; the best of these sequences is then mended base by base. From
    there the relaxed sequence climbs on while it pays for its information, so that what does not matter goes blank again: of one
    linear filter the result is softmax(weights / price).

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L).
    length : int, optional
        Length of the sequence (bp). Filters of the first layer need none: by default the sequence is as long as they are.
    output : int or str, default 0
        Which output, by number or name.
    filter_index : int, optional
        Drive this filter of `layer` instead of an output, at the position in the middle.
    layer : str, optional
        Name of the filter's layer; by default the first convolution over the bases.
    n : int, default 5
        Number of starts.
    ascent : Ascent, optional
        How the input is driven.

    Returns
    -------
    Maximised
        As many sequences as there were starts, the best first; the same one may come up more than once.

    Raises
    ------
    InputError
        If there is no such filter, or no length is given for an output.
    UnknownNameError, NoFiltersError
        If there is no such output or layer.

    References
    ----------
    .. [1] Simonyan, Vedaldi & Zisserman, Deep inside convolutional networks, arXiv:1312.6034 (2013); of relaxed sequences: Linder & Seelig,
       Fast activation maximization for molecular sequence design, BMC Bioinformatics 22 (2021).

    Examples
    --------
    >>> from seqdl.sequence.encode import decode
    >>> net = nn.Conv1d(4, 1, 3)
    >>> for position, base in enumerate((2, 0, 3)):                # GAT
    ...     net.weight.data[0, base, position] = 2
    >>> decode(maximize_input(net, filter_index=0, n=1).codes[0])
    'GAT'
    """
    how = ascent or Ascent()
    if n < 1:
        raise InputError(f"n is {n}; expected the number of sequences to make, at least 1. Five is a good choice.")
    with evaluating(module):
        if filter_index is None:
            if length is None:
                raise InputError("no length was given; an output is driven by a whole sequence, whose length was expected. Give length=BP.")
            readout = Readout(module, output)
            driven: Driven = readout
        else:
            readout = Readout(module)
            driven, length = _of_filter(module, layer, filter_index, length=length)
        return _climb(driven, readout, length, n=n, how=how)


def _of_filter(module: nn.Module, layer: str | None, index: int, *, length: int | None) -> tuple[Driven, int]:
    """Return what gives a filter's activation in the middle of a sequence, and the length of the sequence."""
    name, found = find_layer(module, layer)
    if length is None or reads_bases(found):
        span = filter_bank(module, layer).geometry.span
        length = length or span
        if length < span:
            raise InputError(f"length is {length} bp; a position of layer '{name}' sees {span} bp. Give a length of that or more.")
    bank = filter_bank(module, layer, length=length)
    with torch.no_grad():
        positions = bank.run(Readout(module).place(torch.zeros(1, 4, length)))
    n_filters = positions.shape[1]
    if not 0 <= index < n_filters:
        raise UnknownNameError("filter", str(index), [str(f) for f in range(n_filters)], hint=f"Layer '{bank.name}' has {n_filters} filters.")
    inside = bank.geometry.inside(positions.shape[-1], length)
    if inside.start >= inside.stop:
        raise InputError(f"no position of layer '{name}' lies in {length} bp; longer sequences were expected. Give a larger length.")
    middle = (inside.start + inside.stop - 1) // 2
    return (lambda x: bank.run(x)[:, index, middle]), length


def _climb(driven: Driven, readout: Readout, length: int, *, n: int, how: Ascent) -> Maximised:
    """Climb from n starts, mend the best sequences met on the way, and relax them."""
    generator = torch.Generator().manual_seed(how.seed)
    logits = readout.place(torch.randn(n, 4, length, generator=generator) * how.noise)
    best = _hardest(logits)
    reached = _value(driven, best)
    for _ in track(range(how.steps), "climbing"):
        logits = ascended(logits, _gradient(driven, logits), rate=how.rate)
        hard = _hardest(logits)
        value = _value(driven, hard)
        better = value > reached
        best[better], reached[better] = hard[better], value[better]
    best, reached = _mend(driven, best, reached, how=how)
    ppm = _relax(driven, best, reached, how=how)
    order = reached.argsort(descending=True, stable=True)
    arrays = [values[order].float().cpu().numpy() for values in (ppm, _value(driven, ppm), reached)]
    return Maximised(arrays[0], best[order].argmax(1).to(torch.uint8).cpu().numpy(), arrays[1], arrays[2])


def ascended(logits: Tensor, gradient: Tensor, *, rate: float) -> Tensor:
    """Return logits (n, 4, L) a step up their gradient, whose length is that of the sequence as a whole: columns keep their weight."""
    size = gradient.norm(dim=1, keepdim=True).mean(2, keepdim=True)
    moved: Tensor = logits + rate * gradient / size.clamp(min=1e-12)
    return moved


def _relax(driven: Driven, best: Tensor, reached: Tensor, *, how: Ascent) -> Tensor:
    """Return distributions (n, 4, L) that reach much with little information: the maximum of what is driven less price x information."""
    n, _, length = best.shape
    blank = best[:, None].repeat(1, length, 1, 1)  # (n, L, 4, L): each column blank in its turn
    blank[:, range(length), :, range(length)] = 0.25
    gain = (reached[:, None] - _value(driven, blank.flatten(0, 1)).view(n, length)).clamp(min=0)
    typical = (gain**2).sum(1) / gain.sum(1).clamp(min=1e-12)  # the average column, each counted by its gain
    # A column that is blank has lost three quarters of what parts its best base from the others.
    price = (typical / 0.75 / how.sharpness).clamp(min=1e-12)[:, None, None]
    with torch.inference_mode(False), torch.enable_grad():
        logits = (how.sharpness * best).clone().requires_grad_(True)
        optimiser = torch.optim.Adam([logits], lr=0.1)
        for _ in track(range(how.steps), "relaxing"):
            ppm = logits.detach().softmax(1)
            # of the value through the softmax, and of the information, sum p log p, by hand: dI/dlogit = p (log p - sum p log p)
            surprise = ppm.clamp(min=1e-12).log()
            information = ppm * (surprise - (ppm * surprise).sum(1, keepdim=True))
            logits.grad = information - _gradient(driven, logits.detach()) / price
            optimiser.step()
    return logits.detach().softmax(1)


def _mend(driven: Driven, best: Tensor, reached: Tensor, *, how: Ascent) -> tuple[Tensor, Tensor]:
    """Substitute base by base, each time the one that gains most of those that the gradient speaks for, until none gains."""
    length = best.shape[-1]
    for _ in range(how.rounds):
        gradient = _gradient(driven, best, relaxed=False)
        gain = (gradient - (gradient * best).sum(1, keepdim=True)).masked_fill(best > 0.5, -torch.inf).flatten(1)  # (n, 4 L)
        flip = gain.topk(min(how.flips, 3 * length), dim=1).indices  # (n, K)
        tried = best[:, None].repeat(1, flip.shape[1], 1, 1)  # (n, K, 4, L)
        rows, place = torch.arange(flip.shape[1], device=flip.device), flip % length
        for one, bases, at in zip(tried, flip // length, place, strict=True):
            one[rows, :, at] = 0
            one[rows, bases, at] = 1
        value, which = _value(driven, tried.flatten(0, 1)).view(flip.shape).max(1)
        better = value > reached + 1e-6 * reached.abs().clamp(min=1)
        if not better.any():
            break
        best[better] = tried[better, which[better]]
        reached[better] = value[better]
    return best, reached


def _hardest(logits: Tensor) -> Tensor:
    """Return the most probable bases (n, 4, L) as one-hot."""
    return nn.functional.one_hot(logits.argmax(1), 4).transpose(1, 2).to(logits.dtype)


def _value(driven: Driven, x: Tensor) -> Tensor:
    """Return what is driven (n,), without gradient."""
    with torch.no_grad():
        return torch.cat([driven(x[rows]) for rows in batches(len(x), 256)])


def _gradient(driven: Driven, x: Tensor, *, relaxed: bool = True) -> Tensor:
    """Return the gradient (n, 4, L) with respect to logits whose softmax is driven, or to the sequences themselves."""
    without_cudnn = torch.backends.cudnn.flags(enabled=False)  # cuDNN has no backward pass of recurrent layers in evaluation mode
    with torch.inference_mode(False), torch.enable_grad(), without_cudnn:
        leaf = x.detach().clone().requires_grad_(True)
        y = driven(leaf.softmax(1) if relaxed else leaf)
        if not y.requires_grad:
            raise InputError("the output carries no gradient back to the sequence; a differentiable module was expected. Remove no_grad or detach.")
        (gradient,) = torch.autograd.grad(y.sum(), leaf, allow_unused=True)
    return torch.zeros_like(leaf) if gradient is None else gradient.detach()
