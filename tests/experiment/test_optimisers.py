"""Optimisers, schedules, penalties and balanced batches."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.cli.main import main
from seqdl.data.datamodule import Loading, SequenceDataModule
from seqdl.data.dataset import SequenceData
from seqdl.errors import Interrupted
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.callbacks import Penalty
from seqdl.experiment.config import TrainingConfig
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.fit import Fitting, fit_task, loading_of, optimisation_of
from seqdl.experiment.lr_finder import find_lr
from seqdl.experiment.predict import predict_logits
from seqdl.tasks.optimise import OPTIMISERS, SCHEDULES, Optimisation, make_optimiser, make_schedule, parameter_groups

KINDS = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "rmsprop": torch.optim.RMSprop,
    "momentum": torch.optim.SGD,
    "sgd": torch.optim.SGD,
}


@pytest.fixture(scope="module")
def data() -> SequenceData:
    return planted_set(n=300, length=50)


def classes(n: int = 120) -> SequenceData:
    """Return three classes, of which one is rare."""
    rng = np.random.default_rng(0)
    names = np.array(["a", "b", "c"])[np.r_[np.zeros(n // 2), np.ones(n // 2 - 6), np.full(6, 2)].astype(int)]
    split = np.array(["train", "train", "val", "test"])[np.arange(n) % 4]
    made = SequenceData.from_sequences(list(rng.integers(0, 4, (n, 40)).astype(np.uint8)), np.zeros(n), split, names=[f"s{i}" for i in range(n)])
    made.examples["target"], made.classes = names, ["a", "b", "c"]
    return made


def task(seed: int = 0, **options):
    torch.manual_seed(seed)
    return create_task("binary", create_model("cnn", filters=6, width=11), dropout=0.2, **options)


def configured(made, steps: int = 10):
    """Return what a task gives Lightning for a training of so many steps."""
    made.trainer = SimpleNamespace(estimated_stepping_batches=steps)
    return made.configure_optimizers()


# optimisers -------------------------------------------------------------------------------------------


def test_the_names_in_the_config_are_those_of_the_tasks():
    fields = {f.name: f.metadata["choices"] for f in TrainingConfig.__dataclass_fields__.values()}
    assert (fields["optimiser"], fields["schedule"]) == (OPTIMISERS, SCHEDULES)
    assert optimisation_of(TrainingConfig()) == Optimisation()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_moves_weights_as_torch_does(name):
    torch.manual_seed(0)
    first, second, x = nn.Linear(3, 1), nn.Linear(3, 1), torch.randn(8, 3)
    second.load_state_dict(first.state_dict())
    more = {"momentum": 0.7} if name == "momentum" else {"fused": True} if name in ("adam", "adamw") else {}
    ours = make_optimiser(first.parameters(), Optimisation(lr=0.05, weight_decay=0.1, optimiser=name, momentum=0.7))
    theirs = KINDS[name](second.parameters(), lr=0.05, weight_decay=0.1, **more)
    for layer, optimiser in ((first, ours), (second, theirs)):
        for _ in range(3):
            optimiser.zero_grad()
            layer(x).square().mean().backward()
            optimiser.step()
    assert torch.equal(first.weight, second.weight)


def test_the_default_is_adamw_under_one_cycle_of_torch():
    made = task()
    found = configured(made, 12)
    reference = torch.optim.AdamW(task().parameters(), lr=0.01, weight_decay=0.01)
    cycle = torch.optim.lr_scheduler.OneCycleLR(reference, max_lr=0.01, total_steps=12, pct_start=0.25)
    assert type(found["optimizer"]) is torch.optim.AdamW
    for _ in range(11):
        ours, theirs = found["optimizer"].param_groups[0], reference.param_groups[0]
        assert (ours["lr"], ours["betas"], ours["weight_decay"]) == (theirs["lr"], theirs["betas"], theirs["weight_decay"])
        for optimiser, schedule in ((found["optimizer"], found["lr_scheduler"]["scheduler"]), (reference, cycle)):
            optimiser.step()
            schedule.step()


SHAPES = {
    "constant": [1.0] * 8,
    "cosine": [(1 + math.cos(math.pi * k / 8)) / 2 for k in range(8)],
    "warmup": [1 / 4, 2 / 4, 3 / 4, 1, 1, 1, 1, 1],
    "warmup-cosine": [1 / 4, 2 / 4, 3 / 4, 1, 1, (1 + math.cos(math.pi / 4)) / 2, 0.5, (1 + math.cos(3 * math.pi / 4)) / 2],
    "step": [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125],
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_schedule_has_its_shape(name):
    options = Optimisation(lr=0.2, schedule=name, warmup=0.5, decay=0.5, decay_every=0.25)
    optimiser = make_optimiser(nn.Linear(2, 1).parameters(), options)
    schedule, rates = make_schedule(optimiser, options, 8), []
    for _ in range(8):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    np.testing.assert_allclose(rates, 0.2 * np.array(SHAPES[name]), rtol=1e-12)


def test_plateau_falls_where_the_score_does_not_rise(data, tmp_path):
    training = TrainingConfig(max_steps=30, batch_size=32, lr=1e-6, schedule="plateau", plateau=1, decay=0.5)
    fit_task(task(), data, tmp_path, training=training, device="cpu")
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    best, bad, rate, expected = -1.0, 0, 1e-6, []
    for row in rows:
        bad = 0 if float(row["val_auroc"]) > best * (1 + 1e-4 * np.sign(best)) else bad + 1
        best = max(best, float(row["val_auroc"]))
        if bad > 1:
            rate, bad = rate / 2, 0
        expected.append(rate)
    assert len(set(expected)) > 1
    np.testing.assert_allclose([float(row["lr"]) for row in rows], expected, rtol=1e-5)


@pytest.mark.parametrize("optimiser", ["sgd", "rmsprop"])
def test_one_cycle_gives_no_momentum_to_what_has_none(optimiser):
    made = task()
    made.optimisation = Optimisation(optimiser=optimiser)
    found = configured(made)
    for _ in range(5):
        found["optimizer"].step()
        found["lr_scheduler"]["scheduler"].step()
    assert found["optimizer"].param_groups[0]["momentum"] == 0


def test_the_encoder_can_have_a_rate_of_its_own():
    made = task()
    groups = parameter_groups(made, Optimisation(lr=0.01, encoder_lr=0.001))
    assert [group["lr"] for group in groups] == [0.001, 0.01]
    assert groups[0]["params"] == list(made.encoder.parameters())
    assert sum(len(group["params"]) for group in groups) == len(list(made.parameters()))
    made.optimisation = Optimisation(lr=0.01, encoder_lr=0.0)
    found = configured(made)
    assert [group["max_lr"] for group in found["optimizer"].param_groups] == [0.0, 0.01]


def test_where_everything_is_frozen_there_is_nothing_to_train():
    made = task().requires_grad_(False)
    with pytest.raises(ValueError, match="every weight of the network is frozen"):
        configured(made)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Optimisation(optimiser="adan"), r"no optimiser named 'adan'\. Did you mean 'adam'"),
        (Optimisation(schedule="cosin"), r"no schedule named 'cosin'\. Did you mean 'cosine'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(options, message):
    made = task()
    made.optimisation = options
    with pytest.raises(LookupError, match=message):
        configured(made)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--optimiser", "adamx"], "no value for training.optimiser named 'adamx'"),
        (["--schedule", "linear"], "no value for training.schedule named 'linear'"),
        (["--l1", "-1"], "training.l1 is -1.0: 0 or more was expected"),
        (["--decay", "2"], "training.decay is 2.0: 1e-06 to 1 was expected"),
        (["--momentum", "1"], "training.momentum is 1.0: 0 to 0.999 was expected"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_read(words, message, capsys):
    assert main(["train", "a.fa", "b.fa", "-o", "x", *words]) == 1
    assert message in capsys.readouterr().err


# penalties --------------------------------------------------------------------------------------------


def test_a_penalty_is_the_gradient_of_its_formula():
    made, x, l1, l2 = task().train(), torch.randn(4, 4, 30), 0.03, 0.2
    torch.manual_seed(1)
    made.raw_logits(x).sum().backward()
    Penalty(l1, l2).on_after_backward(SimpleNamespace(), made)
    ours = {name: weight.grad.clone() for name, weight in made.named_parameters()}
    made.zero_grad()
    torch.manual_seed(1)
    kernels = [weight for weight in made.parameters() if weight.ndim > 1]
    (made.raw_logits(x).sum() + sum(l1 * w.abs().sum() + l2 / 2 * w.square().sum() for w in kernels)).backward()
    for name, weight in made.named_parameters():
        torch.testing.assert_close(ours[name], weight.grad)


def test_l1_makes_weights_small(data, tmp_path):
    sizes = []
    for l1 in (0.0, 0.1):
        made = task()
        fit_task(made, data, tmp_path / str(l1), training=TrainingConfig(max_steps=24, batch_size=32, l1=l1), device="cpu")
        sizes.append(float(made.encoder.conv.weight.detach().abs().sum()))
    assert sizes[1] < 0.8 * sizes[0]


# resuming ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"optimiser": "momentum", "schedule": "plateau", "plateau": 0, "l1": 1e-4},
        {"optimiser": "rmsprop", "schedule": "step", "encoder_lr": 1e-3, "l2": 1e-3},
        {"optimiser": "adam", "schedule": "warmup-cosine", "patience": 8},
    ],
    ids=lambda options: options["schedule"],
)
def test_every_schedule_goes_on_where_it_was_stopped(options, data, tmp_path, monkeypatch):
    training = TrainingConfig(max_steps=24, batch_size=32, **options)
    whole, stopped, resumed = task(), task(), task(seed=99)
    fit_task(whole, data, tmp_path / "whole", training=training, device="cpu")
    step = type(stopped).training_step

    def step_or_stop(self, batch, batch_index):
        if self.trainer.current_epoch == 5 and batch_index == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_index)

    with monkeypatch.context() as patch:
        patch.setattr(type(stopped), "training_step", step_or_stop)
        with pytest.raises(Interrupted, match="training was stopped after epoch 5"):
            fit_task(stopped, data, tmp_path / "stopped", training=training, device="cpu")
    fit_task(resumed, data, tmp_path / "stopped", training=training, device="cpu", resume=True)
    np.testing.assert_array_equal(predict_logits(resumed, data.codes, device="cpu"), predict_logits(whole, data.codes, device="cpu"))
    logs = [[line.rsplit(",", 1)[0] for line in Path(tmp_path / name / "log.csv").read_text().splitlines()] for name in ("whole", "stopped")]
    assert logs[0] == logs[1]


# balanced batches ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "expected"), [(9, [3, 3, 3]), (32, [11, 11, 10])])
def test_balanced_batches_hold_every_class_equally_often(size, expected):
    made = classes()
    loader = SequenceDataModule(made, Loading(size, 4, balanced=True)).train_dataloader()
    for batch in loader:
        assert torch.bincount(batch.targets[:, 0].long()).tolist() == expected
        assert set(batch.index.tolist()) <= set(made.rows("train").tolist())


def test_every_example_of_a_class_is_shown_before_one_is_shown_again():
    made = classes()
    shown = torch.cat([batch.index for batch in SequenceDataModule(made, Loading(9, 10, balanced=True)).train_dataloader()])
    seen = np.bincount(shown.numpy(), minlength=len(made))
    for name in made.classes:
        rows = [row for row in made.rows("train") if made.examples["target"][row] == name]
        assert seen[rows].max() - seen[rows].min() <= 1


def test_a_batch_that_is_smaller_than_the_number_of_classes_is_refused():
    with pytest.raises(ValueError, match="a batch holds 2 examples of 3 classes"):
        SequenceDataModule(classes(), Loading(2, 4, balanced=True)).train_dataloader()


def test_balance_of_two_classes_is_half_and_half(data):
    made = loading_of(TrainingConfig(balance=True, batch_size=10), task(), data, epoch_steps=3)
    for batch in SequenceDataModule(data, made).train_dataloader():
        assert batch.targets.sum() == 5


def test_numbers_have_no_classes_to_balance(data):
    numbers = SequenceData(data.codes, data.examples, data.outputs, numeric=True)
    regression = create_task("regression", create_model("cnn", filters=4))
    with pytest.raises(ValueError, match="--balance was given for regression targets"):
        loading_of(TrainingConfig(balance=True), regression, numbers, epoch_steps=3)


def test_balanced_classes_are_trained_on(tmp_path):
    made = classes()
    several = create_task("multiclass", create_model("cnn", filters=4, width=5), outputs=["a", "b", "c"])
    fit_task(several, made, tmp_path, training=TrainingConfig(max_steps=12, batch_size=9, balance=True), device="cpu")
    assert (tmp_path / "log.csv").is_file()


# the learning rate --------------------------------------------------------------------------------------


def test_a_range_test_suggests_a_rate_from_where_the_loss_falls(data, tmp_path):
    made = task()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    found = find_lr(Fitting(made, data, tmp_path, TrainingConfig(batch_size=32), device="cpu"))
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert not list(tmp_path.iterdir())
    place = int(np.abs(np.log(found.rates / found.suggestion)).argmin())
    assert 0.001 < found.suggestion < 1
    assert found.losses[place - 10 : place].mean() > found.losses[place + 1 : place + 11].mean()
    assert (np.diff(found.rates) > 0).all()
    found.write(tmp_path / "lr_range.tsv")
    assert len((tmp_path / "lr_range.tsv").read_text().splitlines()) == 1 + len(found.rates)


def test_a_range_test_that_finds_no_fall_says_so(data, tmp_path):
    noise = SequenceData(data.codes, data.examples.copy(), data.outputs)
    made = task()
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(0).add_(float("nan"))
    with pytest.raises(ValueError, match="--find-lr: the loss fell for 0 steps only"):
        find_lr(Fitting(made, noise, tmp_path, TrainingConfig(batch_size=32), device="cpu"))


def test_a_rate_that_was_found_stands_in_the_config_of_the_run(data, tmp_path):
    import yaml

    import seqdl

    seqdl.fit(task(), data, tmp_path / "run", max_steps=12, batch_size=32, find_lr=True, device="cpu")
    found = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["training"]
    assert found["find_lr"] is False
    assert found["lr"] != 0.01
    assert (tmp_path / "run" / "lr_range.tsv").is_file()
