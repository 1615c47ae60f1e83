"""Starting from another run: whose encoder it is, what is frozen, what moves."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from seqdl.cli.main import main
from seqdl.data.dataset import SequenceData
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.config import TrainingConfig, make_config
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.fit import fit_task
from seqdl.experiment.train import make_plan
from seqdl.experiment.transfer import freeze_encoder, layers_of, start_from
from seqdl.tasks.ensemble import Ensemble

BASSET = {"filters": (6, 8, 8), "widths": (9, 5, 3), "pools": (2, 2, 2)}


@pytest.fixture(scope="module")
def data() -> SequenceData:
    return planted_set(n=300, length=60)


def task(model: str = "basset", seed: int = 0, **options):
    torch.manual_seed(seed)
    return create_task("binary", create_model(model, **(BASSET | options if model == "basset" else options)))


STEPS = TrainingConfig(max_steps=24, batch_size=32)


@pytest.fixture(scope="module")
def source(data, tmp_path_factory):
    """Train a network whose encoder others start from; return its folder and the task."""
    folder, made = tmp_path_factory.mktemp("source"), task()
    fit_task(made, data, folder, training=STEPS, device="cpu")
    return folder, made


def weights(module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


@pytest.mark.parametrize("place", ["folder", "checkpoint"])
def test_the_encoder_is_taken_and_the_head_is_not(place, source):
    folder, trained = source
    made = task(seed=5)
    head = weights(made.head)
    start_from(made, folder if place == "folder" else folder / "checkpoints" / "best.ckpt")
    for name, value in trained.encoder.state_dict().items():
        assert torch.equal(made.encoder.state_dict()[name], value), name
    assert all(torch.equal(value, head[name]) for name, value in weights(made.head).items())
    assert float(made.scale) == 1


def test_another_task_can_start_from_the_same_encoder(source):
    folder, trained = source
    made = create_task("regression", create_model("basset", **BASSET), outputs=["a", "b"])
    start_from(made, folder)
    assert torch.equal(made.encoder.blocks[0].conv.weight, trained.encoder.blocks[0].conv.weight)


def test_members_take_the_encoders_in_turn(data, tmp_path):
    pair = Ensemble([task(seed=1), task(seed=2)])
    fit_task(pair, data, tmp_path, training=TrainingConfig(max_steps=4, batch_size=32), device="cpu")
    three = Ensemble([task(seed=seed) for seed in (7, 8, 9)])
    start_from(three, tmp_path)
    first = [member.encoder.blocks[0].conv.weight for member in three.tasks]
    assert torch.equal(first[0], pair.tasks[0].encoder.blocks[0].conv.weight)
    assert torch.equal(first[1], pair.tasks[1].encoder.blocks[0].conv.weight)
    assert torch.equal(first[2], first[0])


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: task(filters=(6, 8, 9)), r"blocks\.2\.conv\.weight is \(8, 8, 3\) there and \(9, 8, 3\) here"),
        (lambda: task(in_channels=5), r"blocks\.0\.conv\.weight is \(6, 4, 9\) there and \(6, 5, 9\) here"),
        (lambda: task("cnn", filters=6, width=9), r"its encoder is no CNN of this kind: it lacks conv\.weight and has blocks\.0\."),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_both_shapes(made, message, source):
    with pytest.raises(ValueError, match=message):
        start_from(made(), source[0])


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        start_from(task(), tmp_path)


@pytest.mark.parametrize(
    ("which", "parts"),
    [
        ("all", ["blocks.0", "blocks.1", "blocks.2"]),
        ("1", ["blocks.0"]),
        ("2", ["blocks.0", "blocks.1"]),
        ("blocks.1", ["blocks.1"]),
        ("blocks.0.conv,blocks.2", ["blocks.0.conv", "blocks.2"]),
        (None, []),
    ],
)
def test_what_is_named_is_frozen_and_the_head_never(which, parts):
    made = task()
    frozen = freeze_encoder(made, which)
    expected = [name for name, _ in made.encoder.named_parameters() if any(name.startswith(part + ".") for part in parts)]
    assert sorted(frozen) == sorted(expected)
    assert [name for name, weight in made.named_parameters() if not weight.requires_grad] == ["encoder." + name for name in expected]


def test_a_layer_is_a_kernel_with_the_norm_behind_it():
    assert {path: len(names) for path, names in layers_of(task().encoder).items()} == {f"blocks.{k}.conv": 3 for k in range(3)}


@pytest.mark.parametrize(
    ("which", "error", "message"),
    [
        ("4", ValueError, r"--freeze 4: the encoder has 3 layers \(blocks\.0\.conv, .*\): 1 to 3 was expected"),
        ("0", ValueError, "1 to 3 was expected"),
        ("blocks.7", LookupError, r"no layer of the encoder named 'blocks\.7'"),
    ],
)
def test_a_layer_that_is_not_there_is_refused(which, error, message):
    with pytest.raises(error, match=message):
        freeze_encoder(task(), which)


def test_frozen_weights_and_statistics_stay_and_the_rest_moves(source, data, tmp_path):
    folder, trained = source
    made = task(seed=3)
    fit_task(made, data, tmp_path, training=TrainingConfig(max_steps=12, batch_size=32, init=str(folder), freeze="2", keep="last"), device="cpu")
    before, after = weights(trained.encoder), weights(made.encoder)
    for name, value in after.items():
        assert torch.equal(value, before[name]) == name.startswith(("blocks.0.", "blocks.1.")), name


def test_an_encoder_with_a_rate_of_zero_keeps_its_weights_but_not_its_statistics(source, data, tmp_path):
    folder, trained = source
    made = task(seed=3)
    training = TrainingConfig(max_steps=12, batch_size=32, init=str(folder), encoder_lr=0.0, keep="last")
    fit_task(made, data, tmp_path, training=training, device="cpu")
    moved = [name for name, value in weights(made.encoder).items() if not torch.equal(value, weights(trained.encoder)[name])]
    assert moved
    assert all("running" in name or "num_batches" in name for name in moved)


def test_a_trained_encoder_gives_a_head_start(source, data, tmp_path):
    losses = []
    for name, init in (("scratch", None), ("transferred", str(source[0]))):
        made = task(seed=4)
        fit_task(made, data, tmp_path / name, training=TrainingConfig(max_steps=24, batch_size=32, init=init), device="cpu")
        losses.append(float(next(csv.DictReader((tmp_path / name / "log.csv").open()))["val_loss"]))
    assert losses[1] < losses[0]


# from the command line --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(tiny, tmp_path_factory):
    """Train an ensemble of two that differ, for a run folder to start from."""
    folder = tmp_path_factory.mktemp("pair")
    made = Ensemble([create_task("binary", create_model("cnn", filters=4, width=width)) for width in (7, 9)])
    data = planted_set(n=100, length=60)
    fit_task(made, data, folder, training=TrainingConfig(max_steps=4, batch_size=32), device="cpu")
    return folder


def plan(tiny, **training):
    nested = {"data": {"fasta": tiny.fasta}, "training": training, "database": tiny.path("known.meme"), "device": "cpu"}
    return make_plan(make_config(nested))


def test_a_model_that_is_left_to_auto_is_that_of_the_run_it_starts_from(tiny, pair):
    found = plan(tiny, init=str(pair))
    assert found.config.model == {"name": "cnn", "filters": 4, "width": 7}
    assert [member["model"] for member in found.config.ensemble] == [{"name": "cnn", "filters": 4, "width": 9}]
    assert "the encoder of" in found.reason
    assert pair / "checkpoints" / "best.ckpt" in found.data.inputs


def test_what_is_frozen_is_said(tiny, pair):
    assert "2 weights of the encoder are frozen (conv.weight, conv.weight)" in plan(tiny, init=str(pair), freeze="all").summary()


def test_freezing_without_a_run_to_start_from_is_refused(tiny, tmp_path, capsys):
    assert main(["train", *tiny.fasta, *tiny.options, "--freeze", "all", "-o", str(tmp_path / "run")]) == 1
    assert "--freeze all was given without --init" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_shapes_that_differ_leave_no_folder(tiny, pair, tmp_path, capsys):
    words = ["train", *tiny.fasta, *tiny.options, "--init", str(pair), "-o", str(tmp_path / "run")]
    assert main(words) == 1
    assert "conv.weight is (4, 4, 7) there and (8, 4, 15) here" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_that_was_started_from_another_repeats_from_its_config(tiny, pair, tmp_path):
    words = [
        "--init",
        str(pair),
        "--freeze",
        "1",
        "--encoder-lr",
        "1e-3",
        "--max-steps",
        "12",
        "--device",
        "cpu",
        "--database",
        tiny.path("known.meme"),
    ]
    assert main(["train", *tiny.fasta, *words, "-o", str(tmp_path / "one"), "--quiet"]) == 0
    assert main(["train", str(tmp_path / "one" / "config.yaml"), "-o", str(tmp_path / "two"), "--quiet"]) == 0
    logits = [np.loadtxt(tmp_path / name / "predictions.tsv", delimiter="\t", skiprows=1, usecols=4) for name in ("one", "two")]
    np.testing.assert_array_equal(*logits)
