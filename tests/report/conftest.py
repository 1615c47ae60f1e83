"""A run folder with plausible numbers, written without training anything."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from seqdl.evaluate.bootstrap import with_intervals
from seqdl.io.meme import write_meme
from seqdl.motif.motif import Motif
from seqdl.plot.logos import save_logo

CHROMOSOMES = {"train": ["chrI", "chrIII", "chrVI", "chrVII", "chrX", "chrXII", "chrXV"], "val": ["chrV"], "test": ["chrII", "chrIV"]}
SIZES = {"train": (2100, 4200), "val": (260, 520), "test": (500, 1000)}
LENGTH = 200
IDS = {"REB1": "MA0363.1", "ABF1": "MA0265.1", "CBF1": "MA0281.1", "RAP1": "MA0359.1"}
SITES = {"REB1": "TTACCCGG", "ABF1": "CGTNNNNNATGA", "CBF1": "TCACGTGA", "RAP1": "CACCCATACA"}


def write_run(folder: Path, *, separation: float = 2.9, n_motifs: int = 20, seed: int = 0) -> Path:
    """Write a run folder as `seqdl train` would for peaks of Reb1; `separation` is how far the classes lie apart, in logits."""
    rng = np.random.default_rng(seed)
    for name in ("data", "checkpoints", "motifs/logos", "attributions"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    examples = _examples(rng)
    examples.to_csv(folder / "data/examples.tsv", sep="\t", index=False)
    _dropped(rng).to_csv(folder / "data/dropped.tsv", sep="\t", index=False)
    predictions = _predictions(examples, separation, rng)
    predictions.to_csv(folder / "predictions.tsv", sep="\t", index=False, float_format="%.9g")
    (folder / "metrics.json").write_text(json.dumps(_metrics(predictions, rng), indent=2))
    _log(rng).to_csv(folder / "log.csv", index=False)
    (folder / "audit.json").write_text(json.dumps(_audit(), indent=2))
    _write_motifs(folder, n_motifs, rng)
    _write_tracks(folder, predictions, rng)
    (folder / "config.yaml").write_text(yaml.safe_dump(_config(), sort_keys=False))
    (folder / "manifest.json").write_text(json.dumps(_manifest(), indent=2))
    return folder


def _examples(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for split, (positives, negatives) in SIZES.items():
        for target, n in ((1, positives), (0, negatives)):
            for i in range(n):
                start = int(rng.integers(1000, 800_000))
                rows.append(
                    (
                        f"{'peak' if target else 'background'}_{split}_{i}",
                        str(rng.choice(CHROMOSOMES[split])),
                        start,
                        start + LENGTH,
                        ".",
                        target,
                        split,
                    )
                )
    return pd.DataFrame(rows, columns=["id", "chrom", "start", "end", "strand", "target", "split"])


def _dropped(rng: np.random.Generator) -> pd.DataFrame:
    reasons = ["reaches past the chromosome end"] * 9 + ["contains an unknown base (N)"] * 14 + ["same interval as another example"] * 4
    starts = rng.integers(0, 1_000_000, len(reasons))
    rows = [
        (f"peak_{i}", "chrM" if i < 9 else "chrXII", int(start), int(start) + LENGTH, reason, "reb1.bed")
        for i, (reason, start) in enumerate(zip(reasons, starts, strict=True))
    ]
    return pd.DataFrame(rows, columns=["id", "chrom", "start", "end", "reason", "source"])


def _predictions(examples: pd.DataFrame, separation: float, rng: np.random.Generator) -> pd.DataFrame:
    table = examples.loc[examples["split"] != "train", ["id", "split", "target"]].reset_index(drop=True)
    target = table["target"].to_numpy()
    logit = rng.normal(separation * (target - 0.62), 1.35)
    flat = rng.random(len(target)) < 0.12  # peaks without a site, as there always are
    logit = np.where(flat & (target == 1), rng.normal(-1.6, 0.9, len(target)), logit)
    return table.assign(prediction=1 / (1 + np.exp(-logit)), logit=logit)


def _metrics(predictions: pd.DataFrame, rng: np.random.Generator) -> dict[str, object]:
    found: dict[str, object] = {"task": "binary", "outputs": ["Reb1"]}
    for split in ("val", "test"):
        rows = predictions[predictions["split"] == split]
        found[split] = with_intervals(rows["target"], rows["prediction"], n_resamples=200)
    test = predictions[predictions["split"] == "test"]
    found["test_leak_free"] = with_intervals(test["target"], test["prediction"], n_resamples=200, seed=1)
    found["n"] = {split: {"positives": positives, "negatives": negatives} for split, (positives, negatives) in SIZES.items()}
    baselines = {}
    for name, strength, detail in (
        ("gc", 0.02, "GC content, logistic regression"),
        ("kmer", 1.05, "6-mers (canonical), logistic regression"),
        ("pwm", 1.45, "best known motif MA0363.1 REB1, chosen on the training set"),
    ):
        score = rng.normal(strength * test["target"], 1.0)
        baselines[name] = {**with_intervals(test["target"], score, n_resamples=200, metrics=["auroc", "auprc"]), "detail": detail}
    found["baselines"] = baselines
    return found


def _log(rng: np.random.Generator) -> pd.DataFrame:
    epoch = np.arange(15)
    train = 0.28 + 0.42 * np.exp(-epoch / 3.2) + rng.normal(0, 0.006, 15)
    val = 0.36 + 0.33 * np.exp(-epoch / 2.6) + 0.0022 * np.maximum(0, epoch - 9) ** 2 + rng.normal(0, 0.007, 15)
    auroc = 0.915 - 0.3 * np.exp(-epoch / 2.4) - 0.0012 * np.maximum(0, epoch - 10) ** 2 + rng.normal(0, 0.004, 15)
    rate = 0.005 * np.sin(np.pi * (epoch + 0.8) / 16)
    return pd.DataFrame(
        {"epoch": epoch, "step": (epoch + 1) * 99, "train_loss": train, "val_loss": val, "val_auroc": auroc, "lr": rate, "seconds": (epoch + 1) * 2.9}
    )


def _audit() -> dict[str, object]:
    def row(n: int, exact: int, near: int) -> dict[str, object]:
        counts = {"exact": exact, "reverse_complement": 0, "near_copy": near, "overlap": 0, "leaky": exact + near}
        return {"n": n} | {f"n_{kind}": k for kind, k in counts.items()} | {f"{kind}_rate": k / n for kind, k in counts.items()}

    def shortcut(name: str, auroc: float, positive: float, negative: float) -> dict[str, object]:
        return {
            "name": name,
            "auroc": auroc,
            "low": auroc - 0.03,
            "high": auroc + 0.03,
            "is_shortcut": False,
            "positive_mean": positive,
            "negative_mean": negative,
        }

    return {
        "n": {split: {"positives": p, "negatives": n} for split, (p, n) in SIZES.items()},
        "leakage": {"val": row(780, 0, 0), "test": row(1500, 3, 6)},
        "leak": True,
        "shortcuts": [shortcut("gc", 0.507, 0.394, 0.392), shortcut("length", 0.5, 200, 200), shortcut("n_content", 0.5, 0, 0)],
        "shortcut": False,
        "n_contradictions": 0,
        "dropped": {"contains an unknown base (N)": 14, "reaches past the chromosome end": 9, "same interval as another example": 4},
        "notes": ["peaks.bed: 12 names occur more than once; made unique"],
        "verdict": [
            "Leak: 9 of the 1,500 test sequences (0.6 %) are also in the training set (3 exact copies, "
            "6 near-copies (80 % or more of the 24-mers)), so test scores will be too high.",
            "No shortcut: alone, none of these separates the classes (AUROC on the test set: "
            "GC content 0.51, length 0.50, N content 0.50; 0.5 is chance, above 0.6 suspicious).",
        ],
    }


def _pfm(word: str, sharpness: float, rng: np.random.Generator, width: int = 15) -> np.ndarray:
    """Return counts of a motif with `word` somewhere inside; the lower the sharpness, the vaguer."""
    offset = int(rng.integers(0, width - len(word) + 1))
    columns = []
    for i in range(width):
        letter = word[i - offset] if 0 <= i - offset < len(word) else "N"
        weight = np.ones(4)
        if letter != "N":
            weight["ACGT".index(letter)] += sharpness
        columns.append(rng.multinomial(100, rng.dirichlet(weight * 6)))
    return np.array(columns, dtype=float).T


def _write_motifs(folder: Path, n: int, rng: np.random.Generator) -> None:
    motifs, rows = [], []
    for i in range(n):
        name = list(SITES)[0 if i < 3 else i % len(SITES)]
        known = i < 9
        word = SITES[name] if known else "".join(rng.choice(list("ACGT"), 7))
        motif = Motif(f"filter{(i * 7) % 64}", _pfm(word, 22 if i < 9 else float(rng.uniform(0.8, 3)), rng))
        strand = "-" if i % 3 == 1 else "+"
        motif = motif.reverse_complement() if strand == "-" else motif
        p = 10.0 ** -(11 - i) if known else float(rng.uniform(0.001, 0.2))
        unnamed = i % 5 == 4 and not known
        rows.append(
            {
                "name": motif.name,
                "n_sites": 100 if i else 87,
                "information_bits": motif.information_bits,
                "consensus": motif.consensus,
                "importance": 0.081 * np.exp(-i / 2.4) - 0.0004,
                "match": "" if unnamed else f"{IDS[name]} {name}",
                "match_p": "" if unnamed else p,
                "match_q": "" if unnamed else min(1.0, 40 * p),
                "offset": "" if unnamed else int(rng.integers(-3, 4)),
                "strand": "" if unnamed else strand,
                "direction": -1 if i in (6, 13) else 1,
                "position": 0.0,
            }
        )
        motifs.append(motif)
        save_logo(motif, folder / f"motifs/logos/{motif.name}.svg", force=True)
    write_meme(folder / "motifs/motifs.meme", motifs, force=True)
    pd.DataFrame(rows).to_csv(folder / "motifs/motifs.tsv", sep="\t", index=False)


def _write_tracks(folder: Path, predictions: pd.DataFrame, rng: np.random.Generator) -> None:
    test = predictions[predictions["split"] == "test"].sort_values("prediction", ascending=False)
    positives, negatives = test[test["target"] == 1], test[test["target"] == 0]
    chosen = pd.concat([positives.head(4), negatives.head(1), positives.tail(1)])
    codes = rng.integers(0, 4, (len(chosen), LENGTH)).astype(np.uint8)
    scores = np.zeros((len(chosen), 4, LENGTH), dtype=np.float32)
    for row in range(len(chosen)):
        weight = rng.normal(0, 0.012, LENGTH)
        for _ in range(2 if row < 4 else 1):
            site = np.array(["ACGT".index(letter) for letter in SITES["REB1"]], dtype=np.uint8)
            start = int(rng.integers(60, 130))
            codes[row, start : start + 8] = site
            weight[start : start + 8] = rng.uniform(0.25, 0.6, 8) * (1 if row < 5 else 0.3)
        scores[row, codes[row], np.arange(LENGTH)] = weight
    np.savez_compressed(
        folder / "attributions/examples.npz",
        id=chosen["id"].to_numpy(dtype=str),
        codes=codes,
        attributions=scores,
        prediction=chosen["prediction"].to_numpy(),
        target=chosen["target"].to_numpy(),
        method=np.array("deeplift"),
    )


def _config() -> dict[str, object]:
    return {
        "data": {
            "genome": "/data/sacCer3.fa.gz",
            "peaks": "/data/reb1.bed",
            "negatives": "gc",
            "ratio": 2,
            "window": LENGTH,
            "center": "summit",
            "split": "chromosome",
            "strands": "shared",
        },
        "model": {"name": "cnn", "filters": 64, "width": 15, "dropout": 0.1},
        "task": {"name": "binary", "pooling": "max"},
        "training": {"max_epochs": 20, "batch_size": 64, "lr": 0.005, "patience": 8},
        "seed": 0,
        "device": "auto",
        "database": "/data/yeast.meme.gz",
    }


def _manifest() -> dict[str, object]:
    def entry(text: str) -> dict[str, str]:
        return {"sha256": hashlib.sha256(text.encode()).hexdigest()}

    return {
        "inputs": {"/data/sacCer3.fa.gz": entry("genome"), "/data/reb1.bed": entry("peaks"), "/data/yeast.meme.gz": entry("motifs")},
        "outputs": {"report.html": entry("page"), "log.csv": entry("log")},
        "versions": {"seqdl": "0.1.0", "python": "3.12.4", "torch": "2.5.1", "pytorch-lightning": "2.4.0", "numpy": "2.1.3"},
        "command": ["seqdl", "train", "--genome", "sacCer3.fa.gz", "--peaks", "reb1.bed", "--database", "yeast.meme.gz", "-o", "runs/reb1"],
        "seed": 0,
        "device": "cpu",
        "seconds": 71.4,
    }


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a complete run folder; read only."""
    return write_run(tmp_path_factory.mktemp("runs") / "reb1")


@pytest.fixture
def run_folder(finished_run: Path, tmp_path: Path) -> Path:
    """Return a complete run folder of one's own, to take things out of."""
    import shutil

    return Path(shutil.copytree(finished_run, tmp_path / "reb1"))
