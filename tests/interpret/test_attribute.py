"""Attributions against arithmetic, against each other, and against captum and tangermeme."""

import warnings

import captum.attr
import numpy as np
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from torch import nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.interpret.attribute import attribute, completeness_error
from seqdl.interpret.ism import mutation_effects
from seqdl.interpret.method import METHODS
from seqdl.layers.monotone import Monotone
from seqdl.layers.pooling import AttentionPool, GlobalMax

NAMES = METHODS.names()


def linear(weights):
    """One weight a base and position, (4, L)."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(weights.size, 1))
    net[1].weight.data = torch.from_numpy(weights.astype(np.float32).reshape(1, -1))
    return net


def test_the_methods_of_the_interface_are_there():
    assert NAMES == ["deeplift", "expected-gradients", "input-x-gradient", "integrated-gradients", "ism", "saliency"]


# what every method has in common -----------------------------------------------------------------


@pytest.mark.parametrize("method", NAMES)
class TestEveryMethod:
    def test_gives_float32_of_the_shape_of_x(self, method, two_strands, x):
        scores = attribute(two_strands, x, method=method)
        assert scores.shape == x.shape
        assert scores.dtype == np.float32

    def test_takes_tensors_and_arrays_alike(self, method, two_strands, x):
        assert np.array_equal(attribute(two_strands, x, method=method), attribute(two_strands, torch.from_numpy(x), method=method))

    def test_does_not_depend_on_the_batch_size(self, method, two_strands, x):
        whole, single = attribute(two_strands, x, method=method), attribute(two_strands, x, method=method, batch_size=1)
        assert np.allclose(whole, single, atol=1e-5)

    def test_leaves_the_module_as_it_was(self, method, two_strands, x):
        two_strands.train()
        weights = {name: value.clone() for name, value in two_strands.state_dict().items()}
        attribute(two_strands, x, method=method)
        assert all(part.training for part in two_strands.modules())
        assert all(torch.equal(value, weights[name]) for name, value in two_strands.state_dict().items())
        assert all("forward" not in vars(part) and parameter.grad is None for part in two_strands.modules() for parameter in part.parameters())

    def test_explains_the_output_that_is_asked_for(self, method, two_strands, x):
        second = attribute(two_strands, x, method=method, output="second")
        assert np.array_equal(second, attribute(two_strands, x, method=method, output=1))
        assert not np.allclose(second, attribute(two_strands, x, method=method, output="first"))

    def test_works_within_no_grad(self, method, two_strands, x):
        with torch.no_grad():
            assert np.abs(attribute(two_strands, x, method=method)).max() > 0

    def test_gives_the_weights_of_a_linear_network(self, method, draw):
        weights = np.random.default_rng(1).normal(size=(4, 12))
        weights -= weights.mean(0)  # what is left is what no convention of centring changes
        x = draw(3, 12)
        scores = attribute(linear(weights), x, method=method, references="uniform")
        assert np.allclose(scores * x, weights * x, atol=1e-5)

    def test_takes_no_sequence_at_all(self, method, two_strands):
        assert attribute(two_strands, np.zeros((0, 4, 20)), method=method).shape == (0, 4, 20)

    def test_says_nothing_on_an_ambiguous_base(self, method, two_strands, x):
        x[:, :, 7] = 0
        assert np.isfinite(attribute(two_strands, x, method=method)).all()
        if method not in ("saliency", "ism"):
            assert np.all(attribute(two_strands, x, method=method)[:, :, 7] == 0)

    def test_is_the_same_for_the_same_seed(self, method, two_strands, x):
        assert np.array_equal(attribute(two_strands, x, method=method, seed=3), attribute(two_strands, x, method=method, seed=3))

    def test_refuses_an_option_it_lacks(self, method, two_strands, x):
        with pytest.raises(UnknownNameError, match=f"no option of attribution method '{method}' named 'bach_size'. Did you mean 'batch_size'"):
            attribute(two_strands, x, method=method, bach_size=3)


@pytest.mark.parametrize("method", NAMES)
def test_a_batch_size_below_one_is_refused(method, two_strands, x):
    with pytest.raises(InputError, match="batch_size is 0; expected at least 1"):
        attribute(two_strands, x, method=method, batch_size=0)


def test_an_unknown_method_is_named_with_a_guess(two_strands, x):
    with pytest.raises(UnknownNameError, match="Did you mean 'deeplift'"):
        attribute(two_strands, x, method="deeplft")


def test_codes_are_refused_with_advice(two_strands):
    with pytest.raises(ShapeError, match="Codes are made one-hot"):
        attribute(two_strands, np.zeros((5, 20), dtype=np.uint8))


def test_logits_are_explained_rather_than_probabilities(draw):
    class Squashed(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = linear(np.arange(8.0).reshape(4, 2) * 10)

        def logits(self, x):
            return self.net(x)

        def forward(self, x):
            return torch.sigmoid(self.logits(x))

    net, x = Squashed(), draw(3, 2)
    assert np.array_equal(attribute(net, x, method="input-x-gradient"), attribute(net.net, x, method="input-x-gradient"))


# arithmetic ---------------------------------------------------------------------------------------


def test_deeplift_of_a_relu_by_hand():
    """The net is relu(2 a - 1) with a = the number of As; AA against no base at all changes it from 0 to 3, by 1.5 for each A."""
    net = nn.Sequential(nn.Conv1d(4, 1, 2), nn.ReLU(), nn.Flatten())
    net[0].weight.data = torch.tensor([[[2.0, 2], [0, 0], [0, 0], [0, 0]]])
    net[0].bias.data.fill_(-1)
    x = np.zeros((1, 4, 2), dtype=np.float32)
    x[0, 0] = 1
    scores = attribute(net, x, references="zeros")
    assert np.allclose(scores[0, 0], [1.5, 1.5])  # the multiplier is (3 - 0) / (3 - -1) = 3/4, times the weight 2
    assert np.all(scores[0, 1:] == 0)
    assert np.allclose(attribute(net, x, method="input-x-gradient", centred=False)[0, 0], [2, 2])
    assert np.allclose(attribute(net, x, method="input-x-gradient")[0, 0], [1.5, 1.5])  # less the mean over the four bases


def test_deeplift_of_a_maximum_by_hand():
    """The maximum is 3 at the second place, in the reference 2 at the first: the second earns 1, the first nothing."""
    net = nn.Sequential(nn.Conv1d(4, 1, 1, bias=False), GlobalMax(), nn.Flatten())
    net[0].weight.data = torch.tensor([[[1.0], [2], [3], [0]]])
    x, reference = np.eye(4, dtype=np.float32)[[[0, 2]]].transpose(0, 2, 1), np.eye(4, dtype=np.float32)[[[1, 0]]].transpose(0, 2, 1)
    scores = attribute(net, x, references=reference)
    assert np.allclose(scores[0].sum(0), [0, 1])


def test_mutation_effects_are_what_the_mutants_give(two_strands, x):
    effects = mutation_effects(two_strands, x, output=1)
    with torch.no_grad():
        for row, base, position in [(0, 0, 0), (3, 2, 11), (5, 3, 19)]:
            mutant = torch.from_numpy(x[row : row + 1].copy())
            mutant[0, :, position] = 0
            mutant[0, base, position] = 1
            change = two_strands(mutant)[0, 1] - two_strands(torch.from_numpy(x[row : row + 1]))[0, 1]
            assert effects[row, base, position] == pytest.approx(float(change), abs=1e-5)
    assert np.all(effects[x == 1] == 0)


def test_ism_keeps_the_differences_between_bases(two_strands, x):
    scores, effects = attribute(two_strands, x, method="ism"), mutation_effects(two_strands, x)
    assert np.allclose(scores.mean(1), 0, atol=1e-6)
    assert np.allclose(scores - (scores * x).sum(1, keepdims=True), effects, atol=1e-5)


def test_saliency_is_centred_and_can_be_plain(two_strands, x):
    plain, centred = (attribute(two_strands, x, method="saliency", centred=choice) for choice in (False, True))
    assert np.allclose(plain - plain.mean(1, keepdims=True), centred, atol=1e-6)


# completeness -------------------------------------------------------------------------------------


@pytest.mark.parametrize("references", [3, "uniform", "zeros"])
def test_deeplift_adds_up_to_the_change_of_the_output(net, x, references):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = attribute(net, x, references=references)
    assert np.abs(completeness_error(net, x, scores, references=references)).max() < 1e-4 * np.abs(scores).sum((1, 2)).max()


def test_integrated_gradients_add_up_as_far_as_the_steps_go(net, x):
    scores = attribute(net, x, method="integrated-gradients", n_steps=300, references=2)
    assert np.abs(completeness_error(net, x, scores, references=2)).mean() < 0.01 * np.abs(scores).sum((1, 2)).mean()


def test_deeplift_warns_where_it_cannot_add_up(x):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(4, 5, 3)

        def forward(self, x):
            return torch.relu(self.conv(x)).amax(-1).sum(1)

    with pytest.warns(UserWarning, match=r"miss \d+% of the change of Functional's output.*functional call"):
        attribute(Functional(), x)


@pytest.mark.parametrize("kind", ["attention", "softmax", "bent"])
def test_deeplift_adds_up_through_a_softmax_and_a_bent_output(kind, x):
    class Weighted(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.act = nn.Conv1d(4, 6, 5), nn.ELU()
            self.pool = {"attention": AttentionPool(6), "softmax": nn.Softmax(-1), "bent": GlobalMax()}[kind]
            self.bend = Monotone([(np.array([-1.0, 0, 1]), np.array([-3.0, 0, 0.5]))])

        def forward(self, x):
            features = self.act(self.conv(x) * 3)
            pooled = self.pool(features)[..., 3] if kind == "softmax" else self.pool(features)
            return self.bend(pooled[:, :1]) if kind == "bent" else pooled[:, :1] * 4

    torch.manual_seed(0)
    net = Weighted().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = attribute(net, x)
    assert np.abs(scores).max() > 0.05
    assert np.abs(completeness_error(net, x, scores)).max() < 1e-5


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.RNN])
def test_deeplift_refuses_recurrent_layers_and_names_what_works(layer, x):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.read = layer(4, 3, batch_first=True)

        def forward(self, x):
            return self.read(x.transpose(1, 2))[0][:, -1]

    with pytest.raises(InputError, match=r"deeplift has no rule for recurrent layers, and Recurrent has one \('read'\).*'integrated-gradients'"):
        attribute(Recurrent(), x)
    for method in ("saliency", "ism", "expected-gradients", "integrated-gradients"):
        assert np.abs(attribute(Recurrent(), x, method=method)).max() > 0


def test_deeplift_goes_through_strands_stacked_along_the_batch(x, two_strands):
    class Stacked(nn.Module):
        def __init__(self, like):
            super().__init__()
            self.conv, self.pool, self.dense = like.conv, nn.ReLU(), like.dense
            self.maximum = like.pool

        def forward(self, x):
            both = self.pool(self.conv(torch.cat([x, x.flip(1, 2)])))
            return self.dense(self.maximum(torch.cat(both.chunk(2), -1)))

    net = Stacked(two_strands)
    assert np.abs(completeness_error(net, x, attribute(net, x))).max() < 1e-4


def test_hypothetical_contributions_agree_on_the_sequence(two_strands, x):
    for method in ("deeplift", "integrated-gradients"):
        actual, all_bases = (attribute(two_strands, x, method=method, hypothetical=choice) for choice in (False, True))
        assert np.allclose(actual, all_bases * x, atol=1e-5)
        assert np.abs(all_bases * (1 - x)).max() > 0


def test_expected_gradients_come_to_integrated_gradients(net, x):
    whole = attribute(net, x, method="integrated-gradients", references=3, n_steps=200)
    drawn = attribute(net, x, method="expected-gradients", references=3, n_samples=400)
    assert np.abs(whole - drawn).mean() < 0.1 * np.abs(whole).mean()


def test_a_wrong_number_of_points_is_refused(two_strands, x):
    with pytest.raises(InputError, match="n_samples is 0; expected at least 1"):
        attribute(two_strands, x, method="expected-gradients", n_samples=0)


@pytest.mark.parametrize("n_samples", [1, 2, 7])
def test_expected_gradients_take_fewer_points_than_references(n_samples, x):
    weights = np.random.default_rng(1).normal(size=(4, 20))
    scores = attribute(linear(weights), x, method="expected-gradients", references="uniform", n_samples=n_samples)
    assert np.allclose(scores, attribute(linear(weights), x, method="integrated-gradients", references="uniform"), atol=1e-5)


# oracles ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hypothetical", [False, True])
def test_deeplift_agrees_with_tangermeme(x, hypothetical):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv1d(4, 6, 5), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(6, 5, 3), nn.ELU(), nn.Flatten(), nn.Linear(30, 4), nn.Softplus(), nn.Linear(4, 1)
    ).eval()
    references = torch.from_numpy(np.random.default_rng(5).permuted(np.repeat(x[:, None], 4, 1), axis=3))
    references = torch.eye(4)[references.argmax(2)].transpose(2, 3).contiguous()
    theirs = deep_lift_shap(net, torch.from_numpy(x), references=references, hypothetical=hypothetical, device="cpu")
    ours = attribute(net, x, references=references, hypothetical=hypothetical)
    assert np.allclose(ours, theirs.numpy(), atol=2e-6)


def test_saliency_agrees_with_captum(net, x):
    theirs = captum.attr.Saliency(net).attribute(torch.from_numpy(x).requires_grad_(True), target=0, abs=False)
    assert np.allclose(attribute(net, x, method="saliency", centred=False), theirs.detach().numpy(), atol=1e-5)


def test_input_x_gradient_agrees_with_captum(net, x):
    theirs = captum.attr.InputXGradient(net).attribute(torch.from_numpy(x).requires_grad_(True), target=0)
    assert np.allclose(attribute(net, x, method="input-x-gradient", centred=False), theirs.detach().numpy(), atol=1e-5)


def test_integrated_gradients_agree_with_captum(net, x):
    baseline = torch.full_like(torch.from_numpy(x), 0.25)
    theirs = captum.attr.IntegratedGradients(net).attribute(torch.from_numpy(x), baseline, target=0, n_steps=20, method="riemann_middle")
    ours = attribute(net, x, method="integrated-gradients", references="uniform", n_steps=20)
    assert np.allclose(ours.sum(1), theirs.sum(1).detach().numpy(), atol=1e-4)


def test_ism_agrees_with_tangermeme(two_strands, x):
    theirs = saturation_mutagenesis(two_strands, torch.from_numpy(x), target=0, hypothetical=True, device="cpu", fast=False)
    assert np.allclose(attribute(two_strands, x, method="ism"), theirs.numpy(), atol=1e-5)


def test_a_recurrent_network_can_be_explained(x):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 3, batch_first=True)

        def forward(self, x):
            return self.lstm(x.transpose(1, 2))[0][:, -1]

    torch.manual_seed(0)
    net = Recurrent()
    scores = attribute(net, x, method="integrated-gradients", references="uniform")
    assert np.abs(completeness_error(net, x, scores, references="uniform")).max() < 3e-3


# references ---------------------------------------------------------------------------------------


def test_references_may_be_given_for_each_sequence_or_for_all(two_strands, x, draw):
    common = draw(3, 20, seed=9)
    each = np.repeat(common[None], len(x), 0)
    assert np.allclose(attribute(two_strands, x, references=common), attribute(two_strands, x, references=each), atol=1e-6)


@pytest.mark.parametrize(
    ("references", "error", "message"),
    [
        (0, InputError, "references is 0; expected the number of shuffles, at least 1"),
        ("shuffled", InputError, "references is 'shuffled'; expected a number of shuffles"),
        (np.zeros((2, 4, 7)), ShapeError, r"references have the shape \(2, 4, 7\) for x \(6, 4, 20\)"),
    ],
)
def test_references_that_do_not_serve_are_refused(two_strands, x, references, error, message):
    with pytest.raises(error, match=message):
        attribute(two_strands, x, references=references)


def test_a_wrong_number_of_steps_is_refused(two_strands, x):
    with pytest.raises(InputError, match="n_steps is 0; expected at least 1"):
        attribute(two_strands, x, method="integrated-gradients", n_steps=0)
