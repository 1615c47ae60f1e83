from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from seqdl.data.background import sample_background
from seqdl.data.genome import Genome
from seqdl.data.intervals import clip_to_genome, overlaps, resize
from seqdl.errors import DataError, InputError
from seqdl.io.bed import read_bed
from seqdl.ledger import Ledger

MATCHES = ["gc", "genomic", "flank"]


def gc_of(genome, intervals):
    return np.isin(genome.fetch(intervals), (1, 2)).mean(axis=1)


def gc_auroc(genome, peaks, background):
    scores = np.r_[gc_of(genome, peaks), gc_of(genome, background)]
    return roc_auc_score(np.r_[np.ones(len(peaks)), np.zeros(len(background))], scores)


def any_overlap_within(intervals):
    ordered = intervals.sort_values(["chrom", "start"])
    return ((ordered["start"] < ordered["end"].shift()) & (ordered["chrom"] == ordered["chrom"].shift())).any()


@pytest.fixture(scope="module")
def yeast(shared_data):
    return Genome(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz")


@pytest.fixture(scope="module")
def reb1(yeast, shared_data):
    return clip_to_genome(resize(read_bed(shared_data / "yeast_peaks_dev" / "Reb1.sacCer3.bed"), 200), yeast.lengths)


@pytest.fixture(scope="module")
def genome():
    """Return two chromosomes whose GC content changes along their length, with a run of N."""
    rng = np.random.default_rng(3)
    codes = {}
    for name, size in (("a", 60_000), ("b", 30_000)):
        strong = rng.random(size) < np.repeat(rng.uniform(0.25, 0.6, size // 500), 500)
        codes[name] = np.where(strong, rng.integers(1, 3, size), 3 * rng.integers(0, 2, size)).astype(np.uint8)
    codes["a"][20_000:22_000] = 4
    return Genome.from_codes(codes)


@pytest.fixture(scope="module")
def peaks(genome):
    rng = np.random.default_rng(4)
    rows = [
        (chrom, start, start + 100)
        for chrom, n in (("a", 30), ("b", 15))
        for start in (rng.choice(150, n, replace=False) * 100 + 23_000 * (chrom == "a")).tolist()
    ]
    return pd.DataFrame(rows, columns=["chrom", "start", "end"]).assign(strand=lambda t: np.where(t["start"] % 200 == 0, "+", "-"))


@pytest.mark.parametrize("ratio", [2, 20])
def test_gc_alone_tells_nothing_on_yeast_whatever_chromosomes_are_held_out(yeast, reb1, ratio):
    background = sample_background(reb1, yeast, ratio=ratio)
    assert not overlaps(background, reb1).any()
    assert background["chrom"].value_counts().to_dict() == (reb1["chrom"].value_counts() * ratio).to_dict()
    chromosomes = list(reb1["chrom"].unique())
    held_out = [[chrom] for chrom in chromosomes] + [chromosomes[fold::4] for fold in range(4)] + [chromosomes]
    for chroms in held_out:
        one, other = (table[table["chrom"].isin(chroms)] for table in (reb1, background))
        assert abs(gc_auroc(yeast, one, other) - 0.5) < 0.03
    repeated = background.duplicated(["chrom", "start"]).sum()
    assert repeated == 0


def test_background_of_yeast_overlaps_itself_only_where_gc_is_extreme(yeast, reb1):
    ledger = Ledger()
    background = sample_background(reb1, yeast, ratio=2, ledger=ledger)
    ordered = background.sort_values(["chrom", "start"])
    touching = (ordered["start"] < ordered["end"].shift()) & (ordered["chrom"] == ordered["chrom"].shift())
    assert touching.sum() <= 5
    assert all(note.split()[0].isdigit() for note in ledger.notes)


@pytest.mark.parametrize("match", MATCHES)
def test_background_keeps_lengths_and_ratio_and_touches_nothing(genome, peaks, match):
    exclude = pd.DataFrame({"chrom": ["a", "zz"], "start": [40_000, 0], "end": [45_000, 9]})
    background = sample_background(peaks, genome, match, ratio=3, exclude=exclude)
    assert len(background) == 3 * len(peaks)
    assert (background["end"] - background["start"] == 100).all()
    assert background["chrom"].value_counts().to_dict() == {"a": 90, "b": 45}
    assert not overlaps(background, peaks).any()
    assert not overlaps(background, exclude).any()
    assert not any_overlap_within(background)
    assert (genome.fetch(background) < 4).all()
    assert list(background.columns) == ["chrom", "start", "end", "name", "score", "strand"]
    assert background["name"].is_unique
    assert background["strand"].value_counts().to_dict() == (peaks["strand"].value_counts() * 3).to_dict()


@pytest.mark.parametrize("match", MATCHES)
def test_the_seed_decides_and_nothing_else(genome, peaks, match):
    first, again, other = (sample_background(peaks, genome, match, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    one = sample_background(peaks[peaks["chrom"] == "b"], genome, match, seed=1)
    assert one[["start", "end"]].to_numpy().tolist() == first.loc[first["chrom"] == "b", ["start", "end"]].to_numpy().tolist()


def test_gc_is_matched_base_for_base_where_there_is_room(genome, peaks):
    background = sample_background(peaks, genome, ratio=1)
    for chrom in ("a", "b"):
        mine, theirs = (sorted(gc_of(genome, table[table["chrom"] == chrom])) for table in (peaks, background))
        assert np.allclose(mine, theirs, atol=0.011)
        assert np.mean(np.isclose(mine, theirs)) > 0.9


def test_genomic_background_follows_the_genome_not_the_peaks(yeast, shared_data):
    peaks = clip_to_genome(resize(read_bed(shared_data / "yeast_peaks_dev" / "Sua7.sacCer3.bed"), 200), yeast.lengths).iloc[:800]
    assert gc_auroc(yeast, peaks, sample_background(peaks, yeast, "genomic")) < 0.4  # promoters are poor in GC
    assert gc_auroc(yeast, peaks, sample_background(peaks, yeast, "gc")) == pytest.approx(0.5, abs=0.01)


def test_flanks_lie_near_their_peak_but_not_beside_it(genome):
    peak = pd.DataFrame({"chrom": ["b"], "start": [15_000], "end": [15_100]})
    starts = sample_background(peak, genome, "flank", ratio=4)["start"].to_numpy()
    assert sorted(np.abs(starts - 15_000)) == [150, 150, 250, 250]


def test_peaks_of_many_lengths_get_background_of_theirs(genome):
    rng = np.random.default_rng(0)
    start = np.arange(24_000, 54_000, 1_000)
    peaks = pd.DataFrame({"chrom": "a", "start": start, "end": start + rng.integers(50, 300, len(start))})
    background = sample_background(peaks, genome, ratio=2)
    widths = [(table["end"] - table["start"]).to_numpy() for table in (peaks, background)]
    assert sorted(widths[0].repeat(2)) == sorted(widths[1])
    assert not any_overlap_within(background)
    assert not overlaps(background, peaks).any()


def test_where_room_is_short_background_overlaps_itself_before_it_goes_missing():
    rng = np.random.default_rng(0)
    genome = Genome.from_codes({"a": rng.integers(0, 4, 3_000, dtype=np.uint8)})
    peaks = pd.DataFrame({"chrom": "a", "start": [100, 1_500], "end": [300, 1_700]})
    ledger = Ledger()
    background = sample_background(peaks, genome, ratio=20, ledger=ledger)
    assert len(background) == 40
    assert not background.duplicated(["start"]).any()
    assert not overlaps(background, peaks).any()
    assert any("overlap another" in note for note in ledger.notes)


def test_a_shortage_is_noted_and_only_total_want_is_an_error():
    rng = np.random.default_rng(0)
    genome = Genome.from_codes({"a": rng.integers(0, 4, 5_000, dtype=np.uint8), "tiny": rng.integers(0, 4, 110, dtype=np.uint8)})
    ledger = Ledger()
    peaks = pd.DataFrame({"chrom": ["a", "tiny"], "start": [100, 0], "end": [200, 100]})
    assert len(sample_background(peaks, genome, ledger=ledger)) == 2
    assert ledger.notes == ["2 of 4 background intervals were found; there was no room for more on tiny"]
    with pytest.raises(DataError, match="no background window was found for 1 peaks"):
        sample_background(peaks.iloc[1:], genome)


def test_a_poor_match_is_noted():
    codes = np.zeros(5_000, dtype=np.uint8)
    codes[:100] = 1  # the only place with GC is the peak
    ledger = Ledger()
    sample_background(pd.DataFrame({"chrom": ["a"], "start": [0], "end": [100]}), Genome.from_codes({"a": codes}), ledger=ledger)
    assert ledger.notes == ["2 of 2 background intervals differ by more than 2 % GC from their peak; their chromosome has no closer window"]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"match": "GC"}, "no background is called 'GC'"), ({"ratio": 0}, "ratio is 0"), ({"ratio": 1.5}, "ratio is 1.5")],
)
def test_options_out_of_range_are_refused(genome, peaks, options, message):
    with pytest.raises(InputError, match=message):
        sample_background(peaks, genome, **options)


def test_no_peaks_and_foreign_peaks_are_refused(genome, peaks):
    with pytest.raises(DataError, match="no peaks to sample background for"):
        sample_background(peaks.iloc[:0], genome)
    with pytest.raises(InputError, match="does not have: chr9"):
        sample_background(peaks.assign(chrom="chr9"), genome)
