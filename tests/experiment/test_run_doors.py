"""What a run answers in Python: the bits of a language model, truth and predictions along the sequence, baselines, judgements."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

import seqdl
from seqdl.cli.main import main
from seqdl.evaluate.metrics import auroc
from seqdl.experiment.judge import judge
from seqdl.experiment.measure import measure

N, LENGTH = 90, 24
SPLIT = np.repeat(["train", "val", "test"], [50, 20, 20])


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(0).choice(4, (N, LENGTH), p=[0.4, 0.1, 0.1, 0.4]).astype(np.uint8)


@pytest.fixture(scope="module")
def writer(codes, tmp_path_factory):
    """Return the run of a small language model."""
    torch.manual_seed(0)
    task = seqdl.create_task("next_base", seqdl.create_model("gru", filters=0, hidden=8, bidirectional=False))
    data = seqdl.SequenceData.from_sequences(codes, None, SPLIT)
    return seqdl.fit(task, data, tmp_path_factory.mktemp("writer") / "run", max_steps=10, device="cpu")


def test_the_bits_of_a_base_are_those_of_its_probability(writer, codes):
    bits = writer.base_bits(codes[:3])
    with torch.inference_mode():
        odds = writer.task(torch.from_numpy(seqdl.one_hot(codes[:3]))).numpy()
    np.testing.assert_allclose(bits, -np.log2(np.take_along_axis(odds, codes[:3, None].astype(int), axis=1)[:, 0]), rtol=1e-4)


def test_padding_has_no_bits_and_leaves_those_of_the_others_alone(writer, codes):
    bits = writer.base_bits([codes[0, :9], codes[1]])
    assert np.isnan(bits[0, 9:]).all()
    np.testing.assert_allclose(bits[0, :9], writer.base_bits(codes[:1, :9])[0], rtol=1e-5)


def test_their_mean_is_the_bits_per_base_that_are_evaluated_and_measured(writer, codes):
    found = writer.evaluate("test")
    assert np.nanmean(writer.base_bits(codes[-20:])) == pytest.approx(found["bits_per_base"]["value"], rel=1e-5)
    measured = measure(writer)
    assert found["bits_per_base"] == pytest.approx(measured["test"]["bits_per_base"])
    assert set(found) == set(measured["test"])


def test_a_language_model_writes_the_same_in_python_and_on_the_command_line(writer, tmp_path):
    words = ["-n", "5", "--length", "30", "--prompt", "TATA", "--temperature", "0.5", "--seed", "2"]
    assert main(["generate", str(writer.folder), *words, "-o", str(tmp_path / "a.fa")]) == 0
    found = writer.generate(5, length=30, prompt="TATA", temperature=0.5, seed=2)
    np.testing.assert_array_equal(found, [record.codes for record in seqdl.read_fasta(tmp_path / "a.fa")])
    assert {seqdl.decode(row)[:4] for row in found} == {"TATA"}


def test_sequences_that_are_there_already_are_kept_unless_force_is_given(writer, tmp_path, capsys):
    (tmp_path / "a.fa").write_text("mine")
    words = ["generate", str(writer.folder), "-n", "5", "-o", str(tmp_path / "a.fa"), "--quiet"]
    assert main(words) == 1
    assert "a.fa is already there; nothing is overwritten" in capsys.readouterr().err
    assert (tmp_path / "a.fa").read_text() == "mine"
    assert main([*words, "--force"]) == 0
    assert (tmp_path / "a.fa").read_text().count(">") == 5


@pytest.mark.parametrize(("options", "message"), [({"n": 0}, "n is 0: one sequence or more"), ({"length": 0}, "length is 0: 1 bp or more")])
def test_nothing_to_draw_is_refused(writer, options, message):
    with pytest.raises(ValueError, match=message):
        writer.generate(**options)


# along the sequence ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def labelled(codes, tmp_path_factory):
    """Return the run of a small network that labels the bases of T."""
    torch.manual_seed(0)
    task = seqdl.create_task("segmentation", seqdl.create_model("cnn", filters=4, width=5), outputs=["t"])
    data = seqdl.SequenceData.along(codes, codes == 3, SPLIT, outputs=["t"])
    return seqdl.fit(task, data, tmp_path_factory.mktemp("labelled") / "run", max_steps=10, device="cpu")


@pytest.mark.parametrize("split", ["val", "test"])
def test_truth_and_predictions_of_every_base_of_a_split(labelled, codes, split):
    held = labelled.along(split)
    rows = np.flatnonzero(split == SPLIT)
    np.testing.assert_array_equal(held.rows, rows)
    np.testing.assert_array_equal(held.truth[:, 0], codes[rows] == 3)
    with torch.inference_mode():
        expected = labelled.task(torch.from_numpy(seqdl.one_hot(codes[rows]))).numpy()
    np.testing.assert_allclose(held.guess, expected, atol=1e-5)
    assert labelled.evaluate(split)["auroc"]["value"] == pytest.approx(auroc(held.truth.ravel(), held.guess.ravel()))


def test_baselines_along_the_sequence_stand_beside_the_network(labelled):
    found = labelled.baselines(motifs=[])
    assert found.index[0] == "network"
    assert {"gc", "kmer"} <= set(found.index)
    assert found.loc["network", "auroc"] == pytest.approx(labelled.evaluate("test")["auroc"]["value"])


# whole sequences ------------------------------------------------------------------------------------


def test_baselines_are_those_of_the_command_line(tiny_run, capsys):
    assert main(["evaluate", str(tiny_run), "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = seqdl.load_run(tiny_run).baselines()
    for name, entry in {"network": told["test"], **told["baselines"]}.items():
        assert found.loc[name, ["auroc", "auroc_low"]].tolist() == pytest.approx([entry["auroc"]["value"], entry["auroc"]["low"]])


def test_predictions_keep_the_names_of_a_file_and_do_not_depend_on_the_form(tiny, tiny_run):
    run, path = seqdl.load_run(tiny_run), tiny.path("positives.fa")
    records = seqdl.read_fasta(path)
    found, from_codes = run.predict(path), run.predict(np.stack([record.codes for record in records]))
    assert found["id"].tolist() == [record.name for record in records]
    pd.testing.assert_frame_equal(found.drop(columns="id"), from_codes.drop(columns="id"))


# judgement ------------------------------------------------------------------------------------------


def test_files_strings_and_codes_are_judged_alike(tmp_path):
    real, samples = seqdl.simulate_promoters(200, seed=0)[0], seqdl.simulate_promoters(100, seed=1)[0]
    seqdl.write_fasta(tmp_path / "real.fa", [f"r{i}" for i in range(200)], real)
    expected = judge(samples, real, cnn=False, seed=3).to_dict()
    assert seqdl.judge_sequences(samples, real, cnn=False, seed=3).to_dict() == expected
    card = seqdl.judge_sequences([seqdl.decode(row) for row in samples], tmp_path / "real.fa", cnn=False, seed=3)
    assert card.to_dict() == expected
    assert card.table().loc["samples", "js_6"] == expected["sample"]["kmers"]["js_6"]
    assert card.table().loc["markov5", "copies"] == expected["baselines"]["markov5"]["novelty"]["near_rate"]
