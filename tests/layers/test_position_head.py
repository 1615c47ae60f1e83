from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.layers.onehot import flip_positions
from seqdl.layers.position_head import PositionHead, at_bases


def head(**options):
    torch.manual_seed(0)
    return PositionHead(5, 2, **options).eval()


@given(length=st.integers(1, 40), stride=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_every_base_has_the_feature_of_its_stride_and_the_rest_the_last_one(length, stride):
    n = max(1, length // stride)
    found = at_bases(torch.arange(float(n)).view(1, 1, n), length, stride=stride)
    assert found[0, 0].tolist() == [float(min(base // stride, n - 1)) for base in range(length)]


@given(length=st.integers(6, 30), extra=st.integers(0, 17), stride=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_padding_takes_no_feature_from_the_sequence(length, extra, stride):
    n = max(1, length // stride)
    features = torch.rand(1, 5, n)
    wide = torch.cat([features, torch.rand(1, 5, (length + extra) // stride - n)], dim=-1)
    alone = at_bases(features, length, stride=stride)
    together = at_bases(wide, length + extra, stride=stride, lengths=torch.tensor([length]))
    assert torch.equal(together[..., :length], alone)


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("lengths", [None, torch.tensor([30, 17])])
def test_the_other_strand_is_laid_over_the_same_bases(stride, lengths):
    net = head(stride=stride, hidden=7)
    own, other = torch.rand(2, 2, 5, 30 // stride).unbind(0)
    forward = net(own, 30, lengths=lengths, other=other)
    backward = net(other, 30, lengths=lengths, other=own)
    turned = flip_positions(backward, lengths)
    inside = torch.arange(30) < (torch.tensor([30, 30]) if lengths is None else lengths).unsqueeze(1)
    torch.testing.assert_close(torch.where(inside.unsqueeze(1), turned, 0), torch.where(inside.unsqueeze(1), forward, 0))


def test_one_strand_with_itself_turned_round_is_itself():
    net = head(hidden=0)
    own = torch.rand(3, 5, 12)
    torch.testing.assert_close(net(own, 12, other=own.flip(-1)), net(own, 12))


@pytest.mark.parametrize(("hidden", "layers"), [(0, 1), (6, 2)])
def test_the_further_layer_can_be_left_out(hidden, layers):
    assert sum(isinstance(part, torch.nn.Conv1d) for part in head(hidden=hidden).modules()) == layers


def test_the_score_of_a_base_depends_on_its_own_features_alone():
    net, features = head(hidden=6), torch.rand(1, 5, 9)
    changed = features.clone()
    changed[..., 4] += 1
    different = (net(features, 9) - net(changed, 9)).abs().sum((0, 1)) > 1e-6
    assert different.nonzero().flatten().tolist() == [4]
