"""The CNN judge, scores under a predictor, and the folder of a card."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqdl.data.promoters import promoter_elements, simulate_promoters
from seqdl.errors import CheckFailed, DataError, InputError, OutputExistsError
from seqdl.evaluate.markov_ladder import MarkovChain
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.experiment import two_sample
from seqdl.experiment.judge import card_table, check_card_passes, judge, write_card
from seqdl.experiment.two_sample import cnn_scores, cnn_test


def planted(n, seed, *, share=0.0, length=40):
    """Return random sequences, a share of them with a word at a place."""
    codes = np.random.default_rng(seed).integers(0, 4, (n, length)).astype(np.uint8)
    codes[: int(share * n), 12:20] = [3, 0, 3, 0, 0, 0, 0, 2]
    return SequenceSet.of(codes)


def test_the_cnn_sees_a_word_at_a_place_and_nothing_where_there_is_nothing():
    assert cnn_test(planted(600, 1, share=1), planted(600, 2))["value"] > 0.97
    same = cnn_test(planted(600, 1), planted(600, 2))
    assert abs(same["value"] - 0.5) < 0.06


def test_a_faint_difference_does_not_let_the_network_die():
    for seed in (0, 1):
        truth, score = cnn_scores(planted(800, 3 + seed, share=0.25), planted(800, 9 + seed), seed=seed)
        assert len(np.unique(score)) > 500
        assert score[truth].mean() > score[~truth].mean() + 0.03


def test_the_same_seed_gives_the_same_scores_and_leaves_torchs_own_chance_alone():
    import torch

    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = cnn_scores(planted(100, 1), planted(100, 2), seed=4)[1]
    assert (torch.get_rng_state() == before).all()
    assert (cnn_scores(planted(100, 1), planted(100, 2), seed=4)[1] == first).all()
    assert (cnn_scores(planted(100, 1), planted(100, 2), seed=5)[1] != first).any()


def test_lengths_may_differ_and_long_sequences_are_cut_to_their_middle(monkeypatch):
    ragged = SequenceSet.of([row[: 20 + i % 20] for i, row in enumerate(planted(80, 1).codes)])
    assert 0 <= cnn_test(ragged, planted(80, 2))["value"] <= 1
    monkeypatch.setattr(two_sample, "LONGEST", 12)
    codes = planted(2, 0).codes
    cut = two_sample._one_hot(SequenceSet.of(codes), 12)
    assert (cut[:, 5:-5].argmax(2).numpy() == codes[:, 14:26]).all()


@pytest.mark.slow
def test_the_cnn_tells_a_markov_chain_of_order_3_from_promoters():
    real, train = (simulate_promoters(5_000, seed=seed)[0] for seed in (1, 2))
    chain = MarkovChain.fit(train, 3).sample(5_000, 64, rng=np.random.default_rng(0))
    assert cnn_test(SequenceSet.of(chain), SequenceSet.of(real))["value"] > 0.94


# the card --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def card():
    motifs = [element.motif for element in promoter_elements()]
    return judge(simulate_promoters(120, seed=1)[0], simulate_promoters(240, seed=2)[0], motifs=motifs, cnn=False)


def test_the_cnn_stands_beside_4_mers_for_every_set(monkeypatch):
    monkeypatch.setattr(two_sample, "LEAST_STEPS", 4)
    found = judge(simulate_promoters(60, seed=1)[0], simulate_promoters(120, seed=2)[0])
    for figures in (found.sample, found.real, *found.baselines.values()):
        assert set(figures["two_sample"]) == {"kmer", "cnn"}
        assert 0 <= figures["two_sample"]["cnn"]["value"] <= 1
    assert found.settings["cnn"]


def test_scores_under_a_predictor_are_compared(tiny_run):
    from seqdl.experiment.run import load_run

    task = load_run(tiny_run).task
    rng = np.random.default_rng(0)
    real = rng.integers(0, 4, (200, 60)).astype(np.uint8)
    sample = rng.integers(0, 4, (100, 60)).astype(np.uint8)
    sample[:, 20:30] = [3, 3, 0, 1, 1, 1, 2, 2, 1, 0]  # what the network was trained to find
    found = judge(sample, real, predictor=task, cnn=False)
    name = task.outputs[0]
    assert found.sample["predictor"][name]["mean"] > found.real["predictor"][name]["mean"]
    assert found.sample["predictor"][name]["ks"] > 2 * found.real["predictor"][name]["ks"]
    assert "predictor" in [finding["check"] for finding in found.verdict["findings"] if finding["tone"] == "caution"]


def test_a_predictor_that_cannot_read_the_sequences_is_refused(tiny_run):
    from seqdl.experiment.run import load_run

    task = load_run(tiny_run).task
    real = np.random.default_rng(0).integers(0, 4, (120, 60)).astype(np.uint8)
    task.logits = lambda x, lengths=None: (_ for _ in ()).throw(RuntimeError("expected 8 channels"))
    with pytest.raises(InputError, match="the predictor cannot read these sequences of 60 bp"):
        judge(real[:60], real, predictor=task, cnn=False)


def test_the_table_has_a_row_a_set_and_a_dash_where_a_figure_is_undefined(card):
    rows = card_table(card)
    assert [row[0] for row in rows[1:4]] == ["samples", "real, held out", "markov0"]
    assert len({len(row) for row in rows}) == 1
    column = rows[0].index("AUROC CNN")
    assert {row[column] for row in rows[1:]} == {"-"}


@pytest.mark.parametrize(("share", "shown"), [(0.0, "0 %"), (0.00025, "0.02 %"), (0.0312, "3.1 %"), (1.0, "100 %")])
def test_the_share_of_copies_is_written_as_a_plain_number(share, shown, card, monkeypatch):
    table = card.table()
    monkeypatch.setattr(type(card), "table", lambda _: table.assign(copies=share))
    rows = card_table(card)
    assert rows[1][rows[0].index("copies")] == shown


def test_checks_fail_for_what_was_asked_alone(card):
    check_card_passes(card, ("collapsed", "copies"))
    codes = simulate_promoters(240, seed=2)[0]
    collapsed = judge(codes[np.random.default_rng(0).integers(0, 4, 120)], simulate_promoters(240, seed=5)[0], cnn=False)
    check_card_passes(collapsed, ("copies",))
    with pytest.raises(CheckFailed, match=r"^collapsed: "):
        check_card_passes(collapsed, ("collapsed", "copies"))


def test_a_card_is_written_whole_once_and_never_into_a_run(card, tiny_run, tmp_path):
    page = write_card(tmp_path / "a" / "card", card)
    assert sorted(path.name for path in page.parent.iterdir()) == ["card.html", "card.json"]
    found = json.loads((page.parent / "card.json").read_text())
    assert isinstance(found["verdict"]["collapsed"], bool)
    assert isinstance(found["verdict"]["copies"], bool)
    assert found["verdict"]["text"] == str(card)
    with pytest.raises(OutputExistsError, match=r"already holds card\.json, card\.html"):
        write_card(page.parent, card)
    assert write_card(page.parent, card, force=True) == page
    with pytest.raises(OutputExistsError, match="is the folder of a run"):
        write_card(tiny_run, card, force=True)


def test_a_page_that_cannot_be_made_leaves_nothing_behind(card, tmp_path, monkeypatch):
    import seqdl.report.judge_page as module

    monkeypatch.setattr(module, "render", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_card(tmp_path / "card", card)
    assert list(tmp_path.iterdir()) == []


def test_too_few_samples_are_refused_before_anything_is_trained():
    with pytest.raises(DataError, match="there are 9 synthetic sequences: 50 or more"):
        judge(simulate_promoters(9, seed=1)[0], simulate_promoters(200, seed=2)[0])
