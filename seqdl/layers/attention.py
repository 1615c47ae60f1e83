"""Self-attention along a sequence, with rotary positions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from seqdl.errors import InputError

BASE = 10_000.0
"""The slowest pair of channels turns once in about so many positions, times 2 pi."""


class SelfAttention(nn.Module):
    """Every position looks at every other, (B, L, C) -> (B, L, C).

    Positions enter by turning queries and keys (rotary embedding [1]_), so that a score depends on the distance
    between two positions and any length is taken. No weight is dropped: torch's fast kernels for processors drop none.

    Parameters
    ----------
    channels : int
    heads : int, default 4
        Heads H, each over an even share of the channels.
    causal : bool, default False
        Look at what stands before alone.

    Raises
    ------
    InputError
        If the channels cannot be shared out.

    References
    ----------
    .. [1] Su et al., RoFormer: enhanced transformer with rotary position embedding, Neurocomputing 568 (2024).

    Examples
    --------
    >>> SelfAttention(16, 2)(torch.zeros(3, 50, 16)).shape
    torch.Size([3, 50, 16])
    """

    def __init__(self, channels: int, heads: int = 4, *, causal: bool = False) -> None:
        super().__init__()
        if heads < 1 or channels % (2 * heads):
            raise InputError(
                f"{channels} channels cannot be shared out among {heads} heads: an even number of channels for each was expected. "
                f"Use {max(1, round(channels / (2 * max(heads, 1)))) * 2 * max(heads, 1)} channels, or other heads."
            )
        self.heads, self.causal = heads, causal
        self.read = nn.Linear(channels, 3 * channels, bias=False)
        self.write = nn.Linear(channels, channels)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return what each position gathers, (B, L, C); nothing is gathered from beyond a row's length."""
        query, key, value = self._heads(x)
        mask = None if self.causal else allowed(x.shape[1], lengths)  # what follows a row is not seen by its own positions anyway
        gathered = scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=self.causal)
        out: Tensor = self.write(gathered.transpose(1, 2).flatten(2))
        return out

    def weights(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return how much each position looks at each other, (B, H, L, L); the last axis, what is looked at, adds up to 1."""
        query, key, _ = self._heads(x)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        mask = allowed(x.shape[1], lengths)
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        if self.causal:
            scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), float("-inf"))
        weights: Tensor = scores.softmax(-1)
        return weights

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries and keys, turned, and values, each (B, H, L, C / H)."""
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.read(x).chunk(3, dim=-1))
        return turned(query), turned(key), value


class AttentionBlock(nn.Module):
    """Self-attention and two dense layers, each normalised before and added to what came in, (B, L, C) -> (B, L, C).

    Parameters
    ----------
    channels, heads : int
    causal : bool, default False
    dropout : float, in [0, 1), default 0
        Of what either adds.
    expansion : int, default 2
        Units of the dense layers in between, in multiples of the channels.
    """

    def __init__(self, channels: int, heads: int, *, causal: bool = False, dropout: float = 0.0, expansion: int = 2) -> None:
        super().__init__()
        self.before_attention, self.before_dense = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = SelfAttention(channels, heads, causal=causal)
        inner = expansion * channels
        self.dense = nn.Sequential(nn.Linear(channels, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, channels))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, L, C)."""
        x = x + self.drop(self.attention(self.before_attention(x), lengths))
        out: Tensor = x + self.drop(self.dense(self.before_dense(x)))
        return out


def turned(x: Tensor) -> Tensor:
    """Turn each pair of channels of x (..., L, D) by an angle that grows with the position.

    Examples
    --------
    >>> turned(torch.tensor([[1.0, 0.0], [1.0, 0.0]])).round(decimals=2).tolist()      # by 0 and by 1
    [[1.0, 0.0], [0.5400000214576721, 0.8399999737739563]]
    """
    half = x.shape[-1] // 2
    speed = BASE ** -(torch.arange(half, device=x.device) / half)
    angle = torch.arange(x.shape[-2], device=x.device).unsqueeze(1) * speed  # (L, D / 2)
    cosine, sine = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def allowed(n_positions: int, lengths: Tensor | None) -> Tensor | None:
    """Return which positions may be looked at, (B, 1, 1, L); None where all may."""
    if lengths is None:
        return None
    return (torch.arange(n_positions, device=lengths.device) < lengths.unsqueeze(1))[:, None, None]
