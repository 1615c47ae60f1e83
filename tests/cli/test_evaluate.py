"""seqdl evaluate of runs without targets: what is printed, what --fail-on looks at, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqdl.cli.main import main
from seqdl.errors import CheckFailed
from seqdl.experiment.unlabelled import check_unlabelled
from seqdl.io.fasta import write_fasta

N, LENGTH = 140, 24
CNN = ["--model", "cnn", "--model.filters", "8", "--model.width", "5"]
SMALL = ["--split", "random", "--device", "cpu", "--quiet"]
RUNS = {
    "healthy": "--task vae --task.latent 4 --task.beta 0.05 --max-steps 150",
    "collapsed": "--task vae --task.latent 4 --task.beta 1 --task.anneal 0 --task.free_bits 0 --max-steps 150",
    "autoencoder": "--task autoencoder --task.latent 6 --max-steps 150",
    "recurrent": "--task autoencoder --model danq --model.width 9 --task.decoder recurrent --task.latent 6 --max-steps 100",
    "language": "--task masked --max-steps 10",
    "gan": "--task gan --max-steps 2",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with FASTA files: two of two kinds of sequence each, one of random ones, others of other lengths."""
    path = tmp_path_factory.mktemp("evaluate")
    rng = np.random.default_rng(0)
    for name in ("x", "y"):
        codes = rng.choice(4, (N, LENGTH), p=[0.46, 0.04, 0.04, 0.46]).astype(np.uint8)
        codes[::2] = rng.choice(4, (N // 2, LENGTH), p=[0.04, 0.46, 0.46, 0.04])
        write_fasta(path / f"{name}.fa", [f"{name}{i}" for i in range(N)], codes)
    write_fasta(path / "random.fa", [f"r{i}" for i in range(N)], rng.integers(0, 4, (N, LENGTH)).astype(np.uint8))
    write_fasta(path / "short.fa", [f"s{i}" for i in range(9)], rng.integers(0, 4, (9, 20)).astype(np.uint8))
    write_fasta(path / "ragged.fa", ["a", "b", "c"], ["ACGT" * 6, "ACGT" * 5, "ACGT" * 6])
    return path


def trained(folder, name):
    """Return the run of this name, trained when it is first asked for."""
    if not (folder / name / "report.html").exists():
        fasta = str(folder / ("random.fa" if name == "collapsed" else "x.fa"))
        assert main(["train", "--fasta", fasta, *SMALL, *([] if name == "recurrent" else CNN), *RUNS[name].split(), "-o", str(folder / name)]) == 0
    return str(folder / name)


@pytest.mark.slow
def test_a_collapsed_vae_fails_the_check_with_one_sentence_and_says_so_everywhere(folder, capsys):
    run = trained(folder, "collapsed")
    capsys.readouterr()
    assert main(["evaluate", run, "--fail-on", "collapsed", "--quiet"]) == 3
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "Collapsed: the latents are ignored, and every sequence is decoded alike" in said.err
    metrics = json.loads((folder / "collapsed" / "metrics.json").read_text())
    assert metrics["latent"]["collapsed"]
    assert metrics["latent"]["text"].startswith("collapsed: the latents are ignored")
    assert "The posterior has collapsed" in (folder / "collapsed" / "report.html").read_text()


@pytest.mark.slow
def test_a_vae_that_uses_its_latents_passes(folder, capsys):
    run = trained(folder, "healthy")
    assert main(["evaluate", run, "--fail-on", "collapsed,leak", "--quiet"]) == 0
    assert "not collapsed: " in capsys.readouterr().out
    assert "The posterior has collapsed" not in (folder / "healthy" / "report.html").read_text()


@pytest.mark.slow
def test_other_sequences_are_measured_beside_baselines_of_the_training_split(folder, capsys):
    run = trained(folder, "autoencoder")
    for words in ([], ["--fasta", str(folder / "y.fa")]):
        capsys.readouterr()
        assert main(["--json", "evaluate", run, *words, "--quiet"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert set(found["baselines"]) == {"majority", "positions", "pca"}
        assert ("val" in found) is not bool(words)
        assert found["test"]["accuracy"]["value"] > found["baselines"]["positions"]["accuracy"]["value"] + 0.1


@pytest.mark.slow
def test_a_recurrent_encoder_and_a_recurrent_decoder_are_a_pair(folder, capsys):
    run = trained(folder, "recurrent")
    assert main(["evaluate", run, "--fail-on", "collapsed", "--quiet"]) == 0
    assert "not collapsed: " in capsys.readouterr().out


def test_a_language_model_is_measured_on_its_own_and_on_other_sequences_of_any_length(folder, capsys):
    run = trained(folder, "language")
    for words in ([], ["--fasta", str(folder / "y.fa")], ["--fasta", str(folder / "ragged.fa")]):
        capsys.readouterr()
        assert main(["evaluate", run, *words, "--quiet"]) == 0
        said = capsys.readouterr().out
        assert "bits per base" in said
        assert "markov3" in said


def test_of_bits_per_base_the_lower_is_the_better(folder, capsys):
    assert main(["evaluate", trained(folder, "language"), "--fail-on", "baseline", "--quiet"]) == 3
    assert "the network's bits_per_base, " in (said := capsys.readouterr().err)
    assert "is not below that of the baseline" in said


def test_a_generator_with_too_few_real_sequences_for_a_card_says_so_and_does_not_pass(folder, capsys):
    run = trained(folder, "gan")
    capsys.readouterr()
    assert main(["evaluate", run, "--quiet"]) == 0
    assert "kmer_auroc" in (said := capsys.readouterr().out)
    assert "real sequences" in said
    assert main(["evaluate", run, "--fail-on", "collapsed", "--quiet"]) == 3


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("gan", ["--fasta", "y.fa"], "other sequences were given with a run whose network writes sequences and reads none"),
        ("gan", ["--fail-on", "baseline"], "--fail-on baseline was given for a run of the task GAN, .* collapsed or copies was expected"),
        ("language", ["--fail-on", "collapsed"], "--fail-on collapsed was given for a run of the task Masked, .* baseline or leak was expected"),
        ("language", ["--fail-on", "colapsed"], r"no check for --fail-on named 'colapsed'\. Did you mean 'collapsed'"),
    ],
)
def test_what_makes_no_sense_for_the_run_is_refused(folder, capsys, name, words, message):
    run = trained(folder, name)
    capsys.readouterr()
    assert main(["evaluate", run, *(str(folder / word) if word.endswith(".fa") else word for word in words), "--quiet"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert_says(said.err, message)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("short.fa", "the sequences are 20 bp long, and the network was made for 24 bp: .* Add --crop 24"),
        ("ragged.fa", "the sequences are 20 to 24 bp long, and the network was made for 24 bp"),
    ],
)
def test_sequences_of_another_length_are_refused_until_there_is_a_rule(folder, capsys, file, message):
    words = ["evaluate", trained(folder, "autoencoder"), "--fasta", str(folder / file), "--quiet"]
    capsys.readouterr()
    assert main(words) == 1
    assert_says(capsys.readouterr().err, message)
    assert main([*words, "--crop", str(LENGTH)]) == 0


@pytest.mark.parametrize("check", ["collapsed", "copies"])
def test_the_card_of_a_generator_is_asked_for_collapse_and_copies(check):
    verdict = {"collapsed": False, "copies": False, "text": "Fine."}
    check_unlabelled({"family": "generator", "verdict": verdict}, [check])
    with pytest.raises(CheckFailed, match="Fine"):
        check_unlabelled({"family": "generator", "verdict": verdict | {check: True}}, [check])


def assert_says(line, message):
    import re

    assert line.count("\n") == 1
    assert re.search(message, line), line
