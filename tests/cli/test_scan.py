from __future__ import annotations

import gzip
import io
import json

import numpy as np
import pandas as pd
import pytest

from seqdl.cli.main import main
from seqdl.io.bed import read_bed
from seqdl.io.fasta import read_fasta
from seqdl.io.motifs import write_meme
from seqdl.motif.motif import Motif
from seqdl.motif.scan import scan

SITE = "ACGTTTAC"


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    letters = ["".join(rng.choice(list("ACGT"), 400)) for _ in range(2)]
    letters[0] = letters[0][:100] + SITE + letters[0][108:]
    letters[1] = letters[1][:50] + "GTAAACGT" + letters[1][58:].lower()
    (tmp_path / "x.fa").write_text(f">chr1\n{letters[0]}\n>chr2 other\n{letters[1]}\n")
    codes = [{"A": 0, "C": 1, "G": 2, "T": 3}[base] for base in SITE]
    write_meme(tmp_path / "m.meme", [Motif("m1", np.eye(4)[:, codes] * 0.96 + 0.01, alt_name="TF")])
    return tmp_path


def test_planted_sites_are_found_on_both_strands(files, capsys):
    output = files / "hits.bed"
    assert main(["scan", str(files / "m.meme"), "--fasta", str(files / "x.fa"), "-o", str(output), "--pvalue", "2e-5"]) == 0
    hits = read_bed(output)
    assert list(zip(hits["chrom"], hits["start"], hits["end"], hits["strand"], strict=True)) == [("chr1", 100, 108, "+"), ("chr2", 50, 58, "-")]
    assert "m1_TF" in output.read_text()
    said = capsys.readouterr()
    assert said.out == ""
    assert "2 hits of 1 motifs in 2 sequences (800 bp) at p <= 2e-05" in said.err
    assert "lower" in said.err


def test_a_bed_line_tells_score_bits_and_p(files, capsys):
    assert main(["scan", str(files / "m.meme"), "--fasta", str(files / "x.fa"), "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    table = pd.read_csv(io.StringIO(said.out), sep="\t")
    assert list(table.columns) == ["#chrom", "start", "end", "name", "score", "strand", "bits", "p"]
    np.testing.assert_array_equal(table["score"], np.rint(-10 * np.log10(table["p"])))
    assert (table["p"] <= 1e-4).all()


@pytest.mark.parametrize("packed", [False, True])
def test_a_genome_gives_the_hits_of_its_fasta(files, packed, capsys):
    genome = files / "x.fa"
    if packed:
        (files / "x.fa.gz").write_bytes(gzip.compress(genome.read_bytes()))
        genome = files / "x.fa.gz"
    assert main(["scan", str(files / "m.meme"), "--genome", str(genome), "--pvalue", "1e-3"]) == 0
    by_genome = capsys.readouterr().out
    assert main(["scan", str(files / "m.meme"), "--fasta", str(files / "x.fa"), "--pvalue", "1e-3"]) == 0
    assert capsys.readouterr().out == by_genome
    assert not list(files.glob("*.fai"))


def test_stdin_is_read_and_one_strand_can_be_asked_for(files, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO((files / "x.fa").read_text()))
    assert main(["scan", str(files / "m.meme"), "--fasta", "-", "--forward-only", "--pvalue", "2e-5"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2  # the header and the hit in chr1


def test_json_holds_the_hits(files, capsys):
    assert main(["scan", str(files / "m.meme"), "--fasta", str(files / "x.fa"), "--json", "--pvalue", "2e-5"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["n_hits"] == 2
    assert [hit["start"] for hit in content["hits"]] == [100, 50]


def test_no_hits_leave_a_header(files, capsys):
    assert main(["scan", str(files / "m.meme"), "--fasta", str(files / "x.fa"), "--pvalue", "1e-12"]) == 0
    assert capsys.readouterr().out.splitlines() == ["#chrom\tstart\tend\tname\tscore\tstrand\tbits\tp"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--fasta", "nowhere.fa"], 1, "nowhere.fa"),
        (["--genome", "nowhere.fa"], 1, "nowhere.fa"),
        ([], 2, "--fasta --genome is required"),
    ],
)
def test_wrong_input_is_told_from_a_wrong_command_line(files, capsys, arguments, code, message):
    assert main(["scan", str(files / "m.meme"), *arguments]) == code
    assert message in capsys.readouterr().err


def test_a_p_value_out_of_range_leaves_no_output(files, capsys):
    assert main(["scan", str(files / "m.meme"), "--fasta", str(files / "x.fa"), "--pvalue", "0", "-o", str(files / "h.bed")]) == 1
    assert "expected a probability" in capsys.readouterr().err
    assert not (files / "h.bed").exists()


@pytest.mark.slow
def test_yeast_factors_are_found_at_their_peaks(shared_data, tmp_path):
    peaks = read_bed(next((shared_data / "yeast_peaks_dev").glob("*[Rr]eb1*sacCer3.bed")))
    genome = shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz"
    output = tmp_path / "hits.bed"
    from seqdl.io.databases import load_database

    reb1 = [motif for motif in load_database("jaspar:fungi") if motif.alt_name == "REB1"]
    write_meme(tmp_path / "reb1.meme", reb1)
    assert main(["scan", str(tmp_path / "reb1.meme"), "--genome", str(genome), "-o", str(output), "--pvalue", "1e-4"]) == 0
    hits = read_bed(output)
    near = 0
    for chrom, rows in peaks.groupby("chrom"):
        starts = np.sort(hits.loc[hits["chrom"] == chrom, "start"].to_numpy())
        where = rows["start"].to_numpy()
        near += (np.searchsorted(starts, where + 50) > np.searchsorted(starts, where - 50)).sum()
    assert near / len(peaks) > 0.4
    reference = scan(reb1, [record.codes for record in read_fasta(genome)], pvalue=1e-4)
    assert len(reference) == len(hits)
