"""From sequences to predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.experiment.fit import accelerator
from seqdl.experiment.spread import spread_columns
from seqdl.experiment.team import ALONE, Team
from seqdl.progress import track
from seqdl.types import Codes, Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.tasks.base import Task

WINDOWS_AT_ONCE = 4_096
"""Windows whose predictions along the sequence are brought to float64 at a time."""


@torch.inference_mode()
def predict_logits(
    task: Task,
    codes: Codes,
    *,
    lengths: Ints | None = None,
    signal: Floats | None = None,
    batch_size: int = 512,
    device: str = "auto",
    team: Team = ALONE,
) -> Floats:
    """Return the logits of sequences.

    Parameters
    ----------
    task : Task
    codes : Codes, (N, L)
    lengths : int array (N,), optional
        True lengths of sequences that are padded at their end.
    signal : array (N, C, L), optional
        Measured tracks, of a network that reads them.
    batch_size : int, default 512
    device : str, default "auto"
    team : Team, optional
        The processes that share the batches out, all of which call this with the same sequences; each gets all the logits.

    Returns
    -------
    array, (N, T), or (N, T, L) of a task per base, float32

    Raises
    ------
    InputError
        If a batch gives another number of rows than it has.
    """
    team.assemble(device_name(device))
    place = torch.device(device_name(device))  # of several GPUs the one that the team gave this process
    task.to(place).eval()
    parts = []
    starts = team.share(range(0, len(codes), batch_size))  # whole batches, so that each is what it would be in one process
    for start in track(starts, "predicting") if team.leads else starts:
        chunk = torch.from_numpy(np.ascontiguousarray(codes[start : start + batch_size])).to(place)
        size = None if lengths is None else torch.from_numpy(lengths[start : start + batch_size]).to(place)
        x = task.one_hot(chunk, size)
        if signal is not None:
            x = torch.cat([x, torch.from_numpy(np.ascontiguousarray(signal[start : start + batch_size])).to(x)], dim=1)
        parts.append(task.logits(x, size).float().cpu().numpy())
    task.to("cpu")
    parts = team.gather(parts)
    logits = np.concatenate(parts) if parts else np.empty((0, len(task.outputs)), dtype=np.float32)
    if len(logits) != len(codes):
        raise InputError(f"{len(codes):,} sequences gave {len(logits):,} predictions: one each was expected. The encoder changes the batch.")
    return logits


def data_logits(task: Task, data: SequenceData, rows: Ints, *, device: str = "auto", team: Team = ALONE) -> Floats:
    """Return the logits of some rows of a data set, with whatever a network reads of them."""
    lengths = None if data.lengths is None else data.lengths[rows]
    signal = None if data.signal is None else data.signal[rows]
    return predict_logits(task, data.codes[rows], lengths=lengths, signal=signal, device=device, team=team)


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


def linked_along(task: Task, logits: Floats, *, lengths: Ints | None = None) -> Floats:
    """Return predictions for logits (N, T, L) of a task per base, float32 and of the same shape; NaN in the padding."""
    found = np.empty(logits.shape, dtype=np.float32)
    for start in range(0, len(logits), WINDOWS_AT_ONCE):
        rows = slice(start, start + WINDOWS_AT_ONCE)
        found[rows] = linked(task, logits[rows])
    if lengths is not None:
        found[np.broadcast_to((np.arange(logits.shape[2]) >= lengths[:, None])[:, None], found.shape)] = np.nan
    return found


def summed_up(task: Task, logits: Floats, lengths: Ints | None = None) -> tuple[Floats, Floats]:
    """Return predictions and logits (N, T): of a task per base what stands for the whole window."""
    if logits.ndim == 2:
        return linked(task, logits), logits
    with torch.inference_mode():
        parts = [task.summary(torch.from_numpy(logits[start : start + WINDOWS_AT_ONCE])) for start in range(0, len(logits), WINDOWS_AT_ONCE)]
    whole = torch.cat(parts).numpy() if parts else np.empty((0, len(task.outputs)), dtype=np.float32)
    return task.pool(linked_along(task, logits, lengths=lengths)), whole


def prediction_columns(task: Task, logits: Floats, targets: Floats | None = None, *, lengths: Ints | None = None) -> dict[str, NDArray[Any]]:
    """Return the columns target, prediction and logit, with the output's name behind them where there are several.

    Of classes that exclude each other, target and prediction are names; the probability of each stands in prediction_NAME. Of a task
    per base, logits are (N, T, L) and the columns sum each window up.
    """
    predictions, logits = summed_up(task, logits, lengths)
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


def prediction_table(task: Task, data: SequenceData, *, device: str = "auto", team: Team = ALONE) -> pd.DataFrame:
    """Return predictions for what was held out, validation and test: id, split, target, prediction, logit; of an ensemble logit_sd too.

    Parameters
    ----------
    task : Task
    data : SequenceData
    device : str, default "auto"
    team : Team, optional
        The processes that predict together.
    """
    rows = data.held_out_rows()
    logits = data_logits(task, data, rows, device=device, team=team)
    return held_out_table(task, data, logits).assign(**spread_columns(task, data, rows, device=device, team=team))


def held_out_table(task: Task, data: SequenceData, logits: Floats) -> pd.DataFrame:
    """Return the table of predictions for the logits of what was held out."""
    import pandas as pd

    rows = data.held_out_rows()
    lengths = None if data.lengths is None else data.lengths[rows]
    columns = prediction_columns(task, logits, data.targets()[rows], lengths=lengths)
    held_out = data.examples.iloc[rows]
    return pd.DataFrame({"id": held_out["id"].to_numpy(), "split": held_out["split"].to_numpy(), **columns}, index=rows)
