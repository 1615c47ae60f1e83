"""What holds of every autoencoder and VAE: with any encoder, and with any decoder behind convolutional and recurrent ones."""

from __future__ import annotations

import itertools

import pytest
import torch

from seqdl.experiment.build import create_model, create_task
from seqdl.layers.decoders import DECODERS
from seqdl.layers.onehot import one_hot
from seqdl.registry import MODELS, TASKS
from seqdl.types import Batch

LENGTH = 103
TASKS_BACK = [name for name in TASKS.names() if TASKS.get(name).family == "autoencoder"]
PAIRS = [(task, model, "conv") for task, model in itertools.product(TASKS_BACK, MODELS.names())]
PAIRS += list(itertools.product(TASKS_BACK, ("cnn", "danq", "lstm", "gru"), [kind for kind in DECODERS if kind != "conv"]))


def codes(n):
    return torch.randint(0, 4, (n, LENGTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def made(task, model, decoder):
    """Return a task whose normalisations have seen data."""
    torch.manual_seed(0)
    needs = {"length": LENGTH} if "length" in MODELS.options(model) else {}
    found = create_task(task, create_model(model, **needs), length=LENGTH, latent=8, decoder=decoder).train()
    for module in found.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = 1.0
    found.logits(one_hot(codes(32)))
    return found.eval()


@pytest.mark.parametrize(("task", "model", "decoder"), PAIRS)
def test_every_base_has_its_odds_whatever_else_is_in_the_batch(task, model, decoder):
    found = made(task, model, decoder)
    x = one_hot(codes(4))
    together = found(x)
    assert found.embed(x).shape == (4, 8)
    assert together.shape == (4, 4, LENGTH)
    torch.testing.assert_close(together.sum(1), torch.ones(4, LENGTH))
    torch.testing.assert_close(together, torch.cat([found(row.unsqueeze(0)) for row in x]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("task", "model", "decoder"), PAIRS)
def test_gradients_reach_every_parameter_of_encoder_and_decoder(task, model, decoder):
    found = made(task, model, decoder).train()
    found.batch_loss(Batch(codes(8), torch.empty(8, 0), torch.arange(8))).backward()
    still = [name for name, parameter in found.named_parameters() if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())]
    assert not still


@pytest.mark.parametrize(("task", "decoder"), list(itertools.product(TASKS_BACK, DECODERS)))
def test_another_latent_is_decoded_otherwise(task, decoder):
    found = made(task, "danq", decoder)
    assert (found.decode(torch.zeros(1, 8)) - found.decode(torch.ones(1, 8))).abs().max() > 1e-3
