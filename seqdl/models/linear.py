"""No layers at all: a linear model of the bases at their places."""

from __future__ import annotations

from torch import Tensor, nn

from seqdl.layers.window import whole_window
from seqdl.registry import MODELS


@MODELS.register("linear")
class Linear(nn.Module):
    """The bases themselves, each at its place: logistic or linear regression, for aligned sequences of one length.

    It hands the one-hot on as one vector; the weights are those of the task's last layer. So that nothing bends in
    between, give the task ``hidden=0``, ``activation="linear"`` and ``dropout=0``, and read one strand
    (``--strands single``; of two strands the better one counts, which is not linear; ``average`` is). Then the task
    "binary" is logistic regression, "multiclass" softmax regression and "regression" linear regression, each on
    standardised inputs. With the task's own defaults it is a perceptron with one hidden layer.

    Parameters
    ----------
    in_channels : int, default 4
    length : int
        Bases of the window; shorter sequences are filled up with nothing, longer ones refused.

    Examples
    --------
    >>> import torch
    >>> Linear(length=50)(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 200, 1])
    """

    def __init__(self, *, in_channels: int = 4, length: int) -> None:
        super().__init__()
        self.channels, self.stride = in_channels * length, length

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (B, 4 * length, 1) for one-hot (B, 4, L)."""
        return whole_window(x, self.stride, lengths).flatten(1).unsqueeze(-1)
