"""Inputs that drive a filter or an output, on networks whose optimum is known."""

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.errors import InputError, NoFiltersError, UnknownNameError
from seqdl.interpret.maximize import Ascent, maximize_input
from seqdl.interpret.readout import Readout
from seqdl.layers.pooling import GlobalMax
from seqdl.sequence.encode import decode, encode, one_hot


def linear_filter(seed=0, width=8):
    torch.manual_seed(seed)
    conv = nn.Conv1d(4, 3, width)
    conv.weight.data.normal_()
    return conv


@pytest.mark.parametrize("index", [0, 2])
def test_the_best_sequence_of_a_linear_filter_is_its_largest_weights(index):
    conv = linear_filter()
    found = maximize_input(conv, filter_index=index, n=3)
    weight = conv.weight.data[index].numpy()
    assert (found.codes == weight.argmax(0)).all()
    np.testing.assert_allclose(found.activation, weight.max(0).sum() + conv.bias.data[index].item(), rtol=1e-5)


def test_the_relaxed_sequence_of_a_linear_filter_is_the_softmax_of_its_weights_over_a_price():
    """What maximises a linear score less a price for information is a Boltzmann distribution over the bases of each position."""
    conv = linear_filter(seed=1)
    weight = conv.weight.data[0].double()
    best = weight.max(0).values
    gain = best - weight.mean(0)  # what a blank column loses
    typical = (gain**2).sum() / gain.sum()
    expected = (weight / (typical / 0.75 / 3)).softmax(0)
    found = maximize_input(conv, filter_index=0, n=2, ascent=Ascent(steps=400))
    np.testing.assert_allclose(found.ppm[0], expected.numpy(), atol=0.01)
    np.testing.assert_allclose(found.relaxed[0], (expected * weight).sum().item() + conv.bias.data[0].item(), rtol=1e-2)


class Looks(nn.Module):
    """Two outputs, each for a site of its own."""

    outputs = ("gata", "ebox")

    def __init__(self):
        super().__init__()
        self.conv, self.pool = nn.Conv1d(4, 2, 6), GlobalMax()
        for f, site in enumerate(("AGATAA", "CACGTG")):
            self.conv.weight.data[f] = torch.from_numpy(one_hot(encode(site)))
        self.conv.bias.data.fill_(-3)

    def forward(self, x):
        return self.pool(torch.relu(self.conv(x)))


@pytest.mark.parametrize(("output", "site"), [("gata", "AGATAA"), ("ebox", "CACGTG"), (1, "CACGTG")])
def test_an_output_is_driven_to_the_site_it_looks_for(output, site):
    net = Looks()
    found = maximize_input(net, 30, output=output, n=3)
    assert all(site in decode(codes) for codes in found.codes)
    np.testing.assert_allclose(found.activation, 3)
    assert site in found.motifs("m")[0].consensus


def test_what_is_said_to_be_reached_is_what_the_network_gives():
    net = Looks()
    found = maximize_input(net, 30, n=4, ascent=Ascent(steps=30))
    again = Readout(net).predict(torch.from_numpy(one_hot(found.codes)))
    np.testing.assert_allclose(found.activation, again.numpy(), rtol=1e-6)
    np.testing.assert_allclose(found.relaxed, Readout(net).predict(torch.from_numpy(found.ppm)).numpy(), rtol=1e-5)
    assert (np.diff(found.activation) <= 0).all()
    np.testing.assert_allclose(found.ppm.sum(1), 1, rtol=1e-5)


def test_no_single_substitution_makes_the_sequence_better(two_strands):
    found = maximize_input(two_strands, 12, n=2, ascent=Ascent(steps=20, flips=36))
    readout = Readout(two_strands)
    for codes, reached in zip(found.codes, found.activation, strict=True):
        mutants = np.repeat(codes[None], 48, 0)
        mutants[np.arange(48), np.repeat(np.arange(12), 4)] = np.tile(np.arange(4), 12)
        assert readout.predict(torch.from_numpy(one_hot(mutants))).max().item() <= reached + 1e-4


def test_the_seed_decides():
    net = Looks()
    first, again, other = (maximize_input(net, 40, n=1, ascent=Ascent(steps=10, seed=seed)).codes for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_a_filter_of_a_later_layer_is_driven_in_the_middle(draw):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(4, 3, 5), nn.ReLU(), nn.Conv1d(3, 2, 3)).eval()
    found = maximize_input(net, 21, layer="2", filter_index=1, n=2, ascent=Ascent(steps=60))
    with torch.no_grad():
        reached = net(torch.from_numpy(one_hot(found.codes)))[:, 1, 7]  # 15 positions, each of 7 bp
        assert reached.max() > net(torch.from_numpy(draw(200, 21)))[:, 1, 7].max()
    np.testing.assert_allclose(found.activation, reached.numpy(), rtol=1e-5)
    assert np.allclose(found.ppm[:, :, :7], 0.25, atol=0.08)  # what the position does not see stays blank, but for the noise
    assert not np.allclose(found.ppm[:, :, 7:14], 0.25, atol=0.08)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, InputError, "no length was given; an output is driven by a whole sequence"),
        ({"length": 20, "n": 0}, InputError, "n is 0; expected the number of sequences"),
        ({"filter_index": 2}, UnknownNameError, "no filter named '2'.*has 2 filters"),
        ({"filter_index": 0, "layer": "cnov"}, UnknownNameError, "no layer named 'cnov'. Did you mean 'conv'"),
        ({"filter_index": 0, "length": 5}, InputError, "length is 5 bp; a position of layer 'conv' sees 6 bp"),
        ({"length": 20, "output": "gta"}, UnknownNameError, "Did you mean 'gata'"),
    ],
)
def test_what_cannot_be_done_is_said(options, error, message):
    with pytest.raises(error, match=message):
        maximize_input(Looks(), **options)


def test_filters_of_a_network_without_convolution_are_refused():
    with pytest.raises(NoFiltersError, match="use attributions instead"):
        maximize_input(nn.Sequential(nn.Flatten(), nn.Linear(80, 1)), filter_index=0)
