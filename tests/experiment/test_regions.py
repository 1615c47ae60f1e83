"""Windows of a genome with signals, labels or nothing: against pyBigWig and against labels painted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome
from seqdl.data.intervals import tile
from seqdl.errors import DataError, InputError
from seqdl.experiment.config import make_config
from seqdl.experiment.prepare import prepare, resolve_data, resolve_strands
from seqdl.io.gff import read_gff
from seqdl.io.signal import open_signal
from seqdl.sequence.encode import decode

pybigwig = pytest.importorskip("pyBigWig")

LENGTHS = {"chrI": 600, "chrII": 500, "chrIII": 400, "chrIV": 300}


@pytest.fixture
def genome(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{chrom}\n{decode(rng.integers(0, 4, n).astype(np.uint8))}\n" for chrom, n in LENGTHS.items()))
    return path


def write_signal(path, lengths=None):
    lengths = lengths or LENGTHS
    rng = np.random.default_rng(1)
    with pybigwig.open(str(path), "w") as handle:
        handle.addHeader(list(lengths.items()))
        for chrom, n in lengths.items():
            starts = np.arange(0, n - 50, 10)  # the last bases have no value
            handle.addEntries([chrom] * len(starts), starts.tolist(), ends=(starts + 10).tolist(), values=rng.poisson(3, len(starts)).astype(float))
    return path


@pytest.fixture
def signal(tmp_path):
    return write_signal(tmp_path / "cover.bw")


@pytest.fixture
def labels(tmp_path):
    rows = [("chrI", 11, 60, "+", "gene"), ("chrI", 21, 40, "+", "CDS"), ("chrIII", 101, 200, "-", "CDS")]  # 1-based, both ends in
    path = tmp_path / "genes.gff3"
    path.write_text("".join(f"{c}\tx\t{kind}\t{s}\t{e}\t.\t{strand}\t.\tID=a\n" for c, s, e, strand, kind in rows))
    return path


def made(genome, *, task="auto", strands=None, whole=False, **data):
    config = make_config({"data": {"genome": str(genome), "window": 100, **data}, "task": task, "strands": strands})
    return prepare(config, whole=whole)


def values(path, table, by="chrom"):
    with pybigwig.open(str(path)) as handle:
        rows = zip(table[by], table["start"], table["end"], strict=True)
        return np.array([np.nan_to_num(handle.values(chrom, int(start), int(end), numpy=True)) for chrom, start, end in rows])


def test_totals_of_a_signal_are_those_of_pybigwig_in_windows_side_by_side(genome, signal):
    data = made(genome, signal=[str(signal)])
    assert data.kind == "regression"
    assert data.counts
    assert data.outputs == ["cover"]
    assert len(data) == sum(n // 100 for n in LENGTHS.values())
    np.testing.assert_allclose(data.examples["cover"], values(signal, data.examples).sum(axis=1), rtol=1e-6)


def test_windows_are_cut_around_regions_where_there_are_some(genome, signal, tmp_path):
    (tmp_path / "r.bed").write_text("".join(f"{chrom}\t{start}\t{start + 20}\n" for chrom in LENGTHS for start in (90, 120)))
    data = made(genome, signal=[str(signal)], regions=str(tmp_path / "r.bed"))
    assert set(data.examples["start"]) == {50, 80}
    np.testing.assert_allclose(data.examples["cover"], values(signal, data.examples).sum(axis=1), rtol=1e-6)


def test_a_signal_that_is_read_beside_the_bases_makes_tracks(genome, signal, tmp_path):
    other = write_signal(tmp_path / "low.bw")
    data = made(genome, signal=[str(signal)], input_signal=[str(other)])
    assert data.kind == "signal"
    np.testing.assert_allclose(data.tracks[:, 0], values(signal, data.examples), rtol=1e-6)
    np.testing.assert_allclose(data.signal[:, 0], values(other, data.examples), rtol=1e-6)
    np.testing.assert_allclose(data.examples["cover"], data.tracks.sum(axis=(1, 2)), rtol=1e-6)


def test_labels_are_painted_over_every_base(genome, labels):
    data = made(genome, labels=str(labels), label_features=["CDS"])
    assert data.kind == "labels"
    assert data.outputs == ["CDS"]
    first = data.tracks[(data.examples["chrom"] == "chrI") & (data.examples["start"] == 0)][0, 0]
    np.testing.assert_array_equal(np.flatnonzero(first), np.arange(20, 40))
    third = data.tracks[(data.examples["chrom"] == "chrIII") & (data.examples["start"] == 100)][0, 0]
    assert third.all()
    np.testing.assert_allclose(data.examples["CDS"], data.tracks[:, 0].mean(axis=1))


def test_several_features_make_several_outputs(genome, labels):
    assert made(genome, labels=str(labels)).outputs == ["CDS", "gene"]


def test_a_bed_of_labels_is_named_by_its_file(genome, tmp_path):
    (tmp_path / "open.bed").write_text("chrI\t5\t10\n")
    data = made(genome, labels=str(tmp_path / "open.bed"))
    assert data.outputs == ["open"]
    assert data.tracks.sum() == 5


def test_a_task_without_labels_takes_windows_as_they_are(genome):
    data = made(genome, task="masked")
    assert data.kind == "none"
    assert data.targets().shape == (len(data), 0)
    assert set(data.examples["split"]) == {"train", "val", "test"}
    assert list(data.examples) == ["id", "chrom", "start", "end", "strand", "split"]


def test_whole_chromosomes_are_held_out(genome, signal):
    data = made(genome, signal=[str(signal)], val_chromosomes=["chrII"], test_chromosomes=["chrIV"])
    assert data.examples.groupby("chrom")["split"].unique().map(list).to_dict() == {
        "chrI": ["train"],
        "chrII": ["val"],
        "chrIII": ["train"],
        "chrIV": ["test"],
    }


def test_folds_of_a_random_split_test_each_window_once(genome, signal):
    tested = [made(genome, signal=[str(signal)], split="random", fold=k, n_folds=4).examples["split"] == "test" for k in range(4)]
    assert np.sum(tested, axis=0).tolist() == [1] * len(tested[0])


def test_a_random_split_of_intervals_is_warned_of(genome, signal):
    data = made(genome, signal=[str(signal)], split="random")
    assert any("split at random" in note for note in data.ledger.notes)
    assert data.examples.groupby("chrom")["split"].nunique().max() > 1


def test_bases_without_a_value_are_said_and_count_nothing(genome, signal):
    assert any("have no value (NaN); taken as 0" in note for note in made(genome, signal=[str(signal)]).ledger.notes)


def test_chromosomes_that_a_signal_lacks_are_said(genome, tmp_path):
    path = write_signal(tmp_path / "part.bw", {"chrI": 600, "chrII": 500, "chrIII": 400})
    notes = made(genome, signal=[str(path)]).ledger.notes
    assert any("1 of 4 chromosomes have no value: chrIV" in note for note in notes)


def test_a_signal_of_another_genome_is_refused(genome, tmp_path):
    path = write_signal(tmp_path / "other.bw", {"chrI": 700, "chrII": 500})
    with pytest.raises(InputError, match=r"is of another genome: 1 of 2 chromosomes do not fit; first: chrI is 700 bp there and is 600 bp"):
        made(genome, signal=[str(path)])


def test_a_signal_with_other_names_is_refused_and_read_where_renaming_was_asked_for(genome, signal, tmp_path):
    path = write_signal(tmp_path / "arabic.bw", {str(k): n for k, n in enumerate(LENGTHS.values(), 1)})
    with pytest.raises(InputError, match="have no chromosome in common"):
        made(genome, signal=[str(path)])
    renamed = made(genome, signal=[str(path)], rename_chromosomes=True)
    np.testing.assert_allclose(renamed.examples["arabic"], made(genome, signal=[str(signal)]).examples["cover"])


def test_a_renamed_signal_of_another_genome_is_refused_all_the_same(genome, tmp_path):
    path = write_signal(tmp_path / "arabic.bw", {"1": 900, "2": 500})
    with pytest.raises(InputError, match="is of another genome"):
        made(genome, signal=[str(path)], rename_chromosomes=True)


def test_windows_of_unknown_bases_and_excluded_regions_are_dropped_by_name(tmp_path, signal):
    rng = np.random.default_rng(0)
    text = {chrom: decode(rng.integers(0, 4, n).astype(np.uint8)) for chrom, n in LENGTHS.items()}
    text["chrI"] = "N" * 100 + text["chrI"][100:]
    (tmp_path / "g.fa").write_text("".join(f">{chrom}\n{bases}\n" for chrom, bases in text.items()))
    (tmp_path / "x.bed").write_text("chrII\t150\t160\n")
    data = made(tmp_path / "g.fa", signal=[str(signal)], exclude=str(tmp_path / "x.bed"))
    assert data.ledger.counts() == {"more than half of it is not A C G T": 1, "overlaps an excluded region": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signal": ["S"], "labels": "L"}, "--signal and --labels were given together"),
        ({"label_features": ["CDS"], "signal": ["S"]}, "--label-features was given without --labels"),
        ({"input_signal": ["S"], "labels": "L"}, "--input-signal was given without --signal"),
        ({"peaks": "L", "signal": ["S"]}, "--peaks was given with --signal or --labels"),
        ({"signal": ["S"], "split": "homology"}, "--split homology was given for intervals"),
        ({"signal": ["S"], "window": 0}, "windows of 0 bp every 0 bp were asked for"),
    ],
)
def test_options_that_do_not_go_together_are_refused(genome, signal, labels, options, message):
    files = {"S": str(signal), "L": str(labels)}
    given = {
        key: [files[v] for v in value] if value == ["S"] else files.get(value, value) if isinstance(value, str) else value
        for key, value in options.items()
    }
    with pytest.raises(InputError, match=message):
        made(genome, **given)


def test_windows_wider_than_every_chromosome_leave_nothing(genome, signal):
    with pytest.raises(DataError, match="no window of 700 bp is left"):
        made(genome, signal=[str(signal)], window=700)


def test_strands_and_split_are_resolved_for_what_lies_along_a_genome(genome, signal):
    config = make_config({"data": {"genome": str(genome), "signal": [str(signal)], "window": 100}})
    assert resolve_strands(config, prepare(config)) == "shared"
    assert resolve_data(config).split == "chromosome"
    assert resolve_data(config).negatives is None


# the same from Python -----------------------------------------------------------------------------------


@pytest.fixture
def held_out():
    return {"val_chromosomes": ["chrIII"], "test_chromosomes": ["chrII"]}


def from_python(genome, **known):
    opened = Genome(str(genome))
    return SequenceData.from_windows(opened, tile(opened.lengths, 100, step=100), val=["chrIII"], test=["chrII"], **known)


def test_labelled_windows_from_python_are_those_of_the_command_line(genome, labels, held_out):
    theirs = made(genome, labels=str(labels), label_features=["CDS", "gene"], **held_out)
    ours = from_python(genome, labels={kind: read_gff(str(labels), features=[kind]) for kind in ("CDS", "gene")})
    pd.testing.assert_frame_equal(ours.examples, theirs.examples)
    np.testing.assert_array_equal(ours.codes, theirs.codes)
    np.testing.assert_array_equal(ours.tracks, theirs.tracks)
    assert (ours.kind, ours.outputs, ours.counts) == (theirs.kind, theirs.outputs, theirs.counts)


def test_signals_from_python_are_those_of_the_command_line(genome, signal, tmp_path, held_out):
    low = write_signal(tmp_path / "low.bw")
    theirs = made(genome, signal=[str(signal)], input_signal=[str(low)], **held_out)
    ours = from_python(genome, signals={"cover": open_signal(signal)}, input_signals=[open_signal(low)])
    pd.testing.assert_frame_equal(ours.examples, theirs.examples)
    np.testing.assert_array_equal(ours.tracks, theirs.tracks)
    np.testing.assert_array_equal(ours.signal, theirs.signal)
    assert (ours.kind, ours.outputs, ours.counts) == (theirs.kind, theirs.outputs, theirs.counts)
