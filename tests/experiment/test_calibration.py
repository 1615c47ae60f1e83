"""Calibration on the validation split, as it lies in the checkpoint and the metrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdl.data.dataset import SequenceData
from seqdl.evaluate.calibration import expected_calibration_error
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.calibrate import calibration_errors, calibration_method, uncalibrated
from seqdl.experiment.checkpoint import load_task
from seqdl.experiment.config import TrainingConfig
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.fit import fit_task
from seqdl.experiment.predict import data_logits, prediction_table
from seqdl.interpret.attribute import attribute


@pytest.fixture(scope="module")
def data() -> SequenceData:
    return planted_set(n=400, length=50)


@pytest.fixture(scope="module")
def fitted(data, tmp_path_factory):
    """Return a function that trains once for each method, and gives the task and its folder."""
    made = {}

    def of(method: str):
        if method not in made:
            folder = tmp_path_factory.mktemp(method)
            made[method] = trained(data, folder, method), folder
        return made[method]

    return of


def trained(data, folder, method: str, name: str = "binary", **options):
    torch.manual_seed(0)
    task = create_task(name, create_model("cnn", filters=6, width=11), **options)
    fit_task(task, data, folder, training=TrainingConfig(max_steps=60, batch_size=32, calibration=method), device="cpu")
    return task


def as_classes(data: SequenceData) -> SequenceData:
    names = np.array(["no", "yes"])[data.targets()[:, 0].astype(int)]
    return SequenceData(data.codes, data.examples.assign(target=names), data.outputs, classes=["no", "yes"])


@pytest.mark.parametrize("method", ["none", "auto", "platt", "temperature", "isotonic"])
def test_calibration_keeps_the_ranking_and_lies_in_the_checkpoint(method, data, fitted):
    task, folder = fitted(method)
    again = load_task(folder / "checkpoints" / "best.ckpt")
    rows = data.held_out_rows()
    logits = data_logits(task, data, rows, device="cpu")
    np.testing.assert_array_equal(data_logits(again, data, rows, device="cpu"), logits)
    assert again.recipe.get("calibration") == {"none": None, "auto": "platt"}.get(method, method)
    plain = data_logits(fitted("none")[0], data, rows, device="cpu")
    np.testing.assert_allclose(uncalibrated(again, logits), plain, atol=2e-3)
    order = np.argsort(plain[:, 0], kind="stable")
    assert (np.diff(logits[order, 0]) >= 0).all()


@pytest.mark.parametrize("method", ["platt", "temperature", "isotonic"])
def test_the_error_before_and_after_is_that_of_the_predictions(method, data, fitted):
    task = fitted(method)[0]
    table = prediction_table(task, data, device="cpu")
    found = calibration_errors(task, table)
    test = table[table["split"] == "test"]
    assert found["method"] == method
    assert found["test"]["ece_after"] == pytest.approx(expected_calibration_error(test["target"], test["prediction"]), abs=1e-9)
    raw = prediction_table(fitted("none")[0], data, device="cpu")
    before = expected_calibration_error(test["target"], raw.loc[raw["split"] == "test", "prediction"])
    assert found["test"]["ece_before"] == pytest.approx(before, abs=0.02)  # an example at the edge of a bin may change it
    assert found["val"]["ece_after"] < found["val"]["ece_before"]


def test_a_task_that_was_not_calibrated_has_no_errors_to_tell_of(data, fitted):
    task = fitted("none")[0]
    assert calibration_errors(task, prediction_table(task, data, device="cpu")) is None


@pytest.mark.parametrize("method", ["temperature", "platt"])
def test_classes_are_calibrated_together(method, data, tmp_path):
    classes = as_classes(data)
    task = trained(classes, tmp_path, method, "multiclass", outputs=["no", "yes"], strands="shared")
    assert task.scale.unique().numel() == 1
    assert bool(task.shift.any()) == (method == "platt")
    found = calibration_errors(task, prediction_table(task, classes, device="cpu"))
    assert found["val"]["ece_after"] < found["val"]["ece_before"] + 0.02


def test_classes_are_left_as_they_are_by_default(data, tmp_path):
    task = trained(as_classes(data), tmp_path, "auto", "multiclass", outputs=["no", "yes"])
    assert (task.scale.tolist(), task.shift.tolist()) == ([1, 1], [0, 0])
    assert "calibration" not in task.recipe


def test_attributions_through_an_isotonic_map_add_up(data, fitted, recwarn):
    scores = attribute(fitted("isotonic")[0], data.one_hot("test", limit=8), method="deeplift")
    assert np.isfinite(scores).all()
    assert not [str(warning.message) for warning in recwarn if "miss" in str(warning.message)]


@pytest.mark.parametrize(
    ("task", "method", "message"),
    [
        ("regression", "platt", "--calibration platt was given, but what Regression predicts is no probability"),
        ("multiclass", "isotonic", "--calibration isotonic was given for several classes"),
    ],
)
def test_what_cannot_be_calibrated_so_is_refused(task, method, message):
    made = create_task(task, create_model("cnn", filters=4))
    with pytest.raises(ValueError, match=message):
        calibration_method(made, method)


@pytest.mark.parametrize(("n_val", "known"), [(150, True), (50, False)])
def test_the_critic_of_a_gan_is_calibrated_where_enough_was_held_out(n_val, known, tmp_path):
    rng = np.random.default_rng(0)
    sequences = rng.choice(4, size=(n_val + 210, 20), p=[0.7, 0.1, 0.1, 0.1]).astype(np.uint8)
    held = SequenceData.from_sequences(sequences, None, np.repeat(["train", "val", "test"], [200, n_val, 10]))
    task = create_task("gan", create_model("cnn", filters=4, width=5), length=20, strands="single")
    fit_task(task, held, tmp_path, training=TrainingConfig(max_steps=6, batch_size=32))
    assert bool(task.sharpness > 0) == known
    assert load_task(tmp_path / "checkpoints" / "best.ckpt").sharpness == task.sharpness
