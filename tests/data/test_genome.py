from __future__ import annotations

import gzip
import os
import pickle
import shutil
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from seqdl.data.genome import Genome
from seqdl.data.genome_cache import cache_folder
from seqdl.errors import FormatError, InputError, MissingFileError, SeqdlError, UnknownNameError
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import decode, encode

FASTA = ">chrI first\nACGTNacgt\nRYU\n>chrII\nGGGATTACA\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQDL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def write(tmp_path, cache):
    folder = tmp_path / "input"
    folder.mkdir()

    def write(content, name="genome.fa"):
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def bases(genome):
    return {name: decode(genome.codes(name)) for name in genome}


def open_in_another_process(path):
    return Genome(path).sha256


def unpickle_and_fetch(blob):
    return bases(pickle.loads(blob))


@pytest.fixture(scope="module")
def yeast(shared_data):
    return Genome(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz")


@pytest.fixture
def toy():
    rng = np.random.default_rng(0)
    return Genome.from_codes({"a": rng.integers(0, 5, 50, dtype=np.uint8), "b": rng.integers(0, 5, 30, dtype=np.uint8)})


def test_names_are_first_words_and_ambiguity_letters_become_n(write):
    genome = Genome(write(FASTA))
    assert bases(genome) == {"chrI": "ACGTNACGTNNT", "chrII": "GGGATTACA"}
    assert genome.lengths == {"chrI": 12, "chrII": 9}
    assert "chrI" in genome
    assert "1" not in genome


@pytest.mark.parametrize(
    "content",
    [
        FASTA.replace("\n", "\r\n"),
        FASTA.rstrip("\n"),
        FASTA + "\n\n\n",
        FASTA.replace("acgt\n", "acgt  \n\n"),
        FASTA.replace(">chrI ", "> chrI "),
        "; a comment\n" + FASTA,
        gzip.compress(FASTA.encode()),
        gzip.compress(FASTA[:20].encode()) + gzip.compress(FASTA[20:].encode()),  # members in a row, as bgzip writes them
    ],
    ids=["crlf", "no-last-newline", "blank-end", "uneven", "space-before-name", "comment", "gzip", "members"],
)
def test_any_layout_of_the_same_fasta_gives_the_same_bases(write, content):
    assert bases(Genome(write(content))) == {"chrI": "ACGTNACGTNNT", "chrII": "GGGATTACA"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (">a\nACGT\n>a\nGG\n", r"line 3: a second chromosome is called 'a' \(the first: line 1\)"),
        (">a\nMKLVEEPLRQWFILEP\n", "chromosome 'a'.*reads as protein"),
        (">a\nAC!GT\n", "chromosome 'a': letter '!' at position 3"),
        (">a\n>b\nACGT\n", "line 1: chromosome 'a' is empty"),
        (">a\nACGT\n>b\n", "line 3: chromosome 'b' is empty"),
        (">\nACGT\n", "line 1: a chromosome has no name"),
        ("ACGT\n", "line 1: there is text before the first '>'"),
        ("", "holds no FASTA record"),
        (gzip.compress(b">a\n" + os.urandom(999).hex().encode())[:500], "cut short"),
        (bytes(range(256)) * 4, "not text"),
    ],
)
def test_what_is_no_genome_is_refused_and_leaves_nothing_in_the_cache(write, cache, content, message):
    path = write(content)
    with pytest.raises(FormatError, match=message):
        Genome(path)
    assert not list((cache / "genomes").iterdir())


def test_a_missing_file_and_a_folder_are_named(tmp_path, cache):
    with pytest.raises(MissingFileError, match=r"nope\.fa does not exist"):
        Genome(tmp_path / "nope.fa")
    with pytest.raises(FormatError, match="is a folder"):
        Genome(tmp_path)
    assert not cache.exists()


def test_nothing_is_written_beside_the_input(write):
    path = write(gzip.compress(FASTA.encode()), "genome.fa.gz")
    Genome(path)
    assert [p.name for p in path.parent.iterdir()] == ["genome.fa.gz"]


def test_the_cache_goes_by_content_not_by_name(write, cache):
    one, two = Genome(write(FASTA, "one.fa")), Genome(write(FASTA, "two.fa"))
    assert one.sha256 == two.sha256
    assert len(list((cache / "genomes").iterdir())) == 1
    assert Genome(write(FASTA.replace("ATTACA", "ATTACC"), "one.fa")).sequence("chrII", 0, 9) == "GGGATTACC"


@pytest.mark.parametrize("damage", ["cut", "garbled", "missing"])
def test_a_damaged_cache_is_built_anew(write, cache, damage):
    path = write(FASTA)
    Genome(path)
    (folder,) = (cache / "genomes").iterdir()
    if damage == "cut":
        (folder / "codes.u8").write_bytes(b"\0")
    elif damage == "garbled":
        (folder / "index.json").write_text("[1")
    else:
        (folder / "index.json").unlink()
    assert bases(Genome(path))["chrII"] == "GGGATTACA"


def test_a_cache_that_cannot_be_written_says_so(write, tmp_path, monkeypatch):
    path = write(FASTA)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEQDL_CACHE", str(tmp_path / "file"))
    with pytest.raises(SeqdlError, match=r"cannot be written.*Set SEQDL_CACHE"):
        Genome(path)


def test_a_full_disk_says_so_and_leaves_nothing(write, cache, monkeypatch):
    path = write(FASTA)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seqdl.data.genome_cache.write_codes", full)
    with pytest.raises(SeqdlError, match=r"No space left on device.*Free some space"):
        Genome(path)
    assert not list((cache / "genomes").iterdir())


def test_the_users_cache_is_used_where_none_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("SEQDL_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "seqdl"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "seqdl"


def test_the_codes_are_read_only(write):
    with pytest.raises(ValueError, match="read-only"):
        Genome(write(FASTA)).codes("chrI")[0] = 1


def test_two_processes_build_one_cache_at_once(write, cache):
    path = write(FASTA * 1 + ">chrIII\n" + "ACGTTGCA" * 20_000 + "\n")
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        hashes = set(pool.map(open_in_another_process, [path] * 3))
    assert len(hashes) == 1
    assert [p.name for p in (cache / "genomes").iterdir()] == [f"v1-{hashes.pop()}"]


def test_a_genome_pickles_by_its_path(write):
    genome = Genome(write(">long\n" + "ACGT" * 50_000 + "\n"))
    blob = pickle.dumps(genome)
    assert len(blob) < 1000
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(unpickle_and_fetch, blob).result() == bases(genome)


class Fetches(torch.utils.data.Dataset):
    """Intervals read from one genome, which a loader's processes share as they are forked."""

    def __init__(self, genome, table):
        self.genome, self.table = genome, table

    def __len__(self):
        return len(self.table) // 20

    def __getitem__(self, item):
        return self.genome.fetch(self.table[item * 20 : (item + 1) * 20])


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # torch counts the cores
def test_eight_forked_processes_read_the_bytes_of_none(write):
    rng = np.random.default_rng(4)
    chroms = {name: "".join(rng.choice(list("ACGTN"), 30_000, p=[0.245] * 4 + [0.02])) for name in ("chrI", "chrII", "chrIII")}
    genome = Genome(write("".join(f">{name}\n{bases}\n" for name, bases in chroms.items())))
    start = rng.integers(0, 29_900, 8_000)
    table = pd.DataFrame({"chrom": rng.choice(list(chroms), 8_000), "start": start, "end": start + 100, "strand": rng.choice(["+", "-"], 8_000)})
    fetches = Fetches(genome, table)
    read = [
        torch.cat(list(torch.utils.data.DataLoader(fetches, batch_size=None, num_workers=n, multiprocessing_context="fork" if n else None)))
        for n in (0, 8)
    ]
    assert torch.equal(*read)
    truth = [encode(chroms[row.chrom][row.start : row.end]) for row in table.itertuples()]
    expected = np.stack([reverse_complement(codes) if strand == "-" else codes for codes, strand in zip(truth, table["strand"], strict=True)])
    np.testing.assert_array_equal(read[1].numpy(), expected)


def test_a_pickled_genome_whose_file_changed_is_refused(write, cache):
    path = write(FASTA)
    blob = pickle.dumps(Genome(path))
    shutil.rmtree(cache)
    path.write_text(FASTA + ">chrIII\nAC\n")
    with pytest.raises(InputError, match="has changed since it was opened"):
        pickle.loads(blob)


def test_a_genome_in_memory_pickles_whole(toy):
    again = pickle.loads(pickle.dumps(toy))
    assert bases(again) == bases(toy)
    assert again.sha256 == toy.sha256


def test_fetch_reads_both_strands(toy):
    table = pd.DataFrame({"chrom": ["b", "a", "a"], "start": [0, 10, 10], "end": [8, 18, 18], "strand": [".", "+", "-"]})
    found = toy.fetch(table)
    assert (found[0] == toy.codes("b")[:8]).all()
    assert (found[1] == toy.codes("a")[10:18]).all()
    assert (found[2] == reverse_complement(found[1])).all()
    assert decode(found[2]) == toy.sequence("a", 10, 18, strand="-")


def test_fetch_of_nothing_is_empty(toy):
    assert toy.fetch(pd.DataFrame({"chrom": [], "start": [], "end": []})).shape == (0, 0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"chrom": ["a", "a"], "start": [0, 0], "end": [5, 6]}, "5 to 6 bp long; expected one length"),
        ({"chrom": ["a"], "start": [45], "end": [55]}, r"first: a:45-55 \(a is 50 bp\)"),
        ({"chrom": ["a"], "start": [-1], "end": [5]}, "not inside their chromosome"),
        ({"chrom": ["z"], "start": [1], "end": [5]}, "chromosomes the genome does not have: z"),
    ],
)
def test_fetch_refuses_what_it_cannot_give(toy, table, message):
    with pytest.raises(InputError, match=message):
        toy.fetch(pd.DataFrame(table))


def test_an_unknown_chromosome_and_a_bad_range_are_named(toy):
    with pytest.raises(UnknownNameError, match="no chromosome named 'c'"):
        toy.codes("c")
    with pytest.raises(InputError, match="a:5-51 is not inside a"):
        toy.sequence("a", 5, 51)


def test_a_genome_of_nothing_is_refused():
    with pytest.raises(InputError, match="no chromosomes"):
        Genome.from_codes({})


def test_yeast_is_the_genome_its_sizes_say(yeast, shared_data):
    sizes = pd.read_csv(shared_data / "yeast_genome" / "chrom.sizes", sep="\t", header=None, names=["chrom", "size"])
    assert yeast.lengths == dict(zip(sizes["chrom"], sizes["size"], strict=True))


def test_fetch_agrees_with_pyfaidx_on_yeast(yeast, shared_data, tmp_path):
    from pyfaidx import Fasta

    plain = tmp_path / "yeast.fa"
    with gzip.open(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz", "rb") as packed, plain.open("wb") as out:
        shutil.copyfileobj(packed, out)
    plain.chmod(stat.S_IRUSR | stat.S_IWUSR)
    rng = np.random.default_rng(1)
    chrom = rng.choice(list(yeast.lengths), 300)
    start = np.array([rng.integers(0, yeast.lengths[c] - 150) for c in chrom])
    table = pd.DataFrame({"chrom": chrom, "start": start, "end": start + 150, "strand": rng.choice(["+", "-"], 300)})
    found = yeast.fetch(table)
    with Fasta(str(plain), as_raw=False) as oracle:
        for row, codes in zip(table.itertuples(), found, strict=True):
            piece = oracle[row.chrom][row.start : row.end]
            assert (encode((-piece if row.strand == "-" else piece).seq) == codes).all()
