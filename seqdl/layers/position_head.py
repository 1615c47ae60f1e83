"""The head of tasks along the sequence: logits for every base."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.layers.activation import activation as make_activation
from seqdl.layers.onehot import flip_positions


class PositionHead(nn.Module):
    """Score every base with a small network that looks at its own position alone.

    Features that stand for several bases are given to each of them. Where both strands are read, those of the other strand
    are laid over the same bases and the mean of the two is scored, so that the other strand's logits are these, turned round.

    Parameters
    ----------
    channels : int
        Channels of the features.
    n_outputs : int
        Number of outputs T.
    stride : int, default 1
        Bases a feature position.
    activation : str, default "relu"
        Behind the normalisation of the features.
    hidden : int, default 0
        Units of a further layer; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1

    Examples
    --------
    >>> PositionHead(8, 2, stride=4)(torch.zeros(3, 8, 25), 102).shape
    torch.Size([3, 2, 102])
    """

    def __init__(self, channels: int, n_outputs: int, *, stride: int = 1, activation: str = "relu", hidden: int = 0, dropout: float = 0.1) -> None:
        super().__init__()
        self.stride = stride
        self.norm = nn.Sequential(nn.BatchNorm1d(channels), make_activation(activation))
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        if hidden:
            layers += [nn.Conv1d(channels, hidden, 1), nn.ReLU(), nn.Dropout(dropout)]
        self.score = nn.Sequential(*layers, nn.Conv1d(hidden or channels, n_outputs, 1))

    def forward(self, features: Tensor, length: int, *, lengths: Tensor | None = None, other: Tensor | None = None) -> Tensor:
        """Return logits (B, T, L).

        Parameters
        ----------
        features : Tensor, (B, C, L')
        length : int
            Bases of the sequences L, padding included.
        lengths : Tensor, (B,), optional
            True lengths (bp) of sequences that are padded at their end.
        other : Tensor, (B, C, L'), optional
            The features of the other strand.
        """
        if other is None:
            return torch.as_tensor(self.score(self.bases(self.norm(features), length, lengths=lengths)))
        own, turned = self.norm(torch.cat([features, other])).chunk(2)
        turned = flip_positions(self.bases(turned, length, lengths=lengths), lengths)
        return torch.as_tensor(self.score((self.bases(own, length, lengths=lengths) + turned) / 2))

    def bases(self, features: Tensor, length: int, *, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, C, L') at every base, (B, C, L): those behind the last whole stride have the last feature."""
        return at_bases(features, length, stride=self.stride, lengths=lengths)


def at_bases(features: Tensor, length: int, *, stride: int, lengths: Tensor | None = None) -> Tensor:
    """Give every base the feature that stands for it.

    Parameters
    ----------
    features : Tensor, (B, C, L')
    length : int
        Bases L.
    stride : int
        Bases a feature position.
    lengths : Tensor, (B,), optional
        True lengths (bp).

    Returns
    -------
    Tensor, (B, C, L)

    Examples
    --------
    >>> at_bases(torch.tensor([[[1.0, 2.0]]]), 7, stride=3)
    tensor([[[1., 1., 1., 2., 2., 2., 2.]]])
    """
    if stride == 1 and features.shape[-1] == length:
        return features
    place = torch.arange(length, device=features.device) // stride
    if lengths is None:
        return features[..., place.clamp(max=min(features.shape[-1], max(1, length // stride)) - 1)]
    last = (lengths // stride).clamp(min=1, max=features.shape[-1]) - 1
    source = torch.minimum(place.unsqueeze(0), last.unsqueeze(1))  # (B, L)
    return features.gather(-1, source.unsqueeze(1).expand(-1, features.shape[1], -1))
