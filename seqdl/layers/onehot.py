"""One-hot tensors on the device, and their reverse complement."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdl.sequence.encode import check_ambiguous
from seqdl.types import Ambiguous


def one_hot(codes: Tensor, *, ambiguous: Ambiguous = "zero", lengths: Tensor | None = None) -> Tensor:
    """Turn codes into one-hot.

    Parameters
    ----------
    codes : Tensor, (B, L), uint8
        A C G T = 0 1 2 3, anything else 4.
    ambiguous : {"zero", "uniform"}, default "zero"
        Whether an ambiguous base is all zeros or a quarter of each base.
    lengths : Tensor, (B,), optional
        True lengths of sequences that are padded at their end: padding is all zeros in either case.

    Returns
    -------
    Tensor, (B, 4, L), float32
        Order A C G T.

    Raises
    ------
    UnknownNameError
        If `ambiguous` is neither word.

    Examples
    --------
    >>> one_hot(torch.tensor([[0, 3, 4]], dtype=torch.uint8))[0].T.tolist()
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    """
    check_ambiguous(ambiguous)
    bases = torch.arange(4, dtype=codes.dtype, device=codes.device).view(1, 4, 1)
    if codes.device.type == "cpu":  # compared straight into float32: ten times as fast as a mask that is turned into numbers
        found = torch.empty(len(codes), 4, codes.shape[1])
        torch.eq(codes.unsqueeze(1), bases, out=found)
    else:
        found = (codes.unsqueeze(1) == bases).float()
    if ambiguous == "zero":
        return found
    return mask_positions(found.masked_fill_((codes > 3).unsqueeze(1), 0.25), lengths)


def reverse_complement(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Return the other strand of one-hot sequences.

    Parameters
    ----------
    x : Tensor, (B, 4, L)
        In the order A C G T, complementing is turning the channels round.
    lengths : Tensor, (B,), optional
        True lengths of sequences that are padded at their end: the padding stays at the end.

    Returns
    -------
    Tensor, (B, 4, L)

    Examples
    --------
    >>> x = one_hot(torch.tensor([[0, 1, 4]], dtype=torch.uint8))                 # AC and one padded position
    >>> torch.equal(reverse_complement(x, torch.tensor([2])), one_hot(torch.tensor([[2, 3, 4]], dtype=torch.uint8)))
    True
    """
    bases = x[:, :4].flip(1)
    return flip_positions(bases if x.shape[1] == 4 else torch.cat([bases, x[:, 4:]], dim=1), lengths)


def flip_positions(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Turn the last axis round, each row within its own length.

    Parameters
    ----------
    x : Tensor, (B, C, L)
    lengths : Tensor, (B,), optional
        What lies beyond a row's length stays where it is.

    Returns
    -------
    Tensor, (B, C, L)
    """
    if lengths is None:
        return x.flip(-1)
    position = torch.arange(x.shape[-1], device=x.device).unsqueeze(0)  # (1, L)
    source = torch.where(position < lengths.unsqueeze(1), lengths.unsqueeze(1) - 1 - position, position)  # (B, L)
    return x.gather(-1, source.unsqueeze(1).expand_as(x))


def mask_positions(x: Tensor, lengths: Tensor | None, fill: float = 0.0) -> Tensor:
    """Set what lies beyond each row's length to `fill`.

    Parameters
    ----------
    x : Tensor, (B, C, L)
    lengths : Tensor, (B,), optional
        Without it, `x` is returned as it is.
    fill : float, default 0

    Returns
    -------
    Tensor, (B, C, L)
    """
    if lengths is None:
        return x
    beyond = torch.arange(x.shape[-1], device=x.device).unsqueeze(0) >= lengths.unsqueeze(1)  # (B, L)
    return x.masked_fill(beyond.unsqueeze(1), fill)


def lengths_of_features(lengths: Tensor | None, stride: int, n_features: int) -> Tensor | None:
    """Return how many feature positions stand for each row's bases, at least one.

    Parameters
    ----------
    lengths : Tensor, (B,), or None
        Bases in each row; None is given back.
    stride : int
        Bases a feature position. It is not to be had from the shapes: 200 bp at stride 24 make 8 positions of 25.
    n_features : int
        Positions of the padded features.

    Returns
    -------
    Tensor, (B,), or None

    Examples
    --------
    >>> lengths_of_features(torch.tensor([200, 96, 7]), 24, 8)
    tensor([8, 4, 1])
    """
    return None if lengths is None else (lengths // stride).clamp(min=1, max=n_features)


def keep_middle(x: Tensor, span: int, lengths: Tensor | None = None) -> Tensor:
    """Blank the bases at both ends but for a span in the middle.

    Parameters
    ----------
    x : Tensor, (B, C, L)
    span : int
        Bases that are kept (bp); one more where as many cannot lie in the middle.
    lengths : Tensor, (B,), optional
        True lengths of rows that are padded at their end.

    Returns
    -------
    Tensor, (B, C, L)

    Examples
    --------
    >>> keep_middle(torch.ones(1, 1, 6), 2).flatten().tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    """
    # of one length one mask serves all rows, and single-base mutants can be followed through it window by window
    n = torch.full((1, 1), x.shape[-1], device=x.device) if lengths is None else lengths.view(-1, 1)
    end = ((n - span) // 2).clamp(min=0)
    place = torch.arange(x.shape[-1], device=x.device)
    return x * ((place >= end) & (place < n - end)).unsqueeze(1).to(x.dtype)
