"""Filters silenced one by one."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from seqdl.errors import ShapeError, UnknownNameError
from seqdl.interpret.importance import family_importance, filter_importance
from seqdl.layers.pooling import GlobalMax


def by_hand(net, x, target, index):
    """Silence each filter by rewriting the whole forward pass."""
    with torch.no_grad():
        x = torch.from_numpy(x)
        calls = torch.cat([net.conv(x), net.conv(x.flip(1, 2))], -1)
        mean = calls.mean((0, 2))
        full = roc_auc_score(target, net(x)[:, index])
        losses = []
        for f in range(calls.shape[1]):
            changed = calls.clone()
            changed[:, f] = mean[f]
            losses.append(full - roc_auc_score(target, net.dense(net.pool(changed))[:, index]))
    return np.array(losses)


@pytest.mark.parametrize("index", [0, 1])
def test_importance_is_what_rewriting_the_network_gives(index, draw, two_strands):
    x = draw(300, 30)
    target = np.random.default_rng(0).integers(0, 2, 300)
    table = filter_importance(two_strands, x, target, output=index)
    found = table.set_index("filter").importance.reindex([f"filter{f}" for f in range(6)])
    assert np.allclose(found, by_hand(two_strands, x, target, index), atol=1e-4)
    assert table.importance.is_monotonic_decreasing


class Known(nn.Module):
    """Rises with its filter for GATA in the left half, falls with the one for CCGG, does not look at the one for TTTT."""

    def __init__(self, *, inplace=False):
        super().__init__()
        self.conv = nn.Conv1d(4, 3, 4, bias=False)
        codes = torch.tensor([[2, 0, 3, 0], [1, 1, 2, 2], [3, 3, 3, 3]])
        self.conv.weight.data = torch.nn.functional.one_hot(codes, 4).transpose(1, 2).float()
        self.relu, self.pool = nn.ReLU(inplace=inplace), GlobalMax()
        self.register_buffer("weight", torch.tensor([1.0, -1.0, 0.0]))

    def forward(self, x):
        return self.pool(self.relu(self.conv(x) - 2.5 if not self.relu.inplace else self.conv(x))) @ self.weight


def known_data(draw):
    x, target = draw(400, 40), np.repeat([1.0, 0.0], 200)
    x[:200, :, 4:8] = np.eye(4)[[2, 0, 3, 0]].T
    x[200:, :, 30:34] = np.eye(4)[[1, 1, 2, 2]].T
    return x, target


def test_direction_and_position_of_known_filters(draw):
    x, target = known_data(draw)
    table = filter_importance(Known(), x, target).set_index("filter")
    assert table.direction.to_dict() == {"filter0": 1, "filter1": -1, "filter2": 0}
    assert table.importance["filter2"] == 0
    assert table.importance["filter0"] > 0.05
    assert table.position["filter0"] < -3  # planted 14 bp left of the middle, but four bases also occur by chance
    assert table.position["filter1"] > 3


def test_layers_that_work_in_place_spoil_nothing(draw):
    x, target = known_data(draw)
    plain, inplace = Known(inplace=True), Known(inplace=True)
    plain.relu.inplace = False
    plain.forward = lambda x: plain.pool(plain.relu(plain.conv(x))) @ plain.weight
    a, b = filter_importance(plain, x, target), filter_importance(inplace, x, target)
    assert a.equals(b)


def test_a_number_can_be_the_target(draw, two_strands):
    x = draw(200, 30)
    with torch.no_grad():
        truth = two_strands(torch.from_numpy(x)).numpy()
    table = filter_importance(two_strands, x, truth, output="second", metric="pearson")
    assert (table.importance > -1e-6).all()
    assert table.importance.max() > 0.01


def test_many_sequences_are_sampled_the_same_way_each_time(draw, two_strands):
    x, target = draw(500, 30), np.random.default_rng(0).integers(0, 2, 500)
    first, second = (filter_importance(two_strands, x, target, max_sequences=100) for _ in range(2))
    assert first.equals(second)


def test_one_class_gives_undefined_importance(draw, two_strands):
    assert filter_importance(two_strands, draw(20, 30), np.ones(20)).importance.isna().all()


def test_the_module_is_left_as_it_was(draw, two_strands):
    two_strands.train()
    filter_importance(two_strands, draw(20, 30), np.arange(20) % 2)
    assert two_strands.training
    assert not two_strands.conv._forward_hooks
    assert "forward" not in vars(two_strands.conv)


def test_a_target_of_another_length_is_refused(draw, two_strands):
    with pytest.raises(ShapeError, match=r"target has the shape \(7,\) for 20 sequences"):
        filter_importance(two_strands, draw(20, 30), np.ones(7))


def test_an_unknown_metric_is_refused(draw, two_strands):
    with pytest.raises(UnknownNameError, match=r"no metric of filter importance named 'auc'. Did you mean 'auroc'"):
        filter_importance(two_strands, draw(20, 30), np.ones(20), metric="auc")


def test_filters_that_stand_in_for_each_other_matter_together():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(4, 3, 1, bias=False), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(3, 1))
    net[0].weight.data.copy_(torch.tensor([[1.0, 0, 0, 0], [1.0, 0, 0, 0], [0, 1.0, 0, 0]])[..., None])
    net[3].weight.data.copy_(torch.tensor([[1.0, 1.0, 0.0]]))
    rng = np.random.default_rng(0)
    codes = rng.integers(1, 4, (60, 8))
    codes[:30, 3] = 0
    x, target = np.eye(4)[codes].transpose(0, 2, 1), np.arange(60) < 30
    found = family_importance(net, x, target, families=[[0], [1], [2], [0, 1]])
    np.testing.assert_allclose(found, [0, 0, 0, 0.5])
    alone = filter_importance(net, x, target).set_index("filter")["importance"]
    np.testing.assert_allclose([alone["filter0"], alone["filter2"]], found[[0, 2]])


def test_without_an_output_each_filter_is_weighed_by_the_one_that_loses_most(draw, two_strands):
    x = draw(200, 30)
    target = np.random.default_rng(1).integers(0, 2, (200, 2))
    each = [filter_importance(two_strands, x, target, output=k).set_index("filter") for k in range(2)]
    found = filter_importance(two_strands, x, target, output=None).set_index("filter")
    for name, row in found.iterrows():
        values = [table.importance[name] for table in each]
        assert row.importance == pytest.approx(max(values))
        assert row.output == int(np.argmax(values))
        assert row.direction == each[int(np.argmax(values))].direction[name]


def test_codes_are_weighed_like_their_one_hot(draw, two_strands):
    x, target = draw(150, 30), np.random.default_rng(0).integers(0, 2, 150)
    assert filter_importance(two_strands, x, target).equals(filter_importance(two_strands, x.argmax(1).astype(np.uint8), target))


def test_targets_that_do_not_fit_all_outputs_are_refused(draw, two_strands):
    with pytest.raises(ShapeError, match="target has 1 columns for 2 outputs"):
        filter_importance(two_strands, draw(20, 30), np.arange(20) % 2, output=None)
