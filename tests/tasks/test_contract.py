"""The contract of tasks that predict something of a sequence, over every such task x every registered model."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.experiment.build import create_model, create_task, rebuild_task
from seqdl.layers.onehot import one_hot, reverse_complement
from seqdl.registry import MODELS, TASKS
from seqdl.tasks.base import STRANDS
from seqdl.tasks.ensemble import Ensemble
from seqdl.types import Batch

SUPERVISED = [name for name in TASKS.names() if TASKS.get(name).family == "supervised" and not TASKS.get(name).per_base]
FEW = ("cnn", "basset", "lstm")
"""The models that every task is tried with; all of them are tried with the first task."""
PAIRS = [(task, model) for task, model in itertools.product(SUPERVISED, MODELS.names()) if task == "binary" or model in FEW]
LENGTH = 100
ANY_LENGTH = [(task, model) for task, model in PAIRS if "length" not in MODELS.options(model)]


def made(task: str, model: str, *, outputs=("one", "two"), seed=0, **options):
    """Return a task whose normalisations have seen data, ready to predict."""
    torch.manual_seed(seed)
    needs = {"length": LENGTH} if "length" in MODELS.options(model) else {}
    found = create_task(task, create_model(model, **needs), outputs=list(outputs), **options).train()
    for module in found.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = 1.0  # the statistics of one batch, so that an untrained network tells sequences apart
    found.logits(one_hot(codes(32)))
    return found.eval()


def codes(n: int, length: int = LENGTH, seed: int = 3) -> torch.Tensor:
    return torch.randint(0, 5, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_there_is_a_logit_and_a_prediction_for_every_output(task, model):
    found = made(task, model)
    x = one_hot(codes(5))
    assert found.logits(x).shape == (5, 2)
    assert found(x).shape == (5, 2)
    torch.testing.assert_close(found(x), found.link(found.logits(x)))
    assert (found.logits(x).std(0) > 1e-4).all()  # weights of words begin near zero


@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_the_size_of_the_batch_does_not_change_a_prediction(task, model):
    found = made(task, model)
    x = one_hot(codes(7))
    torch.testing.assert_close(found(x), torch.cat([found(row.unsqueeze(0)) for row in x]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("pooling", ["max", "mean", "attention"])
@pytest.mark.parametrize("strands", STRANDS)
@pytest.mark.parametrize(("task", "model"), ANY_LENGTH)
def test_padding_never_changes_a_prediction(task, model, strands, pooling):
    options = {"pooling": pooling} if "pooling" in TASKS.options(task) else {}
    found = made(task, model, strands=strands, **options)
    for length in (49, 73, 100):
        x = one_hot(codes(3, length))
        for padded_length in (100, 107, 131):
            padded = torch.cat([x, torch.zeros(3, 4, padded_length - length)], dim=-1)
            torch.testing.assert_close(found.logits(padded, torch.full((3,), length)), found.logits(x))


@pytest.mark.parametrize(("task", "model"), ANY_LENGTH)
def test_sequences_of_different_lengths_share_a_batch(task, model):
    found = made(task, model)
    lengths = torch.tensor([50, 100, 77])
    batch = codes(3)
    for row, n in enumerate(lengths.tolist()):
        batch[row, n:] = 4
    together = found.logits(one_hot(batch), lengths)
    alone = torch.cat([found.logits(one_hot(batch[row : row + 1, :n])) for row, n in enumerate(lengths.tolist())])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("strands", STRANDS)
@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_gradients_reach_every_parameter(task, model, strands):
    found = made(task, model, strands=strands).train()
    batch = Batch(codes(32), (torch.arange(64).reshape(32, 2) % 3 == 0).float(), torch.arange(32))
    found.loss(found.logits(one_hot(batch.codes)), batch.targets).backward()
    for path, parameter in found.named_parameters():
        assert parameter.grad is not None, path
        assert torch.isfinite(parameter.grad).all(), path


@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_a_few_steps_lower_the_loss_on_one_batch(task, model):
    found = made(task, model).train()
    x, targets = one_hot(codes(32)), (torch.arange(64).reshape(32, 2) % 3 == 0).float()
    optimiser = torch.optim.Adam(found.parameters(), lr=0.01)
    losses = []
    for _ in range(25):
        optimiser.zero_grad()
        losses.append(found.loss(found.logits(x), targets))
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_the_recipe_and_the_weights_make_the_same_task_again(task, model, tmp_path):
    found = made(task, model, strands="average")
    torch.save({"seqdl": found.recipe, "state_dict": found.state_dict()}, tmp_path / "task.ckpt")
    state = torch.load(tmp_path / "task.ckpt", weights_only=True)
    twin = rebuild_task(state["seqdl"]).eval()
    twin.load_state_dict(state["state_dict"])
    x = one_hot(codes(4))
    assert torch.equal(twin(x), found(x))
    assert (twin.outputs, twin.strands) == (["one", "two"], "average")


@pytest.mark.parametrize("task", SUPERVISED)
def test_a_task_tells_its_metrics_and_what_it_monitors(task):
    found = made(task, "cnn")
    rng = np.random.default_rng(0)
    measured = found.metrics((rng.random((40, 2)) < 0.5).astype(float), rng.random((40, 2)))
    assert found.monitor == "val_loss" or found.monitor.removeprefix("val_") in measured
    assert all(isinstance(float(value), float) for value in measured.values())


@pytest.mark.parametrize("task", TASKS.names())
def test_a_task_is_documented_with_an_example(task):
    text = inspect.getdoc(TASKS.get(task))
    assert "Examples" in text
    for key in TASKS.options(task):
        assert key in text, key


# strands --------------------------------------------------------------------------------------------

POOLED = [(strands, model) for strands in ("shared", "average") for model in MODELS.names()]
SYMMETRIC = {pair: made("binary", pair[1], strands=pair[0]) for pair in POOLED}


@pytest.mark.parametrize("pair", POOLED, ids="-".join)
@given(letters=st.lists(st.integers(0, 4), min_size=LENGTH, max_size=LENGTH))
@settings(max_examples=15, deadline=None)
def test_both_strands_give_one_prediction(pair, letters):
    x = one_hot(torch.tensor([letters], dtype=torch.uint8))
    torch.testing.assert_close(SYMMETRIC[pair].logits(reverse_complement(x)), SYMMETRIC[pair].logits(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("strands", ["shared", "average"])
@pytest.mark.parametrize("model", [model for task, model in ANY_LENGTH if task == "binary"])
def test_both_strands_give_one_prediction_in_padded_batches_too(model, strands):
    found = made("binary", model, strands=strands)
    lengths = torch.tensor([50, 100, 77])
    batch = codes(3)
    for row, n in enumerate(lengths.tolist()):
        batch[row, n:] = 4
    x = one_hot(batch)
    torch.testing.assert_close(found.logits(reverse_complement(x, lengths), lengths), found.logits(x, lengths))


@pytest.mark.parametrize("strands", ["single", "augment"])
@pytest.mark.parametrize("model", MODELS.names())
def test_a_single_strand_is_told_from_the_other(model, strands):
    found = made("binary", model, strands=strands)
    x = one_hot(codes(8))
    assert not torch.allclose(found.logits(reverse_complement(x)), found.logits(x), atol=1e-3)


def test_average_is_the_mean_of_the_two_strands():
    both = made("binary", "cnn", strands="average")
    one = made("binary", "cnn", strands="single")
    one.load_state_dict(both.state_dict())
    x = one_hot(codes(4))
    torch.testing.assert_close(both.logits(x), (one.logits(x) + one.logits(reverse_complement(x))) / 2)


def test_an_unknown_way_of_reading_strands_is_refused():
    with pytest.raises(LookupError, match=r"no way of reading strands named 'share'\. Did you mean 'shared'"):
        create_task("binary", create_model("cnn"), strands="share")


def test_an_encoder_that_keeps_no_contract_is_refused_by_name():
    with pytest.raises(ValueError, match=r"the encoder Conv1d has no \.channels"):
        create_task("binary", torch.nn.Conv1d(4, 8, 3))


def test_an_encoder_of_ones_own_is_taken_when_it_keeps_the_contract():
    encoder = torch.nn.Conv1d(4, 8, 3, padding=1)

    class Own(torch.nn.Module):
        channels, stride = 8, 1

        def __init__(self):
            super().__init__()
            self.conv = encoder

        def forward(self, x, lengths=None):
            return self.conv(x)

    task = create_task("binary", Own()).eval()
    assert task(one_hot(codes(2))).shape == (2, 1)
    with pytest.raises(ValueError, match=r"was not made by seqdl\.create_model"):
        rebuild_task(task.recipe)


def test_an_ensemble_of_every_task_keeps_its_outputs():
    for task in SUPERVISED:
        found = Ensemble([made(task, "cnn", seed=seed) for seed in (0, 1)]).eval()
        assert found.outputs == ["one", "two"]
        assert found(one_hot(codes(3))).shape == (3, 2)
