"""Filters silenced behind the pooling, beside the whole network run again."""

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.errors import InputError
from seqdl.interpret import silence as module
from seqdl.interpret.importance import Outputs
from seqdl.interpret.silence import find_neck, silence
from seqdl.layers.pooling import AttentionPool
from seqdl.models.cnn import CNN
from seqdl.tasks.binary import Binary
from tests.interpret.conftest import TwoStrands, settle

GROUPS = [[0], [3], [1, 2, 4], [0, 1, 2, 3, 4, 5]]


class Crossed(nn.Module):
    """Goes on from one number a filter, but also past it."""

    def __init__(self):
        super().__init__()
        self.conv, self.dense = nn.Conv1d(4, 6, 5), nn.Linear(6, 1)

    def forward(self, x):
        features = self.conv(x)
        return self.dense(features.amax(2)) + features[:, :2].mean((1, 2))[:, None]


def attention():
    return nn.Sequential(nn.Conv1d(4, 6, 5), AttentionPool(6), nn.Linear(6, 1))


def binary(pooling):
    return Binary(CNN(filters=6, width=5), outputs=["a", "b"], pooling=pooling, hidden=4)


NECKED = {
    "both strands": TwoStrands,
    "maximum": lambda: binary("max"),
    "mean": lambda: binary("mean"),
    "activation and norm before the pooling": lambda: nn.Sequential(
        nn.Conv1d(4, 6, 5), nn.BatchNorm1d(6), nn.ReLU(inplace=True), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(6, 2)
    ),
}
WHOLE = {"attention": attention, "past the neck": Crossed, "flat": lambda: nn.Sequential(nn.Conv1d(4, 6, 5), nn.Flatten(), nn.LazyLinear(1))}


def made(make):
    net = make().eval()
    with torch.no_grad():
        net(torch.zeros(2, 4, 30))
    return settle(net)


def first_convolution(net):
    return next(part for part in net.modules() if isinstance(part, nn.Conv1d))


@pytest.mark.parametrize("name", [*NECKED, *WHOLE])
@torch.no_grad()
def test_the_short_way_is_taken_only_where_it_is_there_and_gives_what_the_whole_network_gives(name, draw, monkeypatch):
    net = made({**NECKED, **WHOLE}[name])
    readout, layer, x = Outputs(net, None), first_convolution(net), torch.from_numpy(draw(150, 30))
    found = silence(readout, layer, x, groups=GROUPS)
    means = module._channel_means(readout, layer, x)
    assert (find_neck(readout, layer, x[:8], means=means) is not None) == (name in NECKED)
    monkeypatch.setattr(module, "find_neck", lambda *_inputs, **_options: None)
    whole = silence(readout, layer, x, groups=GROUPS)
    assert found.without.shape == (150, len(GROUPS), found.whole.shape[1])
    np.testing.assert_allclose(found.without, whole.without, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.whole, whole.whole)
    np.testing.assert_array_equal(found.strongest, whole.strongest)


@torch.no_grad()
def test_a_filter_that_nothing_depends_on_changes_nothing_at_all(draw):
    net = settle(TwoStrands())
    net.dense[3].weight.data[:, 2] = 0
    found = silence(Outputs(net, None), net.conv, torch.from_numpy(draw(200, 30)), groups=[[2]])
    np.testing.assert_array_equal(found.without[:, 0], found.whole)


@torch.no_grad()
def test_no_group_is_no_answer(draw):
    net = settle(TwoStrands())
    assert silence(Outputs(net, None), net.conv, torch.from_numpy(draw(5, 30)), groups=[]).without.shape == (5, 0, 2)


def test_a_layer_that_is_never_called_is_refused(draw):
    with pytest.raises(InputError, match="is never called by TwoStrands"), torch.no_grad():
        silence(Outputs(settle(TwoStrands()), None), nn.Conv1d(4, 6, 5), torch.from_numpy(draw(5, 30)))
