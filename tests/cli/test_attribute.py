"""seqdl attribute: what it writes, where the planted site is, and what it answers to bad input."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from seqdl.cli.main import main
from seqdl.errors import InputError
from seqdl.experiment.attribute import Asked, How, explain
from seqdl.io.attributions import read_attributions
from seqdl.models.cnn import CNN
from seqdl.sequence.encode import encode
from seqdl.tasks.multiclass import Multiclass

SITE = "TTACCCGGCA"


@pytest.fixture
def attribute(tiny_run, tmp_path, monkeypatch, capsys):
    """Return a function that runs the verb and returns its folder and what it said."""
    monkeypatch.setenv("SEQDL_QUIET", "1")

    def run(*words: object, output: str = "why") -> tuple[Path, str]:
        assert main(["attribute", str(tiny_run), *map(str, words), "-o", str(tmp_path / output), "--device", "cpu"]) == 0
        said = capsys.readouterr()
        return tmp_path / output, said.out + said.err

    return run


def test_the_test_positives_of_the_run_are_explained(attribute, tiny_run):
    folder, said = attribute()
    assert {path.name for path in folder.iterdir()} == {"attributions.npz", "sequences.tsv", "checks.json", "tracks"}
    names, codes, scores = read_attributions(folder / "attributions.npz")
    table = pd.read_csv(folder / "sequences.tsv", sep="\t")
    predicted = pd.read_csv(tiny_run / "predictions.tsv", sep="\t").set_index("id")
    expected = predicted[(predicted["split"] == "test") & (predicted["target"] == 1)]
    assert names == table["id"].tolist() == expected.index.tolist()
    assert np.allclose(table["logit"], expected["logit"], atol=1e-5)
    assert np.allclose(scores.sum((1, 2)), table["sum"], atol=1e-4)
    assert table["missed"].abs().max() < 1e-3
    assert codes.shape[1] == 60
    assert len(list((folder / "tracks").glob("*.svg"))) == min(10, len(names))
    assert f"deeplift of {len(names)} sequences" in said
    assert "contributions miss 0.00%" in said


def test_windows_of_a_genome_give_seqlets_at_their_places(attribute, tiny):
    folder, said = attribute("--genome", tiny.path("genome.fa"), "--regions", tiny.path("peaks.bed"), "--seqlets", "--limit", 30)
    bed = pd.read_csv(folder / "seqlets.bed", sep="\t", header=None)
    genome = dict(record.split("\n")[:2] for record in Path(tiny.path("genome.fa")).read_text().split(">")[1:])
    for chrom, start, end, name, *_ in bed.itertuples(index=False):
        assert genome[chrom][start:end] == name.removesuffix("(lowers)")
    table = pd.read_csv(folder / "seqlets.tsv", sep="\t")
    middle = (table["start"] + table["end"]) / 2
    strong = (table["q"] <= 0.1) & (table["score"] > 0)
    assert strong.sum() >= 10
    assert middle[strong].between(23, 37).mean() > 0.8  # the site lies at 25 to 35
    assert "seqlets (p <= 0.001)" in said


def test_checks_are_written_and_told(attribute, tiny):
    folder, said = attribute("--fasta", tiny.fasta[0], "--limit", 8, "--checks", "--tracks", 2)
    checks = json.loads((folder / "checks.json").read_text())
    assert checks["strands"] == pytest.approx(1, abs=1e-3)
    assert checks["randomised"] < 0.5
    assert checks["agreement"].keys() == {"ism", "input-x-gradient"}
    assert checks["completeness"]["n_over"] == checks["sums"]["n_over"] == 0
    assert "correlation with ism" in said
    assert len(list((folder / "tracks").glob("*.svg"))) == 2


def test_options_of_the_method_are_taken(attribute, tiny):
    path, _ = attribute("--fasta", tiny.fasta[0], "--limit", 2, "--method", "ism", "--method.deletions", "true", output="a.npz")
    _, codes, scores = read_attributions(path)
    assert np.all(scores.transpose(0, 2, 1)[np.eye(5)[codes][..., :4] == 0] == 0)  # nothing off the sequence
    assert np.abs(scores).max() > 0.1


def test_sequences_of_several_lengths_are_explained_at_their_own(attribute, tmp_path, tiny):
    lines = Path(tiny.fasta[0]).read_text().splitlines()
    (tmp_path / "odd.fa").write_text(f">long\n{lines[1]}\n>short\n{lines[1][10:45]}\n")
    (tmp_path / "short.fa").write_text(f">short\n{lines[1][10:45]}\n")
    both, _ = attribute("--fasta", tmp_path / "odd.fa", "--method", "ism", output="both.npz")
    alone, _ = attribute("--fasta", tmp_path / "short.fa", "--method", "ism", output="alone.npz")
    (_, codes, scores), (_, _, expected) = read_attributions(both), read_attributions(alone)
    assert np.allclose(scores[1, :, :35], expected[0], atol=1e-5)
    assert np.all(scores[1, :, 35:] == 0)
    assert np.all(codes[1, 35:] == 4)


def test_json_holds_what_was_found(attribute, tiny):
    _, said = attribute("--fasta", tiny.fasta[0], "--limit", 3, "--json", "--quiet")
    found = json.loads(said)
    assert (found["method"], found["n_sequences"]) == ("deeplift", 3)
    assert found["checks"]["sums"]["n_over"] == 0


def test_nothing_is_replaced_without_being_asked(attribute, tiny_run, tmp_path, capsys):
    folder, _ = attribute("--limit", 2)
    assert main(["attribute", str(tiny_run), "--limit", "2", "-o", str(folder), "--quiet"]) == 1
    assert "is there already and not empty" in capsys.readouterr().err
    assert main(["attribute", str(tiny_run), "--limit", "2", "-o", str(folder), "--quiet", "--force"]) == 0


def test_of_classes_the_one_that_is_called_is_explained():
    torch.manual_seed(0)
    task = Multiclass(CNN(filters=6, width=7), outputs=["donor", "acceptor", "neither"]).eval()
    codes = np.random.default_rng(0).integers(0, 4, (12, 40), dtype=np.uint8)
    asked = Asked(pd.DataFrame({"id": [f"s{i}" for i in range(12)]}), codes, np.full(12, 40))
    found = explain(task, asked, How("input-x-gradient", device="cpu"))
    fixed = explain(task, asked, How("input-x-gradient", output="acceptor", device="cpu"))
    x = torch.from_numpy(asked.inputs(task))
    with torch.no_grad():
        logits = task.logits(x).numpy()
    assert found.table["output"].tolist() == [task.outputs[k] for k in logits.argmax(1)]
    assert np.allclose(found.table["logit"], logits.max(1), atol=1e-5)
    same = found.table["output"] == "acceptor"
    assert np.array_equal(found.scores[same], fixed.scores[same])
    assert not np.array_equal(found.scores[~same], fixed.scores[~same])


# motif discovery -------------------------------------------------------------------------------------


@pytest.fixture
def stub(monkeypatch):
    """Put a module in the place of tfmodisco-lite that finds the planted site in what it is given."""
    seen = {}

    def run(one_hot, hypothetical_contribs, max_seqlets_per_metacluster):
        seen["contributions"] = hypothetical_contribs
        site = np.eye(4)[encode(SITE)] * 0.94 + 0.015
        seqlets = [SimpleNamespace(example_idx=i, start=20, end=30, is_revcomp=False, contrib_scores=site) for i in range(25)]
        return [SimpleNamespace(sequence=site, seqlets=seqlets)], None

    package, module = ModuleType("modiscolite"), ModuleType("modiscolite.tfmodisco")
    module.TFMoDISco = run
    package.tfmodisco = module
    monkeypatch.setitem(sys.modules, "modiscolite", package)
    monkeypatch.setitem(sys.modules, "modiscolite.tfmodisco", module)
    return seen


def test_discovered_motifs_are_written_and_named_as_those_of_filters(attribute, tiny, stub):
    folder, _ = attribute("--fasta", tiny.fasta[0], "--modisco", "--limit", 6)
    table = pd.read_csv(folder / "motifs" / "motifs.tsv", sep="\t")
    assert table["name"].tolist() == ["positive1"]
    assert table["match"].iloc[0] == "KNOWN1 REB1"
    assert table["consensus"].iloc[0] == SITE
    assert (folder / "motifs" / "logos" / "positive1.svg").is_file()
    with np.load(folder / "attributions.npz") as content:
        assert np.allclose(content["hypothetical"], stub["contributions"].transpose(0, 2, 1))
        assert np.abs(content["hypothetical"] - content["attributions"]).max() > 0.01
    assert json.loads((folder / "checks.json").read_text())["sums"]["n_over"] == 0


def test_where_nothing_is_discovered_it_is_said_and_the_table_is_empty(attribute, tiny, stub, monkeypatch):
    monkeypatch.setattr(sys.modules["modiscolite.tfmodisco"], "TFMoDISco", lambda **given: (None, []))
    folder, said = attribute("--fasta", tiny.fasta[0], "--modisco", "--limit", 6)
    assert len(pd.read_csv(folder / "motifs" / "motifs.tsv", sep="\t")) == 0
    assert "no motif: too few seqlets that are alike" in said


def test_without_the_package_the_extra_is_named_before_anything_runs(tiny_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "modiscolite", None)
    assert main(["attribute", str(tiny_run), "--modisco", "-o", str(tmp_path / "why"), "--quiet"]) == 1
    assert "pip install 'seqdl[modisco]'" in capsys.readouterr().err
    assert not (tmp_path / "why").exists()


# bad input -------------------------------------------------------------------------------------------

REFUSED = {
    "no such method": (["--method", "deeplft"], r"no attribution method named 'deeplft'. Did you mean 'deeplift'"),
    "no such option": (["--method.n_step", "5", "--method", "integrated-gradients"], r"named 'n_step'. Did you mean 'n_steps'"),
    "an option of something else": (["--model.filters", "5"], r"--model.filters: an option of the method was expected"),
    "no such output": (["--output", "Abf1"], r"no output of this network named 'Abf1'"),
    "no references": (["--references", "0"], r"references is 0; expected the number of shuffles"),
    "references of no kind": (["--references", "random"], r"references is 'random'"),
    "no sequences to explain": (["--limit", "0"], r"--limit 0: at least 1"),
    "a p-value of no kind": (["--seqlets", "--pvalue", "2"], r"--pvalue 2.0: a probability"),
    "regions without a genome": (["--regions", "x.bed"], r"--regions was given without --genome"),
    "no such file": (["--fasta", "nothing.fa"], r"there is no file nothing.fa"),
    "signals without a genome": (["--input-signal", "x.bw"], r"--input-signal was given without --genome"),
    "an ism of no kind": (["--method", "ism", "--method.fast", "ja"], r"no way of ism's option fast named 'ja'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_answered_in_one_line(case, tiny_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SEQDL_QUIET", "1")
    words, message = REFUSED[case]
    assert main(["attribute", str(tiny_run), *words, "-o", str(tmp_path / "why"), "--quiet"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert re.search(message, said.err), said.err
    assert not (tmp_path / "why").exists()


def test_an_npz_takes_no_checks(tiny_run, tmp_path, capsys):
    assert main(["attribute", str(tiny_run), "--checks", "-o", str(tmp_path / "a.npz"), "--quiet"]) == 1
    assert "with --checks: a folder was expected" in capsys.readouterr().err


def test_sequences_that_the_network_cannot_take_are_named():
    task = Multiclass(CNN(filters=6, width=7), outputs=["a", "b"], pooling="flatten", length=40).eval()
    asked = Asked(pd.DataFrame({"id": ["s"]}), np.zeros((1, 30), dtype=np.uint8), np.array([30]))
    with pytest.raises(InputError, match="30 positions: 40 were expected"):
        explain(task, asked, How(device="cpu"))
