"""Sequences that a generative task writes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from seqdl.errors import InputError, UnknownNameError
from seqdl.io.fasta import write_fasta
from seqdl.progress import track
from seqdl.sequence.encode import encode
from seqdl.types import Codes

if TYPE_CHECKING:
    from seqdl.tasks.base import Task

AT_ONCE = 1_000


def draw(task: Task, n: int, length: int, *, seed: int = 0, **options: Any) -> Codes:
    """Draw sequences from a trained task.

    Parameters
    ----------
    task : Task
        One with a method ``sample``: a next-base model, a VAE, a GAN.
    n, length : int
        How many, and of how many bp.
    seed : int
        The same seed draws the same sequences, however many there are.
    **options
        Of its ``sample``, such as ``temperature`` or ``prompt``.

    Returns
    -------
    uint8 array, (n, length)

    Raises
    ------
    InputError
        If the task does not write sequences.
    """
    _check_writes(task)
    task.eval()
    parts = []
    for number, start in enumerate(track(range(0, n, AT_ONCE), "drawing")):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
        drawn: Codes = task.sample(AT_ONCE, length, generator=generator, **options)[: n - start].numpy()  # type: ignore[operator]  # nn.Module types every attribute as Tensor | Module
        parts.append(drawn)
    return np.concatenate(parts) if parts else np.empty((0, length), dtype=np.uint8)


def generate(task: Task, n: int, *, length: int | None = None, seed: int = 0, **given: Any) -> Codes:
    """Draw sequences as a user asks for them.

    Parameters
    ----------
    task : Task
    n : int
    length : int, optional
        bp; by default that of the training sequences.
    seed : int, default 0
    **given
        temperature, prompt (bases) or condition (a class by name or number, or a number); None leaves one out.

    Returns
    -------
    uint8 array, (n, length)

    Raises
    ------
    InputError
        If a number is out of range, the task writes no sequences, or it draws without what was given.
    """
    if n < 1:
        raise InputError(f"n is {n}: one sequence or more was expected. Ask for such a number.")
    if length is not None and length < 1:
        raise InputError(f"length is {length}: 1 bp or more was expected. Ask for such a number.")
    more = sample_options(task, {name: value for name, value in given.items() if value is not None})
    return draw(task, n, length or int(task.recipe["length"]), seed=seed, **more)


def _check_writes(task: Task) -> None:
    """Raise `InputError` if a task cannot be drawn from."""
    if not hasattr(task, "sample"):
        raise InputError(f"the task {type(task).__name__} writes no sequences: a GAN, a VAE or a next-base model was expected. Train one of them.")


def sample_options(task: Task, given: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked of the drawing as the task takes it.

    Raises
    ------
    InputError
        If the task has no such option.
    """
    _check_writes(task)
    known = inspect.signature(task.sample).parameters  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
    for name in given:
        if name not in known:
            raise InputError(f"{name} was given, but the task {type(task).__name__} draws without it. Leave it out.")
    made: dict[str, Any] = dict(given)
    if "prompt" in given:
        made["prompt"] = torch.from_numpy(encode(given["prompt"]))
    if "condition" in given:
        made["condition"] = condition_of(task, given["condition"])
    return made


def class_names(task: Task) -> list[str]:
    """Return the names of the classes that a conditional task was trained on, in the order of their numbers; none where they had none."""
    recipe: dict[str, Any] = task.recipe
    names = recipe.get("classes") or (recipe.get("task") or {}).get("outputs") or []
    return [str(name) for name in names] if len(names) == getattr(task, "condition", 0) > 1 else []


def condition_of(task: Task, what: str | float) -> float:
    """Return what a conditional task is told: the number of a class by its name, or a number as it is.

    Parameters
    ----------
    task : Task
    what : str or float
        A class by its name or by its number, or, where the condition is a number, that number.

    Raises
    ------
    InputError
        If a number was expected and this is none.
    UnknownNameError
        If there is no such class.
    """
    n_classes, names = int(getattr(task, "condition", 0)), class_names(task)
    if str(what) in names:
        return float(names.index(str(what)))
    try:
        number = float(what)
    except ValueError:
        number = float("nan")
    if n_classes > 1 and number not in range(n_classes):
        raise UnknownNameError("class of this network", str(what), names or [str(one) for one in range(n_classes)])
    if not np.isfinite(number):
        raise InputError(
            f"--condition {what}: the network is told a number, and this is none. Give --condition a number such as those it was trained on."
        )
    return number


def write_samples(path: Path, codes: Codes, *, force: bool = False) -> None:
    """Write drawn sequences as FASTA, named sample1, sample2, ..."""
    write_fasta(path, [f"sample{i}" for i in range(1, len(codes) + 1)], codes, force=force)
