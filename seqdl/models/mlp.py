"""Dense layers over the whole window."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.activation import activation as make_activation
from seqdl.layers.window import whole_window
from seqdl.registry import MODELS

NORMS: dict[str, type[nn.BatchNorm1d] | type[nn.LayerNorm]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


@MODELS.register("mlp")
class MLP(nn.Module):
    """Dense layers over all bases of the window, a multilayer perceptron: for aligned sequences of one length.

    It knows each base by its place: a motif that may stand anywhere has to be learnt anew at every place, which
    convolutions need not do. The task puts its own dense layer behind these (``--task.hidden 0`` leaves it out).

    Parameters
    ----------
    in_channels : int, default 4
    length : int
        Bases of the window; shorter sequences are filled up with nothing, longer ones refused.
    hidden : tuple of int, default (64,)
        Units of each layer.
    activation : str, default "relu"
    norm : {"batch", "layer", "none"}, default "batch"
    dropout : float, in [0, 1), default 0.2
        Behind every layer.

    Examples
    --------
    >>> import torch
    >>> MLP(length=50, hidden=(64, 32))(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 32, 1])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        length: int,
        hidden: tuple[int, ...] = (64,),
        activation: str = "relu",
        norm: Literal["batch", "layer", "none"] = "batch",
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if not hidden or min(hidden) < 1:
            raise InputError(f"hidden layers of {list(hidden)} units: one layer or more, of one unit or more, was expected. Without any, use linear.")
        if norm not in (*NORMS, "none"):
            raise UnknownNameError("normalisation of dense layers", norm, [*NORMS, "none"])
        layers: list[nn.Module] = []
        units = in_channels * length
        for n in hidden:
            layers += [nn.Linear(units, n, bias=norm == "none"), *([] if norm == "none" else [NORMS[norm](n)])]
            layers += [make_activation(activation), nn.Dropout(dropout)]
            units = n
        self.dense = nn.Sequential(*layers)
        self.channels, self.stride = units, length

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, C, 1) for one-hot (B, 4, L)."""
        features: Tensor = self.dense(whole_window(x, self.stride, lengths).flatten(1))
        return features.unsqueeze(-1)
