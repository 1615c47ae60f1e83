"""Batch normalisation over the batch of all processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributed import nn as collective


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation whose mean and variance are those of the examples of all processes together.

    Each process holds a part of the batch; torch's own layer for this works on GPUs alone. Where there is one process, or in evaluation
    mode, it is a plain `nn.BatchNorm1d`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x (B, C) or (B, C, L) normalised, then scaled and shifted."""
        if not self.training or not torch.distributed.is_initialized():
            plain: Tensor = super().forward(x)
            return plain
        kind, x = x.dtype, x.float()
        axes = [0, *range(2, x.ndim)]
        shape = [1, -1, *([1] * (x.ndim - 2))]
        n = x.new_full((1,), float(x.numel() // x.shape[1]))
        sums = _added_up(torch.cat([x.sum(axes), n]))
        count, mean = sums[-1], sums[:-1] / sums[-1]
        centred = x - mean.view(shape)
        variance = _added_up(centred.square().sum(axes)) / count
        self._note(mean.detach(), (variance * count / (count - 1).clamp(min=1)).detach())
        out = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            out = out * self.weight.view(shape) + self.bias.view(shape)
        shared: Tensor = out.to(kind)
        return shared

    def _note(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return  # it keeps none
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def _added_up(values: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes, through which gradients flow back."""
    together: Tensor = collective.functional.all_reduce(values)  # type: ignore[no-untyped-call]  # torch does not type it
    return together


@contextmanager
def shared_norms(module: nn.Module) -> Iterator[None]:
    """Let every batch normalisation of a module be over all processes for a while; weights and names stay."""
    norms = [part for part in module.modules() if type(part) is nn.BatchNorm1d]
    for norm in norms:
        norm.__class__ = SharedBatchNorm
    try:
        yield
    finally:
        for norm in norms:
            norm.__class__ = nn.BatchNorm1d
