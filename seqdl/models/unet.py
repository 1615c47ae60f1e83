"""U-Net in one dimension."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.conv import LOCAL_POOLINGS, ConvBlock, LocalPooling, Stack, Style
from seqdl.layers.norm import Norm
from seqdl.layers.onehot import mask_positions
from seqdl.registry import MODELS


@MODELS.register("unet")
class UNet(nn.Module):
    """Down to few positions and up to every base again, with short cuts between the two, after U-Net.

    As in [1]_ each level holds two convolutions; on the way down positions are halved and filters doubled, on the way
    up the reverse, and what the level saw on the way down is put beside it. Filters lie along the sequence and the
    first is as wide as a motif. The paper pads nothing and loses the margin; here the sequence is filled up to a
    multiple of pool ** depth, and what was filled up is silent and cut off at the end, so that any length is taken.

    Parameters
    ----------
    in_channels : int, default 4
    filters : int, default 32
        Of the first level; doubled from one level to the next.
    depth : int, default 3
        How often positions are pooled; 4 in the paper.
    pool : int, default 2
        Neighbouring positions that become one from a level to the next; 3 keeps the reading frame of codons.
    first_width : int, default 15
        Width of the first convolution (bp), odd.
    width : int, default 3
        Width of the others, odd.
    activation, first_activation : str, default "relu"
        Of the layers above the first, and of the first; "exp" sharpens its motifs.
    norm : {"batch", "layer", "group", "none"}, default "batch"
    pooling : {"max", "mean"}, default "max"
        On the way down.
    dropout : float, in [0, 1), default 0
        Behind every convolution but the first.

    References
    ----------
    .. [1] Ronneberger, Fischer & Brox, U-Net: convolutional networks for biomedical image segmentation, MICCAI (2015).

    Examples
    --------
    >>> import torch
    >>> UNet()(torch.zeros(2, 4, 61)).shape
    torch.Size([2, 32, 61])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: int = 32,
        depth: int = 3,
        pool: int = 2,
        first_width: int = 15,
        width: int = 3,
        activation: str = "relu",
        first_activation: str = "relu",
        norm: Norm = "batch",
        pooling: LocalPooling = "max",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise InputError(f"the depth is {depth}: 1 or more was expected. Without any level below the first, use vgg or cnn.")
        if pool < 2:
            raise InputError(f"the pooling is {pool}: 2 or more positions that become one were expected. Use 2, or 3 for codons.")
        style = Style(activation=activation, first_activation=first_activation, norm=norm, pooling=pooling, dropout=dropout)
        sizes = [filters * 2**level for level in range(depth + 1)]
        first = Stack([ConvBlock(in_channels, filters, first_width, style=style.first), ConvBlock(filters, filters, width, style=style)])
        below = [_two(n, 2 * n, width, style=style) for n in sizes[:-1]]
        self.down = nn.ModuleList([first, *below])
        self.pool = LOCAL_POOLINGS[pooling](pool)
        self.outside = float("-inf") if pooling == "max" else 0.0
        self.stretch = nn.ModuleList(nn.ConvTranspose1d(2 * n, n, pool, stride=pool) for n in reversed(sizes[:-1]))
        self.up = nn.ModuleList(_two(2 * n, n, width, style=style) for n in reversed(sizes[:-1]))
        self.channels, self.stride, self.pooled, self.depth = filters, 1, pool, depth

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, C, L) for one-hot (B, 4, L)."""
        n = x.shape[-1]
        missing = -n % self.pooled**self.depth
        if missing:
            x = nn.functional.pad(x, (0, missing))
            lengths = torch.full((len(x),), n, device=x.device) if lengths is None else lengths
        seen: list[tuple[Tensor, Tensor | None]] = []
        for level in self.down:
            if seen:
                x = self.pool(mask_positions(x, lengths, self.outside))
                lengths = None if lengths is None else -(-lengths // self.pooled)  # positions that are filled in part count
            x = mask_positions(level(x, lengths), lengths)
            seen.append((x, lengths))
        seen.pop()
        for stretch, level in zip(self.stretch, self.up, strict=True):
            beside, lengths = seen.pop()
            x = level(torch.cat([stretch(x), beside], dim=1), lengths)
        return x[..., :n] if missing else x


def _two(in_channels: int, out_channels: int, width: int, *, style: Style) -> Stack:
    """Return the two convolutions of a level."""
    return Stack([ConvBlock(in_channels, out_channels, width, style=style), ConvBlock(out_channels, out_channels, width, style=style)])
