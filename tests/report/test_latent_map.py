"""The map of latents in the report."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from seqdl.report.latent_map import latent_map


def table(n, labels=None):
    made = pd.DataFrame({"id": [f"s{k}" for k in range(n)], "map1": range(n), "map2": [k % 7 for k in range(n)]})
    return made if labels is None else made.assign(label=[labels[k % len(labels)] for k in range(n)])


@pytest.mark.parametrize(
    ("labels", "legend"),
    [
        (None, []),
        ([0, 1, 1], ["positives", "negatives"]),
        (["REST", "GABPA", "REST"], ["REST", "GABPA"]),
        (list("aaaaaaabbbbbbccccddeefghh"), ["a", "b", "c", "d", "e", "h", "other"]),
    ],
)
def test_the_most_frequent_labels_are_named_and_the_others_are_one_colour(labels, legend):
    figure = latent_map(table(100, labels))
    assert [name for _, name in figure.legend] == legend
    assert len(re.findall("<circle", figure.picture)) == 100


def test_a_label_has_as_many_points_of_its_colour_as_there_are_sequences():
    picture = latent_map(table(90, ["REST", "GABPA", "REST"])).picture
    assert [picture.count(f'"class{k}"') for k in range(2)] == [60, 30]


def test_of_many_sequences_some_are_drawn_and_it_is_said():
    figure = latent_map(table(1_600))
    assert len(re.findall("<circle", figure.picture)) == 1_500
    assert "1,500 held-out sequences" in figure.caption


def test_a_map_of_which_all_points_lie_together_is_not_drawn():
    assert latent_map(table(4).assign(map1=0.0)) is None
