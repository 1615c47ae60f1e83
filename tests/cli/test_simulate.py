from __future__ import annotations

import json

import numpy as np
import pytest

from seqdl.cli.main import main
from seqdl.io.fasta import read_fasta
from seqdl.io.meme import write_meme
from seqdl.io.motifs import read_motifs
from seqdl.io.table import read_tsv
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import decode

SMALL = ["--n-peaks", "40", "--chromosomes", "6"]


def test_the_default_plants_six_motifs_of_jaspar(tmp_path, capsys):
    assert main(["simulate", "-o", str(tmp_path / "sim"), "--json", *SMALL]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [label.split()[1] for label in told["motifs"]] == ["CTCF", "GABPA", "HNF1A", "SRF", "CEBPA", "REB1"]
    assert [motif.label for motif in read_motifs(told["files"]["motifs"])] == told["motifs"]
    assert len(read_fasta(told["files"]["genome"])) == 6
    assert told["n_peaks"] == 40
    assert "decoys" not in told["files"]


def test_files_go_to_stdout_and_words_to_stderr(tmp_path, capsys):
    assert main(["simulate", "-o", str(tmp_path / "sim"), *SMALL]) == 0
    told = capsys.readouterr()
    assert told.out.split() == [str(tmp_path / "sim" / name) for name in ("genome.fa", "peaks.bed", "truth.tsv", "motifs.meme")]
    assert "40 peaks with" in told.err
    assert main(["simulate", "-o", str(tmp_path / "again"), "--quiet", *SMALL]) == 0
    assert capsys.readouterr().err == ""


def test_motifs_decoys_and_pairs_come_from_the_flags(tmp_path):
    rng = np.random.default_rng(0)
    write_meme(tmp_path / "own.meme", [Motif(name, rng.dirichlet(np.full(4, 0.1), 8).T + 0.01) for name in ("m1", "m2", "m3")])
    words = [
        "simulate",
        "-o",
        str(tmp_path / "sim"),
        "--motifs",
        str(tmp_path / "own.meme"),
        "--decoys",
        "2",
        "--pair-spacing",
        "5",
        "--seed",
        "3",
        *SMALL,
    ]
    assert main(words) == 0
    truth = read_tsv(tmp_path / "sim" / "truth.tsv")
    assert set(truth["kind"]) == {"site", "pair", "lone", "decoy"}
    assert set(truth.loc[truth["kind"] == "pair", "motif"]) == {"m1", "m2"}
    assert len(read_motifs(tmp_path / "sim" / "decoys.meme")) == 2


def test_the_same_seed_gives_the_same_files(tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["simulate", "-o", str(tmp_path / name), "--seed", seed, *SMALL]) == 0
    one, same, other = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "abc")
    assert one == same
    assert one["genome.fa"] != other["genome.fa"]


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--decoys", "99"], 1, "99 decoys were asked for"),
        (["--decoys", "nope.meme"], 1, "nope.meme"),
        (["--n-peaks", "0"], 1, "0 peaks"),
        (["--promoters", "0"], 1, "at least one promoter was expected"),
        (["--promoters", "5", "--promoter-length", "40"], 1, "length is 40 bp; 60 bp or more were expected"),
        (["--gc-bias", "0.9"], 1, "bias of 0.9"),
        (["--n-peak", "5"], 2, "--n-peaks"),
    ],
)
def test_a_wrong_flag_is_one_message_and_no_folder(tmp_path, capsys, flags, code, message):
    assert main(["simulate", "-o", str(tmp_path / "sim"), *flags]) == code
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
    assert not (tmp_path / "sim").exists()


def test_nothing_is_overwritten_without_force(tmp_path, capsys):
    words = ["simulate", "-o", str(tmp_path / "sim"), *SMALL]
    assert main(words) == 0
    assert main(words) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0


def test_promoters_are_written_with_the_places_of_their_motifs(tmp_path, capsys):
    words = ["simulate", "--promoters", "300", "--promoter-length", "70", "--seed", "3", "-o", str(tmp_path / "made"), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["n_promoters"], set(told["n_sites"])) == (300, {"TATA", "Inr", "E-box", "ETS"})
    codes = {record.name: record.codes for record in read_fasta(told["files"]["promoters"])}
    truth = read_tsv(told["files"]["truth"])
    boxes = truth[truth["motif"] == "E-box"]
    exact = [decode(codes[row.sequence][row.start : row.end]) == "CACGTG" for row in boxes.itertuples()]
    assert np.mean(exact) > 0.6  # .95 to the power of 6 is .74
    assert [motif.name for motif in read_motifs(told["files"]["motifs"])] == ["TATA", "Inr", "E-box", "ETS"]
    assert main(words) == 1
    assert "already holds promoters.fa" in capsys.readouterr().err


def test_grammar_background_and_labels_come_from_the_flags(tmp_path, capsys):
    (tmp_path / "real.fa").write_text(">a\n" + "GGCCA" * 400 + "\n>b\n" + "GCGCT" * 400 + "\n")
    flags = ["--background", "markov", "--background-fasta", str(tmp_path / "real.fa"), "--order", "2", "--labels", "counts"]
    flags += ["--pair-spacing", "2:4", "--pair-orientation", "facing", "--pair-outside", "rearranged", "--sites-per-peak", "0,1", "--json"]
    assert main(["simulate", "-o", str(tmp_path / "sim"), *flags, *SMALL]) == 0
    told = json.loads(capsys.readouterr().out)
    genome = np.concatenate([record.codes for record in read_fasta(told["files"]["genome"])])
    assert np.isin(genome, (1, 2)).mean() > 0.75
    truth = read_tsv(told["files"]["truth"])
    assert {"pair", "rearranged", "site"} >= set(truth["kind"])
    in_peaks = truth[truth["kind"].isin(["pair", "site"])].groupby("peak").size()
    assert len(in_peaks) == 40
    assert set(in_peaks) == {1, 2}
    counts = read_tsv(told["files"]["counts"])
    assert len(counts) == 40
    assert {"id", "sequence", "expected", "count", "split"} == set(counts.columns)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--pair-orientation", "facing"], "--pair-orientation was given without pairs"),
        (["--pair-spacing", "1:2:3"], "expected one number or two"),
        (["--pair-spacing", "near"], "--pair-spacing is near; expected numbers"),
        (["--sites-per-peak", "0.5;0.5"], "--sites-per-peak is 0.5;0.5; expected numbers"),
        (["--background", "dinuc"], "Give --background-fasta FILE"),
        (["--background", "unifrm"], "Did you mean 'uniform'"),
    ],
)
def test_a_grammar_or_background_that_cannot_be_is_one_message(tmp_path, capsys, flags, message):
    assert main(["simulate", "-o", str(tmp_path / "sim"), *flags, *SMALL]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "sim").exists()
