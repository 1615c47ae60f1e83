from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from seqdl.experiment.build import create_model, create_task
from seqdl.layers.onehot import one_hot, reverse_complement
from seqdl.tasks.base import STRANDS


@pytest.fixture
def task():
    torch.manual_seed(0)
    return create_task("binary", create_model("cnn", filters=6), outputs=["a", "b"]).eval()


@pytest.fixture
def x():
    return one_hot(torch.randint(0, 4, (30, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))


def test_the_loss_is_the_log_loss_of_sklearn(task):
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(50, 2)), (rng.random((50, 2)) < 0.4).astype(float)
    expected = np.mean([log_loss(targets[:, t], 1 / (1 + np.exp(-logits[:, t]))) for t in range(2)])
    assert task.loss(torch.from_numpy(logits), torch.from_numpy(targets)).item() == pytest.approx(expected)


def test_the_metrics_are_the_means_of_those_of_sklearn(task):
    rng = np.random.default_rng(1)
    targets, predictions = (rng.random((80, 2)) < 0.3).astype(float), rng.random((80, 2))
    found = task.metrics(targets, predictions)
    assert found["auroc"] == pytest.approx(np.mean([roc_auc_score(targets[:, t], predictions[:, t]) for t in range(2)]))
    assert found["auprc"] == pytest.approx(np.mean([average_precision_score(targets[:, t], predictions[:, t]) for t in range(2)]))


def test_calibration_keeps_the_ranking_of_every_output(task, x):
    before = task.logits(x).detach().numpy()
    task.calibrate(np.array([0.3, 4.0]), np.array([-2.0, 1.0]))
    after = task.logits(x).detach().numpy()
    np.testing.assert_array_equal(before.argsort(axis=0, kind="stable"), after.argsort(axis=0, kind="stable"))
    np.testing.assert_allclose(after, before * [0.3, 4.0] + [-2.0, 1.0], rtol=1e-5)


def test_calibrating_again_replaces_the_first_line(task, x):
    before = task.logits(x)
    task.calibrate(np.array([3.0, 3.0]), np.array([1.0, 1.0]))
    task.calibrate(np.array([1.0, 1.0]), np.array([0.0, 0.0]))
    torch.testing.assert_close(task.logits(x), before)


def test_calibration_travels_with_the_weights(task, x):
    task.calibrate(np.array([0.3, 4.0]), np.array([-2.0, 1.0]))
    twin = create_task("binary", create_model("cnn", filters=6), outputs=["a", "b"]).eval()
    twin.load_state_dict(task.state_dict())
    assert torch.equal(twin.logits(x), task.logits(x))


@pytest.mark.parametrize("hidden", [0, 16])
def test_the_dense_layer_can_be_left_out(hidden):
    task = create_task("binary", create_model("cnn", filters=6), hidden=hidden)
    n_linear = sum(isinstance(module, torch.nn.Linear) for module in task.head.modules())
    assert n_linear == (2 if hidden else 1)


@pytest.mark.parametrize("strands", STRANDS)
@pytest.mark.parametrize(("length", "span", "outside"), [(100, 40, 30), (101, 40, 30), (60, 90, 0)])
def test_nothing_beyond_the_span_is_read(strands, length, span, outside):
    torch.manual_seed(0)
    task = create_task("binary", create_model("cnn", filters=8), strands=strands, span=span).eval()
    x = one_hot(torch.randint(0, 4, (4, length), dtype=torch.uint8))
    other = x.clone()
    if outside:
        other[..., :outside], other[..., -outside:] = other[..., :outside].roll(1, dims=1), other[..., -outside:].roll(1, dims=1)
    torch.testing.assert_close(task.logits(other), task.logits(x))
    changed = x.clone()
    changed[..., outside : length - outside] = changed[..., outside : length - outside].roll(1, dims=1)
    assert not torch.allclose(task.logits(changed), task.logits(x))
    padded = torch.cat([x, torch.zeros(4, 4, 9)], dim=-1)
    torch.testing.assert_close(task.logits(padded, torch.full((4,), length)), task.logits(x))
    if strands in ("shared", "average"):
        torch.testing.assert_close(task.logits(reverse_complement(x)), task.logits(x))


def test_a_span_of_no_bases_is_refused():
    with pytest.raises(ValueError, match="the span is 0 bp: 1 or more in the middle"):
        create_task("binary", create_model("cnn"), span=0)
