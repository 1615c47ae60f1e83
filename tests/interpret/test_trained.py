"""Attributions of a network that has learnt a planted site: the truth, and tangermeme."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from torch import nn

from seqdl.evaluate.metrics import auroc
from seqdl.interpret.attribute import attribute
from seqdl.interpret.ism import mutation_effects
from seqdl.interpret.method import METHODS
from seqdl.interpret.references import make_references
from seqdl.models.cnn import CNN
from seqdl.tasks.binary import Binary

NAMES = METHODS.names()


@pytest.fixture(scope="module")
def learnt():
    """Train a network of the default shape on a site that is planted on either strand; return it, and positives with where their site lies."""
    rng = np.random.default_rng(0)
    site = np.array([3, 3, 0, 1, 1, 1, 2, 2, 1, 0])

    def draw(n):
        codes = rng.integers(0, 4, (n, 80))
        start = rng.integers(0, 70, n)
        for row in range(0, n, 2):
            codes[row, start[row] : start[row] + 10] = site if row % 4 else 3 - site[::-1]
        return np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1).copy(), (np.arange(n) % 2 == 0).astype(np.float32), start

    torch.manual_seed(0)
    task = Binary(CNN(filters=16, width=11))
    optimiser = torch.optim.AdamW(task.parameters(), lr=0.01)
    for _ in range(250):
        x, y, _ = draw(64)
        loss = nn.functional.binary_cross_entropy_with_logits(task.logits(torch.from_numpy(x))[:, 0], torch.from_numpy(y))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    x, y, start = draw(80)
    assert float(((task.eval()(torch.from_numpy(x))[:, 0] > 0.5).numpy() == y).mean()) > 0.95
    at = np.arange(80)
    planted = (at >= start[:, None]) & (at < start[:, None] + 10)
    return task, x[::2], planted[::2]


@pytest.mark.parametrize("method", NAMES)
def test_planted_bases_stand_out_from_the_others(method, learnt):
    task, x, planted = learnt
    heights = np.abs((attribute(task, x, method=method) * x).sum(1))
    assert np.mean([auroc(truth.astype(float), height) for truth, height in zip(planted, heights, strict=True)]) >= 0.95


def test_the_fast_ism_of_a_trained_network_is_the_full_one(learnt):
    task, x, _ = learnt
    fast, full = (mutation_effects(task, x[:5], fast=way) for way in ("yes", "no"))
    assert np.abs(full).max() > 1
    assert np.abs(fast - full).max() < 1e-5 * np.abs(full).max()


def test_deeplift_of_a_trained_network_agrees_with_tangermeme(learnt):
    """On one strand, with a maximum that tangermeme has a rule for."""
    task, x, _ = learnt
    head = task.head.dense
    theirs_net = nn.Sequential(task.encoder.conv, nn.MaxPool1d(80), nn.Flatten(), *head).eval()
    references = make_references(torch.from_numpy(x[:8]), 5).rows(slice(0, 8))
    theirs = deep_lift_shap(theirs_net, torch.from_numpy(x[:8]), references=references, device="cpu").numpy()
    assert np.abs(attribute(theirs_net, x[:8], references=references) - theirs).max() < 1e-4
