"""Small networks and sequences for the tests of interpretation."""

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.layers.activation import Exp
from seqdl.layers.pooling import GlobalMax


class TwoStrands(nn.Module):
    """One convolution read on both strands, then a dense head: the shape of the default network."""

    outputs = ("first", "second")

    def __init__(self, activation=None, filters=6, width=5):
        super().__init__()
        self.conv = nn.Conv1d(4, filters, width)
        self.pool = GlobalMax()
        self.dense = nn.Sequential(
            nn.BatchNorm1d(filters), activation or nn.ReLU(), nn.Dropout(0.5), nn.Linear(filters, 8), nn.ReLU(), nn.Linear(8, 2)
        )

    def forward(self, x):
        return self.dense(self.pool(torch.cat([self.conv(x), self.conv(x.flip(1, 2))], -1)))


def settle(net, seed=0):
    """Give a network weights and norms as if it were trained."""
    generator = torch.Generator().manual_seed(seed)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_(generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
        elif hasattr(part, "weight") and isinstance(part.weight, torch.Tensor):
            part.weight.data.normal_(std=0.5, generator=generator)
    return net.eval()


def random_one_hot(n, length, seed=0):
    """Draw random sequences."""
    codes = np.random.default_rng(seed).integers(0, 4, (n, length))
    return np.ascontiguousarray(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1))


NETS = {
    "both strands, relu": TwoStrands,
    "both strands, exp": lambda: TwoStrands(Exp()),
    "max pool behind relu": lambda: nn.Sequential(
        nn.Conv1d(4, 5, 3), nn.ReLU(), nn.MaxPool1d(3), nn.Conv1d(5, 4, 2), nn.ELU(), GlobalMax(), nn.Linear(4, 2), nn.Tanh(), nn.Linear(2, 1)
    ),
    "overlapping pools": lambda: nn.Sequential(
        nn.Conv1d(4, 5, 3), nn.MaxPool1d(3, 1, padding=1), nn.GELU(), nn.MaxPool1d(4, 2), nn.Flatten(), nn.LazyLinear(1)
    ),
    "smooth": lambda: nn.Sequential(
        nn.Conv1d(4, 5, 3), nn.SiLU(), nn.Flatten(), nn.LazyLinear(6), nn.Softplus(), nn.Linear(6, 3), nn.Sigmoid(), nn.Linear(3, 1)
    ),
    "adaptive": lambda: nn.Sequential(nn.Conv1d(4, 5, 3), nn.ReLU(inplace=True), nn.AdaptiveMaxPool1d(4), nn.Flatten(), nn.Linear(20, 1)),
    "height one": lambda: nn.Sequential(
        nn.Unflatten(2, (1, -1)), nn.Conv2d(4, 5, (1, 3)), nn.ReLU(), nn.MaxPool2d((1, 2)), nn.Flatten(), nn.LazyLinear(1)
    ),
}


@pytest.fixture(params=list(NETS))
def net(request):
    made = NETS[request.param]()
    with torch.no_grad():
        made.eval()(torch.zeros(2, 4, 20))  # lazy layers learn their sizes
    return settle(made)


@pytest.fixture
def x():
    return random_one_hot(6, 20)


@pytest.fixture
def two_strands():
    """Return the network of the default shape."""
    return settle(TwoStrands())


@pytest.fixture
def draw():
    """Return the function that draws random sequences."""
    return random_one_hot
