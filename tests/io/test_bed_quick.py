from __future__ import annotations

import gzip

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqdl.io.bed as module
from seqdl.errors import FormatError
from seqdl.io.bed import read_bed, read_places
from seqdl.io.bed_quick import quick_table
from seqdl.ledger import Ledger

chroms = st.sampled_from(["chr1", "chrX", "1", "01", "track1", "#c", ">c", " chr1", "", "NA", "nan"])
places = st.sampled_from(["0", "3", "07", "5 ", "", "1e1", "2.0", "+4", "-1", "9" * 19])
names = st.sampled_from(["a", "b", ".", "", '"q"', "NA", "ü", "two words"])
scores = st.sampled_from(["0", "1.5", "1e3", ".", "", "nan", "inf", "x", "1_0"])
strands = st.sampled_from(["+", "-", ".", "*", "", "x"])
numbers = st.sampled_from(["-1", "2.5", ".", "x"])
offsets = st.sampled_from(["-1", "0", "1", "9", "x", "1e0"])
line = st.tuples(chroms, places, places.map(lambda text: text.replace("0", "20")), names, scores, strands, numbers, numbers, numbers, offsets)
good = st.tuples(
    st.sampled_from(["chr1", "chrX", "1", "01"]),
    st.integers(0, 1).map(str),
    st.integers(10, 20).map(str),
    st.sampled_from(["a", "b", ".", "", '"q"']),
    st.sampled_from(["0", "1.5", "1e3", ".", ""]),
    st.sampled_from(["+", "-", ".", "*", ""]),
    *[st.sampled_from(["-1", "2.5", "."])] * 3,
    st.sampled_from(["-1", "0", "8"]),
)


def outcome(read, path):
    """Return the table and the notes of a reader, or what it raises."""
    ledger = Ledger()
    try:
        return read(path, ledger=ledger), ledger.notes
    except FormatError as error:
        return str(error), None


def line_by_line(path, *, ledger):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "quick_table", lambda *_, **__: None)
        return read_bed(path, ledger=ledger)


@given(st.lists(good | line, min_size=1, max_size=4), st.integers(3, 12), st.sampled_from(["\n", "\n", "\r\n", "\n\n"]), st.booleans())
def test_a_file_read_whole_gives_what_reading_it_line_by_line_gives(tmp_path_factory, lines, n_columns, newline, ends):
    path = tmp_path_factory.mktemp("bed") / "a.bed"
    text = newline.join("\t".join((*cells, "x", "y")[:n_columns]) for cells in lines) + newline * ends
    path.write_bytes(text.encode())
    (quick, quick_notes), (slow, slow_notes) = outcome(read_bed, path), outcome(line_by_line, path)
    assert quick_notes == slow_notes
    if isinstance(slow, str):
        assert quick == slow
    else:
        pd.testing.assert_frame_equal(quick, slow)
        pd.testing.assert_frame_equal(read_places(path).astype({"chrom": str, "strand": str}), slow[["chrom", "start", "end", "strand"]])


@given(st.lists(good, min_size=1, max_size=4), st.integers(3, 10))
def test_usual_files_are_read_whole(tmp_path_factory, lines, n_columns):
    path = tmp_path_factory.mktemp("bed") / "a.bed"
    path.write_text("".join("\t".join(cells[:n_columns]) + "\n" for cells in lines))
    assert quick_table(path, score=module._score, strands=module._STRANDS) is not None


def test_a_packed_file_is_read_whole_and_a_stream_is_not(tmp_path):
    path = tmp_path / "a.bed.gz"
    path.write_bytes(gzip.compress(b"chr1\t1\t5\n"))
    assert len(quick_table(path, score=float, strands={})) == 1
    assert quick_table("-", score=float, strands={}) is None


UNEVEN = ["", "\n", "chr1\t1\n", "chr1 1 5\n", "chr1\t1\t5\nchr1\t1\n", "chr1\t1\t5\t\nchr1\t1\nx\t1\t2\t3\t4\n", "a\t1\t2\t \n"]


@pytest.mark.parametrize("text", UNEVEN)
def test_what_is_uneven_is_left_to_the_careful_reader(tmp_path, text):
    path = tmp_path / "a.bed"
    path.write_text(text)
    assert quick_table(path, score=float, strands={}) is None
