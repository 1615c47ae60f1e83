"""seqdl models: a line for each architecture, and one with its options and layers."""

from __future__ import annotations

import json

import pytest

from seqdl.cli.main import main
from seqdl.registry import MODELS


def test_every_model_has_a_line_with_its_parameters(capsys):
    assert main(["models", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == MODELS.names()
    assert all(line.split()[1].replace(",", "").isdigit() for line in lines)


def test_a_model_that_cannot_take_the_length_says_so_and_the_others_are_still_listed(capsys):
    assert main(["models", "--length", "20", "--quiet"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["basset"].endswith("(not at 20 bp)")
    assert lines["cnn"].endswith(".")
    assert sorted(lines) == MODELS.names()


def test_the_length_counts_where_a_model_sees_the_whole_window(capsys):
    assert main(["models", "mlp", "--length", "50", "--model.hidden", "8,4", "--json", "--quiet"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["layers"][-1] == {"layer": "(features)", "kind": "MLP", "shape": "B x 4 x 1", "parameters": 4 * 50 * 8 + 2 * 8 + 8 * 4 + 2 * 4}
    assert shown["options"]["hidden"] == "(64,)"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["models", "--model.filters", "8"], "--model.filters was given without the model it is meant for"),
        (["models", "cnn", "--task.hidden", "8"], "--task.hidden: options of a model, such as --model.filters, were expected"),
        (["models", "cnn", "--model.filters", "many"], "model.filters is 'many': a whole number was expected"),
        (["models", "basset", "--length", "10"], "cannot take 10 bp: each of its features stands for 24 bp"),
    ],
)
def test_what_makes_no_table_is_answered_in_a_line(words, said, capsys):
    assert main(words) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""
