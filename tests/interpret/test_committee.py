"""Families of filters silenced in several networks at once."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from seqdl.errors import ShapeError, UnknownNameError
from seqdl.interpret.committee import Committee, committee_importance
from seqdl.interpret.importance import family_importance, filter_importance
from tests.interpret.conftest import TwoStrands, settle

FAMILIES = [[(0, 0), (1, 3), (2, 1), (2, 4)], [(1, 2)], [(0, 1), (0, 2), (0, 3)], [(2, 0), (0, 5)]]


@pytest.fixture
def networks():
    """Return three networks of different weights and widths."""
    return [settle(TwoStrands(filters=6, width=width), seed=seed) for seed, width in enumerate((5, 7, 4))]


def by_hand(networks, x, target, families, index):
    """Silence each family by rewriting the forward pass of every network."""
    x = torch.from_numpy(x)

    def logits(silent):
        answers = []
        for k, net in enumerate(networks):
            calls = torch.cat([net.conv(x), net.conv(x.flip(1, 2))], -1)
            mean = calls.mean((0, 2))
            for f in [f for network, f in silent if network == k]:
                calls[:, f] = mean[f]
            answers.append(net.dense(net.pool(calls)))
        return torch.stack(answers).mean(0)[:, index].numpy()

    with torch.no_grad():
        full = roc_auc_score(target, logits([]))
        return [full - roc_auc_score(target, logits(family)) for family in families]


@pytest.mark.parametrize("index", [0, 1])
def test_importance_of_a_family_is_what_rewriting_all_networks_gives(networks, draw, index):
    x, target = draw(300, 30), np.random.default_rng(0).integers(0, 2, 300)
    table = committee_importance(Committee(networks), x, target, families=FAMILIES, output=index)
    np.testing.assert_allclose(table["importance"], by_hand(networks, x, target, FAMILIES, index), atol=1e-4)
    assert (table["output"] == index).all()


def test_a_committee_of_one_is_that_network(networks, draw):
    x, target = draw(200, 30), np.random.default_rng(0).integers(0, 2, 200)
    table = committee_importance(Committee(networks[:1]), x, target, families=[[(0, f)] for f in range(6)])
    alone = filter_importance(networks[0], x, target).set_index("filter").reindex([f"filter{f}" for f in range(6)])
    np.testing.assert_allclose(table["importance"], alone["importance"], atol=1e-12)
    assert table["direction"].tolist() == alone["direction"].tolist()
    pairs = committee_importance(Committee(networks[:1]), x, target, families=[[(0, 1), (0, 4)]])
    np.testing.assert_allclose(pairs["importance"], family_importance(networks[0], x, target, families=[[1, 4]]), atol=1e-12)


def test_the_order_of_the_networks_changes_nothing(networks, draw):
    x, target = draw(200, 30), np.random.default_rng(0).integers(0, 2, 200)
    turned = [[(2 - k, f) for k, f in family] for family in FAMILIES]
    a = committee_importance(Committee(networks), x, target, families=FAMILIES)
    b = committee_importance(Committee(networks[::-1]), x, target, families=turned)
    np.testing.assert_allclose(a["importance"], b["importance"], atol=1e-4)


def test_without_an_output_the_one_that_loses_most_counts(networks, draw):
    x, target = draw(200, 30), np.random.default_rng(1).integers(0, 2, (200, 2))
    each = [committee_importance(Committee(networks), x, target, families=FAMILIES, output=k) for k in range(2)]
    found = committee_importance(Committee(networks), x, target, families=FAMILIES, output=None)
    values = np.array([table["importance"] for table in each])
    np.testing.assert_allclose(found["importance"], values.max(0))
    assert found["output"].tolist() == values.argmax(0).tolist()


def test_a_network_without_filters_may_sit_in_the_committee(networks, draw):
    """It answers as it always does."""
    x, target = draw(200, 30), np.random.default_rng(0).integers(0, 2, 200)
    flat = settle(nn.Sequential(nn.Flatten(), nn.Linear(120, 2)))
    alone = committee_importance(Committee([networks[0], flat], lambda logits: logits[0]), x, target, families=[[(0, 2)]])
    np.testing.assert_allclose(alone["importance"], committee_importance(Committee(networks[:1]), x, target, families=[[(0, 2)]])["importance"])


def test_one_class_gives_an_undefined_importance(networks, draw):
    assert committee_importance(Committee(networks), draw(20, 30), np.ones(20), families=FAMILIES)["importance"].isna().all()


def test_no_family_gives_no_row(networks, draw):
    assert committee_importance(Committee(networks), draw(20, 30), np.arange(20) % 2, families=[]).empty


@pytest.mark.parametrize(
    ("target", "options", "error", "words"),
    [
        (np.ones(7), {}, ShapeError, r"target has the shape \(7,\) for 20 sequences"),
        (np.ones(20), {"metric": "auc"}, UnknownNameError, "no metric of filter importance named 'auc'"),
        (np.ones(20), {"layer": "cnov"}, UnknownNameError, "no layer named 'cnov'"),
    ],
)
def test_what_does_not_fit_is_refused(networks, draw, target, options, error, words):
    with pytest.raises(error, match=words):
        committee_importance(Committee(networks), draw(20, 30), target, families=FAMILIES, **options)
