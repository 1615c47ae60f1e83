from __future__ import annotations

import csv
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from seqdl.data.dataset import SequenceData
from seqdl.errors import Interrupted
from seqdl.experiment import callbacks
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.checkpoint import load_task
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.fit import fit_task, plan_schedule, training_options
from seqdl.experiment.predict import predict_logits
from seqdl.experiment.training_config import TrainingConfig
from seqdl.tasks.ensemble import Ensemble
from seqdl.tasks.optimise import Optimisation


@pytest.fixture(scope="module")
def data() -> SequenceData:
    return planted_set(n=300, length=50)


def task(seed: int = 0, *, dropout: float = 0.2):
    torch.manual_seed(seed)
    return create_task("binary", create_model("cnn", filters=6, width=11), dropout=dropout)


STEPS = TrainingConfig(max_steps=24, batch_size=32)


@pytest.mark.parametrize(
    ("training", "n_train", "n_positives", "epochs", "epoch_steps"),
    [
        ({"max_epochs": 20}, 3_200, 1_000, 20, 50),
        ({"max_epochs": 1, "batch_size": 100}, 101, 50, 1, 2),
        ({"max_steps": 600}, 64_000, 20_000, 12, 50),
        ({"max_steps": 5}, 64_000, 20_000, 5, 1),
        ({"max_steps": 600}, 128, 64, 300, 2),
        ({"max_steps": 1}, 10, 5, 1, 1),
        ({}, 64_000, 500, 12, 50),
    ],
)
def test_a_budget_of_steps_or_epochs_is_kept(training, n_train, n_positives, epochs, epoch_steps):
    found = plan_schedule(TrainingConfig(**training), n_train, n_positives)
    assert (found.epochs, found.epoch_steps) == (epochs, epoch_steps)
    assert found.steps == epochs * epoch_steps


@pytest.mark.parametrize("budget", [1, 7, 12, 100, 999])
@pytest.mark.parametrize("n_train", [3, 64, 1_000, 100_000])
def test_the_steps_that_are_done_are_about_those_that_were_asked_for(budget, n_train):
    found = plan_schedule(TrainingConfig(max_steps=budget), n_train, 10)
    assert abs(found.steps - budget) <= found.epoch_steps / 2


def test_training_leaves_checkpoints_and_a_row_an_epoch(data, tmp_path):
    fit_task(task(), data, tmp_path, training=STEPS, device="cpu")
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [int(row["epoch"]) for row in rows] == list(range(12))
    assert [int(row["step"]) for row in rows] == list(range(2, 26, 2))
    assert all(float(row["train_loss"]) > 0 and 0 <= float(row["val_auroc"]) <= 1 for row in rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints", "log.csv"]


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_checkpoint_is_plain_data_and_gives_the_same_predictions(keep, data, tmp_path):
    trained = task()
    fit_task(trained, data, tmp_path, training=TrainingConfig(max_steps=24, batch_size=32, keep=keep), device="cpu")
    state = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)
    assert state["seqdl"]["model"] == {"name": "cnn", "filters": 6, "width": 11}
    assert state["seqdl"]["length"] == 50
    again = load_task(tmp_path / "checkpoints" / "best.ckpt")
    np.testing.assert_array_equal(predict_logits(again, data.codes, device="cpu"), predict_logits(trained, data.codes, device="cpu"))


def test_an_ensemble_is_one_checkpoint(data, tmp_path):
    trained = Ensemble([task(0), task(1)])
    fit_task(trained, data, tmp_path, training=STEPS, device="cpu")
    again = load_task(tmp_path / "checkpoints" / "best.ckpt")
    assert isinstance(again, Ensemble)
    np.testing.assert_array_equal(predict_logits(again, data.codes, device="cpu"), predict_logits(trained, data.codes, device="cpu"))


def test_one_seed_gives_one_network_and_another_seed_another(data, tmp_path):
    logits = []
    for place, seed in (("a", 0), ("b", 0), ("c", 1)):
        trained = task()
        fit_task(trained, data, tmp_path / place, training=STEPS, seed=seed, device="cpu")
        logits.append(predict_logits(trained, data.codes, device="cpu"))
    np.testing.assert_array_equal(logits[0], logits[1])
    assert np.abs(logits[0] - logits[2]).max() > 1e-4


def last_epoch(folder) -> int:
    """Return the epoch, counted from 0, at whose end last.ckpt was written."""
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["epoch"]


@pytest.mark.parametrize(("seconds", "written"), [(0.0, 12), (1e9, 2)])
def test_the_state_to_go_on_from_is_written_now_and_then(seconds, written, data, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN", seconds)
    saved, save = [], pl.Trainer.save_checkpoint
    monkeypatch.setattr(pl.Trainer, "save_checkpoint", lambda self, path, *rest: (saved.append(Path(path).name), save(self, path, *rest)))
    fit_task(task(), data, tmp_path, training=TrainingConfig(max_steps=24, batch_size=32), device="cpu")
    assert saved.count("last.ckpt") == written
    assert last_epoch(tmp_path) == 11


@pytest.mark.parametrize("all_are_due", [True, False])
def test_processes_write_together_or_not_at_all(all_are_due, tmp_path, monkeypatch):
    written, asked = [], []
    monkeypatch.setattr(callbacks.FolderCheckpoint, "on_train_epoch_end", lambda self, trainer, module: written.append(trainer.current_epoch))
    last = callbacks.LastCheckpoint(tmp_path, filename="last", save_top_k=1)
    last.written = time.monotonic() if all_are_due else None  # this one alone would do otherwise
    strategy = SimpleNamespace(broadcast=lambda due: (asked.append(due), all_are_due)[1])
    last.on_train_epoch_end(SimpleNamespace(strategy=strategy, should_stop=False, current_epoch=3, max_epochs=9), None)
    assert asked == [not all_are_due]
    assert written == ([3] if all_are_due else [])


@pytest.mark.parametrize(("greatest", "after"), [(1.0, 1.0), (100.0, 5.0), (None, 5.0), (0, 5.0)])
def test_a_gradient_is_clipped_to_its_greatest_norm(greatest, after):
    made = task()
    optimiser = torch.optim.SGD([{"params": [weight]} for weight in list(made.parameters())[:2]], 0.1)
    for group, norm in zip(optimiser.param_groups, (3.0, 4.0), strict=True):
        weight = group["params"][0]
        weight.grad = torch.full_like(weight, norm / weight.numel() ** 0.5)
    made.configure_gradient_clipping(optimiser, greatest)
    norms = [group["params"][0].grad.norm() for group in optimiser.param_groups]
    assert torch.stack(norms).norm() == pytest.approx(after, rel=1e-4)
    assert norms[1] / norms[0] == pytest.approx(4 / 3, rel=1e-4)


def test_the_state_of_a_training_that_stops_early_is_that_of_its_last_epoch(data, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN", 1e9)
    fit_task(task(), data, tmp_path, training=TrainingConfig(max_epochs=40, batch_size=32, lr=1e-9, patience=2), device="cpu")
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert 1 < len(rows) < 40
    assert last_epoch(tmp_path) == len(rows) - 1


@pytest.mark.parametrize("seconds", [0.0, 1e9], ids=["every epoch", "the first epoch"])
@pytest.mark.parametrize("stop", [0, 1, 7, 11])
@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_run_taken_up_again_ends_as_one_that_was_never_stopped(stop, keep, seconds, data, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN", seconds)
    training = TrainingConfig(max_steps=24, batch_size=32, keep=keep)
    whole = task()
    fit_task(whole, data, tmp_path / "whole", training=training, device="cpu")
    stopped = task()
    step = type(stopped).training_step

    def step_or_stop(self, batch, batch_index):
        if self.trainer.current_epoch == stop + 1 and batch_index == 1:  # in the middle of an epoch
            raise KeyboardInterrupt
        return step(self, batch, batch_index)

    monkeypatch.setattr(type(stopped), "training_step", step_or_stop)
    if stop < 11:
        with pytest.raises(Interrupted, match=r"training was stopped after epoch \d+\. Go on with: seqdl train --resume -o"):
            fit_task(stopped, data, tmp_path / "stopped", training=training, device="cpu")
    else:
        fit_task(stopped, data, tmp_path / "stopped", training=training, device="cpu")
    monkeypatch.undo()
    resumed = task(seed=99)  # its weights come from the checkpoint
    fit_task(resumed, data, tmp_path / "stopped", training=training, device="cpu", resume=True)
    np.testing.assert_array_equal(predict_logits(resumed, data.codes, device="cpu"), predict_logits(whole, data.codes, device="cpu"))
    logs = [[list(row.values())[:7] for row in csv.DictReader((tmp_path / name / "log.csv").open())] for name in ("whole", "stopped")]
    assert logs[0] == logs[1]


def test_early_stopping_ends_before_the_budget(data, tmp_path):
    fit_task(task(), data, tmp_path, training=TrainingConfig(max_steps=400, batch_size=32, patience=1, lr=1e-9), device="cpu")
    assert len((tmp_path / "log.csv").read_text().splitlines()) - 1 < 30


def test_there_is_nothing_to_resume_where_nothing_was_trained(data, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no checkpoints/last\.ckpt to go on from"):
        fit_task(task(), data, tmp_path, training=STEPS, resume=True)


def test_calibration_keeps_the_ranking_and_lies_in_the_checkpoint(data, tmp_path):
    trained = task()
    fit_task(trained, data, tmp_path, training=STEPS, device="cpu")
    state = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert float(state["scale"]) > 0
    assert float(state["scale"]) == float(trained.scale)
    calibrated = predict_logits(trained, data.codes, device="cpu")[:, 0]
    trained.calibrate(np.ones(1), np.zeros(1))
    raw = predict_logits(trained, data.codes, device="cpu")[:, 0]
    np.testing.assert_allclose(calibrated, raw * float(state["scale"]) + float(state["shift"]), rtol=1e-4, atol=1e-5)
    assert np.corrcoef(raw.argsort().argsort(), calibrated.argsort().argsort())[0, 1] > 0.9999


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 3}, r"no training option named 'epochs'\. Did you mean 'max_epochs'\?"),
        ({"max_epochs": 0}, r"training\.max_epochs is 0: 1 or more was expected"),
        ({"lr": "fast"}, r"training\.lr is 'fast': a number was expected"),
        ({"keep": "first"}, r"no value for training\.keep named 'first'"),
    ],
)
def test_a_wrong_training_option_is_refused(options, message):
    with pytest.raises((LookupError, ValueError), match=message):
        training_options(options)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"not a checkpoint that holds weights and plain data only"),
        (b"not a checkpoint at all", r"not a checkpoint that holds weights and plain data only"),
    ],
)
def test_what_is_no_checkpoint_is_refused(content, message, tmp_path):
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_task(tmp_path / "x.ckpt")


def test_a_checkpoint_of_another_program_is_refused(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"a checkpoint, but not one that seqdl wrote"):
        load_task(tmp_path / "x.ckpt")


def test_a_checkpoint_whose_weights_do_not_fit_is_refused(tmp_path):
    made = task()
    torch.save({"state_dict": {"other": torch.zeros(1)}, "seqdl": made.recipe}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"its weights do not fit the network it names"):
        load_task(tmp_path / "x.ckpt")


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"state_dict": {}, "seqdl": Evil()}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"not a checkpoint that holds weights and plain data only"):
        load_task(tmp_path / "x.ckpt")


@pytest.mark.parametrize("warmup", [0.0, 0.2, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 12])
def test_the_shortest_trainings_have_a_schedule(steps, warmup):
    made = task()
    made.optimisation = Optimisation(lr=0.01, weight_decay=0.0, warmup=warmup)
    made.trainer = SimpleNamespace(estimated_stepping_batches=steps)
    found = made.configure_optimizers()
    rates = []
    for _ in range(steps):
        rates.append(found["optimizer"].param_groups[0]["lr"])
        found["optimizer"].step()
        if len(rates) < steps:
            found["lr_scheduler"]["scheduler"].step()
    assert all(0 < rate <= 0.01 + 1e-9 for rate in rates)
