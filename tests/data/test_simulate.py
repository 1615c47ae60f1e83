from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqdl.data.genome import Genome
from seqdl.data.intervals import check_intervals
from seqdl.data.markov import markov_bases
from seqdl.data.simulate import Layout, simulate, write_simulation
from seqdl.errors import InputError, OutputExistsError
from seqdl.io.bed import read_bed
from seqdl.io.motifs import read_motifs
from seqdl.io.table import read_tsv
from seqdl.motif.motif import Motif


def motif_of(word, name, sharp=0.97):
    ppm = np.full((4, len(word)), (1 - sharp) / 3)
    for position, letter in enumerate(word):
        ppm["ACGT".index(letter), position] = sharp
    return Motif(name, ppm)


ONE, TWO, THREE = motif_of("TTACCCGGA", "one"), motif_of("GATTACAGC", "two"), motif_of("CCATATTAGG", "three")
DECOY = motif_of("AGGTCATGACCT", "decoy")


@pytest.fixture(scope="module")
def simulation():
    return simulate(motifs=[ONE, TWO, THREE], n_peaks=600, decoys=[DECOY], seed=1)


def sites(simulation, kind):
    return simulation.truth[simulation.truth["kind"] == kind]


def fetched(simulation, rows):
    return Genome.from_codes(simulation.genome).fetch(rows)


def gc_of(simulation, rows):
    return float(np.isin(fetched(simulation, rows), (1, 2)).mean())


def test_the_default_is_ten_chromosomes_of_two_to_three_megabases():
    made = simulate(motifs=[ONE, TWO])
    assert len(made.peaks) == 2000
    assert [len(codes) for codes in made.genome.values()] == [280_000] * 10
    assert set(made.peaks["end"] - made.peaks["start"]) == {200}
    assert made.peaks["chrom"].value_counts().eq(200).all()


def test_peaks_lie_apart_inside_their_chromosomes(simulation):
    check_intervals(simulation.peaks, {name: len(codes) for name, codes in simulation.genome.items()})
    gaps = simulation.peaks["start"] - simulation.peaks.groupby("chrom")["end"].shift()
    assert gaps.dropna().min() >= 200
    assert simulation.peaks["name"].is_unique


def test_the_truth_says_what_is_in_the_genome(simulation):
    for motif in (ONE, TWO, THREE, DECOY):
        found = fetched(simulation, simulation.truth[simulation.truth["motif"] == motif.name])
        assert len(found) > 100
        made = Motif.from_sites("again", found)
        assert np.abs(made.ppm - motif.ppm).max() < 0.08


def test_sites_do_not_overlap_and_lie_in_their_peak(simulation):
    truth = simulation.truth.sort_values(["chrom", "start"])
    assert ((truth["start"] - truth.groupby("chrom")["end"].shift()).dropna() >= 0).all()
    inside = truth[truth["peak"] != ""].merge(simulation.peaks, left_on="peak", right_on="name", suffixes=("", "_peak"))
    assert len(inside) == (truth["peak"] != "").sum()
    assert (inside["start"] >= inside["start_peak"]).all()
    assert (inside["end"] <= inside["end_peak"]).all()
    assert (inside["chrom"] == inside["chrom_peak"]).all()
    assert (sites(simulation, "site")["peak"] != "").all()


def test_peaks_have_none_to_three_sites_of_every_motif_and_strand(simulation):
    per_peak = simulation.peaks["name"].map(sites(simulation, "site").groupby("peak").size()).fillna(0)
    assert per_peak.max() == 3
    assert per_peak.eq(0).mean() == pytest.approx(0.02, abs=0.02)
    found = sites(simulation, "site")
    assert found["motif"].value_counts(normalize=True).between(0.27, 0.4).all()
    assert found["strand"].eq("+").mean() == pytest.approx(0.5, abs=0.06)


def test_decoys_are_as_frequent_in_peaks_as_outside(simulation):
    decoys = sites(simulation, "decoy")
    size = sum(map(len, simulation.genome.values()))
    in_peaks = (decoys["peak"] != "").sum() / (600 * 200)
    outside = (decoys["peak"] == "").sum() / (size - 600 * 200)
    assert in_peaks == pytest.approx(outside, rel=0.3)
    assert simulation.decoys == [DECOY]


@pytest.mark.parametrize("spacing", [0, 12])
def test_pairs_keep_their_spacing_in_peaks_and_stand_alone_outside(spacing):
    made = simulate(motifs=[ONE, TWO, THREE], n_peaks=400, pair_spacing=spacing)
    pairs = sites(made, "pair").sort_values(["chrom", "start"])
    left, right = pairs.iloc[::2].reset_index(), pairs.iloc[1::2].reset_index()
    assert len(left) > 100
    assert (right["start"] - left["end"] == spacing).all()
    assert (left["strand"] == right["strand"]).all()
    assert (left["motif"] == np.where(left["strand"] == "+", "one", "two")).all()
    assert set(sites(made, "site")["motif"]) == {"three"}
    lone = sites(made, "lone")
    assert set(lone["motif"]) == {"one", "two"}
    assert (lone["peak"] == "").all()
    size = sum(map(len, made.genome.values()))
    assert len(lone) / (size - 400 * 200) == pytest.approx(len(pairs) / (400 * 200), rel=0.1)


@pytest.mark.parametrize("bias", [0.1, -0.1])
def test_a_gc_bias_is_in_the_peaks_alone(bias):
    plain, biased = (simulate(motifs=[ONE], n_peaks=200, gc_bias=value) for value in (0, bias))
    assert gc_of(biased, biased.peaks) - gc_of(plain, plain.peaks) == pytest.approx(bias, abs=0.02)
    chromosome = pd.concat([pd.Series(codes) for codes in plain.genome.values()])
    assert chromosome.isin([1, 2]).mean() == pytest.approx(0.42, abs=0.01)


def test_peaks_without_bias_have_the_gc_of_the_genome():
    made = simulate(motifs=[motif_of("ACGTACGT", "half")], n_peaks=300)
    assert gc_of(made, made.peaks) == pytest.approx(0.42, abs=0.02)


def test_the_seed_decides():
    first, again, other = (simulate(motifs=[ONE], n_peaks=20, seed=seed) for seed in (5, 5, 6))
    assert all((first.genome[name] == again.genome[name]).all() for name in first.genome)
    pd.testing.assert_frame_equal(first.truth, again.truth)
    assert any((first.genome[name] != other.genome[name]).any() for name in first.genome)


def test_a_layout_sets_the_size():
    made = simulate(motifs=[ONE], n_peaks=9, layout=Layout(n_chromosomes=2, genome_length=10_000, peak_width=60, gc=0.6, sites_per_peak=(0.0, 1.0)))
    assert {name: len(codes) for name, codes in made.genome.items()} == {"chr1": 5_000, "chr2": 5_000}
    assert made.peaks["chrom"].value_counts().to_dict() == {"chr1": 5, "chr2": 4}
    assert len(made.truth) == 9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"motifs": []}, "no motifs to plant"),
        ({"motifs": [ONE], "layout": Layout(peak_width=5)}, "motif 'one' is 9 bp wide"),
        ({"motifs": [ONE], "pair_spacing": 3}, "there is one motif"),
        ({"motifs": [ONE, TWO], "pair_spacing": 190}, "takes 208 bp"),
        ({"motifs": [ONE], "n_peaks": 0}, "0 peaks on 10 chromosomes"),
        ({"motifs": [ONE], "gc_bias": 0.7}, "GC content of 0.42 with a bias of 0.7"),
        ({"motifs": [ONE], "layout": Layout(genome_length=10_000)}, r"2,000 peaks of 200 bp do not fit.*expected 20 at most"),
        ({"motifs": [ONE], "layout": Layout(sites_per_peak=(0.5, 0.6))}, "numbers of 0 or more that sum to 1"),
    ],
)
def test_what_cannot_be_simulated_says_why(options, message):
    with pytest.raises(InputError, match=message):
        simulate(**options)


def test_markov_bases_are_the_same_on_both_strands_and_not_uniform():
    bases = markov_bases(600_000, gc=0.4, rng=np.random.default_rng(0)).astype(int)
    words = np.bincount(bases[:-2] * 16 + bases[1:-1] * 4 + bases[2:], minlength=64).reshape(4, 4, 4) / len(bases)
    opposite = words[::-1, ::-1, ::-1].transpose(2, 1, 0)
    expected = np.einsum("i,j,k->ijk", *[np.array([0.3, 0.2, 0.2, 0.3])] * 3)
    assert np.abs(np.log(words / opposite)).max() < 0.25
    assert np.abs(np.log(words / expected)).max() > 0.1


def test_what_is_written_is_read_back(simulation, tmp_path):
    paths = write_simulation(tmp_path / "sim", simulation)
    assert sorted(path.name for path in (tmp_path / "sim").iterdir()) == ["decoys.meme", "genome.fa", "motifs.meme", "peaks.bed", "truth.tsv"]
    assert [path.name for path in tmp_path.iterdir()] == ["sim"]
    genome = Genome(paths["genome"])
    assert all((genome.codes(name) == codes).all() for name, codes in simulation.genome.items())
    peaks = read_bed(paths["peaks"])
    assert peaks[["chrom", "start", "end", "name"]].to_numpy().tolist() == simulation.peaks[["chrom", "start", "end", "name"]].to_numpy().tolist()
    truth = read_tsv(paths["truth"])
    assert list(truth.columns) == ["chrom", "start", "end", "strand", "motif", "peak", "kind"]
    assert len(truth) == len(simulation.truth)
    for motif, again in zip(simulation.motifs, read_motifs(paths["motifs"]), strict=True):
        assert np.abs(motif.ppm - again.ppm).max() < 1e-4


def test_nothing_is_overwritten_unasked(simulation, tmp_path):
    write_simulation(tmp_path, simulation, force=True)
    before = (tmp_path / "genome.fa").stat().st_mtime_ns
    with pytest.raises(OutputExistsError, match=r"already holds genome\.fa, peaks\.bed"):
        write_simulation(tmp_path, simulation)
    assert (tmp_path / "genome.fa").stat().st_mtime_ns == before
    write_simulation(tmp_path, simulation, force=True)
    with pytest.raises(OutputExistsError, match="is a file"):
        write_simulation(tmp_path / "genome.fa", simulation)


def test_a_failure_leaves_no_folder(simulation, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seqdl.data.simulate.write_tsv", fail)
    with pytest.raises(OSError, match="No space left"):
        write_simulation(tmp_path / "sim", simulation)
    assert not list(tmp_path.iterdir())
