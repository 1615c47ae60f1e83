"""What an autoencoder gives back of sequences of its own and of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from seqdl.errors import InputError, UnknownNameError
from seqdl.experiment.autoencoder import back_from
from seqdl.experiment.embed import packed
from seqdl.io.fasta import iter_fasta, read_fasta
from seqdl.tasks.reconstruction import Reconstruction
from seqdl.types import PAD, Codes

if TYPE_CHECKING:
    from seqdl.tasks.base import Task


def reconstruct_fasta(task: Task, path: str) -> tuple[pd.DataFrame, Codes]:
    """Return a score a sequence, and the sequences as they are given back.

    Returns
    -------
    table : DataFrame
        id, n_bases, accuracy, bits_per_base: high where a sequence is unlike those of training.
    back : Codes, (N, L)

    Raises
    ------
    InputError
        If the task is no autoencoder, or a sequence has another length than it was made for.
    """
    made = _autoencoder(task)
    tables, found = [], []
    for piece in iter_fasta(path):
        codes, _ = packed(task, piece, path)
        back, bits = back_from(made, codes)
        known = codes < PAD
        n = known.sum(axis=1)
        each = np.maximum(n, 1)
        right = ((back == codes) & known).sum(axis=1)
        names = [record.name for record in piece]
        tables.append(pd.DataFrame({"id": names, "n_bases": n, "accuracy": right / each, "bits_per_base": bits.sum(axis=1) / each}))
        found.append(back)
    return pd.concat(tables, ignore_index=True), np.concatenate(found)


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
