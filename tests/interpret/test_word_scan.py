"""Words looked up, against the convolution they stand for."""

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.interpret.inputs import Sequences
from seqdl.interpret.locate import filter_bank
from seqdl.interpret.sites import find_sites
from seqdl.interpret.word_scan import weights_of, word_windows
from seqdl.layers.onehot import one_hot


def norm_of(channels, seed=0):
    """Return a batch norm that shifts, scales and turns round."""
    torch.manual_seed(seed)
    norm = nn.BatchNorm1d(channels)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    norm.weight.data.normal_()
    norm.bias.data.normal_()
    return norm


NETWORKS = {
    "plain": lambda: nn.Conv1d(4, 7, 19, padding=9),
    "more filters than a tile": lambda: nn.Conv1d(4, 70, 11, bias=False),
    "narrower than a word": lambda: nn.Conv1d(4, 5, 3),
    "as wide as two words": lambda: nn.Conv1d(4, 5, 8, padding="same"),
    "dilated, with a stride": lambda: nn.Conv1d(4, 5, 5, dilation=3, stride=2, padding=4),
    "Conv2d": lambda: nn.Conv2d(4, 5, (1, 9)),
    "a norm behind it": lambda: nn.Sequential(nn.Conv1d(4, 6, 9), norm_of(6), nn.ReLU()),
}


def random_codes(n=40, length=60, seed=0):
    """Return sequences with some ambiguous bases, one of them with nothing else."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    codes[rng.random(codes.shape) < 0.01] = 4
    codes[3] = 4
    return codes


@pytest.mark.parametrize("both_strands", [True, False])
@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_words_give_the_sites_of_the_convolution(make, both_strands, monkeypatch):
    torch.manual_seed(1)
    net, codes = make().eval(), random_codes()
    multiplied = find_sites(net, codes, n_sites=15, both_strands=both_strands)
    monkeypatch.setattr("seqdl.interpret.word_scan.WORTH_IT", 0)
    assert word_windows(filter_bank(net, length=60), Sequences(codes), both_strands=both_strands) is not None
    looked_up = find_sites(net, codes, n_sites=15, both_strands=both_strands)
    np.testing.assert_allclose(looked_up.score, multiplied.score, atol=1e-5)
    gaps = np.diff(multiplied.score, axis=1) < -1e-4
    alone = np.flatnonzero((gaps[:, 1:] & gaps[:, :-1]).ravel())  # of equals, rounding may choose another
    for name in ("sequence", "start", "strand", "onehot"):
        found, expected = (getattr(sites, name)[:, 1:-1] for sites in (looked_up, multiplied))
        np.testing.assert_array_equal(found.reshape(-1, *found.shape[2:])[alone], expected.reshape(-1, *expected.shape[2:])[alone])
    np.testing.assert_allclose(looked_up.lowest, multiplied.lowest, atol=1e-5)
    np.testing.assert_allclose(looked_up.highest, multiplied.highest, atol=1e-5)


def test_the_size_of_a_batch_changes_nothing(monkeypatch):
    net, codes = nn.Conv1d(4, 6, 9), random_codes()
    monkeypatch.setattr("seqdl.interpret.word_scan.WORTH_IT", 0)
    whole = find_sites(net, codes, n_sites=10)
    monkeypatch.setattr("seqdl.interpret.word_scan.WINDOWS_AT_ONCE", 180)
    small = find_sites(net, codes, n_sites=10)
    np.testing.assert_array_equal(whole.score, small.score)
    np.testing.assert_array_equal(whole.onehot, small.onehot)


def test_a_norm_is_taken_into_the_weights():
    net = NETWORKS["a norm behind it"]().eval()
    weight, offset = weights_of(filter_bank(net, length=60))
    x = one_hot(torch.from_numpy(random_codes(4)))
    with torch.no_grad():
        expected = net[1](net[0](x))
    torch.testing.assert_close(nn.functional.conv1d(x, weight, offset), expected, atol=1e-5, rtol=1e-5)


class Squared(nn.Conv1d):
    """A convolution that does more than its weights say."""

    def forward(self, x):
        """Return squares."""
        return super().forward(x) ** 2


@pytest.mark.parametrize(
    "net",
    [Squared(4, 5, 9), nn.Conv1d(4, 8, 9, groups=4), nn.Sequential(nn.Conv1d(4, 6, 9), nn.BatchNorm1d(6, track_running_stats=False))],
    ids=["a convolution of another kind", "groups", "a norm without statistics"],
)
def test_what_is_no_sum_over_bases_is_run_as_it_is(net):
    assert word_windows(filter_bank(net.eval(), length=60), Sequences(random_codes()), least=0) is None


def test_little_is_not_worth_it_and_onehot_is_taken_as_it_is():
    bank, codes = filter_bank(nn.Conv1d(4, 6, 9), length=60), random_codes()
    assert word_windows(bank, Sequences(codes)) is None
    assert word_windows(bank, Sequences(one_hot(torch.from_numpy(codes))), least=0) is None
