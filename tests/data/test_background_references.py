"""Sampled background against bioframe, scipy and scikit-learn."""

from __future__ import annotations

import bioframe
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare, kstest
from sklearn.metrics import roc_auc_score

from seqdl.data.background import sample_background
from seqdl.data.genome import Genome

MATCHES = ["gc", "genomic", "flank"]
PLACE = ["chrom", "start", "end"]
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.filterwarnings("ignore:The inplace keyword")]  # within bioframe


@pytest.fixture(scope="module")
def genome():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 200_000, dtype=np.uint8)
    codes[60_000:70_000] = 4
    return Genome.from_codes({"chrI": codes, "chrII": rng.choice(4, 80_000, p=[0.2, 0.3, 0.3, 0.2]).astype(np.uint8)})


def peaks_of(widths, seed=1):
    rng = np.random.default_rng(seed)
    start = np.concatenate([rng.permutation(55)[:40] * 1_000 + 500, rng.permutation(70)[:20] * 1_000 + 500])
    return pd.DataFrame({"chrom": ["chrI"] * 40 + ["chrII"] * 20, "start": start, "end": start + rng.choice(widths, 60)})


BLACKLIST = pd.DataFrame({"chrom": ["chrI", "chrI", "chrII"], "start": [80_000, 80_100, 0], "end": [95_000, 80_200, 9_000]})


@pytest.mark.parametrize("match", MATCHES)
def test_bioframe_finds_no_overlap_with_peaks_blacklist_or_n(genome, match):
    peaks = peaks_of([200])
    found = sample_background(peaks, genome, match, ratio=3, exclude=BLACKLIST)
    unknown = pd.DataFrame({"chrom": ["chrI"], "start": [60_000], "end": [70_000]})
    for away in (peaks, BLACKLIST, unknown):
        assert bioframe.count_overlaps(found[PLACE], away)["count"].sum() == 0
    assert bioframe.count_overlaps(peaks, BLACKLIST)["count"].sum() > 0  # a peak may lie there: only the background keeps away


@pytest.mark.parametrize("match", MATCHES)
def test_background_has_the_lengths_of_its_peaks(genome, match):
    peaks = peaks_of([60, 200, 350])
    found = sample_background(peaks, genome, match, ratio=2)
    for chrom in ("chrI", "chrII"):
        mine, theirs = ((table["end"] - table["start"])[table["chrom"] == chrom].value_counts() for table in (peaks, found))
        assert theirs.to_dict() == (mine * 2).to_dict()


def test_genomic_background_is_uniform_over_what_is_free(genome):
    peaks = pd.DataFrame({"chrom": ["chrI"] * 60, "start": np.arange(60) * 800, "end": np.arange(60) * 800 + 100})
    starts = np.concatenate([sample_background(peaks, genome, "genomic", ratio=1, seed=seed)["start"] for seed in range(30)])
    free = (starts >= 70_000) & (starts < 199_900)  # beyond the peaks and the run of N
    assert kstest((starts[free] - 70_000) / 129_900, "uniform").pvalue > 1e-3
    assert chisquare(np.bincount((starts[free] - 70_000) * 20 // 129_900, minlength=20)).pvalue > 1e-3


def test_flanks_are_the_nearest_free_windows_as_bioframe_measures_them(genome):
    peaks = pd.DataFrame({"chrom": ["chrI"] * 20, "start": np.arange(20) * 3_000 + 1_000, "end": np.arange(20) * 3_000 + 1_200})
    found = sample_background(peaks, genome, "flank", ratio=2)
    distance = bioframe.closest(found[PLACE], peaks)["distance"].to_numpy(dtype=int)
    assert set(distance) == {100}  # half a window on either side


def test_gc_of_matched_background_tells_nothing_where_that_of_other_background_does(genome):
    rng = np.random.default_rng(2)
    codes = {name: genome.codes(name).copy() for name in genome}
    rich = np.arange(100_000, 190_000, 1_500)
    for start in rich:
        piece = codes["chrI"][start : start + 200]
        piece[rng.random(200) < 0.4] = 1
    made = Genome.from_codes(codes)
    peaks = pd.DataFrame({"chrom": "chrI", "start": rich[::2], "end": rich[::2] + 200})

    def auroc(match):
        found = sample_background(peaks, made, match, ratio=1)
        gc = [np.isin(made.fetch(table), (1, 2)).mean(axis=1) for table in (peaks, found)]
        return roc_auc_score(np.repeat([1, 0], [len(gc[0]), len(gc[1])]), np.concatenate(gc))

    assert auroc("genomic") > 0.9
    assert auroc("gc") == pytest.approx(0.5, abs=0.06)
