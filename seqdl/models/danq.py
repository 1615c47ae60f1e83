"""A convolution, local pooling and an LSTM in both directions."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.layers.conv import ConvBlock, Style
from seqdl.layers.onehot import lengths_of_features
from seqdl.layers.recurrent import Recurrence
from seqdl.registry import MODELS


@MODELS.register("danq")
class DanQ(nn.Module):
    """A convolution whose filters see motifs, local max pooling, and an LSTM in both directions that reads how they follow each other.

    DanQ [1]_ with a fifth of its 320 filters and a tenth of its 320 units: it had 4 million sequences to learn from. Its
    filters have 26 bp, here 25, so that they are centred on a base.

    Parameters
    ----------
    in_channels : int, default 4
        Bases, and whatever signals follow them.
    filters : int, default 64
        Number of filters.
    width : int, default 25
        Their width (bp), odd.
    pool : int, default 13
        Width of the max pooling behind them.
    hidden : int, default 32
        Units of the LSTM, in either direction.
    layers : int, default 1
        Layers of the LSTM.
    first_activation : str, default "relu"
        Of the convolution; "exp" sharpens its motifs.
    dropout : float, in [0, 1), default 0.2
        Behind the pooling, and between layers.

    References
    ----------
    .. [1] Quang & Xie, DanQ: a hybrid convolutional and recurrent deep neural network for quantifying the function of
       DNA sequences, Nucleic Acids Research 44 (2016).

    Examples
    --------
    >>> import torch
    >>> DanQ()(torch.zeros(2, 4, 200)).shape
    torch.Size([2, 64, 15])
    """

    readout = "attention"

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: int = 64,
        width: int = 25,
        pool: int = 13,
        hidden: int = 32,
        layers: int = 1,
        first_activation: str = "relu",
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.motifs = ConvBlock(in_channels, filters, width, style=Style(activation=first_activation, norm="none"), pool=pool)
        self.drop = nn.Dropout(dropout)
        self.reader = Recurrence("lstm", filters, hidden, layers=layers, dropout=dropout)
        self.channels, self.stride, self.directions = self.reader.channels, pool, self.reader.directions

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, 2 * hidden, L // pool) for one-hot (B, 4, L)."""
        x = self.drop(self.motifs(x, lengths))
        features: Tensor = self.reader(x, lengths_of_features(lengths, self.stride, x.shape[-1]))
        return features
