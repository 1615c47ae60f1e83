"""Controls and curves: what is trained on what, and what is made of it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from sklearn.metrics import roc_auc_score

from seqdl.cli.main import main
from seqdl.data.dataset import SequenceData
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.config import Config, TrainingConfig, dump_config
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.fit import fit_task
from seqdl.experiment.probe import Probe, probe, score, widened
from seqdl.experiment.probe_verdict import plain, summary, verdict, write_probe
from seqdl.experiment.run import Run


@pytest.fixture(scope="module")
def data() -> SequenceData:
    return planted_set(n=400, length=50)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    task = create_task("binary", create_model("cnn", filters=8, width=11))
    training = TrainingConfig(max_steps=80, batch_size=32)
    fit_task(task, data, folder, training=training, device="cpu")
    config = Config(model=task.recipe["model"], task=task.recipe["task"], training=training, strands="shared", device="cpu")
    (folder / "config.yaml").write_text(dump_config(config))
    return Run(folder, task=task, data=data)


# examples and networks ----------------------------------------------------------------------------------


def test_permuted_labels_keep_their_number_and_the_test_set(data):
    found = data.permuted(seed=3)
    for split in ("train", "val", "test"):
        before, after = data.targets(split), found.targets(split)
        assert before.sum() == after.sum()
        assert (before == after).all() == (split == "test")
        assert split == "test" or 0.3 < (before == after).mean() < 0.7
    assert found.codes is data.codes
    np.testing.assert_array_equal(data.targets(), planted_set(n=400, length=50).targets())


def test_permuted_classes_stay_classes(data):
    names = np.array(["no", "yes"])[data.targets()[:, 0].astype(int)]
    classes = SequenceData(data.codes, data.examples.assign(target=names), data.outputs, classes=["no", "yes"])
    found = classes.permuted(seed=0)
    assert found.kind == "multiclass"
    assert sorted(found.examples["target"]) == sorted(names)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_subset_takes_its_share_of_each_class_and_all_that_is_held_out(share, data):
    found = data.subset(share)
    targets, whole = found.targets("train"), data.targets("train")
    for value in (0, 1):
        assert (targets == value).sum() == max(2, round(share * (whole == value).sum()))
    for split in ("val", "test"):
        assert found.examples["id"].iloc[found.rows(split)].tolist() == data.examples["id"].iloc[data.rows(split)].tolist()


def test_a_smaller_subset_lies_within_a_larger_one_and_another_seed_draws_others(data):
    ids = [set(data.subset(share, seed=seed).examples.query("split == 'train'")["id"]) for share, seed in ((0.2, 0), (0.4, 0), (0.4, 1))]
    assert ids[0] < ids[1]
    assert ids[1] != ids[2]


def test_a_network_is_widened_in_all_its_channels():
    assert widened({"name": "cnn", "filters": 8, "width": 7}, 2) == {"name": "cnn", "filters": 16, "width": 7}
    assert widened({"name": "cnn"}, 0.5)["filters"] == 32
    with pytest.raises(ValueError, match="the model 'linear' has none of the options filters"):
        widened({"name": "linear", "length": 50}, 2)


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    target, classes = rng.integers(0, 2, (50, 2)).astype(float), rng.integers(0, 3, (60, 1)).astype(float)
    predictions, shares = rng.random((50, 2)), rng.dirichlet([1, 1, 1], 60)
    assert score("binary", target, predictions) == pytest.approx(np.mean([roc_auc_score(target[:, t], predictions[:, t]) for t in (0, 1)]))
    assert score("multiclass", classes, shares) == pytest.approx(roc_auc_score(classes[:, 0], shares, multi_class="ovr"))
    assert score("regression", predictions, 3 * predictions + 1) == pytest.approx(1)


# probes -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_random_labels_are_learnt_by_heart_and_teach_nothing(run):
    found = probe(run, "random-labels", Probe(repeats=4, max_steps=250))
    table = found["table"]
    assert table["repeat"].tolist() == [0, 1, 2, 3]
    assert (table["train_score"] > 0.8).all()
    assert abs(table["test_score"].mean() - 0.5) < 0.1
    assert "as it should be: chance is 0.5" in found["verdict"]
    assert found["summary"][0]["test_score"]["value"] == pytest.approx(table["test_score"].mean())


def test_labels_that_stand_in_the_test_set_too_would_be_found():
    table = pd.DataFrame(
        {"series": "random labels", "x": [1, 2, 3], "repeat": [0, 1, 2], "n_train": 10, "n_parameters": 5, "parameters_per_example": 0.5}
    )
    leaky = table.assign(train_score=1.0, test_score=[0.8, 0.82, 0.81])
    assert "look for leaks between the splits" in verdict("random-labels", leaky, name="AUROC", chance=0.5)


def test_a_curve_over_examples_compares_starts_on_the_same_examples(run, data):
    how = Probe(repeats=2, sizes=(0.25, 1.0), max_steps=16, init=str(run.folder))
    table = probe(run, "train-size", how)["table"]
    assert table["series"].value_counts().to_dict() == {"from scratch": 4, "pre-trained": 4}
    assert sorted(table["n_train"].unique()) == [60, 240]
    means = table.groupby(["series", "x"])["test_score"].mean()
    assert means["pre-trained", 60] > means["from scratch", 60]


def test_a_curve_over_width_counts_parameters(run):
    found = probe(run, "width", Probe(repeats=1, widths=(0.5, 2), max_steps=8))
    table = found["table"]
    for factor, row in zip((0.5, 2), table.to_dict("records"), strict=True):
        made = create_task("binary", create_model("cnn", filters=int(8 * factor), width=11))
        assert row["n_parameters"] == sum(p.numel() for p in made.parameters())
        assert row["parameters_per_example"] == pytest.approx(row["n_parameters"] / 240)
    assert "at 0.5 times the width" in found["verdict"]


@pytest.mark.parametrize("what", ["width", "train-size", "random-labels"])
def test_what_starts_from_chance_leaves_known_motifs_out(run, data, tmp_path, tiny, what):
    config = yaml.safe_load((run.folder / "config.yaml").read_text())
    config["training"] |= {"init_motifs": tiny.path("known.meme"), "freeze": "1"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    known = Run(tmp_path, task=run.task, data=data)
    table = probe(known, what, Probe(repeats=1, widths=(0.125,), sizes=(0.5,), max_steps=4))["table"]
    assert len(table) == 1


def curve(**columns) -> pd.DataFrame:
    base = {"series": "from scratch", "repeat": [0, 1, 2] * 2, "x": [100] * 3 + [200] * 3, "n_train": [100] * 3 + [200] * 3}
    return pd.DataFrame(base | {"n_parameters": 50, "parameters_per_example": 0.5, "train_score": 1.0} | columns)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([0.6, 0.62, 0.61, 0.7, 0.72, 0.715], "+0.102 from 100: still rising, so that more would help"),
        ([0.6, 0.7, 0.65, 0.65, 0.66, 0.67], "+0.010 from 100: no rise shown"),
    ],
)
def test_a_curve_is_said_to_rise_only_where_the_pairs_show_it(scores, said):
    assert said in verdict("train-size", curve(test_score=scores), name="AUROC", chance=0.5)


def test_repeats_have_students_interval():
    from scipy import stats

    scores = [0.6, 0.62, 0.61, 0.7, 0.72, 0.715]
    found = summary(curve(test_score=scores))
    low, high = stats.t.interval(0.95, 2, loc=np.mean(scores[:3]), scale=stats.sem(scores[:3]))
    assert [entry["x"] for entry in found] == [100, 200]
    assert (found[0]["test_score"]["low"], found[0]["test_score"]["high"]) == (pytest.approx(low), pytest.approx(high))


def test_a_probe_is_written_as_table_picture_and_numbers(tmp_path):
    table = curve(test_score=[0.6, 0.62, 0.61, 0.7, 0.72, 0.715])
    found = {"what": "train-size", "score": "AUROC", "chance": 0.5, "table": table, "summary": summary(table), "verdict": "rising"}
    paths = write_probe(tmp_path / "probe", found)
    assert [path.name for path in paths] == ["train-size.tsv", "train-size.svg", "train-size.json"]
    assert len(pd.read_csv(paths[0], sep="\t")) == 6
    assert "Training examples" in paths[1].read_text()
    assert json.loads(paths[2].read_text()) == plain(found)


# the command --------------------------------------------------------------------------------------------


def test_the_command_writes_into_the_run_folder_and_the_manifest_still_holds(tiny_run, tmp_path, capsys):
    import shutil

    from seqdl.experiment.provenance import verify

    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    words = ["probe", str(folder), "--what", "width,", "random-labels", "--repeats", "1", "--max-steps", "4", "--widths", "0.5", "--quiet"]
    assert main(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in out] == ["width", "random labels"]
    assert sorted(path.name for path in (folder / "probe").glob("*.tsv")) == ["random-labels.tsv", "width.tsv"]
    assert verify(folder).holds
    assert main(words) == 1
    assert "width.tsv: is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--what", "depth"], "no probe named 'depth'"),
        (["--what", "width", "--repeats", "0"], "--repeats 0: 1 or more was expected"),
        (["--what", "train-size", "--sizes", "2"], "--sizes [2.0]: shares of the training examples were expected"),
        (["--what", "width", "--widths", "0"], "--widths [0.0]: factors above 0 were expected"),
        (["--what", "width", "--max-steps", "0"], "--max-steps 0: 1 or more was expected"),
        (["--what", "train-size", "--init", "nowhere"], "nowhere: there is no checkpoint"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_trained(words, message, tiny_run, capsys):
    assert main(["probe", str(tiny_run), *words, "--quiet"]) == 1
    assert message in capsys.readouterr().err
    assert not (tiny_run / "probe").exists()
