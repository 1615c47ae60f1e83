"""From sequences to predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.experiment.fit import accelerator
from seqdl.progress import track
from seqdl.types import Codes, Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.tasks.base import Task


@torch.inference_mode()
def predict_logits(task: Task, codes: Codes, *, lengths: Ints | None = None, batch_size: int = 512, device: str = "auto") -> Floats:
    """Return the logits of sequences.

    Parameters
    ----------
    task : Task
    codes : Codes, (N, L)
    lengths : int array (N,), optional
        True lengths of sequences that are padded at their end.
    batch_size : int, default 512
    device : str, default "auto"

    Returns
    -------
    array, (N, T), float32

    Raises
    ------
    InputError
        If a batch gives another number of rows than it has.
    """
    place = torch.device(device_name(device))
    task.to(place).eval()
    parts = []
    starts = range(0, len(codes), batch_size)
    for start in track(starts, "predicting"):
        chunk = torch.from_numpy(np.ascontiguousarray(codes[start : start + batch_size])).to(place)
        size = None if lengths is None else torch.from_numpy(lengths[start : start + batch_size]).to(place)
        parts.append(task.logits(task.one_hot(chunk, size), size).float().cpu().numpy())
    task.to("cpu")
    logits = np.concatenate(parts) if parts else np.empty((0, len(task.outputs)), dtype=np.float32)
    if len(logits) != len(codes):
        raise InputError(f"{len(codes):,} sequences gave {len(logits):,} predictions: one each was expected. The encoder changes the batch.")
    return logits


def device_name(device: str) -> str:
    """Return cpu, cuda or mps for a device that may be `auto`.

    Examples
    --------
    >>> device_name("cpu")
    'cpu'
    """
    kind = accelerator(device)
    if kind != "auto":
        return {"gpu": "cuda"}.get(kind, kind)
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def linked(task: Task, logits: Floats) -> Floats:
    """Return predictions (N, T) for logits (N, T), in float64 so that none rounds to 0 or 1 early."""
    return task.link(torch.from_numpy(np.asarray(logits, dtype=np.float64))).numpy()


def prediction_columns(task: Task, logits: Floats, targets: Floats | None = None) -> dict[str, NDArray[Any]]:
    """Return the columns target, prediction and logit, with the output's name behind them where there are several.

    Of classes that exclude each other, target and prediction are names; the probability of each stands in prediction_NAME.
    """
    predictions = linked(task, logits)
    columns: dict[str, NDArray[Any]] = {}
    if task.exclusive:
        names = np.array(task.outputs, dtype=object)
        if targets is not None:
            columns["target"] = names[targets[:, 0].astype(np.int64)]
        columns["prediction"] = names[predictions.argmax(axis=1)]
        targets = None
    for t, output in enumerate(task.outputs):
        suffix = f"_{output}" if len(task.outputs) > 1 else ""
        if targets is not None:
            columns["target" + suffix] = targets[:, t]
        columns["prediction" + suffix] = predictions[:, t]
        columns["logit" + suffix] = logits[:, t]
    return columns


def prediction_table(task: Task, data: SequenceData, *, device: str = "auto") -> pd.DataFrame:
    """Return predictions for what was held out, validation and test: id, split, target, prediction, logit.

    Parameters
    ----------
    task : Task
    data : SequenceData
    device : str, default "auto"
    """
    import pandas as pd

    rows = data.held_out_rows()
    lengths = None if data.lengths is None else data.lengths[rows]
    logits = predict_logits(task, data.codes[rows], lengths=lengths, device=device)
    columns = prediction_columns(task, logits, data.targets()[rows])
    held_out = data.examples.iloc[rows]
    return pd.DataFrame({"id": held_out["id"].to_numpy(), "split": held_out["split"].to_numpy(), **columns}, index=rows)
