from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqdl.errors import InputError
from seqdl.layers import attention
from seqdl.layers.attention import AttentionBlock, SelfAttention, turned


def made(**options) -> SelfAttention:
    torch.manual_seed(0)
    return SelfAttention(8, 2, **options).eval()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", [None, [5, 9, 1]])
def test_without_positions_it_is_torchs_multihead_attention(causal, lengths, monkeypatch):
    monkeypatch.setattr(attention, "turned", lambda x: x)
    layer, x = made(causal=causal), torch.randn(3, 9, 8)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(layer.read.weight)
        theirs.out_proj.weight.copy_(layer.write.weight)
        theirs.out_proj.bias.copy_(layer.write.bias)
    rows = None if lengths is None else torch.tensor(lengths)
    beyond = None if rows is None else torch.arange(9) >= rows.unsqueeze(1)
    ahead = torch.ones(9, 9, dtype=torch.bool).triu(1) if causal else None
    out, weights = theirs(x, x, x, key_padding_mask=beyond, attn_mask=ahead, average_attn_weights=False)
    ours = layer(x, rows)
    for row, n in enumerate(lengths or [9] * 3):
        torch.testing.assert_close(ours[row, :n], out[row, :n])
        torch.testing.assert_close(layer.weights(x, rows)[row, :, :n], weights[row, :, :n])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", [None, torch.tensor([5, 9])])
def test_the_weights_that_are_shown_are_those_that_gather(causal, lengths):
    layer, x = made(causal=causal), torch.randn(2, 9, 8)
    weights = layer.weights(x, lengths)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 9))
    value = layer.read(x)[..., 16:].unflatten(-1, (2, 4)).transpose(1, 2)
    expected = layer.write((weights @ value).transpose(1, 2).flatten(2))
    n = 9 if lengths is None else 5
    torch.testing.assert_close(layer(x, lengths)[:, :n], expected[:, :n])


def test_a_causal_layer_gives_no_weight_to_what_follows():
    assert not made(causal=True).weights(torch.randn(2, 9, 8)).triu(1).any()


@settings(max_examples=25, deadline=None)
@given(first=st.integers(0, 20), distance=st.integers(0, 10), shift=st.integers(0, 20))
def test_a_score_depends_on_the_distance_of_two_positions_alone(first, distance, shift):
    torch.manual_seed(0)
    query, key = (torch.randn(6).expand(64, 6) for _ in range(2))
    scores = turned(query) @ turned(key).T
    torch.testing.assert_close(scores[first, first + distance], scores[first + shift, first + shift + distance], rtol=1e-4, atol=1e-5)


def test_turning_keeps_the_length_of_a_vector_and_tells_positions_apart():
    x = torch.ones(1, 1, 50, 8)
    torch.testing.assert_close(turned(x).norm(dim=-1), x.norm(dim=-1))
    assert len({tuple(row) for row in turned(x)[0, 0].tolist()}) == 50


@pytest.mark.parametrize("causal", [False, True])
@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4), padding=st.integers(0, 5))
def test_no_padding_ever_changes_the_features_of_a_row(causal, lengths, padding):
    torch.manual_seed(0)
    block = AttentionBlock(8, 2, causal=causal).eval()
    x = torch.randn(len(lengths), max(lengths) + padding, 8)
    other = x.clone()
    for row, length in enumerate(lengths):
        other[row, length:] = 50.0
    features = block(other, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        torch.testing.assert_close(features[row, :length], block(x[row : row + 1, :length])[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("channels", "heads", "better"), [(10, 4, 8), (9, 1, 8), (8, 3, 6), (8, 0, 8)])
def test_channels_that_cannot_be_shared_out_are_refused_with_a_number_that_can(channels, heads, better):
    with pytest.raises(InputError, match=rf"{channels} channels cannot be shared out among {heads} heads: .* Use {better} channels"):
        SelfAttention(channels, heads)
