"""Grammars of planted sites against what the truth table and the genome say."""

from __future__ import annotations

import numpy as np
import pytest

from seqdl.data.planting import Pairing
from seqdl.data.simulate import Layout, simulate, write_simulation
from seqdl.data.simulated_tables import Counts
from seqdl.errors import InputError, UnknownNameError
from seqdl.io.table import read_tsv
from seqdl.motif.motif import Motif
from seqdl.sequence.edit import reverse_complement


def motif_of(word, name):
    return Motif(name, np.eye(4)[:, ["ACGT".index(letter) for letter in word]] * 0.9999 + 0.000025)


ONE, TWO, THREE = motif_of("TTACCCGGA", "one"), motif_of("GATTACAGC", "two"), motif_of("CCATATTAGG", "three")
WAYS = {"same": {("one", "two", "++"), ("two", "one", "--")}, "facing": {("one", "two", "+-"), ("two", "one", "+-")}}
WAYS["away"] = {("one", "two", "-+"), ("two", "one", "-+")}
WAYS["any"] = set.union(*WAYS.values())


def pairs_of(made, kind):
    """Return spacing, names and strands of the two sites of each pair, from left to right."""
    table = made.truth[made.truth["kind"] == kind]
    left, right = table.iloc[::2].reset_index(), table.iloc[1::2].reset_index()
    assert (left["chrom"] == right["chrom"]).all()
    return (right["start"] - left["end"]).tolist(), list(zip(left["motif"], right["motif"], left["strand"] + right["strand"], strict=True))


@pytest.mark.parametrize("orientation", list(WAYS))
def test_pairs_keep_their_range_of_spacings_and_their_orientation(orientation):
    made = simulate(motifs=[ONE, TWO, THREE], n_peaks=400, pair_spacing=Pairing((3, 6), orientation), seed=2)
    spacings, ways = pairs_of(made, "pair")
    assert set(spacings) == {3, 4, 5, 6}
    assert set(ways) == WAYS[orientation]
    assert all(spacings.count(spacing) > len(spacings) / 6 for spacing in range(3, 7))


@pytest.mark.parametrize(("spacing", "orientation"), [((3, 6), "same"), ((0, 182), "facing"), ((3, 6), "any")])
def test_pairs_outside_stand_as_no_pair_in_a_peak_does(spacing, orientation):
    made = simulate(motifs=[ONE, TWO, THREE], n_peaks=400, pair_spacing=Pairing(spacing, orientation, "rearranged"), seed=3)
    table = made.truth[made.truth["kind"] == "rearranged"]
    assert (table["peak"] == "").all()
    spacings, ways = pairs_of(made, "rearranged")
    assert len(spacings) > 200
    assert all(not spacing[0] <= n <= spacing[1] or way not in WAYS[orientation] for n, way in zip(spacings, ways, strict=True))
    if orientation == "same":
        assert set(ways) > WAYS["same"]
    inside = {(row.chrom, row.start // 200) for row in made.peaks.itertuples()}
    assert inside
    for row in table.itertuples():
        peaks = made.peaks[made.peaks["chrom"] == row.chrom]
        assert not ((peaks["start"] < row.end) & (row.start < peaks["end"])).any()


@pytest.mark.parametrize("kind", ["site", "pair", "rearranged", "decoy"])
def test_every_planted_site_is_in_the_genome_on_its_strand(kind):
    made = simulate(motifs=[ONE, TWO, THREE], n_peaks=200, decoys=[ONE], pair_spacing=Pairing((3, 6), "any", "rearranged"), seed=4)
    words = {motif.name: motif.ppm.argmax(axis=0) for motif in (ONE, TWO, THREE)}
    table = made.truth[made.truth["kind"] == kind]
    found = []
    for row in table.itertuples():
        codes = made.genome[row.chrom][row.start : row.end]
        found.append(np.array_equal(reverse_complement(codes) if row.strand == "-" else codes, words[row.motif]))
    assert len(found) > 50
    assert np.mean(found) > 0.99


def test_one_of_the_motifs_stands_in_every_peak_where_one_is_asked_for():
    made = simulate(motifs=[ONE, TWO, THREE], n_peaks=150, layout=Layout(sites_per_peak=(0.0, 1.0)))
    assert made.truth.groupby("peak").size().eq(1).all()
    assert set(made.truth["peak"]) == set(made.peaks["name"])
    assert made.truth["motif"].value_counts().between(30, 70).all()


def test_counts_follow_from_the_sites_and_are_poisson():
    made = simulate(motifs=[ONE, TWO, THREE], n_peaks=1500, pair_spacing=5, layout=Layout(counts=Counts(10, 2)), seed=5)
    table, truth = made.counts, made.truth[made.truth["peak"] != ""]
    weight = truth["kind"].map({"site": 1.0, "pair": 0.5})
    n_sites = weight.groupby(truth["peak"]).sum().reindex(table["id"]).fillna(0).to_numpy()
    np.testing.assert_allclose(table["expected"], 10 * 2.0**n_sites)
    assert made.peaks["score"].tolist() == table["count"].tolist()
    deviance = (table["count"] - table["expected"]) / np.sqrt(table["expected"])
    assert abs(deviance.mean()) < 0.1
    assert deviance.var() == pytest.approx(1, abs=0.15)
    assert set(table["split"]) == {"train", "val", "test"}
    assert (made.peaks.groupby("chrom")["name"].apply(lambda names: table.set_index("id").loc[names, "split"].nunique()) == 1).all()


def test_counts_are_written_beside_the_rest_and_only_where_there_are_any(tmp_path):
    made = simulate(motifs=[ONE], n_peaks=20, layout=Layout(counts=Counts()))
    paths = write_simulation(tmp_path / "sim", made)
    read = read_tsv(paths["counts"])
    assert read["sequence"].str.len().eq(200).all()
    assert read["count"].astype(int).tolist() == made.counts["count"].tolist()
    assert "counts" not in write_simulation(tmp_path / "plain", simulate(motifs=[ONE], n_peaks=20))


def test_a_genome_of_too_few_chromosomes_to_split_trains_on_all_counts():
    made = simulate(motifs=[ONE], n_peaks=20, layout=Layout(n_chromosomes=1, counts=Counts()))
    assert set(made.counts["split"]) == {"train"}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Pairing((-1, 5)), InputError, "spaced -1 to 5 bp apart"),
        (lambda: Pairing((6, 5)), InputError, "the smaller number first"),
        (lambda: Pairing((1, 5), "sam"), UnknownNameError, "no orientation named 'sam'. Did you mean 'same'"),
        (lambda: Pairing((1, 5), "same", "alone"), UnknownNameError, "no way to stand outside named 'alone'. Did you mean 'lone'"),
        (lambda: Counts(base=0), InputError, "a base of 0 and a fold of 2"),
        (lambda: simulate(motifs=[ONE, TWO], pair_spacing=Pairing((0, 182), "any", "rearranged")), InputError, "expected another one to be left"),
    ],
)
def test_what_is_no_grammar_says_why(make, error, message):
    with pytest.raises(error, match=message):
        make()
