"""Dilated convolutions: every base sees far."""

from __future__ import annotations

from seqdl.errors import InputError
from seqdl.layers.conv import ConvBlock, Stack, StackEncoder, Style
from seqdl.layers.norm import Norm
from seqdl.layers.residual import DilatedBlock
from seqdl.registry import MODELS


@MODELS.register("dilated")
class Dilated(StackEncoder):
    """One wide convolution and dilated residual ones that see twice as far each, at every base, after BPNet.

    BPNet [1]_ has nine dilated layers for windows of 1 kb; six see 273 bp, which is enough for windows of 200 to 300.
    It pads nothing and reads a wider window than it predicts; here zeros are padded, so that every base keeps a
    position. Batch normalisation is added (``norm="none"`` is BPNet to the letter); the outputs are the task's.

    Parameters
    ----------
    in_channels : int, default 4
    filters : int, default 64
        Of every layer.
    first_width : int, default 21
        Width of the first convolution (bp), odd.
    width : int, default 3
        Taps of the dilated ones, odd.
    layers : int, default 6
        Dilated layers.
    dilation : int, default 2
        Bases between the taps of the first of them, twice as many in each that follows: 2, 4, 8 ...; 3 keeps the reading frame of codons.
    activation, first_activation : str, default "relu"
        Of the dilated layers, and of the first; "exp" sharpens its motifs.
    norm : {"batch", "layer", "group", "none"}, default "batch"
    dropout : float, in [0, 1), default 0
        In the dilated layers.
    causal : bool, default False
        Each base sees itself and what stands before it, as guessing the next base asks for [2]_.

    References
    ----------
    .. [1] Avsec et al., Base-resolution models of transcription-factor binding reveal soft motif syntax, Nature
       Genetics 53 (2021).
    .. [2] van den Oord et al., WaveNet: a generative model for raw audio, arXiv:1609.03499 (2016).

    Examples
    --------
    >>> import torch
    >>> Dilated()(torch.zeros(2, 4, 200)).shape
    torch.Size([2, 64, 200])
    """

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: int = 64,
        first_width: int = 21,
        width: int = 3,
        layers: int = 6,
        dilation: int = 2,
        activation: str = "relu",
        first_activation: str = "relu",
        norm: Norm = "batch",
        dropout: float = 0.0,
        causal: bool = False,
    ) -> None:
        if layers < 1:
            raise InputError(f"{layers} dilated layers: 1 or more was expected. For a single convolution use cnn.")
        if causal and norm == "group":
            raise InputError("causal with norm 'group': group normalisation lets every base see the whole sequence. Use batch or layer.")
        style = Style(activation=activation, first_activation=first_activation, norm=norm, dropout=dropout, causal=causal)
        dilated = [DilatedBlock(filters, width, dilation * 2**layer, style=style) for layer in range(layers)]
        super().__init__(Stack([ConvBlock(in_channels, filters, first_width, style=style.first), *dilated]))
        self.causal = causal
