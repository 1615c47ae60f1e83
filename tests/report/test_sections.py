from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from seqdl.errors import FormatError
from seqdl.report.facts import negatives_kind
from seqdl.report.folder import RunFolder
from seqdl.report.page import head, prose
from seqdl.report.sections.audit import audit
from seqdl.report.sections.data import data
from seqdl.report.sections.motifs import motifs
from seqdl.report.sections.performance import _network_detail, performance
from seqdl.report.sections.repeat import repeat
from seqdl.report.sections.tracks import tracks


def rows_of(folder):
    return {row.name: row for row in motifs(RunFolder(folder)).values["rows"]}


def test_a_match_that_counts_on_the_other_strand_is_shown_in_both_orientations(finished_run):
    table = pd.read_csv(finished_run / "motifs/motifs.tsv", sep="\t")
    turned = set(table.loc[(table["strand"] == "-") & (table["match_q"] < 0.05), "name"])
    rows = rows_of(finished_run)
    assert turned
    assert {name for name, row in rows.items() if row.reverse_logo} == turned
    assert all(row.logo for row in rows.values())


def test_the_logo_of_the_other_strand_can_come_from_a_file(run_folder):
    name = next(name for name, row in rows_of(run_folder).items() if row.reverse_logo)
    (run_folder / f"motifs/logos/{name}_rc.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><g id="mine"/></svg>')
    assert "mine" in rows_of(run_folder)[name].reverse_logo


def test_without_logo_files_logos_are_drawn_from_the_matrices(run_folder):
    for path in (run_folder / "motifs/logos").iterdir():
        path.unlink()
    assert all(row.logo for row in rows_of(run_folder).values())


def test_without_logos_and_matrices_the_consensus_stands_in(run_folder):
    for path in [*(run_folder / "motifs/logos").iterdir(), run_folder / "motifs/motifs.meme"]:
        path.unlink()
    rows = rows_of(run_folder)
    assert not any(row.logo for row in rows.values())
    assert all(row.consensus for row in rows.values())


def test_a_broken_logo_is_named(run_folder):
    path = next((run_folder / "motifs/logos").iterdir())
    path.write_text("<svg")
    with pytest.raises(FormatError, match=rf"{path.name} is not SVG"):
        motifs(RunFolder(run_folder))


def test_logos_stop_at_the_budget(finished_run, monkeypatch):
    monkeypatch.setattr("seqdl.report.sections.motifs.LOGO_BUDGET", 40_000)
    rows = list(rows_of(finished_run).values())
    assert rows[0].logo
    assert not rows[-1].logo


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"information_bits": 5.9, "match": "MA1 X", "match_q": 0.01}, "Vague filter: a match to it means little."),
        ({"information_bits": 5.9, "match": "", "match_q": np.nan}, "Vague filter."),
        ({"information_bits": 12.0, "match": "MA1 X", "match_q": 0.4}, "Like no known motif"),
        ({"information_bits": 12.0, "match": "MA1 X", "match_q": 0.01, "n_sites": 7}, "Made of 7 sites only."),
        ({"information_bits": 12.0, "match": "MA1 X", "match_q": 0.01, "importance": -0.001}, "The score does not need it."),
        ({"information_bits": 12.0, "match": "MA1 X", "match_q": 0.01, "direction": -1}, "Speaks against the positive class."),
    ],
)
def test_a_note_says_what_to_make_of_a_motif(run_folder, changes, words):
    table = pd.read_csv(run_folder / "motifs/motifs.tsv", sep="\t").head(1)
    table.assign(**changes).to_csv(run_folder / "motifs/motifs.tsv", sep="\t", index=False)
    assert words in next(iter(rows_of(run_folder).values())).note


def test_a_sharp_known_motif_needs_no_note(finished_run):
    assert next(iter(rows_of(finished_run).values())).note == ""


def test_motifs_without_importance_have_no_such_column(run_folder):
    table = pd.read_csv(run_folder / "motifs/motifs.tsv", sep="\t")
    table.drop(columns=["importance", "direction", "position"]).to_csv(run_folder / "motifs/motifs.tsv", sep="\t", index=False)
    assert motifs(RunFolder(run_folder)).values["has_importance"] is False


def test_five_tracks_are_shown_and_errors_are_among_them(finished_run):
    shown = tracks(RunFolder(finished_run)).values["tracks"]
    assert len(shown) == 5
    assert [track.right for track in shown] == [True, True, True, False, False]
    assert {track.truth for track in shown if not track.right} == {"positive", "negative"}


def test_the_strongest_stretch_is_where_the_scores_are_and_counts_from_0(run_folder):
    codes = np.zeros((1, 60), dtype=np.uint8)
    codes[0, 20:29] = [3, 3, 0, 1, 1, 1, 2, 2, 3]
    scores = np.zeros((1, 4, 60), dtype=np.float32)
    scores[0, codes[0, 20:29], np.arange(20, 29)] = 1
    np.savez(run_folder / "attributions/examples.npz", id=np.array(["a"]), codes=codes, attributions=scores)
    (track,) = tracks(RunFolder(run_folder)).values["tracks"]
    assert (track.stretch, track.place) == ("TTACCCGGT", "20–29")


def test_counts_come_from_the_examples_where_the_metrics_have_none(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    stated = metrics.pop("n")
    (run_folder / "metrics.json").write_text(json.dumps(metrics))
    splits = data(RunFolder(run_folder)).values["splits"]
    assert [split["total"] for split in splits] == [sum(stated[name].values()) for name in ("train", "val", "test")]
    assert splits[1]["chromosomes"] == "chrV"


@pytest.mark.parametrize(("key", "expected"), [("peaks", "gc"), ("fasta", "")])
def test_unsaid_negatives_are_the_default_of_a_bed_of_peaks(run_folder, key, expected):
    (run_folder / "config.yaml").write_text(yaml.safe_dump({"data": {key: "a.bed", "negatives": None}}))
    assert negatives_kind(RunFolder(run_folder)) == expected


def test_the_ledger_counts_each_reason(finished_run):
    ledger = data(RunFolder(finished_run)).values["ledger"]
    assert ledger["total"] == 27
    assert dict(ledger["reasons"])["contains an unknown base (N)"] == 14
    assert len(ledger["rows"]) == 12


def test_an_empty_ledger_says_that_nothing_was_left_out(run_folder):
    (run_folder / "data/dropped.tsv").write_text("id\tchrom\tstart\tend\treason\tsource\n")
    assert data(RunFolder(run_folder)).values["ledger"]["total"] == 0


def test_the_leak_table_counts_and_rates(finished_run):
    rows = {row[0]: row[2] for row in audit(RunFolder(finished_run)).values["leaks"]["rows"]}
    assert rows["exact copy"] == ["none", "3 (0.2 %)"]
    assert rows["any of these"] == ["none", "9 (0.6 %)"]


def test_baselines_stand_best_first_below_the_network(finished_run):
    rows = performance(RunFolder(finished_run)).values["rows"]
    assert [row[1] for row in rows] == ["network", "pwm", "kmer", "gc"]


def test_the_command_is_quoted_so_that_it_can_be_pasted(run_folder):
    manifest = json.loads((run_folder / "manifest.json").read_text()) | {"command": ["seqdl", "train", "my peaks.fa"]}
    (run_folder / "manifest.json").write_text(json.dumps(manifest))
    assert repeat(RunFolder(run_folder)).values["command"] == "seqdl train 'my peaks.fa'"


def test_the_head_asks_the_question_and_shows_the_best_motif(finished_run):
    found = head(RunFolder(finished_run))
    assert found.question == "Can a network tell Reb1 from windows of the genome matched for GC content by nothing but 200 bp of DNA?"
    assert found.logo[0] == "filter0, matches REB1"
    assert [label for label, _, _ in found.figures] == ["AUROC, test", "AUPRC, test", "test examples", "training examples"]


def test_a_run_without_a_named_output_is_called_after_its_positives(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text()) | {"outputs": ["target"]}
    (run_folder / "metrics.json").write_text(json.dumps(metrics))
    assert head(RunFolder(run_folder)).subject == "reb1"


def test_prose_escapes_what_it_is_given():
    assert prose("a < b, --folds 5") == "a &lt; b, <code>--folds 5</code>"


@pytest.mark.parametrize(("also", "expected"), [("MA0421.1 NSI1", "Also like NSI1 (q < .01)."), ("", ""), (float("nan"), "")])
def test_other_sure_matches_are_named_and_none_are_not(also, expected):
    from seqdl.report.sections.motifs import _note

    record = {"match": "MA0363.3 REB1", "match_q": 1e-4, "information_bits": 16.0, "n_sites": 100, "importance": 0.02, "also_matches": also}
    assert _note(record, "MA0363.3") == expected


@pytest.mark.parametrize(("q", "expected"), [(1e-4, "Family of what it is like: Ets-related (36 of 40)."), (0.3, "Like no known motif.")])
def test_the_family_of_the_matches_is_told_where_they_count(q, expected):
    from seqdl.report.sections.motifs import _note

    record = {"match": "MA0028.3 ELK1", "match_q": q, "information_bits": 14.0, "n_sites": 100, "importance": 0.02}
    assert _note({**record, "match_family": "Ets-related (36 of 40)"}, "MA0028.3") == expected


@pytest.fixture
def families(run_folder):
    """Return a run folder whose motifs are families of filters over six networks."""
    table = pd.read_csv(run_folder / "motifs/motifs.tsv", sep="\t")
    members = np.arange(len(table)) % 6 + 1
    table.assign(members=members, of_members=6, filters=members + 1).to_csv(run_folder / "motifs/motifs.tsv", sep="\t", index=False)
    return run_folder


def test_motifs_of_an_ensemble_say_in_how_many_networks_they_were_found(families, monkeypatch):
    section = motifs(RunFolder(families))
    rows = section.values["rows"]
    n = len(rows)
    assert [(row.members, row.of_members) for row in rows] == [(k % 6 + 1, 6) for k in range(n)]
    shared = sum(row.members > 1 for row in rows)
    assert f"{sum(row.members + 1 for row in rows)} filters of 6 networks, as {n} motifs" in section.lede
    assert f"{shared} were found in more than one network" in section.lede
    assert "more believable than one that a single network found" in section.lede
    monkeypatch.setattr("seqdl.report.sections.motifs.MOST_FAMILIES", 5)
    section = motifs(RunFolder(families))
    assert len(section.values["rows"]) == 5
    assert f"as {n} motifs" in section.lede
    assert "The first 5 are shown; all are in motifs/motifs.tsv." in section.lede


@pytest.mark.parametrize(
    ("option", "words"), [("init_motifs", "that they match these was given to them, and not found"), ("init", "began as those of another run")]
)
def test_motifs_that_networks_began_with_are_not_called_found(families, option, words):
    path = families / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config.setdefault("training", {})[option] = "known.meme"
    path.write_text(yaml.safe_dump(config))
    lede = motifs(RunFolder(families)).lede
    assert words in lede
    assert "makes it no more believable" in lede
    assert "began differently" not in lede


def test_a_page_of_an_ensemble_has_a_column_found_in_and_that_of_one_network_has_none(families, finished_run):
    from seqdl.report.build import build_report

    assert "3 of 6 networks" in build_report(families).read_text()
    assert motifs(RunFolder(finished_run)).values["families"] is False


def test_the_networks_of_an_ensemble_are_counted_by_their_kind(run_folder):
    config = yaml.safe_load((run_folder / "config.yaml").read_text())
    config["model"] = {"name": "cnn"}
    config["ensemble"] = [{"model": {"name": "cnn"}, "task": {}}, {"model": {"name": "kmers"}, "task": {}}]
    (run_folder / "config.yaml").write_text(yaml.safe_dump(config))
    assert _network_detail(RunFolder(run_folder)) == "this run: 2 cnn, 1 kmers"
