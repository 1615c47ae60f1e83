"""A convolution, and a GRU that reads along it."""

from __future__ import annotations

from seqdl.layers.recurrent import RecurrentEncoder
from seqdl.registry import MODELS


@MODELS.register("gru")
class GRU(RecurrentEncoder):
    """A gated recurrent unit [1]_ behind a convolution: an LSTM with two gates instead of three, and no memory beside its state.

    A quarter fewer weights than an LSTM of as many units; on a processor torch's LSTM is the faster of the two.

    Parameters
    ----------
    in_channels : int, default 4
        Bases, and whatever signals follow them.
    filters : int, default 64
        Filters of the convolution in front; 0 leaves it out, and the bases themselves are read.
    width : int, default 9
        Their width (bp), odd unless the network is causal.
    hidden : int, default 64
        Units of a layer, in either direction.
    layers : int, default 1
    bidirectional : bool, default True
        Read from both ends. Else nothing sees what follows it, the convolution included, as language models ask for.
    dropout : float, default 0.1
        Behind the convolution, and between layers.

    References
    ----------
    .. [1] Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine translation, EMNLP
       (2014).

    Examples
    --------
    >>> import torch
    >>> GRU(hidden=32)(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 64, 50])
    """

    cell = "gru"
