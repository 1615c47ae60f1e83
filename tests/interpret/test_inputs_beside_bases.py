"""Attributions of networks that read measured tracks beside the bases, and of sequences of several lengths."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.errors import ShapeError
from seqdl.interpret.attribute import attribute, completeness_error
from seqdl.interpret.method import METHODS
from seqdl.layers.pooling import GlobalMax

NAMES = METHODS.names()


@pytest.mark.parametrize("method", NAMES)
def test_tracks_behind_the_bases_are_held_fixed(method, x):
    """Two tracks shift what the first convolution sees; with their share as its bias, a network of the bases alone is explained the same."""
    torch.manual_seed(0)
    beside = nn.Sequential(nn.Conv1d(6, 5, 3), nn.ReLU(), GlobalMax(), nn.Linear(5, 1)).eval()
    alone = nn.Sequential(nn.Conv1d(4, 5, 3), nn.ReLU(), GlobalMax(), nn.Linear(5, 1)).eval()
    weight, bias = beside[0].weight, beside[0].bias
    alone.load_state_dict(beside.state_dict() | {"0.weight": weight[:, :4], "0.bias": bias + 0.7 * weight[:, 4:].sum((1, 2))})
    tracks = np.full((len(x), 2, 20), 0.7, dtype=np.float32)
    found = attribute(beside, np.concatenate([x, tracks], 1), method=method, seed=2)
    assert found.shape == x.shape
    assert np.allclose(found, attribute(alone, x, method=method, seed=2), atol=1e-5)


def test_contributions_add_up_beside_tracks(x):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(6, 5, 3), nn.ReLU(), GlobalMax(), nn.Linear(5, 1)).eval()
    both = np.concatenate([x, np.random.default_rng(0).random((len(x), 2, 20), dtype=np.float32)], 1)
    assert np.abs(completeness_error(net, both, attribute(net, both))).max() < 1e-5


@pytest.mark.parametrize("method", NAMES)
def test_each_sequence_is_explained_at_its_own_length(method, two_strands, x):
    lengths = [20, 14, 20, 9, 14, 20]
    padded = x.copy()
    for row, length in enumerate(lengths):
        padded[row, :, length:] = 0
    scores = attribute(two_strands, padded, method=method, lengths=lengths, references="uniform")
    for length in (9, 14, 20):
        rows = [row for row, size in enumerate(lengths) if size == length]
        assert np.allclose(scores[rows, :, :length], attribute(two_strands, x[rows, :, :length], method=method, references="uniform"), atol=1e-5)
        assert np.all(scores[rows, :, length:] == 0)


def test_given_references_are_cut_to_the_lengths(two_strands, x, draw):
    references = draw(6, 20, seed=8)[:, None]
    scores = attribute(two_strands, x, references=references, lengths=[20, 15, 20, 20, 15, 20])
    assert np.allclose(scores[4, :, :15], attribute(two_strands, x[4:5, :, :15], references=references[4, :, :, :15])[0], atol=1e-6)


@pytest.mark.parametrize("lengths", [[20] * 5, [21] + [20] * 5, [0] + [20] * 5])
def test_lengths_that_do_not_fit_are_refused(lengths, two_strands, x):
    with pytest.raises(ShapeError, match=r"lengths have the shape .* expected \(6,\), from 1 to 20"):
        attribute(two_strands, x, lengths=lengths)
