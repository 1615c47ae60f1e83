"""The critic of a GAN, and the losses of the game."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import UnknownNameError
from seqdl.layers.generators import Detector

LOSSES = ("relativistic", "classic", "wgan", "hinge")
softplus = nn.functional.softplus


class Critic(nn.Module):
    """A score a sequence: an encoder read position by position, and detectors that do not care where beside it.

    What it is told of a sequence is multiplied with what it sees (a projection [1]_), besides being read with it.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot (B, 4, L).
    positions : int
        L'.
    detector : bool, default True
        Whether there are detectors.
    condition : int, default 0
        Numbers that are told beside the sequence.
    dropout : float, default 0

    References
    ----------
    .. [1] Miyato & Koyama, cGANs with projection discriminator (2018).
    """

    def __init__(self, encoder: nn.Module, positions: int, *, detector: bool = True, condition: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoder = encoder
        self.detector = Detector() if detector else None
        channels = int(encoder.channels)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        self.narrow = nn.Sequential(nn.Flatten(1), nn.LeakyReLU(0.2), nn.Dropout(dropout), nn.Linear(channels * positions, 64))
        inside = 64 + (self.detector.channels if self.detector is not None else 0)
        self.told = nn.Linear(condition, inside, bias=False) if condition else None
        self.score = nn.Sequential(nn.LeakyReLU(0.2), nn.Linear(inside + condition, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """Return scores (B,) of sequences (B, 4, L): high where they look real."""
        return self.rate(self.read(x), given)

    def read(self, x: Tensor) -> Tensor:
        """Return what is seen in sequences (B, 4, L), (B, F), whatever is told beside them."""
        parts = [self.narrow(self.encoder(x))]
        if self.detector is not None:
            parts.append(self.detector(x))
        return torch.cat(parts, dim=1)

    def rate(self, seen: Tensor, given: Tensor | None = None) -> Tensor:
        """Return scores (B,) of what was seen (B, F), for what is told beside it."""
        if given is None or self.told is None:
            score: Tensor = self.score(seen)
            return score[:, 0]
        fits: Tensor = (self.told(given.to(seen)) * seen).mean(dim=1)
        score = self.score(torch.cat([seen, given.to(seen)], dim=1))
        return score[:, 0] + fits


def critic_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return what the critic is to make small, for scores (B,) of real and of generated sequences.

    Parameters
    ----------
    name : {"relativistic", "classic", "wgan", "hinge"}
        Relativistic: each real sequence above a generated one [1]_; classic: cross-entropy [2]_; wgan: difference of means [3]_; hinge [4]_.
    real, fake : Tensor, (B,)

    References
    ----------
    .. [1] Jolicoeur-Martineau, The relativistic discriminator (2019); Huang et al., The GAN is dead; long live the GAN (2024).
       .. [2] Goodfellow et al., Generative adversarial nets (2014). .. [3] Gulrajani et al., Improved training of Wasserstein GANs (2017).
       .. [4] Lim & Ye, Geometric GAN (2017).
    """
    if name == "relativistic":
        return softplus(fake - real).mean()
    if name == "classic":
        return softplus(-real).mean() + softplus(fake).mean()
    if name == "wgan":
        return (fake - real).mean()
    if name == "hinge":
        return torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
    raise UnknownNameError("loss of the game", name, LOSSES)


def told_right(name: str, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Return the share of real and of generated sequences that a critic puts on their own side, for its scores (B,) of both.

    The threshold is 0 where the loss has one; a critic that only compares (relativistic, wgan) has none, and half-way between its two mean
    scores is taken.

    Examples
    --------
    >>> [share.item() for share in told_right("hinge", torch.tensor([2.0, -1.0]), torch.tensor([-1.0, -2.0]))]
    [0.5, 1.0]
    """
    middle = torch.zeros(()) if name in ("classic", "hinge") else (real.mean() + fake.mean()) / 2
    return (real > middle.to(real)).float().mean(), (fake < middle.to(fake)).float().mean()


def generator_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return what the generator is to make small; of the classic game the form whose gradient does not vanish."""
    if name == "relativistic":
        return softplus(real - fake).mean()
    return softplus(-fake).mean() if name == "classic" else -fake.mean()


def zero_centred_penalty(critic: Critic, x: Tensor, given: Tensor | None = None) -> Tensor:
    """Return the mean squared gradient of the critic at sequences (B, 4, L): R1 on real ones, R2 on generated ones [1]_.

    References
    ----------
    .. [1] Mescheder, Geiger & Nowozin, Which training methods for GANs do actually converge? (2018).
    """
    x = x.detach().requires_grad_()
    return _gradient(critic(x, given), x).square().sum(dim=(1, 2)).mean()


def unit_penalty(critic: Critic, real: Tensor, fake: Tensor, *, given: Tensor | None = None) -> Tensor:
    """Return how far the critic's gradient is from length 1 between real and generated sequences, squared."""
    share = torch.rand(len(real), 1, 1, device=real.device)
    x = (share * real + (1 - share) * fake).detach().requires_grad_()
    length: Tensor = _gradient(critic(x, given), x).flatten(1).norm(dim=1)
    return (length - 1).square().mean()


def _gradient(scores: Tensor, x: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return found
