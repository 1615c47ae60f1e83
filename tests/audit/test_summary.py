"""The audit as a whole: what it holds and what it says."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from Bio import SeqIO

from seqdl.audit.summary import audit_examples
from seqdl.errors import ShapeError
from seqdl.ledger import Ledger
from seqdl.sequence.encode import encode

N = 600
TARGET = np.arange(N) % 3 == 0
SPLIT = np.repeat(["train", "val", "test"], [400, 100, 100])


@pytest.fixture
def codes():
    return np.random.default_rng(0).integers(0, 4, (N, 100)).astype(np.uint8)


def said(audit, word):
    return [sentence for sentence in audit["verdict"] if sentence.startswith(word)]


def test_a_clean_set_is_said_to_be_clean_and_the_audit_is_json(codes):
    audit = audit_examples(codes, TARGET, SPLIT)
    assert (audit["leak"], audit["shortcut"], audit["n_contradictions"]) == (False, False, 0)
    assert audit["n"]["train"] == {"positives": 134, "negatives": 266}
    assert said(audit, "No leak") == [
        "No leak: none of the 100 test sequences is in the training set as a copy, a reverse complement or a near-copy."
    ]
    assert said(audit, "No shortcut")
    assert said(audit, "Balance") == ["Balance: 134 positives and 266 negatives in training, 2.0 negatives a positive."]
    assert json.loads(json.dumps(audit, allow_nan=False)) == audit


def test_leaks_are_counted_by_kind_in_words_and_the_cure_is_named(codes):
    codes[500:502] = codes[0:2]
    codes[502, 10:] = codes[2, 10:]
    audit = audit_examples(codes, TARGET, SPLIT)
    assert audit["leak"]
    (sentence,) = said(audit, "Leak")
    assert "Leak: 3 of the 100 test sequences (3 %) are also in the training set (2 exact copies; 1 near-copy, with" in sentence
    assert "--deduplicate" in sentence
    assert "--split homology" in sentence


def test_a_leak_into_validation_is_said_but_is_not_a_leak_of_the_test_set(codes):
    codes[400] = codes[0]
    audit = audit_examples(codes, TARGET, SPLIT)
    assert not audit["leak"]
    assert said(audit, "Leak")[0].startswith("Leak: 1 of the 100 validation sequences (1 %) is also in the training set (1 exact copy), so")


def test_overlapping_intervals_are_sent_to_the_chromosome_split(codes):
    intervals = pd.DataFrame({"chrom": "chrI", "start": np.arange(N) * 1000, "end": np.arange(N) * 1000 + 100})
    assert "overlapping interval" in said(audit_examples(codes, TARGET, SPLIT, intervals=intervals), "No leak")[0]
    intervals.loc[550, ["start", "end"]] = [40, 140]
    sentence = said(audit_examples(codes, TARGET, SPLIT, intervals=intervals), "Leak")[0]
    assert "1 overlapping interval, with half or more of it" in sentence
    assert "--split chromosome" in sentence


def test_a_shortcut_is_said_with_its_numbers_and_its_direction(codes):
    codes[TARGET] = np.where(codes[TARGET] == 0, 2, codes[TARGET])
    audit = audit_examples(codes, TARGET, SPLIT)
    assert audit["shortcut"]
    (sentence,) = said(audit, "Shortcut")
    assert sentence.startswith("Shortcut: GC content alone tells positives from negatives (AUROC 1.00, 95 % interval")
    assert "it is higher in positives, 7" in sentence
    assert "--negatives gc" in sentence


def test_the_ledger_is_in_the_audit(codes):
    ledger = Ledger()
    ledger.drop("peak1", "reaches past the chromosome end")
    ledger.note("3 sequences hold lower-case letters; read as upper case")
    audit = audit_examples(codes, TARGET, SPLIT, ledger=ledger)
    assert audit["dropped"] == {"reaches past the chromosome end": 1}
    assert audit["notes"] == ledger.notes
    assert said(audit, "Dropped") == ["Dropped: 1 of 601 examples were left out (1 reaches past the chromosome end)."]


def test_contradictions_and_few_positives_are_said(codes):
    codes[1] = codes[0]
    target = TARGET & ((np.arange(N) < 500) | (np.arange(N) > 540))
    audit = audit_examples(codes, target, SPLIT)
    assert audit["n_contradictions"] == 2
    assert said(audit, "Contradiction: 2 sequences")
    assert said(audit, f"Few: the test set holds {target[500:].sum()} positives only")


@pytest.mark.parametrize("target", [None, np.linspace(-1, 1, N), np.arange(N) % 3, np.zeros((N, 2)), np.array(["a", "b", "c"] * (N // 3))])
def test_other_targets_are_audited_for_leaks_alone(codes, target):
    audit = audit_examples(codes, target, SPLIT)
    assert audit["shortcuts"] == []
    assert audit["n"]["test"] == {"examples": 100}
    assert said(audit, "Shortcuts were not looked for")
    json.dumps(audit, allow_nan=False)


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (np.where(np.arange(N) < 400, "train", "val"), "There is no test set"),
        (np.where(TARGET, "test", "train"), "Shortcuts could not be looked for"),
        (np.where(TARGET, "test", "train"), "Balance: 0 positives and 400 negatives in training; both are needed"),
    ],
)
def test_a_split_that_cannot_be_judged_is_said_to_be(codes, split, sentence):
    audit = audit_examples(codes, TARGET, split)
    assert said(audit, sentence)
    json.dumps(audit, allow_nan=False)


def test_a_target_of_another_length_is_refused(codes):
    with pytest.raises(ShapeError, match=r"target has shape \(5,\); one value for each of the 600 sequences"):
        audit_examples(codes, np.zeros(5), SPLIT)


def test_reb1_with_near_gc_matched_windows_split_by_chromosome_has_few_leaks_and_no_shortcut(shared_data):
    with gzip.open(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz", "rt") as lines:
        genome = {record.id: encode(str(record.seq)) for record in SeqIO.parse(lines, "fasta")}
    peaks = pd.read_csv(
        shared_data / "yeast_peaks_dev" / "Reb1.sacCer3.bed", sep="\t", header=None, usecols=[0, 1, 2], names=["chrom", "start", "end"]
    )
    middle = (peaks["start"] + peaks["end"]) // 2
    peaks = peaks.assign(start=middle - 100, end=middle + 100)
    flank = peaks.assign(start=peaks["start"] + 300, end=peaks["end"] + 300)
    intervals = pd.concat([peaks, flank], ignore_index=True)
    inside = (intervals["start"] >= 0) & (intervals["end"] <= intervals["chrom"].map({name: len(codes) for name, codes in genome.items()}))
    target = (np.arange(len(intervals)) < len(peaks))[inside]
    intervals = intervals[inside].reset_index(drop=True)
    codes = np.stack([genome[chrom][start:end] for chrom, start, end in intervals[["chrom", "start", "end"]].itertuples(index=False)])
    split = np.where(intervals["chrom"].isin(["chrII", "chrIV"]), "test", np.where(intervals["chrom"] == "chrV", "val", "train"))
    audit = audit_examples(codes, target, split, intervals=intervals)
    assert audit["leakage"]["test"]["n_overlap"] == 0
    assert audit["leakage"]["test"]["leaky_rate"] < 0.03  # subtelomeres and transposons are alike on many chromosomes
    assert audit["leakage"]["test"]["n_leaky"] == sum(audit["leakage"]["test"][f"n_{kind}"] for kind in ("exact", "reverse_complement", "near_copy"))


def test_copies_anywhere_are_counted_as_duplicates_leak_or_not(codes):
    codes[1] = codes[0]
    audit = audit_examples(codes, TARGET & (np.arange(N) > 1), SPLIT)
    assert (audit["n_duplicates"], audit["leak"]) == (1, False)
    assert said(audit, "Duplicates") == [
        "Duplicates: 1 of the 600 sequences repeats an earlier one, on one strand or the other; --deduplicate drops them."
    ]


def test_the_advice_fits_the_kind_of_leak(codes):
    codes[502, 10:] = codes[2, 10:]
    near = said(audit_examples(codes, TARGET, SPLIT), "Leak")[0]
    assert "--deduplicate" not in near
    assert near.endswith("Try --split homology, or read the score without them (test_leak_free).")
    places = pd.DataFrame({"chrom": "chrI", "start": np.arange(N) * 1000, "end": np.arange(N) * 1000 + 100})
    assert said(audit_examples(codes, TARGET, SPLIT, intervals=places), "Leak")[0].endswith("Read the score without them (test_leak_free).")
    codes[502] = codes[2]
    assert "Remove them with --deduplicate, try --split homology, or read" in said(audit_examples(codes, TARGET, SPLIT), "Leak")[0]


def test_many_relatives_are_said_to_be_no_leak_and_few_are_not_spoken_of(codes):
    codes[500:506] = codes[:6]
    codes[500:506, 60] = (codes[500:506, 60] + 1) % 4
    audit = audit_examples(codes, TARGET, SPLIT)
    assert not audit["leak"]
    assert said(audit, "Related")[0].startswith("Related: 6 of the test sequences (6 %) share half or more of their 24-mers")
    codes[505] = np.random.default_rng(1).integers(0, 4, 100)
    assert said(audit_examples(codes, TARGET, SPLIT), "Related") == []
