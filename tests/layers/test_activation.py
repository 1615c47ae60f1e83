from __future__ import annotations

import pytest
import torch

from seqdl.errors import UnknownNameError
from seqdl.layers.activation import ACTIVATIONS, Exp, activation


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_keeps_the_shape_and_stays_finite(name):
    x = torch.linspace(-30, 30, 24).reshape(2, 3, 4)
    out = activation(name)(x)
    assert out.shape == x.shape
    assert torch.isfinite(out).all()


def test_each_call_makes_a_new_module():
    assert activation("relu") is not activation("relu")


def test_the_exponential_is_bounded_and_exact_below_its_bound():
    x = torch.tensor([-2.0, 0.0, 9.0, 1e9])
    torch.testing.assert_close(Exp()(x), torch.exp(torch.tensor([-2.0, 0.0, 9.0, 10.0])))


def test_a_mistyped_activation_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"no activation named 'rellu'\. Did you mean 'relu'\?"):
        activation("rellu")
