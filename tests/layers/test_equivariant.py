from __future__ import annotations

import pytest
import torch

from seqdl.layers.equivariant import SharedStrands
from seqdl.layers.onehot import one_hot, reverse_complement
from seqdl.models.basset import Basset
from seqdl.models.cnn import CNN

ENCODERS = {
    "stride 1": lambda: CNN(filters=6, width=7),
    "stride 4": lambda: Basset(filters=(6, 5), widths=(7, 5), pools=(2, 2)),
    "odd stride": lambda: Basset(filters=(6, 5), widths=(7, 5), pools=(3, 2), activation="elu"),
}


@pytest.fixture(params=sorted(ENCODERS))
def shared(request):
    torch.manual_seed(1)
    return SharedStrands(ENCODERS[request.param]()).eval()


def codes(n: int, length: int) -> torch.Tensor:
    return torch.randint(0, 5, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("length", [48, 49, 53])
def test_the_other_strand_gives_the_same_features_turned_round(shared, length):
    x = one_hot(codes(3, length))
    torch.testing.assert_close(shared(reverse_complement(x)), shared(x).flip(-1))


@pytest.mark.parametrize("length", [24, 31, 40])
def test_padding_leaves_the_features_of_the_bases_alone(shared, length):
    x = one_hot(codes(2, length))
    padded = torch.cat([x, torch.zeros(2, 4, 61 - length)], dim=-1)
    expected = shared(x)
    torch.testing.assert_close(shared(padded, torch.full((2,), length))[..., : expected.shape[-1]], expected)


def test_features_are_at_least_those_of_the_given_strand(shared):
    x = one_hot(codes(3, 48))
    assert (shared(x) >= shared.encoder(x)).all()
