"""The contract of tasks that predict every base, and what is each one's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdl.experiment.build import create_model, create_task, rebuild_task
from seqdl.layers.onehot import one_hot, reverse_complement
from seqdl.registry import MODELS, TASKS
from seqdl.tasks.base import STRANDS
from seqdl.tasks.ensemble import Ensemble
from seqdl.types import Batch

PER_BASE = [name for name in TASKS.names() if TASKS.get(name).per_base and TASKS.get(name).family == "supervised"]
ENCODERS = {"cnn": {"filters": 6, "width": 5}, "basset": {"filters": (6, 6), "widths": (5, 3), "pools": (3, 2)}, "unet": {"filters": 4, "depth": 2}}
LENGTH = 44
WHOLE = [name for name in MODELS.names() if "length" in MODELS.options(name)]


def made(task, model="cnn", *, strands="shared", outputs=("one", "two"), **options):
    torch.manual_seed(0)
    extra = 1 if task == "enhancement" else 0
    found = create_task(task, create_model(model, in_channels=4 + extra, **ENCODERS[model]), outputs=list(outputs), strands=strands, **options)
    for module in found.train().modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = 1.0  # the statistics of one batch, so that an untrained network tells bases apart
    found.logits(inputs(task, 16))
    return found.eval()


def inputs(task, n, length=LENGTH, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = one_hot(torch.randint(0, 4, (n, length), dtype=torch.uint8, generator=generator))
    return torch.cat([x, 3 * torch.rand(n, 1, length, generator=generator)], 1) if task == "enhancement" else x


def truth(task, n, length=LENGTH, n_outputs=2):
    generator = torch.Generator().manual_seed(2)
    if task == "localisation":
        found = torch.zeros(n, n_outputs, length)
        found[..., 10:31] = 1.0
        return found
    values = torch.rand(n, n_outputs, length, generator=generator)
    return (values < 0.3).float() if task == "segmentation" else torch.floor(5 * values)


EVERY = [(task, model) for task in PER_BASE for model in ENCODERS]


def test_the_tasks_along_the_sequence_are_there():
    assert {"segmentation", "profile", "enhancement", "localisation"} <= set(PER_BASE)


@pytest.mark.parametrize(("task", "model"), EVERY)
def test_there_is_a_logit_and_a_prediction_for_every_base(task, model):
    found, x = made(task, model), inputs(task, 3)
    assert found.logits(x).shape == found(x).shape == (3, 2, LENGTH)
    torch.testing.assert_close(found(x), found.link(found.logits(x)))
    assert found.summary(found.logits(x)).shape == (3, 2)
    assert found.pool(found(x).detach().numpy()).shape == (3, 2)


@pytest.mark.parametrize("strands", STRANDS)
@pytest.mark.parametrize(("task", "model"), EVERY)
def test_padding_never_changes_a_prediction(task, model, strands):
    found, x = made(task, model, strands=strands), inputs(task, 2, 31)
    padded = torch.cat([x, torch.zeros(2, x.shape[1], 9)], dim=-1)
    torch.testing.assert_close(found(padded, torch.full((2,), 31))[..., :31], found(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("strands", ["shared", "average"])
@pytest.mark.parametrize(("task", "model"), EVERY)
def test_the_other_strand_has_the_same_predictions_turned_round(task, model, strands):
    found, x = made(task, model, strands=strands), inputs(task, 3)
    torch.testing.assert_close(found(reverse_complement(x)).flip(-1), found(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("strands", STRANDS)
@pytest.mark.parametrize("task", PER_BASE)
def test_gradients_reach_every_parameter(task, strands):
    found = made(task, strands=strands).train()
    found.loss(found.logits(inputs(task, 8)), truth(task, 8)).backward()
    for path, parameter in found.named_parameters():
        assert parameter.grad is not None, path
        assert torch.isfinite(parameter.grad).all(), path


@pytest.mark.parametrize("task", PER_BASE)
def test_a_few_steps_lower_the_loss_on_one_batch(task):
    found, x, targets = made(task).train(), inputs(task, 8), truth(task, 8)
    found.prepare(targets.numpy())
    optimiser = torch.optim.Adam(found.parameters(), lr=0.02)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        losses.append(found.loss(found.logits(x), targets))
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < losses[0] - 0.01 * abs(losses[0])  # most of a cross-entropy over places is the spread of the truth itself


@pytest.mark.parametrize("task", PER_BASE)
def test_the_loss_of_a_padded_batch_is_that_of_the_batch_itself(task):
    found, x, targets = made(task), inputs(task, 3, 31), truth(task, 3, 31)
    codes = x[:, :4].argmax(1).to(torch.uint8)
    signal = x[:, 4:] if task == "enhancement" else None
    whole = Batch(codes, targets, torch.arange(3), None, signal)
    longer = [torch.cat([values, torch.full((*values.shape[:-1], 8), fill)], -1) for values, fill in ((codes, 4), (targets, 0.0))]
    wide = None if signal is None else torch.cat([signal, torch.zeros(3, 1, 8)], -1)
    padded = Batch(longer[0].to(torch.uint8), longer[1], torch.arange(3), torch.full((3,), 31), wide)
    torch.testing.assert_close(found.batch_loss(padded), found.batch_loss(whole), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("task", PER_BASE)
def test_the_recipe_and_the_weights_make_the_same_task_again(task):
    found, x = made(task, strands="average"), inputs(task, 2)
    found.prepare(truth(task, 8).numpy())
    twin = rebuild_task(found.recipe).eval()
    twin.load_state_dict(found.state_dict())
    assert torch.equal(twin(x), found(x))


@pytest.mark.parametrize("task", PER_BASE)
def test_an_ensemble_predicts_every_base_by_the_mean_of_the_logits(task):
    members, x = [made(task), made(task, "basset")], inputs(task, 2)
    together = Ensemble(members).eval()
    torch.testing.assert_close(together.logits(x), (members[0].logits(x) + members[1].logits(x)) / 2)
    assert together.pool(together(x).detach().numpy()).shape == (2, 2)


@pytest.mark.parametrize("task", PER_BASE)
def test_a_task_tells_its_metrics_and_what_it_monitors(task):
    found = made(task)
    measured = found.metrics(truth(task, 6).numpy(), found(inputs(task, 6)).detach().numpy())
    assert found.monitor == "val_loss" or found.monitor.removeprefix("val_") in measured
    assert all(isinstance(float(value), float) for value in measured.values())


@pytest.mark.parametrize("model", WHOLE)
@pytest.mark.parametrize("task", PER_BASE)
def test_an_encoder_that_sums_the_window_up_is_refused(task, model):
    with pytest.raises(ValueError, match=r"gives one position for 100 bp, and this task predicts every base"):
        create_task(task, create_model(model, length=100), length=100)


@pytest.mark.parametrize("task", ["counts", "profile", "enhancement"])
def test_negative_counts_are_refused_before_training(task):
    found = create_task(task, create_model("cnn", filters=4))
    with pytest.raises(ValueError, match=rf"reach down to -2, and the task {task} reads them as counts"):
        found.prepare(np.array([[[1.0, -2.0]]]) if found.per_base else np.array([[1.0], [-2.0]]))


# each one's own -------------------------------------------------------------------------------------


def test_segmentation_begins_at_the_share_of_each_label():
    found = made("segmentation")
    targets = np.zeros((10, 2, 20), dtype=np.float32)
    targets[:, 0, :5], targets[:, 1, :10] = 1, 1
    found.prepare(targets)
    np.testing.assert_allclose(torch.sigmoid(found.shift).flatten().numpy(), [0.25, 0.5], rtol=1e-5)


def test_a_positive_weight_of_zero_lets_both_kinds_of_base_count_the_same():
    found = made("segmentation", positive_weight=0.0)
    targets = torch.zeros(10, 2, 20)
    targets[..., :2] = 1
    found.prepare(targets.numpy())
    losses = found.weights[targets.long(), torch.arange(2).view(1, 2, 1)]
    torch.testing.assert_close(losses[targets > 0].sum(), losses[targets == 0].sum())


def test_the_total_of_a_profile_is_the_sum_of_what_is_expected_at_its_bases():
    found, x = made("profile"), inputs("profile", 4)
    found.prepare(np.full((5, 2, LENGTH), 3.0))
    torch.testing.assert_close(found.summary(found.logits(x)).exp(), found(x).sum(-1))


def test_the_loss_of_a_profile_is_its_multinomial_and_the_squared_error_of_the_log_total():
    found, targets = made("profile", total_weight=0.5), truth("profile", 4).double()
    logits = torch.randn(4, 2, LENGTH).double()
    found.prepare(targets.numpy())
    typical = targets.sum(-1).mean(0)
    shape = -(targets * torch.log_softmax(logits, -1)).sum(-1) / typical
    off = (torch.log1p(logits.exp().sum(-1)) - torch.log1p(targets.sum(-1))) ** 2
    torch.testing.assert_close(found.loss(logits, targets), (shape + 0.5 * off).mean(), rtol=1e-5, atol=1e-6)


def test_enhancement_without_correction_is_the_smoothed_input():
    found = made("enhancement", outputs=("one",), span=5, loss="mse")
    with torch.no_grad():
        for parameter in found.head.score[-1].parameters():
            parameter.zero_()
    x = inputs("enhancement", 2)
    wide = np.pad(x[:, 4].numpy(), ((0, 0), (2, 2)), mode="edge")
    expected = np.stack([np.convolve(row, np.full(5, 0.2), mode="valid") for row in wide])
    np.testing.assert_allclose(found(x)[:, 0].detach().numpy(), expected, rtol=1e-5)


def test_enhancement_without_the_sequence_does_not_depend_on_it():
    found, x = made("enhancement", use_sequence=False), inputs("enhancement", 3)
    other = torch.cat([inputs("profile", 3, seed=9), x[:, 4:]], dim=1)
    assert torch.equal(found(x), found(other))


def test_enhancement_without_a_signal_is_refused():
    batch = Batch(torch.zeros(2, LENGTH, dtype=torch.uint8), truth("enhancement", 2), torch.arange(2))
    with pytest.raises(ValueError, match=r"without an input signal: a noisy track was expected beside the clean one"):
        made("enhancement").batch_loss(batch)


def test_the_heat_map_of_a_site_is_highest_on_it_and_adds_up_to_one():
    found = made("localisation", outputs=("one",), half_width=10)
    heat = found.heat(truth("localisation", 1, n_outputs=1))[0, 0]
    assert heat.argmax() == 20
    assert heat.sum().item() == pytest.approx(1)
    torch.testing.assert_close(heat[:41], heat[:41].flip(0))


def test_windows_without_a_site_count_nothing_in_localisation():
    found, logits, targets = made("localisation"), torch.randn(3, 2, LENGTH), truth("localisation", 3)
    targets[2] = 0
    torch.testing.assert_close(found.loss(logits, targets), found.loss(logits[:2], targets[:2]))


@pytest.mark.parametrize("loss", ["poisson", "nbinom"])
def test_counts_begin_at_the_mean_and_are_predicted_as_such(loss):
    found = create_task("counts", create_model("cnn", filters=4), outputs=["a", "b"], loss=loss)
    found.prepare(np.array([[10.0, 200.0], [30.0, 600.0]]))
    torch.testing.assert_close(found.link(found.shift), torch.tensor([20.0, 400.0]))


def test_an_unknown_loss_of_counts_is_refused_by_name():
    with pytest.raises(LookupError, match=r"no loss of the task 'counts' named 'poison'\. Did you mean 'poisson'"):
        create_task("counts", create_model("cnn"), loss="poison")


@pytest.mark.parametrize(("task", "targets"), [("binary", [[0.0], [0.0], [0.0], [1.0]]), ("multiclass", [[0.0], [0.0], [0.0], [1.0]])])
def test_balanced_classes_count_the_same_in_all(task, targets):
    outputs = ["a"] if task == "binary" else ["a", "b"]
    found = create_task(task, create_model("cnn", filters=4), outputs=outputs, class_weights="balanced")
    found.prepare(np.array(targets))
    np.testing.assert_allclose(found.weights.flatten().numpy(), [4 / 6, 2.0], rtol=1e-6)


def test_an_unknown_way_of_weighing_classes_is_refused_by_name():
    with pytest.raises(LookupError, match=r"no way of weighing classes named 'balance'\. Did you mean 'balanced'"):
        create_task("binary", create_model("cnn"), class_weights="balance")
