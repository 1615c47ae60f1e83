"""The page of a choice among several classes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from seqdl.report.build import build_report
from seqdl.report.class_panels import MOST_COLUMNS, confusion_rows
from seqdl.report.classes import ClassTable, class_scores, class_table
from seqdl.report.facts import class_counts, guess
from seqdl.report.folder import RunFolder
from seqdl.report.page import composition, head
from seqdl.report.sections.curves import curves
from seqdl.report.sections.data import data
from seqdl.report.sections.performance import performance
from seqdl.report.sections.tracks import tracks
from seqdl.report.verdict import findings, verdict

CLASSES = ["donor", "acceptor", "neither"]


def change(folder, name="metrics.json", **changes):
    path = folder / name
    found = json.loads(path.read_text())
    for dotted, value in changes.items():
        *above, last = dotted.split("__")
        place = found
        for key in above:
            place = place.setdefault(key, {})
        place[last] = value
    path.write_text(json.dumps(found))


def drop(folder, *keys):
    found = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps({key: value for key, value in found.items() if key not in keys}))


def interval(value, half=0.01):
    return {"value": value, "low": value - half, "high": value + half}


def said(folder):
    return {finding.title: finding for finding in findings(RunFolder(folder))}


def test_the_network_is_judged_by_its_accuracy_against_the_position_model(class_run):
    answer = verdict(RunFolder(class_run))
    assert answer.headline.startswith("Better than every baseline")
    assert answer.sentence.startswith("Accuracy 0.9")
    assert "the strongest baseline, the position model, reaches" in answer.sentence


def test_a_position_model_as_good_is_recommended(own_class_run):
    change(own_class_run, test__accuracy=interval(0.85), baselines__position__accuracy=interval(0.86))
    change(own_class_run, baselines__position__network_minus_this={"accuracy": interval(-0.01, 0.02)})
    assert verdict(RunFolder(own_class_run)).headline == "The network is not better than the position model: use the position model"


def test_naming_the_largest_class_every_time_is_guessing(own_class_run):
    run = RunFolder(own_class_run)
    counts = class_counts(run)["test"]
    assert guess(run, "accuracy") == max(counts.values()) / 2000
    change(own_class_run, test__accuracy=interval(0.52, 0.02))
    assert said(own_class_run)["No better than guessing"].tone == "serious"


def test_the_head_names_the_classes(class_run):
    found = head(RunFolder(class_run))
    assert found.question == "Can a network tell donor, acceptor and neither apart by nothing but a DNA sequence?"
    assert [label for label, _, _ in found.figures] == ["Accuracy, test", "Mean AUROC, test", "test examples", "training examples"]


def test_many_classes_are_counted_not_named():
    assert composition({f"c{i}": 10 * i for i in range(1, 8)}) == "7 classes of 10 to 70"


def test_the_confusion_matrix_and_every_class_are_on_the_page(own_class_run):
    metrics = json.loads((own_class_run / "metrics.json").read_text())
    text = build_report(own_class_run).read_text(encoding="utf-8")
    total = sum(metrics["confusion"][0])
    assert f'title="{metrics["confusion"][0][1]:,} of {total:,} examples of donor called acceptor"' in text
    assert f'<td class="number">{metrics["per_class"][1]["recall"]:.3f}</td>' in text
    assert text.count('class="number right"') == 3
    assert "One class against the rest" in text
    assert "Share of right calls" in text


def test_the_tables_can_be_counted_from_the_predictions(own_class_run):
    stated = class_table(RunFolder(own_class_run))
    drop(own_class_run, "confusion", "per_class")
    counted = class_table(RunFolder(own_class_run))
    assert counted.confusion == stated.confusion
    for one, other in zip(counted.rows, stated.rows, strict=True):
        assert dict(one) == pytest.approx(dict(other))


def test_without_predictions_the_tables_still_stand(own_class_run):
    (own_class_run / "predictions.tsv").unlink()
    values = curves(RunFolder(own_class_run)).values
    assert values["confusion"]
    assert values["panels"] == []


def test_without_either_the_page_says_so(own_class_run):
    (own_class_run / "predictions.tsv").unlink()
    drop(own_class_run, "confusion", "per_class")
    assert "Neither metrics.json nor predictions.tsv" in curves(RunFolder(own_class_run)).absent


def test_classes_with_names_like_numbers_are_kept_apart(own_class_run):
    table = pd.read_csv(own_class_run / "predictions.tsv", sep="\t")
    names = dict(zip(CLASSES, ["01", "1", "1.0"], strict=True))
    table = table.replace({"target": names, "prediction": names})
    table.columns = [column if "_" not in column else f"{column.split('_')[0]}_{names[column.split('_')[1]]}" for column in table.columns]
    table.to_csv(own_class_run / "predictions.tsv", sep="\t", index=False)
    before = class_table(RunFolder(own_class_run)).confusion
    change(own_class_run, outputs=list(names.values()))
    drop(own_class_run, "confusion", "per_class")
    assert class_table(RunFolder(own_class_run)).confusion == before
    build_report(own_class_run)


def test_a_class_that_is_mostly_missed_is_named_with_what_it_is_taken_for(own_class_run):
    metrics = json.loads((own_class_run / "metrics.json").read_text())
    metrics["confusion"][0] = [100, 3, 400]
    metrics["per_class"][0] |= {"n": 503, "recall": 100 / 503}
    change(own_class_run, confusion=metrics["confusion"], per_class=metrics["per_class"])
    finding = said(own_class_run)["donor is mostly missed"]
    assert finding.tone == "caution"
    assert "20 % are called donor, most of the others taken for neither" in finding.text


@pytest.mark.parametrize(("n", "tone"), [(40, "caution"), (9, "serious")])
def test_the_rarest_class_decides_whether_the_test_set_is_small(own_class_run, n, tone):
    change(own_class_run, n__test={"donor": n, "acceptor": 500, "neither": 900}, n__train={"donor": 100, "acceptor": 500, "neither": 900})
    titles = said(own_class_run)
    assert titles[f"Only {n} examples of donor in the test set"].tone == tone
    assert "Trained on 100 examples of donor." in titles["A small training set"].text


def test_counts_come_from_the_examples_where_the_metrics_have_none(own_class_run):
    stated = class_counts(RunFolder(own_class_run))
    drop(own_class_run, "n")
    assert class_counts(RunFolder(own_class_run)) == stated


def test_each_class_has_a_colour_in_the_data(class_run):
    values = data(RunFolder(class_run)).values
    assert values["classes"] == [("donor", "class0"), ("acceptor", "class1"), ("neither", "class2")]


def test_rivals_stand_best_first_and_accuracy_is_explained(class_run):
    values = performance(RunFolder(class_run)).values
    assert [row[1] for row in values["rows"]] == ["network", "position", "kmer", "gc"]
    assert "name the largest class every time" in dict(values["explained"])["accuracy"]


def test_tracks_name_the_class_that_was_called(class_run):
    shown = tracks(RunFolder(class_run)).values["tracks"]
    assert {track.truth for track in shown} <= set(CLASSES)
    assert all(track.right == (track.prediction == track.truth) for track in shown)


def test_a_hundred_classes_have_no_wall_of_digits():
    names = [f"c{i}" for i in range(MOST_COLUMNS + 1)]
    table = ClassTable(names, np.eye(len(names), dtype=int).tolist(), [])
    assert confusion_rows(table) == []


def test_predictions_that_lack_a_class_have_no_scores(own_class_run):
    table = pd.read_csv(own_class_run / "predictions.tsv", sep="\t").drop(columns="prediction_donor")
    table.to_csv(own_class_run / "predictions.tsv", sep="\t", index=False)
    assert class_scores(RunFolder(own_class_run)) is None
