from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.recurrent import CELLS, Front, Recurrence, rolled

ROWS = st.lists(st.integers(1, 12), min_size=1, max_size=4)


def made(cell: str, **options) -> Recurrence:
    torch.manual_seed(0)
    return Recurrence(cell, 3, 5, **options).eval()


def stacked(reader: Recurrence, cell: str) -> nn.Module:
    """Return torch's own stack of layers with the weights of ours."""
    first = reader.cells[0]
    whole = CELLS[cell](3, 5, num_layers=len(reader.cells), bidirectional=first.bidirectional)
    with torch.no_grad():
        for number, layer in enumerate(reader.cells):
            for name, weights in layer.named_parameters():
                getattr(whole, name.replace("_l0", f"_l{number}")).copy_(weights)
    return whole


def filled(n: int, channels: int, lengths: list[int], longest: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the same random rows twice, with other things in the padding."""
    x = torch.randn(n, channels, longest, generator=torch.Generator().manual_seed(1))
    other = x.clone()
    for row, length in enumerate(lengths):
        other[row, :, length:] = 50.0
    return x, other


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_states_are_those_of_torchs_own_stack(cell, layers, bidirectional):
    reader = made(cell, layers=layers, bidirectional=bidirectional)
    x = torch.randn(4, 3, 11)
    expected = stacked(reader, cell)(x.permute(2, 0, 1))[0].permute(1, 2, 0)
    torch.testing.assert_close(reader(x), expected)
    assert reader(x).shape == (4, reader.channels, 11)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_rows_of_different_lengths_have_the_states_and_gradients_of_packed_rows(cell, layers):
    reader, lengths = made(cell, layers=layers).train(), torch.tensor([4, 11, 1, 7])
    whole = stacked(reader, cell)
    ours, theirs = (torch.randn(4, 3, 11, generator=torch.Generator().manual_seed(2)).requires_grad_() for _ in range(2))
    packed = whole(pack_padded_sequence(theirs.permute(2, 0, 1), lengths, enforce_sorted=False))[0]
    expected = pad_packed_sequence(packed, total_length=11)[0].permute(1, 2, 0)
    states = reader(ours, lengths)
    torch.testing.assert_close(states, expected)
    states.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    torch.testing.assert_close(reader.cells[0].weight_hh_l0.grad, whole.weight_hh_l0.grad)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
@settings(max_examples=25, deadline=None)
@given(lengths=ROWS, padding=st.integers(0, 5), layers=st.integers(1, 2))
def test_no_padding_ever_changes_the_states_of_a_row(cell, bidirectional, lengths, padding, layers):
    reader = made(cell, layers=layers, bidirectional=bidirectional)
    longest = max(lengths) + padding
    x, other = filled(len(lengths), 3, lengths, longest)
    states = reader(other, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        torch.testing.assert_close(states[row, :, :length], reader(x[row : row + 1, :, :length])[0])
        assert not states[row, :, length:].any()


@settings(max_examples=25, deadline=None)
@given(lengths=ROWS, padding=st.integers(0, 5), width=st.integers(1, 6), causal=st.booleans())
def test_no_padding_ever_changes_the_scores_of_the_convolution_in_front(lengths, padding, width, causal):
    torch.manual_seed(0)
    front = Front(3, 4, width if causal else 2 * width - 1, causal=causal).eval()
    x, other = filled(len(lengths), 3, lengths, max(lengths) + padding)
    scores = front(other, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        torch.testing.assert_close(scores[row, :, :length], front(x[row : row + 1, :, :length])[0])


def test_full_lengths_give_what_no_lengths_give():
    reader, x = made("lstm"), torch.randn(3, 3, 9)
    torch.testing.assert_close(reader(x, torch.tensor([9, 9, 9])), reader(x))


def test_the_channels_are_halved_between_what_was_read_from_the_left_and_from_the_right():
    reader, x = made("gru"), torch.randn(1, 3, 9)
    changed = x.clone()
    changed[..., 4] += 1
    ahead, back = ((reader(changed) - reader(x))[0].abs() > 0).split(5)
    assert ahead.any(0).tolist() == [False] * 4 + [True] * 5
    assert back.any(0).tolist() == [True] * 5 + [False] * 4


def test_a_centred_convolution_is_torchs_and_a_causal_one_sees_the_width_up_to_a_position():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 12)
    for front, padding in ((Front(3, 4, 5), (2, 2)), (Front(3, 4, 5, causal=True), (4, 0)), (Front(3, 4, 4, causal=True), (3, 0))):
        expected = torch.conv1d(nn.functional.pad(x, padding), front.conv.weight, front.conv.bias).relu()
        torch.testing.assert_close(front(x), expected)


@pytest.mark.parametrize(("width", "causal"), [(8, False), (0, False), (0, True)])
def test_a_width_without_a_centre_is_refused_where_it_needs_one(width, causal):
    with pytest.raises(InputError, match=rf"a convolution of width {width} cannot be centred on a base"):
        Front(4, 8, width, causal=causal)


@settings(max_examples=20, deadline=None)
@given(shifts=st.lists(st.integers(-9, 9), min_size=1, max_size=4))
def test_rolling_moves_each_row_by_its_own_shift(shifts):
    x = torch.randn(9, len(shifts), 2)
    expected = torch.stack([x[:, row].roll(shift, 0) for row, shift in enumerate(shifts)], dim=1)
    assert torch.equal(rolled(x, torch.tensor(shifts)), expected)


@pytest.mark.parametrize(("training", "grad", "cudnn"), [(True, True, True), (False, True, False), (False, False, True)])
def test_cudnn_which_has_no_gradient_of_a_predicting_network_is_left_where_one_may_be_asked_for(training, grad, cudnn):
    reader, seen = made("lstm").train(training), []
    reader.cells[0].register_forward_pre_hook(lambda *_: seen.append(torch.backends.cudnn.enabled))
    with torch.set_grad_enabled(grad):
        reader(torch.zeros(1, 3, 4))
    assert seen == [cudnn]
    assert torch.backends.cudnn.enabled


def test_an_unknown_cell_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"no recurrent cell named 'lstn'\. Did you mean 'lstm'\?"):
        Recurrence("lstn", 4, 8)


@pytest.mark.parametrize(("hidden", "layers"), [(0, 1), (8, 0)])
def test_a_network_without_layers_or_units_is_refused(hidden, layers):
    with pytest.raises(InputError, match=rf"{layers} recurrent layers of {hidden} units: at least one of each was expected"):
        Recurrence("lstm", 4, hidden, layers=layers)
