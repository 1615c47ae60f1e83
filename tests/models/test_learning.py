"""Each network learns a planted motif in a few steps: wherever it stands, or at its place where the network knows places alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdl.evaluate.metrics import auroc
from seqdl.experiment.build import create_model
from seqdl.layers.onehot import one_hot
from seqdl.registry import MODELS
from seqdl.tasks.binary import Binary

LENGTH = 60
SITE = np.array([3, 3, 0, 1, 1, 1, 2, 2, 1, 0])
CONVOLUTIONAL = ("cnn", "basset", "lenet", "alexnet", "vgg", "resnet", "inception", "dilated", "unet")


def planted(n: int, *, anywhere: bool, seed: int) -> tuple[torch.Tensor, np.ndarray]:
    """Return sequences of which every second one holds a site, and which do."""
    rng = np.random.default_rng(seed)
    codes, target = rng.integers(0, 4, (n, LENGTH)), np.arange(n) % 2
    for row in np.flatnonzero(target):
        start = rng.integers(0, LENGTH - len(SITE)) if anywhere else 25
        codes[row, start : start + len(SITE)] = np.where(rng.random(len(SITE)) < 0.1, rng.integers(0, 4, len(SITE)), SITE)
    return one_hot(torch.from_numpy(codes.astype(np.uint8))), target


def learned(name: str, *, anywhere: bool, steps: int = 80) -> float:
    """Return the AUROC on sequences that were not seen, after some steps."""
    torch.manual_seed(0)
    needs = {"length": LENGTH} if "length" in MODELS.options(name) else {}
    task = Binary(create_model(name, **needs), strands="single").train()
    x, y = planted(1_000, anywhere=anywhere, seed=0)
    optimiser = torch.optim.AdamW(task.parameters(), lr=3e-3, weight_decay=0.01)
    for rows in torch.randint(len(x), (steps, 64)):
        optimiser.zero_grad()
        task.loss(task.logits(x[rows]), torch.from_numpy(y)[rows].float().unsqueeze(1)).backward()
        optimiser.step()
    fresh, truth = planted(1_000, anywhere=anywhere, seed=1)
    with torch.inference_mode():
        return auroc(truth, task.eval().logits(fresh)[:, 0].numpy())


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_a_convolutional_network_learns_a_motif_that_may_stand_anywhere(name):
    assert learned(name, anywhere=True) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_network_over_the_whole_window_learns_a_motif_at_its_place_and_only_there(name):
    assert learned(name, anywhere=False) > 0.95
    assert learned(name, anywhere=True) < 0.8
