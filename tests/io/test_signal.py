"""Signals, against pybigwig."""

from __future__ import annotations

import gzip
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

from seqdl.errors import FormatError, InputError, MissingFileError
from seqdl.io.signal import BedGraph, BigWig, check_signal, common_width, open_signal
from seqdl.ledger import Ledger

pybigwig = pytest.importorskip("pyBigWig")

LENGTHS = {"chr1": 3000, "chr2": 500}
ROWS = [("chr1", 10, 20, 1.5), ("chr1", 20, 21, -2.0), ("chr1", 2990, 3000, 7.0), ("chr2", 0, 500, 0.25)]


def windows(*rows, width=30):
    return pd.DataFrame([(chrom, start, start + width) for chrom, start in rows], columns=["chrom", "start", "end"])


def write_bigwig(path, lengths=LENGTHS, rows=ROWS, zooms=10):
    with pybigwig.open(str(path), "w") as handle:
        handle.addHeader(list(lengths.items()), maxZooms=zooms)
        for chrom, start, end, value in rows:
            handle.addEntries([chrom], [start], ends=[end], values=[value])
    return path


@pytest.fixture
def bigwig(tmp_path):
    return write_bigwig(tmp_path / "a.bw")


@pytest.fixture
def bedgraph(tmp_path):
    path = tmp_path / "a.bedGraph.gz"
    path.write_bytes(gzip.compress("".join(f"{c}\t{s}\t{e}\t{v}\n" for c, s, e, v in ROWS).encode()))
    return path


def reference(path, intervals):
    with pybigwig.open(str(path)) as handle:
        rows = zip(intervals["chrom"], intervals["start"], intervals["end"], strict=True)
        return np.array([handle.values(chrom, int(start), int(end), numpy=True) for chrom, start, end in rows], dtype=np.float32)


@pytest.mark.parametrize("width", [1, 30, 500])
def test_bigwig_and_bedgraph_give_the_values_of_pybigwig(bigwig, bedgraph, width):
    rng = np.random.default_rng(0)
    chroms = rng.choice(list(LENGTHS), 200)
    intervals = windows(*((chrom, int(rng.integers(0, LENGTHS[chrom] - width + 1))) for chrom in chroms), width=width)
    expected = reference(bigwig, intervals)
    for path in (bigwig, bedgraph):
        found = open_signal(path).values(intervals)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)


def test_real_coverage_is_the_same_as_bigwig_and_as_bedgraph(shared_data):
    stem = shared_data / "yeast_atac" / "SRR1822137_coverage_derived"
    wig, graph = open_signal(f"{stem}.bw"), open_signal(f"{stem}.bedGraph.gz")
    assert (type(wig), type(graph)) == (BigWig, BedGraph)
    assert wig.lengths["chrIV"] == 1_531_933
    rng = np.random.default_rng(1)
    chroms = rng.choice(list(wig.lengths), 300)
    intervals = windows(*((chrom, int(rng.integers(0, graph.lengths[chrom] - 1000))) for chrom in chroms), width=1000)
    found = wig.values(intervals)
    np.testing.assert_array_equal(found, graph.values(intervals))
    np.testing.assert_array_equal(found, reference(f"{stem}.bw", intervals))
    assert 0.2 < np.isnan(found).mean() < 0.5
    check_signal(wig, _sizes(shared_data))
    check_signal(graph, _sizes(shared_data))


def _sizes(shared_data):
    lines = (shared_data / "yeast_genome" / "chrom.sizes").read_text().split()
    return dict(zip(lines[::2], map(int, lines[1::2]), strict=True))


@pytest.mark.parametrize("file", ["bigwig", "bedgraph"])
def test_bases_and_chromosomes_without_a_value_are_said_aloud_with_their_counts(file, request):
    signal = open_signal(request.getfixturevalue(file))
    ledger = Ledger()
    intervals = windows(("chr1", 0), ("chrM", 0), ("chr2", 0))
    found = signal.values(intervals, missing=0, ledger=ledger)
    assert (found[0].sum(), found[1].sum(), found[2].sum()) == (13.0, 0.0, 7.5)
    assert ledger.notes == [
        f"{signal.name}: 1 of 3 intervals are on chromosomes without a value (chrM); taken as 0",
        f"{signal.name}: 19 of 60 bases have no value (NaN); taken as 0",
    ]
    assert np.isnan(signal.values(intervals, ledger=ledger)[1]).all()
    with pytest.warns(UserWarning, match=r"1 of 3 intervals are on chromosomes without a value \(chrM\); taken as nan"):
        signal.values(intervals)


def test_full_intervals_leave_no_note_and_no_warning(bigwig):
    ledger = Ledger()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_signal(bigwig).values(windows(("chr2", 7)), ledger=ledger)
        open_signal(bigwig).values(windows(("chr2", 7)))
    assert ledger.notes == []


def test_no_intervals_have_no_values(bigwig):
    assert open_signal(bigwig).values(windows()).shape == (0, 0)


@pytest.mark.parametrize("file", ["bigwig", "bedgraph"])
def test_a_signal_pickles_and_holds_no_open_file(file, request, tmp_path, monkeypatch):
    signal = open_signal(request.getfixturevalue(file))
    copy = pickle.loads(pickle.dumps(signal))
    monkeypatch.chdir(tmp_path.parent)
    np.testing.assert_array_equal(copy.values(windows(("chr1", 5))), signal.values(windows(("chr1", 5))))
    assert copy.lengths == signal.lengths
    assert "2 chromosomes" in repr(copy)


def test_a_relative_path_is_found_after_the_folder_changed(bigwig, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    signal = open_signal("a.bw")
    monkeypatch.chdir(tmp_path.parent)
    assert signal.values(windows(("chr2", 5))).sum() == 7.5


@pytest.mark.parametrize(
    ("intervals", "message"),
    [
        (windows(("1", 0), ("2", 0)), r"no value on the chromosomes of the intervals, 1, 2\. It has chr1, chr2\. .*rename_chromosomes"),
        (windows(("chr1", 0), ("chr2", 480)), r"1 of 2 intervals are not inside.*first: chr2:480-510 \(500 bp\).*same genome build"),
        (windows(("chr1", -1)), r"first: chr1:-1-29"),
        (pd.DataFrame({"chrom": "chr1", "start": [0, 0], "end": [5, 6]}), r"5 to 6 bp long; one length.*seqdl\.resize"),
        (windows(("chr1", 0), width=0), r"0 to 0 bp long"),
        (pd.DataFrame({"chrom": ["chr1"], "begin": [0]}), r"has no column 'start'\. Its columns are: chrom, begin"),
    ],
)
def test_intervals_that_do_not_fit_the_signal_are_refused(bigwig, intervals, message):
    with pytest.raises(InputError, match=message):
        open_signal(bigwig).values(intervals)


def test_a_bedgraph_says_nothing_of_where_a_chromosome_ends(bedgraph):
    assert np.isnan(open_signal(bedgraph).values(windows(("chr2", 490)))).sum() == 20


def test_common_width_of_nothing_is_zero():
    assert common_width(windows()) == 0


# files that are wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("zooms", [0, 10])
def test_a_bigwig_cut_anywhere_is_refused_or_still_gives_its_values(tmp_path, zooms):
    rng = np.random.default_rng(0)
    rows = [("chr1", 2 * i, 2 * i + 1, float(value)) for i, value in enumerate(rng.normal(size=1400))]
    whole = write_bigwig(tmp_path / "whole.bw", rows=rows, zooms=zooms).read_bytes()
    intervals = windows(*(("chr1", start) for start in range(0, 2900, 100)), width=100)
    expected = open_signal(tmp_path / "whole.bw").values(intervals)
    cut = tmp_path / "cut.bw"
    refused = []
    for size in [*range(4, 700, 12), *range(700, len(whole), 500), *range(len(whole) - 60, len(whole))]:
        cut.write_bytes(whole[:size])
        try:
            found = open_signal(cut).values(intervals)
        except FormatError as error:
            refused.append(str(error))
        else:
            np.testing.assert_array_equal(found, expected)
    assert len(refused) > 60
    assert all("cut short" in message for message in refused)


def test_a_damaged_bigwig_is_refused(tmp_path, bigwig):
    raw = bytearray(bigwig.read_bytes())
    with pybigwig.open(str(bigwig)) as handle:
        assert handle.isBigWig()
    data = int.from_bytes(raw[16:24], "little") + 8
    raw[data : data + 20] = bytes(20)
    bigwig.write_bytes(raw)
    with pytest.raises(FormatError, match=r"a\.bw is damaged or cut short.*A whole bigWig was expected"):
        open_signal(bigwig).values(windows(("chr1", 0)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xeb\xf2\x89\x87" + bytes(100), r"is a bigBed, which holds intervals.*Convert it to BED"),
        (gzip.compress(b"\x26\xfc\x8f\x88" + bytes(100)), r"is a bigWig in gzip.*Unpack it first"),
        (b"\x26\xfc\x8f\x88", r"is cut short: it has 4 bytes"),
        (b"\x89HDF\r\n", r"is not text: it is an HDF5 file"),
        (b"", r"holds no value"),
        (b"##gff-version 3\nchrI\tSGD\tgene\t1\t9\t.\t.\t.\tID=x\n", r"line 2: 9 columns"),
    ],
    ids=["bigBed", "gzip", "head only", "HDF5", "empty", "GFF"],
)
def test_what_is_no_signal_is_refused_with_its_name(tmp_path, content, message):
    (tmp_path / "x.bw").write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.bw.*" + message):
        open_signal(tmp_path / "x.bw")


def test_a_missing_signal_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"there is no file .*nothing\.bw"):
        open_signal(tmp_path / "nothing.bw")


# of the genome? ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ({"chr1": 3000, "chr2": 499}, r"a\.bw is of another genome: 1 of 2 chromosomes do not fit; first: chr2 is 500 bp there and is 499 bp"),
        ({"chr1": 3001, "chr2": 500}, r"first: chr1 is 3,000 bp there and is 3,001 bp in the genome"),
        ({"1": 3000, "2": 500}, r"no chromosome in common: the signal has chr1, chr2, the genome 1, 2"),
    ],
)
def test_a_bigwig_of_another_genome_is_refused(bigwig, lengths, message):
    with pytest.raises(InputError, match=message):
        check_signal(open_signal(bigwig), lengths)


def test_a_bedgraph_may_end_before_the_chromosome_but_not_after_it(bedgraph):
    check_signal(open_signal(bedgraph), {"chr1": 4000, "chr2": 500})
    with pytest.raises(InputError, match=r"first: chr2 has values up to 500 bp there and is 400 bp in the genome"):
        check_signal(open_signal(bedgraph), {"chr1": 4000, "chr2": 400})


def test_chromosomes_that_only_one_side_has_are_noted(bigwig):
    ledger = Ledger()
    signal = open_signal(bigwig)
    check_signal(signal, LENGTHS, ledger=ledger)
    assert ledger.notes == []
    check_signal(signal, {"chr1": 3000, "chrM": 70}, ledger=ledger)
    assert ledger.notes == [
        f"{bigwig}: 1 of 2 chromosomes have no value: chrM",
        f"{bigwig}: 1 chromosomes are not in the genome and are not used: chr2",
    ]
