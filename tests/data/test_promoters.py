"""Simulated promoters: what is planted is what the truth says, where it says."""

from __future__ import annotations

import numpy as np
import pytest

from seqdl.data.promoters import promoter_elements, simulate_promoters
from seqdl.errors import InputError
from seqdl.evaluate.motif_content import compare_motifs
from seqdl.evaluate.spectra import jensen_shannon, kmer_spectrum
from seqdl.sequence.edit import reverse_complement


@pytest.fixture(scope="module")
def drawn():
    return simulate_promoters(4_000, seed=1)


def test_every_site_of_the_truth_reads_as_its_motif(drawn):
    codes, truth = drawn
    for element in promoter_elements():
        rows = truth[truth["motif"] == element.motif.name]
        sites = np.stack([codes[row.sequence, row.start : row.end] for row in rows.itertuples()])
        minus = (rows["strand"] == "-").to_numpy()
        sites[minus] = reverse_complement(sites[minus])
        frequencies = np.stack([(sites == base).mean(axis=0) for base in range(4)])
        assert np.abs(frequencies - element.motif.ppm).max() < 0.05
        assert (rows.groupby("sequence").size() == 1).all()
        assert len(rows) / 4_000 == pytest.approx(element.probability, abs=0.03)
        assert minus.mean() == pytest.approx(0.5 if element.both_strands else 0, abs=0.04)


def test_tata_and_inr_stand_at_their_places_and_the_others_anywhere(drawn):
    _, truth = drawn
    starts = {name: rows["start"] for name, rows in truth.groupby("motif")}
    assert set(starts["TATA"]) == {15, 16, 17, 18, 19}
    assert starts["TATA"].mode()[0] == 17
    assert set(starts["Inr"]) == {45, 46, 47}
    assert (starts["E-box"].min(), starts["E-box"].max()) == (0, 58)
    assert len(set(starts["ETS"])) > 45


def test_no_two_sites_overlap(drawn):
    _, truth = drawn
    order = truth.sort_values(["sequence", "start"])
    same = order["sequence"].to_numpy()[1:] == order["sequence"].to_numpy()[:-1]
    assert (order["start"].to_numpy()[1:] >= order["end"].to_numpy()[:-1])[same].all()


def test_a_seed_repeats_and_another_draws_from_the_same_distribution(drawn):
    codes, _ = drawn
    again, other = simulate_promoters(4_000, seed=1)[0], simulate_promoters(4_000, seed=2)[0]
    assert (codes == again).all()
    assert (codes != other).any()
    assert jensen_shannon(kmer_spectrum(codes, 3), kmer_spectrum(other, 3)) < 3e-4
    few = np.concatenate([simulate_promoters(100, seed=seed)[0] for seed in range(3, 43)])
    assert jensen_shannon(kmer_spectrum(codes, 3), kmer_spectrum(few, 3)) < 3e-4


def test_rates_and_places_of_another_draw_are_those_of_real_ones(drawn):
    elements = promoter_elements()
    other = simulate_promoters(4_000, seed=9)[0]
    found = compare_motifs(other, drawn[0], [element.motif for element in elements])
    assert [match.name for match in found] == ["TATA", "Inr", "E-box", "ETS"]
    assert all(0.88 < match.ratio < 1.12 for match in found)
    assert min(found[0].position_r, found[1].position_r) > 0.97


@pytest.mark.parametrize(("words", "said"), [({"n": 0}, "n is 0"), ({"n": 3, "length": 40}, "length is 40 bp; 60 bp or more")])
def test_what_cannot_be_made_is_refused(words, said):
    with pytest.raises(InputError, match=said):
        simulate_promoters(**words, seed=0)
