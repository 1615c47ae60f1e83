from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multinomial, nbinom, poisson
from sklearn.utils.class_weight import compute_class_weight

from seqdl.layers.losses import (
    balanced_weights,
    focal_binary,
    focal_classes,
    mean_of_known,
    multinomial_nll,
    negative_binomial_nll,
    poisson_nll,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def labelled(rng):
    """Logits and targets (B, T, L)."""
    return torch.from_numpy(rng.normal(size=(6, 2, 9))), torch.from_numpy((rng.random((6, 2, 9)) < 0.4).astype(float))


def test_without_focus_and_weights_the_loss_is_that_of_torch(labelled):
    expected = torch.nn.functional.binary_cross_entropy_with_logits(*labelled, reduction="none")
    torch.testing.assert_close(focal_binary(*labelled), expected)


def test_the_weight_of_positives_is_that_of_torch(labelled):
    weights = torch.tensor([[1.0, 1.0], [3.0, 0.5]])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(*labelled, reduction="none", pos_weight=weights[1].view(1, 2, 1))
    torch.testing.assert_close(focal_binary(*labelled, weights=weights), expected)


def test_the_focus_follows_the_formula_of_the_paper(labelled):
    logits, targets = labelled
    right = torch.where(targets > 0, torch.sigmoid(logits), 1 - torch.sigmoid(logits))
    torch.testing.assert_close(focal_binary(logits, targets, gamma=2), -((1 - right) ** 2) * right.log())


def test_the_focus_on_classes_follows_the_formula_of_the_paper(rng):
    logits, classes = torch.from_numpy(rng.normal(size=(12, 4))), torch.from_numpy(rng.integers(0, 4, 12))
    right = torch.softmax(logits, 1)[torch.arange(12), classes]
    torch.testing.assert_close(focal_classes(logits, classes, gamma=1.5), -((1 - right) ** 1.5) * right.log())


def test_the_weights_of_classes_are_those_of_torch(rng):
    logits, classes, weights = torch.from_numpy(rng.normal(size=(12, 4))), torch.from_numpy(rng.integers(0, 4, 12)), torch.rand(4).double()
    torch.testing.assert_close(
        focal_classes(logits, classes, weights=weights), torch.nn.functional.cross_entropy(logits, classes, weight=weights, reduction="none")
    )


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_a_sure_and_right_example_has_a_finite_gradient(gamma):
    logits = torch.tensor([[40.0]], requires_grad=True)
    focal_binary(logits, torch.ones(1, 1), gamma=gamma).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_balanced_weights_are_those_of_sklearn(rng):
    classes = rng.integers(0, 3, 50)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=classes)
    np.testing.assert_allclose(balanced_weights(torch.from_numpy(np.bincount(classes)).float()).numpy(), expected, rtol=1e-6)


def test_a_class_without_examples_weighs_nothing():
    assert balanced_weights(torch.tensor([4.0, 0.0, 4.0])).tolist() == [1.0, 0.0, 1.0]


def test_poisson_is_that_of_torch_and_differs_from_scipy_by_what_no_rate_changes(rng):
    log_rate, counts = rng.normal(size=20), rng.integers(0, 9, 20).astype(float)
    found = poisson_nll(torch.from_numpy(log_rate), torch.from_numpy(counts))
    torch.testing.assert_close(
        found, torch.nn.functional.poisson_nll_loss(torch.from_numpy(log_rate), torch.from_numpy(counts), log_input=True, reduction="none")
    )
    other = poisson_nll(torch.zeros(20).double(), torch.from_numpy(counts))
    np.testing.assert_allclose((found - other).numpy(), poisson.logpmf(counts, 1) - poisson.logpmf(counts, np.exp(log_rate)), atol=1e-12)


@pytest.mark.parametrize("dispersion", [0.05, 1.0, 4.0])
def test_the_negative_binomial_is_that_of_scipy_and_torch(rng, dispersion):
    mean, counts = rng.gamma(2.0, 10.0, 30), rng.integers(0, 60, 30).astype(float)
    size = 1 / dispersion
    found = negative_binomial_nll(torch.from_numpy(np.log(mean)), torch.from_numpy(counts), torch.tensor(np.log(dispersion)))
    np.testing.assert_allclose(found.numpy(), -nbinom.logpmf(counts, size, size / (size + mean)), rtol=1e-9)
    same = torch.distributions.NegativeBinomial(torch.tensor(size, dtype=torch.float64), logits=torch.from_numpy(np.log(mean / size)))
    torch.testing.assert_close(found, -same.log_prob(torch.from_numpy(counts)))


def test_the_multinomial_differs_from_scipy_by_what_no_logit_changes(rng):
    logits, counts = rng.normal(size=(5, 7)), rng.integers(0, 6, (5, 7)).astype(float)
    found = multinomial_nll(torch.from_numpy(logits), torch.from_numpy(counts))
    flat = multinomial_nll(torch.zeros(5, 7).double(), torch.from_numpy(counts))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    n = counts.sum(1)
    expected = multinomial.logpmf(counts, n, np.full(7, 1 / 7)) - multinomial.logpmf(counts, n, p)
    np.testing.assert_allclose((found - flat).numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("loss", [focal_binary, poisson_nll])
def test_what_is_not_known_counts_nothing_and_carries_no_gradient(loss):
    logits = torch.tensor([[0.3, -0.2, 1.0]], requires_grad=True)
    whole = torch.tensor([[1.0, 0.0, float("nan")]])
    found = mean_of_known(loss(logits, whole), whole)
    torch.testing.assert_close(found, loss(logits[:, :2], whole[:, :2]).mean())
    found.backward()
    assert logits.grad[0, 2] == 0
    assert torch.isfinite(logits.grad).all()


def test_the_mean_of_nothing_known_is_zero():
    nothing = torch.full((2, 3), float("nan"))
    assert mean_of_known(torch.ones(2, 3), nothing) == 0
