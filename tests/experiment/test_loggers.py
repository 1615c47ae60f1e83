"""Loggers, precision and memory: what is asked of the machine."""

from __future__ import annotations

import csv
import importlib.util
import platform

import numpy as np
import pytest
import torch
from pytorch_lightning.loggers import Logger

from seqdl.cli.main import main
from seqdl.data.dataset import SequenceData
from seqdl.experiment import fit, loggers
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.config import TrainingConfig
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.fit import fit_task
from seqdl.experiment.loggers import PACKAGES, check_logger, make_logger
from seqdl.experiment.precision import choose_precision, kept_memory
from seqdl.experiment.predict import predict_logits


@pytest.fixture(scope="module")
def data() -> SequenceData:
    return planted_set(n=300, length=50)


def trained(data, folder, **options):
    torch.manual_seed(0)
    task = create_task("binary", create_model("cnn", filters=6, width=11))
    fit_task(task, data, folder, training=TrainingConfig(max_steps=24, batch_size=32, **options), device="cpu")
    return task


class Notes(Logger):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []

    name, version = "notes", ""

    def log_metrics(self, metrics, step=None):
        self.rows.append(dict(metrics))

    def log_hyperparams(self, params, *args, **kwargs):
        raise AssertionError("there are no hyper-parameters to log: the config is a file")


def test_a_logger_is_told_every_epoch_what_log_csv_holds(data, tmp_path, monkeypatch):
    notes = Notes()
    monkeypatch.setattr(fit, "make_logger", lambda name, folder: notes)
    trained(data, tmp_path)
    told = [row["val_auroc"] for row in notes.rows if "val_auroc" in row]
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    np.testing.assert_allclose(told, [float(row["val_auroc"]) for row in rows], rtol=1e-5)
    assert sum("train_loss" in row for row in notes.rows) == len(rows)


def test_a_logger_changes_nothing_in_the_training(data, tmp_path, monkeypatch):
    plain = predict_logits(trained(data, tmp_path / "plain"), data.codes, device="cpu")
    monkeypatch.setattr(fit, "make_logger", lambda name, folder: Notes())
    np.testing.assert_array_equal(predict_logits(trained(data, tmp_path / "logged"), data.codes, device="cpu"), plain)


@pytest.mark.parametrize("name", [name for name, packages in PACKAGES.items() if packages])
def test_a_logger_that_is_not_installed_is_refused_with_what_to_install(name, monkeypatch, tiny, tmp_path, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(loggers.importlib.util, "find_spec", lambda package: None if package in PACKAGES[name] else found(package))
    with pytest.raises(ImportError, match=rf"--logger {name}: the package {name} is not installed\. Install it with: pip install {name}"):
        check_logger(name)
    assert main(["train", *tiny.fasta, *tiny.options, "--logger", name, "-o", str(tmp_path / "run")]) == 1
    assert f"pip install {name}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_csv_needs_no_logger_besides_and_an_unknown_one_is_answered(tmp_path):
    assert make_logger("csv", tmp_path) is None
    with pytest.raises(LookupError, match=r"no logger named 'tensorbord'\. Did you mean 'tensorboard'"):
        make_logger("tensorbord", tmp_path)


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_logger_that_is_installed_writes_into_the_run_folder(name, data, tmp_path, monkeypatch):
    if not any(importlib.util.find_spec(package) for package in PACKAGES[name]):
        pytest.skip(f"{name} is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    trained(data, tmp_path, logger=name)
    assert any((tmp_path / name).rglob("*"))


# precision ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "name", "reason"),
    [
        ("flags\t: fpu sse avx512_bf16 amx_tile amx_bf16", "bf16", "this processor has AMX for it"),
        ("flags\t: fpu sse avx512_bf16", "fp32", "this processor has no AMX, without which bf16 may be no faster"),
    ],
)
def test_auto_takes_bf16_only_where_the_processor_has_amx(flags, name, reason, tmp_path):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{flags}\n")
    assert choose_precision("auto", "cpu", cpuinfo=tmp_path / "cpuinfo") == (name, reason)
    assert choose_precision("fp32", "cpu", cpuinfo=tmp_path / "cpuinfo").name == "fp32"
    assert choose_precision("bf16", "cpu", cpuinfo=tmp_path / "cpuinfo").name == "bf16"


def test_auto_is_fp32_where_nothing_is_known_of_the_processor(tmp_path):
    assert choose_precision("auto", "cpu", cpuinfo=tmp_path / "nowhere").name == "fp32"
    assert choose_precision("auto", "mps").name == "fp32"
    with pytest.raises(ValueError, match="--precision bf16 was given for mps"):
        choose_precision("bf16", "mps")


def test_what_auto_chose_is_said_and_stands_in_the_config(tiny, capsys):
    import json

    assert main(["train", *tiny.fasta, *tiny.options, "--precision", "auto", "--dry-run"]) == 0
    chosen = choose_precision("auto", "cpu")
    assert f"precision {chosen.name}: {chosen.reason}" in capsys.readouterr().out
    assert main(["train", *tiny.fasta, *tiny.options, "--precision", "auto", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["config"]["training"]["precision"] == chosen.name


def test_bf16_trains_to_nearly_the_same_weights_and_predicts_in_fp32(data, tmp_path):
    exact, rounded = trained(data, tmp_path / "fp32"), trained(data, tmp_path / "bf16", precision="bf16")
    first, second = exact.encoder.conv.weight.detach(), rounded.encoder.conv.weight.detach()
    assert second.dtype == torch.float32
    assert not torch.equal(first, second)
    assert float((first - second).norm() / first.norm()) < 0.2
    assert predict_logits(rounded, data.codes[:4], device="cpu").dtype == np.float32


# memory -------------------------------------------------------------------------------------------------


def test_memory_is_kept_only_while_training_and_only_where_it_can_be():
    with kept_memory() as kept:
        assert kept == (platform.libc_ver()[0] == "glibc")
        torch.randn(64, 1_000, 100).sum()
    with kept_memory(give_back=True) as kept:
        assert not kept
    torch.randn(64, 1_000, 100).sum()  # memory can still be had afterwards


def test_giving_memory_back_changes_no_weight(data, tmp_path):
    first, second = trained(data, tmp_path / "kept"), trained(data, tmp_path / "given", give_memory_back=True)
    assert torch.equal(first.encoder.conv.weight, second.encoder.conv.weight)
