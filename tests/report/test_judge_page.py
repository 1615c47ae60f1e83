"""card.html: the report card of synthetic sequences as a page."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from seqdl.data.promoters import promoter_elements, simulate_promoters
from seqdl.errors import FormatError, InputError
from seqdl.evaluate.card import CardMaker, make_card
from seqdl.evaluate.card_pools import make_pools
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.report.judge_charts import Told, ladder, pair, spectra
from seqdl.report.judge_page import CardFolder, build_judge_page, head
from seqdl.report.numbers import Estimate


def made(sample, **settings):
    real = SequenceSet.of(simulate_promoters(240, seed=2)[0])
    motifs = [element.motif for element in promoter_elements()]
    return make_card(CardMaker(make_pools(sample, real), motifs), settings=settings).to_dict()


@pytest.fixture(scope="module")
def cards():
    """Return the card of promoters, of collapsed ones, and of some whose lengths differ."""
    codes = simulate_promoters(120, seed=1)[0]
    return {
        "healthy": made(SequenceSet.of(codes), samples="/somewhere/gan.samples.fa"),
        "collapsed": made(SequenceSet.of(codes[np.random.default_rng(0).integers(0, 4, 120)])),
        "ragged": made(SequenceSet.of([row[: 50 + i % 15] for i, row in enumerate(codes)])),
    }


def folder_with(path, card):
    (path / "card.json").write_text(json.dumps(card))
    return path


@pytest.mark.parametrize("name", ["healthy", "collapsed", "ragged"])
def test_the_page_is_one_file_with_all_its_parts(name, cards, tmp_path):
    text = build_judge_page(folder_with(tmp_path, cards[name])).read_text(encoding="utf-8")
    assert re.findall(r'<section id="(\w+)"', text) == ["belief", "card_tests", "card_composition", "card_motifs", "card_distances", "card_notes"]
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", text)
    assert "default-src 'none'" in text
    assert set(re.findall(r'href="#([\w-]+)"', text)) <= set(re.findall(r'id="([\w-]+)"', text))
    assert "nan" not in re.sub(r"<style>.*?</style>|<script>.*?</script>", "", text, flags=re.DOTALL).lower().split()
    assert ("A by position" in text) == (name != "ragged")
    assert text == build_judge_page(tmp_path).read_text(encoding="utf-8")


def test_the_head_has_the_file_the_verdict_and_four_figures_beside_real_ones(cards, tmp_path):
    found = head(CardFolder(folder_with(tmp_path, cards["healthy"])))
    assert (found.subject, found.verdict.tone) == ("gan", "good")
    assert found.verdict.sentence == cards["healthy"]["verdict"]["text"]
    labels = [label for label, _, _ in found.figures]
    assert labels == ["AUROC of 4-mers", "nearest other sample", "copies of training, or near"]
    assert all("real" in remark for _, _, remark in found.figures)


def test_the_worst_that_was_found_stands_at_the_head(cards, tmp_path):
    found = head(CardFolder(folder_with(tmp_path, cards["collapsed"])))
    assert found.verdict.tone == "serious"
    assert found.verdict.headline.startswith("The samples have collapsed")
    assert found.subject == "Synthetic sequences"


def test_what_is_undefined_is_a_dash(cards, tmp_path):
    text = build_judge_page(folder_with(tmp_path, cards["ragged"])).read_text(encoding="utf-8")
    row = re.search(r"<tr class=\"network\"><th[^>]*>samples</th>(.*?)</tr>", text, re.DOTALL)
    assert row is not None
    assert re.findall(r">([^<]*)</td>", row.group(1))[3] == "–"


def test_names_from_outside_are_escaped(cards, tmp_path):
    card = json.loads(json.dumps(cards["healthy"]))
    card["motifs"][0]["name"] = "<script>alert(1)</script>"
    card["settings"]["command"] = "seqdl judge '<b>.fa'"
    text = build_judge_page(folder_with(tmp_path, card)).read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;b&gt;.fa" in text


def test_a_folder_without_a_card_and_a_card_that_is_none_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"it holds none of card\.json"):
        build_judge_page(tmp_path)
    (tmp_path / "card.json").write_text("[1]")
    with pytest.raises(FormatError, match=r"card\.json holds a list"):
        build_judge_page(tmp_path)


def test_the_pictures_say_in_words_what_they_show():
    rows = [Told("samples", True, [("kmer", "4-mers", Estimate(0.7, 0.65, 0.75))]), Told("positions", False, [])]
    assert "samples: 4-mers 0.700; positions: left out" in ladder(rows)
    assert "At k = 2: samples 0.01" in spectra([("samples", "network", {1: 0.0, 2: 0.01})])
    words = pair({"edges": [0, 1, 2], "sample": [1.0, 0.0], "real": [0.5, 0.5]}, "Mismatches")
    assert "Mismatches: mean of the samples 0.50, of held-out real sequences 1.00" in words
    assert words.count("<rect") == 1
