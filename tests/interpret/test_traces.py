"""Hidden states, gates and attention weights, held against what torch's own layers give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqdl.errors import InputError, UnknownNameError
from seqdl.experiment.build import create_model, create_task
from seqdl.interpret.traces import attention_weights, trace


class Reader(nn.Module):
    """Somebody else's network: a recurrent layer over (B, L, 4) or (L, B, 4), perhaps packed, perhaps with a first state."""

    def __init__(self, layer: nn.RNNBase, *, start=None, lengths=None):
        super().__init__()
        self.layer, self.start, self.lengths = layer, start, lengths

    def forward(self, x):
        x = x.transpose(1, 2) if self.layer.batch_first else x.permute(2, 0, 1)
        if self.lengths is not None:
            x = pack_padded_sequence(x, self.lengths, batch_first=self.layer.batch_first, enforce_sorted=False)
        return self.layer(x, self.start) if self.start is not None else self.layer(x)


def one_hot(n: int, length: int) -> np.ndarray:
    codes = np.random.default_rng(0).integers(0, 4, (n, length))
    return np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1)


def states(result, *, batch_first: bool) -> np.ndarray:
    """Return the outputs of a layer as (N, C, L)."""
    output = result[0]
    if not isinstance(output, torch.Tensor):
        output = pad_packed_sequence(output, batch_first=batch_first, padding_value=float("nan"))[0]
    return output.permute((0, 2, 1) if batch_first else (1, 2, 0)).detach().numpy()


LAYERS = {
    "lstm": lambda **o: nn.LSTM(4, 5, **o),
    "lstm projected": lambda **o: nn.LSTM(4, 5, proj_size=3, **o),
    "gru": lambda **o: nn.GRU(4, 5, **o),
    "rnn": lambda **o: nn.RNN(4, 5, **o),
    "rnn relu": lambda **o: nn.RNN(4, 5, nonlinearity="relu", **o),
    "without bias": lambda **o: nn.GRU(4, 5, bias=False, **o),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "batch_first": True}, {"num_layers": 2, "bidirectional": True}], ids=str)
@pytest.mark.parametrize("lengths", [None, torch.tensor([3, 9, 1])], ids=["one length", "packed"])
def test_hidden_states_are_the_outputs_of_torchs_layers(name, options, lengths):
    torch.manual_seed(0)
    layer = LAYERS[name](**options).eval()
    module, x = Reader(layer, lengths=lengths), one_hot(3, 9)
    expected = states(module(torch.from_numpy(x)), batch_first=layer.batch_first)
    top = [one for one in trace(module, x) if one.number == layer.num_layers - 1]
    np.testing.assert_allclose(np.concatenate([one.values["hidden"] for one in top], axis=1), expected, atol=1e-6)
    assert [one.direction for one in top] == ["forward", "backward"][: len(top)]


@pytest.mark.parametrize("layer", [nn.LSTM(4, 5, num_layers=2, bidirectional=True), nn.GRU(4, 5, bidirectional=True)], ids=["lstm", "gru"])
def test_a_first_state_that_is_given_is_begun_with(layer):
    torch.manual_seed(0)
    n = layer.num_layers * 2
    first = torch.randn(n, 3, 5)
    start = (first, torch.randn(n, 3, 5)) if isinstance(layer, nn.LSTM) else first
    module, x = Reader(layer, start=start), one_hot(3, 9)
    found = trace(module, x)
    expected = states(module(torch.from_numpy(x)), batch_first=False)
    np.testing.assert_allclose(np.concatenate([one.values["hidden"] for one in found[-2:]], axis=1), expected, atol=1e-6)


def test_the_memory_of_an_lstm_ends_as_torch_says_and_follows_from_its_gates():
    torch.manual_seed(0)
    layer, x = nn.LSTM(4, 5, bidirectional=True), one_hot(3, 9)
    _, (_, memory) = layer(torch.from_numpy(x).permute(2, 0, 1))
    forward, backward = (one.values for one in trace(Reader(layer), x))
    np.testing.assert_allclose(forward["memory"][..., -1], memory[0].detach(), atol=1e-6)
    np.testing.assert_allclose(backward["memory"][..., 0], memory[1].detach(), atol=1e-6)
    kept = forward["forget"][..., 1:] * forward["memory"][..., :-1] + forward["input"][..., 1:] * forward["cell"][..., 1:]
    np.testing.assert_allclose(forward["memory"][..., 1:], kept, atol=1e-6)
    np.testing.assert_allclose(forward["hidden"], forward["output"] * np.tanh(forward["memory"]), atol=1e-6)


def test_gates_have_the_values_that_were_worked_out_by_hand():
    layer = nn.LSTM(4, 1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.weight_ih_l0[0, 0] = 2.0  # the input gate opens at an A
        layer.bias_ih_l0[2] = 1.0  # what is proposed is tanh(1) always
    values = trace(Reader(layer), np.eye(4)[[[0, 1]]].transpose(0, 2, 1))[0].values
    sigmoid2, tanh1 = 1 / (1 + np.exp(-2.0)), np.tanh(1.0)
    np.testing.assert_allclose(values["input"][0, 0], [sigmoid2, 0.5], rtol=1e-5)
    np.testing.assert_allclose(values["forget"][0, 0], [0.5, 0.5])
    np.testing.assert_allclose(values["memory"][0, 0], [sigmoid2 * tanh1, (sigmoid2 * tanh1 + tanh1) / 2], rtol=1e-5)


def test_gates_of_a_gru_mix_what_is_new_with_what_was():
    torch.manual_seed(0)
    values = trace(Reader(nn.GRU(4, 5)), one_hot(2, 9))[0].values
    mixed = (1 - values["update"][..., 1:]) * values["new"][..., 1:] + values["update"][..., 1:] * values["hidden"][..., :-1]
    np.testing.assert_allclose(values["hidden"][..., 1:], mixed, atol=1e-6)
    assert set(values) == {"reset", "update", "new", "hidden"}


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "danq"])
@pytest.mark.parametrize("strands", ["single", "shared"])
def test_our_own_networks_are_followed_on_the_strand_that_is_given(name, strands):
    torch.manual_seed(0)
    task, x = create_task("binary", create_model(name, hidden=4, filters=6), strands=strands).eval(), one_hot(3, 60)
    found = trace(task, x)
    expected = task.encoder(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(np.concatenate([one.values["hidden"] for one in found], axis=1), expected, atol=1e-6)
    assert {one.layer for one in found} == {"encoder.reader.cells.0"}


@pytest.mark.parametrize("look", [trace, attention_weights])
def test_the_size_of_the_batch_changes_nothing_and_the_mode_of_the_network_is_given_back(look):
    torch.manual_seed(0)
    module = nn.Sequential(create_model("lstm", hidden=4, filters=0), create_model("transformer", in_channels=8, filters=8)).train()
    x = one_hot(5, 12)
    whole, parts = look(module, x), look(module, x, batch_size=2)
    assert module.training
    for a, b in zip(whole, parts, strict=True):
        if isinstance(a, str):
            np.testing.assert_allclose(whole[a], parts[b], atol=1e-6)
        else:
            np.testing.assert_allclose(a.values["hidden"], b.values["hidden"], atol=1e-6)


def test_a_layer_may_be_asked_for_by_its_name():
    module = create_model("gru", layers=2, hidden=4)
    assert {one.layer for one in trace(module, one_hot(1, 12), layer="reader.cells.1")} == {"reader.cells.1"}


def test_the_weights_of_an_attention_pooling_are_those_of_its_mean():
    torch.manual_seed(0)
    task, x = create_task("binary", create_model("lstm", hidden=4), pooling="attention", strands="single").eval(), one_hot(2, 20)
    weights = attention_weights(task, x)["head.pool"]
    features = task.encoder(torch.from_numpy(x))
    np.testing.assert_allclose((features.detach().numpy() * weights).sum(-1), task.head.pool(features).detach(), atol=1e-6)


@pytest.mark.parametrize("batch_first", [True, False])
def test_the_weights_of_torchs_attention_are_those_it_gives(batch_first):
    class Attending(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix = nn.MultiheadAttention(4, 2, batch_first=batch_first)

        def forward(self, x):
            x = x.transpose(1, 2) if batch_first else x.permute(2, 0, 1)
            return self.mix(x, x, x, None, False)

    torch.manual_seed(0)
    module, x = Attending().eval(), one_hot(3, 7)
    placed = torch.from_numpy(x).permute((0, 2, 1) if batch_first else (2, 0, 1))
    expected = module.mix(placed, placed, placed, average_attn_weights=False)[1]
    np.testing.assert_allclose(attention_weights(module, x)["mix"], expected.detach(), atol=1e-6)


def test_a_transformer_of_torch_is_read_layer_by_layer():
    class Theirs(nn.Module):
        def __init__(self):
            super().__init__()
            layer = nn.TransformerEncoderLayer(4, 2, dim_feedforward=8, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2)

        def forward(self, x):
            return self.encoder(x.transpose(1, 2))

    weights = attention_weights(Theirs().eval(), one_hot(3, 7))
    assert {name: array.shape for name, array in weights.items()} == {f"encoder.layers.{i}.self_attn": (3, 2, 7, 7) for i in range(2)}
    for array in weights.values():
        np.testing.assert_allclose(array.sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize(("look", "what"), [(trace, "recurrent layer"), (attention_weights, "attention layer")])
def test_a_network_without_such_a_layer_is_refused(look, what):
    with pytest.raises(InputError, match=f"CNN has no {what}: one was expected"):
        look(create_model("cnn", filters=4), one_hot(1, 20))


def test_an_unknown_layer_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"no recurrent layer named 'reader\.cells\.1'\. Did you mean 'reader\.cells\.0'"):
        trace(create_model("gru"), one_hot(1, 20), layer="reader.cells.1")
