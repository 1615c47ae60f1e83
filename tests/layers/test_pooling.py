from __future__ import annotations

import pytest
import torch

from seqdl.errors import UnknownNameError
from seqdl.layers.pooling import POOLINGS, pooling


@pytest.fixture(params=sorted(POOLINGS))
def pool(request):
    torch.manual_seed(0)
    return pooling(request.param, 6)


def test_padding_is_not_pooled(pool):
    x = torch.randn(3, 6, 10)
    lengths = torch.tensor([4, 10, 7])
    garbage = torch.cat([x, torch.full((3, 6, 5), 1e3)], dim=-1)
    for row, n in enumerate(lengths.tolist()):
        garbage[row, :, n:] = 1e3
        torch.testing.assert_close(pool(garbage, lengths)[row], pool(x[row : row + 1, :, :n])[0])


def test_full_lengths_give_what_no_lengths_give(pool):
    x = torch.randn(2, 6, 9)
    torch.testing.assert_close(pool(x, torch.tensor([9, 9])), pool(x))


def test_the_order_of_positions_does_not_matter(pool):
    x = torch.randn(2, 6, 9)
    torch.testing.assert_close(pool(x.flip(-1)), pool(x))


def test_maximum_and_mean_are_those_of_torch():
    x = torch.randn(2, 6, 9)
    torch.testing.assert_close(pooling("max", 6)(x), torch.nn.functional.adaptive_max_pool1d(x, 1)[..., 0])
    torch.testing.assert_close(pooling("mean", 6)(x), torch.nn.functional.adaptive_avg_pool1d(x, 1)[..., 0])


def test_an_unknown_pooling_is_refused_with_a_guess():
    with pytest.raises(UnknownNameError, match=r"no pooling named 'maxx'\. Did you mean 'max'\?"):
        pooling("maxx", 6)
