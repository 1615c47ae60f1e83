"""Recurrent networks: what a training step costs beside a bare PyTorch loop, and where they are best read.

    python benchmarks/recurrent.py step                        batches of 64, 64 units in both directions, one thread
    python benchmarks/recurrent.py step --hidden 128 --lengths 60 200
    python benchmarks/recurrent.py readouts --model lstm       splice junctions: accuracy on validation folds

step: both draw the same number of random sequences a step, read them with one LSTM, pool the maximum and score it; the bare
loop is given float one-hot that was made before, does not clip, schedule, log or validate, and packs sequences of different
lengths. Times are CPU milliseconds from the beginning of one step to that of the next, the lower quartile over the steps of a
short training, since what else a machine does makes steps longer and never shorter. The two take turns; the ratio is the
median over the rounds.

readouts: the UCI splice junctions of the development data at ../shared/data, or where SEQDL_DATA points; copies stay in one
fold, and the test folds are not looked at.
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqdl.data.dataset import SequenceData
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.config import make_config
from seqdl.experiment.fit import Fitting, fit_task, training_options
from seqdl.experiment.predict import data_logits
from seqdl.experiment.train import make_plan
from seqdl.layers.onehot import one_hot

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
BATCH, N_TRAIN, N_VAL = 64, 3_200, 64
STEPS = 60
"""Of each training that is timed."""


@dataclass(frozen=True)
class Size:
    """Of the network and its sequences."""

    hidden: int
    length: int
    ragged: bool


class Bare(nn.Module):
    """An LSTM in both directions, the maximum over its states, one logit."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, hidden, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(2 * hidden, 1)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return logits (B, 1) for one-hot (B, L, 4)."""
        if lengths is None:
            return self.dense(self.lstm(x)[0].max(1).values)
        packed = self.lstm(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))[0]
        return self.dense(pad_packed_sequence(packed, batch_first=True, padding_value=float("-inf"))[0].max(1).values)


def sequences(size: Size) -> SequenceData:
    """Return random sequences with random labels."""
    rng = np.random.default_rng(0)
    n = N_TRAIN + N_VAL
    lengths = rng.integers(size.length // 2, size.length + 1, n) if size.ragged else np.full(n, size.length)
    codes = [rng.integers(0, 4, length).astype(np.uint8) for length in lengths]
    target = np.arange(n) % 2
    return SequenceData.from_sequences(codes, target.astype(float), ["train"] * N_TRAIN + ["val"] * N_VAL, names=[str(i) for i in range(n)])


class Clock(pl.Callback):
    """Notes the CPU time at the beginning of every step."""

    def __init__(self) -> None:
        self.began: list[float] = []

    def on_train_batch_start(self, *_: Any) -> None:
        """Note it."""
        self.began.append(time.process_time())


def bare_loop(data: SequenceData, size: Size) -> list[float]:
    """Train without anything of ours, and return when each step began (CPU seconds)."""
    model = Bare(size.hidden)
    optimiser = torch.optim.AdamW(model.parameters())
    x = one_hot(torch.from_numpy(data.codes[:N_TRAIN])).transpose(1, 2).contiguous()
    y = torch.tensor(data.targets("train"))
    lengths = None if data.lengths is None else torch.from_numpy(data.lengths[:N_TRAIN])
    began = []
    for _ in range(STEPS):
        began.append(time.process_time())
        rows = torch.randint(N_TRAIN, (BATCH,))
        optimiser.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x[rows], None if lengths is None else lengths[rows]), y[rows])
        loss.backward()
        optimiser.step()
    return began


def our_loop(data: SequenceData, size: Size) -> list[float]:
    """Train the task, and return when each step began (CPU seconds)."""
    encoder = create_model("lstm", filters=0, hidden=size.hidden, dropout=0.0)
    task = create_task("binary", encoder, pooling="max", hidden=0, dropout=0.0, strands="single")
    clock, training = Clock(), training_options({"max_steps": STEPS, "batch_size": BATCH})
    with tempfile.TemporaryDirectory() as folder:
        Fitting(task, data, Path(folder), training, device="cpu", callbacks=[clock]).run()
    return clock.began


def step_ms(loop: Callable[[SequenceData, Size], list[float]], data: SequenceData, size: Size) -> float:
    """Return the CPU milliseconds of a step."""
    return float(np.quantile(np.diff(loop(data, size)), 0.25)) * 1e3


def compare_steps(options: argparse.Namespace) -> None:
    """Print what a step costs, with and without us."""
    print(f"{'':24}{'bare':>10}{'task':>10}{'ratio':>8}   lowest and highest", flush=True)
    for length in options.lengths:
        for ragged in (False, True):
            size = Size(options.hidden, length, ragged)
            data = sequences(size)
            our_loop(data, size)  # imports and first calls
            rounds = [(step_ms(bare_loop, data, size), step_ms(our_loop, data, size)) for _ in range(options.rounds)]
            bare, ours = (statistics.median(times) for times in zip(*rounds, strict=True))
            ratios = sorted(b / a for a, b in rounds)
            name = f"{length // 2}-{length} bp, padded" if ragged else f"{length} bp"
            print(f"{name:24}{bare:10.1f}{ours:10.1f}{statistics.median(ratios):8.2f}   {ratios[0]:.2f}-{ratios[-1]:.2f}", flush=True)


def write_splice(path: Path) -> None:
    """Write the splice junctions as a table."""
    with gzip.open(DATA / "uci_splice" / "splice.data.gz", "rt", encoding="utf-8") as lines:
        rows = [[part.strip() for part in line.split(",")] for line in lines if line.strip()]
    pd.DataFrame(rows, columns=["class", "name", "sequence"]).to_csv(path, index=False)


def validation_accuracy(options: argparse.Namespace, table: Path, pooling: str, *, fold: int) -> float:
    """Train on eight of ten folds, and return the accuracy on the ninth."""
    config = make_config(
        {
            "data": {"table": str(table), "target_columns": ["class"], "id_column": "name", "fold": fold, "n_folds": 10},
            "model": {"name": options.model},
            "task": {"name": "multiclass", "pooling": pooling},
            "training": {"max_steps": options.steps},
            "device": "cpu",
        }
    )
    plan = make_plan(config)
    with tempfile.TemporaryDirectory() as folder:
        fit_task(plan.task, plan.data, Path(folder), training=plan.config.training, device="cpu")
    rows = plan.data.rows("val")
    return float((data_logits(plan.task, plan.data, rows, device="cpu").argmax(1) == plan.data.targets("val")[:, 0]).mean())


def compare_readouts(options: argparse.Namespace) -> None:
    """Print how well each readout does."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "splice.csv"
        write_splice(table)
        for pooling in options.readouts:
            began = time.process_time()
            found = [validation_accuracy(options, table, pooling, fold=fold) for fold in options.folds]
            spent = (time.process_time() - began) / len(found)
            print(f"{options.model} {pooling:12}{np.mean(found):.3f}   {min(found):.3f}-{max(found):.3f}   {spent:.0f} CPU s a fold", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("step", "readouts"))
    parser.add_argument("--hidden", type=int, default=64, help="step: units in either direction")
    parser.add_argument("--lengths", type=int, nargs="+", default=[60, 200], help="step: bases of a sequence")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="lstm")
    parser.add_argument("--readouts", nargs="+", default=["last", "centre", "attention", "flatten", "max", "mean"])
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 4, 8])
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    torch.set_num_threads(1)
    {"step": compare_steps, "readouts": compare_readouts}[options.what](options)


if __name__ == "__main__":
    main()
