from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.layers.heads import PooledHead
from seqdl.layers.pooling import POOLINGS, pooling

EVERY = [*sorted(POOLINGS), "flatten"]


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


def test_a_single_position_is_pooled_to_itself(pool):
    x = torch.randn(2, 6, 1)
    torch.testing.assert_close(pool(x), x[..., 0])


@pytest.mark.parametrize("name", ["attention", "max", "mean"])
def test_the_order_of_positions_does_not_matter_where_no_place_is_read(name):
    torch.manual_seed(0)
    pool, x = pooling(name, 6), torch.randn(2, 6, 9)
    torch.testing.assert_close(pool(x[..., torch.randperm(9)]), pool(x))


def test_maximum_and_mean_are_those_of_torch():
    x = torch.randn(2, 6, 9)
    torch.testing.assert_close(pooling("max", 6)(x), torch.nn.functional.adaptive_max_pool1d(x, 1)[..., 0])
    torch.testing.assert_close(pooling("mean", 6)(x), torch.nn.functional.adaptive_avg_pool1d(x, 1)[..., 0])


@pytest.mark.parametrize("recurrent", [False, True])
def test_the_gradient_of_a_maximum_goes_to_its_place_and_is_shared_between_equals(recurrent):
    torch.manual_seed(0)
    x = torch.randn(9, 2, 6).permute(1, 2, 0) if recurrent else torch.randn(2, 6, 9)  # (B, C, L), as recurrent layers leave it or not
    x[0, 0, 7], x[0, 0, 2] = (9.0, 9.0 if recurrent else 8.0)
    ours, torchs, weights = x.clone().requires_grad_(), x.clone().requires_grad_(), torch.randn(2, 6)
    assert (ours.stride(-1) != 1) == recurrent
    (pooling("max", 6)(ours) * weights).sum().backward()
    (torchs.amax(-1) * weights).sum().backward()
    torch.testing.assert_close(ours.grad, torchs.grad, rtol=0, atol=0)


def test_a_penalty_on_gradients_passes_through_the_maximum_of_recurrent_states():
    torch.manual_seed(0)
    x = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda states: pooling("max", 3)(states.permute(1, 2, 0)) ** 2, (x,))


def test_attention_is_the_mean_under_its_weights():
    torch.manual_seed(0)
    pool, x, lengths = pooling("attention", 6), torch.randn(2, 6, 9), torch.tensor([4, 9])
    weights = pool.weights(x, lengths)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 1))
    assert not weights[0, :, 4:].any()
    torch.testing.assert_close(pool(x, lengths), (x * weights).sum(-1))


@pytest.mark.parametrize(("n", "middle"), [(1, 0.0), (2, 0.5), (5, 2.0), (60, 29.5), (61, 30.0)])
def test_the_centre_is_the_middle_of_each_row(n, middle):
    x = torch.arange(80.0).expand(2, 6, 80)
    assert pooling("centre", 6)(x[..., :n])[0].tolist() == [middle] * 6
    assert pooling("centre", 6)(x, torch.tensor([n, 80]))[:, 0].tolist() == [middle, 39.5]


@settings(max_examples=20, deadline=None)
@given(flank=st.integers(0, 6), n=st.integers(1, 9))
def test_flanks_of_one_width_leave_the_centre_where_it_is(flank, n):
    x = torch.randn(1, 2, n)
    torch.testing.assert_close(pooling("centre", 2)(nn.functional.pad(x, (flank, flank))), pooling("centre", 2)(x))


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU])
def test_ends_are_the_final_states_of_torchs_layers(cell):
    torch.manual_seed(0)
    layer, lengths = cell(4, 3, bidirectional=True), torch.tensor([4, 9, 1])
    packed, final = layer(pack_padded_sequence(torch.randn(9, 3, 4), lengths, enforce_sorted=False))
    states = pad_packed_sequence(packed)[0].permute(1, 2, 0)
    torch.testing.assert_close(pooling("ends", 6)(states, lengths), torch.cat([final[0], final[1]], dim=1))


@pytest.mark.parametrize("lengths", [None, torch.tensor([9, 4])])
def test_the_last_position_is_that_of_each_row(lengths):
    x = torch.arange(9.0).expand(2, 6, 9)
    assert pooling("last", 6)(x, lengths)[:, 0].tolist() == ([8.0, 8.0] if lengths is None else [8.0, 3.0])


@pytest.mark.parametrize("name", EVERY)
def test_two_strands_may_be_given_in_either_order(name):
    torch.manual_seed(0)
    head = PooledHead(6, 2, pooling=name, positions=9).eval()
    here, there = torch.randn(2, 4, 6, 9)
    for lengths in (None, torch.tensor([9, 4, 1, 6])):
        torch.testing.assert_close(head(here, lengths, there), head(there, lengths, here))
        assert not torch.allclose(head(here, lengths, there), head(here, lengths))


def test_ends_want_half_of_the_channels_for_each_direction():
    with pytest.raises(InputError, match=r"'ends' was asked for over 5 channels: half of them .* Use 'last'"):
        pooling("ends", 5)


def test_flatten_wants_to_be_told_the_length_and_refuses_another():
    with pytest.raises(InputError, match="pooling 'flatten' was asked for without a length"):
        pooling("flatten", 6)
    with pytest.raises(ShapeError, match="the features have 8 positions: 9 were expected"):
        pooling("flatten", 6, positions=9)(torch.zeros(2, 6, 8))


def test_an_unknown_pooling_is_refused_with_a_guess():
    with pytest.raises(UnknownNameError, match=r"no pooling named 'maxx'\. Did you mean 'max'\?"):
        pooling("maxx", 6)
