"""Large arrays in files without a name."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from seqdl.io import cache
from seqdl.io.cache import roomy_array, take_rows


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "LARGE", 1 << 12)
    monkeypatch.setenv("SEQDL_CACHE", str(tmp_path / "cache"))


def mapped(folder):
    """Return how many maps of this process lie in a folder."""
    return sum(str(folder) in line for line in Path("/proc/self/maps").read_text().splitlines())


linux = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="maps are listed on Linux alone")


@linux
def test_a_large_array_lies_in_a_file_that_no_folder_lists_and_a_small_one_does_not(tmp_path):
    small, large = roomy_array((100,), np.uint8), roomy_array((100, 100), np.int64)
    large[:] = np.arange(10_000).reshape(100, 100)
    assert mapped(tmp_path) == 1
    assert not list((tmp_path / "cache" / "scratch").iterdir())
    assert (small.shape, large.shape, large.dtype) == ((100,), (100, 100), np.int64)
    assert large[7, 3] == 703
    assert large.flags.writeable
    view = large[5:6]
    del large
    gc.collect()
    assert view[0, 0] == 500
    del view
    gc.collect()
    assert mapped(tmp_path) == 0


@linux
def test_a_forked_process_sees_the_same_bytes():
    large = roomy_array((1 << 14,), np.uint8)
    large[:] = 7
    child = os.fork()
    if not child:
        os._exit(0 if (large == 7).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("cause", ["full", "no-folder"])
def test_an_array_is_in_memory_where_the_folder_cannot_take_it(monkeypatch, tmp_path, cause):
    def full(*_):
        raise OSError(28, "No space left on device")

    if cause == "full":
        monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    else:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SEQDL_CACHE", str(tmp_path / "file"))
    found = roomy_array((1 << 14,), np.uint8)
    found[:] = 3
    assert found.sum() == 3 << 14
    if Path("/proc/self/maps").exists():
        assert mapped(tmp_path) == 0


@pytest.mark.parametrize("at_once", [1, 1 << 26])
def test_rows_are_those_of_an_index(monkeypatch, at_once):
    monkeypatch.setattr(cache, "_ROWS_AT_ONCE", at_once)
    array = np.random.default_rng(0).integers(0, 9, (50, 200), dtype=np.uint8)
    rows, mask = np.array([4, 1, 1, 49]), np.arange(50) % 3 == 0
    np.testing.assert_array_equal(take_rows(array, rows), array[rows])
    np.testing.assert_array_equal(take_rows(array, mask), array[mask])
    assert take_rows(array, np.array([], dtype=int)).shape == (0, 200)
