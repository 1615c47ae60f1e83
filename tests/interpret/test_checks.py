"""Checks of attributions: where they hold, where they must speak up, and where a library is found out."""

from __future__ import annotations

import json
import warnings

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

from seqdl.errors import ShapeError
from seqdl.interpret.attribute import attribute
from seqdl.interpret.checks import check_attributions, completeness, correlations, middle, other_strand, randomised
from seqdl.interpret.references import make_references
from seqdl.layers.pooling import GlobalMax


class Reused(nn.Module):
    """One convolution and one activation, used for both strands."""

    def __init__(self):
        super().__init__()
        self.conv, self.act, self.dense = nn.Conv1d(4, 6, 5), nn.ReLU(), nn.Linear(6, 1)

    def forward(self, x):
        return self.dense((self.act(self.conv(x)) + self.act(self.conv(x.flip(1, 2)))).mean(-1))


@pytest.fixture
def reused():
    torch.manual_seed(0)
    return Reused().eval()


@pytest.mark.parametrize("method", ["deeplift", "integrated-gradients", "ism", "input-x-gradient"])
def test_a_network_that_shares_strands_passes(method, two_strands, x):
    options = {"n_steps": 200} if method == "integrated-gradients" else {}
    found = check_attributions(two_strands, x, attribute(two_strands, x, method=method, **options), method=method, **options)
    assert found.warnings == []
    assert found.strands == pytest.approx(1, abs=1e-6)
    assert found.n_sequences == len(x)
    assert set(found.agreement) == {"ism", "deeplift", "input-x-gradient"} - {method}
    assert (found.completeness is None) == (method in ("ism", "input-x-gradient"))


def by_captum(net, x, references):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = captum.attr.DeepLift(net).attribute(torch.from_numpy(x), baselines=references[:, 0], target=0)
    return found.detach().numpy()


def test_captum_loses_completeness_in_max_pooling_and_the_check_says_so(x):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(4, 5, 3), nn.MaxPool1d(3, 1, padding=1), nn.ReLU(), nn.MaxPool1d(4, 2), nn.Flatten(), nn.Linear(40, 1)).eval()
    references = make_references(torch.from_numpy(x), 1).rows(slice(0, len(x)))
    ours, theirs = attribute(net, x, references=references), by_captum(net, x, references)
    found, wrong = (check_attributions(net, x, scores, method="deeplift", references=references) for scores in (ours, theirs))
    assert found.completeness["n_over"] == 0
    assert wrong.completeness["n_over"] > 0
    assert any("miss more than 1% of the change of the output" in line for line in wrong.warnings)


def test_an_activation_that_is_used_twice_is_explained_where_captum_gives_up(reused, x):
    references = make_references(torch.from_numpy(x), 1).rows(slice(0, len(x)))
    with pytest.raises(RuntimeError, match="used more than once"):
        by_captum(reused, x, references)
    assert completeness(reused, x, attribute(reused, x, references=references), method="deeplift", references=references)["worst"] < 1e-4


def test_scores_that_miss_their_sum_are_counted(two_strands, x):
    scores = attribute(two_strands, x)
    scores[0] *= 1.5
    found = completeness(two_strands, x, scores, method="deeplift")
    assert found["n_over"] == 1
    assert found["worst"] > 0.01 > found["median"]


def test_attributions_that_follow_the_sequence_alone_are_found_out(x):
    """The network counts As, and has no weight that would change which bases count."""

    class Same(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x):
            return x[:, 0].mean(-1, keepdim=True) * self.scale

    same = Same()
    found = check_attributions(same, x, attribute(same, x, method="saliency"), method="saliency")
    assert found.randomised == pytest.approx(1)
    assert any("shuffled weights" in line for line in found.warnings)


def test_methods_that_disagree_are_said(x, two_strands):
    noise = np.random.default_rng(0).normal(size=x.shape)
    found = check_attributions(two_strands, x, noise, method="saliency")
    assert any("other methods tell another story" in line for line in found.warnings)


def test_a_randomised_copy_has_the_same_weights_in_another_order(two_strands, x):
    before = {name: value.clone() for name, value in two_strands.state_dict().items()}
    copy = randomised(two_strands, x)
    assert all(torch.equal(value, before[name]) for name, value in two_strands.state_dict().items())
    assert torch.equal(copy.conv.weight.flatten().sort().values, two_strands.conv.weight.flatten().sort().values)
    assert not torch.equal(copy.conv.weight, two_strands.conv.weight)
    with torch.no_grad():
        assert copy(torch.from_numpy(x)).std() > 0


def test_the_other_strand_of_a_one_stranded_network_differs(x):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(4, 6, 5), GlobalMax(), nn.Linear(6, 1))
    scores = attribute(net, x)
    turned = other_strand(net, x, method="deeplift")
    assert middle(correlations((scores * x).sum(1), (turned * x).sum(1))) < 0.9


def test_references_are_turned_with_the_sequence(two_strands, x):
    found, turned = attribute(two_strands, x), other_strand(two_strands, x, method="deeplift")
    same = [0, 1, 2, 4]  # in the others two windows tie for a maximum, and each strand meets another of them first
    assert np.allclose(found[same], turned[same], atol=1e-5)


def test_a_method_without_a_rule_is_left_out_of_the_comparison(x):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 3, batch_first=True)

        def forward(self, x):
            return self.lstm(x.transpose(1, 2))[0].mean(1)

    torch.manual_seed(0)
    net = Recurrent()
    found = check_attributions(net, x, attribute(net, x, method="integrated-gradients"), method="integrated-gradients")
    assert set(found.agreement) == {"ism", "input-x-gradient"}
    assert found.completeness["n_over"] == 0


def test_what_is_undefined_is_null_in_json(two_strands, x):
    zero = np.zeros(x.shape)
    found = json.loads(json.dumps(check_attributions(two_strands, x, zero, method="saliency").as_dict()))
    assert found["randomised"] is None
    assert found["completeness"] is None


def test_scores_of_another_shape_are_refused(two_strands, x):
    with pytest.raises(ShapeError, match=r"the scores have the shape \(6, 4, 19\) for x \(6, 4, 20\)"):
        check_attributions(two_strands, x, np.zeros((6, 4, 19)), method="ism")
