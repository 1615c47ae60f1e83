"""What an embedding is worth, against scikit-learn and against embeddings made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from seqdl.errors import InputError
from seqdl.evaluate.latent_space import principal_components, probe, strand_agreement, trustworthiness

RNG = np.random.default_rng(0)


def clouds(n: int, apart: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    return rng.normal(size=(n, 5)) + apart * np.eye(3, 5)[labels], labels


def test_classes_that_lie_apart_are_read_off_and_those_that_do_not_are_not():
    x, y = clouds(600, 8.0)
    far = probe((x[:400], y[:400]), (x[400:], y[400:]))
    assert far.accuracy == far.knn_accuracy == 1.0
    x, y = clouds(600, 0.0)
    near = probe((x[:400], y[:400]), (x[400:], y[400:]))
    assert near.auroc == pytest.approx(0.5, abs=0.08)
    assert near.knn_accuracy == pytest.approx(1 / 3, abs=0.1)


def test_the_area_of_two_classes_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    x, y = clouds(400, 1.0)
    y = (y > 0).astype(int)
    found = probe((x[:300], y[:300]), (x[300:], y[300:]))
    a = (x - x[:300].mean(0)) / x[:300].std(0)
    odds = LogisticRegression(max_iter=500).fit(a[:300], y[:300]).predict_proba(a[300:])[:, 1]
    assert found.auroc == pytest.approx(roc_auc_score(y[300:], odds), abs=1e-6)


def test_the_scale_of_a_feature_does_not_matter():
    x, y = clouds(300, 2.0)
    scaled = x * np.array([1, 100, 0.01, 5, 1])
    assert probe((x[:200], y[:200]), (x[200:], y[200:])) == probe((scaled[:200], y[:200]), (scaled[200:], y[200:]))


@pytest.mark.parametrize(("n", "message"), [(9, "9 labels were given for 10 training rows"), (10, "the training labels hold one class")])
def test_labels_that_do_not_fit_are_refused(n, message):
    with pytest.raises(InputError, match=message):
        probe((np.zeros((10, 2)), np.zeros(n, dtype=np.int64)), (np.zeros((10, 2)), np.zeros(10, dtype=np.int64)))


def test_components_are_those_of_scikit_learn_and_give_rows_back():
    x = RNG.normal(size=(200, 6)) @ RNG.normal(size=(6, 12))
    (found,), mean, axes = principal_components(x, [x[:50]], 6)
    np.testing.assert_allclose(np.abs(found), np.abs(PCA(6).fit(x).transform(x[:50])), atol=1e-6)
    np.testing.assert_allclose(found @ axes + mean, x[:50], atol=1e-6)


def test_a_map_that_keeps_neighbours_is_trusted_and_a_shuffled_one_is_not():
    x = RNG.normal(size=(300, 2))
    assert trustworthiness(x, 3 * x) == pytest.approx(1.0)
    assert trustworthiness(x, RNG.permutation(x)) == pytest.approx(0.5, abs=0.08)
    assert np.isnan(trustworthiness(x[:10], x[:10]))


def test_an_embedding_that_ignores_the_strand_agrees_and_an_arbitrary_one_does_not():
    x = RNG.normal(size=(400, 6))
    assert strand_agreement(x, x) == 1.0
    assert strand_agreement(x, RNG.normal(size=(400, 6))) == pytest.approx(0.5, abs=0.1)
