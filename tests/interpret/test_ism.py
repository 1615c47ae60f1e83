"""In-silico mutagenesis: the fast way against running every mutant in full, on networks of every build; deletions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.interpret.attribute import attribute
from seqdl.interpret.fast_ism import try_fast
from seqdl.interpret.ism import deletion_effects, mutation_effects
from seqdl.interpret.readout import Readout
from seqdl.layers.activation import Exp
from seqdl.models.basset import Basset
from seqdl.models.cnn import CNN
from seqdl.tasks.binary import Binary
from seqdl.tasks.ensemble import Ensemble


class Call(nn.Module):
    """A module with a function for its forward."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def conv(inputs=4, outputs=6, width=5, **options):
    return nn.Conv1d(inputs, outputs, width, **options)


def residual(self, x):
    x = self.first(x)
    y = self.second(self.act(x))
    y += x
    return self.act(y).mean(-1)


def gated(self, x):
    x = self.first(x)
    x = x * torch.sigmoid(x.mean(-1, keepdim=True))
    return (x.sum(-1) / 10).sum(1)


def by_hand(self, x):
    x = self.first(x)
    weights = torch.exp(x) / torch.exp(x).sum(-1, keepdim=True)
    return (x * weights).sum(-1)


def both(self, x):
    return torch.maximum(self.first(x), self.first(x.flip(1, 2)).flip(2)).mean(-1)


def cropped(self, x):
    y = self.first(x)
    return y[:, 1:4, 5:-3].amax((1, 2)) + nn.functional.pad(y, (2, 1), value=-3.0).mean((1, 2))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.lstm = conv(width=3), nn.LSTM(6, 4, batch_first=True)

    def forward(self, x):
        return self.lstm(self.conv(x).transpose(1, 2))[0][:, -1]


BUILDS = {
    "stride": lambda: nn.Sequential(conv(stride=3, padding=2), nn.ReLU(), conv(6, 3, 4, stride=2), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
    "dilation": lambda: nn.Sequential(conv(dilation=2, padding=4), nn.GELU(), conv(6, 3, 3, dilation=3), nn.AdaptiveMaxPool1d(1), nn.Flatten()),
    "even width, same padding": lambda: nn.Sequential(conv(width=4, padding="same"), nn.ELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
    "groups": lambda: nn.Sequential(conv(), nn.ReLU(), conv(6, 6, 3, groups=6), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
    "pools": lambda: nn.Sequential(conv(), nn.MaxPool1d(4, 3, padding=1), nn.AvgPool1d(3, 2, padding=1), nn.AdaptiveMaxPool1d(1), nn.Flatten()),
    "ceiling": lambda: nn.Sequential(conv(), nn.MaxPool1d(3, ceil_mode=True), nn.AvgPool1d(2, ceil_mode=True), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
    "places of maxima": lambda: Call(lambda self, x: self.first(x).max(-1)[1].float(), first=conv()),
    "maxima and their values": lambda: Call(lambda self, x: torch.max(self.first(x), dim=2, keepdim=True)[0].squeeze(2), first=conv()),
    "norm": lambda: nn.Sequential(conv(), nn.BatchNorm1d(6), nn.Softplus(), nn.BatchNorm1d(6, affine=False), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
    "residual in place": lambda: Call(residual, first=conv(padding=2), second=conv(6, 6, 3, padding=1), act=nn.ReLU(inplace=True)),
    "gate": lambda: Call(gated, first=conv()),
    "softmax by hand": lambda: Call(by_hand, first=conv()),
    "softmax": lambda: Call(lambda self, x: (self.first(x) * torch.softmax(self.second(x), -1)).sum(-1), first=conv(), second=conv(4, 1)),
    "positions": lambda: Call(lambda self, x: (self.first(x) + torch.arange(26.0)).amax(-1) + self.first(x)[..., 3], first=conv()),
    "strands along the sequence": lambda: Call(lambda self, x: torch.cat([self.first(x), self.first(x.flip(1, 2))], -1).amax(-1), first=conv()),
    "strands along the batch": lambda: Call(lambda self, x: sum(self.first(torch.cat([x, x.flip(1, 2)])).amax(-1).chunk(2)), first=conv()),
    "strands, windows apart": lambda: Call(both, first=conv(width=4)),
    "cropped and padded": lambda: Call(cropped, first=conv()),
    "height one": lambda: Call(lambda self, x: self.first(x.unsqueeze(2)).amax((2, 3)), first=nn.Conv2d(4, 6, (1, 5))),
    "gated units": lambda: Call(lambda self, x: nn.functional.glu(self.first(x), 1).amax(-1), first=conv()),
    "every base": lambda: Call(lambda self, x: self.first(x), first=conv(padding=2)),
    "dense": lambda: nn.Sequential(conv(), nn.Flatten(), nn.Linear(6 * 26, 2)),
    "recurrent": Recurrent,
    "transposed": lambda: nn.Sequential(conv(stride=2), nn.ConvTranspose1d(6, 3, 4, stride=2), nn.AdaptiveMaxPool1d(1), nn.Flatten()),
    "several members": lambda: Ensemble([Binary(CNN(filters=4, width=7)), Binary(CNN(filters=5, width=9), activation="exp")]),
    "local pooling, both strands": lambda: Binary(Basset(filters=(6, 5), widths=(5, 3), pools=(3, 2))),
    "attention, both strands": lambda: Binary(CNN(filters=6, width=7, activation="relu"), pooling="attention"),
    "mean, both strands": lambda: Binary(CNN(filters=6, width=7, activation="relu"), pooling="mean"),
    "flatten": lambda: Binary(CNN(filters=6, width=7), pooling="flatten", length=30),
    "a span in the middle": lambda: Binary(CNN(filters=6, width=5), span=16),
    "average of strands": lambda: Binary(CNN(filters=6, width=7), strands="average"),
    "exponential": lambda: nn.Sequential(conv(), Exp(), nn.AdaptiveMaxPool1d(1), nn.Flatten()),
}  # fmt: skip


def settled(make):
    """Build a network with norms as if it were trained."""
    torch.manual_seed(0)
    net = make().eval()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return net


@pytest.fixture
def sequences(draw):
    x = draw(3, 30, seed=4)
    x[1, :, 11] = 0  # no base at all
    x[2, :, 0] = 0.25  # an ambiguous one, read as quarters
    return x


def full_and_fast(net, x):
    """Return the effects both ways, in units of the outputs."""
    with torch.no_grad():
        unit = max(1.0, float(Readout(net)(torch.from_numpy(x)).abs().max()))
    return tuple(mutation_effects(net, x, fast=fast) / unit for fast in ("no", "yes"))


@pytest.mark.parametrize("build", BUILDS)
def test_the_fast_way_equals_the_full_way(build, sequences):
    full, fast = full_and_fast(settled(BUILDS[build]), sequences)
    assert np.abs(full).max() > 1e-4
    assert np.abs(full - fast).max() < 1e-5


def test_the_fast_way_equals_the_full_way_on_every_net_of_these_tests(net, x):
    full, fast = full_and_fast(net, x)
    assert np.abs(full - fast).max() < 1e-5


LAYERS = st.one_of(
    st.tuples(st.just("conv"), st.integers(1, 6), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2)),
    st.tuples(st.just("max"), st.integers(1, 4), st.integers(1, 3), st.integers(0, 1), st.integers(1, 2)),
    st.tuples(st.just("mean"), st.integers(1, 4), st.integers(1, 3), st.integers(0, 1), st.just(1)),
    st.tuples(st.just("norm"), st.just(1), st.just(1), st.just(0), st.just(1)),
)


def stack_of(layers):
    """Build a stack of layers of three channels; a padding over half of a pooling is none."""
    parts = [nn.Conv1d(4, 3, 3, padding=1)]
    for kind, width, stride, padding, dilation in layers:
        some = min(padding, width // 2)
        made = {
            "conv": lambda w=width, s=stride, p=padding, d=dilation: nn.Conv1d(3, 3, w, stride=s, padding=p, dilation=d),
            "max": lambda w=width, s=stride, p=some, d=dilation: nn.MaxPool1d(w, s, padding=p, dilation=d),
            "mean": lambda w=width, s=stride, p=some: nn.AvgPool1d(w, s, padding=p),
            "norm": lambda: nn.BatchNorm1d(3),
        }[kind]()
        parts += [made, nn.SiLU()]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool1d(1), nn.Flatten())


@settings(max_examples=60, deadline=None)
@given(layers=st.lists(LAYERS, min_size=1, max_size=4), length=st.integers(18, 60), seed=st.integers(0, 5))
def test_the_fast_way_equals_the_full_way_through_any_stack(layers, length, seed):
    net = settled(lambda: stack_of(layers))
    x = np.eye(4, dtype=np.float32)[np.random.default_rng(seed).integers(0, 4, (1, length))].transpose(0, 2, 1)
    try:
        net(torch.from_numpy(x))
    except RuntimeError:
        return  # the layers leave no position of so short a sequence
    full, fast = full_and_fast(net, x)
    assert np.abs(full - fast).max() < 1e-5


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_batch_size_does_not_change_the_fast_way(size, sequences):
    net = settled(BUILDS["pools"])
    assert np.allclose(mutation_effects(net, sequences, fast="yes", batch_size=size), mutation_effects(net, sequences), atol=1e-6)


def test_many_mutants_are_run_at_a_time_only_where_none_is_needed_in_full():
    net, x = settled(BUILDS["local pooling, both strands"]), torch.eye(4).repeat(1, 1, 20)
    with torch.no_grad():
        assert try_fast(Readout(net), x).batch_size == 1024
        assert try_fast(Readout(settled(lambda: Binary(CNN(filters=64, width=7), pooling="flatten", length=80))), x).batch_size == 2**22 // (64 * 80)


@pytest.mark.parametrize("build", ["several members", "a span in the middle", "attention, both strands"])
def test_a_default_network_is_followed_all_the_way(build, monkeypatch):
    monkeypatch.setattr("seqdl.interpret.fast_ism.NUMBERS_AT_ONCE", 2000)  # room for few mutants, were one needed in full
    net, x = settled(BUILDS[build]), torch.eye(4).repeat(1, 1, 20)
    with torch.no_grad():
        assert try_fast(Readout(net), x).batch_size == 1024


def test_tracks_behind_the_bases_are_held_fixed(draw):
    net = settled(lambda: nn.Sequential(conv(6), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten()))
    x = np.concatenate([draw(2, 30), np.random.default_rng(0).random((2, 2, 30), dtype=np.float32)], 1)
    full, fast = full_and_fast(net, x)
    assert full.shape == (2, 4, 30)
    assert np.abs(full - fast).max() < 1e-5
    mutant = torch.from_numpy(x[:1].copy())
    mutant[0, :4, 9] = torch.tensor([0.0, 0, 0, 1])
    with torch.no_grad():
        change = net(mutant)[0, 0] - net(torch.from_numpy(x[:1]))[0, 0]
    assert mutation_effects(net, x)[0, 3, 9] == pytest.approx(float(change), abs=1e-5)


# where windows cannot be followed ------------------------------------------------------------------


class Stubborn(nn.Module):
    """Leaves torch on the way."""

    def __init__(self):
        super().__init__()
        self.conv = conv()

    def forward(self, x):
        return torch.from_numpy(self.conv(x).numpy()).amax(-1)


def test_a_module_that_cannot_be_followed_is_run_in_full_and_that_is_said(sequences):
    net = settled(Stubborn)
    with pytest.warns(UserWarning, match=r"ism runs every mutant through the whole of Stubborn \("):
        found = mutation_effects(net, sequences)
    assert np.array_equal(found, mutation_effects(net, sequences, fast="no"))


def test_a_module_that_cannot_be_followed_is_refused_where_the_fast_way_is_asked_for(sequences):
    with pytest.raises(InputError, match="ism cannot follow windows through Stubborn"):
        mutation_effects(settled(Stubborn), sequences, fast="yes")


def test_a_module_that_answers_otherwise_each_time_is_found_out(sequences):
    net = Call(lambda self, x: self.first(x).amax(-1) + torch.rand(1), first=conv())
    with pytest.warns(UserWarning, match="some mutants differ by"):
        mutation_effects(net, sequences)


def test_an_unknown_way_is_refused(sequences):
    with pytest.raises(UnknownNameError, match="no way of ism's option fast named 'ja'"):
        mutation_effects(settled(BUILDS["pools"]), sequences, fast="ja")


# deletions -------------------------------------------------------------------------------------------


def test_deletions_are_what_shortened_sequences_give(sequences):
    net, length = settled(BUILDS["pools"]), 30
    found = deletion_effects(net, sequences)
    with torch.no_grad():
        for row, gap in [(0, 0), (0, 14), (0, 15), (2, 29), (1, 20)]:
            kept = np.delete(sequences[row], gap, axis=1)
            empty = np.zeros((4, 1), dtype=np.float32)
            shortened = np.concatenate([empty, kept] if gap < length // 2 else [kept, empty], 1)
            change = net(torch.from_numpy(shortened[None]))[0, 0] - net(torch.from_numpy(sequences[row : row + 1]))[0, 0]
            assert found[row, gap] == pytest.approx(float(change), abs=1e-5)


def test_the_method_with_deletions_says_what_is_lost_at_each_base(sequences):
    net = settled(BUILDS["pools"])
    scores = attribute(net, sequences, method="ism", deletions=True)
    assert np.allclose(scores, -deletion_effects(net, sequences)[:, None] * sequences, atol=1e-6)
