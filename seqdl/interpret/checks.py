"""Can attributions be believed? Sums, randomised weights, other methods, the other strand."""

from __future__ import annotations

import copy
import warnings
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdl.errors import InputError, ShapeError
from seqdl.interpret.attribute import attribute, completeness_error
from seqdl.interpret.method import METHODS
from seqdl.interpret.readout import OneHot, Readout, as_tensor, evaluating
from seqdl.interpret.references import ReferenceSpec, make_references

Tracks = NDArray[np.float64]
TOLERANCE = {"deeplift": 0.01, "integrated-gradients": 0.05, "expected-gradients": 0.2}
"""Share of the change of the output that the contributions of a sequence may miss; the last two are exact only with endless points."""
COMPARED = ("ism", "deeplift", "input-x-gradient")
ALIKE_WHEN_RANDOM = 0.5
"""Correlation with the attributions of a randomised network above which they say more of the sequence than of what was learnt."""
AT_ODDS = 0.3
"""Correlation below which two methods tell different stories."""


@dataclass(frozen=True)
class Checks:
    """What the checks of attributions found; correlations are medians over sequences.

    Attributes
    ----------
    method : str
        How the attributions were made.
    n_sequences : int
        How many sequences were looked at.
    completeness : dict or None
        worst and median: share of the change of the output that the sum of a sequence misses; n_over: sequences over tolerance. None of
        methods whose values are not meant to add up.
    randomised : float
        Correlation with the attributions of the network with its weights shuffled: near 0 where they tell of what was learnt.
    agreement : dict
        Correlation with the attributions by other methods.
    strands : float
        Correlation with the attributions of the other strand, turned back: 1 where strands are shared.
    warnings : list of str
        What should not be as it is.
    """

    method: str
    n_sequences: int
    completeness: dict[str, float] | None = None
    randomised: float = float("nan")
    agreement: dict[str, float] = field(default_factory=dict)
    strands: float = float("nan")
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; what is undefined is None."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def check_attributions(
    module: nn.Module,
    x: OneHot,
    scores: NDArray[Any],
    *,
    method: str,
    output: int | str = 0,
    references: ReferenceSpec = 10,
    seed: int = 0,
    **options: Any,
) -> Checks:
    """Check attributions: their sums, and against randomised weights, other methods and the other strand.

    Parameters
    ----------
    module : nn.Module
        The explained module.
    x : array or Tensor, (N, 4, L)
        One-hot sequences; some tens are enough.
    scores : array, (N, 4, L)
        Their attributions.
    method, output, references, seed, **options
        As given to `attribute`.

    Returns
    -------
    Checks

    Raises
    ------
    ShapeError
        If `scores` do not fit `x`.

    References
    ----------
    .. [1] Adebayo et al., Sanity checks for saliency maps, NeurIPS (2018), arXiv:1810.03292.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> net = nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(8, 1))
    >>> x = np.eye(4)[np.random.default_rng(0).integers(0, 4, (5, 60))].transpose(0, 2, 1)
    >>> found = check_attributions(net, x, attribute(net, x), method="deeplift")
    >>> found.completeness["n_over"], found.warnings
    (0, [])
    """
    sequences = as_tensor(x, signals=True)
    if np.shape(scores) != (len(sequences), 4, sequences.shape[-1]):
        raise ShapeError(
            f"the scores have the shape {np.shape(scores)} for x {tuple(sequences.shape)}; expected one a base. Pass what attribute gave."
        )
    how: dict[str, Any] = {"output": output, "references": references, "seed": seed}
    ours, sums = track_of(scores, sequences), completeness(module, sequences, scores, method=method, **how)
    shuffled = attribute(randomised(module, sequences, seed=seed), sequences, method=method, **how, **options)
    random = middle(correlations(np.abs(ours), np.abs(track_of(shuffled, sequences))))
    agreement = {name: middle(correlations(ours, track_of(other, sequences))) for name, other in _others(module, sequences, method, how=how).items()}
    turned = other_strand(module, sequences, method=method, **how, **options)
    strands = middle(correlations(ours, track_of(turned, sequences)))
    said = [*said_of_sums(sums, method, len(sequences)), *_said_of_comparisons(random, agreement)]
    return Checks(method, len(sequences), sums, random, agreement, strands, said)


def track_of(scores: NDArray[Any], x: Tensor) -> Tracks:
    """Return what stands at the bases themselves, (N, L)."""
    return np.asarray((np.asarray(scores) * x[:, :4].cpu().numpy()).sum(1), dtype=np.float64)


def completeness(
    module: nn.Module, x: OneHot, scores: NDArray[Any], *, method: str, output: int | str = 0, references: ReferenceSpec = 10, seed: int = 0
) -> dict[str, float] | None:
    """Compare the sum of the contributions of each sequence with the change of the output.

    Parameters
    ----------
    module, x, scores, method, output, references, seed
        As for `check_attributions`.

    Returns
    -------
    dict or None
        worst and median: what is missed, as a share of the change of the output (of the mean change, where that is larger);
        n_over: sequences over the tolerance of the method. None where the method's values are not meant to add up.
    """
    if method not in TOLERANCE or not len(x) or "references" not in METHODS.options(method):
        return None
    error = completeness_error(module, x, scores, output=output, references=references, seed=seed)
    return shares_missed(np.asarray(scores).sum((1, 2)), error, method=method)


def shares_missed(total: NDArray[Any], error: NDArray[Any], *, method: str) -> dict[str, float]:
    """Sum up what contributions miss.

    Parameters
    ----------
    total, error : array, (N,)
        Sum of the contributions of each sequence, and that less the change of the output.
    method : str
        Says what may be missed.

    Returns
    -------
    dict
        As of `completeness`.

    Examples
    --------
    >>> shares_missed(np.array([4.0, 1.0]), np.array([0.0, 0.5]), method="deeplift")
    {'worst': 0.2222222222222222, 'median': 0.1111111111111111, 'n_over': 1}
    """
    change = np.abs(total - error)
    share = np.abs(error) / np.maximum(np.maximum(change, change.mean()), 1e-6)
    return {"worst": float(share.max()), "median": float(np.median(share)), "n_over": int((share > TOLERANCE[method]).sum())}


def randomised(module: nn.Module, x: OneHot, *, seed: int = 0) -> nn.Module:
    """Return a copy of a module with the entries of each weight shuffled; norms get the statistics of `x`, so that it still answers.

    Parameters
    ----------
    module : nn.Module
    x : array or Tensor, (N, 4, L)
        One-hot sequences.
    seed : int, default 0
    """
    blank, generator = copy.deepcopy(module), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in blank.parameters():
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
    readout, norms = Readout(blank), [part for part in blank.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if norms and len(x) > 1:
        with evaluating(blank), torch.no_grad():
            for norm in norms:
                norm.train()
                norm.momentum = 1.0
            readout(readout.place(as_tensor(x, signals=True)))
    return blank


def other_strand(
    module: nn.Module,
    x: OneHot,
    *,
    method: str,
    output: int | str = 0,
    references: ReferenceSpec = 10,
    seed: int = 0,
    **options: Any,
) -> NDArray[np.float32]:
    """Return the attributions of the reverse complements, turned back, (N, 4, L); references are turned too.

    Parameters
    ----------
    module, x, method, output, references, seed, **options
        As for `attribute`.
    """
    sequences = as_tensor(x, signals=True)
    turned = torch.cat([sequences[:, :4].flip(1, 2), sequences[:, 4:].flip(2)], 1)
    against: ReferenceSpec = references
    if "references" in METHODS.options(method) and not isinstance(references, str):
        against = make_references(sequences[:, :4], references, seed=seed).rows(slice(0, len(sequences))).flip(2, 3)
    found = attribute(module, turned, method=method, output=output, references=against, seed=seed, **options)
    return np.ascontiguousarray(found[:, ::-1, ::-1])


def correlations(a: Tracks, b: Tracks) -> Tracks:
    """Return Pearson's correlation of each row of two arrays (N, L), (N,); NaN where one does not vary.

    Examples
    --------
    >>> correlations(np.array([[0.0, 1, 2], [1, 1, 1]]), np.array([[1.0, 3, 5], [0, 1, 0]])).tolist()
    [1.0, nan]
    """
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    spread = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return np.asarray(np.divide((a * b).sum(1), spread, out=np.full(len(a), np.nan), where=spread > 0), dtype=np.float64)


def middle(values: Tracks) -> float:
    """Return the median of what is defined; NaN where nothing is."""
    return float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else float("nan")


def _others(module: nn.Module, x: Tensor, method: str, *, how: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Return the attributions by the other methods, of those that can explain the module."""
    found = {}
    for name in COMPARED:
        if name != method:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # how well a method serves here shows in what comes of it
                    found[name] = attribute(module, x, method=name, **how)
            except InputError:
                continue
    return found


def said_of_sums(sums: dict[str, float] | None, method: str, n: int) -> list[str]:
    """Return a sentence where contributions do not add up."""
    if sums is None or not sums["n_over"]:
        return []
    return [
        f"the {method} of {sums['n_over']} of {n} sequences miss more than {TOLERANCE[method]:.0%} of the change of the output "
        f"(worst {sums['worst']:.0%}): do not read their heights as shares of the prediction."
    ]


def _said_of_comparisons(random: float, agreement: dict[str, float]) -> list[str]:
    """Return sentences where comparisons came out badly."""
    said = []
    if random > ALIKE_WHEN_RANDOM:
        said.append(
            f"the attributions look like those of a network with shuffled weights (correlation {random:.2f}): "
            "they tell more of the sequence than of what was learnt."
        )
    if agreement and max(agreement.values()) < AT_ODDS:
        pairs = ", ".join(f"{name} {value:.2f}" for name, value in agreement.items())
        said.append(f"other methods tell another story (correlation with {pairs}): do not lean on one of them alone.")
    return said


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
