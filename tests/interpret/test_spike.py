"""Motifs put into sequences and taken out, on networks whose answer is known."""

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.interpret.knockout import knock_out
from seqdl.interpret.readout import reverse_complement
from seqdl.interpret.spike import Trial, marginalise, position_curve, spacing_curve
from seqdl.layers.pooling import GlobalMax
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import decode, encode, one_hot

GATA, EBOX = encode("AGATAA"), encode("CACGTG")
EBOX_ODD = encode("CAGGTT")
"""Not its own reverse complement, so that its strand can be told."""


def motif_of(codes, name="m"):
    return Motif(name, one_hot(codes) * 30)


class Sites(nn.Module):
    """Counts the bases of the best site for a word on either strand; two outputs, the second the negative of the first."""

    outputs = ("up", "down")

    def __init__(self, codes=GATA, *, both=True):
        super().__init__()
        self.conv, self.pool, self.both = nn.Conv1d(4, 1, len(codes), bias=False), GlobalMax(), both
        self.conv.weight.data[0] = torch.from_numpy(one_hot(codes))

    def forward(self, x):
        found = self.pool(self.conv(x))
        if self.both:
            found = torch.maximum(found, self.pool(self.conv(reverse_complement(x))))
        return torch.cat([found, -found], 1)


class Pair(nn.Module):
    """Answers 1 where GATA lies on the given strand and, `gap` bases on, an E-box lies on the given strand; else .1 for GATA alone."""

    def __init__(self, gap):
        super().__init__()
        self.gap = gap
        self.first, self.second = Sites(GATA).conv, Sites(EBOX).conv

    def forward(self, x):
        first = torch.relu(self.first(x) - 5)[:, :, : -(6 + self.gap)]
        second = torch.relu(self.second(x) - 5)[:, :, 6 + self.gap :]
        return (first * second).amax(2) + 0.1 * first.amax(2)


@pytest.fixture
def backgrounds():
    return np.random.default_rng(0).choice([1, 2], (20, 60)).astype(np.uint8)  # C and G: at most a base or two of GATA in place


def test_the_effect_is_what_writing_the_site_by_hand_gives(backgrounds):
    net = Sites()
    found = marginalise(net, motif_of(GATA), backgrounds, start=10)
    by_hand = backgrounds.copy()
    by_hand[:, 10:16] = GATA
    with torch.no_grad():
        before, after = (net(torch.from_numpy(one_hot(codes)))[:, 0].numpy() for codes in (backgrounds, by_hand))
    np.testing.assert_allclose(found.before, before)
    np.testing.assert_allclose(found.after, after)
    assert found.value == pytest.approx((after - before).mean())
    assert found.low <= found.value <= found.high


def test_the_interval_is_that_of_the_mean_over_backgrounds(backgrounds):
    from scipy.stats import bootstrap

    found = marginalise(Sites(), motif_of(GATA), backgrounds, trial=Trial(n_resamples=5000))
    expected = bootstrap((found.after - found.before,), np.mean, n_resamples=5000, method="percentile", rng=0).confidence_interval
    assert found.low == pytest.approx(expected.low, abs=0.03)
    assert found.high == pytest.approx(expected.high, abs=0.03)


def test_the_other_output_by_name_has_the_other_sign(backgrounds):
    up, down = (marginalise(Sites(), motif_of(GATA), backgrounds, trial=Trial(output=name)) for name in ("up", "down"))
    assert up.value == pytest.approx(-down.value)


@pytest.mark.parametrize("both", [True, False], ids=["both strands", "one strand"])
def test_the_strand_counts_only_for_a_network_that_reads_one(both, backgrounds):
    plus, minus = (marginalise(Sites(both=both), motif_of(GATA), backgrounds, strand=strand).value for strand in "+-")
    assert (plus == pytest.approx(minus)) == both


def test_sampled_sites_follow_the_probabilities():
    half = Motif("half", [[0.5, 1], [0, 0], [0.5, 0], [0, 0]])
    net = Sites(encode("GA"), both=False)
    found = marginalise(net, half, np.ones((2000, 10), dtype=np.uint8), trial=Trial(draw="sample"))
    assert set(found.after) == {1.0, 2.0}
    assert found.after.mean() == pytest.approx(1.5, abs=0.05)


def test_backgrounds_are_left_as_they_are(backgrounds):
    kept = backgrounds.copy()
    marginalise(Sites(), motif_of(GATA), backgrounds)
    assert (backgrounds == kept).all()


def test_the_place_matters_where_the_network_looks_in_one_half_only(backgrounds):
    class Half(Sites):
        def forward(self, x):
            return super().forward(x[:, :, :30])

    table = position_curve(Half(both=False), motif_of(GATA), backgrounds, step=6)
    left = table[(table["strand"] == "+") & (table["position"] < -3)]
    assert (left["effect_low"] > 2).all()
    assert (table.loc[(table["strand"] == "+") & (table["position"] >= 3), "effect"] == 0).all()
    assert table["position"].min() == 3 - 30


@pytest.mark.parametrize("gap", [0, 7, 13])
def test_a_pair_that_works_at_one_distance_has_its_maximum_there(gap, backgrounds):
    table = spacing_curve(Pair(gap), motif_of(GATA), motif_of(EBOX), backgrounds=backgrounds, spacings=range(20))
    best = table.iloc[table["interaction"].argmax()]
    assert (best["spacing"], best["orientation"][0]) == (gap, "+")
    assert best["interaction"] == pytest.approx(1)
    assert best["effect"] == pytest.approx(1.1)
    rest = table[table["spacing"] != gap]
    np.testing.assert_allclose(rest["interaction"], 0, atol=1e-9)
    assert len(table) == 4 * 20


def test_the_interaction_is_the_pair_less_its_members(backgrounds, two_strands):
    """Against sequences that are put together by hand, of a network with no structure to speak of."""
    table = spacing_curve(two_strands, motif_of(GATA), motif_of(EBOX), backgrounds=backgrounds, spacings=[3])
    first = (60 - 15) // 2

    def score(*sites):
        codes = backgrounds.copy()
        for site, at in sites:
            codes[:, at : at + 6] = site
        with torch.no_grad():
            return two_strands(torch.from_numpy(one_hot(codes)))[:, 0].numpy().mean()

    one, two = (GATA, first), (encode("CACGTG")[::-1] * 0 + 3 - EBOX[::-1], first + 9)  # the second on the other strand
    expected = score(one, two) - score(one) - score(two) + score()
    row = table[table["orientation"] == "+ -"].iloc[0]
    assert row["interaction"] == pytest.approx(expected, abs=1e-5)
    assert row["effect"] == pytest.approx(score(one, two) - score(), abs=1e-5)


def test_taking_hits_out_costs_what_the_site_was_worth_and_elsewhere_nothing(backgrounds):
    codes = backgrounds.copy()
    codes[:8, 20:26] = GATA
    codes[8:12, 40:46] = 3 - GATA[::-1]
    motif = Motif("gata", one_hot(GATA) * 30)
    table = knock_out(Sites(), motif, codes, pvalue=3e-4, n_draws=20)
    assert table["sequence"].tolist() == list(range(12))
    assert (table["before"] == 6).all()
    assert (table["effect"] < -1).all()
    assert (table["control"].abs() < 1e-9).all()


@pytest.mark.parametrize("how", ["shuffle", "replace"])
def test_only_the_hits_are_touched(how, backgrounds):
    from seqdl.interpret.knockout import _spoil  # what is changed is the point

    mask = np.zeros(60, dtype=bool)
    mask[10:20] = mask[30:33] = True
    codes = np.random.default_rng(1).integers(0, 4, 60).astype(np.uint8)
    spoilt = _spoil(codes, mask, how, rng=np.random.default_rng(0))
    assert (spoilt[~mask] == codes[~mask]).all()
    assert (spoilt != codes).any()
    if how == "shuffle":
        assert sorted(decode(spoilt[10:20])) == sorted(decode(codes[10:20]))


def test_sequences_without_a_hit_give_an_empty_table(backgrounds):
    assert len(knock_out(Sites(), motif_of(GATA), backgrounds)) == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda b: marginalise(Sites(), motif_of(GATA), b, start=58), InputError, "a motif of 6 bp at base 58 leaves a sequence of 60 bp"),
        (lambda b: marginalise(Sites(), motif_of(GATA), one_hot(b)), ShapeError, r"the backgrounds are float32 of the shape \(20, 4, 60\)"),
        (lambda b: marginalise(Sites(), motif_of(GATA), b, trial=Trial(draw="mean")), UnknownNameError, "no way of drawing a site named 'mean'"),
        (lambda b: position_curve(Sites(), motif_of(GATA), b, step=0), InputError, "step is 0; expected the bases from place to place"),
        (
            lambda b: spacing_curve(Sites(), motif_of(GATA), motif_of(EBOX), backgrounds=b, spacings=range(60)),
            InputError,
            "59 bp apart take 71 bp; expected no more than the backgrounds, 60 bp",
        ),
        (lambda b: spacing_curve(Sites(), motif_of(GATA), motif_of(EBOX), backgrounds=b, spacings=[]), InputError, r"the spacings are \[\]"),
        (lambda b: knock_out(Sites(), motif_of(GATA), b, how="cut"), UnknownNameError, "no way of destroying a motif named 'cut'"),
        (lambda b: knock_out(Sites(), motif_of(GATA), b, n_draws=0), InputError, "n_draws is 0; expected at least 1"),
    ],
)
def test_what_cannot_be_done_is_said(call, error, message, backgrounds):
    with pytest.raises(error, match=message):
        call(backgrounds)


@pytest.mark.slow
def test_a_trained_network_shows_the_distance_and_orientation_that_a_planted_pair_works_at():
    """Positives hold the pair 8 bp apart, both on the given strand; negatives hold the same two at other distances or turned."""
    rng, gap, n, length = np.random.default_rng(0), 8, 3000, 60
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    label = np.arange(n) % 2
    for row, positive in zip(codes, label, strict=True):
        spacing = gap if positive else int(rng.choice([d for d in range(25) if d != gap]))
        second = EBOX_ODD if positive or rng.random() < 0.5 else 3 - EBOX_ODD[::-1]
        at = int(rng.integers(0, length - 12 - spacing + 1))
        row[at : at + 6], row[at + 6 + spacing : at + 12 + spacing] = GATA, second
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(4, 16, 6), nn.ReLU(), nn.Conv1d(16, 24, 15), nn.ReLU(), GlobalMax(), nn.Linear(24, 1))
    x, y = torch.from_numpy(one_hot(codes)), torch.from_numpy(label).float()[:, None]
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(12):
        for rows in torch.randperm(n).split(50):
            optimiser.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(net(x[rows]), y[rows]).backward()
            optimiser.step()
    backgrounds = rng.integers(0, 4, (60, length)).astype(np.uint8)
    table = spacing_curve(net, motif_of(GATA), motif_of(EBOX_ODD), backgrounds=backgrounds, spacings=range(25))
    best = table.iloc[table["interaction"].argmax()]
    assert (best["spacing"], best["orientation"]) == (gap, "+ +")
    assert best["interaction_low"] > table.drop(best.name)["interaction"].max()
