"""One convolution that scans for motifs."""

from __future__ import annotations

from seqdl.layers.conv import ConvBlock, LocalPooling, Padding, Style
from seqdl.layers.norm import Norm
from seqdl.registry import MODELS


@MODELS.register("cnn")
class CNN(ConvBlock):
    """One convolution whose filters scan for motifs, as DeepBind's does.

    The features are the filters' scores themselves: with max pooling behind it, a monotone activation
    gives the same before the pooling or after it, and the head takes it after, where it is cheaper [1]_.

    Parameters
    ----------
    in_channels : int, default 4
        Bases, and whatever signals follow them.
    filters : int, default 64
        Number of filters F.
    width : int, default 15
        Width of a filter W (bp), odd.
    stride : int, default 1
        Every how many bases the filters are scored.
    pool : int, default 1
        Width of the pooling of neighbouring positions; 1 leaves it out.
    activation : str, default "linear"
        Activation of the scores, for tasks that read every position.
    first_activation : str, optional
        The same, by the name it has where more layers follow; it is the one that counts where both are given.
    norm : {"batch", "layer", "group", "none"}, default "none"
    pooling : {"max", "mean"}, default "max"
        Of neighbouring positions.
    padding : {"same", "valid"}, default "same"
        Zeros beyond the ends, or no windows that reach there; see `seqdl.layers.conv.Style`.
    dropout : float, in [0, 1), default 0

    References
    ----------
    .. [1] Alipanahi et al., Predicting the sequence specificities of DNA- and RNA-binding proteins by deep
       learning, Nature Biotechnology 33 (2015).

    Examples
    --------
    >>> import torch
    >>> CNN(filters=8)(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 8, 50])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: int = 64,
        width: int = 15,
        stride: int = 1,
        pool: int = 1,
        activation: str = "linear",
        first_activation: str | None = None,
        norm: Norm = "none",
        pooling: LocalPooling = "max",
        padding: Padding = "same",
        dropout: float = 0.0,
    ) -> None:
        style = Style(activation=first_activation or activation, norm=norm, pooling=pooling, padding=padding, dropout=dropout, bias=False)
        super().__init__(in_channels, filters, width, style=style, pool=pool, stride=stride)
