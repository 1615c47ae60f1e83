"""How much each network of an ensemble counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdl.data.dataset import SequenceData
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.checkpoint import load_task
from seqdl.experiment.config import TrainingConfig
from seqdl.experiment.fit import fit_task
from seqdl.experiment.predict import data_logits
from seqdl.experiment.variants import members_of
from seqdl.experiment.weigh import fit_weights, n_families, weigh_members
from seqdl.layers.onehot import one_hot
from seqdl.tasks.ensemble import Ensemble


def ensemble(task: str = "binary", n: int = 3) -> Ensemble:
    torch.manual_seed(0)
    return Ensemble([create_task(task, create_model("cnn", filters=4, width=7), strands="single") for _ in range(n)]).eval()


def examples(n_val: int = 120, *, numeric: bool = False) -> SequenceData:
    rng = np.random.default_rng(0)
    n = n_val + 40
    split = ["val"] * n_val + ["train", "test"] * 20
    made = SequenceData.from_sequences(
        [rng.integers(0, 4, 40).astype(np.uint8) for _ in range(n)], np.arange(n) % 2, split, names=[str(i) for i in range(n)]
    )
    made.numeric = numeric
    return made


@pytest.fixture
def path(tmp_path):
    """Return a function that saves a task as training does."""

    def saved(task):
        torch.save({"seqdl": {**task.recipe, "library": "seqdl"}, "state_dict": task.state_dict()}, tmp_path / "best.ckpt")
        return tmp_path / "best.ckpt"

    return saved


def test_networks_that_are_surer_of_themselves_count_no_more(path):
    task, data = ensemble(), examples()
    with torch.no_grad():
        task.tasks[0].head.dense[-1].weight *= 50
    weigh_members(task, data, path(task), device="cpu")
    x = one_hot(torch.from_numpy(data.codes[data.rows("val")]))
    with torch.no_grad():
        parts = task.weights.unsqueeze(1) * task.member_logits(x)
    spreads = parts.std(1).flatten().numpy()
    np.testing.assert_allclose(spreads, spreads.mean(), rtol=1e-3)


def test_of_numbers_the_network_that_knows_them_counts_most(path):
    task, data = ensemble("regression"), examples(numeric=True)
    rows = data.rows("val")
    truth = data_logits(task.tasks[1], data, data.rows(), device="cpu")[:, 0]
    data.examples["target"] = 3.0 * truth + 5.0
    weigh_members(task, data, path(task), device="cpu")
    spread = np.array([data_logits(member, data, rows, device="cpu").std() for member in task.tasks])
    shares = task.weights.flatten().numpy() * spread
    assert shares[1] / shares.sum() > 0.6
    said, known = data_logits(task, data, rows, device="cpu")[:, 0], data.truth()[rows, 0]
    slope, shift = np.polyfit(said, known, 1)
    assert (slope, shift) == pytest.approx((1, 0), abs=1e-3)


def test_of_counts_logarithms_are_weighed_and_the_mean_is_met(path):
    task, data = ensemble("counts"), examples(numeric=True)
    rows = data.rows("val")
    noise = np.random.default_rng(0).normal(size=len(data.rows()))
    logits = data_logits(task.tasks[1], data, data.rows(), device="cpu")[:, 0]
    data.examples["target"] = np.round(np.exp((logits - logits.mean()) / logits.std() + 4 + 0.1 * noise))
    weigh_members(task, data, path(task), device="cpu")
    said, known = data_logits(task, data, rows, device="cpu")[:, 0], data.truth()[rows, 0]
    assert np.exp(said).mean() == pytest.approx(known.mean(), rel=1e-4)
    assert np.corrcoef(said, np.log1p(known))[0, 1] > 0.9


def test_a_part_of_a_weight_is_the_same_for_all_that_go_with_the_truth():
    truth = np.array([0.0, 1.0, 2.0, 3.0])
    near = truth + np.array([0.5, -0.5, -0.5, 0.5])
    weights, (scale, shift) = fit_weights(np.stack([2 * truth, near, -truth]), truth)
    shares = weights * [2 * truth.std(), near.std(), truth.std()]
    assert (shares / shares.sum()).tolist() == pytest.approx([0.75, 0.25, 0.0])
    together = scale * weights @ np.stack([2 * truth, near, -truth]) + shift
    assert np.polyfit(together, truth, 1).tolist() == pytest.approx([1, 0], abs=1e-9)


def test_the_fewer_families_the_less_do_weights_follow_the_validation_split(path):
    shares = []
    for copies in (1, 24):
        task, data = ensemble("regression"), examples(240, numeric=True)
        rows = data.rows("val")
        data.codes[rows] = np.repeat(data.codes[rows[::copies]], copies, axis=0)
        assert n_families(data, rows) == 240 // copies
        data.examples["target"] = data_logits(task.tasks[1], data, data.rows(), device="cpu")[:, 0]
        weigh_members(task, data, path(task), device="cpu")
        spread = np.array([data_logits(member, data, rows, device="cpu").std() for member in task.tasks])
        found = task.weights.flatten().numpy() * spread
        shares.append(found[1] / found.sum())
    assert shares[0] > shares[1] > 1 / 3


def test_weights_are_never_negative_and_where_nothing_helps_all_count_the_same():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    weights, (scale, _) = fit_weights(np.stack([truth + rng.normal(size=200), -truth]), truth)
    assert weights.tolist() == [1.0, 0.0]
    assert 0 < scale < 1
    assert fit_weights(np.stack([-truth, -truth]), truth)[0].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("case", ["one network", "few examples", "few numbers", "classes"])
def test_what_cannot_be_weighed_stays_as_it_is(case, path):
    task = ensemble({"classes": "multiclass", "few numbers": "regression"}.get(case, "binary"))
    given = task.tasks[0] if case == "one network" else task
    before = {name: value.clone() for name, value in given.state_dict().items()}
    n_val = {"few examples": 8, "few numbers": 40}.get(case, 120)
    weigh_members(given, examples(n_val, numeric=case == "few numbers"), path(task), device="cpu")
    assert all(torch.equal(value, before[name]) for name, value in given.state_dict().items())


def test_some_members_answer_by_their_own_weights(path):
    task = ensemble()
    task.weigh(np.array([[1.0], [3.0], [0.0]]))
    logits = torch.tensor([[[1.0]], [[2.0]], [[9.0]]])
    assert task.combined(logits).item() == pytest.approx(1.75)
    assert task.combined(logits[:2], [0, 1]).item() == pytest.approx(1.75)
    assert task.combined(logits[2:], [2]).item() == pytest.approx(9.0)


def test_members_of_a_weighed_ensemble_have_the_mean_that_it_answers_with():
    task = ensemble()
    task.weigh(np.array([[1.0], [3.0], [0.5]]))
    x = one_hot(torch.randint(0, 4, (5, 40), dtype=torch.uint8))
    with torch.no_grad():
        torch.testing.assert_close(members_of(task)(x).mean(0), task.logits(x))
    numbers = ensemble("regression")
    assert members_of(numbers) is not None
    numbers.weigh(np.array([[1.0], [3.0], [0.5]]))
    assert members_of(numbers) is None


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_the_disagreement_of_members_that_count_the_same_is_their_standard_deviation(kind):
    task, logits = ensemble(kind), torch.randn(3, 7, 1)
    torch.testing.assert_close(task.disagreement(logits), logits.std(0))


def test_a_checkpoint_of_a_time_without_weights_is_read(tmp_path):
    task = ensemble()
    state = {name: value for name, value in task.state_dict().items() if name != "weights"}
    task.weigh(np.array([[1.0], [3.0], [0.5]]))
    task.load_state_dict(state)
    assert task.weights.flatten().tolist() == [1.0, 1.0, 1.0]


def test_weights_lie_in_the_checkpoint(tmp_path):
    task = ensemble()
    task.recipe = {"members": [member.recipe for member in task.tasks]}
    fit_task(task, examples(), tmp_path, training=TrainingConfig(max_steps=12, batch_size=16), device="cpu")
    again = load_task(tmp_path / "checkpoints" / "best.ckpt")
    assert len(set(again.weights.flatten().tolist())) == 3
    torch.testing.assert_close(again.weights, task.weights)
