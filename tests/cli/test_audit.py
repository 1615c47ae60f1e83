"""seqdl audit: what it says, where, and with which exit code; and what it must find in real data on its own."""

from __future__ import annotations

import csv
import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest

from seqdl.cli.main import main


@pytest.fixture(autouse=True)
def environment_is_kept(monkeypatch):
    monkeypatch.setenv("SEQDL_QUIET", "1")  # main sets it under --quiet; put back afterwards


def write_classes(folder, sequences, positive):
    """Write sequences as two FASTA files; return their names."""
    names = []
    for label, name in ((True, "positives.fa"), (False, "negatives.fa")):
        chosen = [(i, text) for i, (text, is_positive) in enumerate(zip(sequences, positive, strict=True)) if is_positive == label]
        (folder / name).write_text("".join(f">s{i}\n{text}\n" for i, text in chosen))
        names.append(str(folder / name))
    return names


def audited(capsys, *words, code=0):
    """Run the verb; return its JSON."""
    assert main(["audit", *map(str, words), "--json", "--quiet"]) == code
    return json.loads(capsys.readouterr().out)


def mpra(shared_data, name):
    """Return the sequences and the measured expression of one table of yeast promoters."""
    with gzip.open(shared_data / "yeast_promoter_mpra" / f"{name}.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    column = "sequence" if "sequence" in rows[0] else "0"
    return [row[column] for row in rows], np.array([float(row["Measured Expression"]) for row in rows])


# the protocol ---------------------------------------------------------------------------------------


def test_the_verdict_and_the_tables_go_to_stdout(tiny, capsys):
    assert main(["audit", *tiny.fasta]) == 0
    text = capsys.readouterr().out
    assert text.startswith("No leak: none of the 12 test sequences is in the training set")
    assert "\nNo shortcut: alone, none of these separates the classes" in text
    assert re.search(r"\nBaseline: k-mers alone reach an AUROC of \d\.\d\d on the test set.* This is no shortcut", text)
    assert re.search(r"\nexact copy +none +none +the same sequence is in training\n", text)
    assert re.search(r"\nGC content +0\.\d+ \(.*\) +\d+ % +\d+ %\n", text)
    assert re.search(r"\nk-mer model +[01]\.\d+ .*baseline: k-mers of ", text)
    assert re.search(r"\ntrain +48 +48\n", text)


def test_json_is_the_whole_audit_and_a_yaml_of_a_training_will_do(tiny, tmp_path, capsys):
    (tmp_path / "run.yaml").write_text(f"data: {{fasta: [{', '.join(tiny.fasta)}], split: random}}\nmodel: cnn\nseed: 3\n")
    found = audited(capsys, tmp_path / "run.yaml")
    assert set(found) >= {"n", "leakage", "leak", "shortcuts", "shortcut", "baselines", "dropped", "notes", "verdict", "n_duplicates"}
    assert (found["seed"], found["data"]["split"], found["data"]["fasta"]) == (3, "random", tiny.fasta)
    assert set(found["baselines"]) == {"kmer"}
    assert "kmer" not in {entry["name"] for entry in found["shortcuts"]}


def test_a_folder_holds_the_audit_its_examples_and_a_page(tiny, tmp_path, capsys):
    assert main(["audit", *tiny.peaks, "--window", "60", "--ratio", "1", "--train-ratio", "2", "-o", str(tmp_path / "audit")]) == 0
    files = {path.relative_to(tmp_path / "audit").as_posix() for path in (tmp_path / "audit").rglob("*") if path.is_file()}
    assert files == {"audit.json", "audit.html", "data/examples.tsv", "data/dropped.tsv", "data/negatives.bed"}
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == f"page: {tmp_path / 'audit' / 'audit.html'}"
    found = json.loads((tmp_path / "audit/audit.json").read_text())
    assert "\n".join(found["verdict"]) in captured.out
    examples = pd.read_csv(tmp_path / "audit/data/examples.tsv", sep="\t")
    counts = examples.groupby(["split", "target"]).size()
    assert {(split, n["positives"], n["negatives"]) for split, n in found["n"].items()} == {
        (split, counts[split, 1], counts[split, 0]) for split in ("train", "val", "test")
    }
    assert (tmp_path / "audit/data/dropped.tsv").read_text() == "id\tchrom\tstart\tend\treason\tsource\n"


def test_nothing_is_overwritten_without_force(tiny, tmp_path, capsys):
    folder = tmp_path / "audit"
    assert main(["audit", *tiny.fasta, "-o", str(folder), "--quiet"]) == 0
    (folder / "audit.html").write_text("mine")
    assert main(["audit", *tiny.fasta, "-o", str(folder), "--quiet"]) == 1
    assert "already holds audit.json, audit.html, examples.tsv, dropped.tsv" in capsys.readouterr().err
    assert (folder / "audit.html").read_text() == "mine"
    assert main(["audit", *tiny.fasta, "-o", str(folder), "--quiet", "--force"]) == 0
    assert (folder / "audit.html").read_text().startswith("<!DOCTYPE html>")


def test_a_run_is_never_written_into(tiny, tiny_run, capsys):
    before = (tiny_run / "audit.json").read_bytes()
    assert main(["audit", *tiny.fasta, "-o", str(tiny_run), "--quiet", "--force"]) == 1
    assert "is the folder of a run (it holds config.yaml)" in capsys.readouterr().err
    assert (tiny_run / "audit.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{pos}", "nowhere.fa"], "there is no file nowhere.fa"),
        (["{pos}"], "two classes were expected"),
        ([], "no data were given"),
        (["{pos}", "{neg}", "--fail-on", "leaks"], "no check for --fail-on named 'leaks'. Did you mean 'leak'? Available: leak, shortcut."),
        (["{pos}", "{neg}", "--fail-on", "leak,baseline"], "no check for --fail-on named 'baseline'"),
        (["{pos}", "{neg}", "--split", "chromosome"], "say nothing of chromosomes"),
    ],
    ids=["missing", "one class", "nothing", "unknown check", "check of another verb", "no chromosomes"],
)
def test_what_cannot_be_audited_is_refused_in_a_line_and_leaves_no_folder(words, said, tiny, tmp_path, capsys):
    names = dict(zip(("pos", "neg"), tiny.fasta, strict=True))
    assert main(["audit", *(word.format(**names) for word in words), "-o", str(tmp_path / "audit"), "--quiet"]) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("gc", "copies", "checks", "code"),
    [
        (0, 0, "leak,shortcut", 0),
        (0, 30, "leak,shortcut", 3),
        (0, 30, "shortcut", 0),
        (0.4, 0, "shortcut", 3),
        (0.4, 0, "leak", 0),
        (0.4, 30, None, 0),
    ],
)
def test_a_check_that_does_not_pass_leaves_with_3_and_all_its_results(gc, copies, checks, code, tmp_path, capsys):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (400, 60))
    codes[:200] = np.where((codes[:200] == 0) & (rng.random((200, 60)) < gc), 2, codes[:200])
    codes[:copies] = codes[100 : 100 + copies]
    files = write_classes(tmp_path, ["".join("ACGT"[base] for base in row) for row in codes], np.arange(400) < 200)
    words = ["--fail-on", checks] if checks else []
    assert main(["audit", *files, "--split", "random", "-o", str(tmp_path / "audit"), *words, "--quiet"]) == code
    captured = capsys.readouterr()
    assert "Balance: " in captured.out
    assert (tmp_path / "audit/audit.html").is_file()
    assert captured.err.count("\n") == (code == 3)
    if code == 3:
        assert ("leak: " in captured.err, "shortcut: gc alone" in captured.err) == (copies > 0, gc > 0)


# what it must find ----------------------------------------------------------------------------------


@pytest.fixture
def splice(shared_data, tmp_path):
    """Write the splice junctions as donors and acceptors against neither; return the files and the sequences."""
    with gzip.open(shared_data / "uci_splice/splice.data.gz", "rt") as lines:
        rows = [[word.strip() for word in line.split(",")] for line in lines if line.strip()]
    sequences = [row[2] for row in rows]
    return write_classes(tmp_path, sequences, [row[0] != "N" for row in rows]), sequences


def test_the_duplicates_of_the_splice_junctions_are_found(splice, tmp_path, capsys):
    files, sequences = splice
    found = audited(capsys, *files, "--split", "random", "--fail-on", "leak", "-o", tmp_path / "audit", code=3)
    assert found["n_duplicates"] == len(sequences) - len(set(sequences)) == 185
    assert found["n_contradictions"] == 2  # one sequence carries two classes
    assert any(sentence.startswith("Duplicates: 185 of the 3,190 sequences") for sentence in found["verdict"])
    split = pd.read_csv(tmp_path / "audit/data/examples.tsv", sep="\t")["split"].to_numpy()
    order = [line for name in files for line in open(name).read().split("\n")[1::2]]  # noqa: PTH123, SIM115
    training = {sequence for sequence, name in zip(order, split, strict=True) if name == "train"}
    copies = sum(sequence in training for sequence, name in zip(order, split, strict=True) if name == "test")
    assert found["leakage"]["test"]["n_exact"] == copies > 20


def test_deduplicating_the_splice_junctions_drops_them_into_the_ledger(splice, tmp_path, capsys):
    files, _ = splice
    found = audited(capsys, *files, "--split", "random", "--deduplicate", "-o", tmp_path / "audit")
    assert sum(found["dropped"].values()) == len(pd.read_csv(tmp_path / "audit/data/dropped.tsv", sep="\t")) == 185
    assert found["n_duplicates"] == found["leakage"]["test"]["n_exact"] == found["n_contradictions"] == 0
    assert sum(sum(sizes.values()) for sizes in found["n"].values()) == 3_005


@pytest.mark.parametrize("name", ["Native_complex", "Native_defined"])
def test_the_near_variants_of_the_native_promoters_are_found_under_a_random_split(name, shared_data, tmp_path, capsys):
    sequences, expression = mpra(shared_data, name)
    files = write_classes(tmp_path, sequences, expression > np.median(expression))
    found = audited(capsys, *files, "--split", "random", "--fail-on", "leak", code=3)
    test = found["leakage"]["test"]
    assert test["n_near_copy"] == test["n_leaky"] >= 10
    # Every promoter has a sister at one or two substitutions: those that leave less than 80 % of the 24-mers whole are said to be related.
    assert test["n_leaky"] + test["n_related"] == test["n"]
    assert any(sentence.startswith("Related: ") for sentence in found["verdict"])
    apart = audited(capsys, *files, "--fail-on", "leak")["leakage"]["test"]
    assert apart["n_leaky"] == 0
    assert apart["n_related"] < test["n_related"] / 20  # half of their 24-mers are in several of training together, in none alone


def test_flanks_that_all_promoters_of_a_library_share_are_no_leak(shared_data, tmp_path, capsys):
    sequences, expression = mpra(shared_data, "Random_testdata_complex_media")
    assert np.mean([text.startswith("TGCATTTTTTTCACATC") and text.endswith("GGTTACGGCTGTT") for text in sequences]) > 0.95  # 30 bp of 110
    found = audited(capsys, *write_classes(tmp_path, sequences, expression > np.median(expression)), "--split", "random", "--fail-on", "leak")
    assert found["leakage"]["test"]["n_leaky"] == found["leakage"]["test"]["n_related"] == 0


def test_the_gc_difference_of_the_enhancers_is_a_shortcut(shared_data, capsys):
    folder = shared_data / "enhancer_ie2l"
    found = audited(capsys, folder / "enhancer.cv.txt", folder / "non.cv.txt", "--fail-on", "shortcut", code=3)
    gc, length, n_content = found["shortcuts"]
    assert (gc["name"], gc["is_shortcut"], length["is_shortcut"], n_content["is_shortcut"]) == ("gc", True, False, False)
    assert (round(gc["positive_mean"], 2), round(gc["negative_mean"], 2)) == (0.49, 0.37)
    assert found["baselines"]["kmer"]["auroc"]["value"] > 0.8
    assert any("GC content alone tells positives from negatives" in sentence for sentence in found["verdict"])
