from __future__ import annotations

import pytest
import torch

from seqdl.errors import InputError
from seqdl.layers.activation import ACTIVATIONS
from seqdl.layers.conv import ConvBlock


@pytest.mark.parametrize("width", [2, 8])
def test_an_even_width_is_refused_with_the_widths_to_use(width):
    with pytest.raises(InputError, match=rf"width {width} .*Use {width - 1} or {width + 1}"):
        ConvBlock(4, 8, width)


@pytest.mark.parametrize("pool", [1, 3])
@pytest.mark.parametrize("length", [9, 10, 11])
def test_the_output_has_a_position_for_every_stride(pool, length):
    assert ConvBlock(4, 8, 5, pool=pool)(torch.zeros(2, 4, length)).shape == (2, 8, length // pool)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_what_lies_beyond_the_length_does_not_reach_the_features(name):
    torch.manual_seed(0)
    block = ConvBlock(4, 8, 5, activation=name, pool=2).eval()
    x = torch.randn(1, 4, 12)
    padded = torch.cat([x, torch.full((1, 4, 6), 7.0)], dim=-1)
    torch.testing.assert_close(block(padded, torch.tensor([12]))[..., :6], block(x))


def test_without_normalisation_the_convolution_has_a_bias_of_its_own():
    assert ConvBlock(4, 8, 5, norm=False).conv.bias is not None
    assert ConvBlock(4, 8, 5).conv.bias is None
