"""The report card: who is accused of what, and who is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqdl.data.promoters import promoter_elements, simulate_promoters
from seqdl.errors import DataError
from seqdl.evaluate.card import CardMaker, make_card, plain
from seqdl.evaluate.card_curves import card_curves, histogram, shifted_kmers
from seqdl.evaluate.card_pools import make_pools
from seqdl.evaluate.card_verdict import verdict
from seqdl.evaluate.diversity import Collapse, collapse_monitor
from seqdl.evaluate.markov_ladder import MarkovChain, position_sample
from seqdl.evaluate.sequence_set import SequenceSet

N = 500
GROUPS = {"kmers", "composition", "two_sample", "motifs", "novelty", "diversity", "embedding"}


@pytest.fixture(scope="module")
def promoters():
    """Return held-out, real and training promoters."""
    return tuple(simulate_promoters(size, seed=seed)[0] for seed, size in ((1, N), (2, 2 * N), (3, 2 * N)))


def carded(sample, real, train=None, **options):
    sets = [None if some is None else SequenceSet.of(some) for some in (sample, real, train)]
    return make_card(CardMaker(make_pools(*sets), [element.motif for element in promoter_elements()], **options))


def modes(codes, share, *, n_modes=32, changed=2, seed=0):
    """Replace a share of the sequences by variants of a few fresh ones."""
    rng, codes, n = np.random.default_rng(seed), codes.copy(), int(share * len(codes))
    codes[:n] = simulate_promoters(n_modes, seed=77)[0][rng.integers(0, n_modes, n)]
    for _ in range(changed):
        codes[np.arange(n), rng.integers(0, codes.shape[1], n)] = rng.integers(0, 4, n)
    return codes


# the card --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def healthy(promoters):
    return carded(*promoters)


def test_held_out_real_sequences_get_a_clean_bill(healthy):
    assert healthy.clean
    assert (healthy.collapsed, healthy.copies, healthy.verdict["missing"]) == (False, False, [])
    assert "Nothing that was looked at tells them from real sequences." in str(healthy)


def test_every_set_has_the_same_figures_as_the_samples(healthy):
    names = [*(f"markov{k}" for k in range(6)), "positions", "dinucleotide_shuffle"]
    assert list(healthy.baselines) == names
    for figures in (healthy.sample, healthy.real, *healthy.baselines.values()):
        assert set(figures) == GROUPS | {"n"}
        assert {name: set(figures[name]) for name in GROUPS} == {name: set(healthy.sample[name]) for name in GROUPS}


def test_the_card_is_plain_json_and_undefined_is_null_not_zero(promoters):
    held, real, _ = promoters
    ragged = [row[: 50 + i % 10] for i, row in enumerate(real[:200])]
    card = make_card(CardMaker(make_pools(SequenceSet.of(list(held[:60])), SequenceSet.of(ragged))))
    found = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert found["sample"]["composition"]["position_distance"] is None
    assert found["baselines"]["positions"] is None
    assert found["sample"]["motifs"] == {}
    assert any("lengths differ" in note for note in found["notes"])
    assert any("no motifs were given" in note for note in found["notes"])
    assert any("Lengths are off" in finding["title"] for finding in found["verdict"]["findings"])


def test_a_seed_repeats_the_card(promoters):
    held, real, train = (some[:200] for some in promoters)
    assert carded(held, real, train).to_dict() == carded(held, real, train).to_dict()


def test_probes_add_their_figures_to_every_set(promoters):
    held, real, _ = (some[:120] for some in promoters)
    card = carded(held, real, probes=[lambda some, other: {"two_sample": {"count": len(some)}, "more": {"beside": len(other)}}])
    for figures in (card.sample, card.real, card.baselines["markov0"]):
        assert (figures["two_sample"]["count"], figures["more"]["beside"]) == (60, 60)
        assert "kmer" in figures["two_sample"]


# collapse and copies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [1, 0.5, 0.25])
def test_collapse_is_caught_whole_and_in_part(share, promoters):
    held, real, train = promoters
    card = carded(modes(held, share), real, train)
    assert card.collapsed
    assert not card.copies
    assert str(card).startswith("Collapsed: ")
    assert card.verdict["usable"] == []


def test_whole_collapse_shows_a_nearest_sample_two_bases_away_though_most_are_unique(promoters):
    held, real, train = promoters
    figures = carded(modes(held, 1, n_modes=8), real, train).sample["diversity"]
    assert figures["nearest_median"] <= 2
    assert figures["unique_rate"] > 0.5


def test_samples_of_one_base_alone_are_collapsed(promoters):
    assert collapse_monitor(np.zeros((100, 64), np.uint8), promoters[1]).collapsed


def test_poor_composition_alone_is_no_collapse(promoters):
    poor = np.random.default_rng(0).choice(4, (N, 64), p=[0.42, 0.08, 0.08, 0.42]).astype(np.uint8)
    card = carded(poor, promoters[1])
    assert not card.collapsed
    assert "GC content is off" in [finding["title"] for finding in card.verdict["findings"]]


def test_the_monitor_does_not_accuse_real_sequences_of_any_small_number():
    pool = simulate_promoters(12_000, seed=5)[0]
    rng = np.random.default_rng(0)
    for n in (20, 64, 256):
        draws = [rng.permutation(len(pool))[: 2 * n] for _ in range(50)]
        assert sum(collapse_monitor(pool[rows[:n]], pool[rows[n:]]).collapsed for rows in draws) <= 2


def test_samples_as_full_of_copies_as_the_real_sequences_are_not_accused():
    rng = np.random.default_rng(0)
    families = simulate_promoters(400, seed=4)[0]
    real = np.repeat(families, 2, axis=0)  # every sequence has a twin
    twins = np.repeat(simulate_promoters(400, seed=6)[0], 2, axis=0)
    assert not collapse_monitor(twins[rng.permutation(800)], real[rng.permutation(800)], n=300).collapsed


def test_the_monitor_says_how_many_it_needs():
    with pytest.raises(DataError, match="there are 5 samples and 20 real sequences; 10 of each were expected"):
        collapse_monitor(np.zeros((5, 9), np.uint8), np.zeros((20, 9), np.uint8))


@pytest.mark.parametrize("changed", [0, 3])
@pytest.mark.parametrize("named", [True, False])
def test_copies_are_caught_whole_and_with_bases_changed(changed, named, promoters):
    held, real, train = promoters
    source = train if named else real
    copied, n = held.copy(), 30 if named else 60  # without training sequences, half of the real ones are looked at
    rng = np.random.default_rng(0)
    copied[:n] = source[rng.permutation(len(source))[:n]]
    for _ in range(changed):
        copied[np.arange(n), rng.integers(0, 64, n)] = rng.integers(0, 4, n)
    card = carded(copied, real, train if named else None)
    assert card.copies
    assert not card.collapsed
    assert "Not usable as new sequences" in str(card)


def test_copies_that_real_sequences_have_as_well_are_no_accusation(promoters):
    held, real, train = (some.copy() for some in promoters)
    for some in (held, real):
        some[: len(some) // 10] = train[: len(some) // 10]
    card = carded(held, real, train)
    assert card.sample["novelty"]["exact_rate"] > 0.05
    assert not card.copies


# what samples lack -----------------------------------------------------------------------------------


def test_a_markov_chain_has_the_composition_and_lacks_motifs_and_places(promoters):
    _, real, train = promoters
    card = carded(MarkovChain.fit(train, 3).sample(N, 64, rng=np.random.default_rng(0)), real, train)
    against = {finding["check"] for finding in card.verdict["findings"] if finding["tone"] == "caution"}
    assert "motifs" in against
    assert "composition" not in against
    assert card.verdict["usable"] == ["background sequences of the right composition"]
    assert {row["name"] for row in card.motifs if row["ratio"] < 0.5} == {"TATA", "E-box", "ETS"}
    assert any("ETS" in lack for lack in card.verdict["missing"])


def test_position_wise_frequencies_are_caught_by_words_and_motifs(promoters):
    _, real, train = promoters
    card = carded(position_sample(train, N, rng=np.random.default_rng(0)), real, train)
    against = {finding["check"] for finding in card.verdict["findings"] if finding["tone"] == "caution"}
    assert against >= {"kmers", "motifs"}
    assert not card.collapsed


def figures(**changes):
    """Return figures of samples that nothing speaks against, with changes as group__name."""
    found = {
        "n": 1_000,
        "kmers": {"js_3": 0.0001},
        "composition": {"gc_ks": 0.02, "gc_mean": 0.5, "gc_sd": 0.1, "length_mean": 64.0, "length_ks": 0.0, "position_distance": 0.02},
        "two_sample": {"kmer": {"value": 0.5, "low": 0.47, "high": 0.53}, "cnn": {"value": 0.51, "low": 0.48, "high": 0.54}},
        "motifs": {"rate_error": 0.1, "too_rare": 0, "too_frequent": 0, "position_r": 0.95, "cooccurrence_r": 0.6, "pairs_off": 0},
        "novelty": {"exact_copies": 0, "exact_rate": 0.0, "near_rate": 0.0, "run_median": 14.0, "run_longest": 20},
        "diversity": {},
        "embedding": {"precision": 0.95, "recall": 0.9},
    }
    for name, value in changes.items():
        group, _, key = name.partition("__")
        found[group] = found.get(group, {}) | {key: value}
    return found


def judged(baselines=None, **changes):
    healthy = Collapse(False, 34, 34, 1, 0.005, 0, 0, "")
    motifs = [{"name": "m", "ratio": 1.0, "z": 0.0}]
    real = figures(predictor__out={"ks": 0.02, "mean": 1.0}) if "predictor__out" in changes else figures()
    return verdict(figures(**changes), real, baselines or {}, collapse=healthy, motifs=motifs)


@pytest.mark.parametrize(
    ("changes", "check", "n_usable"),
    [
        ({}, None, 3),
        ({"two_sample__cnn": {"value": 0.8, "low": 0.78, "high": 0.82}}, "classifier", 2),
        ({"two_sample__cnn": {"value": 0.58, "low": 0.49, "high": 0.67}}, None, 3),  # too few sequences to say so
        ({"two_sample__kmer": {"value": 0.7, "low": 0.68, "high": 0.72}}, "kmers", 1),
        ({"motifs__position_r": 0.5}, "motifs", 1),
        ({"motifs__pairs_off": 2}, "motifs", 1),
        ({"kmers__js_3": 0.02}, "composition", 0),
        ({"composition__gc_ks": 0.3}, "composition", 0),
        ({"composition__length_ks": 0.3}, "composition", 0),
        ({"composition__position_distance": 0.2}, "positions", 3),
        ({"embedding__recall": 0.4}, "coverage", 2),
        ({"embedding__precision": 0.4}, "coverage", 2),
        ({"novelty__near_rate": 0.05}, "copies", 0),
        ({"predictor__out": {"ks": 0.4, "mean": 3.0}}, "predictor", 2),
        ({"motifs__position_r": float("nan"), "composition__position_distance": float("nan")}, None, 3),
    ],
)
def test_each_figure_that_is_off_is_said_and_limits_what_the_samples_are_good_for(changes, check, n_usable):
    found = judged(**changes)
    against = {finding["check"] for finding in found["findings"] if finding["tone"] in ("serious", "caution")}
    assert against == ({check} if check else set())
    assert len(found["usable"]) == n_usable
    assert bool(found["missing"]) == bool(check)


def test_a_simple_generator_that_does_as_well_is_named():
    told = {"two_sample__cnn": {"value": 0.9, "low": 0.88, "high": 0.92}}
    better = {"markov5": figures(two_sample__cnn={"value": 0.7, "low": 0.68, "high": 0.72}), "positions": None}
    worse = {"markov5": figures(two_sample__cnn={"value": 0.99, "low": 0.98, "high": 1.0})}
    assert "A Markov chain of order 5 does better: a CNN tells it from real with an AUROC of 0.70" in judged(better, **told)["text"]
    assert "Markov" not in judged(worse, **told)["text"]


# pools and curves ------------------------------------------------------------------------------------


def test_pools_are_disjoint_of_one_size_and_drawn_by_the_seed():
    codes = np.arange(300, dtype=np.int64)[:, None] // 4 ** np.arange(5) % 4
    real = SequenceSet.of(codes.astype(np.uint8))
    pools = make_pools(SequenceSet.of(codes[:80].astype(np.uint8)), real)
    held, rest = ({row.tobytes() for row in some.codes} for some in (pools.held_out, pools.reference))
    assert (len(pools.sample), len(held), len(rest), held & rest) == (80, 80, 220, set())
    assert (make_pools(real, real, seed=1).held_out.codes != make_pools(real, real, seed=2).held_out.codes).any()


@pytest.mark.parametrize(
    ("n", "n_real", "said"),
    [
        (20, 200, r"there are 20 synthetic sequences: 50 or more .* Give 30 more"),
        (60, 99, r"there are 99 real sequences: 100 or more .* Give 1 more"),
    ],
)
def test_too_few_sequences_are_refused_with_the_number_that_is_needed(n, n_real, said):
    rng = np.random.default_rng(0)
    sample, real = (SequenceSet.of(rng.integers(0, 4, (size, 30)).astype(np.uint8)) for size in (n, n_real))
    with pytest.raises(DataError, match=said):
        make_pools(sample, real)


def test_training_sequences_given_as_real_ones_are_refused(promoters):
    held, _, train = (SequenceSet.of(some) for some in promoters)
    with pytest.raises(DataError, match="100 % of the real sequences are training sequences"):
        make_pools(held, train, train)


def test_histograms_hold_everything_and_whole_numbers_leave_no_gap():
    found = histogram((np.arange(100.0), np.arange(50.0, 150.0)), 40)
    assert (sum(found["sample"]), sum(found["real"])) == pytest.approx((1, 1))
    widths = np.diff(found["edges"])
    assert set(widths.tolist()) == {4.0}
    assert plain(histogram((np.array([np.inf, 1.0]), np.array([2.0])), 4))["real"][-1] == 1


def test_curves_are_profiles_and_the_planted_word_is_the_rarest(promoters):
    held, real, _ = (SequenceSet.of(some[:N]) for some in promoters)
    found = card_curves(held, real, {})
    assert np.allclose(np.sum(found["positions"]["sample"], axis=0), 1, atol=1e-3)
    assert found["length"] is None
    without = np.where(real.codes == 3, 2, real.codes)
    assert shifted_kmers(without, real.codes)[0]["sample"] == 0
