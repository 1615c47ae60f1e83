"""Measure a run that learned from sequences alone, and hold it against what was asked."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqdl.errors import CheckFailed, InputError
from seqdl.evaluate.reconstruction import LEAST_GAIN, LEAST_KL_BITS, LEAST_SHARE
from seqdl.experiment.complete import leaks_of
from seqdl.experiment.prepare import prepare_all
from seqdl.types import PAD

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.config import Config
    from seqdl.experiment.run import Run
    from seqdl.tasks.base import Task
    from seqdl.types import Codes

CHECKS = {"autoencoder": ("baseline", "leak", "collapsed"), "language": ("baseline", "leak"), "generator": ("collapsed", "copies")}
"""What of each family can be asked for with --fail-on."""


def measure_unlabelled(run: Run, other: SequenceData | None, *, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure an autoencoder, a language model or a generator beside its baselines.

    Parameters
    ----------
    run : Run
    other : SequenceData, optional
        Other sequences to measure on; the baselines are fitted on the run's training split in either case.
    seed : int
        Of what is drawn.
    say : callable

    Returns
    -------
    dict
        "family", "headline", "test", "baselines"; "text", the verdict in words, where there is one; "n_leaks", but for a generator.
    """
    family = run.task.family
    data = run.data if other is None else beside_training(run.data, other)
    measured: Any = importlib.import_module(f"seqdl.experiment.{family}").measured
    found: dict[str, Any] = {"task": run.config["task"]["name"], "family": family, **measured(run, data, seed=seed, say=say)}
    if family != "generator":
        leaks = leaks_of(data)
        found["n_leaks"] = int(leaks.leaky[data.rows("test")].sum())
    if other is not None:
        found.pop("val", None)
    return found


def others(task: Task, inputs: Config) -> SequenceData:
    """Read other sequences to measure a trained task on.

    Parameters
    ----------
    task : Task
    inputs : Config
        Its data section names them.

    Raises
    ------
    InputError
        If the task reads no sequences, or these have another length than it was made for.
    """
    if task.family == "generator":
        raise InputError(
            "other sequences were given with a run whose network writes sequences and reads none: the run alone was expected. Leave them out; "
            "seqdl judge SYNTHETIC.fa --real REAL.fa holds what seqdl generate writes against them."
        )
    found = prepare_all(inputs)
    length = int(task.length) if task.family == "autoencoder" else None  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
    if length is not None and (found.length != length or (found.lengths is not None and inputs.data.crop is None)):
        least = found.length if found.lengths is None else int(found.lengths.min())
        own = f"{found.length:,}" if least == found.length else f"{least:,} to {found.length:,}"
        raise InputError(
            f"the sequences are {own} bp long, and the network was made for {length:,} bp: sequences of that length were expected. "
            f"Add --crop {length}, which cuts the longer and pads the shorter."
        )
    return found


def beside_training(own: SequenceData, other: SequenceData) -> SequenceData:
    """Return a run's training sequences with others as the test split; labels are kept where both have the same."""
    rows = own.rows("train")
    length = max(own.length, other.length)
    same = own.outputs == other.outputs and own.classes == other.classes and own.kind == other.kind
    columns = ["id", "chrom", "start", "end", "strand", *(own.outputs if same else [])]
    mine, theirs = own.examples.iloc[rows][columns].assign(split="train"), other.examples[columns].assign(split="test")
    lengths = np.concatenate([_lengths(own)[rows], _lengths(other)])
    return dataclasses.replace(
        own,
        codes=np.concatenate([_padded(own.codes[rows], length), _padded(other.codes, length)]),
        examples=pd.concat([mine.assign(id="train:" + mine["id"]), theirs], ignore_index=True),
        outputs=own.outputs if same else [],
        classes=own.classes if same else None,
        lengths=None if (lengths == length).all() else lengths,
        tracks=None,
        signal=None,
        negatives=None,
        genome=None,
    )


def _lengths(data: SequenceData) -> Any:
    return np.full(len(data), data.length) if data.lengths is None else data.lengths


def _padded(codes: Codes, length: int) -> Codes:
    return np.pad(codes, ((0, 0), (0, length - codes.shape[1])), constant_values=PAD)


def check_unlabelled(metrics: dict[str, Any], checks: list[str]) -> None:
    """Raise `CheckFailed` if latents are ignored, or if what is written has collapsed or is copied."""
    if "collapsed" in checks and metrics["family"] == "autoencoder" and metrics["latent"]["collapsed"]:
        raise CheckFailed(
            f"{metrics['text'][0].upper()}{metrics['text'][1:]} A network that uses its latents gives back more than {LEAST_GAIN:.0%} of the bases "
            f"beyond that guess{_of_a_vae() if metrics['latent']['kl_bits'] is not None else ''}."
        )
    verdict = metrics.get("verdict") or {}
    for check in ("collapsed", "copies"):
        if check in checks and metrics["family"] == "generator" and verdict.get(check, True):
            raise CheckFailed(str(verdict["text"]))


def _of_a_vae() -> str:
    return f", from {LEAST_KL_BITS:g} bit a sequence or more, and at least {LEAST_SHARE:.0%} of what as many principal components do"
