"""What `auto` takes for which data."""

from __future__ import annotations

import numpy as np
import pytest

from seqdl.data.dataset import SequenceData
from seqdl.experiment.auto import default_steps, resolve_auto
from seqdl.experiment.build import build_task
from seqdl.experiment.config import make_config


def data(kind: str, *, ragged: bool = False) -> SequenceData:
    rng = np.random.default_rng(0)
    sequences = [rng.integers(0, 4, 60 - (ragged and i % 7)).astype(np.uint8) for i in range(30)]
    made = SequenceData.from_sequences(sequences, np.arange(30) % 2, ["train", "val", "test"] * 10, names=[str(i) for i in range(30)])
    if kind == "multiclass":
        made.examples["target"] = made.examples["target"].map({0: "no", 1: "yes"})
        made.classes = ["no", "yes"]
    made.numeric = kind == "regression"
    return made


@pytest.mark.parametrize(
    ("kind", "strands", "ragged", "expected"),
    [
        ("binary", "shared", False, [("cnn", None)] * 6 + [("kmers", "sum")] * 2),
        ("binary", "single", True, [("cnn", None)] * 6 + [("kmers", "sum")] * 2),
        ("binary", "single", False, [("basset", "flatten"), ("lstm", "centre"), ("kmers", "sum"), ("gru", "centre"), ("transformer", "centre")]),
        ("multiclass", "single", False, [("basset", "flatten"), ("lstm", "centre"), ("lstm", "centre")]),
        ("multiclass", "single", True, [("basset", "attention"), ("basset", "mean"), ("basset", "attention")]),
        ("regression", "single", False, [("basset", "mean"), ("lstm", "attention"), ("kmers", "sum"), ("kmers", "sum")]),
        ("regression", "single", True, [("lstm", "attention"), ("lstm", "attention"), ("basset", "mean"), ("kmers", "sum")]),
    ],
)
def test_members_follow_from_the_targets_and_the_lengths(kind, strands, ragged, expected):
    given = data(kind, ragged=ragged)
    config, reason = resolve_auto(make_config({"strands": strands}), given)
    members = [(config.model, config.task), *((member["model"], member["task"]) for member in config.ensemble)]
    assert [(model["name"], task.get("pooling")) for model, task in members] == expected
    assert f"{len(expected)} of them that differ" in reason
    assert "the first 2 of" in resolve_auto(make_config({"strands": strands, "members": 2}), given)[1]
    task = build_task(config, given)
    assert len(task.members) == len(expected)


def test_counts_are_read_by_filters_and_by_words():
    given = data("regression")
    config, _ = resolve_auto(make_config({"strands": "shared", "task": "counts"}), given)
    assert [config.model["name"], *(member["model"]["name"] for member in config.ensemble)] == ["basset", "kmers"]
    assert config.training.lr == 0.003
    assert build_task(config, given).tasks[1].encoder.both_strands


@pytest.mark.parametrize("strands", ["shared", "single"])
def test_words_are_told_whether_both_strands_are_one_and_how_many_outputs_there_are(strands):
    given = data("binary", ragged=True)
    config, _ = resolve_auto(make_config({"strands": strands, "model": {"name": "kmers"}}), given)
    encoder = build_task(config, given).encoder
    assert (encoder.both_strands, encoder.channels) == (strands == "shared", 1)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_a_sequence_too_short_for_filters_is_read_as_a_whole(kind):
    given = data(kind)
    given.codes = given.codes[:, :9]
    config, reason = resolve_auto(make_config({"strands": "single"}), given)
    assert config.model["name"] == "mlp"
    assert "all of a short sequence" in reason
    assert len(build_task(config, given).members) == 3


@pytest.mark.parametrize(
    ("model", "ragged", "expected"),
    [
        ({"name": "lstm"}, False, "centre"),
        ({"name": "gru"}, True, "attention"),
        ({"name": "rnn", "bidirectional": False}, False, "last"),
        ({"name": "lstm", "bidirectional": False}, True, "last"),
        ({"name": "danq"}, False, "attention"),
        ({"name": "transformer"}, True, "attention"),
        ({"name": "basset"}, False, None),
    ],
)
def test_a_network_that_reads_along_a_sequence_is_read_where_it_knows_most(model, ragged, expected):
    config, _ = resolve_auto(make_config({"model": model}), data("binary", ragged=ragged))
    assert config.task.get("pooling") == expected


def test_a_readout_that_was_named_is_kept():
    config, _ = resolve_auto(make_config({"model": {"name": "lstm"}, "task": {"name": "binary", "pooling": "max"}}), data("binary"))
    assert config.task["pooling"] == "max"


@pytest.mark.parametrize(("positives", "steps"), [(10, 600), (999, 600), (1_000, 1_000), (7_999, 1_000), (8_000, 1_500)])
def test_more_positives_mean_more_steps(positives, steps):
    assert default_steps(positives) == steps
