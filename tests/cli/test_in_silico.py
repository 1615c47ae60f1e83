"""The verbs that ask a trained network: motifs, maximize, spike, variants."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from seqdl.cli.main import main
from seqdl.io.meme import read_meme
from seqdl.io.motifs import read_motifs

REB1 = "TTACCCGG"


@pytest.fixture
def run(tiny_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    return folder


def read(path):
    return pd.read_csv(path, sep="\t", keep_default_na=False)


# motifs -----------------------------------------------------------------------------------------------


def test_motifs_are_written_in_every_format_with_logos_and_pictures(run, tiny, tmp_path):
    out = tmp_path / "out"
    assert main(["motifs", str(run), "--database", tiny.path("known.meme"), "-o", str(out), "--quiet"]) == 0
    table = read(out / "motifs.tsv")
    for name in ("meme", "jaspar", "transfac"):
        assert [motif.name for motif in read_motifs(out / f"motifs.{name}")] == list(table["name"])
    assert {path.stem for path in (out / "logos").iterdir()} == set(table["name"])
    assert [motif.name for motif in read_meme(out / "families.meme")] == list(dict.fromkeys(table["family"]))
    for name in ("gallery.svg", "positions.svg"):
        ET.parse(out / name)


def test_motifs_are_read_on_another_fasta_and_by_another_rule(run, tiny, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["--fasta", tiny.path("positives.fa"), "--method", "fraction", "--database", tiny.path("known.meme"), "-o", str(out)]
    assert main(["motifs", str(run), *options]) == 0
    assert "8 filters of layer 'encoder.conv'" in (said := capsys.readouterr().err)
    assert "read on 60 given sequences" in said


def test_vague_motifs_carry_a_note(run, tiny, capsys):
    assert main(["motifs", str(run), "--database", tiny.path("known.meme"), "--method", "fraction", "--json", "--quiet"]) == 0
    rows = json.loads(capsys.readouterr().out)
    for row in rows:
        assert (f"{row['information_bits']:.1f} bits" in row["note"]) == (row["information_bits"] < 8)


def test_an_unknown_layer_is_answered_with_a_guess(run, capsys):
    assert main(["motifs", str(run), "--layer", "encoder.conf"]) == 1
    assert "Did you mean 'encoder.conv'?" in capsys.readouterr().err


def test_several_seeds_get_the_share_in_which_a_motif_comes_back(run, tiny, tmp_path):
    parent = tmp_path / "runs"
    for k in range(2):
        shutil.copytree(run, parent / f"seed{k}")
    assert main(["motifs", str(parent), "--database", tiny.path("known.meme"), "--quiet"]) == 0
    together, alone = read(parent / "motifs" / "motifs.tsv"), read(parent / "seed0" / "motifs" / "motifs.tsv")
    assert (alone["stability"] == 1).all()  # the two are the same run
    assert (together["runs"] == "seed0 seed1").all()
    assert [motif.name for motif in read_meme(parent / "motifs" / "motifs.meme")] == list(together["name"])
    assert main(["verify", str(parent / "seed0"), "--quiet"]) == 0


# maximize ---------------------------------------------------------------------------------------------


def test_a_filter_is_driven_beyond_every_real_sequence(run, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["maximize", str(run), "--filter", "filter2", "-n", "2", "-o", str(out)]) == 0
    table = read(out / "maximized.tsv")
    assert (table["activation"] >= table["best_real"] - 1e-5).all()
    assert [motif.name for motif in read_meme(out / "maximized.meme")] == list(table["name"]) == ["filter2_1", "filter2_2"]
    assert {path.stem for path in (out / "logos").iterdir()} == set(table["name"])
    assert capsys.readouterr().out.startswith("filter2 is driven to ")


def test_a_filter_of_a_member_is_driven_by_its_name_in_the_table(run, tmp_path, capsys):
    assert main(["maximize", str(run), "--filter", "member0_filter2", "-n", "1", "-o", str(tmp_path / "a")]) == 0
    assert main(["maximize", str(run), "--filter", "2", "-n", "1", "-o", str(tmp_path / "b")]) == 0
    a, b = (read(tmp_path / name / "maximized.tsv") for name in "ab")
    assert a["name"].tolist() == ["member0_filter2_1"]
    assert a["sequence"].tolist() == b["sequence"].tolist()
    assert "member0_filter2 is driven to" in capsys.readouterr().out


def test_output_names_an_output_of_the_network_or_else_the_folder(run, tmp_path, capsys):
    assert main(["maximize", str(run), "-n", "1", "--output", str(tmp_path / "a"), "--quiet"]) == 0
    assert (tmp_path / "a" / "maximized.tsv").is_file()
    assert main(["maximize", str(run), "-n", "1", "--output", "target", "-o", str(tmp_path / "b"), "--quiet"]) == 0
    assert read(tmp_path / "a" / "maximized.tsv").equals(read(tmp_path / "b" / "maximized.tsv"))
    assert main(["maximize", str(run), "--output", "tarket", "-o", str(tmp_path / "c")]) == 1
    assert "no output of this network named 'tarket'. Did you mean 'target'?" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--filter", "x"], "the number of a filter was expected"),
        (["--layer", "encoder.conv"], "--layer encoder.conv without --filter: which of its filters was expected"),
        (["--filter", "99"], "no filter named '99'"),
        (["--filter", "member3_filter1"], "no member named 'member3'"),
        ([], "Add -o DIR"),
    ],
)
def test_what_cannot_be_driven_is_said_and_no_folder_is_left(options, message, run, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["maximize", str(run), *options, *(["-o", str(out)] if options else [])]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


# spike ------------------------------------------------------------------------------------------------


def test_a_motif_gives_tables_a_curve_and_a_verdict(run, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["spike", str(run), "--motif", REB1, "-n", "8", "--step", "20", "-o", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"{REB1} ")
    assert len(read(out / "effect.tsv")) == 8
    ET.parse(out / "position.svg")
    assert (out / "knockout.tsv").is_file()


def test_a_pair_gives_a_spacing_curve(run, tiny, tmp_path):
    out = tmp_path / "out"
    options = ["--motif", f"{tiny.path('known.meme')}:KNOWN1", "--with", "CACGTG", "--spacing", "0:3", "-n", "4", "-o", str(out), "--quiet"]
    assert main(["spike", str(run), *options]) == 0
    assert read(out / "spacing.tsv").groupby("orientation").size().to_dict() == {"+ +": 4, "+ -": 4, "- +": 4, "- -": 4}
    ET.parse(out / "spacing.svg")


def test_backgrounds_may_come_from_a_fasta(run, tiny, tmp_path):
    out = tmp_path / "out"
    options = ["--backgrounds", tiny.path("negatives.fa"), "-n", "5", "--step", "30", "-o", str(out), "--quiet"]
    assert main(["spike", str(run), "--motif", REB1, *options]) == 0
    assert len(read(out / "effect.tsv")) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--motif", "REB2"], "no motif named 'REB2'. Did you mean 'REB1'?"),
        (["--motif", REB1, "--with", REB1, "--spacing", "9:2"], "--spacing 9:2: FROM:TO in bp was expected"),
        (["--motif", REB1, "-n", "0"], "-n 0: at least one background was expected"),
        (["--motif", REB1, "--with", REB1, "--spacing", "0:90"], "expected no more than the backgrounds, 60 bp"),
    ],
)
def test_an_experiment_that_cannot_be_done_leaves_no_folder(options, message, run, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["spike", str(run), *options, "-o", str(out)]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


# variants ---------------------------------------------------------------------------------------------


@pytest.fixture
def vcf(tiny, tmp_path):
    """Write three variants: in a planted site, far from any, and one whose REF is another base."""
    genome = {}
    for record in (tmp_path.parent, tiny.path("genome.fa"))[1:]:
        from seqdl.io.fasta import read_fasta

        genome = {one.name: one.codes for one in read_fasta(record)}
    letters, lines = "ACGT", []
    for at, right in ((127, True), (350, True), (700, False)):
        base = letters[genome["chrI"][at]]
        other = letters[(genome["chrI"][at] + 1) % 4]
        lines.append(f"chr1\t{at + 1}\t.\t{base if right else other}\t{other if right else base}\t.\t.\t.\n")
    path = tmp_path / "v.vcf"
    path.write_text("##fileformat=VCFv4.3\n" + "".join(lines))
    return path


def test_variants_are_scored_under_the_genomes_names(run, tiny, vcf, tmp_path, capsys):
    out = tmp_path / "out.tsv"
    options = ["--genome", tiny.path("genome.fa"), "--vcf", str(vcf), "--rename-chromosomes", "--mismatch", "swap"]
    assert main(["variants", str(run), *options, "-o", str(out), "--vcf-output", str(tmp_path / "out.vcf")]) == 0
    table = read(out)
    assert table["chrom"].tolist() == ["chrI"] * 3
    assert table["swapped"].astype(str).tolist() == ["False", "False", "True"]
    pd.testing.assert_series_equal(table["effect"], table["logit_alt"] - table["logit_ref"], check_names=False, atol=1e-4, rtol=0)
    said = capsys.readouterr().err
    assert "3 of 3 variants have their chromosome under the genome's name now" in said
    assert "1 of 3 variants have the genome's allele as ALT" in said
    lines = [line for line in (tmp_path / "out.vcf").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 3
    assert all("effect=" in line for line in lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rename-chromosomes"], "1 of 3 variants have another REF than the genome"),
        ([], "on chromosomes the genome does not have: chr1"),
        (["--shifts", "0,x"], "--shifts 0,x: whole numbers of bp, parted by commas"),
        (["--rename-chromosomes", "--mismatch", "skip", "--shifts", "0,40"], "none over a quarter of the window"),
    ],
)
def test_variants_that_cannot_be_scored_leave_no_file(options, message, run, tiny, vcf, tmp_path, capsys):
    out = tmp_path / "out.tsv"
    assert main(["variants", str(run), "--genome", tiny.path("genome.fa"), "--vcf", str(vcf), *options, "-o", str(out)]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_skipped_variants_are_counted(run, tiny, vcf, capsys):
    options = ["--genome", tiny.path("genome.fa"), "--vcf", str(vcf), "--rename-chromosomes", "--mismatch", "skip", "--motifs", "none", "--json"]
    assert main(["variants", str(run), *options]) == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)) == 2
    assert "1 of 3 variants are left out" in said.err
