"""Bases that are hidden, from those around them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.heads import BaseHead
from seqdl.registry import TASKS
from seqdl.tasks.language import Language
from seqdl.types import PAD


@TASKS.register("masked")
class Masked(Language):
    """Hide some bases and predict them from both sides, as masked language models do [1]_.

    Of the chosen bases four in five are hidden while training, one in ten is replaced by another and one in ten is left, so that the network
    cannot rely on what it sees. Measured are bases that are all hidden: one that is left is told by half.

    Parameters
    ----------
    encoder : nn.Module
        Of stride 1, so that there are features for every base.
    outputs : list of str, optional
        Not used: the outputs are the four bases.
    strands : {"single", "augment"}, default "single"
    share : float, in (0, 1), default 0.15
        Bases that are chosen.
    hidden : int, default 64
        Units of a dense layer between features and bases; 0 leaves it out.

    Raises
    ------
    InputError
        If the encoder has another stride than 1, or the share is out of range.

    References
    ----------
    .. [1] Devlin et al., BERT: pre-training of deep bidirectional transformers for language understanding (2019).

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Masked(CNN(filters=8)).eval()
    >>> task(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 4, 50])
    """

    def __init__(
        self, encoder: nn.Module, *, outputs: list[str] | None = None, strands: str = "single", share: float = 0.15, hidden: int = 64
    ) -> None:
        super().__init__(encoder, strands=strands)
        if not 0 < share < 1:
            raise InputError(f"the share of hidden bases is {share}: a number between 0 and 1 was expected. Use 0.15.")
        self.share = share
        self.head = BaseHead(int(encoder.channels), hidden=hidden)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module

    def raw_logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the logits (B, 4, L) of each base."""
        logits: Tensor = self.head(self.encoder(x, lengths))
        return logits

    def corrupt(self, codes: Tensor, *, seed: int | None = None) -> tuple[Tensor, Tensor]:
        """Return the codes with some bases hidden, replaced or left, and the truth at those places with 4 everywhere else."""
        seen, truth, fate, other = self._draw(codes, seed=seed)
        return torch.where(fate < 0.8, seen, torch.where((fate >= 0.9) & (truth < PAD), other, codes)), truth

    def examine(self, codes: Tensor, *, seed: int | None = None) -> tuple[Tensor, Tensor]:
        """Return the codes with the same bases chosen and all of them hidden, and the truth at those places with 4 everywhere else."""
        return self._draw(codes, seed=seed)[:2]

    def _draw(self, codes: Tensor, *, seed: int | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return codes with chosen bases hidden, the truth at their places, and for each base a number of 0 to 1 and another base."""
        draw = torch.Generator(codes.device).manual_seed(seed) if seed is not None else None

        def uniform() -> Tensor:
            return torch.rand(codes.shape, generator=draw, device=codes.device)

        chosen = (uniform() < self.share) & (codes < PAD)
        fate = uniform()
        other = (codes + (uniform() * 3).to(codes.dtype) + 1) % PAD
        return torch.where(chosen, PAD, codes), torch.where(chosen, codes, PAD), fate, other
