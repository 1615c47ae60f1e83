"""Three convolutions with local pooling."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.conv import ConvBlock
from seqdl.registry import MODELS


@MODELS.register("basset")
class Basset(nn.Module):
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
        Width of the max pooling behind each.
    activation : str, default "relu"
        Of the layers above the first.
    first_activation : str, default "relu"
        Of the first layer; "exp" sharpens its motifs.
    dropout : float, default 0.1

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
        activation: str = "relu",
        first_activation: str = "relu",
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if not len(filters) == len(widths) == len(pools) > 0:
            raise InputError(f"{len(filters)} filters, {len(widths)} widths and {len(pools)} pools: one of each a layer was expected.")
        blocks, channels, stride = [], in_channels, 1
        for layer, (n, width, pool) in enumerate(zip(filters, widths, pools, strict=True)):
            name = first_activation if layer == 0 else activation
            blocks.append(ConvBlock(channels, n, width, activation=name, pool=pool, dropout=dropout if layer else 0.0))
            channels, stride = n, stride * pool
        self.blocks, self.pools = nn.ModuleList(blocks), tuple(pools)
        self.channels, self.stride = channels, stride

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, C, L // stride) for one-hot (B, 4, L)."""
        for block, pool in zip(self.blocks, self.pools, strict=True):
            x = block(x, lengths)
            lengths = None if lengths is None else (lengths // pool).clamp(min=1)
        return x
