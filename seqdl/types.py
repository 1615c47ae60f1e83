"""The words and letters the whole package shares.

Letters of dimensions: B batch, L length (bp), C channels, T outputs, F filters, W width, S seqlets,
R references, Z latent, I intervals, N examples. One-hot is (B, 4, L) float32 in the order A C G T; codes are
uint8 with A C G T = 0 1 2 3 and anything else 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Codes: TypeAlias = NDArray[np.uint8]
"""Bases as uint8, (L,) or (N, L): A C G T = 0 1 2 3, anything else 4."""
Floats: TypeAlias = NDArray[np.floating[Any]]
Ints: TypeAlias = NDArray[np.integer[Any]]
Split: TypeAlias = Literal["train", "val", "test"]
Strands: TypeAlias = Literal["shared", "average", "augment", "single"]
Family: TypeAlias = Literal["supervised", "autoencoder", "language", "generator"]
"""What a task is judged by: predictions, reconstructions, likelihoods, or samples."""
Ambiguous: TypeAlias = Literal["zero", "uniform"]
"""How an ambiguous base is read: as no base at all, or as a quarter of each."""
PAD = 4
"""The code of what is no base: padding, and ambiguous letters."""
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Batch:
    """One mini-batch as it leaves the loader.

    Attributes
    ----------
    codes : Tensor, (B, L), uint8
        Bases; one-hot is made on the device.
    targets : Tensor, (B, T) or (B, T, L), float32
        The truth of each sequence, or of each of its bases; empty (B, 0) where there is none.
    index : Tensor, (B,), int64
        Row of each example in the data set, so that no prediction loses its name.
    lengths : Tensor, (B,), int64, or None
        True lengths where sequences are padded at their end; None where all have length L.
    signal : Tensor, (B, C, L), float32, or None
        Measured tracks that a network reads beside the bases.
    """

    codes: Tensor
    targets: Tensor
    index: Tensor
    lengths: Tensor | None = None
    signal: Tensor | None = None

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on another device."""
        lengths = None if self.lengths is None else self.lengths.to(device)
        signal = None if self.signal is None else self.signal.to(device)
        return Batch(self.codes.to(device), self.targets.to(device), self.index.to(device), lengths, signal)
