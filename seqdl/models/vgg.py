"""VGG in one dimension."""

from __future__ import annotations

from seqdl.errors import InputError
from seqdl.layers.conv import LocalPooling, Padding, StackEncoder, Style, conv_stack
from seqdl.layers.norm import Norm
from seqdl.registry import MODELS


@MODELS.register("vgg")
class VGG(StackEncoder):
    """Stages of narrow convolutions, twice the filters at half the positions from one to the next, after VGG.

    VGG [1]_ stacks filters of 3 x 3; here they are 3 bases or positions wide, and there are three stages for its five.
    Only the first layer is as wide as a motif, so that its filters can be read as one (``first_width=3`` is VGG to the
    letter). Batch normalisation is added; the dense layers are the task's.

    Parameters
    ----------
    in_channels : int, default 4
    filters : tuple of int, default (64, 128, 256)
        Filters of the convolutions of each stage.
    layers : tuple of int, default (2, 2, 2)
        Convolutions in each stage.
    first_width : int, default 15
        Width of the first convolution (bp), odd.
    width : int, default 3
        Width of all others, odd.
    pool : int, default 2
        Width of the pooling that ends a stage.
    stride : int, default 1
        Every how many bases the first filters are scored.
    activation, first_activation : str, default "relu"
        Of the layers above the first, and of the first; "exp" sharpens its motifs.
    norm : {"batch", "layer", "group", "none"}, default "batch"
    pooling : {"max", "mean"}, default "max"
        Of neighbouring positions.
    padding : {"same", "valid"}, default "same"
        Zeros beyond the ends, or no windows that reach there; see `seqdl.layers.conv.Style`.
    dropout : float, in [0, 1), default 0
        Behind every layer but the first.

    References
    ----------
    .. [1] Simonyan & Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR (2015).

    Examples
    --------
    >>> import torch
    >>> VGG()(torch.zeros(2, 4, 200)).shape
    torch.Size([2, 256, 25])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: tuple[int, ...] = (64, 128, 256),
        layers: tuple[int, ...] = (2, 2, 2),
        first_width: int = 15,
        width: int = 3,
        pool: int = 2,
        stride: int = 1,
        activation: str = "relu",
        first_activation: str = "relu",
        norm: Norm = "batch",
        pooling: LocalPooling = "max",
        padding: Padding = "same",
        dropout: float = 0.0,
    ) -> None:
        if not len(filters) == len(layers) > 0 or min(layers) < 1:
            raise InputError(f"filters {filters} and layers {layers}: as many of either were expected, and 1 layer or more in each stage.")
        style = Style(activation=activation, first_activation=first_activation, norm=norm, pooling=pooling, padding=padding, dropout=dropout)
        each = [n for n, count in zip(filters, layers, strict=True) for _ in range(count)]
        pools = [pool if last else 1 for count in layers for last in [False] * (count - 1) + [True]]
        super().__init__(conv_stack(in_channels, each, [first_width, *[width] * (len(each) - 1)], pools=pools, style=style, stride=stride))
