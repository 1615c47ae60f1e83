"""Slopes of words between two sequences, held against gradients on the way between them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdl.interpret.attribute import attribute
from seqdl.interpret.word_slopes import subset_shares, word_slopes
from seqdl.layers.onehot import one_hot
from seqdl.layers.words import Words
from seqdl.models.kmers import Kmers
from seqdl.tasks.binary import Binary


def words(width: int, kept: int, *, both_strands: bool = False, dimensions: int = 2) -> Words:
    torch.manual_seed(0)
    made = Words(width=width, kept=kept, dimensions=dimensions, both_strands=both_strands)
    torch.nn.init.normal_(made.weight)
    return made


def pairs(n: int, length: int, highest: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    ours, theirs = (torch.randint(0, 4, (n, length), dtype=torch.uint8, generator=generator) for _ in range(2))
    if highest > 4:
        unknown = torch.rand(n, length, generator=generator) < 0.1
        ours[unknown], theirs[unknown] = 4, 4
    return one_hot(ours), one_hot(theirs)


@pytest.mark.parametrize(("width", "kept"), [(4, 4), (5, 3), (8, 6)])
@pytest.mark.parametrize("highest", [4, 5])
@pytest.mark.parametrize("both_strands", [False, True])
def test_slopes_are_those_on_the_way(width, kept, highest, both_strands):
    made, (ours, theirs) = words(width, kept, both_strands=both_strands), pairs(3, 20, highest)
    weight = torch.randn(3, 2, 20, generator=torch.Generator().manual_seed(2))  # what is behind the words
    mean = torch.zeros_like(ours)
    for place, share in zip(*np.polynomial.legendre.leggauss(6), strict=True):
        here = torch.lerp(theirs, ours, (place + 1) / 2).requires_grad_()
        mean += share / 2 * torch.autograd.grad((made(here) * weight).sum(), here)[0]
    found = torch.zeros_like(made.padded(ours))
    for standing, slope in zip((ours, theirs), word_slopes(made, ours, theirs), strict=True):
        at_place = torch.einsum("bdwl,bdl->wbl", slope, weight)
        for place in range(width):
            here = slice(place, place + 20)
            found[..., here] += made.padded(standing)[..., here] * at_place[place][:, None]
    before = (width - 1) // 2
    change = ours - theirs  # what is the same towards all four bases of a place is not asked for
    expected = (mean * change).sum(1)
    torch.testing.assert_close((found[..., before : before + 20] * change).sum(1), expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_shares_of_subsets_add_up_to_one():
    torch.testing.assert_close(subset_shares(6).sum(1), torch.ones(12))


@pytest.mark.parametrize("dense", [False, True])
def test_contributions_with_and_without_hypothetical_ones_agree_where_a_base_stands(dense):
    torch.manual_seed(0)
    task = Binary(Kmers(width=6, kept=5, dimensions=1, both_strands=True), pooling="sum", activation="tanh", hidden=3).eval()
    torch.nn.init.normal_(task.encoder.words.weight)
    ours, theirs = pairs(4, 30)
    references = torch.full((4, 1, 4, 30), 0.25) if dense else theirs[:, None]
    plain, every = (attribute(task, ours, method="deeplift", references=references, hypothetical=asked) for asked in (False, True))
    shown = (every * ours.numpy()).sum(1)
    np.testing.assert_allclose(plain.sum(1), shown, rtol=1e-3, atol=1e-4 * np.abs(shown).max())
    assert np.abs(every[ours.numpy() == 0]).max() > 1e-3


def test_an_unknown_base_against_a_known_one_still_adds_up():
    torch.manual_seed(0)
    task = Binary(Kmers(width=6, kept=4, dimensions=1), pooling="sum").eval()
    torch.nn.init.normal_(task.encoder.words.weight)
    ours, theirs = pairs(2, 25)
    ours[:, :, 7] = 0
    scores = attribute(task, ours, method="deeplift", references=theirs[:, None])
    with torch.no_grad():
        change = task.logits(ours) - task.logits(theirs)
    np.testing.assert_allclose(scores.sum((1, 2)), change[:, 0].numpy(), rtol=1e-3, atol=1e-3)
