"""How a module is asked for one number."""

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.interpret.readout import Readout, as_tensor, batches, evaluating, reverse_complement
from seqdl.sequence.edit import reverse_complement as reverse_complement_codes
from seqdl.sequence.encode import encode, one_hot


class Named(nn.Module):
    """Two named outputs, squashed in forward."""

    outputs = ("one", "two")

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(12, 2)

    def logits(self, x):
        return self.dense(x.flatten(1))

    def forward(self, x):
        return torch.sigmoid(self.logits(x))


class OwnLayerCalledLogits(nn.Module):
    """Somebody else's network, whose last layer is called logits."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Linear(12, 1)

    def forward(self, x):
        return self.logits(x.flatten(1))


def some(n=5, length=3):
    return torch.nn.functional.one_hot(torch.arange(n * length).view(n, length) % 4, 4).transpose(1, 2).float()


def test_logits_are_read_where_there_are_any():
    net, x = Named(), some()
    assert torch.equal(Readout(net, 1)(x), net.logits(x)[:, 1])


@pytest.mark.parametrize(
    ("net", "length"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 1)), 5),
        (nn.Sequential(nn.Conv1d(4, 2, 9), nn.Flatten()), 3),
        (nn.Sequential(nn.MaxPool1d(7), nn.Flatten()), 3),
    ],
    ids=["dense", "convolution", "pooling"],
)
def test_a_length_that_the_network_cannot_read_is_said(net, length):
    with pytest.raises(ShapeError, match=f"Sequential cannot read sequences of {length} bp: .*Sequences of the length that it was made for"):
        Readout(net).predict(some(length=length))


def test_other_failures_of_a_network_are_left_as_they_are():
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("no kernel image is available")

    with pytest.raises(RuntimeError, match=r"^no kernel image is available$"):
        Readout(Broken()).predict(some())


def test_an_output_is_found_by_its_name():
    assert Readout(Named(), "two").index == 1


def test_a_layer_called_logits_is_not_taken_for_the_method():
    net, x = OwnLayerCalledLogits(), some()
    assert torch.equal(Readout(net)(x), net(x)[:, 0])


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 1, 7)])
def test_any_usual_shape_of_output_becomes_one_number_a_sequence(shape):
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, int(np.prod(shape[1:]))), nn.Unflatten(1, shape[1:]) if shape[1:] else nn.Flatten(0))
    y = net(some())
    assert torch.allclose(Readout(net)(some()), y if y.ndim == 1 else y[:, 0].reshape(5, -1).sum(1))


def test_an_unknown_output_is_named_with_a_guess():
    with pytest.raises(UnknownNameError, match=r"no output named 'tow'. Did you mean 'two'\?"):
        Readout(Named(), "tow")


def test_a_name_needs_named_outputs():
    with pytest.raises(InputError, match=r"Linear does not name its outputs. Pass its number"):
        Readout(nn.Linear(2, 1), "Reb1")


def test_an_output_out_of_range_says_how_many_there_are():
    with pytest.raises(InputError, match="output 2 was asked for, but Named has 2 outputs; expected 0 to 1"):
        Readout(Named(), 2)(some())


def test_a_module_that_returns_two_things_is_refused():
    with pytest.raises(InputError, match="with tuple; expected"):
        Readout(nn.LSTM(3, 2))(some())


def test_a_cut_gradient_is_reported():
    class Cut(nn.Module):
        def forward(self, x):
            return x.detach().sum((1, 2))

    with pytest.raises(InputError, match="carries no gradient back to the sequence"):
        Readout(Cut()).gradient(some())


@pytest.mark.parametrize(
    ("shape", "advice"),
    [((2, 10, 4), "bases are in the last place"), ((4, 10), r"pass x\[None\]"), ((3, 10), "Codes are made one-hot"), ((2, 5, 10), "Make it by")],
)
def test_a_wrong_shape_says_what_to_do(shape, advice):
    with pytest.raises(ShapeError, match=advice):
        as_tensor(np.zeros(shape))


def test_every_part_gets_its_mode_back():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout())
    net.train()
    net[1].eval()
    with evaluating(net):
        assert not any(part.training for part in net.modules())
    assert [part.training for part in net] == [True, False, True]


def test_the_other_strand_is_that_of_the_codes():
    codes = encode("ACGTTNGA")
    assert np.array_equal(reverse_complement(torch.from_numpy(one_hot(codes)[None]))[0].numpy(), one_hot(reverse_complement_codes(codes)))


def test_a_batch_size_of_zero_is_refused():
    with pytest.raises(InputError, match="batch_size is 0; expected at least 1"):
        list(batches(3, 0))
