"""The contract of encoders, over everything that is registered: one-hot (B, 4, L) -> features (B, C, L // stride)."""

from __future__ import annotations

import inspect
import sys
from copy import deepcopy

import pytest
import torch

import seqdl.models
from seqdl.experiment.build import create_model
from seqdl.experiment.describe import describe_options, layer_table, one_liner
from seqdl.layers.onehot import one_hot
from seqdl.registry import MODELS, Registry

NAMES = MODELS.names()
LENGTHS = (48, 61, 100, 200)


def made(name: str, length: int = 100, **options):
    """Return a model, told the length where its constructor asks for it."""
    torch.manual_seed(0)
    needs = {"length": length} if "length" in MODELS.options(name) else {}
    return create_model(name, **needs, **options)


def codes(n: int, length: int) -> torch.Tensor:
    return torch.randint(0, 5, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def takes_any_length(name: str) -> bool:
    return "length" not in MODELS.options(name)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", NAMES)
def test_features_have_the_announced_channels_and_stride(name, length):
    model = made(name, length).eval()
    assert isinstance(model.channels, int)
    assert isinstance(model.stride, int)
    assert model(one_hot(codes(2, length))).shape == (2, model.channels, length // model.stride)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_a_default_and_is_keyword_only(name):
    for key, parameter in MODELS.options(name).items():
        if key in ("self", "length"):
            continue
        assert parameter.default is not inspect.Parameter.empty, key
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, key


@pytest.mark.parametrize("name", NAMES)
def test_extra_input_channels_may_follow_the_bases(name):
    model = made(name, in_channels=6).eval()
    assert model(torch.randn(2, 6, 100)).shape == (2, model.channels, 100 // model.stride)


@pytest.mark.parametrize("name", NAMES)
def test_the_size_of_the_batch_does_not_change_the_features(name):
    model = made(name).eval()
    x = one_hot(codes(7, 100))
    one_by_one = torch.cat([model(row.unsqueeze(0)) for row in x])
    torch.testing.assert_close(model(x), one_by_one)


@pytest.mark.parametrize("name", [name for name in NAMES if takes_any_length(name)])
@pytest.mark.parametrize("length", [48, 61, 99])
@pytest.mark.parametrize("padded_length", [100, 101, 200])
def test_padding_never_changes_the_features_of_the_bases(name, length, padded_length):
    model = made(name).eval()
    x = one_hot(codes(3, length))
    expected = model(x)
    padded = torch.cat([x, torch.zeros(3, 4, padded_length - length)], dim=-1)
    torch.testing.assert_close(model(padded, torch.full((3,), length))[..., : expected.shape[-1]], expected)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_stands_in_the_padding_is_not_seen(name):
    model = made(name).eval()
    x = one_hot(codes(3, 100))
    lengths = torch.tensor([60, 100, 81])
    other = x.clone()
    other[0, :, 60:] = 5.0
    other[2, :, 81:] = -5.0
    for row, n in enumerate((60 // model.stride, 100 // model.stride, 81 // model.stride)):
        torch.testing.assert_close(model(other, lengths)[row, :, :n], model(x, lengths)[row, :, :n])


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter_and_the_input(name):
    model = made(name).train()
    x = one_hot(codes(8, 100)).requires_grad_()
    model(x).square().mean().backward()
    for path, parameter in model.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.grad.abs().sum() > 0, path
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("name", NAMES)
def test_saved_weights_give_the_same_features_in_a_new_model(name, tmp_path):
    model = made(name).eval()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    twin = create_model(**model.recipe).eval()
    twin.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    x = one_hot(codes(3, 100))
    assert torch.equal(twin(x), model(x))
    assert torch.equal(deepcopy(model)(x), model(x))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_documented_with_an_example(name):
    text = inspect.getdoc(MODELS.get(name))
    assert "Examples" in text
    for key in MODELS.options(name):
        assert key in text, key


DROPPED_IN = '''
"""A model of one's own."""

from torch import nn

from seqdl.layers.onehot import mask_positions
from seqdl.registry import MODELS


@MODELS.register("dropped_in")
class DroppedIn(nn.Module):
    """Two bases at a time.

    Parameters
    ----------
    in_channels : int
    filters : int

    Examples
    --------
    >>> DroppedIn().channels
    3
    """

    def __init__(self, *, in_channels: int = 4, filters: int = 3):
        super().__init__()
        self.conv = nn.Conv1d(in_channels, filters, 4, stride=2, padding=1)
        self.channels, self.stride = filters, 2

    def forward(self, x, lengths=None):
        return self.conv(mask_positions(x, lengths))
'''


@pytest.fixture
def dropped_in(tmp_path, monkeypatch) -> str:
    """Put a new file beside those of the package, and return the name of the model in it."""
    (tmp_path / "dropped_in.py").write_text(DROPPED_IN)
    monkeypatch.setattr(seqdl.models, "__path__", [*seqdl.models.__path__, str(tmp_path)])
    monkeypatch.setattr(MODELS, "_classes", dict(MODELS._classes))
    monkeypatch.setattr(MODELS, "_loaded", False)
    monkeypatch.delitem(sys.modules, "seqdl.models.dropped_in", raising=False)
    return "dropped_in"


def test_a_new_file_in_the_package_is_found_and_described_with_no_other_edit(dropped_in):
    assert dropped_in in MODELS.names()
    assert create_model(dropped_in, filters="5").channels == 5
    assert one_liner(MODELS, dropped_in, 100) == {"name": dropped_in, "parameters": 51, "summary": "Two bases at a time.", "problem": None}
    assert "--model.filters 3" in describe_options(MODELS, dropped_in)
    assert "B x 3 x 50" in layer_table(dropped_in, {}, 100)


def test_a_new_file_in_the_package_is_held_to_the_contract(dropped_in, tmp_path):
    test_features_have_the_announced_channels_and_stride(dropped_in, 61)
    test_every_option_has_a_default_and_is_keyword_only(dropped_in)
    test_extra_input_channels_may_follow_the_bases(dropped_in)
    test_the_size_of_the_batch_does_not_change_the_features(dropped_in)
    test_padding_never_changes_the_features_of_the_bases(dropped_in, 61, 100)
    test_whatever_stands_in_the_padding_is_not_seen(dropped_in)
    test_gradients_reach_every_parameter_and_the_input(dropped_in)
    test_saved_weights_give_the_same_features_in_a_new_model(dropped_in, tmp_path)
    test_a_model_is_documented_with_an_example(dropped_in)


def test_a_model_that_reads_what_is_padding_breaks_the_contract(dropped_in, monkeypatch):
    monkeypatch.setattr(MODELS.get(dropped_in), "forward", lambda self, x, lengths=None: self.conv(x))
    with pytest.raises(AssertionError, match="not close"):
        test_whatever_stands_in_the_padding_is_not_seen(dropped_in)


def test_two_models_may_not_share_a_name():
    registry = Registry("model", "seqdl.models")
    registry.register("twice")(type("One", (), {}))
    with pytest.raises(ValueError, match="two models are named 'twice': One and Two"):
        registry.register("twice")(type("Two", (), {}))


@pytest.mark.parametrize("name", ["cn", "cnnn", "CNN"])
def test_a_mistyped_model_is_answered_with_the_nearest_name(name):
    with pytest.raises(LookupError, match=rf"no model named '{name}'.*Available: .*cnn"):
        create_model(name)


def test_an_unknown_option_is_answered_with_the_nearest_name():
    with pytest.raises(LookupError, match=r"no option of model 'cnn' named 'filter'\. Did you mean 'filters'"):
        create_model("cnn", filter=3)
