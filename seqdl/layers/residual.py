"""Blocks with a way round them."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.layers.activation import activation as make_activation
from seqdl.layers.conv import PLAIN, ConvBlock, Style
from seqdl.layers.onehot import lengths_of_features, mask_positions


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to what went in [1]_.

    Where channels or positions change, a convolution of width 1 takes the input along; elsewhere it goes unchanged.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Of both convolutions, odd.
    style : Style
    stride : int, default 1
        Of the first convolution, and of the way round.

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, Deep residual learning for image recognition, CVPR (2016).

    Examples
    --------
    >>> import torch
    >>> ResidualBlock(8, 16, 3, stride=2)(torch.zeros(2, 8, 51)).shape
    torch.Size([2, 16, 25])
    """

    def __init__(self, in_channels: int, out_channels: int, width: int, *, style: Style = PLAIN, stride: int = 1) -> None:
        super().__init__()
        self.channels, self.stride = out_channels, stride
        self.convs = nn.ModuleList(
            [
                ConvBlock(in_channels, out_channels, width, style=style, stride=stride),
                ConvBlock(out_channels, out_channels, width, style=style.linear),
            ]
        )
        changes = in_channels != out_channels or stride > 1
        self.shortcut = ConvBlock(in_channels, out_channels, 1, style=style.linear, stride=stride) if changes else None
        self.activation = make_activation(style.activation)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return (B, out_channels, L // stride) for (B, in_channels, L)."""
        first, second = self.convs
        inner = first(x, lengths)
        shorter = lengths_of_features(lengths, self.stride, inner.shape[-1])
        around = x if self.shortcut is None else self.shortcut(x, lengths)
        return mask_positions(self.activation(around + second(inner, shorter)), shorter)


class DilatedBlock(nn.Module):
    """One dilated convolution whose result is added to what went in, as in BPNet [1]_.

    Parameters
    ----------
    channels : int
    width : int
        Taps of the filters, odd.
    dilation : int
        Positions from one tap to the next.
    style : Style

    References
    ----------
    .. [1] Avsec et al., Base-resolution models of transcription-factor binding reveal soft motif syntax, Nature
       Genetics 53 (2021).

    Examples
    --------
    >>> import torch
    >>> DilatedBlock(8, 3, 4)(torch.zeros(2, 8, 51)).shape
    torch.Size([2, 8, 51])
    """

    stride = 1

    def __init__(self, channels: int, width: int, dilation: int, *, style: Style = PLAIN) -> None:
        super().__init__()
        self.channels = channels
        self.conv = ConvBlock(channels, channels, width, style=style, dilation=dilation)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return (B, channels, L) for (B, channels, L)."""
        added: Tensor = mask_positions(x, lengths) + self.conv(x, lengths)
        return added
