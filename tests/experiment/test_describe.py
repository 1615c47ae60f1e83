"""Models in words: a line each, their options, their layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.experiment.build import create_model
from seqdl.experiment.describe import count_parameters, describe_options, layer_table, layers, one_liner
from seqdl.registry import MODELS, TASKS


def made(name: str, length: int = 200) -> nn.Module:
    return create_model(name, **({"length": length} if "length" in MODELS.options(name) else {}))


@pytest.mark.parametrize("name", MODELS.names())
def test_a_line_holds_the_parameters_and_the_first_line_of_the_docstring(name):
    row = one_liner(MODELS, name, 200)
    assert row["parameters"] == sum(p.numel() for p in made(name).parameters())
    assert row["problem"] is None
    assert row["summary"].endswith(".")
    assert "]_" not in row["summary"]


@pytest.mark.parametrize("name", MODELS.names())
def test_the_layers_add_up_to_the_whole(name):
    *rows, whole = layers(name, {}, 200)
    model = made(name).eval()
    assert sum(row.parameters for row in rows) == whole.parameters == count_parameters(model)
    out = model(torch.zeros(1, 4, 200))
    assert whole.shape == f"B x {out.shape[1]} x {out.shape[2]}"


def test_a_layer_that_is_called_twice_is_counted_once(monkeypatch):
    class Twice(nn.Module):
        """Twice the same."""

        channels, stride = 4, 1

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(4, 4, 1)
            self.free = nn.Parameter(torch.zeros(5))

        def forward(self, x, lengths=None):
            return self.conv(self.conv(x))

    monkeypatch.setattr(MODELS, "_classes", {**MODELS._classes, "twice": Twice})
    assert [(row.layer, row.parameters) for row in layers("twice", {}, 10)] == [("conv", 20), ("conv", 0), ("(beside layers)", 5), ("(features)", 25)]


def test_the_table_shows_the_shape_and_the_parameters_of_each_layer():
    lines = layer_table("basset", {"filters": (8, 16, 32), "in_channels": 5}, 101).splitlines()
    assert lines[0] == "input B x 5 x 101"
    assert lines[1].split() == ["layer", "kind", "shape", "parameters"]
    assert lines[3].split() == ["blocks.0.conv", "Conv1d", "B", "x", "8", "x", "101", str(5 * 8 * 19)]
    assert lines[-1].split() == ["(features)", "Basset", "B", "x", "32", "x", "4", f"{8 * 5 * 19 + 8 * 16 * 11 + 16 * 32 * 7 + 2 * (8 + 16 + 32):,}"]


def test_the_options_are_shown_with_their_defaults_and_the_words_they_may_be():
    lines = describe_options(MODELS, "basset").splitlines()
    assert "  --model.filters 96,96,96" in lines
    (norm,) = [line for line in lines if line.startswith("  --model.norm")]
    assert norm.split(maxsplit=2)[1:] == ["batch", "(batch, layer, group, none)"]
    (first,) = [line for line in lines if line.startswith("  --model.first_activation")]
    assert "relu, leaky_relu" in first
    assert not any("--model.in_channels" in line for line in lines)


def test_what_a_training_fills_in_itself_is_no_option():
    assert "--model.length" not in describe_options(MODELS, "mlp")
    assert describe_options(MODELS, "linear").endswith("options and defaults\n  none")
    assert "--task.outputs" not in describe_options(TASKS, "binary")


def test_a_model_that_cannot_take_the_length_says_so():
    row = one_liner(MODELS, "basset", 20)
    assert row["problem"] == "the model 'basset' cannot take 20 bp: each of its features stands for 24 bp. Give a longer --length."
    assert row["parameters"] == 173_760
    with pytest.raises(InputError, match="cannot take 20 bp: each of its features stands for 24 bp"):
        layer_table("basset", {}, 20)


@pytest.mark.parametrize("length", [0, -5])
def test_a_length_below_one_is_refused(length):
    with pytest.raises(InputError, match=rf"--length {length}: 1 bp or more was expected"):
        layers("mlp", {}, length)


def test_an_option_that_the_model_lacks_is_refused_with_a_guess():
    with pytest.raises(UnknownNameError, match=r"no option of model 'cnn' named 'filtres'\. Did you mean 'filters'"):
        layer_table("cnn", {"filtres": 3}, 100)
