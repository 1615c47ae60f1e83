"""The audit from Python, and its folder: whole or not at all."""

from __future__ import annotations

import json

import numpy as np
import pytest

import seqdl
from seqdl.data.dataset import SequenceData
from seqdl.errors import InputError, MissingFileError, OutputExistsError, UnknownNameError
from seqdl.experiment.audit import Audit, audit_data, write_audit
from seqdl.experiment.complete import audit
from seqdl.sequence.edit import reverse_complement

N = 240
TARGET = np.tile([1.0, 0.0], N // 2)
SPLIT = np.repeat(["train", "val", "test"], [160, 40, 40])


def made(codes, target=TARGET, split=SPLIT):
    return SequenceData.from_sequences(list(codes), target, split, names=[f"s{i}" for i in range(len(codes))])


@pytest.fixture
def codes():
    return np.random.default_rng(0).integers(0, 4, (N, 50)).astype(np.uint8)


def test_examples_in_memory_are_audited_and_print_as_their_verdict(codes):
    codes[200], codes[201] = codes[0], reverse_complement(codes[1])
    found = seqdl.audit_data(made(codes))
    assert isinstance(found, dict)
    assert (found["leak"], found["n_duplicates"]) == (True, 2)
    assert str(found) == "\n".join(found["verdict"])
    assert str(found).startswith("Leak: 2 of the 40 test sequences (5 %)")
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_audit_is_that_of_a_training_and_the_baseline_more(codes):
    data = made(codes)
    own, found = audit(data), audit_data(data)
    assert {key: found[key] for key in own if key != "verdict"} == {key: own[key] for key in own if key != "verdict"}
    assert set(found) - set(own) == {"baselines", "seed", "data"}


def test_k_mers_that_separate_the_classes_are_a_baseline_and_no_shortcut(codes):
    codes[::2, 20:30] = [0, 1, 2, 3, 3, 2, 1, 0, 0, 3]
    found = audit_data(made(codes))
    assert found["baselines"]["kmer"]["auroc"]["value"] > 0.95
    assert not found["shortcut"]
    assert [entry["name"] for entry in found["shortcuts"]] == ["gc", "length", "n_content"]
    assert found["verdict"][-1].startswith("Baseline: k-mers alone reach an AUROC of 1.00 on the test set")


@pytest.mark.parametrize("as_paths", [True, False])
def test_the_data_flags_are_its_arguments(as_paths, tiny):
    from pathlib import Path

    fasta = [Path(name) for name in tiny.fasta] if as_paths else tiny.fasta
    found = audit_data(fasta=fasta, split="random", seed=4)
    assert (found["data"]["fasta"], found["data"]["split"], found["seed"]) == (tiny.fasta, "random", 4)
    assert found["n"]["test"] == {"positives": 6, "negatives": 6}
    peaks = audit_data(genome=tiny.path("genome.fa"), peaks=tiny.path("peaks.bed"), window=60, ratio=1, train_ratio=2)
    assert peaks["data"]["negatives"] == "gc"
    assert "an overlapping interval" in str(peaks)


def test_wrong_arguments_are_refused(codes):
    with pytest.raises(UnknownNameError, match=r"no option in the config section 'data' named 'fsta'\. Did you mean 'fasta'"):
        audit_data(fsta=["a.fa", "b.fa"])
    with pytest.raises(InputError, match="data were given together with fasta, split: one source of examples was expected"):
        audit_data(made(codes), fasta=["a.fa", "b.fa"], split="random")
    with pytest.raises(InputError, match="no data were given"):
        audit_data()
    with pytest.raises(MissingFileError, match=r"there is no file nowhere\.fa"):
        audit_data(fasta=["nowhere.fa", "b.fa"])


def test_unknown_bases_at_the_ends_are_n_content_and_no_shorter_length(codes):
    codes[::2, :3], codes[::2, -3:] = 4, 4
    shortcuts = {entry["name"]: entry for entry in audit_data(made(codes))["shortcuts"]}
    assert shortcuts["n_content"]["is_shortcut"]
    assert shortcuts["length"]["positive_mean"] == shortcuts["length"]["negative_mean"] == 50


def test_sequences_of_different_lengths_are_taken_at_their_own(codes):
    sequences = [row[: 40 if i % 2 else 50] for i, row in enumerate(codes)]
    sequences[201] = reverse_complement(sequences[1])
    found = audit_data(made(sequences))
    assert found["leakage"]["test"]["n_reverse_complement"] == found["n_duplicates"] == 1
    assert [entry["name"] for entry in found["shortcuts"] if entry["is_shortcut"]] == ["length"]


@pytest.mark.parametrize("split", [np.repeat(["train", "val"], N // 2), np.where(TARGET > 0, "train", "test"), np.where(TARGET > 0, "test", "train")])
def test_where_a_class_or_a_split_is_lacking_there_is_no_baseline_to_speak_of(codes, split):
    found = audit_data(made(codes, split=split))
    assert not [sentence for sentence in found["verdict"] if sentence.startswith("Baseline")]
    json.dumps(found, allow_nan=False)


def test_a_measured_target_is_audited_for_leaks_alone(codes):
    found = audit_data(made(codes, target=np.linspace(-1, 1, N)))
    assert (found["shortcuts"], found["baselines"]) == ([], {})
    assert "Shortcuts were not looked for" in str(found)


def test_a_write_that_fails_leaves_nothing_of_a_new_folder(codes, tmp_path, monkeypatch):
    data = made(codes)
    found = audit_data(data)

    def full(folder):
        raise InputError("the disk is full")

    monkeypatch.setattr("seqdl.report.audit_page.build_audit_page", full)
    with pytest.raises(InputError, match="the disk is full"):
        write_audit(tmp_path / "a" / "b", data, found)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_an_old_audit_as_it_was(codes, tmp_path, monkeypatch):
    data = made(codes)
    folder = tmp_path / "audit"
    write_audit(folder, data, audit_data(data))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr("seqdl.report.audit_page.build_audit_page", lambda folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_audit(folder, data, Audit(audit_data(data), leak=True), force=True)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_empty_folder_is_filled_and_what_else_lies_in_one_stays(codes, tmp_path):
    data = made(codes)
    (tmp_path / "notes.txt").write_text("mine")
    page = write_audit(tmp_path, data, audit_data(data))
    assert page == tmp_path.resolve() / "audit.html"
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "audit.json", "audit.html", "data"}
    with pytest.raises(OutputExistsError, match=r"already holds audit\.json"):
        write_audit(tmp_path, data, audit_data(data))


def test_negatives_of_an_earlier_audit_do_not_stay_behind(codes, tmp_path):
    data = made(codes)
    found = audit_data(data)
    write_audit(tmp_path / "audit", data, found)
    (tmp_path / "audit/data/negatives.bed").write_text("chrI\t0\t10\n")
    write_audit(tmp_path / "audit", data, found, force=True)
    assert not (tmp_path / "audit/data/negatives.bed").exists()


def test_a_file_is_no_folder(codes, tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(OutputExistsError, match="is a file; expected a folder"):
        write_audit(tmp_path / "x", made(codes), Audit(), force=True)
