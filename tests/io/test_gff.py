"""GFF3 and GTF, against a plain loop and real annotation."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from seqdl.errors import FormatError, MissingFileError, UnknownNameError
from seqdl.io.gff import COLUMNS, read_gff
from seqdl.ledger import Ledger

GFF3 = (
    "##gff-version 3\n"
    "chrI\tSGD\tgene\t335\t649\t.\t+\t.\tName=PAU8;ID=YAL068C%2C1;Note=a%3Bb\n"
    "###\n"
    "chrI\tSGD\tCDS\t335\t649\t7.5\t-\t0\tParent=mRNA1;Name=first\n"
    "chr%20I\tSGD\tregion\t5\t5\t.\t?\t.\t.\n"
)
GTF = (
    "#!genome-build x\n"
    '1\thavana\texon\t11\t20\t.\t-\t.\ttranscript_id "T1"; gene_id "G;1"; note "ID=x";\n'
    "1\thavana\tgene\t1\t30\t.\t-\t.\tgene_id G2\n"
)


def _file(tmp_path, text, name="a.gff3"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / name


def _rows(table):
    return [tuple(row) for row in table.drop(columns="attributes").itertuples(index=False)]


EXPECTED = [
    ("chrI", 334, 649, "YAL068C,1", 0.0, "+", "gene"),
    ("chrI", 334, 649, "first", 7.5, "-", "CDS"),
    ("chr I", 4, 5, "chr I:4-5", 0.0, ".", "region"),
]


@pytest.mark.parametrize(
    "text",
    [
        GFF3,
        GFF3.replace("\n", "\r\n"),
        GFF3 + "##FASTA\n>chrI\nACGT\n",
        GFF3 + ">chrI\nACGT\n",
        gzip.compress(GFF3.encode()),
        "track name=x\n\n" + GFF3,
    ],
    ids=["plain", "CRLF", "FASTA section", "FASTA without a word", "gzip", "track"],
)
def test_gff3_is_read_as_zero_based_intervals(tmp_path, text):
    table = read_gff(_file(tmp_path, text))
    assert _rows(table) == EXPECTED
    assert tuple(table.columns) == COLUMNS
    assert table["attributes"][0] == "Name=PAU8;ID=YAL068C%2C1;Note=a%3Bb"
    assert (table["start"].dtype, table["end"].dtype, table["score"].dtype) == (np.int64, np.int64, np.float64)


def test_an_escaped_chromosome_of_gff3_is_written_out(tmp_path):
    assert read_gff(_file(tmp_path, "chr%7C1\t.\tgene\t1\t2\t.\t.\t.\tID=x\n"))["chrom"].tolist() == ["chr|1"]


def test_gtf_is_read_and_its_features_are_called_by_their_gene(tmp_path):
    assert _rows(read_gff(_file(tmp_path, GTF))) == [("1", 10, 20, "G;1", 0.0, "-", "exon"), ("1", 0, 30, "G2", 0.0, "-", "gene")]


def test_features_are_chosen_and_the_others_counted(tmp_path):
    path = _file(tmp_path, GFF3)
    ledger = Ledger()
    assert read_gff(path, features="CDS", ledger=ledger)["feature"].tolist() == ["CDS"]
    assert ledger.notes == [f"{path}: 2 of 3 features are of other kinds and are not used: gene (1), region (1)"]
    assert read_gff(path, features=["gene", "CDS"])["feature"].tolist() == ["gene", "CDS"]
    ledger = Ledger()
    read_gff(path, ledger=ledger)
    assert ledger.notes == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.gff3 holds no feature.*nine columns of GFF3 or GTF"),
        ("##gff-version 3\n##FASTA\n>x\nA\n", r"holds no feature"),
        (">chrI\nACGT\n", r"line 1: this is FASTA, not GFF"),
        (GFF3 + "chrI\tSGD\tgene\t3\n", r"line 6: 4 tab-separated columns.*the end of the file if it was cut"),
        ("chr1\t5\t9\tpeak\n", r"line 1: 4 tab-separated columns.*looks like BED: read it with seqdl\.read_bed"),
        (GFF3.replace("\t", " "), r"line 2: 1 tab-separated column .*parted by blanks: put tabs"),
        (GFF3.replace("335", "650", 1), r"line 2: start 650 is past end 649\. GFF counts from 1"),
        (GFF3.replace("335", "0", 1), r"line 2: start '0' and end '649'. Two positions in bp from 1"),
        (GFF3.replace("335", "x", 1), r"line 2: start 'x'"),
        (GFF3.replace("\t+\t", "\tplus\t"), r"line 2: strand 'plus' in column 7"),
        (GFF3.replace("7.5", "high"), r"line 4: score 'high' in column 6 is no number"),
        (gzip.compress(GFF3.encode() * 9)[:-9], r"is cut short"),
    ],
)
def test_what_is_no_gff_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read_gff(_file(tmp_path, text))


def test_a_kind_that_is_not_there_is_named_with_those_that_are(tmp_path):
    path = _file(tmp_path, GFF3)
    with pytest.raises(UnknownNameError, match=r"no feature named 'cds'. .*Available: gene, CDS, region\. These are in .*a\.gff3"):
        read_gff(path, features=["gene", "cds"])


def test_a_missing_file_is_named():
    with pytest.raises(MissingFileError, match=r"no file nowhere\.gff"):
        read_gff("nowhere.gff")


def test_the_annotation_of_yeast_is_read_as_a_plain_loop_reads_it(shared_data):
    path = shared_data / "yeast_genome" / "S_cerevisiae.gff3.gz"
    with gzip.open(path, "rt") as stream:
        lines = [line.split("\t") for line in stream if not line.startswith("#")]
    table = read_gff(path)
    assert table["start"].tolist() == [int(cells[3]) - 1 for cells in lines]
    assert table["end"].tolist() == [int(cells[4]) for cells in lines]
    assert table["strand"].tolist() == [cells[6] for cells in lines]
    assert (table["feature"] == "CDS").sum() == 7058


def test_coding_sequences_of_yeast_have_sane_lengths_and_begin_with_atg(shared_data):
    from seqdl.data.genome import Genome

    genome = Genome(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz")
    cds = read_gff(shared_data / "yeast_genome" / "S_cerevisiae.gff3.gz", features="CDS")
    cds = cds[cds["chrom"] != "chrmt"]
    parts = cds.assign(length=cds["end"] - cds["start"]).groupby("name")["length"]
    whole = parts.sum()
    assert ((whole % 3) == 0).mean() > 0.99
    assert 1200 < whole.mean() < 1600
    single = cds[cds["name"].map(parts.size()) == 1]
    first = single.assign(
        start=np.where(single["strand"] == "-", single["end"] - 3, single["start"]),
        end=np.where(single["strand"] == "-", single["end"], single["start"] + 3),
    )
    assert (genome.fetch(first) == [0, 3, 2]).all(axis=1).mean() > 0.99
