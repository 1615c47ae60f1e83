"""What is read around the window of a peak."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from seqdl.cli.main import main
from seqdl.data.genome import Genome
from seqdl.data.intervals import resize
from seqdl.experiment.config import make_config
from seqdl.experiment.evaluate import evaluate_baselines
from seqdl.experiment.intervals import context_of
from seqdl.experiment.prepare import prepare, resolve_data
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


def test_files_tell_of_the_window_that_was_asked_for(tiny, tmp_path):
    run = tmp_path / "run"
    words = [word if word != "0" else "20" for word in tiny.peaks]
    assert main(["train", *words, *tiny.options, "-o", str(run), "--quiet"]) == 0
    examples = pd.read_csv(run / "data" / "examples.tsv", sep="\t")
    negatives = read_bed(run / "data" / "negatives.bed")
    assert set(examples["end"] - examples["start"]) == set(negatives["end"] - negatives["start"]) == {60}
    place = examples["chrom"] + ":" + examples["start"].astype(str) + "-" + examples["end"].astype(str)
    assert (examples["id"].str.split("(").str[0] == place).all()
    page = (run / "report.html").read_text()
    assert "read around it" in page
    assert "20 bp on either side" in page
    assert "by nothing but 100 bp of DNA" in page
    again = tmp_path / "again"
    assert main(["train", str(run / "config.yaml"), "-o", str(again), "--quiet"]) == 0
    assert (again / "predictions.tsv").read_bytes() == (run / "predictions.tsv").read_bytes()
    assert main(["evaluate", str(run), *words[:4], "-o", str(tmp_path / "other.json"), "--quiet"]) == 0
    assert json.loads((tmp_path / "other.json").read_text())["test"]["auroc"]["value"] is not None


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
