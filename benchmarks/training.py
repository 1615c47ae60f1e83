"""How fast `fit` trains on the processor, beside a bare PyTorch loop of the same network, in one run.

    python benchmarks/training.py                      all cells, a few minutes
    python benchmarks/training.py --networks cnn --lengths 200
    python benchmarks/training.py --grelu PYTHON       also gReLU's loop, in an environment of its own that holds it

Each way is run in a process of its own, since what the C library does with memory is a property of the process; the ways take turns, and the
fastest of `--rounds` of `--repeats` counts, so that a busy machine changes little. All take the same examples and network, on one thread;
all but gReLU the same number of steps, with validations after as many of them, and AdamW under one cycle (in one kernel with `fit`, as torch
has it by default in the loops). gReLU has its own settings, and validates once a pass over the examples.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("SEQDL_QUIET", "1")

WAYS = {
    "bare": "bare PyTorch loop",
    "bare-kept": "bare PyTorch loop, memory kept",
    "tensors": "one-hot tensors in memory and a DataLoader (as in tangermeme's tutorials)",
    "grelu": "gReLU, `LightningModel.train_on_dataset`, its settings",
    "fit": "seqdl fit",
    "fit-given": "seqdl fit --give-memory-back",
    "fit-bf16": "seqdl fit --precision bf16",
}
STEPS = {("cnn", 200): 360, ("cnn", 1_000): 120, ("basset", 200): 180, ("basset", 1_000): 48}
BATCH = 64


def examples(length: int):
    """Return random examples, half of them positive."""
    from seqdl.experiment.doctor import planted_set

    return planted_set(n=1_500, length=length)


def task_of(network: str):
    import torch

    from seqdl.experiment.build import create_model, create_task

    torch.manual_seed(0)
    return create_task("binary", create_model(network))


def fit(network: str, length: int, steps: int, **options: object) -> Callable[[], int]:
    """Return a training by `fit`, which returns how many examples it showed, without calibration, which the other ways do not have."""
    from seqdl.experiment.fit import fit_task, training_options

    data, training = examples(length), training_options({"max_steps": steps, "batch_size": BATCH, "calibration": "none", **options})

    def run() -> int:
        with tempfile.TemporaryDirectory() as folder:
            fit_task(task_of(network), data, Path(folder), training=training, device="cpu")
        return steps * BATCH

    return run


def bare(network: str, length: int, steps: int, *, tensors: bool = False) -> Callable[[], int]:
    """Return a training by a loop of twenty lines."""
    import torch

    from seqdl.evaluate.metrics import auroc
    from seqdl.experiment.fit import plan_schedule
    from seqdl.experiment.training_config import TrainingConfig
    from seqdl.layers.onehot import one_hot

    data = examples(length)
    rows, held_out = data.rows("train"), data.rows("val")
    schedule = plan_schedule(TrainingConfig(max_steps=steps, batch_size=BATCH), len(rows), len(rows) // 2)
    codes, targets = torch.from_numpy(data.codes), torch.tensor(data.targets())
    x_val, truth = codes[held_out], targets[held_out]

    def batches():
        if not tensors:
            order = torch.from_numpy(rows)
            while True:
                for part in order[torch.randperm(len(order))].split(BATCH):
                    if len(part) == BATCH:
                        yield one_hot(codes[part]), targets[part]
        loader = torch.utils.data.DataLoader(
            torch.utils.data.TensorDataset(one_hot(codes[rows]), targets[rows]), batch_size=BATCH, shuffle=True, drop_last=True
        )
        while True:
            yield from loader

    def run() -> int:
        task = task_of(network)
        optimiser = torch.optim.AdamW(task.parameters(), lr=0.01, weight_decay=0.01)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.01, total_steps=schedule.steps, pct_start=0.25)
        source = batches()
        for _ in range(schedule.epochs):
            task.train()
            for _ in range(schedule.epoch_steps):
                x, y = next(source)
                optimiser.zero_grad()
                task.loss(task.logits(x), y).backward()
                torch.nn.utils.clip_grad_norm_(task.parameters(), 5.0)
                optimiser.step()
                cycle.step()
            with torch.no_grad():
                logits = task.eval().logits(one_hot(x_val))
            auroc(truth[:, 0].numpy(), logits[:, 0].numpy())
        return steps * BATCH

    return run


def grelu(network: str, length: int, steps: int) -> Callable[[], int]:
    """Return a training by gReLU of the same network, at its own settings but for batch size, epochs, clipping, and no loader processes."""
    import pandas as pd
    import torch
    from grelu.data.dataset import DFSeqDataset
    from grelu.lightning import LightningModel

    from seqdl.sequence.encode import decode

    data = examples(length)
    table = pd.DataFrame({"seq": [decode(codes) for codes in data.codes], "bound": data.targets()[:, 0]})
    train, held_out = (DFSeqDataset(table.iloc[data.rows(name)], seq_len=length) for name in ("train", "val"))

    epochs = max(1, round(steps * BATCH / len(train)))

    class Network(torch.nn.Module):
        """The network as gReLU takes one: one-hot (B, 4, L) -> logits (B, T, 1)."""

        def __init__(self) -> None:
            super().__init__()
            self.task = task_of(network)

        def forward(self, x):
            return self.task.logits(x)[..., None]

    def run() -> int:
        with tempfile.TemporaryDirectory() as folder:
            options = {"lr": 0.01, "batch_size": BATCH, "max_epochs": epochs, "clip": 5.0, "num_workers": 0, "save_dir": folder}
            model = LightningModel({"model_type": "ConvModel", "n_tasks": 1}, options)
            model.model = Network()
            model.train_on_dataset(train, held_out)
        return epochs * len(train)

    return run


def one(way: str, network: str, length: int, steps: int, repeats: int) -> float:
    """Return the sequences a CPU second of a way, in this process, where it was fastest."""
    import torch

    from seqdl.experiment.precision import kept_memory

    torch.set_num_threads(1)
    if way.startswith("fit"):
        options = {"fit-given": {"give_memory_back": True}, "fit-bf16": {"precision": "bf16"}}.get(way, {})
        run = fit(network, length, steps, **options)
    elif way == "grelu":
        run = grelu(network, length, steps)
    else:
        run = bare(network, length, steps, tensors=way == "tensors")
    rates = []
    with kept_memory(give_back=way != "bare-kept"):
        for _ in range(repeats):
            began = time.process_time()
            shown = run()
            rates.append(shown / (time.process_time() - began))
    return max(rates)


def in_process(python: str, way: str, network: str, length: int, steps: int, repeats: int) -> float:
    """Run one way in a fresh process."""
    words = [python, __file__, "--one", json.dumps([way, network, length, steps, repeats])]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])})
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["cnn", "basset"])
    parser.add_argument("--lengths", type=int, nargs="+", default=[200, 1_000])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--grelu", metavar="PYTHON", help="interpreter of an environment that holds gReLU; without it, its row is left out")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(one(*json.loads(options.one)))
        return
    options.ways = [way for way in options.ways if options.grelu or way != "grelu"]
    cells = [(network, length) for network in options.networks for length in options.lengths]
    found: dict[str, list[float]] = {way: [] for way in options.ways}
    for network, length in cells:
        steps, rates = STEPS.get((network, length), 60), dict.fromkeys(options.ways, 0.0)
        for _ in range(options.rounds):
            for way in options.ways:
                python = options.grelu if way == "grelu" else sys.executable
                rates[way] = max(rates[way], in_process(python, way, network, length, steps, options.repeats))
        for way in options.ways:
            found[way].append(rates[way])
    counts = ", ".join(str(STEPS.get(cell, 60)) for cell in cells)
    print(f"sequences a CPU second, one thread, batch {BATCH} ({counts} steps), and the ratio to the first\n")
    print("| | " + " | ".join(f"{network}, {length:,} bp | " for network, length in cells) + "|")
    print("|---" * (1 + 2 * len(cells)) + "|")
    for way in options.ways:
        cells_of = [f"{rate:,.0f} | {rate / first:.2f}" for rate, first in zip(found[way], found[options.ways[0]], strict=True)]
        print(f"| {WAYS[way]} | {' | '.join(cells_of)} |", flush=True)


if __name__ == "__main__":
    main()
