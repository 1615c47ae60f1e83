"""Runs of bases, against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.errors import ShapeError
from seqdl.sequence import runs as module
from seqdl.sequence.runs import Runs, merge

SIZE = 60
intervals = st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(1, 15)), max_size=12)


def dense(starts, ends):
    covered = np.zeros(SIZE + 20, dtype=bool)
    for start, end in zip(starts, ends, strict=True):
        covered[start:end] = True
    return covered


@given(intervals)
def test_merged_runs_cover_what_the_intervals_cover_and_never_touch(pairs):
    starts = np.array([start for start, _ in pairs], dtype=np.int64)
    ends = starts + np.array([length for _, length in pairs], dtype=np.int64)
    runs = merge(starts, ends, value=1)
    assert np.array_equal(dense(runs.starts, runs.ends), dense(starts, ends))
    assert (runs.starts[1:] > runs.ends[:-1]).all()
    assert len(runs.values) == len(runs)


@given(intervals, st.lists(st.integers(-5, SIZE + 5), max_size=8), st.integers(1, 20), st.integers(1, 40))
def test_painted_windows_are_slices_of_the_dense_array(pairs, windows, length, at_once):
    starts = np.array(sorted({start for start, _ in pairs}), dtype=np.int64)
    ends = np.minimum(starts + 3, np.append(starts[1:], SIZE))  # in order, some touch
    values = np.arange(1, len(starts) + 1)
    track = np.zeros(SIZE + 60)
    for start, end, value in zip(starts, ends, values, strict=True):
        track[start + 30 : end + 30] = value
    out = np.zeros((len(windows) + 2, length))
    rows = np.arange(len(windows))[::-1] + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BASES_AT_ONCE", at_once)
        Runs(starts, ends, values).paint(out, rows=rows, starts=np.array(windows, dtype=np.int64))
    for row, start in zip(rows, windows, strict=True):
        assert np.array_equal(out[row], track[start + 30 : start + 30 + length])
    assert not out[0].any()
    assert not out[-1].any()


@pytest.mark.parametrize("out", [np.zeros(5), np.zeros((5, 4)).T])
def test_windows_that_cannot_be_written_in_place_are_refused(out):
    with pytest.raises(ShapeError, match=r"a C-contiguous \(I, L\) was expected"):
        merge(np.array([1]), np.array([2]), value=1).paint(out, rows=np.array([0]), starts=np.array([0]))
