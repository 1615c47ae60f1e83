"""Targets along the genome, against pyBigWig, bioframe and plain loops."""

from __future__ import annotations

import bioframe
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.data import targets as module
from seqdl.data.genome import Genome
from seqdl.data.targets import base_labels, base_profile, binned_counts
from seqdl.errors import InputError, UnknownNameError
from seqdl.io.gff import read_gff
from seqdl.io.signal import open_signal
from seqdl.ledger import Ledger


def table(*rows, names=("chrom", "start", "end", "strand")):
    return pd.DataFrame(rows, columns=list(names)[: len(rows[0]) if rows else 4])


@pytest.fixture
def signal(tmp_path):
    (tmp_path / "a.bedGraph").write_text("chr1\t2\t5\t2\nchr1\t5\t6\t-1\nchr2\t0\t9\t0.5\nchr2\t9\t10\tnan\n")
    return open_signal(tmp_path / "a.bedGraph")


INTERVALS = table(("chr1", 0, 8, "+"), ("chr1", 0, 8, "-"), ("chr2", 4, 12, "."), ("chr3", 0, 8, "-"))


def test_bins_hold_the_sum_of_their_bases_in_the_direction_of_the_strand(signal):
    ledger = Ledger()
    found = binned_counts(signal, INTERVALS, bins=4, ledger=ledger)
    assert found.tolist() == [[0, 4, 1, 0], [0, 1, 4, 0], [1, 1, 0.5, 0], [0, 0, 0, 0]]
    assert found.dtype == np.float32
    assert ledger.notes == [
        f"{signal.name}: 1 of 4 intervals are on chromosomes without a value (chr3); taken as 0",
        f"{signal.name}: 11 of 24 bases have no value (NaN); taken as 0",
    ]


@pytest.mark.parametrize("missing", [0.0, np.nan])
def test_a_profile_has_a_value_a_base_in_the_direction_of_the_strand(signal, missing):
    found = base_profile(signal, INTERVALS, missing=missing, ledger=Ledger())
    expected = np.array([[np.nan, np.nan, 2, 2, 2, -1, np.nan, np.nan]], dtype=np.float32)
    np.testing.assert_array_equal(found[:2], np.nan_to_num(np.vstack([expected, expected[:, ::-1]]), nan=missing))
    assert found[2].tolist()[:5] == [0.5] * 5
    assert np.array_equal(found[3], np.full(8, missing), equal_nan=True)


def test_the_result_does_not_depend_on_how_much_is_read_at_once(signal, monkeypatch):
    ledgers = Ledger(), Ledger()
    whole = binned_counts(signal, INTERVALS, bins=2, ledger=ledgers[0])
    monkeypatch.setattr(module, "_BASES_AT_ONCE", 3)
    assert np.array_equal(binned_counts(signal, INTERVALS, bins=2, ledger=ledgers[1]), whole)
    assert ledgers[0].notes == ledgers[1].notes


@pytest.mark.parametrize("bins", [0, 3, 9])
def test_bins_that_do_not_divide_the_interval_are_refused(signal, bins):
    with pytest.raises(InputError, match=rf"{bins} bins of 8 bp were asked for; a divisor of 8 was expected"):
        binned_counts(signal, INTERVALS, bins=bins)


def test_no_intervals_have_no_targets(signal):
    none = INTERVALS.iloc[:0]
    assert binned_counts(signal, none, bins=4).shape == (0, 4)
    assert base_profile(signal, none).shape == (0, 0)
    assert base_labels(table(("chr1", 0, 8, "+")), none).shape == (0, 0)


def test_counts_of_real_coverage_are_those_of_pybigwig(shared_data):
    pybigwig = pytest.importorskip("pyBigWig")
    path = shared_data / "yeast_atac" / "SRR1822137_coverage_derived.bw"
    rng = np.random.default_rng(0)
    chroms = rng.choice(["chrI", "chrIV", "chrmt"], 60)
    starts = rng.integers(0, 84_000, 60)
    intervals = pd.DataFrame({"chrom": chroms, "start": starts, "end": starts + 1000})
    with pybigwig.open(str(path)) as handle:
        rows = list(zip(chroms.tolist(), starts.tolist(), strict=True))
        expected = [handle.stats(chrom, start, start + 1000, nBins=10, type="sum", exact=True) for chrom, start in rows]
        total = np.array(expected, dtype=float)
    np.testing.assert_allclose(binned_counts(open_signal(path), intervals, bins=10), np.nan_to_num(total), rtol=1e-6)


# labels -----------------------------------------------------------------------------------------------

FEATURES = table(
    ("chr1", 2, 6, "+", "gene"),
    ("chr1", 3, 5, "+", "CDS"),
    ("chr1", 4, 9, "-", "gene"),
    ("chr2", 0, 3, ".", "ARS"),
    names=("chrom", "start", "end", "strand", "feature"),
)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["CDS", "gene"], [0, 0, 2, 1, 1, 2, 2, 2, 2, 0]),
        (["gene", "CDS"], [0, 0, 1, 1, 1, 1, 1, 1, 1, 0]),
        (["CDS"], [0, 0, 0, 1, 1, 0, 0, 0, 0, 0]),
        (None, [0, 0, 3, 2, 2, 3, 3, 3, 3, 0]),
    ],
)
def test_the_class_named_first_has_the_base(classes, expected):
    found = base_labels(FEATURES, table(("chr1", 0, 10, "+"), ("chr1", 0, 10, "-")), classes=classes)
    assert found.dtype == np.uint8
    assert found.tolist() == [expected, expected[::-1]]


def test_only_the_own_strand_counts_if_asked():
    intervals = table(("chr1", 0, 10, "+"), ("chr1", 0, 10, "-"), ("chr1", 0, 10, "."), ("chr2", 0, 10, "-"))
    found = base_labels(FEATURES, intervals, classes=["gene", "ARS"], stranded=True)
    assert found[0].tolist() == found[2].tolist() == [0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    assert found[1].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 0][::-1]
    assert found[3].tolist() == [0] * 7 + [2] * 3


def test_intervals_of_a_bed_are_one_class():
    found = base_labels(FEATURES.drop(columns=["feature", "strand"]), table(("chr2", 0, 5, "+"), ("chr1", 0, 5, "+")))
    assert found.tolist() == [[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]]


spans = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 60), st.integers(1, 25), st.sampled_from("+-."), st.sampled_from(["x", "y", "z"])),
    min_size=1,
    max_size=20,
)
places = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 60), st.sampled_from("+-.")), min_size=1, max_size=6)


@given(spans, places, st.integers(1, 30), st.booleans())
def test_labels_are_those_of_a_loop_over_every_base(features, windows, length, stranded):
    annotation = pd.DataFrame([(c, s, s + n, t, f) for c, s, n, t, f in features], columns=["chrom", "start", "end", "strand", "feature"])
    intervals = pd.DataFrame([(c, s, s + length, t) for c, s, t in windows], columns=["chrom", "start", "end", "strand"])
    if not set(annotation["chrom"]) & set(intervals["chrom"]):
        return
    classes = list(dict.fromkeys(annotation["feature"]))
    found = base_labels(annotation, intervals, classes=classes, stranded=stranded)
    for row, (chrom, start, strand) in zip(found, windows, strict=True):
        forward = row[::-1] if strand == "-" else row
        for i, label in enumerate(forward, start):
            here = [
                classes.index(f) + 1
                for c, s, n, t, f in features
                if c == chrom and s <= i < s + n and (not stranded or t == "." or (t == "-") == (strand == "-"))
            ]
            assert label == min(here, default=0)


def test_bases_in_real_coding_sequence_are_as_many_as_bioframe_counts(shared_data):
    genome = Genome(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz")
    features = read_gff(shared_data / "yeast_genome" / "S_cerevisiae.gff3.gz", features=["CDS", "tRNA_gene"])
    rng = np.random.default_rng(0)
    chroms = rng.choice(list(genome.lengths), 400)
    starts = np.array([rng.integers(0, genome.lengths[chrom] - 500) for chrom in chroms])
    intervals = pd.DataFrame({"chrom": chroms, "start": starts, "end": starts + 500, "strand": rng.choice(["+", "-"], 400)})
    found = base_labels(features, intervals, classes=["CDS", "tRNA_gene"])
    merged = bioframe.merge(features.loc[features["feature"] == "CDS", ["chrom", "start", "end"]])
    expected = bioframe.coverage(intervals, merged)["coverage"].to_numpy()
    assert np.array_equal((found == 1).sum(axis=1), expected)
    assert 0.6 < (found == 1).mean() < 0.8
    assert (found == 2).any()


@pytest.mark.parametrize(
    ("features", "options", "error", "message"),
    [
        (FEATURES, {"classes": ["cds"]}, UnknownNameError, r"no feature named 'cds'.*Available: gene, CDS, ARS"),
        (FEATURES, {"classes": "CDS"}, InputError, r"classes is 'CDS'; a list of different names was expected"),
        (FEATURES, {"classes": ["CDS", "CDS"]}, InputError, r"a list of different names was expected"),
        (FEATURES.drop(columns="feature"), {"classes": ["CDS"]}, InputError, r"have no column feature.*they have chrom, start, end, strand"),
        (FEATURES.drop(columns="strand"), {"stranded": True}, InputError, r"the table of features has no column 'strand'"),
        (FEATURES.assign(chrom="1"), {}, InputError, r"no chromosome in common: features are on 1, intervals on chr1\..*rename_chromosomes"),
        (
            pd.DataFrame({"chrom": "chr1", "start": 0, "end": 1, "feature": [f"f{i}" for i in range(256)]}),
            {},
            InputError,
            r"there are 256 classes; at most 255",
        ),
    ],
)
def test_labels_that_cannot_be_made_are_refused(features, options, error, message):
    with pytest.raises(error, match=message):
        base_labels(features, table(("chr1", 0, 10, "+")), **options)
