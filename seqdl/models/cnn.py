"""One convolution that scans for motifs."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.activation import activation as make_activation
from seqdl.layers.onehot import mask_positions
from seqdl.registry import MODELS


@MODELS.register("cnn")
class CNN(nn.Module):
    """One convolution whose filters scan for motifs, as DeepBind's does.

    The features are the filters' scores themselves: with max pooling behind it, a monotone activation
    gives the same before the pooling or after it, and the head takes it after, where it is cheaper.

    Parameters
    ----------
    in_channels : int, default 4
        Bases, and whatever signals follow them.
    filters : int, default 64
        Number of filters F.
    width : int, default 15
        Width of a filter W (bp), odd.
    activation : str, default "linear"
        Activation of the scores, for tasks that read every position.

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

    stride = 1

    def __init__(self, *, in_channels: int = 4, filters: int = 64, width: int = 15, activation: str = "linear") -> None:
        super().__init__()
        if width % 2 == 0:
            raise InputError(f"the filters' width is {width}: an odd number of bases was expected. Use {width - 1} or {width + 1}.")
        self.channels = filters
        self.conv = nn.Conv1d(in_channels, filters, width, padding=width // 2, bias=False)
        self.activation = make_activation(activation)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, F, L) for one-hot (B, 4, L)."""
        return mask_positions(self.activation(self.conv(mask_positions(x, lengths))), lengths)
