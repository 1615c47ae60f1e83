from __future__ import annotations

import bioframe
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.data.intervals import check_intervals, clip_to_genome, overlaps, resize
from seqdl.errors import InputError
from seqdl.ledger import Ledger

LENGTHS = {"chrI": 1000, "chrM": 100}


def table(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end"]).assign(name=[f"p{i}" for i in range(len(rows))])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("chr1", 0, 5)], r"peaks\.bed: 1 of 1 intervals.*does not have: chr1\. The genome has chrI, chrM\..*--rename-chromosomes"),
        ([("chrI", 0, 5), ("chrM", 90, 101)], r"1 of 2 intervals.*first: chrM:90-101 \(chrM is 100 bp\)"),
        ([("chrI", 5, 5)], r"have no length; first: chrI:5-5"),
        ([("chrI", -3, 5)], r"first: chrI:-3-5"),
    ],
)
def test_what_the_genome_cannot_hold_is_named_with_both_sides(rows, message):
    with pytest.raises(InputError, match=message):
        check_intervals(table(*rows), LENGTHS, source="peaks.bed")


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="lacks the column start, end; it has chrom"):
        check_intervals(pd.DataFrame({"chrom": ["chrI"]}), LENGTHS)


def test_good_and_empty_tables_pass():
    check_intervals(table(("chrI", 0, 1000), ("chrM", 99, 100)), LENGTHS)
    check_intervals(table(), LENGTHS)


@pytest.mark.parametrize(
    ("start", "end", "width", "expected"), [(100, 101, 20, (90, 110)), (100, 200, 50, (125, 175)), (10, 13, 3, (10, 13)), (7, 8, 1, (7, 8))]
)
def test_resizing_keeps_the_midpoint(start, end, width, expected):
    found = resize(table(("chrI", start, end)), width)
    assert (found["start"][0], found["end"][0]) == expected


def test_resizing_twice_is_resizing_once():
    peaks = table(("chrI", 100, 157), ("chrI", 3, 9))
    pd.testing.assert_frame_equal(resize(resize(peaks, 40), 40), resize(peaks, 40))


def test_the_summit_is_taken_where_it_is_asked_for():
    peaks = table(("chrI", 100, 200)).assign(summit=180)
    assert resize(peaks, 20, center="summit")["start"][0] == 170
    assert resize(peaks, 20)["start"][0] == 140
    with pytest.raises(InputError, match="have no summit"):
        resize(table(("chrI", 100, 200)), 20, center="summit")


@pytest.mark.parametrize(("width", "center", "message"), [(0, "midpoint", "width is 0 bp"), (5, "middle", "no centre is called 'middle'")])
def test_a_bad_width_or_centre_is_refused(width, center, message):
    with pytest.raises(InputError, match=message):
        resize(table(("chrI", 100, 200)), width, center=center)


def test_what_leaves_its_chromosome_goes_to_the_ledger():
    ledger = Ledger()
    peaks = resize(table(("chrI", 5, 6), ("chrI", 500, 501), ("chrM", 99, 100)), 40)
    kept = clip_to_genome(peaks, LENGTHS, ledger, source="peaks.bed")
    assert kept["name"].tolist() == ["p1"]
    assert kept.index.tolist() == [0]
    assert ledger.table()[["id", "chrom", "start", "end", "source"]].to_numpy().tolist() == [
        ["p0", "chrI", -15, 25, "peaks.bed"],
        ["p2", "chrM", 79, 119, "peaks.bed"],
    ]
    assert ledger.counts() == {"reaches past the chromosome end after resizing": 2}


def test_intervals_without_names_go_to_the_ledger_by_place():
    ledger = Ledger()
    clip_to_genome(pd.DataFrame({"chrom": ["chrM"], "start": [90], "end": [110]}), LENGTHS, ledger)
    assert ledger.rows[0]["id"] == "chrM:90-110"


intervals = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.integers(1, 25)), max_size=25)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # within bioframe
@given(intervals, intervals)
def test_overlaps_agree_with_bioframe(one, two):
    a, b = (pd.DataFrame([(c, s, s + w) for c, s, w in rows], columns=["chrom", "start", "end"]).astype({"chrom": object}) for rows in (one, two))
    found = overlaps(a, b)
    if len(a) and len(b):
        counts = bioframe.count_overlaps(a, b)["count"].to_numpy()
        assert (found == (counts > 0)).all()
    else:
        assert not found.any()


def test_overlaps_of_tables_with_any_index_follow_the_rows():
    a = table(("chrI", 0, 10), ("chrI", 50, 60), ("chrI", 9, 12)).set_index(np.array([7, 7, 3]))
    assert overlaps(a, table(("chrI", 10, 11))).tolist() == [False, False, True]
