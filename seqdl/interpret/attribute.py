"""Which bases a prediction rests on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from seqdl.interpret.method import METHODS, Method
from seqdl.interpret.readout import OneHot, Readout, as_tensor, evaluating
from seqdl.interpret.references import ReferenceSpec, make_references


def attribute(
    module: nn.Module, x: OneHot, *, method: str = "deeplift", output: int | str = 0, references: ReferenceSpec = 10, seed: int = 0, **options: Any
) -> NDArray[np.float32]:
    """Attribute the output of a module to the bases of its input.

    Attributions are taken through ``module.logits`` where it exists, else through ``forward``: never through a squashed
    output of one of our tasks.

    =====================  ==================================================================== ==============
    method                 what it gives                                                        off the sequence
    =====================  ==================================================================== ==============
    deeplift               contributions against shuffles; they add up to the difference        zero
    integrated-gradients   the same by the path integral of the gradient                        zero
    input-x-gradient       the gradient at the base that is there                               zero
    saliency               the gradient, less its mean over the bases of a position             all four bases
    ism                    the effect of each base, less the mean over the bases of a position  all four bases
    =====================  ==================================================================== ==============

    The values on the sequence itself, ``scores * x``, are what a track draws.

    Parameters
    ----------
    module : nn.Module
        Takes one-hot (B, 4, L); put into evaluation mode meanwhile and restored.
    x : array or Tensor, (N, 4, L)
        One-hot sequences.
    method : str, default "deeplift"
        A name of the table above.
    output : int or str, default 0
        Which output, by number or by its name in ``module.outputs``.
    references : int, "uniform", "zeros" or array (R, 4, L) or (N, R, 4, L), default 10
        What deeplift and integrated-gradients compare with: a number of dinucleotide shuffles, or the references
        themselves. The other methods use none.
    seed : int, default 0
        Seed of the shuffles.
    **options
        Options of the method, such as ``batch_size``, ``hypothetical`` or ``n_steps``.

    Returns
    -------
    array, (N, 4, L), float32
        In the units of the output (logits).

    Raises
    ------
    ShapeError
        If `x` is not (N, 4, L).
    UnknownNameError
        If no method, output or option has that name.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(8, 1, bias=False))
    >>> _ = net[1].weight.data.copy_(torch.arange(8.0))
    >>> x = np.zeros((1, 4, 2)); x[0, 3] = 1                      # TT
    >>> attribute(net, x, method="deeplift", references="zeros")[0, 3]
    array([6., 7.], dtype=float32)
    """
    make = METHODS.get(method)
    shared = {"references": references, "seed": seed}
    METHODS.check_options(method, options)
    known = METHODS.options(method)
    chosen: Method = make(**{key: value for key, value in shared.items() if key in known}, **options)
    readout, sequences = Readout(module, output), as_tensor(x)
    with evaluating(module):
        return np.asarray(chosen(readout, sequences).numpy(), dtype=np.float32)


def completeness_error(
    module: nn.Module, x: OneHot, scores: NDArray[Any], *, output: int | str = 0, references: ReferenceSpec = 10, seed: int = 0
) -> NDArray[np.float32]:
    """Return how far contributions miss what they should add up to.

    Contributions of deeplift and integrated-gradients should add up to the output of the sequence less the mean output
    of its references.

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
    readout, sequences = Readout(module, output), as_tensor(x)
    against = make_references(sequences, references, seed=seed)
    reference = against.rows(slice(0, len(sequences))).flatten(0, 1)
    mean = readout.predict(reference).view(len(sequences), against.count).mean(1)
    difference = readout.predict(sequences) - mean
    return np.asarray(np.asarray(scores).sum((1, 2)) - difference.numpy(), dtype=np.float32)
