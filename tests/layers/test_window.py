from __future__ import annotations

import pytest
import torch

from seqdl.errors import ShapeError
from seqdl.layers.window import whole_window


def test_a_shorter_sequence_is_filled_up_and_its_padding_silenced():
    x = torch.ones(2, 4, 5)
    window = whole_window(x, 7, torch.tensor([5, 3]))
    assert window.sum((1, 2)).tolist() == [20, 12]
    assert window.shape == (2, 4, 7)
    assert window[..., 5:].eq(0).all()


def test_a_longer_sequence_is_refused():
    with pytest.raises(ShapeError, match="the sequences have 8 bp: at most 7 were expected"):
        whole_window(torch.ones(1, 4, 8), 7)
