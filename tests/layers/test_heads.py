from __future__ import annotations

import pytest
import torch

from seqdl.layers.heads import PooledHead
from seqdl.layers.pooling import POOLINGS


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@pytest.mark.parametrize("hidden", [0, 5])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_head_gives_one_number_an_output(pooling, hidden, n_outputs):
    head = PooledHead(6, n_outputs, pooling=pooling, hidden=hidden)
    assert head(torch.randn(4, 6, 11)).shape == (4, n_outputs)


def test_without_a_hidden_layer_the_head_is_linear_behind_its_activation():
    head = PooledHead(6, 1, hidden=0)
    (linear,) = [module for module in head.modules() if isinstance(module, torch.nn.Linear)]
    assert (linear.in_features, linear.out_features) == (6, 1)


def test_dropout_is_silent_when_predicting():
    torch.manual_seed(0)
    head = PooledHead(6, 1, dropout=0.5).eval()
    x = torch.randn(4, 6, 11)
    assert torch.equal(head(x), head(x))
