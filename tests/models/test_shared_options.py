"""The options that every convolutional network has, under one name, keep the contract whatever they are set to."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from seqdl.experiment.build import create_model
from seqdl.interpret.attribute import attribute, completeness_error
from seqdl.layers.conv import first_convolution, start_from_motifs
from seqdl.layers.onehot import one_hot
from seqdl.motif.motif import Motif
from seqdl.registry import MODELS
from seqdl.tasks.binary import Binary

CONVOLUTIONAL = ("cnn", "basset", "lenet", "alexnet", "vgg", "resnet", "inception", "dilated", "unet")
SMALL = {
    "cnn": {"filters": 8, "pool": 2},
    "basset": {"filters": (8, 8, 8)},
    "lenet": {"filters": (8, 8, 8)},
    "alexnet": {"filters": (8, 8, 8, 8, 8)},
    "vgg": {"filters": (8, 8, 8)},
    "resnet": {"filters": (8, 8, 16)},
    "inception": {"filters": 4, "first_filters": 8},
    "dilated": {"filters": 8},
    "unet": {"filters": 4},
}
SETTINGS = (
    {"activation": "gelu"},
    {"first_activation": "exp"},
    {"norm": "layer"},
    {"norm": "group"},
    {"norm": "none"},
    {"dropout": 0.5},
    {"pooling": "max"},
    {"pooling": "mean"},
    {"padding": "valid"},
    {"stride": 2},
    {"stride": 3},
)
PAIRS = [(name, options) for name in CONVOLUTIONAL for options in SETTINGS if set(options) <= set(MODELS.options(name))]


def changes(name: str, options: dict) -> bool:
    """Return whether options differ from the defaults in a way that a prediction shows."""
    return "dropout" not in options and any(MODELS.options(name)[key].default != value for key, value in options.items())


def made(name: str, **options) -> nn.Module:
    """Return a small model whose normalisations have seen something."""
    torch.manual_seed(0)
    model = create_model(name, **SMALL[name], **options).train()
    model(sequences(8, 100))
    return model.eval()


def sequences(n: int, length: int) -> torch.Tensor:
    return one_hot(torch.randint(0, 4, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_the_options_of_all_are_there_under_one_name(name):
    wanted = {"in_channels", "filters", "activation", "first_activation", "norm", "dropout"}
    assert wanted - set(MODELS.options(name)) == set()


@pytest.mark.parametrize(("name", "options"), PAIRS, ids=str)
def test_rows_of_different_lengths_are_read_as_if_alone(name, options):
    model = made(name, **options)
    x = sequences(3, 157)
    lengths = torch.tensor([157, 75, 100])
    for row, n in enumerate(lengths.tolist()):
        x[row, :, n:] = 3.0
    together = model(x, lengths)
    assert together.shape == (3, model.channels, 157 // model.stride)
    for row, n in enumerate(lengths.tolist()):
        alone = model(x[row : row + 1, :, :n])[0]
        assert alone.shape[-1] == n // model.stride
        torch.testing.assert_close(together[row, :, : n // model.stride], alone, atol=1e-4, rtol=1e-4)  # a norm may divide by little


@pytest.mark.parametrize(("name", "options"), [(name, options) for name, options in PAIRS if changes(name, options)], ids=str)
def test_an_option_changes_what_the_network_gives(name, options):
    assert not torch.equal(made(name, **options)(sequences(2, 96)), made(name)(sequences(2, 96)))


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_the_first_activation_is_that_of_the_first_layer_and_no_other(name):
    classes = [type(module).__name__ for module in made(name, first_activation="exp").modules()]
    assert classes.count("Exp") == 1
    assert next(kind for kind in classes if kind in ("Exp", "ReLU", "Tanh", "Identity")) == "Exp"


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_known_motifs_may_be_written_into_the_first_filters(name):
    model = made(name)
    assert start_from_motifs(model, [Motif("GATTACA", torch.eye(4)[:, [2, 0, 3, 3, 0, 1, 0]].numpy() * 9)]) == [0]
    assert first_convolution(model) is next(module for module in model.modules() if isinstance(module, nn.Conv1d))


@pytest.mark.parametrize("name", [*CONVOLUTIONAL, "linear", "mlp"])
def test_contributions_add_up_to_the_change_of_the_output(name):
    torch.manual_seed(0)
    encoder = made(name) if name in SMALL else create_model(name, length=64)
    task = Binary(encoder, strands="shared", dropout=0.0).train()
    task.logits(sequences(32, 64))
    task.eval()
    x = sequences(4, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = attribute(task, x, references=3)
    assert abs(completeness_error(task, x, scores, references=3)).max() < 1e-4
