"""Motifs that look alike, over one network and over several."""

from dataclasses import replace

import numpy as np
import pytest

from seqdl.interpret.families import families_of, merged, recurrence
from seqdl.motif.motif import Motif


@pytest.fixture
def motifs():
    rng = np.random.default_rng(0)
    return [Motif(f"m{k}", rng.dirichlet([0.1] * 4, 11).T * 50) for k in range(6)]


def test_every_motif_is_in_one_family_and_the_first_of_each_comes_first(motifs):
    some = [*motifs, replace(motifs[3].reverse_complement(), name="turned"), replace(motifs[1], name="again", pfm=motifs[1].pfm[:, 1:])]
    families = families_of(some)
    assert sorted(member for family in families for member in family) == list(range(8))
    assert [3, 6] in families
    assert [1, 7] in families
    assert [family[0] for family in families] == sorted(family[0] for family in families)


@pytest.mark.parametrize("turned", [False, True], ids=["same strand", "other strand"])
@pytest.mark.parametrize("cut", [slice(2, None), slice(None, -3), slice(1, -2)], ids=["right part", "left part", "middle"])
def test_members_are_added_up_where_they_lie_over_each_other(turned, cut, motifs):
    """Of a motif and a part of it the sum is the motif itself, but for the columns that the part has not."""
    whole = motifs[0]
    part = replace(whole, pfm=whole.pfm[:, cut], name="part")
    found = merged([whole, part.reverse_complement() if turned else part])
    expected = whole.pfm.copy()
    outside = np.ones(whole.width, dtype=bool)
    outside[cut] = False
    expected[:, ~outside] *= 2
    expected[:, outside] += whole.n_sites / 4
    strong = np.flatnonzero(Motif("x", expected).information_per_position >= 0.25)
    np.testing.assert_allclose(found.pfm, expected[:, strong[0] : strong[-1] + 1], atol=1e-9)
    assert found.name == whole.name
    assert found.n_sites == 2 * whole.n_sites


def test_a_member_may_reach_further_than_the_first(motifs):
    whole = motifs[2]
    part = replace(whole, pfm=whole.pfm[:, 3:], name="part")
    assert merged([part, whole]).width == merged([whole, part]).width


def test_one_motif_is_merged_into_itself(motifs):
    np.testing.assert_allclose(merged(motifs[:1]).pfm, motifs[0].trim().pfm, atol=1e-9)


def test_stability_is_the_share_of_networks_that_have_one_like_it(motifs):
    a, b, c, d = motifs[:4]
    found = recurrence([[a, b], [c, a.reverse_complement()], [d, a, b]])
    third = pytest.approx(1 / 3)
    assert [list(shares) for shares in found] == [[1.0, pytest.approx(2 / 3)], [third, 1.0], [third, 1.0, pytest.approx(2 / 3)]]


def test_a_network_without_motifs_counts_too(motifs):
    found = recurrence([[motifs[0]], []])
    assert found[0].tolist() == [0.5]
    assert found[1].size == 0
