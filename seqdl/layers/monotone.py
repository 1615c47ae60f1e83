"""A map that rises: logits bent to what was observed, without a change of their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Knots = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Where the map bends: inputs (K,) and what they become (K,), both rising."""


class Monotone(nn.Module):
    """A piecewise linear map for each output, rising everywhere; beyond its knots the slope is 1.

    Parameters
    ----------
    knots : sequence of T pairs of arrays (K,)
        Inputs and outputs where the map bends, both rising strictly; K may differ between outputs.

    Examples
    --------
    >>> bend = Monotone([(np.array([0.0, 2.0]), np.array([0.0, 6.0]))])
    >>> bend(torch.tensor([[-1.0], [1.0], [3.0]]))[:, 0].tolist()
    [-1.0, 3.0, 7.0]
    >>> bend.inverse()(bend(torch.tensor([[1.5]]))).item()
    1.5
    """

    x: Tensor
    y: Tensor

    def __init__(self, knots: Sequence[Knots]) -> None:
        super().__init__()
        knots = [_distinct(x, y) for x, y in knots]
        size = max(2, *(len(x) for x, _ in knots))
        for name, side in (("x", 0), ("y", 1)):
            self.register_buffer(name, torch.stack([_filled(pair[side], size) for pair in knots]))

    def forward(self, values: Tensor) -> Tensor:
        """Return values (B, T) or (B, T, L) as the map makes them."""
        x, y = self.x.to(values), self.y.to(values)
        flat = values.transpose(0, 1).flatten(1).contiguous()  # (T, B) or (T, B * L)
        right = torch.searchsorted(x, flat.detach()).clamp(1, x.shape[1] - 1)
        left = right - 1
        x0, y0 = x.gather(1, left), y.gather(1, left)
        slope = (y.gather(1, right) - y0) / (x.gather(1, right) - x0)
        bent = y0 + slope * (flat - x0)
        bent = torch.where(flat < x[:, :1], y[:, :1] + flat - x[:, :1], bent)
        bent = torch.where(flat > x[:, -1:], y[:, -1:] + flat - x[:, -1:], bent)
        return bent.view(values.transpose(0, 1).shape).transpose(0, 1)

    def inverse(self) -> Monotone:
        """Return the map that undoes this one."""
        return Monotone([(y, x) for x, y in zip(self.x.double().cpu().numpy(), self.y.double().cpu().numpy(), strict=True)])


def _distinct(x: NDArray[np.float64], y: NDArray[np.float64]) -> Knots:
    """Return the knots whose inputs and outputs also rise as float32."""
    kept = [0]
    for k in range(1, len(x)):
        if np.float32(x[k]) > np.float32(x[kept[-1]]) and np.float32(y[k]) > np.float32(y[kept[-1]]):
            kept.append(k)
    return x[kept], y[kept]


def _filled(values: NDArray[np.float64], size: int) -> Tensor:
    """Return values (K,) with further knots of slope 1 behind them, so that every output has as many."""
    more = values[-1] + np.arange(1, size - len(values) + 1)
    return torch.from_numpy(np.concatenate([values, more])).float()
