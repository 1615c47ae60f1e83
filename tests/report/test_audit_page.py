"""audit.html: the look of the report, for examples without a network."""

from __future__ import annotations

import json
import re

import pytest

from seqdl.errors import InputError
from seqdl.report.audit_page import AuditFolder, build_audit_page, head
from seqdl.report.build import build_report

LEAKS = {"n": 100, "n_exact": 0, "n_reverse_complement": 0, "n_near_copy": 0, "n_overlap": 0, "n_leaky": 0, "n_related": 0, "related_rate": 0.0}
SHORTCUT = {"name": "gc", "auroc": 0.52, "low": 0.45, "high": 0.58, "is_shortcut": False, "positive_mean": 0.5, "negative_mean": 0.49}
AUDIT = {
    "n": {split: {"positives": 40, "negatives": 60} for split in ("train", "val", "test")},
    "leakage": {"val": LEAKS, "test": LEAKS},
    "leak": False,
    "shortcuts": [SHORTCUT],
    "shortcut": False,
    "baselines": {"kmer": {"auroc": {"value": 0.81, "low": 0.75, "high": 0.86}, "detail": "k-mers of <6> bp"}},
    "n_duplicates": 0,
    "n_contradictions": 0,
    "notes": ["3 sequences hold N"],
    "verdict": ["No leak: try --split homology all the same."],
    "data": {"fasta": ["/somewhere/reb1.fa", "/somewhere/none.fa"], "split": "homology", "ratio": 2, "train_ratio": 20},
}


def folder_with(path, **changes):
    (path / "data").mkdir(exist_ok=True)
    (path / "audit.json").write_text(json.dumps(AUDIT | changes))
    (path / "data/examples.tsv").write_text("id\tchrom\tstart\tend\tstrand\ttarget\tsplit\n" + "a\t\t\t\t\t1\ttrain\n" * 60)
    (path / "data/dropped.tsv").write_text("id\tchrom\tstart\tend\treason\tsource\nb\t\t\t\tholds N\t\n")
    return path


def test_the_page_is_one_file_with_the_data_and_the_audit(tmp_path):
    text = build_audit_page(folder_with(tmp_path)).read_text(encoding="utf-8")
    assert re.findall(r'<section id="(\w+)"', text) == ["audit", "data"]
    assert "<title>reb1 – seqdl audit</title>" in text
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", text)
    assert "default-src 'none'" in text
    assert set(re.findall(r'href="#([\w-]+)"', text)) <= set(re.findall(r'id="([\w-]+)"', text))
    assert "a baseline, never a shortcut" in text
    assert "k-mers of &lt;6&gt; bp" in text
    assert "1</b> holds N" in text
    assert "negatives a positive" not in text  # they were given
    assert text == build_audit_page(tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "tone", "headline"),
    [
        ({}, "good", "Neither a leak nor a shortcut"),
        ({"leakage": {"test": LEAKS | {"n_leaky": 40}}}, "serious", "The test set leaks"),
        ({"shortcuts": [SHORTCUT | {"auroc": 0.9, "low": 0.8, "is_shortcut": True}]}, "serious", "A shortcut: GC content separates the classes"),
        ({"leakage": {"test": LEAKS | {"n_related": 94, "related_rate": 0.94}}}, "caution", "Test examples have close relatives in training"),
        ({"leakage": {"test": {"n": 0}}}, "note", "Only in part audited"),
        ({"shortcuts": []}, "note", "Only in part audited"),
    ],
)
def test_the_worst_that_was_found_stands_at_the_head(changes, tone, headline, tmp_path):
    found = head(AuditFolder(folder_with(tmp_path, **changes)))
    assert (found.verdict.tone, found.verdict.headline) == (tone, headline)
    assert found.more[0] == "audit"


def test_a_leak_and_a_shortcut_both_stand_at_the_head(tmp_path):
    changes = {"leakage": {"test": LEAKS | {"n_leaky": 40}}, "shortcuts": [SHORTCUT | {"auroc": 0.9, "is_shortcut": True}]}
    assert head(AuditFolder(folder_with(tmp_path, **changes))).verdict.headline == "The test set leaks. A shortcut: GC content separates the classes"


def test_the_figures_are_leaks_the_strongest_feature_k_mers_and_size(tmp_path):
    figures = head(AuditFolder(folder_with(tmp_path))).figures
    assert [(label, value) for label, value, _ in figures] == [
        ("test examples that leak", "0 %"),
        ("AUROC of GC content", "0.520"),
        ("AUROC of k-mers, a baseline", "0.810"),
        ("examples", "300"),
    ]


def test_examples_from_python_are_called_after_their_folder(tmp_path):
    assert head(AuditFolder(folder_with(tmp_path, data={}))).subject == tmp_path.name


def test_a_folder_without_an_audit_is_refused_and_an_audit_is_no_run(tmp_path):
    with pytest.raises(InputError, match=r"it holds none of audit\.json"):
        build_audit_page(tmp_path)
    with pytest.raises(InputError, match=r"it holds none of config\.yaml"):
        build_report(folder_with(tmp_path))
