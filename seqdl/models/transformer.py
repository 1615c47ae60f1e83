"""A convolution and self-attention: every position looks at every other."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.attention import AttentionBlock
from seqdl.layers.onehot import lengths_of_features, mask_positions
from seqdl.layers.recurrent import Front
from seqdl.registry import MODELS


@MODELS.register("transformer")
class Transformer(nn.Module):
    """A convolution that sees motifs, and self-attention that relates them over any distance.

    The encoder of the transformer [1]_, normalised before each layer [2]_, over the scores of a convolution; positions enter
    as rotary embeddings. Attention costs by the square of the positions, and `pool` makes fewer: at 200 bp a pooling of 4
    makes a training step three and a half times cheaper.

    Parameters
    ----------
    in_channels : int, default 4
        Bases, and whatever signals follow them.
    filters : int, default 64
        Filters of the convolution, and channels of everything behind it.
    width : int, default 9
        Width of the convolution (bp), odd unless it is causal.
    pool : int, default 1
        Width of the max pooling behind the convolution; 1 leaves it out.
    heads : int, default 4
        Heads of each layer; they share the channels out.
    layers : int, default 2
        Layers of attention.
    dropout : float, in [0, 1), default 0.1
    causal : bool, default False
        See what stands before a position alone, as a language model does.

    References
    ----------
    .. [1] Vaswani et al., Attention is all you need, NeurIPS (2017).
    .. [2] Xiong et al., On layer normalization in the transformer architecture, ICML (2020).

    Examples
    --------
    >>> import torch
    >>> Transformer(pool=4)(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 64, 12])
    """

    readout = "attention"

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: int = 64,
        width: int = 9,
        pool: int = 1,
        heads: int = 4,
        layers: int = 2,
        dropout: float = 0.1,
        causal: bool = False,
    ) -> None:
        super().__init__()
        if causal and pool > 1:
            raise InputError(f"a causal transformer was asked for with a pooling of {pool} bp: a position for each base was expected. Use pool 1.")
        self.front = Front(in_channels, filters, width, causal=causal, dropout=dropout)
        self.pool = nn.MaxPool1d(pool) if pool > 1 else nn.Identity()
        self.blocks = nn.ModuleList(AttentionBlock(filters, heads, causal=causal, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(filters)
        self.channels, self.stride, self.causal = filters, pool, causal

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, C, L // pool) for one-hot (B, 4, L)."""
        x = self.pool(self.front(x, lengths)).transpose(1, 2)  # (B, L', C)
        lengths = lengths_of_features(lengths, self.stride, x.shape[1])
        for block in self.blocks:
            x = block(x, lengths)
        return mask_positions(self.norm(x).transpose(1, 2), lengths)
