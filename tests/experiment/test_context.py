"""What is read around the window of a peak."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from seqdl.cli.main import main
from seqdl.data.genome import Genome
from seqdl.data.intervals import resize
from seqdl.experiment.auto import resolve_auto
from seqdl.experiment.config import make_config
from seqdl.experiment.evaluate import evaluate_baselines
from seqdl.experiment.intervals import context_of, window_within
from seqdl.experiment.prepare import prepare, resolve_data
from seqdl.experiment.run import Run
from seqdl.experiment.yardstick import BinaryYardstick
from seqdl.io.bed import read_bed


def config(tiny, **data):
    named = {"genome": tiny.path("genome.fa"), "peaks": tiny.path("peaks.bed"), "window": 60, "ratio": 1, "train_ratio": 1}
    return make_config({"data": {**named, **data}})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, 100),
        ({"window": 100}, 150),
        ({"window": 401}, 0),
        ({"window": 1000}, 0),
        ({"context": 7}, 7),
        ({"context": 0}, 0),
        ({"negatives": "dinuc"}, 0),
    ],
)
def test_by_default_400_bp_are_read_around_a_peak(data, expected):
    assert context_of(make_config({"data": {"genome": "g.fa", "peaks": "p.bed", **data}}).data) == expected


def test_the_bases_around_a_window_are_those_of_the_genome(tiny):
    made = prepare(config(tiny, context=20))
    positives = made.examples["target"].to_numpy() > 0
    windows = resize(read_bed(tiny.path("peaks.bed")), 100)
    assert made.length == 100
    assert made.context == 20
    np.testing.assert_array_equal(made.codes[positives], Genome(tiny.path("genome.fa")).fetch(windows))


@pytest.fixture(scope="module")
def around(tiny, tmp_path_factory):
    """Train a run that reads 20 bp on either side of a window of 60 bp."""
    folder = tmp_path_factory.mktemp("around") / "run"
    assert main(["train", *tiny.peaks[:4], "--context", "20", *tiny.options, "-o", str(folder), "--quiet"]) == 0
    return folder


def evaluated(run, tiny, tmp_path, *flags):
    assert main(["evaluate", str(run), *tiny.peaks[:4], *flags, "-o", str(tmp_path / "found.json"), "--quiet", "--force"]) == 0
    return json.loads((tmp_path / "found.json").read_text())


def test_files_tell_of_the_window_that_was_asked_for(around, tmp_path):
    examples = pd.read_csv(around / "data" / "examples.tsv", sep="\t")
    negatives = read_bed(around / "data" / "negatives.bed")
    assert set(examples["end"] - examples["start"]) == set(negatives["end"] - negatives["start"]) == {60}
    place = examples["chrom"] + ":" + examples["start"].astype(str) + "-" + examples["end"].astype(str)
    assert (examples["id"].str.split("(").str[0] == place).all()
    page = (around / "report.html").read_text()
    assert "read around it" in page
    assert "20 bp on either side" in page
    assert "by nothing but 100 bp of DNA" in page
    again = tmp_path / "again"
    assert main(["train", str(around / "config.yaml"), "-o", str(again), "--quiet"]) == 0
    assert (again / "predictions.tsv").read_bytes() == (around / "predictions.tsv").read_bytes()


def test_other_peaks_are_read_as_far_as_those_of_the_training_whatever_is_named(around, tiny, tmp_path):
    expected = evaluated(around, tiny, tmp_path)
    assert expected["test"]["auroc"]["value"] is not None
    for flags in (["--window", "60"], ["--context", "20"], ["--window", "60", "--context", "20"]):
        assert evaluated(around, tiny, tmp_path, *flags) == expected


def test_nothing_is_read_around_other_peaks_where_nothing_was_in_training(tiny, tiny_run, tmp_path):
    assert evaluated(tiny_run, tiny, tmp_path, "--window", "60") == evaluated(tiny_run, tiny, tmp_path)


def test_other_peaks_are_held_against_the_baselines_that_were_chosen_in_training(around, tiny, tmp_path):
    found, own = evaluated(around, tiny, tmp_path), json.loads((around / "metrics.json").read_text())
    assert {name: entry["detail"] for name, entry in found["baselines"].items()} == {
        name: entry["detail"] for name, entry in own["baselines"].items()
    }
    assert not found["val"]


def test_test_examples_that_leak_are_spoken_of(around, tiny, tmp_path, capsys):
    found = evaluated(around, tiny, tmp_path)
    assert f"WARNING: {found['n_leaks']} test examples are in the training set too, or nearly so. Without them: AUROC" in capsys.readouterr().out


def test_a_context_that_leaves_no_window_is_refused():
    with pytest.raises(ValueError, match=r"--context 60: the network was trained on 100 bp, of which 60 on either side leave no window; up to 49"):
        window_within(100, 60)


def test_a_run_from_before_read_its_windows_alone(tiny_run, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(tiny_run, old)
    text = (old / "config.yaml").read_text()
    (old / "config.yaml").write_text("\n".join(line for line in text.splitlines() if not line.startswith("  context:")))
    assert Run(old).data.length == 60


@pytest.mark.parametrize("task", ["vae", "localisation"])
def test_context_is_refused_where_it_would_not_be_read(tiny, task):
    asked = config(tiny, context=20)
    asked.task = {"name": task}
    with pytest.raises(ValueError, match=r"--context 20 was given without peaks to be told from background"):
        prepare(asked)


def test_negatives_that_were_sampled_can_be_used_again(tiny, tmp_path):
    first = prepare(config(tiny, context=20))
    from seqdl.io.bed import write_bed

    write_bed(tmp_path / "negatives.bed", first.negatives)
    second = prepare(config(tiny, context=20, negatives=str(tmp_path / "negatives.bed")))
    assert set(second.examples["id"]) == set(first.examples["id"])
    order = {name: row for row, name in enumerate(second.examples["id"])}
    np.testing.assert_array_equal(second.codes[[order[name] for name in first.examples["id"]]], first.codes)


def test_shuffled_negatives_have_nothing_around_them(tiny):
    with pytest.raises(ValueError, match=r"--context 20 was given with shuffled negatives, which have nothing around them"):
        prepare(config(tiny, context=20, negatives="dinuc"))


def test_what_is_read_stands_in_the_config(tiny):
    assert resolve_data(config(tiny)).context == 170
    assert resolve_data(make_config({"data": {"fasta": ["a.fa", "b.fa"]}})).context is None


@pytest.mark.parametrize("inside", [True, False])
def test_a_baseline_reads_the_window_or_its_surroundings_whichever_is_better_on_validation(tiny, inside):
    rng = np.random.default_rng(0)
    made = prepare(config(tiny, context=20))
    target = made.examples["target"].to_numpy() > 0
    codes = rng.integers(0, 4, made.codes.shape).astype(np.uint8)
    site = np.array([3, 3, 0, 1, 1, 1, 2], dtype=np.uint8)
    codes[:, 45:52] = np.where(target[:, None], site, codes[:, 45:52])
    if inside:  # the same site around negatives' windows tells nothing of the window
        codes[:, 5:12] = np.where(rng.random(len(codes))[:, None] < 0.9, site, codes[:, 5:12])
    else:
        codes[:, 45:52], codes[:, 5:12] = codes[:, 5:12].copy(), codes[:, 45:52].copy()
    made = dataclasses.replace(made, codes=codes)
    held = made.held_out_rows()
    table = pd.DataFrame(
        {"split": made.examples["split"].to_numpy()[held], "target": target[held].astype(float), "prediction": rng.random(len(held))}
    )
    entries, _ = evaluate_baselines(made, table, BinaryYardstick())
    assert ("of the window without its surroundings" in entries["kmer"]["detail"]) == inside
    assert "surroundings" not in entries["gc"]["detail"]


def test_every_other_network_reads_the_window_alone(tiny):
    made = prepare(config(tiny, context=20))
    resolved, _ = resolve_auto(config(tiny, context=20), made)
    heads = [resolved.task, *(member["task"] for member in resolved.ensemble)]
    assert [head.get("span") for head in heads] == [None, 60] * 3 + [60, 60]
