"""Networks of convolutions and dense layers against torch's own layers put together by hand, and what each promises."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from seqdl.errors import InputError, ShapeError
from seqdl.experiment.build import create_model
from seqdl.experiment.describe import count_parameters
from seqdl.layers.onehot import one_hot
from seqdl.tasks.binary import Binary


def sequences(n: int, length: int, seed: int = 0) -> torch.Tensor:
    return one_hot(torch.randint(0, 4, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)))


def with_statistics(model: nn.Module, length: int = 100) -> nn.Module:
    """Return a model in evaluation mode whose batch norms have seen something, so that they change what goes through."""
    model.train()
    model(sequences(16, length))
    return model.eval()


def by_hand(channels: list[int], widths: list[int], pools: list[int], act: type[nn.Module], pool: type[nn.Module]) -> nn.Sequential:
    """Return convolution, batch norm, activation and pooling, layer by layer."""
    layers: list[nn.Module] = []
    for before, after, width, size in zip(channels[:-1], channels[1:], widths, pools, strict=True):
        layers += [nn.Conv1d(before, after, width, padding=width // 2, bias=False), nn.BatchNorm1d(after), act()]
        layers += [pool(size)] if size > 1 else []
    return nn.Sequential(*layers)


PLAIN = {
    "basset": by_hand([4, 96, 96, 96], [19, 11, 7], [3, 4, 2], nn.ReLU, nn.MaxPool1d),
    "lenet": by_hand([4, 32, 64, 120], [15, 7, 5], [2, 2, 1], nn.Tanh, nn.AvgPool1d),
    "alexnet": by_hand([4, 96, 128, 192, 192, 128], [11, 5, 3, 3, 3], [4, 2, 1, 1, 2], nn.ReLU, nn.MaxPool1d),
    "vgg": by_hand([4, 64, 64, 128, 128, 256, 256], [15, 3, 3, 3, 3, 3], [1, 2, 1, 2, 1, 2], nn.ReLU, nn.MaxPool1d),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_network_is_what_torch_makes_of_the_same_layers(name):
    torch.manual_seed(0)
    model, twin = with_statistics(create_model(name)), PLAIN[name].eval()
    twin.load_state_dict(dict(zip(twin.state_dict(), model.state_dict().values(), strict=True)))
    assert count_parameters(model) == count_parameters(twin)
    x = sequences(3, 101)
    torch.testing.assert_close(model(x), twin(x))


def test_a_multilayer_perceptron_is_what_torch_makes_of_the_same_layers():
    torch.manual_seed(0)
    model = with_statistics(create_model("mlp", length=100, hidden=(32, 8), activation="gelu"))
    twin = nn.Sequential(
        nn.Flatten(),
        nn.Linear(400, 32, bias=False), nn.BatchNorm1d(32), nn.GELU(), nn.Dropout(0.5),
        nn.Linear(32, 8, bias=False), nn.BatchNorm1d(8), nn.GELU(),
    ).eval()  # fmt: skip
    twin.load_state_dict(dict(zip(twin.state_dict(), model.state_dict().values(), strict=True)))
    x = sequences(3, 100)
    torch.testing.assert_close(model(x), twin(x).unsqueeze(-1))


def test_bpnet_is_its_first_layer_and_dilated_ones_that_add_to_it():
    torch.manual_seed(0)
    model = create_model("dilated", filters=8, layers=4, norm="none").eval()
    convs = [module for module in model.modules() if isinstance(module, nn.Conv1d)]
    x = sequences(2, 80)
    expected = F.relu(F.conv1d(x, convs[0].weight, convs[0].bias, padding=10))
    for number, conv in enumerate(convs[1:], 1):
        expected = expected + F.relu(F.conv1d(expected, conv.weight, conv.bias, padding=2**number, dilation=2**number))
    torch.testing.assert_close(model(x), expected)


@pytest.mark.parametrize(("options", "span"), [({}, 273), ({"layers": 3}, 49), ({"first_width": 7, "layers": 2, "width": 5}, 31)])
def test_the_dilated_network_sees_as_far_as_it_says(options, span):
    torch.manual_seed(0)
    model = create_model("dilated", norm="none", activation="linear", first_activation="linear", **options).eval()
    x = sequences(1, 601).requires_grad_()
    model(x)[0, :, 300].sum().backward()
    seen = torch.nonzero(x.grad.abs().sum((0, 1))).flatten()
    assert (seen.min().item(), seen.max().item()) == (300 - span // 2, 300 + span // 2)


def test_a_causal_network_takes_no_normalisation_along_the_sequence():
    with pytest.raises(InputError, match=r"causal with norm 'group': .* Use batch or layer"):
        create_model("dilated", causal=True, norm="group")


def test_the_residual_network_has_the_weights_of_its_plan():
    convs = 4 * 64 * 15 + 4 * 64 * 64 * 3 + (64 * 96 + 3 * 96 * 96) * 3 + (96 * 128 + 3 * 128 * 128) * 3
    around, norms = 64 * 96 + 96 * 128, 2 * (64 + 4 * 64 + 5 * 96 + 5 * 128)
    assert count_parameters(create_model("resnet")) == convs + around + norms


def test_a_residual_network_whose_blocks_add_nothing_passes_on_its_first_layer():
    torch.manual_seed(0)
    model = with_statistics(create_model("resnet", filters=(16,), layers=(3,)))
    stem, *blocks = model.blocks
    for block in blocks:
        nn.init.zeros_(block.convs[1].after[0].weight)
    x = sequences(2, 60)
    torch.testing.assert_close(model(x), stem(x))


def test_an_inception_module_joins_its_branches():
    torch.manual_seed(0)
    model = create_model("inception", layers=1, norm="none", pool=1, widths=(5, 9), filters=6).eval()
    stem, module = model.blocks
    x = sequences(2, 40)
    y = F.relu(F.conv1d(x, stem.conv.weight, stem.conv.bias, padding=7))

    def conv(block: nn.Module, z: torch.Tensor) -> torch.Tensor:
        return F.relu(F.conv1d(z, block.conv.weight, block.conv.bias, padding=block.conv.kernel_size[0] // 2))

    wide = [conv(second, conv(first, y)) for first, second in module.wide]
    expected = torch.cat([conv(module.point, y), *wide, conv(module.behind, F.max_pool1d(y, 3, stride=1, padding=1))], dim=1)
    torch.testing.assert_close(model(x), expected)
    assert model.channels == 24


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("activation", ["relu", "linear", "tanh"])
@pytest.mark.parametrize("name", ["unet", "inception"])
def test_pooling_at_the_end_of_a_row_sees_no_padding_whatever_the_sign_of_the_features(name, activation, pooling):
    torch.manual_seed(0)
    model = with_statistics(create_model(name, activation=activation, first_activation=activation, pooling=pooling))
    x, lengths = sequences(3, 80), torch.tensor([80, 51, 62])
    together = model(x, lengths)
    for row, n in enumerate(lengths.tolist()):
        alone = model(x[row : row + 1, :, :n])[0]
        torch.testing.assert_close(together[row, :, : alone.shape[-1]], alone)


def test_a_u_net_is_down_across_and_up_again():
    torch.manual_seed(0)
    model = with_statistics(create_model("unet", filters=4, depth=2), 32)
    x = sequences(2, 32)
    first = model.down[0](x)
    second = model.down[1](F.max_pool1d(first, 2))
    lowest = model.down[2](F.max_pool1d(second, 2))
    upper = model.up[0](torch.cat([F.conv_transpose1d(lowest, model.stretch[0].weight, model.stretch[0].bias, stride=2), second], dim=1))
    expected = model.up[1](torch.cat([F.conv_transpose1d(upper, model.stretch[1].weight, model.stretch[1].bias, stride=2), first], dim=1))
    torch.testing.assert_close(model(x), expected)
    assert [level[1].channels for level in model.down] == [4, 8, 16]


@pytest.mark.parametrize("length", range(1, 18))
def test_a_u_net_gives_back_as_many_bases_as_it_was_given(length):
    assert create_model("unet", filters=2).eval()(sequences(1, length)).shape == (1, 2, length)


# the whole window ------------------------------------------------------------------------------------


def linear_task(**options) -> Binary:
    """Return a task over the linear model whose normalisation has seen something."""
    torch.manual_seed(0)
    task = Binary(create_model("linear", length=20), **options).train()
    for _ in range(3):
        task.logits(sequences(64, 20))
    return task.eval()


LOGISTIC = {"hidden": 0, "activation": "linear", "dropout": 0.0}


@pytest.mark.parametrize("strands", ["single", "augment", "average"])
def test_the_linear_model_is_linear_to_the_logits_with_the_options_it_names(strands):
    task = linear_task(strands=strands, **LOGISTIC)
    x, y = sequences(8, 20), sequences(8, 20, seed=1)
    torch.testing.assert_close(task.logits(0.3 * x + 0.7 * y), 0.3 * task.logits(x) + 0.7 * task.logits(y))


@pytest.mark.parametrize("options", [{"strands": "single"}, {"strands": "shared", **LOGISTIC}])
def test_the_linear_model_is_not_linear_with_other_options(options):
    task = linear_task(**options)
    x, y = sequences(8, 20), sequences(8, 20, seed=1)
    assert not torch.allclose(task.logits(0.3 * x + 0.7 * y), 0.3 * task.logits(x) + 0.7 * task.logits(y), atol=1e-3)


def test_the_linear_model_hands_on_each_base_at_its_place():
    x = sequences(2, 20)
    torch.testing.assert_close(create_model("linear", length=20)(x)[..., 0], x.reshape(2, 80))


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_network_over_the_whole_window_takes_shorter_sequences_and_refuses_longer_ones(name):
    model = create_model(name, length=50).eval()
    x = sequences(3, 40)
    padded = torch.cat([x, torch.ones(3, 4, 10)], dim=-1)
    torch.testing.assert_close(model(x), model(padded, torch.full((3,), 40)))
    with pytest.raises(ShapeError, match="the sequences have 51 bp: at most 50 were expected"):
        model(sequences(3, 51))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mlp", {"length": 20, "hidden": ()}, "one layer or more, of one unit or more"),
        ("mlp", {"length": 20, "norm": "group"}, r"no normalisation of dense layers named 'group'"),
        ("mlp", {}, "the model 'mlp' cannot be made with .*'length'"),
        ("vgg", {"filters": (8, 8)}, r"filters \(8, 8\) and layers \(2, 2, 2\): as many of either"),
        ("vgg", {"layers": (2, 0, 2)}, "1 layer or more in each stage"),
        ("resnet", {"layers": (2, 2)}, r"filters \(64, 96, 128\) and layers \(2, 2\): as many of either"),
        ("dilated", {"layers": 0}, "0 dilated layers: 1 or more was expected"),
        ("inception", {"widths": ()}, "1 module and 1 branch or more"),
        ("unet", {"depth": 0}, "the depth is 0: 1 or more was expected"),
        ("basset", {"widths": (19, 11)}, "3 filters, 2 widths and 3 pools: one of each a layer"),
        ("cnn", {"width": 14}, r"width 14 cannot be centred on a base: an odd width was expected\. Use 13 or 15"),
        ("cnn", {"padding": "vald"}, r"no padding named 'vald'\. Did you mean 'valid'"),
    ],
)
def test_options_that_make_no_network_are_refused(name, options, message):
    with pytest.raises((ValueError, LookupError), match=message):
        create_model(name, **options)
