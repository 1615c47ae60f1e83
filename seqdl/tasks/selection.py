"""Which draws of a generator are kept: those that the critic has not told from real sequences."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqdl.evaluate.baseline import LogisticCurve


def sharpness_of(on_real: Tensor, on_drawn: Tensor) -> float:
    """Return by how much the log odds of being real rise with the critic's score, 0 where they do not.

    A critic is not calibrated: its penalties keep its scores near to each other. The slope is that of a logistic regression on sequences that it was
    not trained on.

    Parameters
    ----------
    on_real, on_drawn : Tensor, (N,), (M,)
        Scores of held-out real sequences and of drawn ones.

    Examples
    --------
    >>> source = torch.Generator().manual_seed(0)
    >>> drawn, real = torch.randn(4_000, generator=source), torch.randn(4_000, generator=source) + 0.5
    >>> 0.4 < sharpness_of(real, drawn) < 0.6                              # of two normal distributions half a deviation apart, 0.5
    True
    """
    scores = torch.cat([on_real, on_drawn]).double().cpu().numpy()
    if not len(on_real) or not len(on_drawn) or scores.std() == 0:
        return 0.0
    curve = LogisticCurve.fit(scores, np.repeat([True, False], [len(on_real), len(on_drawn)]))
    return max(0.0, float(curve.slope / curve.scale))


def chosen(scores: Tensor, n: int, *, sharpness: float) -> Tensor:
    """Return which n of more draws are kept: each in proportion to the odds that it is real, none twice [1]_.

    Parameters
    ----------
    scores : Tensor, (M,)
        The critic's.
    n : int
        At most M.
    sharpness : float
        Of `sharpness_of`; 0 keeps any.

    Returns
    -------
    Tensor, (n,), int64

    References
    ----------
    .. [1] Azadi et al., Discriminator rejection sampling, ICLR (2019); here by weighted draws without replacement (Efraimidis & Spirakis, 2006).

    Examples
    --------
    >>> chosen(torch.tensor([0.0, 50.0, 0.0, 50.0]), 2, sharpness=2.0).sort().values.tolist()
    [1, 3]
    """
    uniform = torch.rand(len(scores)).clamp(min=1e-12)
    return (sharpness * scores.cpu() - torch.log(-torch.log(uniform))).topk(n).indices
