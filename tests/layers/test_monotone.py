from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.layers.monotone import Monotone

steps = st.lists(st.tuples(st.floats(0.01, 3), st.floats(0.01, 3)), min_size=1, max_size=6)


def knots(parts):
    """Return knots from the lengths of their steps."""
    x, y = (np.cumsum([part[side] for part in parts]) - 4 for side in (0, 1))
    return x, y


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, min_size=1, max_size=3), st.lists(st.floats(-8, 8), min_size=1, max_size=8))
def test_the_map_is_that_of_numpy_between_its_knots_and_of_slope_one_beyond(parts, values):
    made = [knots(part) for part in parts]
    found = Monotone(made)(torch.tensor(values, dtype=torch.float64)[:, None].expand(-1, len(made))).numpy()
    for t, (x, y) in enumerate(made):
        inside = np.interp(values, x.astype(np.float32), y.astype(np.float32))
        beyond = np.minimum(np.array(values) - x[0], 0) + np.maximum(np.array(values) - x[-1], 0)
        np.testing.assert_allclose(found[:, t], inside + beyond, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(steps, st.lists(st.floats(-8, 8), min_size=2, max_size=8, unique=True))
def test_the_map_keeps_the_order_and_can_be_undone(parts, values):
    made = Monotone([knots(parts)])
    ranked = torch.tensor(sorted(values), dtype=torch.float64)[:, None]
    bent = made(ranked)
    assert (bent.diff(dim=0) >= 0).all()
    torch.testing.assert_close(made.inverse()(bent), ranked, atol=1e-6, rtol=1e-6)


def test_positions_along_the_sequence_are_bent_one_by_one():
    made = Monotone([knots([(1, 2), (1, 0.5)]), knots([(2, 1), (3, 3), (0.5, 1)])])
    values = torch.randn(3, 2, 5)
    along = made(values)
    assert along.shape == (3, 2, 5)
    for position in range(5):
        torch.testing.assert_close(along[:, :, position], made(values[:, :, position]))


def test_the_slope_is_the_gradient():
    x = torch.tensor([[1.0]], requires_grad=True)
    Monotone([(np.array([0.0, 2.0]), np.array([0.0, 6.0]))])(x).sum().backward()
    assert x.grad.item() == pytest.approx(3.0)


def test_knots_that_are_the_same_number_in_float32_are_one():
    made = Monotone([(np.array([1.0, 1.0 + 1e-12, 2.0]), np.array([0.0, 0.5, 1.0]))])
    assert made.x.tolist() == [[1.0, 2.0]]
    assert torch.isfinite(made(torch.tensor([[1.5]]))).all()
