"""Which bases a prediction rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from seqdl.errors import ShapeError
from seqdl.interpret.method import METHODS, Method
from seqdl.interpret.readout import OneHot, Readout, as_tensor, evaluating
from seqdl.interpret.references import ReferenceSpec, make_references


def attribute(
    module: nn.Module,
    x: OneHot,
    *,
    method: str = "deeplift",
    output: int | str = 0,
    references: ReferenceSpec = 10,
    seed: int = 0,
    lengths: ArrayLike | None = None,
    **options: Any,
) -> NDArray[np.float32]:
    """Attribute the output of a module to the bases of its input.

    Attributions are taken through ``module.logits`` where it exists, else through ``forward``: never through a squashed
    output of one of our tasks.

    =====================  ===================================================================== ==============
    method                 what it gives                                                         off the sequence
    =====================  ===================================================================== ==============
    deeplift               contributions against shuffles; they add up to the difference         zero
    integrated-gradients   the same by the path integral of the gradient                         zero
    expected-gradients     the same by draws from those paths: fewer runs, sums less exact       zero
    input-x-gradient       the gradient at the base that is there, less the mean of the position zero
    saliency               the gradient, less its mean over the bases of a position              all four bases
    ism                    the effect of each base, less the mean over the bases of a position   all four bases
    =====================  ===================================================================== ==============

    The values on the sequence itself, ``scores * x``, are what a track draws.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L); put into evaluation mode meanwhile and restored.
    x : array or Tensor, (N, 4, L)
        One-hot sequences. Measured tracks may follow the bases, (N, 4 + C, L), where the module reads them: they are held fixed, and
        the bases alone are attributed to.
    method : str, default "deeplift"
        A name of the table above.
    output : int or str, default 0
        Which output, by number or by its name in ``module.outputs``.
    references : int, "uniform", "zeros" or array (R, 4, L) or (N, R, 4, L), default 10
        What deeplift, integrated-gradients and expected-gradients compare with: a number of dinucleotide shuffles, or the references
        themselves. The other methods use none.
    seed : int, default 0
        Seed of the shuffles.
    lengths : array_like, (N,), optional
        True lengths of sequences that are padded at their end: each is explained at its own length, and padding gets zero.
    **options
        Options of the method, such as ``batch_size``, ``hypothetical`` or ``n_steps``.

    Returns
    -------
    array, (N, 4, L), float32
        In the units of the output (logits).

    Raises
    ------
    ShapeError
        If `x` is not (N, 4, L), or `lengths` do not fit it.
    UnknownNameError
        If no method, output or option has that name.
    InputError
        If the method has no rule for a layer of the module.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(8, 1, bias=False))
    >>> _ = net[1].weight.data.copy_(torch.arange(8.0))
    >>> x = np.zeros((1, 4, 2)); x[0, 3] = 1                      # TT
    >>> attribute(net, x, method="deeplift", references="zeros")[0, 3]
    array([6., 7.], dtype=float32)
    """
    _method(method, references=references, seed=seed, options=options)  # its names and options, before anything runs
    readout, sequences = Readout(module, output), as_tensor(x, signals=True)
    scores = np.zeros((len(sequences), 4, sequences.shape[-1]), dtype=np.float32)
    with evaluating(module):
        for rows, length in _by_length(sequences, lengths):
            against = references if lengths is None else _cut(references, rows, length)
            chosen = _method(method, references=against, seed=seed, options=options)
            scores[rows, :, :length] = chosen(readout, sequences[torch.from_numpy(rows), :, :length]).numpy()
    return scores


def _method(name: str, *, references: ReferenceSpec, seed: int, options: dict[str, Any]) -> Method:
    """Return a method with its options set."""
    make = METHODS.get(name)
    METHODS.check_options(name, options)
    known = METHODS.options(name)
    shared = {"references": references, "seed": seed}
    chosen: Method = make(**{key: value for key, value in shared.items() if key in known}, **options)
    return chosen


def _cut(references: ReferenceSpec, rows: NDArray[np.int64], length: int) -> ReferenceSpec:
    """Return references of some rows at their length."""
    if isinstance(references, int | np.integer | str):
        return references
    given = torch.as_tensor(references)[..., :length]
    return given[torch.from_numpy(rows)] if given.ndim == 4 and len(given) > 1 else given


def _by_length(x: Tensor, lengths: ArrayLike | None) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Yield the rows of each length."""
    if lengths is None:
        yield np.arange(len(x)), x.shape[-1]
        return
    sizes = np.asarray(lengths)
    if sizes.shape != (len(x),) or (len(x) and not 1 <= sizes.min() <= sizes.max() <= x.shape[-1]):
        found = f"from {sizes.min()} to {sizes.max()}" if sizes.size else "none"
        raise ShapeError(
            f"lengths have the shape {sizes.shape} and are {found}, for x {tuple(x.shape)}; expected ({len(x)},), from 1 to {x.shape[-1]}. "
            "Give the number of bases of each sequence, or leave lengths out."
        )
    for size in np.unique(sizes):
        yield np.flatnonzero(sizes == size), int(size)


def completeness_error(
    module: nn.Module, x: OneHot, scores: NDArray[Any], *, output: int | str = 0, references: ReferenceSpec = 10, seed: int = 0
) -> NDArray[np.float32]:
    """Return how far contributions miss what they should add up to.

    Contributions of deeplift, integrated-gradients and expected-gradients should add up to the output of the sequence less the
    mean output of its references.

    Parameters
    ----------
    module : nn.Module
        The explained module.
    x : array or Tensor, (N, 4, L)
        One-hot sequences.
    scores : array, (N, 4, L)
        Their contributions.
    output, references, seed
        As given to `attribute`.

    Returns
    -------
    array, (N,), float32
        Sum of the contributions less the difference of the outputs, in the units of the output.

    Examples
    --------
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(8, 1))
    >>> x = np.zeros((1, 4, 2)); x[0, 3] = 1
    >>> scores = attribute(net, x, references="uniform")
    >>> bool(abs(completeness_error(net, x, scores, references="uniform")[0]) < 1e-5)
    True
    """
    readout, sequences = Readout(module, output), as_tensor(x, signals=True)
    against = make_references(sequences, references, seed=seed)
    reference = against.rows(slice(0, len(sequences))).flatten(0, 1)
    mean = readout.predict(reference).view(len(sequences), against.count).mean(1)
    difference = readout.predict(sequences) - mean
    return np.asarray(np.asarray(scores).sum((1, 2)) - difference.numpy(), dtype=np.float32)
