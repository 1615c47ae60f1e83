"""BedGraph, against plain loops and the bigWig of the same numbers."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import FormatError, MissingFileError
from seqdl.io import bedgraph as module
from seqdl.io.bedgraph import read_bedgraph
from seqdl.ledger import Ledger

PLAIN = "chr1\t5\t9\t0.5\nchr1\t0\t5\t2\nchr2\t7\t8\t-1e-3\n"


def _file(tmp_path, text, name="a.bedGraph"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / name


def _plain(table):
    return {chrom: list(zip(runs.starts.tolist(), runs.ends.tolist(), runs.values.tolist(), strict=True)) for chrom, runs in table.items()}


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\t", " "),
        PLAIN.replace("\n", "\r\n"),
        "track type=bedGraph\n# by hand\n" + PLAIN,
        PLAIN.replace("chr2", "\n# in between\nbrowser position chr1\nchr2"),
        PLAIN.rstrip("\n"),
        gzip.compress(PLAIN.encode()),
    ],
    ids=["tabs", "blanks", "CRLF", "header", "header in between", "no last newline", "gzip"],
)
def test_the_same_numbers_are_read_from_every_spelling(tmp_path, text):
    found = read_bedgraph(_file(tmp_path, text))
    assert _plain(found) == {"chr1": [(0, 5, 2.0), (5, 9, 0.5)], "chr2": [(7, 8, float(np.float32(-1e-3)))]}
    assert {runs.values.dtype for runs in found.values()} == {np.dtype(np.float32)}


def test_lines_that_are_skipped_are_noted_and_a_chromosome_may_be_called_track(tmp_path):
    path = _file(tmp_path, "track name=x\n#y\ntrack1\t0\t5\t2\n")
    ledger = Ledger()
    assert list(read_bedgraph(path, ledger=ledger)) == ["track1"]
    assert ledger.notes == [f"{path}: 2 comment, track or browser line(s) skipped"]


def test_a_value_that_is_nan_stands_for_none(tmp_path):
    assert np.isnan(read_bedgraph(_file(tmp_path, "c\t0\t5\tnan\nc\t5\t6\t1\n"))["c"].values).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.bedGraph holds no value.*chrom, start, end and value were expected"),
        ("track name=x\n\n", r"holds no value"),
        (PLAIN + "chr3\t5\n", r"line 4: 2 columns in 'chr3 5'.*the end of the file if it was cut"),
        (PLAIN + "chr3\t5\t6\n", r"line 4: 3 columns"),
        ("chr3\t5\t6\tpeak\t0\t+\n", r"line 1: 6 columns.*If this is a BED of intervals, it is no signal"),
        (PLAIN + "chr3\t5\t6\tpeak\n", r"line 4: the value 'peak' in column 4 is no number.*BED"),
        (PLAIN + "chr3\t5\t6\t\n", r"line 4: 3 columns"),
        (PLAIN + "chr3\t6\t6\t1\n", r"line 4: start 6 is not before end 6"),
        (PLAIN + "chr3\t-1\t6\t1\n", r"line 4: start '-1' and end '6'; two positions in bp from 0"),
        (PLAIN + "chr3\t1.5\t6\t1\n", r"line 4: start '1\.5'"),
        (PLAIN + "chr3\t1\t6\tinf\n", r"line 4: the value inf does not fit into single precision"),
        (PLAIN + "chr3\t1\t6\t1e300\n", r"line 4: the value 1e300 does not fit"),
        ("fixedStep chrom=chr1 start=1 step=1\n1\n", r"line 1: this is a wiggle file.*Convert it to bigWig"),
        (PLAIN + "chr1\t3\t6\t1\n", r"2 lines cover bases that another covers; first: chr1:0-5 and chr1:3-6"),
        (gzip.compress(PLAIN.encode() * 50)[:-20], r"is cut short"),
    ],
)
def test_what_is_no_bedgraph_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read_bedgraph(_file(tmp_path, text))


def test_a_missing_file_is_named():
    with pytest.raises(MissingFileError, match=r"no file nowhere\.bedGraph"):
        read_bedgraph("nowhere.bedGraph")


runs = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.floats(-(2.0**99), 2.0**99, width=32)), min_size=1, max_size=20, unique_by=lambda r: r[:2]
)


@given(runs, st.randoms(), st.integers(1, 200))
def test_what_is_written_in_any_order_is_read_back_sorted_whatever_the_block_size(tmp_path_factory, rows, random, block):
    lines = [(chrom, 2 * start, 2 * start + 1 + start % 2, value) for chrom, start, value in rows]
    random.shuffle(lines)
    path = tmp_path_factory.mktemp("runs") / "a.bedGraph"
    path.write_text("".join(f"{chrom}\t{start}\t{end}\t{value!r}\n" for chrom, start, end, value in lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BYTES_AT_ONCE", block)
        found = _plain(read_bedgraph(path))
    assert found == {chrom: sorted(line[1:] for line in lines if line[0] == chrom) for chrom in dict.fromkeys(line[0] for line in lines)}
