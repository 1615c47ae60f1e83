"""Backgrounds against the chains and the sequences they are made after."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from seqdl.data.markov import fit_markov, walk
from seqdl.data.simulate import Layout, simulate
from seqdl.data.simulated_background import PIECE, Background
from seqdl.errors import InputError, UnknownNameError
from seqdl.motif.motif import Motif

RNG = np.random.default_rng
MOTIF = Motif("m1", np.eye(4) * 0.96 + 0.01)


def words(codes, k):
    """Count the words of k bases."""
    codes = np.asarray(codes, dtype=np.int64)
    number = sum(codes[i : len(codes) - k + 1 + i] * 4 ** (k - 1 - i) for i in range(k))
    return np.bincount(number, minlength=4**k)


def test_uniform_bases_are_uniform_and_independent():
    codes = Background("uniform").draw(200_000, gc=0.42, rng=RNG(0))
    assert chisquare(words(codes[: len(codes) // 2 * 2].reshape(-1, 2)[:, 0], 1)).pvalue > 1e-4
    pairs = codes[: len(codes) // 2 * 2].reshape(-1, 2).astype(int)
    assert chisquare(np.bincount(pairs[:, 0] * 4 + pairs[:, 1], minlength=16)).pvalue > 1e-4


@pytest.mark.parametrize("order", [0, 1, 3])
def test_a_chain_is_fitted_to_what_it_was_drawn_from(order):
    truth = RNG(order).dirichlet(np.full(4, 3.0), 4**order)
    codes = walk(truth, 600_000, rng=RNG(1), start=np.zeros(64, dtype=np.int64))
    weights, counts = fit_markov([codes], order)
    assert np.abs(weights - truth).max() < 0.02
    assert counts.sum() == len(codes) - order


@pytest.mark.parametrize("order", [0, 2])
def test_counts_of_words_are_those_of_counting_by_hand(order):
    codes = RNG(2).integers(0, 5, 400).astype(np.uint8)
    _, counts = fit_markov([codes[:150], codes[150:]], order)
    by_hand = np.zeros(4**order, dtype=int)
    for piece in (codes[:150], codes[150:]):
        for i in range(len(piece) - order):
            word = piece[i : i + order + 1]
            if (word < 4).all():
                by_hand[int("0" + "".join(map(str, word[:-1])), 4)] += 1
    assert counts.tolist() == by_hand.tolist()


def test_a_markov_background_has_the_words_of_its_source():
    source = walk(RNG(3).dirichlet(np.full(4, 2.0), 16), 300_000, rng=RNG(4), start=np.zeros(8, dtype=np.int64))
    drawn = Background("markov", [source], order=2).draw(300_000, gc=0.42, rng=RNG(5))
    (real, n_real), (made, n_made) = (fit_markov([codes], 2) for codes in (source, drawn))
    often = np.minimum(n_real, n_made) > 4_000
    assert often.sum() > 8
    assert np.abs(real - made)[often].max() < 0.04  # five standard errors
    assert np.abs(words(source, 1) - words(drawn, 1)).max() < 0.01 * len(source)


def test_every_stretch_of_a_dinucleotide_background_has_the_dinucleotides_of_a_real_one():
    source = [RNG(6).choice(4, 180, p=[0.4, 0.1, 0.2, 0.3]).astype(np.uint8) for _ in range(5)]
    drawn = Background("dinuc", source).draw(180 * 20, gc=0.42, rng=RNG(7)).reshape(20, 180)
    real = {words(codes, 2).tobytes() for codes in source}
    assert all(words(piece, 2).tobytes() in real for piece in drawn)
    assert not any((piece == codes).all() for piece in drawn for codes in source)


def test_long_sequences_are_shuffled_in_stretches_and_those_with_n_are_passed_over():
    source = RNG(8).integers(0, 4, 50_000, dtype=np.uint8)
    source[:20_000] = 4
    source[20_000:35_000][source[20_000:35_000] > 1] = 0  # one half of what is left without G and T
    drawn = Background("dinuc", [source]).draw(40 * PIECE, gc=0.42, rng=RNG(9)).reshape(-1, PIECE)
    assert drawn.max() < 4
    assert {0.0} < {round(float((piece > 1).mean()), 1) for piece in drawn}


@pytest.mark.parametrize("kind", ["uniform", "markov", "dinuc"])
def test_a_genome_is_made_of_the_background_and_the_bias_is_on_top_of_it(kind):
    source = RNG(10).choice(4, 30_000, p=[0.15, 0.35, 0.35, 0.15]).astype(np.uint8)
    background = Background(kind, [source] if kind != "uniform" else ())
    made = simulate(motifs=[MOTIF], n_peaks=100, gc_bias=0.1, layout=Layout(background=background), seed=1)
    gc = 0.5 if kind == "uniform" else 0.7
    genome = np.concatenate(list(made.genome.values()))
    assert np.isin(genome, (1, 2)).mean() == pytest.approx(gc + 0.1 / 7, abs=0.01)
    peaks = np.concatenate([made.genome[row.chrom][row.start : row.end] for row in made.peaks.itertuples()])
    assert np.isin(peaks, (1, 2)).mean() == pytest.approx(gc + 0.1, abs=0.02)


def test_what_cannot_be_a_background_says_why():
    with pytest.raises(UnknownNameError, match=r"no background named 'markow'\. Did you mean 'markov'"):
        Background("markow")
    with pytest.raises(InputError, match="of the kind dinuc was asked for without sequences"):
        Background("dinuc")
    with pytest.raises(InputError, match="for a background of the kind uniform, which reads none"):
        Background("uniform", [np.zeros(9, dtype=np.uint8)])
    with pytest.raises(InputError, match="hold no base but N"):
        Background("dinuc", [np.full(9, 4, dtype=np.uint8)]).gc(0.4)
    with pytest.raises(InputError, match="is without N; expected some"):
        Background("dinuc", [np.full(9, 4, dtype=np.uint8)]).draw(9, gc=0.4, rng=RNG(0))
    with pytest.raises(InputError, match="the order is 11; expected 0 to 10"):
        fit_markov([np.zeros(50, dtype=np.uint8)], 11)
    with pytest.raises(InputError, match="hold no word of 4 bases"):
        fit_markov([np.zeros(3, dtype=np.uint8)], 3)
