"""Paired comparison of runs, against scikit-learn on the same examples."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from seqdl.cli.main import main
from seqdl.experiment.compare import compare_runs
from seqdl.experiment.folds import summarise
from seqdl.experiment.yardstick import yardstick

N = 200
CLASSES = ["a", "b", "c"]


def write_run(folder, kind: str, *, noise: float, seed: int = 0, ids=None, val: float = 0.5):
    """Write what a comparison reads of a run whose predictions are the truth and noise."""
    rng, truth = np.random.default_rng(seed), np.random.default_rng(7)
    ids = [f"s{i}" for i in range(N)] if ids is None else ids
    table = {"id": ids, "split": ["test"] * N}
    outputs = ["target"]
    if kind == "binary":
        target = truth.integers(0, 2, N)
        table |= {"target": target, "prediction": 1 / (1 + np.exp(-(target + noise * rng.normal(size=N))))}
    elif kind == "regression":
        target = truth.normal(size=N)
        table |= {"target": target, "prediction": target + noise * rng.normal(size=N)}
    else:
        target, outputs = truth.integers(0, 3, N), CLASSES
        shares = np.exp(np.eye(3)[target] + noise * rng.normal(size=(N, 3)))
        shares /= shares.sum(1, keepdims=True)
        names = np.array(CLASSES)
        table |= {"target": names[target], "prediction": names[shares.argmax(1)]} | {f"prediction_{c}": shares[:, k] for k, c in enumerate(CLASSES)}
    folder.mkdir(parents=True)
    frame = pd.DataFrame(table)
    more = frame.head(3).assign(split="val", id=["v1", "v2", "v3"])  # what is not tested must not count
    pd.concat([more, frame]).to_csv(folder / "predictions.tsv", sep="\t", index=False)
    by = yardstick(kind, outputs if kind == "multiclass" else ())
    measured = by.measure(*by.scores(frame), seed=0)
    metrics = {"kind": kind, "outputs": outputs, "test": dict(measured), "val": {by.headline[0]: {"value": val}}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return frame


def lead(kind: str, frame: pd.DataFrame) -> float:
    """Return the leading measure by scikit-learn or numpy."""
    if kind == "binary":
        return roc_auc_score(frame["target"], frame["prediction"])
    if kind == "regression":
        return np.corrcoef(frame["target"], frame["prediction"])[0, 1]
    return accuracy_score(frame["target"], frame["prediction"])


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_a_difference_is_that_of_the_measures_with_an_interval_around_it(kind, tmp_path):
    good = write_run(tmp_path / "good", kind, noise=0.5)
    bad = write_run(tmp_path / "bad", kind, noise=3.0, seed=1)
    found = compare_runs([tmp_path / "good", tmp_path / "bad"])
    metric = found["headline"][0]
    gained = found["runs"][1]["minus_reference"][metric]
    assert gained["value"] == pytest.approx(lead(kind, bad) - lead(kind, good), abs=1e-6)
    assert gained["low"] < gained["value"] < gained["high"] < 0
    assert "minus_reference" not in found["runs"][0]
    assert found["n_test"] == N
    assert f"{tmp_path / 'bad'}: worse than {tmp_path / 'good'}" in found["verdict"][0]


def test_the_same_predictions_differ_by_nothing(tmp_path):
    for name in ("a", "b"):
        write_run(tmp_path / name, "binary", noise=1.0)
    found = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert found["runs"][1]["minus_reference"]["auroc"] == {"value": 0, "low": 0, "high": 0}
    assert "not shown to differ" in found["verdict"][0]


def test_the_order_of_the_examples_does_not_matter(tmp_path):
    write_run(tmp_path / "a", "binary", noise=1.0)
    write_run(tmp_path / "b", "binary", noise=1.5, seed=1)
    first = compare_runs([tmp_path / "a", tmp_path / "b"])
    table = pd.read_csv(tmp_path / "b" / "predictions.tsv", sep="\t")
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "b" / "predictions.tsv", sep="\t", index=False)
    assert compare_runs([tmp_path / "a", tmp_path / "b"]) == first


def test_the_best_is_chosen_on_validation_and_not_on_the_test(tmp_path):
    write_run(tmp_path / "a", "binary", noise=0.2, val=0.6)
    write_run(tmp_path / "b", "binary", noise=2.0, seed=1, val=0.9)
    write_run(tmp_path / "c", "binary", noise=1.0, seed=2, val=0.7)
    folders = [tmp_path / name for name in "abc"]
    assert compare_runs(folders, against="best")["reference"] == str(tmp_path / "b")
    assert compare_runs(folders, against=str(tmp_path / "c"))["reference"] == str(tmp_path / "c")
    assert compare_runs(folders)["reference"] == str(tmp_path / "a")


def test_folds_are_compared_pair_by_pair(tmp_path):
    values = {"one": [], "two": []}
    for fold in range(3):
        ids = [f"f{fold}_{i}" for i in range(N)]
        for name, noise in (("one", 1.0), ("two", 1.4)):
            frame = write_run(tmp_path / name / f"fold{fold}", "binary", noise=noise, seed=fold + (name == "two") * 9, ids=ids)
            values[name].append(roc_auc_score(frame["target"], frame["prediction"]))
    found = compare_runs([tmp_path / "one", tmp_path / "two"])
    expected = summarise([b - a for a, b in zip(values["one"], values["two"], strict=True)])
    gained = found["runs"][1]["minus_reference"]["auroc"]
    assert (gained["value"], gained["low"]) == (pytest.approx(expected["value"], abs=1e-6), pytest.approx(expected["low"], abs=1e-5))
    assert found["n_test"] == 3 * N


def test_the_command_prints_a_table_and_writes_it(tmp_path, capsys):
    write_run(tmp_path / "a", "binary", noise=1.0)
    write_run(tmp_path / "b", "binary", noise=1.5, seed=1)
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b")]
    assert main([*words, "-o", str(tmp_path / "out.json")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"200 test examples; reference: {tmp_path / 'a'}"
    assert [line.split()[0] for line in out[2:4]] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "out.json").read_text())
    assert main([*words, "-o", str(tmp_path / "out.json")]) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(id=t["id"].replace({"s0": "other"})), r"1 of the 200 test examples of .*b are not in the test set of .*a; first: other"),
        (lambda t: t[t["id"] != "s7"], r"1 of the 200 test examples of .*a are not in the test set of .*b; first: s7"),
        (lambda t: t.assign(target=1 - t["target"]), r"200 of 200 test examples have other targets in .*b than in .*a; first: s0"),
    ],
)
def test_runs_whose_test_sets_differ_are_refused(change, message, tmp_path):
    write_run(tmp_path / "a", "binary", noise=1.0)
    write_run(tmp_path / "b", "binary", noise=1.0)
    table = pd.read_csv(tmp_path / "b" / "predictions.tsv", sep="\t")
    change(table).to_csv(tmp_path / "b" / "predictions.tsv", sep="\t", index=False)
    with pytest.raises(ValueError, match=message):
        compare_runs([tmp_path / "a", tmp_path / "b"])


def test_runs_of_different_questions_are_refused(tmp_path):
    write_run(tmp_path / "a", "binary", noise=1.0)
    write_run(tmp_path / "b", "regression", noise=1.0)
    with pytest.raises(ValueError, match=r"b predicts regression \(target\) and .*a binary \(target\)"):
        compare_runs([tmp_path / "a", tmp_path / "b"])


@pytest.mark.parametrize(
    ("names", "against", "message"),
    [
        (["a"], "first", "1 run was given: two or more were expected"),
        (["a", "a"], "first", "given more than once"),
        (["a", "b"], "nowhere", "--against nowhere: none of the runs"),
        (["a", "folds"], "first", "the folders do not hold the same runs"),
    ],
)
def test_what_cannot_be_compared_is_refused(names, against, message, tmp_path):
    write_run(tmp_path / "a", "binary", noise=1.0)
    write_run(tmp_path / "b", "binary", noise=1.0)
    write_run(tmp_path / "folds" / "fold0", "binary", noise=1.0)
    with pytest.raises(ValueError, match=message):
        compare_runs([tmp_path / name for name in names], against=against)


def test_a_folder_without_predictions_is_refused(tmp_path):
    write_run(tmp_path / "a", "binary", noise=1.0)
    write_run(tmp_path / "b", "binary", noise=1.0)
    (tmp_path / "b" / "predictions.tsv").unlink()
    with pytest.raises(FileNotFoundError, match=r"b: there is no predictions\.tsv"):
        compare_runs([tmp_path / "a", tmp_path / "b"])
