"""Convolutions over a sequence."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.activation import activation as make_activation
from seqdl.layers.onehot import mask_positions


class ConvBlock(nn.Module):
    """Convolution, batch normalisation, activation and max pooling; masked, so that padding stays silent.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Odd, so that the output lies on the input's positions.
    activation : str, default "relu"
    pool : int, default 1
        Width and stride of the max pooling; 1 leaves it out.
    norm : bool, default True
    dropout : float, in [0, 1), default 0
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int,
        *,
        activation: str = "relu",
        pool: int = 1,
        norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if width % 2 == 0:
            raise InputError(
                f"a convolution of width {width} cannot be centred on a base: an odd width was expected. Use {width - 1} or {width + 1}."
            )
        self.stride = pool
        self.conv = nn.Conv1d(in_channels, out_channels, width, padding=width // 2, bias=not norm)
        after: list[nn.Module] = [nn.BatchNorm1d(out_channels)] if norm else []
        after += [make_activation(activation), nn.Dropout(dropout)]
        self.after = nn.Sequential(*after)
        self.pool = nn.MaxPool1d(pool) if pool > 1 else nn.Identity()

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return (B, out_channels, L // pool) for (B, in_channels, L)."""
        out: Tensor = self.pool(mask_positions(self.after(self.conv(mask_positions(x, lengths))), lengths))
        return out
