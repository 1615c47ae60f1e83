"""Convolutions over a sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.activation import activation as make_activation
from seqdl.layers.norm import NORMS, GroupNorm
from seqdl.layers.norm import norm as make_norm
from seqdl.layers.onehot import lengths_of_features, mask_positions
from seqdl.motif.motif import Motif

LocalPooling: TypeAlias = Literal["max", "mean"]
Padding: TypeAlias = Literal["same", "valid"]
LOCAL_POOLINGS: dict[str, type[nn.MaxPool1d] | type[nn.AvgPool1d]] = {"max": nn.MaxPool1d, "mean": nn.AvgPool1d}
PADDINGS = ("same", "valid")


@dataclass(frozen=True, kw_only=True)
class Style:
    """What the convolutions of a network have in common.

    Parameters
    ----------
    activation : str, default "relu"
        A name of `seqdl.layers.activation`.
    first_activation : str, default "relu"
        Of the layer over the bases; "exp" sharpens its motifs.
    norm : {"batch", "layer", "group", "none"}, default "batch"
        Between convolution and activation; see `seqdl.layers.norm`.
    pooling : {"max", "mean"}, default "max"
        Where a layer pools.
    padding : {"same", "valid"}, default "same"
        What a window that leaves the sequence reads. An encoder promises L // stride positions, so there are as many in
        either case. "same": zeros. "valid": nothing; the positions at either end take the score of the nearest window that
        lies wholly inside (of a sequence shorter than the filter, of the window on its middle).
    dropout : float, in [0, 1), default 0
        Behind every layer but the first, whose motifs are wanted whole. A norm or a maximum behind it meets other values
        in training than later: a U-Net with .1 did not learn a planted motif in 300 steps (AUROC .52, without it .96).
    bias : bool, default True
        Whether convolutions without a normalisation have a bias.
    causal : bool, default False
        Whether each position sees only itself and what stands before it, and zeros before the first.

    Raises
    ------
    UnknownNameError
        If there is no normalisation, pooling or padding of that name.
    InputError
        If the dropout is no share.
    """

    activation: str = "relu"
    first_activation: str = "relu"
    norm: str = "batch"
    pooling: str = "max"
    padding: str = "same"
    dropout: float = 0.0
    bias: bool = True
    causal: bool = False

    def __post_init__(self) -> None:
        for kind, name, known in (
            ("normalisation", self.norm, NORMS),
            ("local pooling", self.pooling, LOCAL_POOLINGS),
            ("padding", self.padding, PADDINGS),
        ):
            if name not in known:
                raise UnknownNameError(kind, name, known)
        if not 0 <= self.dropout < 1:
            raise InputError(f"the dropout is {self.dropout}: a share from 0 up to, but not including, 1 was expected. Try 0.1.")

    @property
    def first(self) -> Style:
        """The style of the layer over the bases."""
        return dataclasses.replace(self, activation=self.first_activation, dropout=0.0)

    @property
    def linear(self) -> Style:
        """The same without an activation and dropout, for what is added up before it is bent."""
        return dataclasses.replace(self, activation="linear", dropout=0.0)


PLAIN = Style()


class ConvBlock(nn.Module):
    """Convolution, normalisation, activation, dropout and pooling; masked, so that padding stays silent.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Odd, so that the output lies on the input's positions.
    style : Style
    pool : int, default 1
        Width and stride of the pooling; 1 leaves it out.
    stride : int, default 1
        Of the convolution: every how many positions a filter is scored.
    dilation : int, default 1
        Positions from one tap of the filter to the next.

    Raises
    ------
    InputError
        If the width is even, or a number is below 1.

    Examples
    --------
    >>> ConvBlock(4, 8, 5, style=Style(activation="exp", norm="none"), pool=2)(torch.zeros(2, 4, 51)).shape
    torch.Size([2, 8, 25])
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int, *, style: Style = PLAIN, pool: int = 1, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        check_width(width)
        if min(out_channels, pool, stride, dilation) < 1:
            raise InputError(
                f"{out_channels} filters, a pooling of {pool}, a stride of {stride} and a dilation of {dilation}: 1 or more was expected of each."
            )
        reach = width // 2 * dilation
        self.inside = reach if style.padding == "valid" else 0
        self.conv_stride, self.stride, self.channels = stride, stride * pool, out_channels
        self.conv = nn.Conv1d(
            in_channels,
            out_channels,
            width,
            stride=stride,
            padding=2 * reach if style.causal else reach,
            dilation=dilation,
            bias=style.bias and style.norm == "none",
        )
        after = [] if style.norm == "none" else [make_norm(style.norm, out_channels)]
        after += [make_activation(style.activation), nn.Dropout(style.dropout)]
        self.after = nn.Sequential(*after)
        self.pool = LOCAL_POOLINGS[style.pooling](pool) if pool > 1 else nn.Identity()

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return (B, out_channels, L // stride) for (B, in_channels, L)."""
        n = x.shape[-1] // self.conv_stride
        scores = self.conv(mask_positions(x, lengths))
        if self.inside:
            scores = inner_scores(scores, self.inside, self.conv_stride, lengths=x.shape[-1] if lengths is None else lengths)
        x = scores if scores.shape[-1] == n else scores[..., :n]  # a stride, and padding on the left alone, leave more at the end
        lengths = lengths_of_features(lengths, self.conv_stride, n)
        for layer in self.after:
            x = layer(x, lengths) if isinstance(layer, GroupNorm) else layer(x)
        pooled: Tensor = self.pool(mask_positions(x, lengths))
        return pooled


def check_width(width: int) -> None:
    """Raise `InputError` if a convolution of that width cannot be centred on a base."""
    if width < 1 or width % 2 == 0:
        near = f"{width - 1} or {width + 1}" if width > 1 else "1 or more"
        raise InputError(f"a convolution of width {width} cannot be centred on a base: an odd width was expected. Use {near}.")


def inner_scores(scores: Tensor, reach: int, stride: int, *, lengths: Tensor | int) -> Tensor:
    """Give the positions whose window leaves the sequence the score of the nearest one whose window does not.

    Parameters
    ----------
    scores : Tensor, (B, C, P)
        Position p is that of the window around base p * stride.
    reach : int
        Bases from the middle of a window to its end.
    stride : int
    lengths : Tensor, (B,), or int
        Bases of each row, or of all.

    Returns
    -------
    Tensor, (B, C, P)

    Examples
    --------
    >>> inner_scores(torch.arange(6.0).view(1, 1, 6), 2, 1, lengths=6).flatten().tolist()
    [2.0, 2.0, 2.0, 3.0, 3.0, 3.0]
    """
    n = torch.as_tensor(lengths, device=scores.device).view(-1, 1)  # (B or 1, 1)
    middle = ((n - 1) // 2).clamp(min=0) // stride
    first, last = torch.full_like(n, -(-reach // stride)), (n - 1 - reach).div(stride, rounding_mode="floor")
    none = last < first
    position = torch.arange(scores.shape[-1], device=scores.device).unsqueeze(0)
    nearest = torch.where(none, middle, position.maximum(first).minimum(last))  # (B or 1, P)
    return scores[..., nearest[0]] if isinstance(lengths, int) else scores.gather(-1, nearest.unsqueeze(1).expand_as(scores))


class Stack(nn.ModuleList):
    """Blocks one behind the other; each is told the lengths of what it reads.

    Every block has a `.stride`; that of the stack is their product.
    """

    @property
    def stride(self) -> int:
        """Positions of the input a position of the output."""
        return prod(stride_of(block) for block in self)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return what the last block gives."""
        for block in self:
            x = block(x, lengths)
            lengths = lengths_of_features(lengths, stride_of(block), x.shape[-1])
        return x


class StackEncoder(nn.Module):
    """An encoder that is a stack of blocks and nothing else: its channels are those of the last, its stride that of all.

    Parameters
    ----------
    blocks : Stack
    """

    def __init__(self, blocks: Stack) -> None:
        super().__init__()
        self.blocks = blocks
        self.channels, self.stride = int(blocks[-1].channels), blocks.stride  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, C, L // stride) for one-hot (B, 4, L)."""
        features: Tensor = self.blocks(x, lengths)
        return features


def stride_of(block: nn.Module) -> int:
    """Return the positions of its input that a position of a block's output stands for."""
    return int(block.stride)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module


def conv_stack(
    in_channels: int, filters: Sequence[int], widths: Sequence[int], *, pools: Sequence[int], style: Style = PLAIN, stride: int = 1
) -> Stack:
    """Return plain convolutions one behind the other, the first of them over the bases.

    Parameters
    ----------
    in_channels : int
    filters, widths, pools : sequence of int
        Filters, width and pooling of each layer.
    style : Style
    stride : int, default 1
        Of the first convolution.

    Raises
    ------
    InputError
        If there are not as many filters as widths and pools.

    Examples
    --------
    >>> conv_stack(4, (8, 16), (11, 5), pools=(4, 2))(torch.zeros(2, 4, 100)).shape
    torch.Size([2, 16, 12])
    """
    if not len(filters) == len(widths) == len(pools) > 0:
        raise InputError(f"{len(filters)} filters, {len(widths)} widths and {len(pools)} pools: one of each a layer was expected.")
    blocks, channels = Stack(), in_channels
    for layer, (n, width, pool) in enumerate(zip(filters, widths, pools, strict=True)):
        first = layer == 0
        blocks.append(ConvBlock(channels, n, width, style=style.first if first else style, pool=pool, stride=stride if first else 1))
        channels = n
    return blocks


def start_from_motifs(module: nn.Module, motifs: Sequence[Motif], *, both_strands: bool = False, scale: float | None = None) -> list[int]:
    """Write the log-odds of known motifs into the first filters of a network; the other filters stay as drawn.

    A motif that is narrower than the filters is centred in them, with zeros on both sides; of a wider one the stretch
    with the most information is taken. Biases of these filters are set to zero, and so are their weights on signals
    that follow the bases.

    Parameters
    ----------
    module : nn.Module
        Its first layer with weights is a convolution over the bases.
    motifs : sequence of Motif
    both_strands : bool, default False
        Give each motif two filters, one for either strand. Where a task shares weights over the strands, one does.
    scale : float, optional
        What the log-odds (bits) are multiplied by; 1 makes a filter score as the motif's matrix does. By default they
        are shrunk until a filter is as long a vector as the one it replaces, so that training can still change it.

    Returns
    -------
    list of int
        Numbers of the filters that were written, in the order of the motifs.

    Raises
    ------
    InputError
        If the first layer is no convolution over the bases, or has fewer filters than are needed.

    Examples
    --------
    >>> import numpy as np
    >>> net = nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU())
    >>> start_from_motifs(net, [Motif("TATA", np.eye(4)[:, [3, 0, 3, 0]])], scale=1)
    [0]
    >>> net[0].weight[0].argmax(0).tolist()                          # T A T A, and a position that tells nothing
    [3, 0, 3, 0, 0]
    """
    layer = first_convolution(module)
    wanted = [one for motif in motifs for one in ((motif, motif.reverse_complement()) if both_strands else (motif,))]
    if len(wanted) > layer.out_channels:
        strands = " on two strands" if both_strands else ""
        raise InputError(
            f"{len(motifs)} motifs{strands} ask for {len(wanted)} filters, and the first convolution has {layer.out_channels}. "
            "Give it more filters, or choose fewer motifs."
        )
    with torch.no_grad():
        for number, motif in enumerate(wanted):
            pwm = _fitted(motif, layer.kernel_size[0]).to(layer.weight)
            length = layer.weight[number].norm()
            layer.weight[number] = 0
            layer.weight[number, :4] = pwm * (length / pwm.norm() if scale is None else scale)
            if layer.bias is not None:
                layer.bias[number] = 0
    return list(range(len(wanted)))


def first_convolution(module: nn.Module) -> nn.Conv1d:
    """Return the convolution over the bases, the first layer of `module` that has weights.

    Raises
    ------
    InputError
        If that layer is no such convolution.
    """
    for layer in module.modules():
        if list(layer.parameters(recurse=False)):
            if isinstance(layer, nn.Conv1d) and layer.in_channels >= 4 and layer.groups == 1:
                return layer
            break
    raise InputError(
        f"the first layer of {type(module).__name__} with weights is no convolution over the bases, so motifs cannot be written into its filters. "
        "Choose a network that begins with one, such as cnn or basset."
    )


def _fitted(motif: Motif, width: int) -> Tensor:
    """Return the log-odds of a motif (4, width): centred, or its most informative stretch."""
    pwm = torch.from_numpy(motif.pwm())
    spare = width - motif.width
    if spare >= 0:
        return nn.functional.pad(pwm, (spare // 2, spare - spare // 2))
    bits = torch.from_numpy(motif.information_per_position)
    start = int(bits.unfold(0, width, 1).sum(1).argmax())
    return pwm[:, start : start + width]
