from __future__ import annotations

import pytest
import torch

from seqdl.errors import UnknownNameError
from seqdl.layers.norm import NORMS, norm


def drawn(name: str, channels: int) -> torch.nn.Module:
    """Return a normalisation with weights of its own."""
    torch.manual_seed(0)
    made = norm(name, channels)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    return made


def test_layer_is_that_of_torch_over_the_channels_of_each_position():
    ours = drawn("layer", 6)
    x = torch.randn(3, 6, 11)
    for position in range(11):
        expected = torch.nn.functional.layer_norm(x[:, :, position], (6,), ours.weight, ours.bias)
        torch.testing.assert_close(ours(x)[:, :, position], expected)


@pytest.mark.parametrize(("channels", "groups"), [(96, 8), (120, 8), (12, 4), (7, 1)])
def test_group_is_that_of_torch_with_as_many_groups_as_divide_the_channels(channels, groups):
    ours = drawn("group", channels)
    x = torch.randn(3, channels, 11)
    torch.testing.assert_close(ours(x), torch.nn.functional.group_norm(x, groups, ours.weight, ours.bias))


def test_group_does_not_count_what_lies_beyond_the_length():
    ours = drawn("group", 12)
    x = torch.randn(3, 12, 20) * 3 + 5
    for row, n in enumerate((20, 7, 1)):
        garbage = x.clone()
        garbage[row, :, n:] = 1e3
        torch.testing.assert_close(ours(garbage, torch.tensor([20, 7, 1]))[row, :, :n], ours(x[row : row + 1, :, :n])[0])


@pytest.mark.parametrize("name", sorted(NORMS))
def test_every_normalisation_keeps_the_shape(name):
    assert norm(name, 12)(torch.randn(3, 12, 5)).shape == (3, 12, 5)


def test_a_mistyped_normalisation_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"no normalisation named 'bach'\. Did you mean 'batch'\?"):
        norm("bach", 3)
