from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.activation import ACTIVATIONS
from seqdl.layers.conv import ConvBlock, Stack, Style, conv_stack, start_from_motifs
from seqdl.layers.norm import NORMS
from seqdl.layers.onehot import one_hot
from seqdl.motif.motif import Motif


@pytest.mark.parametrize("width", [2, 8])
def test_an_even_width_is_refused_with_the_widths_to_use(width):
    with pytest.raises(InputError, match=rf"width {width} .*Use {width - 1} or {width + 1}"):
        ConvBlock(4, 8, width)


@pytest.mark.parametrize("options", [{"pool": 0}, {"stride": 0}, {"dilation": 0}])
def test_a_number_below_one_is_refused(options):
    with pytest.raises(InputError, match="1 or more was expected of each"):
        ConvBlock(4, 8, 5, **options)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("pool", [1, 3])
@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("length", [15, 16, 17, 30])
def test_the_output_has_a_position_for_every_stride(padding, pool, stride, length):
    block = ConvBlock(4, 8, 5, style=Style(padding=padding), pool=pool, stride=stride)
    assert block.stride == stride * pool
    assert block(torch.zeros(2, 4, length)).shape == (2, 8, length // block.stride)


SETTINGS = [
    *({"style": Style(activation=name)} for name in sorted(ACTIVATIONS)),
    *({"style": Style(norm=name, activation="exp")} for name in sorted(NORMS)),
    *({"style": Style(pooling=kind, activation="tanh", padding=padding)} for kind, padding in itertools.product(("max", "mean"), ("same", "valid"))),
    {"stride": 3},
    {"stride": 2, "style": Style(padding="valid", norm="group")},
    {"dilation": 3},
    {"style": Style(causal=True)},
]


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_what_lies_beyond_the_length_does_not_reach_the_features(options):
    torch.manual_seed(0)
    block = ConvBlock(4, 8, 5, pool=2, **options).eval()
    x = torch.randn(2, 4, 24)
    garbage = torch.cat([x, torch.full((2, 4, 6), 7.0)], dim=-1)
    for row, n in enumerate((24, 13)):
        garbage[row, :, n:] = 7.0
        expected = block(x[row : row + 1, :, :n])
        torch.testing.assert_close(block(garbage, torch.tensor([24, 13]))[row : row + 1, :, : expected.shape[-1]], expected)


def test_a_block_is_what_torch_makes_of_its_parts():
    block = ConvBlock(4, 8, 5, style=Style(activation="gelu", norm="none", pooling="mean"), pool=3, stride=2, dilation=4).eval()
    x = torch.randn(2, 4, 60)
    scores = nn.functional.conv1d(x, block.conv.weight, block.conv.bias, stride=2, padding=8, dilation=4)
    torch.testing.assert_close(block(x), nn.functional.avg_pool1d(nn.functional.gelu(scores), 3))


def test_without_normalisation_the_convolution_has_a_bias_of_its_own():
    assert ConvBlock(4, 8, 5, style=Style(norm="none")).conv.bias is not None
    assert ConvBlock(4, 8, 5, style=Style(norm="none", bias=False)).conv.bias is None
    assert ConvBlock(4, 8, 5).conv.bias is None


# the ends --------------------------------------------------------------------------------------------


@given(length=st.integers(1, 30), width=st.sampled_from([1, 3, 7]), stride=st.integers(1, 4), padding=st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_valid_scores_only_windows_that_lie_inside(length, width, stride, padding):
    torch.manual_seed(0)
    block = ConvBlock(1, 2, width, style=Style(activation="linear", norm="none", padding="valid"), stride=stride).eval()
    if length // stride == 0:
        return
    x = torch.randn(1, 1, length)
    inner = nn.functional.conv1d(x, block.conv.weight, block.conv.bias) if length >= width else None  # window k has its middle on base k + width // 2
    expected = []
    for position in range(length // stride):
        middles = [p * stride for p in range(-(-length // stride)) if width // 2 <= p * stride <= length - 1 - width // 2]
        nearest = min(middles, key=lambda middle, at=position * stride: abs(middle - at), default=None)
        if nearest is None:
            expected = None
            break
        expected.append(inner[..., nearest - width // 2])
    padded, lengths = torch.cat([x, torch.ones(1, 1, padding)], dim=-1), torch.tensor([length])
    torch.testing.assert_close(block(padded, lengths)[..., : length // stride], block(x))
    if expected is not None:
        torch.testing.assert_close(block(x), torch.stack(expected, dim=-1))


def test_a_sequence_shorter_than_the_filter_is_scored_on_its_middle():
    block = ConvBlock(1, 1, 7, style=Style(activation="linear", norm="none", padding="valid"))
    same = ConvBlock(1, 1, 7, style=Style(activation="linear", norm="none"))
    same.load_state_dict(block.state_dict())
    x = torch.randn(1, 1, 5)
    torch.testing.assert_close(block(x), same(x)[..., 2:3].expand(1, 1, 5))


def test_a_causal_convolution_sees_itself_and_what_stands_before():
    block = ConvBlock(1, 1, 3, style=Style(activation="linear", norm="none", causal=True), dilation=2)
    seen = block(torch.zeros(1, 1, 9).index_fill_(2, torch.tensor([4]), 1.0)) - block(torch.zeros(1, 1, 9))
    assert torch.nonzero(seen.flatten()).flatten().tolist() == [4, 6, 8]


# the style, and blocks one behind the other ----------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": "bach"}, r"no normalisation named 'bach'\. Did you mean 'batch'"),
        ({"pooling": "maximum"}, r"no local pooling named 'maximum'\. Did you mean 'max'"),
        ({"padding": "valed"}, r"no padding named 'valed'\. Did you mean 'valid'"),
    ],
)
def test_a_mistyped_word_of_the_style_is_answered_with_the_nearest(options, message):
    with pytest.raises(UnknownNameError, match=message):
        Style(**options)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_a_dropout_that_is_no_share_is_refused(dropout):
    with pytest.raises(InputError, match=rf"the dropout is {dropout}: a share"):
        Style(dropout=dropout)


def test_the_first_layer_has_its_own_activation_and_no_dropout():
    first, second = conv_stack(4, (8, 8), (5, 5), pools=(1, 1), style=Style(activation="gelu", first_activation="exp", dropout=0.5))
    assert [type(layer).__name__ for layer in first.after] == ["BatchNorm1d", "Exp", "Dropout"]
    assert [type(layer).__name__ for layer in second.after] == ["BatchNorm1d", "GELU", "Dropout"]
    assert (first.after[2].p, second.after[2].p) == (0.0, 0.5)


def test_as_many_widths_and_pools_as_filters_are_expected():
    with pytest.raises(InputError, match="2 filters, 1 widths and 2 pools: one of each a layer"):
        conv_stack(4, (8, 8), (5,), pools=(1, 1))


def test_a_stack_tells_each_block_the_lengths_of_what_it_reads():
    seen = []

    class Spy(nn.Module):
        stride = 3

        def forward(self, x, lengths):
            seen.append(lengths.tolist())
            return x[..., ::3]

    assert Stack([Spy(), Spy()]).stride == 9
    Stack([Spy(), Spy()])(torch.zeros(2, 4, 27), torch.tensor([27, 10]))
    assert seen == [[27, 10], [9, 3]]


# filters from known motifs ---------------------------------------------------------------------------

RNG = np.random.default_rng(0)
KNOWN = [Motif(f"M{width}", RNG.dirichlet([0.3] * 4, size=width).T * 50) for width in (5, 8)]


def scores(motif: Motif, sequence: np.ndarray) -> np.ndarray:
    """Return the log-odds of every window of codes, added up base by base."""
    pwm = motif.pwm()
    return np.array([sum(pwm[base, i] for i, base in enumerate(sequence[s : s + motif.width])) for s in range(len(sequence) - motif.width + 1)])


@pytest.mark.parametrize("motif", KNOWN, ids=lambda motif: motif.name)
@pytest.mark.parametrize("width", [9, 12, 15])
def test_a_filter_started_from_a_motif_scores_as_its_matrix_does(motif, width):
    net = nn.Conv1d(4, 3, width)
    assert start_from_motifs(net, [motif], scale=1) == [0]
    sequence = RNG.integers(0, 4, 40)
    left = (width - motif.width) // 2
    found = net(one_hot(torch.from_numpy(sequence[None].astype(np.uint8))))[0, 0].detach().numpy()
    np.testing.assert_allclose(found, scores(motif, sequence)[left : left + len(found)], rtol=1e-4, atol=1e-4)


def test_either_strand_has_a_filter_of_its_own():
    net = nn.Sequential(nn.Conv1d(4, 6, 9), nn.ReLU())
    assert start_from_motifs(net, KNOWN, both_strands=True, scale=1) == [0, 1, 2, 3]
    forward, other = net[0].weight[2, :, :8], net[0].weight[3, :, :8]
    torch.testing.assert_close(other, forward.flip(0, 1))


def test_of_a_wide_motif_the_stretch_with_most_information_is_taken():
    certain, vague = np.eye(4)[:, [0, 1, 2, 3]] * 20, np.full((4, 6), 5.0)
    net = nn.Conv1d(4, 1, 5)
    start_from_motifs(net, [Motif("wide", np.hstack([vague, certain, vague]))], scale=1)
    best = net.weight[0].max(0)
    assert sorted(best.indices[best.values > 1].tolist()) == [0, 1, 2, 3]


def test_by_default_a_filter_keeps_the_length_of_the_one_it_replaces_and_the_others_stay():
    torch.manual_seed(0)
    net = nn.Conv1d(6, 4, 11)
    before = net.weight.detach().clone()
    start_from_motifs(net, KNOWN)
    torch.testing.assert_close(net.weight[:2].flatten(1).norm(dim=1), before[:2].flatten(1).norm(dim=1))
    torch.testing.assert_close(net.weight[2:], before[2:])
    assert net.bias[:2].eq(0).all()
    assert net.bias[2:].ne(0).all()
    assert net.weight[:2, 4:].eq(0).all()  # the signals that follow the bases


def test_more_motifs_than_filters_are_refused():
    with pytest.raises(InputError, match=r"2 motifs on two strands ask for 4 filters, and the first convolution has 3\. Give it more"):
        start_from_motifs(nn.Conv1d(4, 3, 9), KNOWN, both_strands=True)


@pytest.mark.parametrize("net", [nn.Linear(4, 3), nn.Sequential(nn.Linear(4, 8), nn.Conv1d(8, 3, 9)), nn.Conv1d(2, 3, 9)], ids=str)
def test_a_network_that_does_not_begin_with_a_convolution_over_the_bases_is_refused(net):
    with pytest.raises(InputError, match="no convolution over the bases, so motifs cannot be written"):
        start_from_motifs(net, KNOWN)
