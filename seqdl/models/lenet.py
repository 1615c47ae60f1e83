"""LeNet in one dimension."""

from __future__ import annotations

from seqdl.layers.conv import LocalPooling, Padding, StackEncoder, Style, conv_stack
from seqdl.layers.norm import Norm
from seqdl.registry import MODELS


@MODELS.register("lenet")
class LeNet(StackEncoder):
    """Three convolutions with tanh and mean pooling, after LeNet-5: the smallest of the deep ones.

    LeNet-5 [1]_ reads images of 32 x 32; here every square filter or pooling is one along the sequence, the first
    filters are as wide as a motif, there are more of them, and batch normalisation stands before each tanh. Its dense
    layer of 84 units is the task's (``--task.hidden 84``).

    Parameters
    ----------
    in_channels : int, default 4
    filters : tuple of int, default (32, 64, 120)
        Filters of each convolution; 6, 16 and 120 in the paper.
    widths : tuple of int, default (15, 7, 5)
        Their widths, odd; 5 in the paper.
    pools : tuple of int, default (2, 2, 1)
        Width of the pooling behind each.
    stride : int, default 1
        Every how many bases the first filters are scored.
    activation, first_activation : str, default "tanh"
        Of the layers above the first, and of the first.
    norm : {"batch", "layer", "group", "none"}, default "batch"
    pooling : {"max", "mean"}, default "mean"
        Of neighbouring positions.
    padding : {"same", "valid"}, default "same"
        Zeros beyond the ends, or no windows that reach there; see `seqdl.layers.conv.Style`.
    dropout : float, in [0, 1), default 0
        Behind every layer but the first.

    References
    ----------
    .. [1] LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, Proceedings of
       the IEEE 86 (1998).

    Examples
    --------
    >>> import torch
    >>> LeNet()(torch.zeros(2, 4, 200)).shape
    torch.Size([2, 120, 50])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: tuple[int, ...] = (32, 64, 120),
        widths: tuple[int, ...] = (15, 7, 5),
        pools: tuple[int, ...] = (2, 2, 1),
        stride: int = 1,
        activation: str = "tanh",
        first_activation: str = "tanh",
        norm: Norm = "batch",
        pooling: LocalPooling = "mean",
        padding: Padding = "same",
        dropout: float = 0.0,
    ) -> None:
        style = Style(activation=activation, first_activation=first_activation, norm=norm, pooling=pooling, padding=padding, dropout=dropout)
        super().__init__(conv_stack(in_channels, filters, widths, pools=pools, style=style, stride=stride))
