"""ResNet in one dimension."""

from __future__ import annotations

from seqdl.errors import InputError
from seqdl.layers.conv import ConvBlock, LocalPooling, Stack, StackEncoder, Style
from seqdl.layers.norm import Norm
from seqdl.layers.residual import ResidualBlock
from seqdl.registry import MODELS


@MODELS.register("resnet")
class ResNet(StackEncoder):
    """Residual blocks in stages, each at half the positions of the one before, after ResNet.

    Of the networks in [1]_ this is the kind with basic blocks (two convolutions, and a way round them by a convolution
    of width 1 where channels or positions change), with filters along the sequence and three stages for four. The
    first convolution is as wide as a motif and is not strided, so that no base is skipped; a pooling follows it.

    Parameters
    ----------
    in_channels : int, default 4
    filters : tuple of int, default (64, 96, 128)
        Filters of each stage; the first convolution has as many as the first.
    layers : tuple of int, default (2, 2, 2)
        Blocks of two convolutions in each stage.
    first_width : int, default 15
        Width of the first convolution (bp), odd.
    width : int, default 3
        Width of all others but those of the way round, odd.
    pool : int, default 2
        Width of the pooling behind the first convolution.
    stride : int, default 1
        Every how many bases the first filters are scored; 2 in the paper.
    activation, first_activation : str, default "relu"
        Of the layers above the first, and of the first; "exp" sharpens its motifs.
    norm : {"batch", "layer", "group", "none"}, default "batch"
    pooling : {"max", "mean"}, default "max"
        Behind the first convolution.
    dropout : float, in [0, 1), default 0
        Between the two convolutions of a block.

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, Deep residual learning for image recognition, CVPR (2016).

    Examples
    --------
    >>> import torch
    >>> ResNet()(torch.zeros(2, 4, 200)).shape
    torch.Size([2, 128, 25])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: tuple[int, ...] = (64, 96, 128),
        layers: tuple[int, ...] = (2, 2, 2),
        first_width: int = 15,
        width: int = 3,
        pool: int = 2,
        stride: int = 1,
        activation: str = "relu",
        first_activation: str = "relu",
        norm: Norm = "batch",
        pooling: LocalPooling = "max",
        dropout: float = 0.0,
    ) -> None:
        if not len(filters) == len(layers) > 0 or min(layers) < 1:
            raise InputError(f"filters {filters} and layers {layers}: as many of either were expected, and 1 block or more in each stage.")
        style = Style(activation=activation, first_activation=first_activation, norm=norm, pooling=pooling, dropout=dropout)
        blocks = Stack([ConvBlock(in_channels, filters[0], first_width, style=style.first, pool=pool, stride=stride)])
        channels = filters[0]
        for stage, (n, count) in enumerate(zip(filters, layers, strict=True)):
            for block in range(count):
                blocks.append(ResidualBlock(channels, n, width, style=style, stride=2 if stage and not block else 1))
                channels = n
        super().__init__(blocks)
