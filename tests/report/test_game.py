"""The game of a GAN in the report: which pictures a log gives, and what they say."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from seqdl.report.facts import baselines, best_epoch
from seqdl.report.folder import RunFolder
from seqdl.report.game import game_figures
from seqdl.report.page import render
from seqdl.report.sections.training import training
from seqdl.report.verdict import verdict

TITLES = [
    "Both losses",
    "The critic's gap",
    "How often the critic is right",
    "How varied the samples are",
    "How far the samples are from real sequences",
]


@pytest.fixture
def log():
    """Return a log in which the critic wins on training sequences, and the samples collapse at the end."""
    n = 6
    names = ("train_loss", "val_loss", "train_gap", "val_gap", "train_right_real", "val_right_real", "val_right_fake", "train_generator_loss")
    columns = {name: np.linspace(0.5, 1, n) for name in names}
    columns |= {"val_card": [0.3, 0.2, 0.1, 0.4, 10.5, 10.6], "val_js": np.linspace(0.1, 0.05, n), "val_positions": np.linspace(0.2, 0.1, n)}
    columns |= {"val_nearest": [1, 0.9, 0.9, 0.8, 0.2, 0.1], "val_collapsed": [0, 0, 0, 0, 1, 1]}
    return pd.DataFrame({"epoch": range(n), **columns})


def test_the_epoch_that_was_kept_is_the_one_with_the_best_card_not_the_lowest_loss(log):
    assert best_epoch(log) == 2


def test_every_part_of_the_game_has_its_picture_and_its_lines(log):
    figures = game_figures(log, log["epoch"].to_numpy(float), 2)
    assert [figure.title for figure in figures] == TITLES
    assert [len(figure.legend) for figure in figures] == [3, 2, 3, 0, 2]
    assert all("epoch 2 was kept" in figure.picture for figure in figures)
    assert all(f"epoch 3: {name}" in figure.picture for figure in figures for _, name in figure.legend)


@pytest.mark.parametrize(("collapsed", "said"), [([0, 0, 0, 0, 1, 1], "In 2 epochs of 6 they had collapsed"), ([0] * 6, "They did not collapse.")])
def test_collapse_is_said_in_words(log, collapsed, said):
    figures = game_figures(log.assign(val_collapsed=collapsed), log["epoch"].to_numpy(float), 2)
    assert said in figures[3].caption


def test_a_log_without_the_critics_answers_gives_the_pictures_it_can(log):
    old = log.drop(columns=[name for name in log if "right" in name or name in ("train_gap", "train_generator_loss")])
    figures = game_figures(old, log["epoch"].to_numpy(float), 2)
    assert [figure.title for figure in figures] == [TITLES[0], TITLES[1], *TITLES[3:]]
    assert [name for _, name in figures[0].legend] == ["critic, training", "critic, held-out"]


def test_the_page_of_a_gan_run_shows_the_game(log, tmp_path):
    log.to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "config.yaml").write_text("task: {name: gan}\n")
    (tmp_path / "metrics.json").write_text(json.dumps({"task": "gan", "family": "generator", "test": {}, "baselines": {}}))
    page = render(RunFolder(tmp_path))
    assert all(title.replace("'", "&#39;") in page for title in TITLES)
    assert "Epoch 2 was the best" in training(RunFolder(tmp_path)).lede


def test_the_head_of_the_page_is_what_the_card_found_and_the_real_sequences_are_no_rival(tmp_path):
    finding = {"check": "motifs", "tone": "caution", "title": "1 of 4 motifs is too rare", "text": "ETS (0.10 of real)."}
    metrics = {"task": "gan", "family": "generator", "headline": ["kmer_auroc"], "test": {"kmer_auroc": {"value": 0.6}}}
    metrics["baselines"] = {name: {"kmer_auroc": {"value": value}} for name, value in {"markov0": 0.8, "markov3": 0.55, "real": 0.5}.items()}
    (tmp_path / "config.yaml").write_text("task: {name: gan}\n")
    (tmp_path / "metrics.json").write_text(json.dumps(metrics | {"verdict": {"text": "Not collapsed.", "findings": [finding]}}))
    run = RunFolder(tmp_path)
    head = verdict(run)
    assert (head.tone, head.headline, head.sentence) == ("caution", "1 of 4 motifs is too rare", "Not collapsed.")
    assert list(baselines(run, "kmer_auroc")) == ["real", "markov3", "markov0"]
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert "the strongest baseline, the order-3 Markov chain, reaches 0.550" in verdict(RunFolder(tmp_path)).sentence
