"""Genomes in every wrapping, and windows read from the FASTA itself, against Biopython and pyfaidx."""

from __future__ import annotations

import gzip
import os
import pickle
import shutil
import struct
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from Bio import SeqIO, bgzf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.data import genome_cache, windows
from seqdl.data.fasta_map import FastaMap
from seqdl.data.genome import Genome
from seqdl.errors import FormatError, InputError
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import decode, encode, one_hot

RNG = np.random.default_rng(0)
SEQUENCES = {name: "".join(RNG.choice(list("ACGTacgtNn"), size)) for name, size in (("chrI", 700), ("chrII", 61), ("chrIII", 120))}
TWOBIT = {"T": 0, "C": 1, "A": 2, "G": 3}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQDL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def runs(text, belongs):
    """Return where runs of some letters begin, and how long they are."""
    marks = np.diff(np.concatenate([[0], [int(belongs(letter)) for letter in text], [0]]))
    starts = np.flatnonzero(marks == 1)
    return starts.tolist(), (np.flatnonzero(marks == -1) - starts).tolist()


def twobit(sequences):
    """Return a 2bit file, as UCSC's description of the format has it."""
    words = lambda numbers: struct.pack(f"<{len(numbers)}I", *numbers)  # noqa: E731
    index, body = b"", b""
    at = 16 + sum(5 + len(name) for name in sequences)
    for name, text in sequences.items():
        index += bytes([len(name)]) + name.encode() + words([at + len(body)])
        body += words([len(text)])
        for belongs in (lambda letter: letter in "Nn", str.islower):
            starts, sizes = runs(text, belongs)
            body += words([len(starts), *starts, *sizes])
        bits = [TWOBIT.get(letter.upper(), 0) for letter in text] + [0] * (-len(text) % 4)
        body += words([0]) + bytes(a << 6 | b << 4 | c << 2 | d for a, b, c, d in zip(*(bits[i::4] for i in range(4)), strict=True))
    return words([0x1A412743, 0, len(sequences), 0]) + index + body


def fasta(sequences, width=60, end="\n"):
    lines = []
    for name, text in sequences.items():
        lines += [f">{name} of a test", *(text[i : i + width] for i in range(0, len(text), width))]
    return end.join(lines) + end


def indexed(path, text):
    """Write a FASTA with the index that pyfaidx makes, and make it old enough to be trusted."""
    from pyfaidx import Faidx

    path.write_text(text, newline="")
    Faidx(str(path)).close()
    return path


def bases(genome):
    return {name: decode(genome.codes(name)) for name in genome}


def expected(sequences):
    return {name: text.upper() for name, text in sequences.items()}


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip", "2bit"])
def test_every_wrapping_gives_the_bases_that_biopython_reads(tmp_path, kind):
    path = tmp_path / f"genome.{kind}"
    if kind == "2bit":
        path.write_bytes(twobit(SEQUENCES))
        with path.open("rb") as stream:
            read = {record.id: str(record.seq) for record in SeqIO.parse(stream, "twobit")}
    else:
        opener = {"plain": Path.open, "gzip": gzip.open, "bgzip": bgzf.open}[kind]
        with opener(path, "w" if kind == "plain" else "wb") as stream:
            stream.write(fasta(SEQUENCES) if kind == "plain" else fasta(SEQUENCES).encode())
        with path.open() if kind == "plain" else gzip.open(path, "rt") as stream:
            read = {record.id: str(record.seq) for record in SeqIO.parse(stream, "fasta")}
    assert read == SEQUENCES
    genome = Genome(path)
    assert bases(genome) == expected(read)
    assert genome.lengths == {name: len(text) for name, text in SEQUENCES.items()}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", path.name]


def test_a_bgzip_file_of_many_blocks_is_read_whole(tmp_path):
    text = "".join(np.random.default_rng(1).choice(list("ACGT"), 200_000))
    with bgzf.open(tmp_path / "g.fa.gz", "wb") as stream:
        stream.write(fasta({"a": text}).encode())
    assert bases(Genome(tmp_path / "g.fa.gz")) == {"a": text}


@pytest.mark.parametrize("stretch", [1, 7, 64])
def test_a_genome_read_in_stretches_is_whole(tmp_path, monkeypatch, stretch):
    monkeypatch.setattr("seqdl.data.genome_read._STRETCH", stretch)
    monkeypatch.setattr("seqdl.data.genome_read._WIDTH", stretch)
    long_header = fasta({f"chrI {'x' * 200}": SEQUENCES["chrI"], "chrII": SEQUENCES["chrII"]}, width=13)
    (tmp_path / "a.fa").write_text(f"; {'comment ' * 20}\n" + long_header)
    (tmp_path / "a.2bit").write_bytes(twobit(SEQUENCES))
    if stretch > 7:
        assert bases(Genome(tmp_path / "a.fa")) == expected({name: SEQUENCES[name] for name in ("chrI", "chrII")})
    assert bases(Genome(tmp_path / "a.2bit")) == expected(SEQUENCES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (twobit(SEQUENCES)[:90], "is a damaged 2bit file"),
        (twobit({}), "2bit file without a sequence"),
        (twobit({"a": "ACGT", "b": ""}), "chromosome 'b' is empty"),
    ],
)
def test_what_is_no_2bit_genome_is_refused_and_leaves_nothing(tmp_path, cache, content, message):
    (tmp_path / "bad.2bit").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        Genome(tmp_path / "bad.2bit")
    assert not list((cache / "genomes").iterdir())


# what is known of a file that was read before -------------------------------------------------------


@pytest.fixture
def settled(monkeypatch):
    """Trust the times of files however young they are."""
    monkeypatch.setattr(genome_cache, "_SETTLED_NS", -1)


def test_a_file_that_was_not_touched_is_not_hashed_again(tmp_path, settled, monkeypatch):
    (tmp_path / "g.fa").write_text(fasta(SEQUENCES))
    first = Genome(tmp_path / "g.fa")
    monkeypatch.setattr(genome_cache, "hash_of", lambda path: pytest.fail("hashed"))
    assert bases(Genome(tmp_path / "g.fa")) == bases(first)
    assert Genome(tmp_path / "g.fa").sha256 == first.sha256


@pytest.mark.parametrize("what", ["size", "time", "bytes-alone"])
def test_a_file_that_was_changed_is_read_again(tmp_path, settled, what):
    path = tmp_path / "g.fa"
    path.write_text(">a\nACGT\n")
    before, times = Genome(path), path.stat()
    path.write_text(">a\nACGTT\n" if what == "size" else ">a\nACGA\n")
    if what != "time":
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a copy that keeps times would
    assert bases(before) == {"a": "ACGT"}
    assert bases(Genome(path)) == {"a": "ACGTT" if what == "size" else "ACGA"}


def test_a_file_that_was_touched_but_not_changed_keeps_its_codes(tmp_path, cache, settled):
    (tmp_path / "g.fa").write_text(">a\nACGT\n")
    before = Genome(tmp_path / "g.fa").sha256
    os.utime(tmp_path / "g.fa", (1, 1))
    assert Genome(tmp_path / "g.fa").sha256 == before
    assert len(list((cache / "genomes").iterdir())) == 1


def test_a_young_file_is_not_trusted_by_its_times(tmp_path, cache):
    (tmp_path / "g.fa").write_text(">a\nACGT\n")
    Genome(tmp_path / "g.fa")
    assert not (cache / "seen").exists()


@pytest.mark.parametrize("damage", ["{", "[]", '{"path": "elsewhere"}'])
def test_a_damaged_note_is_passed_over(tmp_path, cache, settled, damage):
    (tmp_path / "g.fa").write_text(">a\nACGT\n")
    Genome(tmp_path / "g.fa")
    (note,) = (cache / "seen").iterdir()
    note.write_text(damage)
    assert bases(Genome(tmp_path / "g.fa")) == {"a": "ACGT"}


# windows read from the FASTA itself -----------------------------------------------------------------


def random_windows(lengths, *, n, width, seed=0):
    rng = np.random.default_rng(seed)
    chrom = rng.choice([name for name in lengths if lengths[name] >= width], n)
    start = np.array([rng.integers(0, lengths[name] - width + 1) for name in chrom])
    return pd.DataFrame({"chrom": chrom, "start": start, "end": start + width, "strand": rng.choice(["+", "-", "."], n)})


def truth(sequences, table):
    found = [encode(sequences[row.chrom][row.start : row.end]) for row in table.itertuples()]
    return np.stack([reverse_complement(codes) if strand == "-" else codes for codes, strand in zip(found, table["strand"], strict=True)])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("line", [7, 60, 1000])
def test_windows_are_read_from_an_indexed_fasta_without_any_codes(tmp_path, cache, line, end):
    genome = Genome(indexed(tmp_path / "g.fa", fasta(SEQUENCES, line, end)))
    table = random_windows(genome.lengths, n=60, width=50)
    np.testing.assert_array_equal(genome.fetch(table), truth(SEQUENCES, table))
    np.testing.assert_array_equal(genome.one_hot(table), one_hot(truth(SEQUENCES, table)))
    assert not cache.exists()
    assert genome.lengths == {name: len(text) for name, text in SEQUENCES.items()}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_window_of_any_layout_is_read_as_it_stands(tmp_path_factory, data):
    letters = st.text("ACGTUNacgtunRYKMSW", min_size=1, max_size=80)
    sequences = {f"c{i}": text for i, text in enumerate(data.draw(st.lists(letters, min_size=1, max_size=3)))}
    genome = Genome(indexed(tmp_path_factory.mktemp("fai") / "g.fa", fasta(sequences, data.draw(st.integers(1, 30)))))
    assert genome._text is not None
    name = data.draw(st.sampled_from(list(sequences)))
    start = data.draw(st.integers(0, len(sequences[name]) - 1))
    end = data.draw(st.integers(start + 1, len(sequences[name])))
    table = pd.DataFrame({"chrom": [name], "start": [start], "end": [end], "strand": [data.draw(st.sampled_from("+-"))]})
    np.testing.assert_array_equal(genome.fetch(table), truth(sequences, table))


def test_codes_and_text_give_the_same_in_one_thread_and_in_two(tmp_path, monkeypatch):
    path = indexed(tmp_path / "g.fa", fasta(SEQUENCES))
    text, codes = Genome(path), Genome(path)
    codes.flat  # noqa: B018  # makes them
    table = random_windows(text.lengths, n=55, width=60)
    one = text.one_hot(table)
    monkeypatch.setattr(windows, "_WORTH_THREADS", 1)
    for genome in (text, codes):
        np.testing.assert_array_equal(genome.one_hot(table), one)
        np.testing.assert_array_equal(genome.fetch(table), truth(SEQUENCES, table))
    assert text._text is not None
    assert codes._text is None


def test_one_hot_of_a_bed_is_that_of_its_table(tmp_path):
    genome = Genome.from_codes({name: encode(text) for name, text in SEQUENCES.items()})
    table = random_windows(genome.lengths, n=30, width=50)
    named = table.assign(name=".", score=0)[["chrom", "start", "end", "name", "score", "strand"]]
    named.to_csv(tmp_path / "a.bed", sep="\t", header=False, index=False)
    np.testing.assert_array_equal(genome.one_hot(tmp_path / "a.bed"), genome.one_hot(table))
    assert genome.one_hot(table.iloc[:0]).shape == (0, 4, 0)
    with pytest.raises(InputError, match="50 to 51 bp long; expected one length"):
        genome.one_hot(pd.DataFrame({"chrom": ["chrI", "chrI"], "start": [0, 0], "end": [50, 51]}))


def test_what_needs_the_whole_genome_makes_its_codes(tmp_path, cache):
    genome = Genome(indexed(tmp_path / "g.fa", fasta(SEQUENCES)))
    assert not cache.exists()
    assert bases(genome) == expected(SEQUENCES)
    assert len(list((cache / "genomes").iterdir())) == 1
    assert genome.sequence("chrII", 0, 61) == SEQUENCES["chrII"].upper()


def test_many_more_bases_than_the_genome_has_are_not_read_as_text(tmp_path, cache):
    genome = Genome(indexed(tmp_path / "g.fa", fasta(SEQUENCES)))
    table = random_windows(genome.lengths, n=400, width=50)
    np.testing.assert_array_equal(genome.fetch(table), truth(SEQUENCES, table))
    assert (cache / "genomes").exists()


STALE = {
    "another name": lambda text, index: (text, index.replace("chrII\t", "chrX\t")),
    "a record left out": lambda text, index: (text, "".join(index.splitlines(keepends=True)[::2])),
    "the last left out": lambda text, index: (text, "".join(index.splitlines(keepends=True)[:2])),
    "a base more": lambda text, index: (text.replace(">chrII ", "A\n>chrII "), index),
    "another line width": lambda text, index: (text, index.replace("\t60\t61", "\t59\t60")),
    "no numbers": lambda text, index: (text, "chrI\tx\ty\tz\t1\n"),
    "empty": lambda text, index: (text, ""),
    "a name twice": lambda text, index: (text, index.replace("chrII\t", "chrI\t")),
}


@pytest.mark.parametrize("change", list(STALE))
def test_an_index_that_does_not_fit_is_not_used(tmp_path, change):
    path = indexed(tmp_path / "g.fa", fasta(SEQUENCES))
    index = tmp_path / "g.fa.fai"
    text, told = STALE[change](path.read_text(), index.read_text())
    path.write_text(text)
    index.write_text(told)
    assert FastaMap.open(path) is None
    found = bases(Genome(path))
    assert found["chrII"] == SEQUENCES["chrII"].upper()


def test_an_index_older_than_its_file_is_not_used(tmp_path):
    path = indexed(tmp_path / "g.fa", fasta(SEQUENCES))
    os.utime(tmp_path / "g.fa.fai", (1, 1))
    assert FastaMap.open(path) is None


def test_letters_that_are_none_are_named_as_in_any_genome(tmp_path):
    path = indexed(tmp_path / "g.fa", fasta({"a": "ACGT" * 30 + "!" + "ACGT" * 30}))
    with pytest.raises(FormatError, match=r"chromosome 'a': letter '!' at position 121"):
        Genome(path).fetch(pd.DataFrame({"chrom": ["a"], "start": [100], "end": [140]}))


def test_a_mapped_fasta_pickles_by_its_path_and_a_changed_one_is_refused(tmp_path):
    path = indexed(tmp_path / "g.fa", fasta(SEQUENCES))
    genome = Genome(path)
    blob = pickle.dumps(genome)
    assert len(blob) < 1000
    table = random_windows(genome.lengths, n=5, width=50)
    np.testing.assert_array_equal(pickle.loads(blob).fetch(table), truth(SEQUENCES, table))
    time.sleep(0.01)
    path.write_text(fasta(SEQUENCES).replace("chrIII", "chrIV"))
    with pytest.raises(InputError, match="has changed since it was opened"):
        pickle.loads(blob)
    with pytest.raises(InputError, match="has changed since it was opened"):
        genome.codes("chrI")


def test_yeast_as_text_is_yeast_as_codes(shared_data, tmp_path):
    plain = tmp_path / "yeast.fa"
    with gzip.open(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz", "rb") as packed, plain.open("wb") as out:
        shutil.copyfileobj(packed, out)
    codes = Genome(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz")
    indexed(tmp_path / "yeast.fa", plain.read_text())
    text = Genome(plain)
    table = random_windows(codes.lengths, n=2_000, width=500)
    assert text._text is not None
    np.testing.assert_array_equal(text.fetch(table), codes.fetch(table))
    np.testing.assert_array_equal(text.one_hot(table), one_hot(codes.fetch(table)))
