"""Inception in one dimension."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.conv import LOCAL_POOLINGS, ConvBlock, LocalPooling, Stack, StackEncoder, Style
from seqdl.layers.norm import Norm
from seqdl.layers.onehot import mask_positions
from seqdl.registry import MODELS


class Inception(nn.Module):
    """One module: convolutions of several widths, one of width 1 and a pooling, side by side.

    Parameters
    ----------
    in_channels : int
    filters : int
        Of each branch.
    widths : tuple of int
        Of the wide branches, odd.
    style : Style
    pool : int
        Width of the pooling that ends the module; 1 leaves it out.
    """

    def __init__(self, in_channels: int, filters: int, widths: tuple[int, ...], *, style: Style, pool: int) -> None:
        super().__init__()
        self.point = ConvBlock(in_channels, filters, 1, style=style)
        self.wide = nn.ModuleList(
            Stack([ConvBlock(in_channels, filters, 1, style=style), ConvBlock(filters, filters, width, style=style)]) for width in widths
        )
        self.around = LOCAL_POOLINGS[style.pooling](3, stride=1, padding=1)
        self.behind = ConvBlock(in_channels, filters, 1, style=style)
        self.pool = LOCAL_POOLINGS[style.pooling](pool) if pool > 1 else nn.Identity()
        self.outside = float("-inf") if style.pooling == "max" else 0.0  # what torch's pooling takes to stand beyond the end
        self.channels, self.stride = filters * (2 + len(widths)), pool

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return (B, C, L // stride) for (B, in_channels, L)."""
        around = mask_positions(self.around(mask_positions(x, lengths, self.outside)), lengths)
        branches = [self.point(x, lengths), *(branch(x, lengths) for branch in self.wide), self.behind(around, lengths)]
        pooled: Tensor = self.pool(torch.cat(branches, dim=1))
        return pooled


@MODELS.register("inception")
class InceptionNet(StackEncoder):
    """Modules that look with several widths at once, after GoogLeNet.

    As in [1]_ each module joins four kinds of branches: a convolution of width 1, wider ones behind one of width 1
    that narrows the channels, and a pooling of three positions. The filters lie along the sequence and are wider than
    3 and 5, one convolution as wide as a motif stands before the modules, and there are three modules for nine.

    Parameters
    ----------
    in_channels : int, default 4
    first_filters : int, default 64
        Of the first convolution.
    first_width : int, default 15
        Its width (bp), odd.
    filters : int, default 32
        Of each branch of a module.
    widths : tuple of int, default (3, 7, 15)
        Of the wide branches, odd.
    layers : int, default 3
        Modules.
    pool : int, default 2
        Width of the pooling behind the first convolution, and behind each module but the last.
    stride : int, default 1
        Every how many bases the first filters are scored.
    activation, first_activation : str, default "relu"
        Of the modules, and of the first convolution; "exp" sharpens its motifs.
    norm : {"batch", "layer", "group", "none"}, default "batch"
    pooling : {"max", "mean"}, default "max"
        Of neighbouring positions, in the modules and between them.
    dropout : float, in [0, 1), default 0
        Behind every convolution but the first.

    References
    ----------
    .. [1] Szegedy et al., Going deeper with convolutions, CVPR (2015).

    Examples
    --------
    >>> import torch
    >>> InceptionNet()(torch.zeros(2, 4, 200)).shape
    torch.Size([2, 160, 25])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        first_filters: int = 64,
        first_width: int = 15,
        filters: int = 32,
        widths: tuple[int, ...] = (3, 7, 15),
        layers: int = 3,
        pool: int = 2,
        stride: int = 1,
        activation: str = "relu",
        first_activation: str = "relu",
        norm: Norm = "batch",
        pooling: LocalPooling = "max",
        dropout: float = 0.0,
    ) -> None:
        if layers < 1 or not widths:
            raise InputError(f"{layers} modules with wide branches of {list(widths)} bases: 1 module and 1 branch or more were expected.")
        style = Style(activation=activation, first_activation=first_activation, norm=norm, pooling=pooling, dropout=dropout)
        blocks = Stack([ConvBlock(in_channels, first_filters, first_width, style=style.first, pool=pool, stride=stride)])
        channels = first_filters
        for layer in range(layers):
            module = Inception(channels, filters, widths, style=style, pool=1 if layer == layers - 1 else pool)
            blocks.append(module)
            channels = module.channels
        super().__init__(blocks)
