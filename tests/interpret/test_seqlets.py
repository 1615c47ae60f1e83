"""Seqlets: planted stretches are found, p-values are what they say, and patterns of TF-MoDISco become motifs."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tangermeme.seqlet import recursive_seqlets

from seqdl.errors import DependencyError, InputError, ShapeError
from seqdl.interpret.modisco import PACKAGE, check_modisco, discover_motifs
from seqdl.interpret.seqlets import find_seqlets
from seqdl.sequence.encode import encode


def noise(n=40, length=120, seed=0):
    return np.random.default_rng(seed).laplace(0, 0.1, (n, length))


@pytest.fixture
def planted():
    """Noise with a stretch of ten bases in every other row; downwards in every fourth."""
    tracks = noise()
    for row in range(0, 40, 2):
        tracks[row, 30 + row : 40 + row] += -0.8 if row % 4 else 0.8
    return tracks


@pytest.mark.parametrize("control", [False, True])
def test_planted_stretches_are_found_where_they_are(control, planted):
    found = find_seqlets(planted, control=noise(seed=1) if control else None, pvalue=1e-4)
    best = found.head(20).sort_values("sequence")
    assert best["sequence"].tolist() == list(range(0, 40, 2))
    assert np.abs(best["start"] - 30 - best["sequence"]).max() <= 2
    assert np.abs(best["end"] - 40 - best["sequence"]).max() <= 2
    assert ((best["score"] > 0) == (best["sequence"] % 4 == 0)).all()
    assert best["q"].max() <= 0.1


def test_the_score_is_the_sum_of_the_attributions(planted):
    found = find_seqlets(planted)
    for row in found.itertuples():
        assert row.score == pytest.approx(planted[row.sequence, row.start : row.end].sum())


def test_seqlets_do_not_overlap(planted):
    found = find_seqlets(planted, pvalue=0.05)
    for _, rows in found.groupby("sequence"):
        ordered = rows.sort_values("start")
        assert (ordered["start"].to_numpy()[1:] >= ordered["end"].to_numpy()[:-1]).all()


@pytest.mark.slow  # tangermeme compiles its code in each process
def test_the_strongest_agree_with_tangermeme(planted):
    upwards = planted[::4]
    theirs = recursive_seqlets(torch.from_numpy(upwards), threshold=1e-4)
    ours = find_seqlets(upwards, pvalue=1e-4)
    best = theirs.sort_values("p-value").drop_duplicates("example_idx").set_index("example_idx")
    mine = ours.drop_duplicates("sequence").set_index("sequence")
    assert len(best) == 10
    for row in best.index:
        shared = min(best.loc[row, "end"], mine.loc[row, "end"]) - max(best.loc[row, "start"], mine.loc[row, "start"])
        assert shared >= 0.7 * (best.loc[row, "end"] - best.loc[row, "start"])


@pytest.mark.parametrize("width", [5, 12])
def test_the_p_values_of_windows_are_those_of_shuffles(width):
    """Of windows of one width in noise like the control's, a hundredth has p <= .01."""
    from seqdl.interpret.seqlets import _ControlNull, _sums

    null = _ControlNull(noise(200, seed=3), (width, width))
    p = null.pvalues(_sums(noise(200, seed=4), width), width).ravel()
    for bound in (0.1, 0.01, 0.001):
        assert (p <= bound).mean() == pytest.approx(bound, rel=0.35)


@settings(max_examples=15, deadline=None)
@given(width=st.integers(1, 8), seed=st.integers(0, 5))
def test_the_p_values_of_independent_positions_are_never_too_small(width, seed):
    from seqdl.interpret.seqlets import _PositionNull

    rng = np.random.default_rng(seed)
    tracks = rng.normal(size=(50, 60))
    null = _PositionNull(tracks, (width, width))
    drawn = rng.choice(tracks.ravel(), (20_000, width)).sum(1)
    p = null.pvalues(drawn, width)
    for bound in (0.2, 0.02):
        assert (p <= bound).mean() <= bound * 1.15


def test_nothing_is_found_in_a_control_of_itself():
    control = noise(seed=5)
    assert (find_seqlets(control, control=control)["q"] > 0.2).all()


def test_padding_holds_no_seqlet(planted):
    padded = np.pad(planted, ((0, 0), (0, 30)), constant_values=np.nan)
    assert find_seqlets(padded).equals(find_seqlets(planted).assign(q=find_seqlets(padded)["q"]))


def test_attributions_of_four_bases_are_read_at_the_sequence(planted):
    x = np.eye(4)[np.random.default_rng(0).integers(0, 4, planted.shape)].transpose(0, 2, 1)
    scores = planted[:, None] * x + 9 * (1 - x)
    assert find_seqlets(scores, x).equals(find_seqlets(planted))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_silent_network_has_no_seqlets(sign):
    assert len(find_seqlets(np.zeros((3, 50)))) == 0
    assert len(find_seqlets(sign * np.ones((3, 50)))) == 0


@pytest.mark.parametrize(
    ("scores", "options", "error", "message"),
    [
        (np.zeros((2, 4, 30)), {}, ShapeError, "x is not given"),
        (np.zeros((2, 4, 30)), {"x": np.zeros((2, 4, 29))}, ShapeError, r"x has the shape \(2, 4, 29\)"),
        (np.zeros(30), {}, ShapeError, r"scores have the shape \(30,\)"),
        (np.full((2, 30), np.inf), {}, InputError, "infinite"),
        (np.zeros((2, 30)), {"pvalue": 1.5}, InputError, "pvalue is 1.5; expected a probability"),
        (np.zeros((2, 30)), {"widths": (9, 40)}, InputError, "widths are 9 to 40 bp, for sequences of 30 bp"),
    ],
)
def test_what_makes_no_sense_is_refused(scores, options, error, message):
    with pytest.raises(error, match=message):
        find_seqlets(scores, **options)


# motif discovery -------------------------------------------------------------------------------------


def pattern(example, start, contribution, n=30):
    """Stand for a pattern of tfmodisco-lite: (W, 4) frequencies and seqlets."""
    sequence = np.eye(4)[[0, 1, 2, 3, 0]] * 0.9 + 0.025
    contributions = np.zeros((5, 4))
    contributions[2, 2] = contribution
    seqlet = SimpleNamespace(example_idx=example, start=start, end=start + 5, is_revcomp=start % 2 == 1, contrib_scores=contributions)
    return SimpleNamespace(sequence=sequence, seqlets=[seqlet] * n)


@pytest.fixture
def stub(monkeypatch):
    """Put a module in the place of tfmodisco-lite that keeps what it is given."""
    seen = {}

    def run(**given):
        seen.update(given)
        return [pattern(0, 4, 2.0, n=20), pattern(1, 7, 3.0)], None

    package, module = ModuleType("modiscolite"), ModuleType(PACKAGE)
    module.TFMoDISco = run
    package.tfmodisco = module
    monkeypatch.setitem(sys.modules, "modiscolite", package)
    monkeypatch.setitem(sys.modules, PACKAGE, module)
    return seen


def test_patterns_become_motifs(stub, draw):
    x = draw(3, 40)
    scores = np.random.default_rng(0).normal(size=x.shape)
    found = discover_motifs(scores, x, max_seqlets=500, flank_size=5)
    assert [one.motif.name for one in found] == ["positive1", "positive2"]
    assert found[0].motif.consensus == "ACGTA"
    assert found[0].motif.n_sites == 30
    assert found[0].contribution == pytest.approx(3)
    assert found[0].sites[0].tolist() == [1, 7, 12]
    assert found[0].reverse.all()
    assert stub["one_hot"].shape == stub["hypothetical_contribs"].shape == (3, 40, 4)
    assert np.array_equal(stub["hypothetical_contribs"][1, 5], scores[1, :, 5].astype(np.float32))
    assert (stub["max_seqlets_per_metacluster"], stub["flank_size"]) == (500, 5)


def test_arrays_that_do_not_belong_together_are_refused(stub, draw):
    with pytest.raises(ShapeError, match=r"scores have the shape \(3, 40\) and x \(3, 4, 40\)"):
        discover_motifs(np.zeros((3, 40)), draw(3, 40))


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "modiscolite", None)
    with pytest.raises(DependencyError, match=r"pip install 'seqdl\[modisco\]'"):
        check_modisco()


def test_attributions_that_say_nothing_are_refused(stub, draw):
    x = draw(3, 40)
    for scores in (np.zeros(x.shape), np.full(x.shape, np.nan)):
        with pytest.raises(InputError, match="the attributions are all 0, or some are no numbers"):
            discover_motifs(scores, x)


def test_what_the_package_can_make_nothing_of_is_said(stub, draw, monkeypatch):
    def fail(**given):
        raise ValueError("Sample weights must contain at least one non-zero number.")

    monkeypatch.setattr(sys.modules[PACKAGE], "TFMoDISco", fail)
    with pytest.raises(InputError, match=r"can make nothing of the attributions of 3 sequences \(Sample weights"):
        discover_motifs(np.ones((3, 4, 40)), draw(3, 40))


@pytest.mark.slow
def test_the_package_itself_finds_what_was_planted_with_its_strand_place_and_sign():
    pytest.importorskip(PACKAGE)
    rng = np.random.default_rng(0)
    codes, weight, truth = rng.integers(0, 4, (200, 200)), np.zeros((200, 200)), {}
    for row in range(200):
        for text, sign, middle in (("TTACCCGGCA", 1, 60 + 70 * (row % 2)), ("GATAAGGTCACG", -1, 130 - 70 * (row % 2))):
            site, start, turned = encode(text), middle + int(rng.integers(-8, 9)), bool(rng.random() < 0.5)
            where = slice(start, start + len(site))
            codes[row, where] = 3 - site[::-1] if turned else site
            weight[row, where] = sign * rng.uniform(0.6, 1.4) * rng.uniform(0.7, 1.3, len(site))
            truth[row, sign] = (where.start, where.stop, turned)
    x = np.eye(4)[codes].transpose(0, 2, 1)
    scores = weight[:, None] * (x - 0.25) + rng.normal(0, 0.05, x.shape)
    found = discover_motifs(scores, x, n_leiden_runs=2)
    assert [one.motif.name for one in found] == ["positive1", "negative1"]
    for one, text, sign in zip(found, ("TTACCCGGCA", "GATAAGGTCACG"), (1, -1), strict=True):
        consensus = one.motif.trim().consensus.strip("N")
        assert text in (consensus, "".join("ACGT"[3 - "ACGT".index(base)] for base in reversed(consensus)))
        assert len(one.sites) == one.motif.n_sites > 150
        flips = [turned == bool(back) for (row, _, _), back in zip(one.sites, one.reverse, strict=True) for turned in [truth[row, sign][2]]]
        assert np.mean(flips) in (0, 1)  # a pattern has no strand of its own: its seqlets agree among themselves
        assert all(start <= truth[row, sign][0] and truth[row, sign][1] <= end for row, start, end in one.sites)
        assert one.contribution == pytest.approx(sign * 0.75 * len(text), rel=0.1)
