"""Networks that read along the sequence: what they see, how they are read, and what they can learn."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqdl.errors import InputError
from seqdl.experiment.build import create_model, create_task
from seqdl.layers.onehot import one_hot, reverse_complement
from seqdl.layers.pooling import POOLINGS, EndsPool, LastPool
from seqdl.registry import MODELS

RECURRENT = ("rnn", "lstm", "gru")
ENCODERS = (*RECURRENT, "danq", "transformer")
SMALL = {"filters": 6, "hidden": 4}
DIRECTIONS = {"bidirectional": False, "causal": True}
"""Options that make an encoder look back only."""


def made(name: str, **options) -> nn.Module:
    torch.manual_seed(0)
    small = {key: value for key, value in {**SMALL, "heads": 1}.items() if key in MODELS.options(name)}
    return create_model(name, **{**small, **options}).eval()


def sequences(n: int, length: int, seed: int = 0) -> torch.Tensor:
    return one_hot(torch.randint(0, 4, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)))


def causal_ways() -> list[tuple[str, dict[str, bool]]]:
    """Return every way to make a registered encoder that says it is causal."""
    ways = []
    for name in MODELS.names():
        options = MODELS.options(name)
        for way in ({}, *({key: value} for key, value in DIRECTIONS.items() if key in options)):
            needs = {"length": 40} if "length" in options else {}
            if getattr(create_model(name, **needs, **way), "causal", False):
                ways.append((name, way))
    return ways


# what they see ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "way"), causal_ways(), ids=str)
def test_a_causal_encoder_sees_nothing_of_what_follows_a_base(name, way):
    torch.manual_seed(0)
    encoder = create_model(name, **way).eval()
    x = sequences(2, 40)
    features = encoder(x)
    for i in (0, 1, 7, 19, 38):
        changed = torch.cat([x[..., : i + 1], sequences(2, 39 - i, seed=i + 1)], dim=-1)
        after = encoder(changed)
        torch.testing.assert_close(after[..., : i + 1], features[..., : i + 1])
        assert not torch.allclose(after[..., i + 1 :], features[..., i + 1 :])


@pytest.mark.parametrize("name", [*RECURRENT, "transformer"])
def test_every_network_here_has_a_causal_form(name):
    assert name in [known for known, way in causal_ways() if way]


@pytest.mark.parametrize("name", ENCODERS)
def test_by_default_an_encoder_sees_what_follows_a_base_and_says_so(name):
    encoder, x = made(name), sequences(1, 52)
    changed = torch.cat([x[..., : encoder.stride], sequences(1, 52 - encoder.stride, seed=1)], dim=-1)
    assert not getattr(encoder, "causal", False)
    assert not torch.allclose(encoder(changed)[..., 0], encoder(x)[..., 0])


@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=3), padding=st.integers(0, 20))
def test_no_padding_ever_changes_the_features_of_a_row(name, lengths, padding):
    encoder = made(name, **({"pool": 3} if "pool" in MODELS.options(name) else {}))
    lengths = [max(length, encoder.stride) for length in lengths]
    x = sequences(len(lengths), max(lengths) + padding)
    features = encoder(x, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone = encoder(x[row : row + 1, :, :length])[0]
        torch.testing.assert_close(features[row, :, : alone.shape[-1]], alone, rtol=1e-4, atol=1e-5)


def test_without_filters_the_bases_themselves_are_read():
    encoder = made("lstm", filters=0)
    assert not [part for part in encoder.modules() if isinstance(part, nn.Conv1d)]
    x = sequences(2, 20)
    torch.testing.assert_close(encoder(x), encoder.reader.cells[0](x.permute(2, 0, 1))[0].permute(1, 2, 0))


@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("options", [{}, {"filters": 0}, {"layers": 2, "width": 4}], ids=str)
def test_a_causal_network_may_read_base_by_base_and_keep_what_it_read(name, options):
    encoder, x = made(name, bidirectional=False, **options), sequences(3, 12)
    step = encoder.stepper(3)
    torch.testing.assert_close(torch.stack([step(base) for base in x.unbind(-1)], dim=-1), encoder(x))


def test_a_network_that_reads_from_both_ends_does_not_read_base_by_base():
    with pytest.raises(InputError, match=r"this gru reads from both ends.*bidirectional=False"):
        made("gru").stepper(3)


def test_a_causal_transformer_pools_nothing():
    with pytest.raises(InputError, match=r"causal transformer was asked for with a pooling of 4 bp.*Use pool 1"):
        create_model("transformer", causal=True, pool=4)


# how they are read ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_names_the_readout_that_suits_it(name):
    assert MODELS.get(name).readout in POOLINGS


@pytest.mark.parametrize(("bidirectional", "expected"), [(True, EndsPool), (False, LastPool)])
def test_the_last_readout_is_the_final_state_of_each_direction(bidirectional, expected):
    task = create_task("binary", made("lstm", bidirectional=bidirectional), pooling="last")
    assert type(task.head.pool) is expected


@pytest.mark.parametrize("name", RECURRENT)
def test_the_last_readout_of_both_directions_has_read_every_base(name):
    encoder, x = made(name), sequences(1, 12).requires_grad_()
    task = create_task("binary", encoder, pooling="last", strands="single").eval()
    ahead, back = task.head.pool(encoder(x)).chunk(2, dim=1)
    for half in (ahead, back):
        (reached,) = torch.autograd.grad(half.sum(), x, retain_graph=True)
        assert (reached.abs().sum(1) > 0).all()


@pytest.mark.parametrize("pooling", [*sorted(POOLINGS), "flatten"])
@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_strands_that_are_shared_give_both_strands_one_answer(name, pooling):
    task = create_task("binary", made(name), pooling=pooling, strands="shared", length=30).eval()
    x = sequences(3, 30)
    for lengths in (None, torch.tensor([30, 12, 1])):
        torch.testing.assert_close(task(reverse_complement(x, lengths), lengths), task(x, lengths))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_gated_network_remembers_the_first_base_to_the_last(name):
    torch.manual_seed(0)
    codes = torch.randint(0, 4, (2048, 20), dtype=torch.uint8)
    truth = (codes[:, :1] < 2).float()
    encoder = create_model(name, filters=0, hidden=16, bidirectional=False)
    task = create_task("binary", encoder, pooling="last", strands="single", dropout=0.0).train()
    optimiser = torch.optim.Adam(task.parameters(), lr=0.02)
    for step in range(250):
        rows = torch.arange(64) + 64 * (step % 24)
        optimiser.zero_grad()
        task.loss(task.logits(one_hot(codes[rows])), truth[rows]).backward()
        optimiser.step()
    with torch.no_grad():
        right = ((task.eval()(one_hot(codes[1536:])) > 0.5) == (truth[1536:] > 0.5)).float().mean()
    assert right > 0.95
