"""Activations by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import UnknownNameError


class Exp(nn.Module):
    """The exponential, bounded so that it cannot overflow.

    As first-layer activation it pushes filters towards whole motifs [1]_.

    References
    ----------
    .. [1] Koo & Ploenzke, Improving representations of genomic sequence motifs in convolutional networks with
       exponential activations, Nature Machine Intelligence 3 (2021).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return exp(min(x, 10)), of the shape of `x`."""
        return torch.exp(x.clamp(max=10.0))


ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "exp": Exp,
    "linear": nn.Identity,
}


def activation(name: str) -> nn.Module:
    """Return a new activation module.

    Raises
    ------
    UnknownNameError
        If there is no activation of that name.

    Examples
    --------
    >>> activation("relu")
    ReLU()
    """
    if name not in ACTIVATIONS:
        raise UnknownNameError("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()
