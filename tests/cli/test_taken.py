"""What is taken as it comes, and said once: lower case, N, IUPAC, U, CRLF, header lines, compressed genomes, repeated names."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from seqdl.cli.main import main


@pytest.fixture
def checked(tiny, capsys):
    """Return a function that dry-runs a training and returns what it says and counts."""

    def run(*words: object) -> tuple[str, dict]:
        given = [*tiny.options, *map(str, words), *(["--context", "0"] if "--genome" in words else [])]
        assert main(["train", *given, "--dry-run"]) == 0
        text = capsys.readouterr().out
        assert main(["train", *given, "--dry-run", "--json", "--quiet"]) == 0
        return text, json.loads(capsys.readouterr().out)

    return run


def lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines(keepends=True)


FASTAS = {
    "lower case": (lambda good: [good[0], good[1].lower(), *good[2:]], "lower"),
    "a run of N": (lambda good: [good[0], good[1][:20] + "N" * 12 + good[1][32:], *good[2:]], "A C G T"),
    "IUPAC letters": (lambda good: [good[0], "RYSWKM" + good[1][6:], *good[2:]], "IUPAC"),
    "RNA": (lambda good: [good[0], good[1].replace("T", "U"), *good[2:]], "U"),
    "CRLF": (lambda good: [line.replace("\n", "\r\n") for line in good], "CRLF"),
    "wrapped lines": (lambda good: [good[0], good[1][:30] + "\n" + good[1][30:], *good[2:]], None),
    "the same name twice": (lambda good: [good[2], *good[1:]], "name"),
}


@pytest.mark.parametrize("kind", FASTAS)
def test_a_fasta_is_taken_and_what_was_done_is_said_once(kind, checked, tiny, tmp_path):
    change, said = FASTAS[kind]
    (tmp_path / "odd.fa").write_bytes("".join(change(lines(tiny.fasta[0]))).encode())
    text, found = checked(tmp_path / "odd.fa", tiny.fasta[1])
    assert found["examples"]["train"] == {"positives": 48, "negatives": 48}
    notes = [line for line in text.splitlines() if line.startswith("note: ")]
    assert len(notes) == len({line.split(":", 2)[-1] for line in notes}), text
    assert [said in line for line in notes].count(True) == 1 if said else not notes, text


def test_what_is_said_of_a_fasta_does_not_grow_with_it(checked, tiny, tmp_path):
    (tmp_path / "odd.fa").write_text("".join(line if line.startswith(">") else line.lower() for line in lines(tiny.fasta[0])))
    text, _ = checked(tmp_path / "odd.fa", tiny.fasta[1])
    assert text.count("lower") == 1


def test_ambiguous_letters_can_be_dropped_or_refused(checked, tiny, tmp_path, capsys):
    (tmp_path / "odd.fa").write_text("".join(FASTAS["IUPAC letters"][0](lines(tiny.fasta[0]))))
    _, found = checked(tmp_path / "odd.fa", tiny.fasta[1], "--ambiguous", "drop")
    assert found["dropped"] == {"holds letters other than A C G T": 1}
    assert main(["train", *tiny.options, str(tmp_path / "odd.fa"), tiny.fasta[1], "--dry-run", "--ambiguous", "error", "--quiet"]) == 1
    assert "1 sequences hold letters other than A C G T; first: pos0" in capsys.readouterr().err


def test_sequences_of_different_lengths_are_padded_and_masked(checked, tiny, tmp_path):
    good = lines(tiny.fasta[0])
    (tmp_path / "odd.fa").write_text("".join([good[0], good[1][:40] + "\n", *good[2:]]))
    text, _ = checked(tmp_path / "odd.fa", tiny.fasta[1])
    assert "sequences are 40 to 60 bp long; the shorter are padded at their end, and padding is masked" in text


BEDS = {
    "header and track lines": lambda good: ["browser position chrI:1-100\n", "track name=peaks\n", "#chrom\tstart\tend\n", *good],
    "CRLF": lambda good: [line.replace("\n", "\r\n") for line in good],
    "blank lines": lambda good: ["\n", *good, "\n"],
    "six columns": lambda good: [f"{line.rstrip()}\tpeak\t0\t.\n" for line in good],
    "ten columns": lambda good: [f"{line.rstrip()}\t.\t0\t.\t1\t1\t1\t30\n" for line in good],
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", BEDS)
def test_a_bed_is_taken_in_every_dress(kind, packed, checked, tiny, tmp_path):
    content = "".join(BEDS[kind](lines(tiny.path("peaks.bed")))).encode()
    (tmp_path / "odd.bed").write_bytes(gzip.compress(content) if packed else content)
    _, found = checked("--genome", tiny.path("genome.fa"), "--peaks", tmp_path / "odd.bed")
    assert found["examples"]["train"]["positives"] == 48


def test_chromosome_names_are_reconciled_when_asked_for(checked, tiny, tmp_path):
    roman = {"chrIII": "3", "chrII": "2", "chrIV": "4", "chrVI": "6", "chrV": "5", "chrI": "1"}
    content = "".join(lines(tiny.path("peaks.bed")))
    for name, number in roman.items():
        content = content.replace(name + "\t", number + "\t")
    (tmp_path / "odd.bed").write_text(content)
    _, found = checked("--genome", tiny.path("genome.fa"), "--peaks", tmp_path / "odd.bed", "--rename-chromosomes")
    assert found["examples"]["train"]["positives"] == 48


def test_a_plain_gzip_genome_is_unpacked_into_the_cache_and_nothing_stands_beside_it(checked, tiny, tmp_path):
    (tmp_path / "genome.fa.gz").write_bytes(gzip.compress(Path(tiny.path("genome.fa")).read_bytes()))
    _, found = checked("--genome", tmp_path / "genome.fa.gz", "--peaks", tiny.path("peaks.bed"))
    assert found["examples"]["train"]["positives"] == 48
    assert [path.name for path in tmp_path.iterdir()] == ["genome.fa.gz"]


def test_peaks_that_leave_the_genome_only_after_resizing_are_counted(checked, tiny, tmp_path):
    (tmp_path / "odd.bed").write_text("".join(lines(tiny.path("peaks.bed"))) + "chrI\t0\t20\nchrI\t100\t160\n")
    text, found = checked("--genome", tiny.path("genome.fa"), "--peaks", tmp_path / "odd.bed")
    assert found["dropped"] == {"reaches past the chromosome end after resizing": 1, "same window as an earlier one": 1}
    assert "dropped 1: reaches past the chromosome end after resizing" in text


def test_repeated_names_are_made_unique_in_the_predictions_too(tiny_run, tiny, tmp_path, capsys):
    records = lines(tiny.fasta[0])
    (tmp_path / "twice.fa").write_text("".join(records[:2] + records[:2]))
    assert main(["predict", str(tiny_run), "--fasta", str(tmp_path / "twice.fa"), "-o", str(tmp_path / "out.tsv")]) == 0
    assert capsys.readouterr().err.count("note:") == 1
    table = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    assert table["id"].tolist() == ["pos0", "pos0_2"]
    assert table["logit"].nunique() == 1
