"""What a module says about a sequence: one number, before the link.

Every method of this package looks at a network through a `Readout`, so none of them knows what kind of
module it explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.errors import InputError, ShapeError, UnknownNameError

OneHot = NDArray[Any] | Tensor
"""One-hot sequences, (N, 4, L), in the order A C G T; an ambiguous base is all zeros."""


def as_tensor(x: OneHot, *, signals: bool = False) -> Tensor:
    """Return one-hot sequences as a float32 tensor without gradient.

    Parameters
    ----------
    x : array or Tensor, (N, 4, L)
        One-hot sequences.
    signals : bool, default False
        Whether measured tracks may follow the four bases, (N, 4 + C, L).

    Returns
    -------
    Tensor, (N, 4, L), float32
        On the device of `x`.

    Raises
    ------
    ShapeError
        If `x` is not three-dimensional with four bases in the second place.

    Examples
    --------
    >>> as_tensor(np.eye(4)[None]).shape
    torch.Size([1, 4, 4])
    """
    tensor = x if isinstance(x, Tensor) else torch.as_tensor(np.asarray(x))
    if tensor.ndim == 3 and (tensor.shape[1] == 4 or (signals and tensor.shape[1] > 4 and tensor.shape[2] != 4)):
        return tensor.detach().to(torch.float32)
    shape = tuple(tensor.shape)
    if tensor.ndim == 3 and shape[2] == 4:
        advice = "The bases are in the last place: pass x.transpose(1, 2), or x.transpose(0, 2, 1) of an array."
    elif tensor.ndim == 2 and shape[0] == 4:
        advice = "For one sequence pass x[None]."
    elif tensor.ndim == 2:
        advice = "Codes are made one-hot by seqdl.sequence.encode.one_hot."
    else:
        advice = "Make it by seqdl.sequence.encode.one_hot or data.one_hot."
    raise ShapeError(f"x has the shape {shape}; expected one-hot sequences (N, 4, L) in the order A C G T. {advice}")


def reverse_complement(x: Tensor) -> Tensor:
    """Return the other strand of one-hot sequences (N, 4, L); in the order A C G T that is a flip of both axes."""
    return x.flip(1, 2)


def batches(n: int, size: int) -> Iterator[slice]:
    """Cut the rows 0 to n - 1 into slices of at most `size`.

    Examples
    --------
    >>> list(batches(5, 3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    if size < 1:
        raise InputError(f"batch_size is {size}; expected at least 1.")
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode (no dropout, fixed norms) and restore the mode of every part afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


class Readout:
    """One number a sequence, taken from a module before its link.

    A method `logits` of the module is used where there is one, else its ``forward``. An output with
    positions (B, T, L) is pooled by the module's method `summary` where it has one, else summed over them.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L).
    output : int or str, default 0
        Which output; a name is looked up in ``module.outputs``.

    Attributes
    ----------
    index : int
        The column of `output`.

    Raises
    ------
    UnknownNameError
        If no output has that name.
    InputError
        If a name is given but the module does not name its outputs.

    Examples
    --------
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    >>> Readout(net, 1)(torch.zeros(5, 4, 3)).shape
    torch.Size([5])
    """

    def __init__(self, module: nn.Module, output: int | str = 0) -> None:
        self.module = module
        self.index = _output_index(module, output)
        logits = getattr(module, "logits", None)
        # Other people's networks may call their last layer `logits`; that is not our method.
        own = callable(logits) and not isinstance(logits, nn.Module)
        self.function: Callable[[Tensor], Any] = logits if own and logits is not None else module
        summary = getattr(module, "summary", None) if own else None
        self.summary: Callable[[Tensor], Tensor] | None = summary if callable(summary) else None
        like = next((p for p in [*module.parameters(), *module.buffers()] if p.is_floating_point()), torch.zeros(()))
        self.device, self.dtype = like.device, like.dtype

    def place(self, x: Tensor) -> Tensor:
        """Bring `x` to the device and the number type of the module."""
        return x.to(self.device, self.dtype)

    def batch_size(self, asked: int | None = None) -> int:
        """Return how many rows to run at a time: what was asked for, or what suits the device."""
        if asked is None:
            # Measured: on a processor the activations of more rows fall out of its cache, which costs a third.
            return 64 if self.device.type == "cpu" else 1024
        if asked < 1:
            raise InputError(f"batch_size is {asked}; expected at least 1. Leave it out for a size that suits the device.")
        return asked

    def answer(self, x: Tensor) -> Any:
        """Return what the module says to placed one-hot (B, 4, L), or that it cannot read sequences of that length."""
        try:
            return self.function(x)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if not any(word in str(error).lower() for word in ("shape", "size")):
                raise
            raise ShapeError(
                f"{type(self.module).__name__} cannot read sequences of {x.shape[-1]} bp: {str(error).splitlines()[0]}. "
                "Sequences of the length that it was made for were expected; crop or pad them."
            ) from error

    def __call__(self, x: Tensor) -> Tensor:
        """Return the chosen output (B,) of placed one-hot (B, 4, L)."""
        y = self.answer(x)
        if not isinstance(y, Tensor) or y.ndim == 0 or len(y) != len(x):
            found = f"a tensor {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
            raise InputError(
                f"{type(self.module).__name__} answers {len(x)} sequences with {found}; expected (B,), (B, T) or (B, T, L). "
                "Wrap the module so that it returns one tensor."
            )
        y = y[:, None] if y.ndim == 1 else y
        if not -y.shape[1] <= self.index < y.shape[1]:
            raise InputError(
                f"output {self.index} was asked for, but {type(self.module).__name__} has {y.shape[1]} outputs; expected 0 to {y.shape[1] - 1}."
            )
        if y.ndim > 2 and self.summary is not None:
            y = self.summary(y)
        return y[:, self.index].flatten(1).sum(1) if y.ndim > 2 else y[:, self.index]

    def predict(self, x: Tensor, *, batch_size: int = 256) -> Tensor:
        """Return the chosen output (N,) of one-hot (N, 4, L), float32, on the CPU."""
        with torch.no_grad(), evaluating(self.module):
            parts = [self(self.place(x[rows])).float().cpu() for rows in batches(len(x), batch_size)]
        return torch.cat(parts) if parts else torch.zeros(0)

    def gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output (B,) and its gradient (B, 4, L) with respect to the bases of placed one-hot `x`, (B, 4, L) or (B, 4 + C, L).

        Raises
        ------
        InputError
            If the module cuts the gradient.
        """
        recurrent = any(isinstance(part, nn.RNNBase) for part in self.module.modules())
        # cuDNN has no backward pass for recurrent layers in evaluation mode.
        without_cudnn = torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext()
        with torch.inference_mode(False), torch.enable_grad(), without_cudnn:
            x = x.detach().clone().requires_grad_(True)
            y = self(x)
            if not y.requires_grad:
                raise InputError(
                    f"the output of {type(self.module).__name__} carries no gradient back to the sequence. "
                    "Expected a differentiable module; remove no_grad or detach from its forward, or use method='ism'."
                )
            (gradient,) = torch.autograd.grad(y.sum(), x, allow_unused=True)
        return y.detach(), (torch.zeros_like(x) if gradient is None else gradient.detach())[:, :4]


def _output_index(module: nn.Module, output: int | str) -> int:
    """Turn the name of an output into its column."""
    if not isinstance(output, str):
        return int(output)
    names = getattr(module, "outputs", None)
    if not isinstance(names, (list, tuple)) or not names:
        raise InputError(
            f"output '{output}' was asked for by name, but {type(module).__name__} does not name its outputs. Pass its number, such as output=0."
        )
    if output not in names:
        raise UnknownNameError("output", output, [str(name) for name in names])
    return list(names).index(output)
