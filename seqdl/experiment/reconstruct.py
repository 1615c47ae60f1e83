"""What an autoencoder gives back of sequences of its own and of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from seqdl.errors import InputError, UnknownNameError
from seqdl.experiment.autoencoder import back_from
from seqdl.experiment.embed import check_length, packed
from seqdl.experiment.given import Given, read_sequences
from seqdl.io.fasta import iter_fasta, read_fasta
from seqdl.tasks.reconstruction import Reconstruction
from seqdl.types import PAD, Codes

if TYPE_CHECKING:
    from seqdl.tasks.base import Task


@dataclass(frozen=True, eq=False)
class GivenBack:
    """What an autoencoder gives back of sequences.

    Attributes
    ----------
    codes : Codes, (N, L)
        The likeliest bases.
    table : DataFrame, N rows
        id, n_bases, accuracy (share of its bases that are given back), bits_per_base: high where a sequence is unlike those of training.
    """

    codes: Codes
    table: pd.DataFrame

    @property
    def share(self) -> float:
        """The share of all known bases that are given back."""
        n = self.table["n_bases"]
        return float((self.table["accuracy"] * n).sum() / n.sum())


def reconstruct_fasta(task: Task, path: str) -> GivenBack:
    """Return what is given back of the sequences of a FASTA.

    Raises
    ------
    InputError
        If the task is no autoencoder, or a sequence has another length than it was made for.
    """
    made = _autoencoder(task)
    parts = [_given_back(made, [record.name for record in piece], packed(task, piece, path)[0]) for piece in iter_fasta(path)]
    return GivenBack(np.concatenate([part.codes for part in parts]), pd.concat([part.table for part in parts], ignore_index=True))


def reconstruct_sequences(task: Task, sequences: Given) -> GivenBack:
    """Return what is given back of sequences in any of the forms that `read_sequences` takes; see `reconstruct_fasta`."""
    made = _autoencoder(task)
    names, some = read_sequences(sequences)
    check_length(task, names, some, where="the sequences")
    return _given_back(made, names, some.codes)


def _given_back(task: Reconstruction, names: list[str], codes: Codes) -> GivenBack:
    back, bits = back_from(task, codes)
    known = codes < PAD
    n = known.sum(axis=1)
    each = np.maximum(n, 1)
    right = ((back == codes) & known).sum(axis=1)
    return GivenBack(back, pd.DataFrame({"id": names, "n_bases": n, "accuracy": right / each, "bits_per_base": bits.sum(axis=1) / each}))


@torch.inference_mode()
def between(task: Task, path: str, ends: list[str], *, steps: int) -> tuple[list[str], Codes]:
    """Return the sequences on the straight line between the latents of two.

    Parameters
    ----------
    task : Task
    path : str
        FASTA that holds both.
    ends : list of two str
        Their names.
    steps : int
        Sequences on the way, both ends included.

    Raises
    ------
    InputError
        If there are fewer than two steps, or the task is no autoencoder.
    UnknownNameError
        If there is no sequence of that name.
    """
    made = _autoencoder(task)
    if steps < 2:
        raise InputError(f"--steps is {steps}: 2 or more were expected, since both ends are among them.")
    records = {record.name: record for record in read_fasta(path)}
    for name in ends:
        if name not in records:
            raise UnknownNameError(f"sequence in {path}", name, list(records))
    codes, _ = packed(task, [records[name] for name in ends], path)
    first, last = made.eval().embed(made.one_hot(torch.from_numpy(codes)))
    way = torch.linspace(0, 1, steps).unsqueeze(1)
    found: Codes = made.decode(first + way * (last - first)).argmax(1).to(torch.uint8).numpy()
    return [f"{ends[0]}_to_{ends[1]}_{k}" for k in range(steps)], found


def _autoencoder(task: Task) -> Reconstruction:
    if not isinstance(task, Reconstruction):
        raise InputError(
            f"the task {type(task).__name__} gives no sequence back: an autoencoder or a VAE was expected. Train one with --task autoencoder."
        )
    return task
