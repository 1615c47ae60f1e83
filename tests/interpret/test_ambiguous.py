"""Ambiguous bases that are read as quarters, where interpretation looks at sequences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.interpret.attribute import attribute, completeness_error
from seqdl.interpret.filters import filter_motifs
from seqdl.interpret.ism import mutation_effects
from seqdl.interpret.references import make_references
from seqdl.sequence.encode import codes_of, one_hot


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(4, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 26, 1)).eval()


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    return rng.choice(5, (6, 30), p=[0.225] * 4 + [0.1]).astype(np.uint8)


@pytest.mark.parametrize("way", ["zero", "uniform"])
def test_a_shuffle_keeps_ambiguous_bases_where_and_as_they_are(way, codes):
    x = one_hot(codes, ambiguous=way)
    shuffled = make_references(torch.from_numpy(x), 3).rows(slice(1, 4)).numpy()  # (3, R, 4, L)
    unknown = codes[1:4] == 4
    for reference in shuffled.swapaxes(0, 1):
        np.testing.assert_array_equal(codes_of(reference) == 4, unknown)
        np.testing.assert_array_equal(reference.swapaxes(1, 2)[unknown], x[1:4].swapaxes(1, 2)[unknown])


@pytest.mark.parametrize("method", ["deeplift", "integrated-gradients"])
def test_an_ambiguous_base_contributes_nothing_against_shuffles(method, net, codes):
    x = one_hot(codes, ambiguous="uniform")
    scores = attribute(net, x, method=method)
    assert np.abs(scores.swapaxes(1, 2)[codes == 4]).max() < 1e-6
    assert np.abs(scores).max() > 1e-3
    assert np.abs(completeness_error(net, x, scores)).max() < 1e-2


@pytest.mark.parametrize("way", ["zero", "uniform"])
def test_every_base_is_tried_where_an_ambiguous_one_stands(way, net, codes):
    x = one_hot(codes, ambiguous=way)
    effects = mutation_effects(net, x)
    row, position = (int(n[0]) for n in np.nonzero(codes == 4))
    for base in range(4):
        mutant = x[row : row + 1].copy()
        mutant[0, :, position] = np.eye(4)[base]
        with torch.inference_mode():
            expected = net(torch.from_numpy(mutant)) - net(torch.from_numpy(x[row : row + 1]))
        assert effects[row, base, position] == pytest.approx(float(expected), abs=1e-6)


def test_no_motif_is_read_from_windows_with_an_ambiguous_base(net, codes):
    motifs = {way: filter_motifs(net, one_hot(codes, ambiguous=way)) for way in ("zero", "uniform")}
    assert motifs["zero"]
    for one, other in zip(motifs["zero"], motifs["uniform"], strict=True):
        assert np.allclose(other.pfm, np.round(other.pfm))  # whole bases only
        np.testing.assert_array_equal(one.pfm, other.pfm)
