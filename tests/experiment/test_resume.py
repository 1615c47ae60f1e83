"""A run that was killed, moved or copied goes on as if nothing had happened."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from seqdl.cli.main import main
from seqdl.data.dataset import SequenceData
from seqdl.errors import Interrupted
from seqdl.experiment import callbacks
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.config import TrainingConfig
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.fit import fit_task
from seqdl.experiment.predict import predict_logits

FALLING = TrainingConfig(max_steps=24, batch_size=32, lr=0.02, schedule="cosine")


@pytest.fixture(autouse=True)
def each_epoch(monkeypatch):
    """Have the state written after every epoch."""
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN", 0.0)


@pytest.fixture(scope="module")
def data() -> SequenceData:
    return planted_set(n=300, length=50)


def task(seed: int = 0):
    torch.manual_seed(seed)
    return create_task("binary", create_model("cnn", filters=6, width=11), dropout=0.2)


def rows(folder) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "log.csv").open()))


def stopped(made, epoch: int, batch: int, monkeypatch, **fitting):
    """Train until a batch of an epoch."""
    step = type(made).training_step

    def step_or_stop(self, given, index):
        if (self.trainer.current_epoch, index) == (epoch, batch):
            raise KeyboardInterrupt
        return step(self, given, index)

    with monkeypatch.context() as patch:
        patch.setattr(type(made), "training_step", step_or_stop)
        with pytest.raises(Interrupted):
            fit_task(made, device="cpu", **fitting)


@pytest.mark.parametrize("way", ["moved", "copied"])
@pytest.mark.parametrize("batch", [0, 1], ids=["between epochs", "within an epoch"])
def test_a_folder_that_was_moved_keeps_its_best_score(batch, way, data, tmp_path, monkeypatch):
    whole = task()
    fit_task(whole, data, tmp_path / "whole", training=FALLING, device="cpu")
    scores = [float(row["val_auroc"]) for row in rows(tmp_path / "whole")]
    stop = int(np.argmax(scores)) + 1
    assert 1 < stop < len(scores) - 1, "the best epoch has to lie before the stop, and others behind it"
    stopped(task(), stop, batch, monkeypatch, data=data, folder=tmp_path / "begun", training=FALLING)
    (shutil.move if way == "moved" else shutil.copytree)(tmp_path / "begun", tmp_path / "elsewhere")
    before = (tmp_path / "begun" / "checkpoints" / "best.ckpt").read_bytes() if way == "copied" else b""
    resumed = task(seed=99)
    fit_task(resumed, data, tmp_path / "elsewhere", training=FALLING, device="cpu", resume=True)
    np.testing.assert_array_equal(predict_logits(resumed, data.codes, device="cpu"), predict_logits(whole, data.codes, device="cpu"))
    assert [list(row.values())[:7] for row in rows(tmp_path / "elsewhere")] == [list(row.values())[:7] for row in rows(tmp_path / "whole")]
    if way == "copied":
        assert (tmp_path / "begun" / "checkpoints" / "best.ckpt").read_bytes() == before
        assert (tmp_path / "begun" / "checkpoints" / "last.ckpt").is_file()


def test_a_checkpoint_of_lightnings_own_callback_is_gone_on_from(data, tmp_path, monkeypatch):
    stopped(task(), 6, 1, monkeypatch, data=data, folder=tmp_path, training=FALLING)
    state = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert [name for name in state["callbacks"] if name.startswith("ModelCheckpoint{")]
    assert not [name for name in state["callbacks"] if "FolderCheckpoint" in name]


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_bytes_of_one_that_was_not(tiny, tmp_path):
    words = [sys.executable, "-m", "seqdl.cli.main", "train"]
    options = [*tiny.fasta, *tiny.options, "--max-steps", "600", "--quiet"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*words, *options, "-o", str(tmp_path / "whole")], check=True, env=environment, capture_output=True)
    process = subprocess.Popen(
        [*words, *options, "-o", str(tmp_path / "killed")], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 90
    while not (tmp_path / "killed" / "checkpoints" / "last.ckpt").exists():
        assert time.monotonic() < deadline, "the first epoch did not end"
        assert process.poll() is None, "training ended before it could be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    shutil.move(tmp_path / "killed", tmp_path / "moved")
    assert main(["train", "--resume", "-o", str(tmp_path / "moved"), "--quiet"]) == 0
    for name in ("metrics.json", "predictions.tsv", "config.yaml"):
        assert (tmp_path / "moved" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
