"""AlexNet in one dimension."""

from __future__ import annotations

from seqdl.layers.conv import LocalPooling, Padding, StackEncoder, Style, conv_stack
from seqdl.layers.norm import Norm
from seqdl.registry import MODELS


@MODELS.register("alexnet")
class AlexNet(StackEncoder):
    """Five convolutions, three of them with max pooling, after AlexNet.

    AlexNet [1]_ reads images of 224 x 224; here every filter or pooling is one along the sequence and half as many
    filters do. The stride of its first layer is a pooling, so that no base is skipped; poolings do not overlap; batch
    normalisation takes the place of its response normalisation. Its two wide dense layers with dropout .5 are the
    task's (``--task.hidden``, ``--task.dropout``).

    Parameters
    ----------
    in_channels : int, default 4
    filters : tuple of int, default (96, 128, 192, 192, 128)
        Filters of each convolution; 96, 256, 384, 384 and 256 in the paper.
    widths : tuple of int, default (11, 5, 3, 3, 3)
        Their widths, odd; the paper's.
    pools : tuple of int, default (4, 2, 1, 1, 2)
        Width of the pooling behind each.
    stride : int, default 1
        Every how many bases the first filters are scored; 4 in the paper.
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
    .. [1] Krizhevsky, Sutskever & Hinton, ImageNet classification with deep convolutional neural networks, NeurIPS
       (2012).

    Examples
    --------
    >>> import torch
    >>> AlexNet()(torch.zeros(2, 4, 200)).shape
    torch.Size([2, 128, 12])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: tuple[int, ...] = (96, 128, 192, 192, 128),
        widths: tuple[int, ...] = (11, 5, 3, 3, 3),
        pools: tuple[int, ...] = (4, 2, 1, 1, 2),
        stride: int = 1,
        activation: str = "relu",
        first_activation: str = "relu",
        norm: Norm = "batch",
        pooling: LocalPooling = "max",
        padding: Padding = "same",
        dropout: float = 0.0,
    ) -> None:
        style = Style(activation=activation, first_activation=first_activation, norm=norm, pooling=pooling, padding=padding, dropout=dropout)
        super().__init__(conv_stack(in_channels, filters, widths, pools=pools, style=style, stride=stride))
