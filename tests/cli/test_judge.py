"""seqdl judge: what it says, where, and with which exit code."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqdl.cli.main import main
from seqdl.data.promoters import promoter_elements, simulate_promoters
from seqdl.experiment import two_sample
from seqdl.io.fasta import write_fasta
from seqdl.io.meme import write_meme


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("SEQDL_QUIET", "1")  # main sets it under --quiet; put back afterwards
    monkeypatch.setattr(two_sample, "LEAST_STEPS", 4)
    monkeypatch.setattr(two_sample, "PASSES", 1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write held-out promoters, real and training ones, collapsed and copied samples, and the motifs; return their names."""
    folder = tmp_path_factory.mktemp("judge")
    sets = {name: simulate_promoters(n, seed=seed)[0] for name, n, seed in (("held", 100, 1), ("real", 200, 2), ("train", 200, 3))}
    sets["collapsed"] = sets["held"][np.random.default_rng(0).integers(0, 4, 100)]
    sets["copied"] = np.concatenate([sets["train"][:40], sets["held"][:60]])
    sets["few"] = sets["held"][:20]
    names = {name: str(folder / f"{name}.fa") for name in sets}
    for name, codes in sets.items():
        write_fasta(names[name], [f"{name}{i}" for i in range(len(codes))], codes)
    names["motifs"] = str(folder / "known.meme")
    write_meme(names["motifs"], [element.motif for element in promoter_elements()])
    (folder / "empty.fa").write_text("")
    names["empty"] = str(folder / "empty.fa")
    return names


def test_the_table_and_the_verdict_go_to_stdout_and_the_card_into_the_folder(files, tmp_path, capsys):
    words = ["judge", files["held"], "--real", files["real"], "--train", files["train"], "--database", files["motifs"], "-o", str(tmp_path / "card")]
    assert main([*words, "--fail-on", "collapsed,copies"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].split()[:4] == ["JS", "3-mer", "JS", "6-mer"]
    assert [line.split("  ")[0] for line in lines[1:4]] == ["samples", "real, held out", "markov0"]
    found = json.loads((tmp_path / "card" / "card.json").read_text())
    assert lines[-1] == found["verdict"]["text"]
    assert (tmp_path / "card" / "card.html").read_text().startswith("<!DOCTYPE html>")
    assert captured.err.splitlines()[-1] == f"page: {tmp_path / 'card' / 'card.html'}"
    assert found["settings"]["command"].startswith("seqdl judge ")
    assert [row["name"] for row in found["motifs"]] == ["TATA", "Inr", "E-box", "ETS"]


def test_json_is_the_whole_card(files, capsys):
    assert main(["judge", files["held"], "--real", files["real"], "--database", "none", "--json", "--quiet", "--seed", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"sample", "real", "baselines", "motifs", "verdict", "notes", "curves", "settings"}
    assert (found["settings"]["seed"], found["motifs"]) == (3, [])


@pytest.mark.parametrize(
    ("sample", "checks", "code", "said"),
    [
        ("collapsed", "collapsed,copies", 3, "collapsed: "),
        ("collapsed", "copies", 0, ""),
        ("copied", "collapsed,copies", 3, "copies: "),
        ("copied", "collapsed", 0, ""),
        ("copied", None, 0, ""),
    ],
)
def test_a_check_that_does_not_pass_leaves_with_3_and_all_its_results(sample, checks, code, said, files, tmp_path, capsys):
    words = [
        "judge",
        files[sample],
        "--real",
        files["real"],
        "--train",
        files["train"],
        "--database",
        "none",
        "-o",
        str(tmp_path / "card"),
        "--quiet",
    ]
    assert main([*words, *(["--fail-on", checks] if checks else [])]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == (code == 3)
    assert (tmp_path / "card" / "card.html").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{few}", "--real", "{real}"], "there are 20 synthetic sequences: 50 or more were expected"),
        (["{held}", "--real", "{few}"], "there are 20 real sequences: 100 or more were expected"),
        (["{empty}", "--real", "{real}"], "empty.fa is empty. FASTA records"),
        (["{held}", "--real", "nowhere.fa"], "there is no file nowhere.fa"),
        (["{held}", "--real", "{train}", "--train", "{train}"], "of the real sequences are training sequences"),
        (["-", "--real", "-"], "standard input was named twice"),
        (["{held}", "--real", "{real}", "--fail-on", "collapse"], "Did you mean 'collapsed'?"),
        (["{held}", "--real", "{real}", "--database", "jaspar:fungus"], "no taxonomic group of JASPAR named 'fungus'. Did you mean 'fungi'?"),
        (["{held}", "--real", "{real}", "--predictor", "nowhere"], "nowhere: there is no config.yaml"),
    ],
    ids=["few samples", "few real", "empty", "missing", "train as real", "stdin twice", "check", "database", "predictor"],
)
def test_what_cannot_be_judged_is_refused_in_a_line_and_leaves_no_folder(words, said, files, tmp_path, capsys):
    database = [] if "--database" in words else ["--database", "none"]
    assert main(["judge", *(word.format(**files) for word in words), *database, "-o", str(tmp_path / "card"), "--quiet"]) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_without_force_and_that_is_said_before_any_work(files, tmp_path, capsys, monkeypatch):
    (tmp_path / "card.html").write_text("mine")
    monkeypatch.setattr("seqdl.experiment.judge.judge_files", lambda *_, **__: pytest.fail("work was begun"))
    assert main(["judge", files["held"], "--real", files["real"], "-o", str(tmp_path), "--quiet"]) == 1
    assert "already holds card.html" in capsys.readouterr().err
    assert (tmp_path / "card.html").read_text() == "mine"


def test_lengths_that_differ_are_no_error_and_what_is_skipped_is_said(files, tmp_path, capsys):
    ragged = [row[: 50 + i % 15] for i, row in enumerate(simulate_promoters(100, seed=8)[0])]
    write_fasta(tmp_path / "ragged.fa", [f"r{i}" for i in range(100)], ragged)
    assert main(["judge", str(tmp_path / "ragged.fa"), "--real", files["real"], "--database", "none"]) == 0
    captured = capsys.readouterr()
    assert "lengths differ: nearest sequences are by edits per base" in captured.err
    assert "Lengths" not in captured.err
    assert "lengths of real sequences" in captured.out
