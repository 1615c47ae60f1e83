"""Read a sequence base by base, keeping what was read before: how a language model writes."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Stepper(Protocol):
    """Takes one position (B, C) after the other, and returns the features of each (B, C')."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return the features (B, C') behind the next position (B, C)."""


class RecurrentStepper:
    """Steps through a causal convolution and recurrent layers; a step costs the same however much was read.

    Parameters
    ----------
    front : nn.Module or None
        A causal convolution with ``.conv`` and what follows it, ``.after``.
    cells : sequence of nn.RNN, nn.LSTM or nn.GRU
        Of one direction, one layer each.
    n : int
        Sequences that are read side by side.
    in_channels : int
    """

    def __init__(self, front: nn.Module | None, cells: nn.ModuleList, n: int, *, in_channels: int = 4) -> None:
        self.front, self.cells = front, cells
        width = int(front.conv.kernel_size[0]) if front is not None else 1  # type: ignore[union-attr,index]  # nn.Module types every attribute as Tensor | Module
        weight = next(cells.parameters())
        self.window = torch.zeros(n, in_channels, width, device=weight.device, dtype=weight.dtype)
        self.states: list[Any] = [None] * len(cells)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the features (B, C') behind the next position (B, C)."""
        if self.front is not None:
            self.window = torch.cat([self.window[..., 1:], x.unsqueeze(-1)], dim=-1)
            x = self.front.after(self.front.conv(self.window))[..., 0]  # type: ignore[operator]  # as above
        for number, cell in enumerate(self.cells):
            out, self.states[number] = cell(x.unsqueeze(0), self.states[number])
            x = out[0]
        return x


class RereadingStepper:
    """Reads everything again at each step: right for any causal encoder, and slow.

    Parameters
    ----------
    encoder : nn.Module
        Causal, of stride 1.
    """

    def __init__(self, encoder: nn.Module) -> None:
        self.encoder = encoder
        self.read: list[Tensor] = []

    def __call__(self, x: Tensor) -> Tensor:
        """Return the features (B, C') behind the next position (B, C)."""
        self.read.append(x)
        features: Tensor = self.encoder(torch.stack(self.read, dim=-1))
        return features[..., -1]


def stepper_of(encoder: nn.Module, n: int) -> Stepper:
    """Return what steps through a causal encoder: its own way where it has one (``.stepper(n)``), else reading everything again."""
    own = getattr(encoder, "stepper", None)
    made: Stepper = own(n) if own is not None else RereadingStepper(encoder)
    return made
