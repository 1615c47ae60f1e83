"""VCF: reading, writing, and there and back."""

from __future__ import annotations

import gzip
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import FormatError, InputError, MissingFileError, OutputExistsError
from seqdl.io.vcf import COLUMNS, read_vcf, write_vcf
from seqdl.ledger import Ledger

HEADER = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
LINE = "chr1\t10\trs1\tA\tT\t50\tPASS\tDP=3\n"


def _file(tmp_path, text, name="a.vcf"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / name


def _rows(table):
    return [tuple(row) for row in table.itertuples(index=False)]


@pytest.mark.parametrize(
    "text",
    [HEADER + LINE, LINE, "chr1\t10\trs1\ta\tt\n", (HEADER + LINE).replace("\n", "\r\n"), gzip.compress((HEADER + LINE).encode())],
    ids=["whole", "no header", "five columns, lower case", "CRLF", "gzip"],
)
def test_a_variant_is_read_from_every_spelling(tmp_path, text):
    table = read_vcf(_file(tmp_path, text))
    assert _rows(table) == [("chr1", 9, 10, "A", "T", "rs1")]
    assert tuple(table.columns) == COLUMNS
    assert (table["start"].dtype, table["end"].dtype) == (np.int64, np.int64)


def test_every_alternative_allele_has_a_row_and_the_interval_is_that_of_ref(tmp_path):
    path = _file(tmp_path, HEADER + "1\t7\t.\tCAG\tC,CAGG,T\t.\t.\t.\n" + LINE)
    ledger = Ledger()
    assert _rows(read_vcf(path, ledger=ledger))[:3] == [
        ("1", 6, 9, "CAG", "C", "1:7:CAG>C"),
        ("1", 6, 9, "CAG", "CAGG", "1:7:CAG>CAGG"),
        ("1", 6, 9, "CAG", "T", "1:7:CAG>T"),
    ]
    assert ledger.notes == [f"{path}: 1 of 2 records have several alternative alleles; one row each"]
    assert ledger.rows == []


@pytest.mark.parametrize(
    ("alt", "reason"),
    [
        ("<DEL>", "symbolic allele"),
        ("<INS:ME:Alu>", "symbolic allele"),
        ("<*>", "symbolic allele"),
        ("*", "allele lost to a deletion upstream (*)"),
        (".", "no alternative allele"),
        ("G]17:198982]", "breakend"),
        ("[13:123457[C", "breakend"),
        (".A", "breakend"),
        ("G.", "breakend"),
        ("R", "an allele has an ambiguity letter other than N"),
    ],
)
def test_an_allele_that_is_not_spelt_out_goes_into_the_ledger(tmp_path, alt, reason):
    path = _file(tmp_path, HEADER + f"chr2\t5\tsv\tG\tA,{alt}\t.\tPASS\t.\n")
    ledger = Ledger()
    assert _rows(read_vcf(path, ledger=ledger)) == [("chr2", 4, 5, "G", "A", "sv")]
    assert ledger.rows == [{"id": "sv", "chrom": "chr2", "start": 4, "end": 5, "reason": reason, "source": str(path)}]
    with pytest.warns(UserWarning, match=rf"1 alleles are left out \({re.escape(reason)}: 1\); read_vcf\(path, ledger=Ledger\(\)\)"):
        read_vcf(path)


def test_what_did_not_pass_is_taken_with_a_note_or_left_out_into_the_ledger(tmp_path):
    path = _file(tmp_path, HEADER + LINE + LINE.replace("PASS", "LowQual").replace("rs1", "rs2") + LINE.replace("PASS", "."))
    ledger = Ledger()
    assert len(read_vcf(path, ledger=ledger)) == 3
    assert ledger.notes == [f"{path}: 1 of 3 records did not pass their filters; taken all the same"]
    ledger = Ledger()
    assert read_vcf(path, passed_only=True, ledger=ledger)["id"].tolist() == ["rs1", "rs1"]
    assert (ledger.counts(), ledger.rows[0]["id"], ledger.notes) == ({"did not pass its filters": 1}, "rs2", [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER, r"a\.vcf: it holds no variant\. .*expected"),
        ("", r"it holds no variant"),
        (HEADER + "1\t5\t.\tG\t<DEL>,*\n", r"none of its 2 alleles is spelt out"),
        (HEADER + LINE + "chr1\t11\trs", r"line 4: 3 tab-separated columns in 'chr1 11 rs'.*the end of the file if it was cut"),
        ("chr1 10 rs1 A T\n", r"line 1: 1 tab-separated column in.*parted by blanks: put tabs"),
        ("chr1\t10.5\trs1\tA\tT\n", r"line 1: position '10\.5' is no integer"),
        ("chr1\t-3\trs1\tA\tT\n", r"position '-3'"),
        ("chr1\t0\trs1\tA\tT\n", r"line 1: position 0 stands for a telomere, yet A>T has bases"),
        ("\t10\trs1\tA\tT\n", r"line 1: the chromosome is empty"),
        ("chr1\t10\trs1\t-\tT\n", r"line 1: REF '-' is no sequence"),
        ("chr1\t10\trs1\tA\t-\n", r"line 1: ALT '-' is no allele"),
        ("chr1\t10\trs1\tA\tT;C\n", r"ALT 'T;C' is no allele"),
        ("chr1\t5\t9\tpeak\t0\t+\n", r"line 1: REF 'PEAK' is no sequence.*is this a VCF"),
        (gzip.compress((HEADER + LINE * 50).encode())[:-9], r"is cut short"),
    ],
)
def test_what_is_no_vcf_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read_vcf(_file(tmp_path, text))


def test_a_missing_file_is_named():
    with pytest.raises(MissingFileError, match=r"no file nowhere\.vcf"):
        read_vcf("nowhere.vcf")


@pytest.mark.parametrize(("strain", "n"), [("W303", 981), ("JK9-3d", 662)])
def test_real_variants_are_read_as_a_plain_loop_reads_them(shared_data, strain, n):
    path = shared_data / "yeast_vcf" / f"{strain}.gatk.vcf.gz"
    with gzip.open(path, "rt") as stream:
        expected = [line.split("\t")[:5] for line in stream if not line.startswith("#")]
    table = read_vcf(path)
    assert len(table) == n
    assert table[["chrom", "ref", "alt"]].to_numpy().tolist() == [[chrom, ref, alt] for chrom, _, _, ref, alt in expected]
    assert (table["start"] + 1).tolist() == [int(position) for _, position, *_ in expected]


# writing ----------------------------------------------------------------------------------------------


def frame(**columns):
    return pd.DataFrame({"chrom": ["chr1"], "start": [9], "end": [10], "ref": ["A"], "alt": ["T"], **columns})


def test_info_fields_have_their_types_and_a_header(tmp_path):
    table = pd.concat([frame(), frame(start=[20], end=[22], ref=["AC"])], ignore_index=True)
    table = table.assign(delta=[0.1234567890123, np.nan], rank=[3, 4], hit=[True, False], motif=["a b;c=d,e%", None])
    write_vcf(tmp_path / "a.vcf", table, info={"delta": 'logit, "alt" - ref', "rank": "Rank", "hit": "In a motif", "motif": "Name"})
    assert (tmp_path / "a.vcf").read_text().splitlines() == [
        "##fileformat=VCFv4.3",
        "##contig=<ID=chr1>",
        '##INFO=<ID=delta,Number=1,Type=Float,Description="logit, \\"alt\\" - ref">',
        '##INFO=<ID=rank,Number=1,Type=Integer,Description="Rank">',
        '##INFO=<ID=hit,Number=0,Type=Flag,Description="In a motif">',
        '##INFO=<ID=motif,Number=1,Type=String,Description="Name">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
        "chr1\t10\t.\tA\tT\t.\t.\tdelta=0.123456789;rank=3;hit;motif=a%20b%3Bc%3Dd%2Ce%25",
        "chr1\t21\t.\tAC\tT\t.\t.\trank=4",
    ]


alleles = st.text("ACGTN", min_size=1, max_size=6)
variants = st.lists(
    st.tuples(
        st.sampled_from(["1", "chrX", "HLA-A*01:01"]), st.integers(0, 10**9), alleles, alleles, st.from_regex(r"[\w:;>-]{1,9}", fullmatch=True)
    ),
    max_size=8,
)


@given(variants.filter(bool), st.sampled_from(["a.vcf", "a.vcf.gz"]))
def test_what_is_written_is_read_back(tmp_path_factory, rows, name):
    table = pd.DataFrame([(c, s, s + len(r), r, a, i) for c, s, r, a, i in rows], columns=list(COLUMNS))
    path = tmp_path_factory.mktemp("vcf") / name
    write_vcf(path, table)
    pd.testing.assert_frame_equal(read_vcf(path), table, check_dtype=False)


def test_no_variants_are_a_header_alone_and_nothing_is_overwritten_unasked(tmp_path):
    write_vcf(tmp_path / "a.vcf", frame().iloc[:0])
    assert (tmp_path / "a.vcf").read_text().count("\n") == 2
    with pytest.raises(OutputExistsError, match="already there"):
        write_vcf(tmp_path / "a.vcf", frame())
    write_vcf(tmp_path / "a.vcf", frame(), force=True)
    assert _rows(read_vcf(tmp_path / "a.vcf")) == [("chr1", 9, 10, "A", "T", "chr1:10:A>T")]


@pytest.mark.parametrize(
    ("table", "info", "message"),
    [
        (frame().drop(columns="alt"), None, r"the table of variants has no column 'alt'"),
        (frame(), {"delta": "x"}, r"has no column 'delta'"),
        (frame(alt=["<DEL>"]), None, r"1 of 1 variants have a alt that is no sequence; first: row 0, '<DEL>'"),
        (frame(ref=["a"]), None, r"have a ref that is no sequence"),
        (frame(end=[12]), None, r"not as long as their REF; first: row 0, chr1:9-12 with REF A"),
        (frame(start=[-1], end=[0]), None, r"start >= 0 were expected"),
        (frame(id=["a b"]), None, r"the chromosome or id 'a b' has a blank"),
        (frame(**{"0x": [1]}), {"0x": "x"}, r"the column '0x' cannot be an INFO field"),
    ],
)
def test_what_a_vcf_cannot_hold_is_refused_and_nothing_is_written(tmp_path, table, info, message):
    with pytest.raises(InputError, match=message):
        write_vcf(tmp_path / "a.vcf", table, info=info)
    assert list(tmp_path.iterdir()) == []
