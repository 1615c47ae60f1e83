"""The whole window at once."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.errors import ShapeError
from seqdl.layers.onehot import mask_positions


def whole_window(x: Tensor, length: int, lengths: Tensor | None = None) -> Tensor:
    """Return sequences as windows of one length: masked, and filled up with nothing at their end.

    Parameters
    ----------
    x : Tensor, (B, C, L)
    length : int
        Of the window (bp).
    lengths : Tensor, (B,), optional
        True lengths of sequences that are padded at their end.

    Returns
    -------
    Tensor, (B, C, length)

    Raises
    ------
    ShapeError
        If there are more bases than the window has.

    Examples
    --------
    >>> import torch
    >>> whole_window(torch.ones(1, 1, 2), 3).tolist()
    [[[1.0, 1.0, 0.0]]]
    """
    missing = length - x.shape[-1]
    if missing < 0:
        raise ShapeError(
            f"the sequences have {x.shape[-1]} bp: at most {length} were expected, since the network has a weight for each base of a window of that "
            "length. Give shorter sequences, or train with longer ones."
        )
    x = mask_positions(x, lengths)
    return nn.functional.pad(x, (0, missing)) if missing else x
