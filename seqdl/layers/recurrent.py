"""Recurrent layers along a sequence: one reader for the three kinds of cell, in one direction or in both."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.conv import check_width
from seqdl.layers.onehot import mask_positions
from seqdl.layers.stepping import RecurrentStepper

CELLS: dict[str, type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Front(nn.Module):
    """A convolution in front of layers that read along the sequence, (B, C, L) -> (B, F, L).

    Parameters
    ----------
    in_channels, filters : int
    width : int
        Odd, so that the output lies on the input's positions; any where it is causal.
    causal : bool, default False
        Pad on the left alone, so that no position sees what follows it.
    dropout : float, in [0, 1), default 0
    """

    def __init__(self, in_channels: int, filters: int, width: int, *, causal: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        if width < 1 or not causal:
            check_width(width)
        before = width - 1 if causal else width // 2
        self.pad = nn.ConstantPad1d((before, width - 1 - before), 0.0)
        self.conv = nn.Conv1d(in_channels, filters, width)
        self.after = nn.Sequential(nn.ReLU(), nn.Dropout(dropout))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return (B, F, L); what lies beyond a row's length is zero."""
        return mask_positions(self.after(self.conv(self.pad(mask_positions(x, lengths)))), lengths)


class Recurrence(nn.Module):
    """Recurrent layers along the sequence, (B, C, L) -> (B, hidden * directions, L).

    Each layer is one of torch's own. The first half of the channels of two directions is what was read up to a
    position from the left, the second half from the right.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
    in_channels : int
    hidden : int
        Units of a layer and direction.
    layers : int, default 1
    bidirectional : bool, default True
    dropout : float, in [0, 1), default 0
        Between layers.

    Raises
    ------
    UnknownNameError
        If there is no cell of that name.
    InputError
        If no layer or no unit is asked for.

    Examples
    --------
    >>> Recurrence("lstm", 4, 8)(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 16, 50])
    """

    def __init__(self, cell: str, in_channels: int, hidden: int, *, layers: int = 1, bidirectional: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        if cell not in CELLS:
            raise UnknownNameError("recurrent cell", cell, CELLS)
        if min(hidden, layers) < 1:
            raise InputError(f"{layers} recurrent layers of {hidden} units: at least one of each was expected. Raise layers or hidden.")
        self.directions = 2 if bidirectional else 1
        self.channels = hidden * self.directions
        sizes = [in_channels, *[self.channels] * (layers - 1)]
        self.cells = nn.ModuleList(CELLS[cell](size, hidden, bidirectional=bidirectional) for size in sizes)
        self.between = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the hidden states at every position; what lies beyond a row's length is zero, and is not read."""
        states = x.permute(2, 0, 1)  # (L, B, C)
        for number, cell in enumerate(self.cells):
            states = read(cell, self.between(states) if number else states, lengths)
        return mask_positions(states.permute(1, 2, 0), lengths)


def read(cell: nn.Module, x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Return the hidden states (L, B, hidden * directions) of one recurrent layer of torch over x (L, B, C).

    Padding follows the bases, so that a layer going forward meets it when it is done. For the direction from the end,
    rows of different lengths are moved to the end of the window first. On a processor that costs half as much as
    packing them, and rows of one length cost nothing.
    """
    if lengths is None or not cell.bidirectional:
        return states_of(cell, x)
    shift = len(x) - lengths  # (B,)
    half = int(cell.hidden_size)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
    ahead, back = states_of(cell, x)[..., :half], states_of(cell, rolled(x, shift))[..., half:]
    return torch.cat([ahead, rolled(back, -shift)], dim=-1)


def states_of(cell: nn.Module, x: Tensor) -> Tensor:
    """Return the hidden states (L, B, hidden * directions) of a recurrent layer of torch, whatever asks for their gradient."""
    # cuDNN has no gradient of a network that predicts, and attributions ask for one; torch's own kernels do.
    asked = torch.is_grad_enabled() and not cell.training
    with torch.backends.cudnn.flags(enabled=False) if asked else nullcontext():
        states: Tensor = cell(x)[0]
    return states


def rolled(x: Tensor, shift: Tensor) -> Tensor:
    """Move each row b of x (L, B, C) on by shift[b] positions, round the end.

    Examples
    --------
    >>> rolled(torch.arange(4).view(4, 1, 1), torch.tensor([1])).flatten().tolist()
    [3, 0, 1, 2]
    """
    source = (torch.arange(len(x), device=x.device).unsqueeze(1) - shift) % len(x)  # (L, B)
    return x.gather(0, source.unsqueeze(-1).expand_as(x))


class RecurrentEncoder(nn.Module):
    """A convolution that sees motifs, and recurrent layers that read them in their order: what rnn, lstm and gru share.

    Subclasses name their `cell`, and say what the options mean.

    Attributes
    ----------
    directions : int
        2 where the first half of the channels was read from the left and the second from the right.
    causal : bool
        Whether no position sees what follows it.
    """

    stride = 1
    readout = "attention"
    cell: str

    def __init__(
        self,
        *,
        in_channels: int = 4,
        filters: int = 64,
        width: int = 9,
        hidden: int = 64,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.in_channels, self.causal = in_channels, not bidirectional
        self.front = Front(in_channels, filters, width, causal=self.causal, dropout=dropout) if filters else None
        self.reader = Recurrence(self.cell, filters or in_channels, hidden, layers=layers, bidirectional=bidirectional, dropout=dropout)
        self.channels, self.directions = self.reader.channels, self.reader.directions

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, hidden * directions, L) for one-hot (B, 4, L)."""
        if self.front is not None:
            x = self.front(x, lengths)
        features: Tensor = self.reader(x, lengths)
        return features

    def stepper(self, n: int) -> RecurrentStepper:
        """Return what reads n sequences base by base and keeps what it has read; of a causal network alone."""
        if not self.causal:
            raise InputError(
                f"this {self.cell} reads from both ends, and was asked to read base by base: one direction was expected. "
                "Make it with bidirectional=False."
            )
        return RecurrentStepper(self.front, self.reader.cells, n, in_channels=self.in_channels)
