from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.data.matching import Pick, match_windows


def match(wanted, offered, *, width=10, taken=(), seed=0, places=None):
    places = np.arange(len(offered)) if places is None else np.asarray(places)
    return match_windows(np.asarray(wanted), places, np.asarray(offered), width=width, taken=list(taken), rng=np.random.default_rng(seed))


@settings(deadline=None)
@given(st.lists(st.integers(0, 10), min_size=1, max_size=30), st.lists(st.integers(0, 10), min_size=1, max_size=300), st.integers(0, 99))
def test_every_window_is_chosen_once_and_only_for_want_of_places_is_any_missing(wanted, offered, seed):
    found = match(wanted, offered, seed=seed)
    chosen = found[found >= 0]
    assert len(set(chosen.tolist())) == len(chosen) == min(len(wanted), len(offered))


def test_equal_windows_apart_are_taken_where_there_are_any():
    rng = np.random.default_rng(0)
    offered = rng.integers(0, 3, 5_000)
    wanted = rng.integers(0, 3, 60)
    found = match(wanted, offered)
    assert (offered[found] == wanted).all()
    assert np.diff(np.sort(found)).min() >= 10


def test_a_rare_number_is_served_before_a_common_one_takes_its_room():
    offered = np.zeros(400, dtype=int)
    offered[200] = 7
    for seed in range(20):
        found = match([0] * 15 + [7], offered, seed=seed)
        assert found[-1] == 200
        assert np.diff(np.sort(found)).min() >= 10


def test_windows_overlap_rather_than_match_badly():
    offered = np.r_[np.full(25, 50), np.full(400, 0)]
    found = match([50] * 6, offered, width=10)
    assert (offered[found] == 50).all()


def test_a_window_of_another_width_keeps_its_room():
    for seed in range(20):
        (found,) = match([0], np.zeros(40, dtype=int), taken=[Pick(12, 35)], seed=seed)
        assert found <= 2 or found >= 35


def test_deviations_do_not_add_up():
    offered = np.where(np.arange(40_000) % 2, 49, 51)
    found = match([50] * 400, offered, width=100)
    assert abs(offered[found].mean() - 50) < 0.2


def test_without_a_place_nothing_is_found():
    assert match([1, 2], []).tolist() == [-1, -1]
