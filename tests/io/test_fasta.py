"""FASTA in, FASTA out."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from Bio import SeqIO, bgzf
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import FormatError, InputError, MissingFileError, OutputExistsError
from seqdl.io.fasta import read_fasta, unique_names, write_fasta
from seqdl.ledger import Ledger
from seqdl.sequence.encode import decode, encode, stack


def _file(tmp_path, text, name="a.fa"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / name


def _read(path):
    ledger = Ledger()
    records = read_fasta(path, ledger=ledger)
    return [(record.name, record.description, decode(record.codes)) for record in records], [note.removeprefix(f"{path}: ") for note in ledger.notes]


def test_records_lines_and_descriptions_are_read(tmp_path):
    records, notes = _read(_file(tmp_path, ">one first record\nACGT\nAC\n\n>two\nGG\n"))
    assert records == [("one", "first record", "ACGTAC"), ("two", "", "GG")]
    assert notes == []


@pytest.mark.parametrize(
    ("text", "sequence", "note"),
    [
        (">a\nacGT\n", "ACGT", "1 of 1 records hold lower-case letters; read as upper case"),
        (">a\nACGU\n", "ACGT", "1 of 1 records hold U; read as T"),
        (">a\nACGRY\n", "ACGNN", "1 of 1 records hold IUPAC ambiguity letters; read as N"),
        (">a\r\nAC\r\nGT\r\n", "ACGT", "lines end as on Windows (CRLF) or the old Macintosh (CR); read as usual"),
        (">a\rAC\rGT\r", "ACGT", "lines end as on Windows (CRLF) or the old Macintosh (CR); read as usual"),
        (">a\nACGN\n", "ACGN", None),
        ("\ufeff>a\nACGT", "ACGT", None),
        ("\n; a comment\n>a\n  AC GT \n;more\nAC\n", "ACGTAC", None),
    ],
)
def test_what_is_odd_but_clear_is_taken_and_said_once(tmp_path, text, sequence, note):
    records, notes = _read(_file(tmp_path, text))
    assert records == [("a", "", sequence)]
    assert notes == ([note] if note else [])


def test_each_oddity_is_said_once_however_often_it_occurs(tmp_path):
    _, notes = _read(_file(tmp_path, "".join(f">{i}\nacgu\nryacgt\n" for i in range(50))))
    assert notes == [
        "50 of 50 records hold lower-case letters; read as upper case",
        "50 of 50 records hold U; read as T",
        "50 of 50 records hold IUPAC ambiguity letters; read as N",
    ]


def test_repeated_names_are_made_unique_and_said_once(tmp_path):
    records, notes = _read(_file(tmp_path, ">a x\nA\n>a_2\nC\n>a\nG\n>a\nT\n"))
    assert [name for name, *_ in records] == ["a", "a_2", "a_3", "a_4"]
    assert notes == ["2 of 4 records repeat the name of another; made unique, for instance a -> a_3"]


def test_a_name_after_a_space_is_read_and_a_missing_one_is_made(tmp_path):
    records, notes = _read(_file(tmp_path, "> 6400\nA\n>\nC\n"))
    assert [name for name, *_ in records] == ["6400", "record2"]
    assert notes == ["1 of 2 records have no name; named by their place in the file"]


@given(st.lists(st.sampled_from(["a", "b", "a_2", "a_3", "b_2", "a_2_2"]), max_size=12))
def test_unique_names_are_unique_and_keep_the_first_of_each(names):
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    assert all(unique[names.index(name)] == name for name in names)


PROTEIN = "MEEPQSDPSVEPPLSQETFSDLWKLLPENNVLSPLPSQAMDDLMLSPDDIEQWFTEDPGP"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.fa is empty. FASTA records"),
        ("\n\n; only a comment\n", r"a\.fa is empty"),
        (">a\nACGT\n>b\n>c\nA\n", r"a\.fa, line 3: record 'b' is empty"),
        (">a\nACGT\n>last\n\n", r"a\.fa, line 3: record 'last' is empty"),
        ("ACGT\nGGGG\n", r"a\.fa, line 1: 'ACGT' stands before the first header.*'>name'"),
        ("@read1\nACGT\n+\nIIII\n", r"line 1: '@read1' stands .*FASTQ"),
        ("#chrom\tstart\nchr1\t1\n", r"line 1: .*a table, a BED or a VCF"),
        ("<!DOCTYPE html>\n", r"line 1: .*web page"),
        (f">p53 human\n{PROTEIN}\n", r"a\.fa, line 2, record 'p53': the sequence reads as protein"),
        (">x\n" + "MKRHDSVMKWGNNYR" * 4, r"a\.fa: .* letters are IUPAC ambiguity letters: it reads as protein"),
        (">a\nACGT\n>b\nACGT\nACJT\n", r"a\.fa, line 5, record 'b': letter 'J' at position 3"),
        (">a\nAC-GT\n", r"a\.fa, line 2, record 'a': letter '-' at position 3 .*Remove gaps"),
        (">a\n1 ACGT 4\n", r"line 2, record 'a': letter '1'"),
    ],
)
def test_what_cannot_be_dna_is_refused_by_file_record_and_line(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read_fasta(_file(tmp_path, text))


def test_unreadable_files_are_refused_by_name(tmp_path):
    with pytest.raises(MissingFileError, match=r"no file .*none\.fa"):
        read_fasta(tmp_path / "none.fa")
    with pytest.raises(FormatError, match="is a folder"):
        read_fasta(tmp_path)
    packed = gzip.compress(b">a\n" + np.random.default_rng(0).choice(list(b"ACGT"), 9000).astype(np.uint8).tobytes())
    with pytest.raises(FormatError, match=r"cut\.fa\.gz is cut short"):
        read_fasta(_file(tmp_path, packed[:1000], "cut.fa.gz"))


dna = st.text("ACGTN", min_size=1, max_size=200)


@given(st.lists(dna, min_size=1, max_size=5), st.sampled_from([0, 1, 7, 80]), st.booleans())
def test_what_is_written_is_read_back_also_by_biopython(tmp_path_factory, texts, width, as_codes):
    path = tmp_path_factory.mktemp("fasta") / "a.fa"
    names = [f"s{i} note {i}" for i in range(len(texts))]
    write_fasta(path, names, [encode(text) for text in texts] if as_codes else texts, width=width)
    records, _ = _read(path)
    assert [text for *_, text in records] == texts
    assert [(record.description, str(record.seq)) for record in SeqIO.parse(path, "fasta")] == list(zip(names, texts, strict=True))


def test_an_array_is_written_row_by_row_and_gz_is_compressed(tmp_path):
    codes = stack([encode("ACGT"), encode("GG")])
    write_fasta(tmp_path / "a.fa.gz", ["a", "b"], codes)
    assert gzip.decompress((tmp_path / "a.fa.gz").read_bytes()) == b">a\nACGT\n>b\nNGGN\n"


@pytest.mark.parametrize(
    ("names", "sequences", "message"),
    [
        (["a"], ["A", "C"], "1 names for 2 sequences"),
        ([], [], "no sequence to write"),
        (["a\nb"], ["A"], r"name 'a\\nb' cannot stand"),
        ([" "], ["A"], "name ' ' cannot stand"),
        (["a", "b"], ["A", ""], "sequence 'b' is empty"),
        (["a", "b"], ["A", "A\n>x"], "is no nucleotide"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, names, sequences, message):
    with pytest.raises(InputError, match=message):
        write_fasta(tmp_path / "a.fa", names, sequences)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_without_force(tmp_path):
    path = _file(tmp_path, "old")
    with pytest.raises(OutputExistsError, match="already there"):
        write_fasta(path, ["a"], ["A"])
    write_fasta(path, ["a"], ["A"], force=True)
    assert path.read_text() == ">a\nA\n"


def test_real_files_are_read_as_biopython_reads_them(shared_data):
    for name in ("human_ctcf/ctcf.fa.gz", "cnnprom_dev/Arabidopsis_non_prom.fa.gz", "yeast_genome/S_cerevisiae.fasta.gz"):
        records = read_fasta(shared_data / name)
        with gzip.open(shared_data / name, "rt") as stream:
            expected = [str(record.seq).upper() for record in SeqIO.parse(stream, "fasta")]
        assert [decode(record.codes) for record in records] == expected
        assert len({record.name for record in records}) == len(records)


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip"])
def test_every_wrapping_is_read_as_biopython_reads_it(tmp_path, kind):
    rng = np.random.default_rng(0)
    text = "".join(f">s{i} of {kind}\n{''.join(rng.choice(list('ACGTacgtN'), 70))}\n" for i in range(2_000))  # more than a block of bgzip
    path = tmp_path / "a.fa"
    path.write_text(text)
    expected = [(record.id, str(record.seq).upper()) for record in SeqIO.parse(path, "fasta")]
    if kind != "plain":
        with (gzip.open if kind == "gzip" else bgzf.open)(path, "wb") as stream:
            stream.write(text.encode())
    assert [(record.name, decode(record.codes)) for record in read_fasta(path)] == expected
