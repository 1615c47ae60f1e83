"""Losses beyond those of torch: weighed and focused cross-entropy, counts, profiles; an unknown target (NaN) counts nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax


def mean_of_known(values: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of the values whose target is known; 0 where none is.

    Parameters
    ----------
    values, targets : Tensor
        Of one shape; a target that is NaN is not known.

    Examples
    --------
    >>> mean_of_known(torch.tensor([1.0, 5.0]), torch.tensor([0.0, float("nan")]))
    tensor(1.)
    """
    known = ~targets.isnan()
    return torch.where(known, values, 0.0).sum() / known.sum().clamp(min=1)


def focal_binary(logits: Tensor, targets: Tensor, *, gamma: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of yes or no, weighed by class and focused on what is not yet right.

    Parameters
    ----------
    logits, targets : Tensor, (B, T) or (B, T, L)
        Targets are 0, 1 or NaN.
    gamma : float, default 0
        Exponent of the focus [1]_: an example whose right answer has the probability p counts (1 - p)^gamma. 0 is plain
        cross-entropy.
    weights : Tensor, (2, T), optional
        What a negative and a positive of each output count.

    Returns
    -------
    Tensor, of the shape of `logits`

    References
    ----------
    .. [1] Lin et al., Focal loss for dense object detection, ICCV (2017), equation 4.

    Examples
    --------
    >>> plain, focused = (focal_binary(torch.zeros(1, 1), torch.ones(1, 1), gamma=gamma) for gamma in (0, 2))
    >>> round((focused / plain).item(), 3)
    0.25
    """
    truth = targets.nan_to_num()
    loss = binary_cross_entropy_with_logits(logits, truth, reduction="none")
    if gamma:
        loss = loss * _wrong(loss) ** gamma
    if weights is None:
        return loss
    negative, positive = weights.to(loss).view(2, 1, -1, *[1] * (loss.ndim - 2))
    return loss * torch.where(truth > 0, positive, negative)


def focal_classes(logits: Tensor, classes: Tensor, *, gamma: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of a choice among classes, weighed and focused as in `focal_binary`.

    Parameters
    ----------
    logits : Tensor, (B, K)
    classes : Tensor, (B,), int64
    gamma : float, default 0
    weights : Tensor, (K,), optional
        What an example of each class counts.

    Returns
    -------
    Tensor, (B,)
    """
    loss = cross_entropy(logits, classes, reduction="none")
    if gamma:
        loss = loss * _wrong(loss) ** gamma
    return loss if weights is None else loss * weights.to(loss)[classes]


def _wrong(loss: Tensor) -> Tensor:
    """Return the probability of any other than the right answer for its cross-entropy; never 0, where a root has no slope."""
    return (-torch.expm1(-loss)).clamp(min=1e-6)


def poisson_nll(log_rate: Tensor, counts: Tensor) -> Tensor:
    """Return the negative log-likelihood of counts under Poisson rates, less the part that no rate changes.

    Parameters
    ----------
    log_rate, counts : Tensor
        Of one shape.

    Examples
    --------
    >>> poisson_nll(torch.tensor([0.0]), torch.tensor([3.0]))
    tensor([1.])
    """
    return log_rate.exp() - counts.nan_to_num() * log_rate


def negative_binomial_nll(log_mean: Tensor, counts: Tensor, log_dispersion: Tensor) -> Tensor:
    """Return the negative log-likelihood of counts that scatter more than Poisson's: the variance is mean + dispersion mean^2 [1]_.

    Parameters
    ----------
    log_mean, counts : Tensor
        Of one shape.
    log_dispersion : Tensor
        Of a shape that fits theirs.

    References
    ----------
    .. [1] Cameron & Trivedi, Regression analysis of count data (2013), section 3.3 (NB2).
    """
    k = counts.nan_to_num()
    log_size = -log_dispersion.expand_as(log_mean)
    size = log_size.exp()
    log_both = torch.logaddexp(log_size, log_mean)
    ways = torch.lgamma(k + size) - torch.lgamma(size) - torch.lgamma(k + 1)
    return -(ways + size * (log_size - log_both) + k * (log_mean - log_both))


def multinomial_nll(logits: Tensor, counts: Tensor) -> Tensor:
    """Return the negative log-likelihood of where counts fall along the last axis, less the part that no logit changes.

    Parameters
    ----------
    logits, counts : Tensor, (..., L)
        Probabilities are the softmax of the logits; an unknown count falls nowhere.

    Returns
    -------
    Tensor, (...)

    Examples
    --------
    >>> multinomial_nll(torch.zeros(4), torch.tensor([2.0, 0, 0, 1])).item() / 3      # log 4 a count
    1.3862943649291992
    """
    return -(counts.nan_to_num() * log_softmax(logits, dim=-1)).sum(-1)


def balanced_weights(n: Tensor) -> Tensor:
    """Return what an example of each class counts so that all classes together count the same.

    Parameters
    ----------
    n : Tensor, (K, ...)
        How many examples each class has; the weight of a class without any is 0.

    Returns
    -------
    Tensor, (K, ...)
        All examples divided by classes times the class's own, so that the mean weight is 1.

    Examples
    --------
    >>> balanced_weights(torch.tensor([30.0, 10.0]))
    tensor([0.6667, 2.0000])
    """
    return torch.where(n > 0, n.sum(0) / ((n > 0).sum(0) * n.clamp(min=1)), 0.0)
