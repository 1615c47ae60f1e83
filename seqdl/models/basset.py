"""Three convolutions with local pooling."""

from __future__ import annotations

from seqdl.layers.conv import LocalPooling, Padding, StackEncoder, Style, conv_stack
from seqdl.layers.norm import Norm
from seqdl.registry import MODELS


@MODELS.register("basset")
class Basset(StackEncoder):
    """Three convolutions with local max pooling, for large sets: motifs, then their combinations.

    Follows Basset [1]_ with fewer filters; global pooling by the head takes the place of the two dense layers over
    all positions, so that any length is taken.

    Parameters
    ----------
    in_channels : int, default 4
    filters : tuple of int, default (96, 96, 96)
        Filters of each convolution.
    widths : tuple of int, default (19, 11, 7)
        Their widths, odd.
    pools : tuple of int, default (3, 4, 2)
        Width of the pooling behind each.
    stride : int, default 1
        Every how many bases the first filters are scored.
    activation : str, default "relu"
        Of the layers above the first.
    first_activation : str, default "relu"
        Of the first layer; "exp" sharpens its motifs.
    norm : {"batch", "layer", "group", "none"}, default "batch"
    pooling : {"max", "mean"}, default "max"
        Of neighbouring positions.
    padding : {"same", "valid"}, default "same"
        Zeros beyond the ends, or no windows that reach there; see `seqdl.layers.conv.Style`.
    dropout : float, in [0, 1), default 0.1
        Behind every layer but the first.

    References
    ----------
    .. [1] Kelley, Snoek & Rinn, Basset: learning the regulatory code of the accessible genome with deep
       convolutional neural networks, Genome Research 26 (2016).

    Examples
    --------
    >>> import torch
    >>> Basset()(torch.zeros(2, 4, 200)).shape
    torch.Size([2, 96, 8])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: tuple[int, ...] = (96, 96, 96),
        widths: tuple[int, ...] = (19, 11, 7),
        pools: tuple[int, ...] = (3, 4, 2),
        stride: int = 1,
        activation: str = "relu",
        first_activation: str = "relu",
        norm: Norm = "batch",
        pooling: LocalPooling = "max",
        padding: Padding = "same",
        dropout: float = 0.1,
    ) -> None:
        style = Style(activation=activation, first_activation=first_activation, norm=norm, pooling=pooling, padding=padding, dropout=dropout)
        super().__init__(conv_stack(in_channels, filters, widths, pools=pools, style=style, stride=stride))
