from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from seqdl.layers.conv import Style
from seqdl.layers.norm import NORMS
from seqdl.layers.residual import DilatedBlock, ResidualBlock

PLAIN = Style(norm="none")


def test_a_residual_block_is_what_the_paper_writes():
    block = ResidualBlock(6, 6, 3, style=PLAIN)
    first, second = (part.conv for part in block.convs)
    x = torch.randn(2, 6, 20)
    inner = F.conv1d(F.relu(F.conv1d(x, first.weight, first.bias, padding=1)), second.weight, second.bias, padding=1)
    torch.testing.assert_close(block(x), F.relu(x + inner))
    assert block.shortcut is None


@pytest.mark.parametrize(("out", "stride", "length"), [(6, 2, 20), (9, 1, 21), (9, 2, 21), (9, 3, 10)])
def test_where_channels_or_positions_change_a_convolution_of_width_one_goes_round(out, stride, length):
    block = ResidualBlock(6, out, 5, style=PLAIN, stride=stride)
    for part in block.convs:
        nn.init.zeros_(part.conv.weight)
        nn.init.zeros_(part.conv.bias)
    x = torch.randn(2, 6, length)
    around = F.conv1d(x[..., ::stride], block.shortcut.conv.weight, block.shortcut.conv.bias)[..., : length // stride]
    torch.testing.assert_close(block(x), F.relu(around))
    assert block.stride == stride


@pytest.mark.parametrize("dilation", [1, 2, 8])
def test_a_dilated_block_adds_what_it_sees_so_far_away(dilation):
    block = DilatedBlock(6, 3, dilation, style=PLAIN)
    x = torch.randn(2, 6, 30)
    conv = block.conv.conv
    torch.testing.assert_close(block(x), x + F.relu(F.conv1d(x, conv.weight, conv.bias, padding=dilation, dilation=dilation)))


@pytest.mark.parametrize("norm", sorted(NORMS))
@pytest.mark.parametrize("make", [lambda style: ResidualBlock(6, 8, 3, style=style, stride=2), lambda style: DilatedBlock(6, 3, 4, style=style)])
def test_what_lies_beyond_the_length_is_neither_seen_nor_given(make, norm):
    torch.manual_seed(0)
    block = make(Style(norm=norm, activation="sigmoid")).eval()
    x = torch.randn(2, 6, 24)
    garbage = torch.cat([x, torch.full((2, 6, 6), 7.0)], dim=-1)
    garbage[1, :, 13:] = 7.0
    out = block(garbage, torch.tensor([24, 13]))
    for row, n in enumerate((24, 13)):
        expected = block(x[row : row + 1, :, :n])[0]
        torch.testing.assert_close(out[row, :, : expected.shape[-1]], expected)
        assert out[row, :, expected.shape[-1] :].eq(0).all()
