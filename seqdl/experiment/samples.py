"""Sequences that a generative task writes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from seqdl.errors import InputError
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
            raise InputError(f"--{name} was given, but the task {type(task).__name__} draws without it. Leave it out.")
    return {name: torch.from_numpy(encode(value)) if name == "prompt" else value for name, value in given.items()}


def write_samples(path: Path, codes: Codes, *, force: bool = False) -> None:
    """Write drawn sequences as FASTA, named sample1, sample2, ..."""
    write_fasta(path, [f"sample{i}" for i in range(1, len(codes) + 1)], codes, force=force)
