from __future__ import annotations

import pytest
import torch

from seqdl.experiment.build import create_model, create_task, rebuild_task
from seqdl.layers.onehot import one_hot
from seqdl.tasks.ensemble import Ensemble
from seqdl.types import Batch


def member(seed: int, *, outputs=("target",), **model):
    torch.manual_seed(seed)
    return create_task("binary", create_model("cnn", filters=6, **model), outputs=list(outputs))


@pytest.fixture
def x():
    return one_hot(torch.randint(0, 4, (5, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))


@pytest.fixture
def ensemble():
    return Ensemble([member(0), member(1, width=11), member(2, width=7)])


def test_the_logits_are_the_mean_of_the_members(ensemble, x):
    ensemble.eval()
    expected = torch.stack([one.logits(x) for one in ensemble.tasks]).mean(0)
    torch.testing.assert_close(ensemble.logits(x), expected)
    torch.testing.assert_close(ensemble(x), torch.sigmoid(expected))


def test_an_ensemble_of_one_is_that_one(x):
    one = member(0).eval()
    torch.testing.assert_close(Ensemble([one]).eval().logits(x), one.logits(x))


def test_members_train_as_if_they_were_alone(ensemble, x, monkeypatch):
    monkeypatch.setattr(ensemble.mean_loss, "add", lambda *_, **__: None)
    ensemble.eval()  # no dropout, so that the two ways are comparable
    codes = x.argmax(1).to(torch.uint8)
    targets = (torch.arange(5) % 2).float().unsqueeze(1)
    ensemble.training_step(Batch(codes, targets, torch.arange(5)), 0).backward()
    together = [parameter.grad.clone() for parameter in ensemble.tasks[1].parameters()]
    ensemble.zero_grad()
    one = ensemble.tasks[1]
    one.loss(one.logits(x), targets).backward()
    for parameter, expected in zip(one.parameters(), together, strict=True):
        torch.testing.assert_close(parameter.grad, expected)


def test_calibration_of_the_ensemble_stands_behind_the_mean(ensemble, x):
    ensemble.eval()
    before = ensemble.logits(x)
    ensemble.calibrate([2.0], [-1.0])
    torch.testing.assert_close(ensemble.logits(x), 2 * before - 1)


def test_an_ensemble_is_rebuilt_from_its_recipe(ensemble, x):
    ensemble.eval()
    ensemble.calibrate([2.0], [-1.0])
    twin = rebuild_task(ensemble.recipe).eval()
    twin.load_state_dict(ensemble.state_dict())
    assert torch.equal(twin.logits(x), ensemble.logits(x))


def test_the_first_member_is_the_one_that_is_read(ensemble):
    assert ensemble.reader is ensemble.tasks[0]


def test_an_ensemble_without_members_is_refused():
    with pytest.raises(ValueError, match="without members: at least one task was expected"):
        Ensemble([])


def test_members_with_different_outputs_are_refused():
    with pytest.raises(ValueError, match=r"outputs \['a'\] and Binary with outputs \['b'\]"):
        Ensemble([member(0, outputs=["a"]), member(1, outputs=["b"])])
