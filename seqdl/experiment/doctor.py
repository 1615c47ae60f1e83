"""Is this installation fit: versions, devices, and a short training with a known answer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from seqdl.data.dataset import SequenceData
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.evaluate import evaluate_predictions
from seqdl.experiment.fit import fit_task
from seqdl.experiment.predict import prediction_table
from seqdl.experiment.provenance import library_versions
from seqdl.experiment.training_config import TrainingConfig
from seqdl.experiment.yardstick import yardstick
from seqdl.sequence.encode import encode

SITE = "TTACCCGGCA"
LEAST_AUROC = 0.95


def devices() -> dict[str, str]:
    """Return the devices torch can use, in words."""
    import torch

    found = {"cpu": f"{torch.get_num_threads()} threads"}
    if torch.cuda.is_available():
        found["cuda"] = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    if torch.backends.mps.is_available():
        found["mps"] = "available"
    return found


def planted_set(seed: int = 0, n: int = 1_200, length: int = 100) -> SequenceData:
    """Return random sequences, half of them with one site planted on either strand."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length), dtype=np.uint8)
    target = np.arange(n) % 2
    site = encode(SITE)
    for row in np.flatnonzero(target == 1):
        start = rng.integers(0, length - len(site))
        codes[row, start : start + len(site)] = site if rng.random() < 0.5 else 3 - site[::-1]
    split = np.where(np.arange(n) % 10 < 6, "train", np.where(np.arange(n) % 10 < 8, "val", "test"))
    return SequenceData.from_sequences(list(codes), target.astype(np.float64), list(split), names=[f"s{i}" for i in range(n)])


def check_training(device: str = "auto", seed: int = 0) -> float:
    """Train a small network on a planted motif and return its test AUROC, which should be near 1."""
    import torch

    data = planted_set(seed)
    torch.manual_seed(seed)
    task = create_task("binary", create_model("cnn", filters=16))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "checkpoints").mkdir()
        fit_task(task, data, Path(folder), training=TrainingConfig(max_steps=300), seed=seed, device=device)
    found = evaluate_predictions(prediction_table(task, data, device=device), yardstick("binary"), seed=seed)
    return float(found["test"]["auroc"]["value"])


def examine(device: str = "auto", seed: int = 0) -> dict[str, Any]:
    """Return versions, devices, the AUROC of the short training, and whether it passed."""
    auroc = check_training(device, seed)
    return {"versions": library_versions(), "devices": devices(), "auroc": auroc, "passed": auroc >= LEAST_AUROC}
