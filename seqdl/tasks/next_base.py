"""The next base from those before it: a language model of DNA."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdl.errors import InputError
from seqdl.layers.heads import BaseHead
from seqdl.layers.stepping import stepper_of
from seqdl.registry import TASKS
from seqdl.tasks.language import Language


@TASKS.register("next_base")
class NextBase(Language):
    """Predict each base from the bases before it, by an encoder that looks back only.

    The mean cross-entropy is the information of a base in bits; 2 says nothing was learnt [1]_. What it has learnt can be drawn
    from (`seqdl generate`), asked for the likelihood of a sequence, and handed on to a task with few labels.

    Parameters
    ----------
    encoder : nn.Module
        Causal (``encoder.causal``) and of stride 1, such as ``lstm`` with ``bidirectional=False``.
    outputs : list of str, optional
        Not used: the outputs are the four bases.
    strands : {"single", "augment"}, default "single"
        A strand is read in one direction.
    hidden : int, default 0
        Units of a dense layer between features and bases; 0 leaves it out.

    Raises
    ------
    InputError
        If the encoder sees what follows, or has another stride than 1.

    References
    ----------
    .. [1] Shannon, Prediction and entropy of printed English, Bell System Technical Journal 30 (1951).

    Examples
    --------
    >>> from seqdl.models.lstm import LSTM
    >>> task = NextBase(LSTM(hidden=8, bidirectional=False)).eval()
    >>> task(torch.zeros(2, 4, 50)).sum(1).allclose(torch.ones(2, 50))
    True
    """

    def __init__(self, encoder: nn.Module, *, outputs: list[str] | None = None, strands: str = "single", hidden: int = 0) -> None:
        super().__init__(encoder, strands=strands)
        if not getattr(encoder, "causal", False):
            raise InputError(
                f"the encoder {type(encoder).__name__} sees the bases that follow a position, and next_base is to predict them: one that looks "
                "back only was expected. Use an lstm, gru or rnn with bidirectional=False, or --task masked."
            )
        self.first = nn.Parameter(torch.zeros(4, 1))  # the first base has none before it
        self.head = BaseHead(int(encoder.channels), hidden=hidden)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module

    def raw_logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the logits (B, 4, L) of each base, from those before it."""
        behind: Tensor = self.head(self.encoder(x, lengths))
        return torch.cat([self.first.expand(len(x), -1, -1), behind[..., :-1]], dim=-1)

    def corrupt(self, codes: Tensor, *, seed: int | None = None) -> tuple[Tensor, Tensor]:
        """Return the codes as they are read, and as they are to be predicted: both as they are."""
        return codes, codes

    @torch.inference_mode()
    def sample(
        self, n: int, length: int, *, temperature: float = 1.0, prompt: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw sequences, base by base.

        Parameters
        ----------
        n, length : int
            How many, and of how many bp, the prompt included.
        temperature : float, above 0, default 1
            Below 1 the likely bases become likelier, above 1 all become alike.
        prompt : Tensor, (P,), uint8, optional
            Codes that every sequence begins with.
        generator : Generator, optional
            Source of chance.

        Returns
        -------
        Tensor, (n, length), uint8

        Raises
        ------
        InputError
            If the temperature is not positive, or the prompt is longer than the sequences.
        """
        begin = torch.empty(0, dtype=torch.uint8) if prompt is None else prompt
        if not temperature > 0:
            raise InputError(f"the temperature is {temperature}: a number above 0 was expected. Use 1 for what the model says.")
        if len(begin) > length:
            raise InputError(f"the prompt has {len(begin)} bp and the sequences {length}: it is part of them. Give a longer --length.")
        step = stepper_of(self.encoder, n)
        drawn: list[Tensor] = []
        logits = self.first.expand(4, n).T
        for place in range(length):
            odds = torch.softmax((logits * self.scale[:, 0] + self.shift[:, 0]) / temperature, dim=-1)
            base = begin[place].expand(n) if place < len(begin) else torch.multinomial(odds, 1, generator=generator)[:, 0].to(torch.uint8)
            drawn.append(base)
            x = self.one_hot(base.unsqueeze(1))[..., 0]
            logits = self.head(step(x).unsqueeze(-1))[..., 0]
        return torch.stack(drawn, dim=1)
