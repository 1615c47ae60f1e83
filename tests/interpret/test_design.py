"""Designed sequences: on networks whose optimum is known by arithmetic, under constraints that every result keeps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch import nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.interpret.constraints import Constraints, Rules
from seqdl.interpret.design import LATENT_SEARCHES, SEARCHES, design_latents, design_sequences
from seqdl.interpret.latents import Writer
from seqdl.interpret.objective import Goal
from seqdl.interpret.repair import feasible_start, repair
from seqdl.interpret.search import Search
from seqdl.layers.pooling import GlobalMax
from seqdl.motif.motif import Motif
from seqdl.motif.scan import scan
from seqdl.sequence.composition import gc_content
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import decode, encode, one_hot

LENGTH = 12
METHODS = sorted(SEARCHES)


def weights(seed=0, length=LENGTH):
    return np.random.default_rng(seed).normal(size=(4, length)).astype(np.float32)


def linear(weight):
    """Return a network whose score is the sum of the weights of the bases."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(weight.size, 1, bias=False))
    net[1].weight.data[:] = torch.from_numpy(weight.ravel())
    return net


def start(seed=1, length=LENGTH):
    return np.random.default_rng(seed).integers(0, 4, length).astype(np.uint8)


def best_with_gc(weight, least, most):
    """Return the best sum with least to most G and C: the positions that gain most by being strong are."""
    weak, strong = weight[[0, 3]].max(0), weight[[1, 2]].max(0)
    gains = np.sort(strong - weak)[::-1]
    return max(float(weak.sum() + gains[:n].sum()) for n in range(least, most + 1))


def best_with_changes(weight, codes, most):
    gains = np.sort(weight.max(0) - weight[codes, np.arange(len(codes))])[::-1]
    return float(weight[codes, np.arange(len(codes))].sum() + gains[:most].sum())


# the optimum that is known -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("mend", [True, False])
def test_every_method_finds_the_optimum_of_a_linear_network(method, mend):
    weight = weights()
    found = design_sequences(linear(weight), [start()], search=Search(method=method, mend=mend, steps=200))
    assert (found.codes[0] == weight.argmax(0)).all()
    np.testing.assert_allclose(found.after[0], weight.max(0).sum(), rtol=1e-5)
    np.testing.assert_allclose(found.before[0], weight[start(), np.arange(LENGTH)].sum(), rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_minimum_too(method):
    weight = weights(2)
    found = design_sequences(linear(weight), [start()], towards="min", search=Search(method=method))
    np.testing.assert_allclose(found.after[0], weight.min(0).sum(), rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_comes_near_a_wanted_value(method):
    found = design_sequences(linear(weights(3)), [start(s) for s in range(3)], towards=1.5, search=Search(method=method))
    np.testing.assert_allclose(found.after, 1.5, atol=0.1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gc", [(0.25, 0.25), (0.4, 0.6), (0.75, 1.0)])
def test_every_method_finds_the_best_sequence_within_a_gc_range(method, gc):
    weight = weights(4)
    found = design_sequences(linear(weight), [start(5)], constraints=Constraints(gc=gc), search=Search(method=method))
    least, most = int(np.ceil(gc[0] * LENGTH)), int(gc[1] * LENGTH + 1e-9)
    np.testing.assert_allclose(found.after[0], best_with_gc(weight, least, most), rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("most", [0, 1, 3])
def test_every_method_finds_the_best_few_changes(method, most):
    weight, codes = weights(6), start(7)
    found = design_sequences(linear(weight), [codes], constraints=Constraints(max_changes=most), search=Search(method=method))
    np.testing.assert_allclose(found.after[0], best_with_changes(weight, codes, most), rtol=1e-5)
    assert found.changes[0] <= most


@pytest.mark.parametrize("method", METHODS)
def test_the_best_sequence_without_a_word_is_that_of_all_sequences(method):
    weight = weights(8, 7)
    word = decode(weight.argmax(0).astype(np.uint8)[2:6])  # the optimum holds it
    rules = Constraints(words=(word,))
    every = np.array(list(itertools.product(range(4), repeat=7)), dtype=np.uint8)
    allowed = every[Rules(rules, every[0]).met(every)]
    best = max(float(weight[codes, np.arange(7)].sum()) for codes in allowed)
    found = design_sequences(linear(weight), [start(9, 7)], constraints=rules, search=Search(method=method))
    np.testing.assert_allclose(found.after[0], best, rtol=1e-5)


class Site(nn.Module):
    """The best fit of a site anywhere."""

    outputs = ("site",)

    def __init__(self, site):
        super().__init__()
        self.conv, self.pool = nn.Conv1d(4, 1, len(site), bias=False), GlobalMax()
        self.conv.weight.data[0] = torch.from_numpy(one_hot(encode(site)))

    def forward(self, x):
        return self.pool(self.conv(x))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_writes_the_site_that_a_network_looks_for(method):
    found = design_sequences(Site("CACGTGA"), [start(s, 40) for s in range(2)], output="site", search=Search(method=method))
    assert all("CACGTGA" in decode(codes) for codes in found.codes)
    assert (found.after == 7).all()


def test_no_substitution_helps_a_greedy_design():
    weight = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 4 * LENGTH)).astype(np.float32))

    def scored(x):
        return torch.tanh(x.flatten(1) @ weight.T)[:, 0] * x[:, 2].sum(1)

    found = design_sequences(scored, [start()])
    codes = found.codes[0]
    for position, base in itertools.product(range(LENGTH), range(4)):
        other = codes.copy()
        other[position] = base
        assert scored(torch.from_numpy(one_hot(other[None])))[0] <= found.after[0] + 1e-4


def test_a_function_without_a_gradient_is_searched_all_the_same_but_not_by_gradient():
    def scored(x):
        return torch.tensor([text.count("G") for text in map(decode, x.argmax(1).to(torch.uint8).numpy())], dtype=torch.float32)

    for method in ("greedy", "beam", "evolutionary"):
        assert design_sequences(scored, [start()], search=Search(method=method)).after[0] == LENGTH
    with pytest.raises(InputError, match="carries no gradient back to the sequence"):
        design_sequences(scored, [start()], search=Search(method="gradient"))


def test_the_seed_alone_decides_and_starts_may_differ_in_length():
    how = Search(method="evolutionary", steps=5, mend=False, seed=3)
    runs = [design_sequences(Site("CACGTG"), [start(0, 30), start(1, 50)], search=how) for _ in range(2)]
    assert [decode(codes) for codes in runs[0].codes] == [decode(codes) for codes in runs[1].codes]
    assert [len(codes) for codes in runs[0].codes] == [30, 50]


# constraints -------------------------------------------------------------------------------------------


def occurs(word, codes):
    """Tell whether a word of plain letters stands on either strand, by Python's own search."""
    return word in decode(codes) or word in decode(reverse_complement(codes))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    method=st.sampled_from(METHODS),
    gc=st.tuples(st.integers(0, 50), st.integers(5, 50)).map(lambda ends: (ends[0] / 100, min(1.0, (ends[0] + ends[1] + 5) / 100))),
    word=st.text("ACGT", min_size=3, max_size=6),
    protected=st.integers(0, 30),
    most=st.one_of(st.none(), st.integers(12, 40)),
)
def test_every_design_keeps_every_constraint(seed, method, gc, word, protected, most):
    codes = start(seed, 40)
    rules = Constraints(gc=gc, words=(word,), protected=((protected, protected + 10),), max_changes=most)
    try:
        found = design_sequences(Site("CACGTGA"), [codes], constraints=rules, search=Search(method=method, steps=6, population=8))
    except InputError:  # what is protected holds the word, or GC cannot be reached
        reject()
    made = found.codes[0]
    assert gc[0] - 1e-9 <= gc_content(made) <= gc[1] + 1e-9
    assert not occurs(word, made)
    assert (made[protected : protected + 10] == codes[protected : protected + 10]).all()
    assert (made != codes).sum() <= (40 if most is None else most)


@pytest.mark.parametrize("method", METHODS)
def test_protected_positions_never_change(method):
    weight, codes = weights(10), start(11)
    found = design_sequences(linear(weight), [codes], constraints=Constraints(protected=((0, 3), (8, 10))), search=Search(method=method))
    free = np.ones(LENGTH, dtype=bool)
    free[[0, 1, 2, 8, 9]] = False
    assert (found.codes[0][~free] == codes[~free]).all()
    assert (found.codes[0][free] == weight.argmax(0)[free]).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_forbidden_motif_has_no_hit(method):
    motif = Motif("ebox", np.eye(4)[:, encode("CACGTGA")] * 0.96 + 0.01)
    found = design_sequences(
        Site("CACGTGA"),
        [encode("TT" * 8 + "CACGTGA" + "TT" * 8)],
        constraints=Constraints(motifs=(motif,), pvalue=1e-4),
        search=Search(method=method, steps=20),
    )
    assert len(scan([motif], found.codes, pvalue=1e-4)) == 0
    assert 5 <= found.after[0] < 7


@pytest.mark.parametrize(
    ("word", "codes", "met"), [("RTC", "AAGTCAA", False), ("RTC", "AAGACAA", False), ("RTC", "AACTCAA", True), ("GGTACC", "AAGG", True)]
)
def test_words_are_read_as_iupac_on_both_strands(word, codes, met):
    assert Rules(Constraints(words=(word,)), encode(codes)).met(encode(codes)[None])[0] == met


@pytest.mark.parametrize("counted", ["ACACAC", "GGTACCGGTACC"])
def test_each_occurrence_counts_once_on_a_strand(counted):
    rules = Rules(Constraints(words=("GGTACC", "ACAC")), encode(counted))
    assert rules.excess(encode(counted)[None])[0] == 2


def test_what_is_wanted_most_survives_the_repair():
    rules = Rules(Constraints(max_changes=2), encode("AAAAAA"))
    wanted = np.zeros((4, 6))
    wanted[1, [1, 4]] = 5
    wanted[2, [0, 2, 3, 5]] = 1
    made = repair(rules, wanted.argmax(0).astype(np.uint8), np.random.default_rng(0), preference=wanted)
    assert decode(made) == "ACAACA"


def test_a_start_that_breaks_the_constraints_is_brought_under_them_with_few_changes():
    rules = Rules(Constraints(words=("GGTACC",), gc=(0.0, 0.5)), encode("GGTACCGGTACCTTTTTTTTTTTT"))
    made = feasible_start(rules, np.random.default_rng(0))
    assert rules.met(made[None])[0]
    assert (made != rules.start).sum() <= 4


# latents -------------------------------------------------------------------------------------------


def writer(n, seed=0):
    """Return a generator whose best latent is known: each base is read off a part of the latent of its own."""
    points = torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 4 * LENGTH)).astype(np.float32))
    return Writer(lambda latents: 3 * latents.view(-1, 4, LENGTH), points)


@pytest.mark.parametrize("method", sorted(LATENT_SEARCHES))
def test_latents_are_searched_towards_the_optimum_and_designs_keep_the_rules(method):
    weight = weights(12)
    rules = Constraints(gc=(0.4, 0.6), words=("AAA",))
    found = design_latents(linear(weight), writer(3), constraints=rules, search=Search(method=method, steps=150))
    best = best_with_gc(weight, 5, 7)
    assert (found.after > found.before).all()
    assert (found.after > 0.75 * best).all()
    assert all(0.4 <= gc_content(codes) <= 0.6 and not occurs("AAA", codes) for codes in found.codes)


@pytest.mark.parametrize("method", sorted(LATENT_SEARCHES))
def test_protected_bases_of_a_start_stay_whatever_the_generator_writes(method):
    codes = start(13)
    rules = Constraints(protected=((2, 6),), max_changes=4)
    found = design_latents(linear(weights(12)), writer(1), [codes], constraints=rules, search=Search(method=method, steps=30))
    assert (found.codes[0][2:6] == codes[2:6]).all()
    assert found.changes[0] <= 4


def test_a_first_latent_that_does_not_come_under_the_rules_ends_nothing(monkeypatch):
    answers = iter([None])
    monkeypatch.setattr("seqdl.interpret.latents.repair", lambda *given, **options: next(answers, given[1]))
    found = design_latents(linear(weights(12)), writer(1), [start(13)], search=Search(method="evolutionary", steps=10))
    assert found.after[0] > found.before[0]


# what cannot be --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gc": (0.6, 0.3)}, "the GC range is 0.6 to 0.3: two shares"),
        ({"gc": (0.46, 0.47)}, "no sequence of 12 bp has a GC content from 0.46 to 0.47: a range .* was expected. Widen it"),
        ({"gc": (0.9, 1.0), "max_changes": 1}, "it can be 0.0833 to 0.25: a range that meets these was expected"),
        ({"gc": (0.9, 1.0), "protected": ((0, 8),)}, "it can be 0.167 to 0.5: a range that meets these was expected"),
        ({"words": ("GGTXCC",)}, "the forbidden word 'GGTXCC' is no IUPAC word"),
        ({"words": ("GGTACC",), "protected": ((0, 8),)}, r"the protected bases 1:7 \(GGTACC\) hold the forbidden GGTACC: .* Protect fewer"),
        ({"words": ("N",)}, "no sequence near the start keeps the constraints .*; the start holds N. .* were expected. Forbid or protect less"),
        ({"protected": ((5, 5),)}, "the protected stretch 5:5 holds no base"),
        ({"protected": ((5, 15),)}, "the protected stretch 5:15 reaches past the end: the start has 12 bp"),
        ({"max_changes": -1}, "max_changes is -1: 0 or more was expected"),
        ({"pvalue": 2.0}, "the p-value of a forbidden hit is 2: a number between 0 and 1"),
    ],
)
def test_constraints_that_cannot_be_kept_are_said(options, message):
    codes = encode("AGGTACCATTTA" if "words" in options else "AATTCCAATTAT")
    with pytest.raises(InputError, match=message):
        design_sequences(linear(weights()), [codes], constraints=Constraints(**options))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"method": "annealing"}, "no search method named 'annealing'"), ({"towards": "up"}, "towards is 'up': 'max', 'min' or a number")],
)
def test_a_method_or_a_goal_that_is_none_is_said(options, message):
    how = Search(method=options.get("method", "greedy"))
    with pytest.raises((InputError, UnknownNameError), match=message):
        design_sequences(linear(weights()), [start()], towards=options.get("towards", "max"), search=how)


def test_an_unknown_base_an_empty_list_and_too_small_numbers_are_said():
    with pytest.raises(InputError, match="start 2: the start has an unknown base at position 3"):
        design_sequences(linear(weights(0, 4)), [encode("ACGT"), encode("ACNT")])
    with pytest.raises(InputError, match="there is no start to design from"):
        design_sequences(linear(weights()), [])
    with pytest.raises(InputError, match="population is 2: 4 or more was expected"):
        Search(population=2)
    with pytest.raises(InputError, match="towards is nan"):
        Goal(float("nan"))
