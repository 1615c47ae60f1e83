from __future__ import annotations

import json

import pandas as pd
import pytest
import yaml

from seqdl.report.folder import RunFolder
from seqdl.report.verdict import findings, verdict


def change(folder, name, **changes):
    """Put values into a JSON file of a run; ``a__b`` is the key b within a."""
    path = folder / name
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


def test_a_network_above_every_baseline_with_clean_data_is_called_good(run_folder):
    answer = verdict(RunFolder(run_folder))
    assert answer.tone == "good"
    assert answer.headline == "Better than every baseline, and no check speaks against it"
    assert "1,500 held-out examples; the strongest baseline, the best known motif, reaches" in answer.sentence


def test_a_better_motif_means_use_the_pwm(run_folder):
    change(run_folder, "metrics.json", test__auroc=interval(0.86), baselines__pwm__auroc=interval(0.93))
    answer = verdict(RunFolder(run_folder))
    assert answer.tone == "serious"
    assert answer.headline == "The network is not better than the best known motif: use the PWM"
    assert "MA0363.1 REB1" in said(run_folder)[answer.headline].text


def test_overlapping_intervals_are_not_called_better(run_folder):
    change(run_folder, "metrics.json", test__auroc=interval(0.90, 0.02), baselines__pwm__auroc=interval(0.87, 0.02))
    finding = said(run_folder)["Not shown to be better than the best known motif"]
    assert finding.tone == "caution"
    assert "use the PWM" in finding.text
    assert verdict(RunFolder(run_folder)).headline == finding.title


@pytest.mark.parametrize(("gain", "half", "better"), [(0.02, 0.01, True), (0.02, 0.03, False)])
def test_a_paired_difference_decides_where_there_is_one(run_folder, gain, half, better):
    others = {f"baselines__{name}__network_minus_this": {"auroc": interval(0.2)} for name in ("gc", "kmer")}
    change(run_folder, "metrics.json", test__auroc=interval(0.90, 0.02), baselines__pwm__auroc=interval(0.88, 0.02), **others)
    change(run_folder, "metrics.json", baselines__pwm__network_minus_this={"auroc": interval(gain, half)})
    titles = said(run_folder)
    assert ("Better than every baseline" in titles) is better
    assert ("Not shown to be better than the best known motif" in titles) is not better


@pytest.mark.parametrize(("more", "half", "tone"), [(0.03, 0.01, "caution"), (0.03, 0.2, "note"), (-0.03, 0.01, None)])
def test_a_baseline_that_is_better_by_another_measure_is_named(run_folder, more, half, tone):
    own = RunFolder(run_folder).metrics["test"]["auprc"]["value"]
    change(run_folder, "metrics.json", test__auprc=interval(own), baselines={"pwm": {"auroc": interval(0.6), "auprc": interval(own + more, half)}})
    change(run_folder, "metrics.json", baselines__gc={"auroc": interval(0.5), "auprc": interval(0.99)})  # nobody would use it
    found = said(run_folder).get("Not better by every measure")
    assert (found.tone if found else None) == tone
    if found:
        assert f"{own + more:.3f} (" in found.text
        assert ("use the baseline" in found.text) is (tone == "caution")


def test_less_is_better_of_some_measures(run_folder):
    change(run_folder, "metrics.json", headline=["auroc", "brier"], test__brier=interval(0.2), baselines__pwm__brier=interval(0.1))
    assert "Brier score 0.200" in said(run_folder)["Not better by every measure"].text
    change(run_folder, "metrics.json", baselines__pwm__brier=interval(0.3))
    assert "Not better by every measure" not in said(run_folder)


def test_other_measures_are_not_told_of_a_network_that_is_not_better_anyway(run_folder):
    change(run_folder, "metrics.json", test__auroc=interval(0.7), baselines__kmer={"auroc": interval(0.9), "auprc": interval(0.99)})
    assert "Not better by every measure" not in said(run_folder)


def test_a_better_kmer_model_is_named(run_folder):
    change(run_folder, "metrics.json", test__auroc=interval(0.86), baselines__pwm__auroc=interval(0.7), baselines__kmer__auroc=interval(0.9))
    assert verdict(RunFolder(run_folder)).headline == "The network is not better than the k-mer model: use the k-mer model"


def test_gc_content_alone_as_good_as_the_network_is_serious(run_folder):
    metrics = {"baselines": {"gc": {"auroc": interval(0.91)}}, "test__auroc": interval(0.9)}
    change(run_folder, "metrics.json", **metrics)
    assert said(run_folder)["Not shown to be better than GC content"].tone == "serious"


def test_a_score_at_chance_is_called_guessing(run_folder):
    change(run_folder, "metrics.json", test__auroc=interval(0.51, 0.03))
    assert verdict(RunFolder(run_folder)).headline == "No better than guessing"


@pytest.mark.parametrize(("positives", "tone"), [(84, "caution"), (12, "serious")])
def test_few_test_positives_are_counted(run_folder, positives, tone):
    change(run_folder, "metrics.json", n__test={"positives": positives, "negatives": 2 * positives})
    assert said(run_folder)[f"Only {positives} positives in the test set"].tone == tone


def test_a_wide_interval_is_pointed_out(run_folder):
    change(run_folder, "metrics.json", test__auroc=interval(0.9, 0.06), baselines__pwm__auroc=interval(0.6), baselines__kmer__auroc=interval(0.6))
    assert "The score is only roughly known" in said(run_folder)


def test_few_steps_are_pointed_out(run_folder):
    log = pd.read_csv(run_folder / "log.csv")
    log.assign(step=(log["epoch"] + 1) * 20).to_csv(run_folder / "log.csv", index=False)
    assert said(run_folder)["Trained for 300 steps only"].tone == "caution"
    assert verdict(RunFolder(run_folder)).headline == "Better than every baseline, but trained for 300 steps only"


@pytest.mark.parametrize(("last_rate", "expected"), [(0.005, True), (0.00001, False)])
def test_training_cut_short_is_told_from_a_finished_schedule(run_folder, last_rate, expected):
    log = pd.read_csv(run_folder / "log.csv")
    log["val_auroc"] = log["epoch"] / 20
    log.loc[log.index[-1], "lr"] = last_rate
    log.to_csv(run_folder / "log.csv", index=False)
    assert ("Still improving when it stopped" in said(run_folder)) is expected


def test_a_test_score_far_below_validation_is_pointed_out(run_folder):
    change(run_folder, "metrics.json", val__auroc=interval(0.97))
    assert "The test score is well below the validation score" in said(run_folder)


def test_many_leaks_are_serious_and_the_leak_free_score_is_quoted(run_folder):
    change(run_folder, "audit.json", leakage__test={"n": 1500, "n_leaky": 600})
    change(run_folder, "metrics.json", test_leak_free__auroc=interval(0.71))
    finding = said(run_folder)["The test set leaks"]
    assert finding.tone == "serious"
    assert "600 test examples of 1,500 (40 %)" in finding.text
    assert "Without them the AUROC is 0.710 (0.700–0.720)" in finding.text


def test_a_few_leaks_that_change_nothing_are_a_note(run_folder):
    assert said(run_folder)["A few test examples are in the training set"].tone == "note"


def test_no_leak_speaks_for_the_run(run_folder):
    change(run_folder, "audit.json", leakage__test={"n": 1500, "n_leaky": 0})
    assert said(run_folder)["No leak between training and test"].tone == "good"


def test_a_shortcut_is_serious(run_folder):
    entry = {"name": "gc", "auroc": 0.74, "low": 0.71, "high": 0.77, "is_shortcut": True, "positive_mean": 0.52, "negative_mean": 0.41}
    change(run_folder, "audit.json", shortcuts=[entry])
    assert verdict(RunFolder(run_folder)).headline == "A shortcut: GC content separates the classes"


def test_contradictions_are_counted(run_folder):
    change(run_folder, "audit.json", n_contradictions=17)
    assert "17 sequences stand in both classes" in said(run_folder)["Some sequences are both positive and negative"].text


@pytest.mark.parametrize(
    ("kind", "tone", "words"),
    [
        ("gc", "note", "base composition cannot help"),
        ("dinuc", "caution", "much worse against real windows"),
        ("genomic", "note", "part of the score is GC content"),
        ("flank", "note", "share base composition"),
        ("/data/mine.bed", "note", "negatives of that kind only"),
    ],
)
def test_the_kind_of_negatives_says_what_was_asked(run_folder, kind, tone, words):
    config = yaml.safe_load((run_folder / "config.yaml").read_text())
    config["data"]["negatives"] = kind
    (run_folder / "config.yaml").write_text(yaml.safe_dump(config))
    finding = next(finding for title, finding in said(run_folder).items() if title.startswith("Negatives:"))
    assert finding.tone == tone
    assert words in finding.text


def test_a_random_split_is_pointed_out(run_folder):
    config = yaml.safe_load((run_folder / "config.yaml").read_text())
    config["data"]["split"] = "random"
    (run_folder / "config.yaml").write_text(yaml.safe_dump(config))
    assert "The split was random" in said(run_folder)


@pytest.mark.parametrize(("error", "tone"), [(0.02, "good"), (0.07, "note"), (0.2, "caution")])
def test_calibration_is_graded(run_folder, error, tone):
    change(run_folder, "metrics.json", test__ece=interval(error))
    finding = next(finding for title, finding in said(run_folder).items() if title.startswith("The probabilities"))
    assert finding.tone == tone


def test_many_dropped_examples_are_pointed_out_with_the_commonest_reason(run_folder):
    rows = pd.DataFrame({"id": [f"x{i}" for i in range(900)], "reason": ["contains N"] * 800 + ["past the end"] * 100})
    rows.to_csv(run_folder / "data/dropped.tsv", sep="\t", index=False)
    assert "most because: contains N" in said(run_folder)["Many examples were left out"].text


def test_vague_filters_do_not_count_as_known_motifs(run_folder):
    table = pd.read_csv(run_folder / "motifs/motifs.tsv", sep="\t")
    table.assign(information_bits=5.9, match_q=0.001).to_csv(run_folder / "motifs/motifs.tsv", sep="\t", index=False)
    assert said(run_folder)["No sharp filter looks like a known motif"].tone == "caution"


def test_known_motifs_that_were_given_to_the_network_do_not_speak_for_it(run_folder):
    assert said(run_folder)["The network reads known motifs"].tone == "good"
    path = run_folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config.setdefault("training", {})["init_motifs"] = "known.meme"
    path.write_text(yaml.safe_dump(config))
    assert said(run_folder)["Known motifs were given to the network"].tone == "note"


def test_precision_in_a_genome_follows_from_bayes(run_folder):
    rows = pd.read_csv(run_folder / "predictions.tsv", sep="\t").query("split == 'test'")
    called, positive = rows["prediction"] >= 0.5, rows["target"] == 1
    found, wrong = called[positive].mean(), called[~positive].mean()
    share = found * 0.001 / (found * 0.001 + wrong * 0.999)
    assert f"about {100 * share:.1f} % of the calls would be right" in said(run_folder)["In a genome, positives are rarer than here"].text


def test_findings_begin_with_what_speaks_against_the_run(run_folder):
    change(run_folder, "metrics.json", test__auroc=interval(0.8), n__test={"positives": 60, "negatives": 120})
    tones = [finding.tone for finding in findings(RunFolder(run_folder))]
    assert tones == sorted(tones, key=["serious", "caution", "good", "note"].index)
    assert tones[:2] == ["serious", "caution"]
