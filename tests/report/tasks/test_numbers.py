"""The page of a regression."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from seqdl.report import number_charts
from seqdl.report.build import build_report
from seqdl.report.facts import quantity
from seqdl.report.folder import RunFolder
from seqdl.report.page import head
from seqdl.report.sections.curves import curves
from seqdl.report.sections.performance import performance
from seqdl.report.sections.tracks import tracks
from seqdl.report.sections.training import training
from seqdl.report.verdict import findings, verdict


def change(folder, **changes):
    """Put values into metrics.json; ``a__b`` is the key b within a."""
    path = folder / "metrics.json"
    found = json.loads(path.read_text())
    for dotted, value in changes.items():
        *above, last = dotted.split("__")
        place = found
        for key in above:
            place = place.setdefault(key, {})
        place[last] = value
    path.write_text(json.dumps(found))


def interval(value, half=0.01):
    return {"value": value, "low": value - half, "high": value + half}


def said(folder):
    return {finding.title: finding for finding in findings(RunFolder(folder))}


def test_a_clearly_better_network_is_called_so_by_its_correlation(number_run):
    answer = verdict(RunFolder(number_run))
    assert answer.headline == "Better than every baseline, and no check speaks against it"
    assert re.match(r"Pearson r 0\.8\d+ \(.*\) on 2,000 held-out examples; the strongest baseline, the k-mer model, reaches 0\.5", answer.sentence)
    assert "on the same examples" in said(number_run)["Better than every baseline"].text


def test_the_head_asks_for_the_number_and_leads_with_correlations(number_run):
    found = head(RunFolder(number_run))
    assert found.question == "Can a network predict log expression from nothing but a DNA sequence?"
    assert [label for label, _, _ in found.figures] == ["Pearson r, test", "Spearman ρ, test", "test examples", "training examples"]
    assert found.figures[2][1:] == ("2,000", "")


def test_a_window_says_nothing_of_sequences_from_a_table(own_number_run):
    config = yaml.safe_load((own_number_run / "config.yaml").read_text())
    config["data"]["window"] = 200
    (own_number_run / "config.yaml").write_text(yaml.safe_dump(config))
    assert head(RunFolder(own_number_run)).question.endswith("from nothing but a DNA sequence?")


def test_a_number_is_called_after_its_output_where_it_has_a_name(own_number_run):
    change(own_number_run, outputs=["growth_rate"])
    assert quantity(RunFolder(own_number_run)) == "growth rate"


@pytest.mark.parametrize(("gain", "half", "better"), [(0.02, 0.01, True), (0.02, 0.03, False)])
def test_the_paired_difference_decides_and_not_the_two_intervals(own_number_run, gain, half, better):
    change(own_number_run, test__pearson=interval(0.62, 0.03), baselines__kmer__pearson=interval(0.60, 0.03))
    change(own_number_run, baselines__kmer__network_minus_this={"pearson": interval(gain, half)})
    titles = said(own_number_run)
    assert ("Better than every baseline" in titles) is better
    assert ("Not shown to be better than the k-mer model" in titles) is not better


def test_a_better_kmer_model_means_use_it(own_number_run):
    change(own_number_run, test__pearson=interval(0.5), baselines__kmer__network_minus_this={"pearson": interval(-0.1)})
    answer = verdict(RunFolder(own_number_run))
    assert (answer.tone, answer.headline) == ("serious", "The network is not better than the k-mer model: use the k-mer model")


def test_no_correlation_is_called_guessing(own_number_run):
    change(own_number_run, test__pearson={"value": 0.01, "low": -0.03, "high": 0.05})
    finding = said(own_number_run)["No better than guessing"]
    assert "The test Pearson r is 0.010 (−0.030 to 0.050); 0 is guessing." in finding.text


@pytest.mark.parametrize(("explained", "tone"), [(0.40, "caution"), (0.60, "note"), (-0.3, "caution"), (0.70, "good")])
def test_a_wrong_offset_or_slope_is_told_from_the_gap_to_the_correlation(own_number_run, explained, tone):
    change(own_number_run, test__pearson=interval(0.85), test__r2=interval(explained))
    title = "The predictions are on the scale of the target" if tone == "good" else "The predictions are off the scale of the target"
    assert said(own_number_run)[title].tone == tone


def test_few_numbers_are_counted(own_number_run):
    change(own_number_run, n={"train": {"examples": 240}, "test": {"examples": 60}})
    titles = said(own_number_run)
    assert titles["Only 60 examples in the test set"].tone == "caution"
    assert "a linear model of k-mers or positions is hard to beat" in titles["A small training set"].text


def test_leaks_and_a_drop_from_validation_are_told_by_the_correlation(own_number_run):
    audit = json.loads((own_number_run / "audit.json").read_text())
    audit["leakage"]["test"] |= {"n": 2000, "n_leaky": 600}
    (own_number_run / "audit.json").write_text(json.dumps(audit))
    change(own_number_run, val__pearson=interval(0.97), test_leak_free__pearson=interval(0.4))
    titles = said(own_number_run)
    assert "Without them the Pearson r is 0.400 (0.390–0.410); with them" in titles["The test set leaks"].text
    assert titles["The test score is well below the validation score"].text.startswith("Pearson r 0.970")


def test_the_page_has_a_scatter_and_the_residuals_and_no_curve_of_classes(own_number_run):
    text = build_report(own_number_run).read_text(encoding="utf-8")
    assert "Prediction against target, 1,500 of 2,000 test examples: Pearson r 0.8" in text
    assert "Residuals: mean" in text
    assert "ROC curve" not in text
    assert "positive" not in text.partition('id="belief"')[2].partition('id="motifs"')[0]
    assert len(text) < 2_000_000


def test_the_guess_is_drawn_at_no_correlation_and_rivals_stand_best_first(number_run):
    values = performance(RunFolder(number_run)).values
    assert [row[1] for row in values["rows"]] == ["network", "kmer", "gc"]
    assert all("guessing" in figure for figure in values["figures"])
    assert {"RMSE", "mean error", "R²"} <= {label for label, _, _ in values["measures"]}


def test_at_most_fifteen_hundred_points_are_drawn_and_the_same_every_time():
    rng = np.random.default_rng(0)
    target = rng.normal(size=5000)
    first, second = (number_charts.scatter(target, target + 1) for _ in range(2))
    assert first == second
    assert first.count("<circle") == number_charts.MOST_POINTS


@pytest.mark.parametrize("target", [np.full(5, 3.0), np.array([0.0]), np.array([1e6, 2e6, 3e6])])
def test_any_numbers_can_be_drawn(target):
    for picture in (number_charts.scatter(target, target), number_charts.residuals(target, target)):
        assert "nan" not in picture
        assert "inf" not in picture


def test_residuals_beyond_the_picture_are_counted_at_its_edge():
    target = np.zeros(1000)
    prediction = np.random.default_rng(0).normal(size=1000)
    prediction[0] = 1e4
    shares = [float(share) for share in re.findall(r"<title>([\d.]+) % are off", number_charts.residuals(target, prediction))]
    assert sum(shares) == pytest.approx(100, abs=1)


def test_several_outputs_get_a_panel_each(own_number_run):
    table = pd.read_csv(own_number_run / "predictions.tsv", sep="\t")
    table = table.assign(target_a=table["target"], prediction_a=table["prediction"], target_b=table["target"], prediction_b=-table["prediction"])
    table.drop(columns=["target", "prediction", "logit"]).to_csv(own_number_run / "predictions.tsv", sep="\t", index=False)
    assert [name for name, _ in curves(RunFolder(own_number_run)).values["panels"]] == ["a", "b"]


def test_tracks_give_the_number_and_the_truth_and_call_nothing_wrong(number_run):
    shown = tracks(RunFolder(number_run)).values["tracks"]
    assert len(shown) == 5
    assert all(track.right and re.fullmatch(r"truly −?\d+\.\d\d", track.truth) for track in shown)


def test_the_correlation_is_followed_over_the_epochs(number_run):
    assert "Validation Pearson r" in [figure.title for figure in training(RunFolder(number_run)).values["figures"]]
