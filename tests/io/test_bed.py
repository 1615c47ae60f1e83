"""BED and narrowPeak."""

from __future__ import annotations

import gzip

import bioframe
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import FormatError, InputError, MissingFileError, OutputExistsError
from seqdl.io.bed import COLUMNS, read_bed, write_bed
from seqdl.ledger import Ledger

NARROW = "chr1\t100\t200\tp1\t500\t.\t5.5\t9.1\t7\t40\nchr1\t300\t400\tp2\t400\t.\t4\t8\t6\t99\n"


def _file(tmp_path, text, name="a.bed"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / name


def _notes(path):
    ledger = Ledger()
    read_bed(path, ledger=ledger)
    return [note.removeprefix(f"{path}: ") for note in ledger.notes]


@pytest.mark.parametrize("n_columns", range(3, 13))
def test_three_to_twelve_columns_are_read(tmp_path, n_columns):
    cells = ["1", "5", "9", "n", "7.5", "-", "5", "9", "0,0,0", "1", "4,", "0,"]
    table = read_bed(_file(tmp_path, "\t".join(cells[:n_columns]) + "\n"))
    expected = ["1", 5, 9, "n" if n_columns > 3 else "1:5-9", 7.5 if n_columns > 4 else 0.0, "-" if n_columns > 5 else "."]
    assert table.columns.tolist() == list(COLUMNS)
    assert table.iloc[0].tolist() == expected
    assert (table["start"].dtype, table["end"].dtype, table["score"].dtype) == (np.int64, np.int64, np.float64)
    assert all(isinstance(value, str) for value in table[["chrom", "name", "strand"]].iloc[0])


def test_a_narrow_peak_has_its_summit_on_the_chromosome(tmp_path):
    assert read_bed(_file(tmp_path, NARROW))["summit"].tolist() == [140, 399]


def test_without_a_summit_in_every_line_there_is_no_column(tmp_path):
    path = _file(tmp_path, NARROW.replace("\t99\n", "\t-1\n"))
    assert "summit" not in read_bed(path)
    assert _notes(path) == ["1 of 2 lines have no summit; no summit is used"]
    path = _file(tmp_path, NARROW.replace("\t99\n", "\t-1\n").replace("\t40\n", "\t-1\n"))
    assert "summit" not in read_bed(path)
    assert _notes(path) == []


@pytest.mark.parametrize(
    ("text", "n_skipped"),
    [
        ("# comment\nbrowser position chr1:1-9\ntrack name=x type=bed\nchr1\t5\t9\n", 3),
        ("chrom\tstart\tend\nchr1\t5\t9\n", 1),
        ("#chrom\tstart\tend\nchr1\t5\t9\n# in between\nchr1\t7\t9\n", 2),
        ("chr1 5 9\nchr1   7\t\n".replace("   7\t", " 7 9"), 0),
        ("track1\t5\t9\n", 0),
        ("\n\nchr1\t5\t9\n\n", 0),
    ],
)
def test_comment_header_and_track_lines_are_skipped_and_said_once(tmp_path, text, n_skipped):
    path = _file(tmp_path, text)
    assert read_bed(path)["start"].iloc[0] == 5
    assert _notes(path) == ([f"{n_skipped} comment, header, track or browser line(s) skipped"] if n_skipped else [])


def test_windows_lines_are_taken_and_said(tmp_path):
    path = _file(tmp_path, "chr1\t5\t9\r\nchr1\t6\t9\r\n")
    assert read_bed(path)["end"].tolist() == [9, 9]
    assert _notes(path) == ["lines end as on Windows (CRLF) or the old Macintosh (CR); read as usual"]


def test_names_are_kept_where_unique_and_are_the_place_otherwise(tmp_path):
    path = _file(tmp_path, "c\t1\t2\tx\nc\t3\t4\tx\nc\t5\t6\ty\nc\t7\t8\t.\nc\t7\t8\t\nc\t9\t10\n")
    assert read_bed(path)["name"].tolist() == ["c:1-2", "c:3-4", "y", "c:7-8", "c:7-8_2", "c:9-10"]
    assert _notes(path) == ["2 intervals share their name with another; named chrom:start-end"]


def test_scores_that_are_no_numbers_are_zero_and_said(tmp_path):
    path = _file(tmp_path, "c\t1\t2\ta\tgene\nc\t3\t4\tb\t.\nc\t5\t6\td\t3\nc\t5\t7\te\tinf\n")
    assert read_bed(path)["score"].tolist() == [0, 0, 3, 0]
    assert _notes(path) == ["2 score(s) in column 5 are no number; read as 0"]


def test_a_star_is_no_strand(tmp_path):
    assert read_bed(_file(tmp_path, "c\t1\t2\ta\t0\t*\n"))["strand"].tolist() == ["."]


GFF = "chrI\tSGD\tgene\t335\t649\t.\t+\t.\tID=YAL069W\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.bed holds no interval"),
        ("# only\ntrack name=x\n\n", r"a\.bed holds no interval"),
        ("chrom\tstart\tend\n", r"a\.bed holds no interval"),
        ("chr1\t5\t9\nchr1\t9\t9\n", r"a\.bed, line 2: start 9 is not before end 9.*half-open"),
        ("# x\nchr1\t10\t9\n", r"a\.bed, line 2: start 10 is not before end 9"),
        ("chr1\t-5\t9\n", r"line 1: start -5 is negative"),
        ("chr1\t5\t9\nchr1\tx\t9\n", r"line 2: start 'x' is no integer.*column 2"),
        ("chr1\t5.0\t9.5\n", r"line 1: start '5\.0' is no integer"),
        ("chr1\t5\t1e6\n", r"line 1: end '1e6' is no integer.*column 3"),
        ("chr1\t1,000\t2,000\n", r"line 1: start '1,000' is no integer"),
        ("chr1\t1_000\t2000\n", r"line 1: start '1_000' is no integer"),
        ("chr1\t5\t99999999999999999999\n", r"line 1: end '9+' is no integer"),
        ("chr1\t5\t\n", r"line 1: end '' is no integer"),
        ("chr1\t5\n", r"line 1: 2 columns in 'chr1 5'"),
        ("chr1\n", r"line 1: 1 column in 'chr1'"),
        ("\t5\t9\n", r"line 1: the chromosome is empty"),
        ("chr1\t5\t9\ta\t0\t7.5\n", r"line 1: strand '7\.5' in column 6.*cut -f1-3"),
        (NARROW.replace("\t99\n", "\t100\n"), r"line 2: the summit 100 \(column 10\) is outside"),
        (GFF, r"a\.bed, line 1: this looks like GFF or GTF, not BED: columns 4 and 5.*1-based"),
        ("##gff-version 3\n" + GFF, r"line 1: this is GFF, not BED"),
        ("#!genome-build R64\n" + GFF, r"line 2: this looks like GFF"),
        ('1\tensembl\texon\t11869\t12227\t.\t+\t.\tgene_id "E1";\n', r"line 1: this looks like GFF or GTF"),
        ("chr1\t5\t9\n" + GFF, r"line 2: this looks like GFF or GTF"),
        ("##fileformat=VCFv4.2\n", r"line 1: this is VCF, not BED.*1-based"),
        (">chr1\nACGT\n", r"line 1: this is FASTA, not BED"),
        ("# This file is generated by MACS version 2\nchr\tstart\tend\nchr1\t1\t5\n", r"line 1: this is a MACS table.*narrowPeak"),
        ("fixedStep chrom=chr1 start=1\n", r"line 1: this is a wiggle file"),
    ],
)
def test_what_is_no_interval_is_refused_by_file_and_line(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read_bed(_file(tmp_path, text))


def test_unreadable_files_are_refused_by_name(tmp_path):
    with pytest.raises(MissingFileError, match=r"no file .*none\.bed"):
        read_bed(tmp_path / "none.bed")
    with pytest.raises(FormatError, match="is a folder"):
        read_bed(tmp_path)
    packed = gzip.compress("".join(f"chr1\t{i}\t{i * 7 + 1}\n" for i in range(5000)).encode())
    with pytest.raises(FormatError, match=r"cut\.bed\.gz is cut short"):
        read_bed(_file(tmp_path, packed[:-500], "cut.bed.gz"))


intervals = st.lists(
    st.tuples(st.sampled_from(["chr1", "2", "NA"]), st.integers(0, 2**40), st.integers(1, 1000), st.sampled_from("+-."), st.integers(0, 1000)),
    min_size=1,
    max_size=8,
)


@given(intervals)
def test_what_is_written_is_read_back_also_by_bioframe(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("bed") / "a.bed.gz"
    table = pd.DataFrame(
        {
            "chrom": [row[0] for row in rows],
            "start": [row[1] for row in rows],
            "end": [row[1] + row[2] for row in rows],
            "name": [f"i{i}" for i in range(len(rows))],
            "score": [float(row[4]) for row in rows],
            "strand": [row[3] for row in rows],
        }
    )
    write_bed(path, table)
    pd.testing.assert_frame_equal(read_bed(path), table)
    peer = bioframe.read_table(str(path), schema="bed6", keep_default_na=False)
    assert peer[["start", "end", "strand"]].values.tolist() == table[["start", "end", "strand"]].values.tolist()


def test_three_columns_are_enough_to_write_and_others_are_left_out(tmp_path):
    table = pd.DataFrame({"label": [1], "end": [9], "start": [5], "chrom": ["c"]}, index=[7])
    write_bed(tmp_path / "a.bed", table)
    assert (tmp_path / "a.bed").read_text() == "c\t5\t9\t.\t0\t.\n"
    with pytest.raises(OutputExistsError, match="already there"):
        write_bed(tmp_path / "a.bed", table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"chrom": ["c"], "start": [5]}, "no column end"),
        ({"chrom": ["c", "c"], "start": [5, 9], "end": [9, 9]}, "1 of 2 intervals are empty or negative; first: row 1, c:9-9"),
        ({"chrom": ["c"], "start": [-1], "end": [9]}, "first: row 0, c:-1-9"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, table, message):
    with pytest.raises(InputError, match=message):
        write_bed(tmp_path / "a.bed", pd.DataFrame(table))
    assert list(tmp_path.iterdir()) == []


def test_real_peaks_are_read_as_bioframe_reads_them(shared_data):
    for path in sorted((shared_data / "yeast_peaks_dev").rglob("*.bed")):
        table = read_bed(path)
        peer = bioframe.read_table(str(path), schema="bed6")
        assert table[["chrom", "start", "end"]].values.tolist() == peer[["chrom", "start", "end"]].values.tolist()
        assert table["name"].is_unique


def test_real_files_of_other_formats_are_refused(shared_data):
    with pytest.raises(FormatError, match="this is GFF"):
        read_bed(shared_data / "yeast_genome" / "S_cerevisiae.gff3.gz")
    with pytest.raises(FormatError, match="this is VCF"):
        read_bed(shared_data / "yeast_vcf" / "W303.gatk.vcf.gz")


@pytest.mark.parametrize("n_columns", [3, 4, 5, 6, 12])
def test_bed_of_every_usual_width_is_read_as_bioframe_reads_it(tmp_path, n_columns):
    rng = np.random.default_rng(n_columns)
    start = rng.integers(0, 1_000, 40)
    cells = [rng.choice(["chr1", "chrX"], 40), start, start + rng.integers(1, 90, 40), [f"n{i}" for i in range(40)], rng.integers(0, 1_000, 40)]
    cells += [rng.choice(["+", "-"], 40), start, start + 1, ["0,0,0"] * 40, [1] * 40, ["1,"] * 40, ["0,"] * 40]
    pd.DataFrame(dict(enumerate(cells[:n_columns]))).to_csv(tmp_path / "a.bed", sep="\t", header=False, index=False)
    table, peer = read_bed(tmp_path / "a.bed"), bioframe.read_table(str(tmp_path / "a.bed"), schema=f"bed{n_columns}")
    for column in ("chrom", "start", "end", "name", "score", "strand")[:n_columns]:
        assert table[column].tolist() == peer[column].tolist()


def test_the_summit_of_a_narrow_peak_is_that_of_bioframe(tmp_path):
    rng = np.random.default_rng(0)
    start = rng.integers(0, 1_000, 30)
    cells = [["chr1"] * 30, start, start + 60, [f"n{i}" for i in range(30)], [9] * 30, ["."] * 30, [1.5] * 30, [-1] * 30, [2.25] * 30]
    pd.DataFrame(dict(enumerate([*cells, rng.integers(0, 60, 30)]))).to_csv(tmp_path / "a.narrowPeak", sep="\t", header=False, index=False)
    peer = bioframe.read_table(str(tmp_path / "a.narrowPeak"), schema="narrowPeak")
    assert read_bed(tmp_path / "a.narrowPeak")["summit"].tolist() == (peer["start"] + peer["relSummit"]).tolist()
