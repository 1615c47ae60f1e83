"""What designs begin with: sequences of a FASTA, random ones, or latents of a generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from seqdl.errors import InputError, MissingFileError, UnknownNameError
from seqdl.experiment.samples import condition_of
from seqdl.experiment.spike import SHUFFLED, backgrounds_of
from seqdl.experiment.tile import trained_length
from seqdl.interpret.latents import Writer
from seqdl.io.fasta import read_fasta, unique_names

if TYPE_CHECKING:
    from seqdl.experiment.run import Run
    from seqdl.types import Codes

KINDS = (SHUFFLED, "uniform")


@dataclass(frozen=True)
class Starts:
    """What designs begin with.

    Attributes
    ----------
    names : list of str
    codes : list of Codes, or None
        None where the first latents of a generator say.
    writer : Writer, optional
        A generator, whose latents are searched.
    """

    names: list[str]
    codes: list[Codes] | None
    writer: Writer | None = None


def starts_from_fasta(path: str) -> Starts:
    """Return the sequences of a FASTA."""
    records = read_fasta(path)
    names = unique_names([record.name for record in records])
    for name, record in zip(names, records, strict=True):
        if (record.codes > 3).any():
            place = int(np.argmax(record.codes > 3)) + 1
            raise InputError(f"{path}: {name} has an unknown base at position {place:,}; A, C, G and T alone were expected. Say which base it is.")
    return Starts(names, [record.codes for record in records])


def random_starts(run: Run, kind: str, *, n: int, seed: int = 0) -> Starts:
    """Return random sequences as long as those of the training: dinucleotide shuffles of test sequences, or uniform ones.

    Raises
    ------
    InputError
        If the run names no data to shuffle.
    UnknownNameError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of random start", kind, KINDS)
    rng, length = np.random.default_rng(seed), trained_length(run.task)
    uniform = rng.integers(0, 4, (n, length)).astype(np.uint8)
    if kind == SHUFFLED:
        try:
            data = run.data
        except MissingFileError as error:
            raise InputError(f"there is nothing to shuffle: {error} Or say --starts uniform, or give starts with --fasta.") from None
        codes = backgrounds_of(data, SHUFFLED, n=n, length=length, seed=seed)
        uniform = np.where(codes > 3, uniform, codes)
    return Starts([f"random{i}" for i in range(1, n + 1)], list(uniform))


def latent_starts(run: Run, *, n: int, starts: Starts | None = None, condition: str | None = None, seed: int = 0) -> Starts:
    """Return latents of a vae or gan run: those that given sequences have, or normal ones.

    Parameters
    ----------
    run : Run
        Of the generator.
    n : int
        How many, where no sequences are given.
    starts : Starts, optional
        Sequences that a VAE finds latents of.
    condition : str, optional
        What a conditional generator is told.
    seed : int, default 0

    Raises
    ------
    InputError
        If the run is no generator with latents, or cannot say which latents a sequence has.
    """
    task: Any = run.task.eval()
    if not all(hasattr(task, name) for name in ("sample", "decode", "latent")):
        name = run.config["task"]["name"]
        raise InputError(f"--generator {run.folder}: the task {name} has no latents to draw from; a vae or a gan was expected. Give such a run.")
    if bool(task.condition) != (condition is not None):
        said = "needs a condition and none was given" if task.condition else "was trained without a condition, and one was given"
        raise InputError(f"--generator {run.folder}: the network {said}. {'Add' if task.condition else 'Leave out'} --condition.")
    told = None if condition is None else torch.full((1, 1), condition_of(task, condition))

    def given(size: int) -> torch.Tensor | None:
        return None if told is None else told.expand(size, 1)

    if starts is None:
        latents = torch.randn(n, task.latent, generator=torch.Generator().manual_seed(seed))
        names, codes = [f"latent{i}" for i in range(1, n + 1)], None
    else:
        if not hasattr(task, "embed"):
            raise InputError(
                f"--generator {run.folder}: a GAN cannot say which latents a sequence has, so random ones were expected. Leave --fasta out."
            )
        names, codes = starts.names, starts.codes
        assert codes is not None
        _check_length(task.length, names, codes)
        with torch.no_grad():
            latents = task.embed(task.one_hot(torch.from_numpy(np.stack(codes))), given(len(codes)))
    return Starts(names, codes, Writer(lambda points: task.decode(points, given(len(points))), latents))


def _check_length(length: int, names: list[str], codes: list[Codes]) -> None:
    for name, one in zip(names, codes, strict=True):
        if len(one) != length:
            raise InputError(f"{name} has {len(one)} bp and the generator writes {length} bp: as many were expected. Give starts of that length.")
