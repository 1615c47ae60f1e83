"""Weights of gapped words, held against counting them one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

from seqdl.errors import InputError
from seqdl.interpret.attribute import attribute
from seqdl.layers.heads import SumHead
from seqdl.layers.onehot import one_hot, reverse_complement
from seqdl.layers.words import Words
from seqdl.models.kmers import Kmers
from seqdl.tasks.binary import Binary


def words(width: int = 5, kept: int = 3, *, both_strands: bool = False, dimensions: int = 2) -> Words:
    torch.manual_seed(0)
    made = Words(width=width, kept=kept, dimensions=dimensions, both_strands=both_strands)
    torch.nn.init.normal_(made.weight)
    return made


def codes(n: int = 6, length: int = 30, highest: int = 4) -> torch.Tensor:
    return torch.randint(0, highest, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def one_by_one(made: Words, row: np.ndarray) -> np.ndarray:
    """Return the sum over all words of a sequence, word by word."""
    total = np.zeros(made.dimensions)
    table = made.weight.detach().numpy() * made.step
    for start in range(len(row) - made.width + 1):
        window = row[start : start + made.width]
        if (window > 3).any():
            continue
        for number, mask in enumerate(combinations(range(made.width), made.kept)):
            word = sum(int(window[place]) * 4 ** (made.kept - 1 - k) for k, place in enumerate(mask))
            total += table[:, number * 4**made.kept + word]
    return total


@pytest.mark.parametrize(("width", "kept"), [(5, 3), (4, 4), (6, 2), (8, 6)])
def test_the_sum_is_that_of_all_words_counted_one_by_one(width, kept):
    made, found = words(width, kept), codes(highest=5)
    expected = np.stack([one_by_one(made, row.numpy()) for row in found])
    np.testing.assert_allclose(made(one_hot(found)).sum(-1).detach().numpy(), expected, rtol=1e-4, atol=1e-5)


def test_what_is_expected_of_known_bases_is_what_is_looked_up():
    made, x = words(8, 6), one_hot(codes(highest=5))
    torch.testing.assert_close(made(x.clone().requires_grad_()), made(x), rtol=1e-4, atol=1e-5)


def test_what_is_expected_of_probabilities_is_the_mean_over_draws():
    made = words(3, 2, dimensions=1)
    rates = torch.softmax(torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(2)), dim=1)
    drawn = torch.stack([torch.multinomial(rates[0, :, place], 20_000, replacement=True) for place in range(8)], dim=1)
    mean = made(one_hot(drawn.to(torch.uint8))).mean(0)
    torch.testing.assert_close(made(rates)[0], mean, rtol=0, atol=0.02 * float(mean.abs().max()))


def test_a_gradient_is_the_change_that_another_base_makes():
    made, x = words(5, 3, dimensions=1), one_hot(codes(1, 20))
    start = x.clone().requires_grad_()
    made(start).sum().backward()
    other = x.clone()
    other[0, :, 7] = torch.eye(4)[(int(x[0, :, 7].argmax()) + 1) % 4]
    change = made(other).sum() - made(x).sum()
    torch.testing.assert_close((start.grad * (other - x)).sum(), change, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("highest", [4, 5])
def test_both_strands_say_the_same_where_they_share_their_weights(highest):
    made, x = words(6, 4, both_strands=True), one_hot(codes(highest=highest))
    ahead, back = made(x).sum(-1), made(reverse_complement(x)).sum(-1)
    torch.testing.assert_close(ahead, back, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(words(6, 4)(x).sum(-1), words(6, 4)(reverse_complement(x)).sum(-1), atol=1e-3)


def test_long_batches_are_looked_up_in_parts(monkeypatch):
    made, x = words(), one_hot(codes(7))
    expected = made(x)
    monkeypatch.setattr("seqdl.layers.words.ENTRIES", 1)
    torch.testing.assert_close(made(x), expected)


@pytest.mark.parametrize("strands", ["shared", "average"])
def test_a_sum_over_words_answers_for_either_strand(strands):
    torch.manual_seed(0)
    task = Binary(Kmers(dimensions=1, both_strands=strands == "shared"), strands=strands, pooling="sum").eval()
    torch.nn.init.normal_(task.encoder.words.weight)
    x = one_hot(codes(highest=5))
    torch.testing.assert_close(task(x), task(reverse_complement(x)), rtol=1e-4, atol=1e-5)


def test_deeplift_accounts_for_all_of_a_change_of_words():
    torch.manual_seed(0)
    task = Binary(Kmers(dimensions=1, both_strands=True), pooling="sum").eval()
    torch.nn.init.normal_(task.encoder.words.weight)
    found = codes(4, 60)
    reference = codes(8, 60)[4:].numpy()[:, None]
    scores = attribute(task, one_hot(found), method="deeplift", references=one_hot(torch.from_numpy(reference[:, 0]))[:, None])
    with torch.no_grad():
        change = task.logits(one_hot(found)) - task.logits(one_hot(torch.from_numpy(reference[:, 0])))
    np.testing.assert_allclose(np.asarray(scores).sum((1, 2)), change[:, 0].numpy(), rtol=1e-3, atol=1e-4)


def test_a_sum_is_over_a_sequence_and_not_over_its_padding():
    head = SumHead(2, 2)
    features = torch.ones(1, 2, 10)
    assert head(features, torch.tensor([4])).tolist() == [[4.0, 4.0]]
    assert head(features, torch.tensor([4]), 2 * features).tolist() == [[8.0, 8.0]]


def test_words_within_reach_count_the_same_at_a_base_and_padding_does_not():
    torch.manual_seed(0)
    near, x = Kmers(width=5, kept=4, dimensions=2, reach=7), one_hot(codes(3, 30))
    found = near(x)
    plain = near.words(x)
    for place in (0, 2, 15, 29):
        torch.testing.assert_close(found[..., place], plain[..., max(0, place - 3) : place + 4].mean(-1))
    padded = torch.nn.functional.pad(x, (0, 9))
    torch.testing.assert_close(near(padded, torch.tensor([30, 30, 30]))[..., :30], found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Kmers(reach=10), "an odd number from 1 on was expected"),
        (lambda: words(4, 5), "words of 4 bp of which 5 count"),
        (lambda: words(20, 10), "need .* weights: at most 20,000,000 were expected"),
        (lambda: SumHead(8, 1), "8 channels for 1 outputs: one channel for each output was expected"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_mutants_are_looked_up_where_they_differ_and_nowhere_else():
    torch.manual_seed(0)
    task = Binary(Kmers(width=6, kept=4, dimensions=1, both_strands=True), pooling="sum").eval()
    torch.nn.init.normal_(task.encoder.words.weight)
    found = one_hot(codes(2, 80))
    fast, full = (attribute(task, found, method="ism", fast=fast) for fast in ("yes", "no"))
    np.testing.assert_allclose(np.asarray(fast), np.asarray(full), atol=1e-5)
