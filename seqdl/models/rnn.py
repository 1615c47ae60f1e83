"""A convolution, and a plain recurrent network that reads along it."""

from __future__ import annotations

from seqdl.layers.recurrent import RecurrentEncoder
from seqdl.registry import MODELS


@MODELS.register("rnn")
class RNN(RecurrentEncoder):
    """A recurrent network without gates [1]_ behind a convolution: it forgets soon, and shows what gates are for.

    For anything but comparison take `lstm` or `gru`.

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
    .. [1] Elman, Finding structure in time, Cognitive Science 14 (1990).

    Examples
    --------
    >>> import torch
    >>> RNN(hidden=32)(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 64, 50])
    """

    cell = "rnn"
