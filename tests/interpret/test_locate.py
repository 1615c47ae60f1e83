"""Which layer holds the filters, and which bases its positions see."""

import pytest
import torch
from torch import nn

from seqdl.errors import InputError, NoFiltersError, UnknownNameError
from seqdl.interpret.locate import Geometry, filter_bank
from seqdl.interpret.readout import reverse_complement

torch.manual_seed(0)  # of the networks below: drawn badly, a rectifier may hide a base

# By hand: the span grows by (width - 1) x dilation x the stride so far, the stride multiplies, the padding is weighed by the stride so far.
CHAINS = {
    "two convolutions": (nn.Sequential(nn.Conv1d(4, 3, 7), nn.ReLU(), nn.Conv1d(3, 2, 5)), "2", Geometry(11, 1, 0)),
    "pooled": (nn.Sequential(nn.Conv1d(4, 3, 7, padding=3), nn.MaxPool1d(3), nn.Conv1d(3, 2, 5, padding=2)), "2", Geometry(21, 3, 9)),
    "dilated": (nn.Sequential(nn.Conv1d(4, 3, 3, padding=1), nn.Conv1d(3, 2, 3, dilation=4, padding=4)), "1", Geometry(11, 1, 5)),
    "strided": (nn.Sequential(nn.Conv1d(4, 3, 4, stride=2), nn.GELU(), nn.Conv1d(3, 2, 3, stride=2)), "2", Geometry(8, 4, 0)),
    "activation": (nn.Sequential(nn.Conv1d(4, 3, 7, padding=3), nn.SiLU()), "1", Geometry(7, 1, 3)),
}


@pytest.mark.parametrize(("net", "layer", "expected"), CHAINS.values(), ids=CHAINS)
def test_what_a_later_layer_sees_is_what_the_sums_by_hand_give(net, layer, expected):
    assert filter_bank(net.eval(), layer, length=60).geometry == expected


@pytest.mark.parametrize(("net", "layer", "expected"), CHAINS.values(), ids=CHAINS)
def test_bases_outside_of_the_span_do_not_matter_to_a_position(net, layer, expected, draw):
    bank = filter_bank(net.eval(), layer, length=60)
    x, other = torch.from_numpy(draw(3, 60)), torch.from_numpy(draw(3, 60, seed=1))
    at = 6
    start = int(bank.geometry.starts(at + 1)[at])
    other[:, :, start : start + expected.span] = x[:, :, start : start + expected.span]
    with torch.no_grad():
        torch.testing.assert_close(bank.run(x)[:, :, at], bank.run(other)[:, :, at])
        assert not torch.allclose(bank.run(x)[:, :, at - 1], bank.run(other)[:, :, at - 1])


def test_only_the_first_call_of_a_layer_that_reads_both_strands_is_taken(draw):
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv1d(4, 3, 5), nn.ReLU(), nn.Conv1d(3, 2, 3))

        def forward(self, x):
            return torch.maximum(self.body(x).amax(2), self.body(reverse_complement(x)).amax(2))

    net, x = Both().eval(), torch.from_numpy(draw(2, 30))
    with torch.no_grad():
        torch.testing.assert_close(filter_bank(net, "body.2", length=30).run(x), net.body(x))


@pytest.mark.parametrize(
    ("net", "layer"),
    [
        (nn.Sequential(nn.Conv1d(4, 3, 5), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(3, 1)), "1"),
        (nn.Sequential(nn.Conv1d(4, 3, 5), nn.Conv1d(3, 3, 40)), "1"),
        (nn.Sequential(nn.Conv1d(4, 3, 5), nn.GroupNorm(1, 3)), "1"),
    ],
    ids=["pooled away", "wider than the sequence", "normalised over positions"],
)
def test_a_layer_whose_positions_see_everything_is_refused(net, layer):
    with pytest.raises(InputError, match=f"the positions of layer '{layer}' have no bases of their own in sequences of 44 bp"):
        filter_bank(net.eval(), layer, length=44)


def test_a_network_without_filters_raises_an_error_of_its_own_that_names_the_way_out():
    with pytest.raises(NoFiltersError, match=r"has no convolution over the four bases; .* use attributions instead: seqdl attribute"):
        filter_bank(nn.Sequential(nn.Flatten(), nn.Linear(80, 1)))


def test_an_unknown_layer_is_answered_with_the_convolutions_there_are():
    net = nn.ModuleDict({"first": nn.Conv1d(4, 3, 5), "relu": nn.ReLU(), "second": nn.Conv1d(3, 3, 5)})
    with pytest.raises(UnknownNameError, match=r"no layer named 'frist'. Did you mean 'first'\? Available: first, second\."):
        filter_bank(net, "frist", length=40)


def test_a_later_layer_needs_the_length_of_the_sequences():
    with pytest.raises(InputError, match="expected the length of the sequences for such a layer"):
        filter_bank(nn.Sequential(nn.Conv1d(4, 3, 5), nn.Conv1d(3, 3, 5)), "1")


@pytest.mark.parametrize("between", [[], [nn.ReLU()]], ids=["right behind", "behind an activation"])
def test_a_norm_is_taken_with_the_convolution_only_where_it_stands_right_behind(between):
    net = nn.Sequential(nn.Conv1d(4, 3, 5), *between, nn.BatchNorm1d(3), nn.ReLU()).eval()
    bank = filter_bank(net, length=40)
    assert isinstance(bank.layer, nn.BatchNorm1d) == (not between)


def test_a_norm_of_the_other_strands_call_or_of_another_layer_is_not_taken():
    class Other(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.more, self.norm = nn.Conv1d(4, 3, 5), nn.Conv1d(3, 3, 5), nn.BatchNorm1d(3)

        def forward(self, x):
            return self.norm(self.more(self.conv(x)))

    assert isinstance(filter_bank(Other().eval(), length=40).layer, nn.Conv1d)
