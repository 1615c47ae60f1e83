from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from Bio import motifs as bio

from seqdl.errors import FormatError, InputError, MissingFileError, OutputExistsError
from seqdl.io.motifs import motif_format, parse_alignment, read_meme, read_motifs, write_jaspar, write_meme, write_transfac
from seqdl.motif.motif import Motif

MEME = """MEME version 4.12

ALPHABET= ACGT

strands: + -

Background letter frequencies (from somewhere):
 A 0.3 C 0.2
 G 0.2 T 0.3

MOTIF YBR049C_1072 REB1

log-odds matrix: alength= 4 w= 2 E= 0
 -100 50 50 50
 10 20 30 40

letter-probability matrix: alength= 4 w= 2 nsites= 33 E= 0.0e+000

 0.5 0.25 0.125 0.125
 0 0 0.0 1.000
URL http://example.org/?a=MOTIF

MOTIF only_id
letter-probability matrix: alength= 4 nsites= 0
0.25 0.25 0.25 0.25
1 0 0 0
.5 .5 0 0
"""
JASPAR = ">MA0001.1\tAGL3\nA  [ 0  3 79 ]\nC  [94 75  4 ]\nG  [ 1  0  3 ]\nT  [ 2 19 11 ]\n>MA0002.1 RUNX1\nA [10 1]\nC [2 1]\nG [3 1]\nT [4 1]\n"
BARE = ">m1 one\n0 3 79 1 1\n94 75 4 1 1\n1 0 3 1 1\n2 19 11 1 1\n"
COLUMNS = "# comment\n>MA0206.1_abd-A\n0.1\t0.2\t0.3\t0.4\n1 0 0 0\n>plain\n4.0 16.0 0.0 0.0\n19 0 1 0\n0 20 0 0\n"
TRANSFAC = "AC MA0001.3\nXX\nID AGL3\nXX\nPO\tA\tC\tG\tT\n01\t0.0\t92.0\t0.0\t3.0\n02\t0\t79\t0\t16\nXX\n//\nAC x\nP0 A C G T\n1 1 2 3 4 N\n//\n"


@pytest.fixture
def some_motifs() -> list[Motif]:
    rng = np.random.default_rng(0)
    motifs = [Motif(f"m{w}", rng.integers(1, 50, (4, w)).astype(float), alt_name="TF" if w % 2 else "", n_sites=30 + w) for w in range(1, 15)]
    return [Motif(m.name, m.ppm, alt_name=m.alt_name, n_sites=m.n_sites) for m in motifs]


def write(tmp_path, text, name="motifs.txt"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_meme_keeps_names_sites_and_an_indented_background(tmp_path):
    first, second = read_meme(write(tmp_path, MEME))
    assert (first.name, first.alt_name, first.n_sites, first.width) == ("YBR049C_1072", "REB1", 33, 2)
    assert first.background == pytest.approx((0.3, 0.2, 0.2, 0.3))
    np.testing.assert_allclose(first.pfm, [[0.5, 0], [0.25, 0], [0.125, 0], [0.125, 1]])
    assert (second.label, second.n_sites, second.width) == ("only_id", 20, 3)


@pytest.mark.parametrize(
    ("text", "kind", "names", "widths"),
    [
        (MEME, "meme", ["YBR049C_1072 REB1", "only_id"], [2, 3]),
        (JASPAR, "jaspar", ["MA0001.1 AGL3", "MA0002.1 RUNX1"], [3, 2]),
        (BARE, "pfm", ["m1 one"], [5]),
        (COLUMNS, "pfm", ["MA0206.1 abd-A", "plain"], [2, 3]),
        (TRANSFAC, "transfac", ["MA0001.3 AGL3", "x"], [2, 1]),
    ],
)
@pytest.mark.parametrize("wrap", ["plain", "gzip", "crlf"])
def test_every_format_is_told_by_its_content(tmp_path, text, kind, names, widths, wrap):
    assert motif_format(text.splitlines()) == kind
    path = tmp_path / "motifs"
    data = (text.replace("\n", "\r\n") if wrap == "crlf" else text).encode()
    path.write_bytes(gzip.compress(data) if wrap == "gzip" else data)
    motifs = read_motifs(path)
    assert [motif.label for motif in motifs] == names
    assert [motif.width for motif in motifs] == widths


def test_transfac_of_jaspar_tells_the_families_of_a_factor(tmp_path):
    path = tmp_path / "m.transfac"
    path.write_text(TRANSFAC.replace("XX\n//", "XX\nCC tf_class:Basic leucine zippers\nCC tf_family:Fos-related; Jun-related\nXX\n//"))
    assert [motif.families for motif in read_motifs(path)] == [("Fos-related", "Jun-related"), ()]


@pytest.mark.parametrize(("text", "form"), [(JASPAR, "jaspar"), (TRANSFAC, "transfac")])
def test_counts_are_those_of_biopython(tmp_path, text, form):
    reference = bio.parse(io.StringIO(text), form, **({"strict": False} if form == "transfac" else {}))
    for motif, expected in zip(read_motifs(write(tmp_path, text)), reference, strict=True):
        np.testing.assert_array_equal(motif.pfm, [expected.counts[base] for base in "ACGT"])


@pytest.mark.parametrize("transposed", [False, True])
def test_a_four_by_four_matrix_is_read_along_its_equal_sums(tmp_path, transposed):
    counts = np.array([[9, 0, 1, 2], [1, 10, 3, 2], [0, 0, 3, 4], [0, 0, 3, 2]])  # columns sum to 10
    rows = counts.T if transposed else counts
    text = ">m\n" + "\n".join(" ".join(map(str, row)) for row in rows) + "\n"
    np.testing.assert_array_equal(read_motifs(write(tmp_path, text))[0].pfm, counts)


@pytest.mark.parametrize("writer", [write_meme, write_jaspar, write_transfac])
def test_what_is_written_is_read_again(tmp_path, some_motifs, writer):
    path = tmp_path / "out.txt"
    writer(path, some_motifs)
    again = read_motifs(path)
    assert [motif.name for motif in again] == [motif.name for motif in some_motifs]
    assert [motif.alt_name for motif in again] == [motif.alt_name for motif in some_motifs]
    for motif, read in zip(some_motifs, again, strict=True):
        np.testing.assert_allclose(read.ppm, motif.ppm, atol=1e-6)
        assert read.n_sites == pytest.approx(motif.n_sites, rel=1e-5)


@pytest.mark.parametrize(("writer", "form"), [(write_meme, "minimal"), (write_jaspar, "jaspar"), (write_transfac, "transfac")])
def test_what_is_written_is_read_by_biopython(tmp_path, some_motifs, writer, form):
    path = tmp_path / "out.txt"
    writer(path, some_motifs)
    with path.open() as stream:
        read = bio.parse(stream, form)
    assert [motif.length for motif in read] == [motif.width for motif in some_motifs]
    for motif, other in zip(some_motifs, read, strict=True):
        counts = np.array([other.counts[base] for base in "ACGT"], dtype=float)
        np.testing.assert_allclose(
            counts / counts.sum(0), motif.ppm, atol=2e-2 if form == "minimal" else 1e-5
        )  # Biopython rounds MEME to whole counts


def test_the_background_is_written_where_all_motifs_share_it(tmp_path):
    skewed = Motif("a", np.ones((4, 2)), background=(0.3, 0.2, 0.2, 0.3))
    write_meme(tmp_path / "one.meme", [skewed])
    assert read_meme(tmp_path / "one.meme")[0].background == pytest.approx((0.3, 0.2, 0.2, 0.3))
    write_meme(tmp_path / "two.meme", [skewed, Motif("b", np.ones((4, 2)))])
    assert read_meme(tmp_path / "two.meme")[0].background == (0.25,) * 4


def test_blanks_in_names_do_not_break_a_file(tmp_path):
    write_meme(tmp_path / "m.meme", [Motif("my motif", np.ones((4, 2)), alt_name="T F")])
    assert read_meme(tmp_path / "m.meme")[0].label == "my_motif T_F"
    with pytest.raises(InputError, match="empty name"):
        write_meme(tmp_path / "n.meme", [Motif(" ", np.ones((4, 2)))])
    assert not (tmp_path / "n.meme").exists()


@pytest.mark.parametrize("writer", [write_meme, write_jaspar, write_transfac])
def test_an_existing_file_is_kept_without_force(tmp_path, some_motifs, writer):
    path = write(tmp_path, "precious")
    with pytest.raises(OutputExistsError, match=r"motifs\.txt"):
        writer(path, some_motifs)
    assert path.read_text() == "precious"
    writer(path, some_motifs, force=True)
    assert len(read_motifs(path)) == len(some_motifs)


def test_rna_motifs_are_read_as_dna(tmp_path):
    motif = read_meme(write(tmp_path, "MEME version 4\nALPHABET= ACGU\nMOTIF r\nletter-probability matrix: alength= 4 w= 1\n0 0 0 1\n"))[0]
    assert motif.consensus == "T"


HEAD = "MEME version 4\n\nALPHABET= ACGT\n\n"
MATRIX = "letter-probability matrix: alength= 4 w= 2 nsites= 5\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"motifs\.txt: the file is empty; expected MEME, JASPAR"),
        ("hello\nworld\n", r"not a motif file; it begins 'hello'"),
        (">s1\nACGTACGT\n", r"holds sequences \(FASTA\), not motifs"),
        (HEAD, "MEME file without motifs"),
        (HEAD + "MOTIF\n", r"line 5: MOTIF without a name"),
        (HEAD + "MOTIF a\nMOTIF b\n", r"line 6: motif 'a' has no letter-probability matrix"),
        (HEAD + "MOTIF a\n", r"line 5: motif 'a' has no letter-probability matrix"),
        (HEAD + MATRIX, "line 5: a letter-probability matrix without a MOTIF line"),
        (HEAD + "MOTIF a\n" + MATRIX + "1 0 0 0\n", r"line 7: motif 'a' ends after 1 of 2 rows"),
        (HEAD + "MOTIF a\n" + MATRIX + "1 0 0 0\n1 0 0\n", r"line 8: motif 'a', row 2 of 2, reads '1 0 0'; expected four"),
        (HEAD + "MOTIF a\n" + MATRIX + "1 0 0 0\n1 0 0 x\n", r"line 8: .*expected four probabilities"),
        (HEAD + "MOTIF a\n" + MATRIX + "9 0 0 0\n", r"line 7: .*sums to 9; expected 1"),
        (HEAD + "MOTIF a\nletter-probability matrix: alength= 20 w= 2\n", r"alength= 20; expected 4"),
        (HEAD + "MOTIF a\nletter-probability matrix: alength= 4 w= two\n", r"line 6: .*does not hold numbers"),
        ("MEME version 4\nALPHABET= ACDEFGHIKLMNPQRSTVWY\n", r"line 2: the alphabet is 'ACDE"),
        (HEAD + "Background letter frequencies\nA 0.3 C x G 0.2 T 0.3\n", "line 6: the background reads 'A 0.3 C x"),
        (HEAD + "Background letter frequencies\nA 1 C 0 G 0 T 0\n", "background holds 0; expected four positive"),
        (">m\nA [1 2]\nG [1 2]\n", r"line 3: the row of G is row 2; expected the rows A C G T"),
        (">m\nA [1 2]\nC [1 2]\nG [1 2]\n", r"line 1: motif 'm' has 3 rows of 2 numbers; expected 4 rows"),
        (">m\nA [1 2]\nC [1 2]\nG [1 2]\nT [1]\n", r"motif 'm' has 4 rows of 1, 2 numbers"),
        (">m\n1 2 3 4\n1 2 3\n", r"line 1: motif 'm' has 2 rows of 3, 4 numbers; expected rows of 4 columns"),
        (">m\n1 2 3 4\nx\n", r"line 3: 'x' is not a row of numbers"),
        (">m\n1 2 3 4\n0 0 0 0\n", r"line 1: position 2 of motif 'm' holds no counts"),
        (">\n1 2 3 4\n", r"line 1: a motif without a name"),
        ("AC m\nP0 A C G T\n//\n", r"line 3: the motif from line 1 on has no rows"),
        ("AC m\nP0 A C G T\n01 1 2 x 4\n//\n", r"line 3: '01 1 2 x 4' is not a row of TRANSFAC"),
        ("P0 A C G T\n01 1 2 3 4\n//\n", r"line 1: a motif without AC, NA or ID"),
    ],
)
def test_a_broken_file_is_refused_with_file_and_line(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read_motifs(write(tmp_path, text))


def test_reading_meme_refuses_other_formats(tmp_path):
    with pytest.raises(FormatError, match="no line 'MEME version"):
        read_meme(write(tmp_path, JASPAR))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="nowhere"):
        read_motifs(tmp_path / "nowhere.meme")


def test_aligned_sequences_make_a_motif():
    motif = parse_alignment([">a\n", "AC\n", "GT\n", ">b x\n", "acgn\n", "\n"], "folder/sites.fa.gz")
    assert (motif.name, motif.consensus, motif.n_sites) == ("sites", "ACGT", 2)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([">a", "ACG", ">b", "AC"], r"x\.fa, line 3: this sequence has 2 bases, the first 3"),
        ([">a", ">b", "AC"], r"line 1: this sequence has 0 bases"),
        ([">a", "MKLV!"], r"x\.fa, line 1"),
    ],
)
def test_sequences_that_are_not_aligned_are_refused(lines, message):
    with pytest.raises(FormatError, match=message):
        parse_alignment(lines, "x.fa")
