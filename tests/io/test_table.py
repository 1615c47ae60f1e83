"""Tables with a header line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import FormatError, InputError, OutputExistsError
from seqdl.io.table import read_table, read_tsv, require_columns, write_tsv


def _file(tmp_path, text, name="a.csv"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / name


def test_a_table_comes_back_as_it_was_written(tmp_path):
    table = pd.DataFrame(
        {
            "id": ["007", "NA", "1e5"],
            "chrom": ["1", "X", ""],
            "consensus": ["NAN", "NA", "ACGT"],
            "match": ['MA1.1 "REB1"', "a\tb", ""],
            "start": [1, 2, 3],
            "score": [0.1, np.nan, 1e-300],
            "other": ["x", "y", "NA"],
        }
    )
    write_tsv(tmp_path / "a.tsv.gz", table)
    pd.testing.assert_frame_equal(read_tsv(tmp_path / "a.tsv.gz"), table)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_float32_survives_being_written(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("table") / "a.tsv"
    write_tsv(path, pd.DataFrame({"x": np.array(values, np.float32)}))
    assert np.array_equal(read_tsv(path)["x"].to_numpy(np.float32), np.array(values, np.float32))


def test_a_header_alone_is_an_empty_table(tmp_path):
    write_tsv(tmp_path / "a.tsv", pd.DataFrame(columns=["id", "x"]))
    assert read_tsv(tmp_path / "a.tsv").shape == (0, 2)
    assert read_tsv(tmp_path / "a.tsv").columns.tolist() == ["id", "x"]


def test_nothing_is_overwritten_without_force(tmp_path):
    write_tsv(tmp_path / "a.tsv", pd.DataFrame({"x": [1]}))
    with pytest.raises(OutputExistsError, match="already there"):
        write_tsv(tmp_path / "a.tsv", pd.DataFrame({"x": [2]}))
    write_tsv(tmp_path / "a.tsv", pd.DataFrame({"x": [1 / 3]}), force=True, float_format="%.2f")
    assert (tmp_path / "a.tsv").read_text() == "x\n0.33\n"


@pytest.mark.parametrize(
    "text", ["seq,y\nACGT,1\nGG,2\n", "seq\ty\nACGT\t1\nGG\t2", "\ufeffseq;y\r\nACGT;1\r\nGG;2\r\n", '"seq","y"\n"ACGT",1\n\nGG,2\n']
)
def test_separator_quotes_line_ends_and_byte_order_mark_are_found_out(tmp_path, text):
    table = read_table(_file(tmp_path, text))
    assert table.to_dict("list") == {"seq": ["ACGT", "GG"], "y": [1, 2]}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2"], [1, 2]),
        (["1", "2.5"], [1.0, 2.5]),
        (["1", "NA"], [1.0, np.nan]),
        (["", ""], [np.nan, np.nan]),
        (["1", "x"], ["1", "x"]),
        (["1_2", "3"], ["1_2", "3"]),
        (["99999999999999999999", "1"], [1e20, 1.0]),
        (["NA", "x"], ["NA", "x"]),
    ],
)
def test_a_column_is_numbers_only_where_all_cells_are(tmp_path, cells, expected):
    column = read_tsv(_file(tmp_path, "k\tv\n" + "".join(f"a\t{cell}\n" for cell in cells)))["v"]
    pd.testing.assert_series_equal(column, pd.Series(expected), check_names=False)


def test_a_cell_may_be_as_long_as_a_chromosome(tmp_path):
    table = read_table(_file(tmp_path, "seq,y\n" + "ACGT" * 100_000 + ",1\n"))
    assert len(table["seq"][0]) == 400_000


def test_columns_named_by_the_caller_are_text(tmp_path):
    path = _file(tmp_path, "group,Chrom,y\n01,19,1\n")
    assert read_table(path).iloc[0].tolist() == [1, "19", 1]
    assert read_table(path, text=["group"]).iloc[0].tolist() == ["01", "19", 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.csv is empty or begins with an empty line"),
        ("\na,b\n", "begins with an empty line"),
        ("a,b\n1,2\n3\n", r"a\.csv, line 3: 1 cells where the header has 2.*if it was cut"),
        ("a,b\n1,2,3\n", r"a\.csv, line 2: 3 cells where the header has 2"),
        ("a,b,a\n1,2,3\n", r"a\.csv, line 1: the column 'a' is there more than once"),
        ('a,b\n1,"' + "x" * 200_000, r"a\.csv, line 2: field larger than.*quotation mark left open"),
    ],
)
def test_broken_tables_are_refused_by_file_and_line(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read_table(_file(tmp_path, text))


def test_repeated_titles_are_not_written(tmp_path):
    with pytest.raises(InputError, match="column 'x' is there more than once"):
        write_tsv(tmp_path / "a.tsv", pd.DataFrame([[1, 2]], columns=["x", "x"]))
    assert list(tmp_path.iterdir()) == []


def test_missing_columns_are_named_beside_those_there_are():
    table = pd.DataFrame({"seq": ["A"], "y": [1]})
    require_columns(table, ["seq", "y"], "t.csv")
    with pytest.raises(InputError, match=r"t\.csv has no column 'z'\. Its columns are: seq, y"):
        require_columns(table, ["seq", "z"], "t.csv")


def test_real_tables_are_read_as_pandas_reads_them(shared_data):
    for name in ("ecoli_promoter_mpra/ecoli_mpra_expr_test.csv.gz", "mavenn_mpsa/mpsa_data.csv.gz", "yeast_5utr_native/Native_UTRs.csv.gz"):
        table = read_table(shared_data / name)
        expected = pd.read_csv(shared_data / name, encoding="utf-8-sig")
        assert len(table) == len(expected)
        for mine, theirs in zip(table.columns, expected.columns, strict=True):
            assert (table[mine] == expected[theirs]).all()
