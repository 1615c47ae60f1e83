"""From noise to sequences: generators for GANs, and the step from logits to bases that lets gradients through."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import UnknownNameError
from seqdl.layers.decoders import ConvDecoder

GENERATORS = ("dictionary", "conv", "dense")


class DictionaryGenerator(nn.Module):
    """A background for every position, and slots that each place one learnt filter somewhere, or nowhere.

    A network with a fixed connection from noise to positions learns motifs at fixed places and hardly any at free ones; a slot draws
    its place, so that a motif is learnt once for all places.

    Parameters
    ----------
    noise, length : int
        Z, and L in bp.
    condition : int, default 0
        Numbers that are told beside the noise.
    slots : int, default 12
        Filters that are placed in a sequence.
    width : int, default 13
        Of a filter (bp), odd.
    channels : int, default 48
        Of the background's features.
    tau : float, default 0.75
        Temperature of the draw of places.

    Examples
    --------
    >>> DictionaryGenerator(8, 50)(torch.zeros(2, 8)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(
        self, noise: int, length: int, *, condition: int = 0, slots: int = 12, width: int = 13, channels: int = 48, tau: float = 0.75
    ) -> None:
        super().__init__()
        self.length, self.channels, self.slots, self.tau = length, channels, slots, tau
        self.begin = nn.Linear(noise + condition, channels * length)
        self.block = nn.Sequential(nn.ReLU(), nn.Conv1d(channels, channels, 5, padding=2), nn.ReLU(), nn.Conv1d(channels, channels, 5, padding=2))
        self.bases = nn.Conv1d(channels, 4, 1)
        self.places = nn.Conv1d(channels, slots, 5, padding=2)
        self.nowhere = nn.Linear(noise + condition, slots)
        self.filters = nn.Parameter(0.1 * torch.randn(slots, 4, width))
        self.gates = nn.Parameter(torch.ones(slots))

    def forward(self, noise: Tensor, *, draw: bool = True) -> Tensor:
        """Return logits of the bases (B, 4, L) for noise (B, Z), every slot's place drawn, or the likeliest."""
        features = self.begin(noise).view(len(noise), self.channels, self.length)
        features = features + self.block(features)
        odds = torch.cat([self.places(features), self.nowhere(noise).unsqueeze(-1)], dim=-1)  # (B, S, L + 1)
        placed = (nn.functional.gumbel_softmax(odds, self.tau, hard=True, dim=-1) if draw else _likeliest(odds, self.tau))[..., :-1]  # (B, S, L)
        filters = (self.filters * self.gates.view(-1, 1, 1)).flip(-1).transpose(0, 1)  # (4, S, W); turned round, to be laid at the place
        logits: Tensor = self.bases(features) + nn.functional.conv1d(placed, filters, padding=filters.shape[-1] // 2)
        return logits


def _likeliest(odds: Tensor, tau: float) -> Tensor:
    """Return one-hot of the largest of each row, with the gradient of the softmax."""
    soft = torch.softmax(odds / tau, dim=-1)
    return nn.functional.one_hot(odds.argmax(-1), odds.shape[-1]).to(soft) - soft.detach() + soft


class ConvGenerator(nn.Module):
    """Noise to a short sequence of features, doubled and convolved to the full length.

    Parameters
    ----------
    noise, length : int
    condition : int, default 0
    channels : int, default 64

    Examples
    --------
    >>> ConvGenerator(8, 50)(torch.zeros(2, 8)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(self, noise: int, length: int, *, condition: int = 0, channels: int = 64) -> None:
        super().__init__()
        self.grow = ConvDecoder(noise + condition, length, channels=channels, doublings=2)

    def forward(self, noise: Tensor) -> Tensor:
        """Return logits of the bases (B, 4, L) for noise (B, Z)."""
        logits: Tensor = self.grow(noise)
        return logits


class DenseGenerator(nn.Module):
    """Dense layers from noise to every base, as in the GAN of the textbook.

    Parameters
    ----------
    noise, length : int
    condition : int, default 0
    hidden : int, default 256

    Examples
    --------
    >>> DenseGenerator(8, 50)(torch.zeros(2, 8)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(self, noise: int, length: int, *, condition: int = 0, hidden: int = 256) -> None:
        super().__init__()
        self.length = length
        self.dense = nn.Sequential(
            nn.Linear(noise + condition, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 4 * length)
        )

    def forward(self, noise: Tensor) -> Tensor:
        """Return logits of the bases (B, 4, L) for noise (B, Z)."""
        logits: Tensor = self.dense(noise)
        return logits.view(len(noise), 4, self.length)


def generator(name: str, noise: int, length: int, *, condition: int = 0) -> nn.Module:
    """Return a new generator.

    Parameters
    ----------
    name : {"dictionary", "conv", "dense"}
    noise, length : int
        Z, and L in bp.
    condition : int, default 0
        Numbers that are told beside the noise.

    Raises
    ------
    UnknownNameError
        If there is no generator of that name.
    """
    known: dict[str, type[DictionaryGenerator] | type[ConvGenerator] | type[DenseGenerator]] = {
        "dictionary": DictionaryGenerator,
        "conv": ConvGenerator,
        "dense": DenseGenerator,
    }
    if name not in known:
        raise UnknownNameError("generator", name, GENERATORS)
    return known[name](noise, length, condition=condition)


def bases_of(logits: Tensor, how: str, *, tau: float = 0.75) -> Tensor:
    """Return sequences (B, 4, L) of logits: draws of one base each whose gradient is that of the softmax, or the softmax itself.

    Parameters
    ----------
    logits : Tensor, (B, 4, L)
    how : {"gumbel", "softmax"}
        Straight-through Gumbel draws [1]_ look like sequences to a critic; a softmax never does.
    tau : float, default 0.75
        Temperature of the draw.

    References
    ----------
    .. [1] Jang, Gu & Poole, Categorical reparameterization with Gumbel-softmax (2017).
    """
    if how == "softmax":
        return torch.softmax(logits, dim=1)
    if how == "gumbel":
        return nn.functional.gumbel_softmax(logits, tau, hard=True, dim=1)
    raise UnknownNameError("output of a generator", how, ("gumbel", "softmax"))


class Detector(nn.Module):
    """Motif detectors: how well and how often each filter fits anywhere, (B, 4, L) -> (B, 2 F).

    Parameters
    ----------
    filters : int, default 96
    width : int, default 12
    in_channels : int, default 4
    """

    def __init__(self, *, filters: int = 96, width: int = 12, in_channels: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_channels, filters, width)
        self.channels = 2 * filters

    def forward(self, x: Tensor) -> Tensor:
        """Return the maximum and the mean of softplus scores."""
        scores = nn.functional.softplus(self.conv(x))
        return torch.cat([scores.amax(-1), scores.mean(-1)], dim=1)
