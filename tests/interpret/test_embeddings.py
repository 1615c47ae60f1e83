"""Codes of a layer, and whether alike sequences lie together in them."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.interpret.embeddings import knn_purity, layer_codes


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_codes_are_the_layers_output_pooled_over_positions(pooling, draw):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(90, 1)).eval()
    x = draw(9, 20)
    with torch.no_grad():
        output = net[:2](torch.from_numpy(x))
    expected = output.mean(2) if pooling == "mean" else output.amax(2)
    found = layer_codes(net, x, layer="1", pooling=pooling, batch_size=4)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)
    codes = x.argmax(1).astype(np.uint8)
    np.testing.assert_array_equal(layer_codes(net, codes, layer="1", pooling=pooling, batch_size=4), found)


def test_a_layer_without_positions_is_taken_as_it_is(draw, two_strands):
    x = torch.from_numpy(draw(6, 30))
    with torch.no_grad():
        np.testing.assert_allclose(layer_codes(two_strands, x, layer="dense"), two_strands(x).numpy(), rtol=1e-5)


def test_both_calls_of_a_layer_that_reads_both_strands_are_pooled(draw, two_strands):
    x = draw(6, 30)
    turned = np.ascontiguousarray(x[:, ::-1, ::-1])
    np.testing.assert_allclose(layer_codes(two_strands, x, layer="conv"), layer_codes(two_strands, turned, layer="conv"), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": "cnov"}, UnknownNameError, "no layer named 'cnov'. Did you mean 'conv'"),
        ({"layer": "conv", "pooling": "sum"}, UnknownNameError, "no pooling of codes named 'sum'"),
    ],
)
def test_what_cannot_be_done_is_said(options, error, message, draw, two_strands):
    with pytest.raises(error, match=message):
        layer_codes(two_strands, draw(3, 30), **options)


def test_a_layer_that_is_never_called_is_refused(draw):
    net = nn.ModuleDict({"used": nn.Conv1d(4, 2, 3), "idle": nn.Linear(2, 2)})
    net.forward = lambda x: net["used"](x).amax(2)
    with pytest.raises(InputError, match="layer 'idle' gives no call for 3 sequences"):
        layer_codes(net, draw(3, 30), layer="idle")


def test_purity_is_what_counting_neighbours_with_scikit_learn_gives():
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], [30, 20, 10])
    points = rng.normal(size=(60, 3)) + 1.2 * (labels == "a")[:, None]
    scaled = (points - points.mean(0)) / points.std(0)
    model = KNeighborsClassifier(7).fit(scaled, labels)
    neighbours = np.array([[j for j in model.kneighbors(scaled[[i]], 8)[1][0] if j != i][:7] for i in range(60)])
    found = knn_purity(points, labels, k=7)
    assert found.value == pytest.approx((labels[neighbours] == labels[:, None]).mean())
    assert set(found.by_label) == {"a", "b", "c"}


def test_chance_is_what_shuffled_labels_give():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [150, 50])
    points = rng.normal(size=(200, 2))
    shuffled = [knn_purity(points, rng.permutation(labels), k=5).value for _ in range(40)]
    assert np.mean(shuffled) == pytest.approx(knn_purity(points, labels, k=5).chance, abs=0.01)


@pytest.mark.parametrize(
    ("codes", "labels", "k", "error", "message"),
    [
        (np.zeros((4, 2)), np.zeros(3), 1, ShapeError, r"the codes have the shape \(4, 2\) and the labels \(3,\)"),
        (np.zeros((4, 2)), np.zeros(4), 4, InputError, "k is 4 for 4 sequences"),
        (np.zeros((4, 2)), np.zeros(4), 0, InputError, "k is 0 for 4 sequences"),
    ],
)
def test_codes_and_labels_that_do_not_fit_are_refused(codes, labels, k, error, message):
    with pytest.raises(error, match=message):
        knn_purity(codes, labels, k=k)
