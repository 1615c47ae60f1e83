from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from seqdl.cli.main import main
from seqdl.experiment.config import apply_setting, coerce, dump_config, make_config, path_keys, read_config
from seqdl.experiment.data_config import DataConfig
from seqdl.experiment.training_config import TrainingConfig

CONFIGS = {
    "defaults": {},
    "everything": {
        "data": {
            "genome": "/data/g.fa",
            "peaks": "/data/p.bed",
            "negatives": "dinuc",
            "val_chromosomes": ["chr1"],
            "window": 101,
            "deduplicate": True,
        },
        "training": {"max_steps": 10, "lr": 3e-4, "keep": "last"},
        "model": {"name": "basset", "filters": [8, 9], "widths": [5, 7], "pools": [2, 2]},
        "task": {"name": "binary", "hidden": 0, "dropout": 0.25},
        "ensemble": [{"model": "cnn", "task": {"name": "binary", "pooling": "mean"}}],
        "strands": "average",
        "members": 2,
        "seed": 11,
    },
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_config_comes_back_from_its_own_yaml(kind, tmp_path):
    config = make_config(CONFIGS[kind])
    (tmp_path / "config.yaml").write_text(dump_config(config))
    again = make_config(read_config(tmp_path / "config.yaml"))
    assert again == config
    assert dump_config(again) == dump_config(config)


def test_printing_the_config_gives_what_reads_back_as_the_same(tiny, tmp_path, capsys):
    words = ["train", *tiny.peaks, *tiny.options, "--set", "training.lr=1e-3", "--val-chromosomes", "chrI", "chrII"]
    assert main([*words, "--print-config"]) == 0
    first = capsys.readouterr().out
    (tmp_path / "config.yaml").write_text(first)
    assert main(["train", str(tmp_path / "config.yaml"), "--print-config"]) == 0
    assert capsys.readouterr().out == first
    found = yaml.safe_load(first)
    assert found["training"]["lr"] == 0.001
    assert found["data"]["genome"] == tiny.path("genome.fa")
    assert found["data"]["val_chromosomes"] == ["chrI", "chrII"]
    assert found["model"] == {"name": "cnn", "filters": 8}


def test_flags_win_over_yaml_and_settings_over_flags(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("seed: 1\ntraining: {lr: 0.1, batch_size: 8}\nmodel: {name: cnn, filters: 4}\n")
    words = ["train", str(tmp_path / "c.yaml"), "--lr", "0.2", "--seed", "2", "--set", "seed=3", "--model.width", "7", "--print-config"]
    assert main(words) == 0
    found = yaml.safe_load(capsys.readouterr().out)
    assert (found["training"]["lr"], found["training"]["batch_size"], found["seed"]) == (0.2, 8, 3)
    assert found["model"] == {"name": "cnn", "filters": 4, "width": 7}


def test_another_model_on_the_command_line_leaves_the_options_of_the_first_behind(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("model: {name: cnn, width: 7}\n")
    assert main(["train", str(tmp_path / "c.yaml"), "--model", "basset", "--print-config"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["model"] == {"name": "basset"}


def test_files_of_a_config_are_taken_from_its_own_folder(tmp_path):
    (tmp_path / "g.fa").write_text(">a\nACGT\n")
    (tmp_path / "c.yaml").write_text("data: {genome: g.fa, peaks: elsewhere.bed, fasta: [g.fa, other.fa], negatives: gc}\ndatabase: jaspar\n")
    found = read_config(tmp_path / "c.yaml")
    assert found["data"]["genome"] == str(tmp_path / "g.fa")
    assert found["data"]["fasta"] == [str(tmp_path / "g.fa"), str(tmp_path / "other.fa")]
    assert (found["data"]["peaks"], found["data"]["negatives"], found["database"]) == (str(tmp_path / "elsewhere.bed"), "gc", "jaspar")


def test_every_field_that_names_a_file_is_known_as_such():
    named = {key for _, key in path_keys()}
    assert named >= {"genome", "peaks", "fasta", "exclude", "val_fasta", "test_fasta", "chromosome_aliases", "database", "negatives"}


@pytest.mark.parametrize("cls", [DataConfig, TrainingConfig])
def test_every_field_is_explained(cls):
    for field in dataclasses.fields(cls):
        assert field.metadata["help"], field.name


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        ("1e-3", float, 0.001),
        (3, float, 3.0),
        ("7", int, 7),
        ("1e3", int, 1000),
        (5.0, int, 5),
        ("null", int | None, None),
        (None, str | None, None),
        ("yes", bool, True),
        (False, bool, False),
        ("3,5", tuple[int, ...], (3, 5)),
        ([3, "5"], tuple[int, ...], (3, 5)),
        ("chr1", list[str], ["chr1"]),
        (4, list[str] | None, ["4"]),
        (4, str, "4"),
    ],
)
def test_values_are_brought_to_their_type(value, hint, expected):
    found = coerce(value, hint, "it")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "hint", "wanted"),
    [
        ("abc", float, "a number"),
        ("1.5", int, "a whole number"),
        ("inf", int, "a whole number"),
        (True, int, "a whole number"),
        ("perhaps", bool, "true or false"),
        ("3,x", tuple[int, ...], "a whole number"),
        ({"a": 1}, str, "a word"),
        (None, float, "a number"),
        (None, str, "a word"),
        ([1], int, "a whole number"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(value, hint, wanted):
    with pytest.raises(ValueError, match=rf"^it is .*: {wanted} was expected"):
        coerce(value, hint, "it")


@pytest.mark.parametrize(
    ("nested", "message"),
    [
        ({"dta": {}}, r"no config key named 'dta'\. Did you mean 'data'\?"),
        ({"data": {"windw": 5}}, r"no option in the config section 'data' named 'windw'\. Did you mean 'window'\?"),
        ({"model": "cnm"}, r"no model named 'cnm'\. Did you mean 'cnn'\?"),
        ({"model": {"name": "cnn", "fliters": 3}}, r"no option of model 'cnn' named 'fliters'\. Did you mean 'filters'\?"),
        ({"model": {"filters": 3}}, r"options filters were given for the model 'auto': name the model"),
        ({"task": {"name": "binary", "poolin": "max"}}, r"no option of task 'binary' named 'poolin'\. Did you mean 'pooling'\?"),
        ({"strands": "shard"}, r"no value for strands named 'shard'\. Did you mean 'shared'\?"),
        ({"ensemble": [{"modl": "cnn"}]}, r"ensemble holds \{'modl': 'cnn'\}; a list of mappings"),
    ],
)
def test_a_wrong_key_or_name_is_answered_with_the_nearest(nested, message):
    with pytest.raises((LookupError, ValueError), match=message):
        make_config(nested)


def test_settings_reach_into_nested_keys():
    nested = {"model": "cnn", "training": None}
    for setting in ("model.filters=32", "training.lr=1e-3", "data.val_chromosomes=[chr1, chr2]", "seed=5", "strands=null"):
        apply_setting(nested, setting)
    assert nested == {
        "model": {"name": "cnn", "filters": 32},
        "training": {"lr": "1e-3"},
        "data": {"val_chromosomes": ["chr1", "chr2"]},
        "seed": 5,
        "strands": None,
    }
    assert make_config(nested).training.lr == 0.001


def test_configs_that_are_shipped_are_valid():
    shipped = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
    if not shipped:
        pytest.skip("there are no configs beside the tests")
    for path in shipped:
        make_config(yaml.safe_load(path.read_text()))
