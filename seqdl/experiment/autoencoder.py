"""What is written of an autoencoder: what it gives back, what its latents are worth, and a map of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from seqdl.evaluate.flanks import FlankModel
from seqdl.evaluate.latent_space import principal_components, probe, strand_agreement, trustworthiness
from seqdl.evaluate.reconstruction import collapse, reconstruction_floor, reconstruction_intervals
from seqdl.experiment.embed import embed_codes
from seqdl.experiment.provenance import write_json
from seqdl.io.table import write_tsv
from seqdl.progress import track
from seqdl.sequence.composition import kmer_counts
from seqdl.sequence.edit import reverse_complement
from seqdl.sequence.encode import one_hot
from seqdl.tasks.autoencoder import Autoencoder, damaged
from seqdl.tasks.reconstruction import Reconstruction
from seqdl.tasks.vae import VAE, divergence
from seqdl.types import PAD, Codes, Floats

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.types import Ints

HEADLINE = ("accuracy",)
MOST_ROWS = 20_000
"""Sequences of a split that are looked at; more tell no more."""
MAP_ROWS = 2_000
PROBE_K = 5
DAMAGE = 0.1
N_DAMAGED, MOST_DRAWS = 20_000, 20
"""Bases that are damaged to see how many are restored, and how often the same sequences are for that."""
FLANKS = 4


def write_outcome(run: Run, say: Callable[[str], None]) -> list[Path]:
    """Write metrics.json and latents.tsv; of a VAE samples.fa and card.json too."""
    data, task = run.data, cast("Reconstruction", run.task)
    metrics, rows, latents = _looked_at(task, data, seed=run.seed, say=say)
    say("drawing a map of the latents")
    table = map_table(data, rows, latents, seed=run.seed)
    trusted = trustworthiness(latents[: len(table)], table[["map1", "map2"]].to_numpy(), seed=run.seed)
    metrics["latent"]["trustworthiness"] = None if np.isnan(trusted) else trusted
    write_tsv(run.folder / "latents.tsv", table, force=True, float_format="%.6g")
    files: list[Path] = []
    if isinstance(task, VAE):
        from seqdl.experiment.generator import write_card

        drawn, files = write_card(run, say)
        metrics["drawn"] = drawn["test"]
    head = {"task": run.config["task"]["name"], "kind": data.kind, "family": task.family, "headline": HEADLINE, "n": data.sizes()}
    write_json(run.folder / "metrics.json", head | metrics)
    return files


def measured(run: Run, data: SequenceData, *, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return what is given back and what the latents are worth, beside what needs no network; "text" says whether they are used at all."""
    metrics, _, _ = _looked_at(cast("Reconstruction", run.task), data, seed=seed, say=say)
    return metrics | {"headline": HEADLINE, "text": metrics["latent"]["text"]}


def _looked_at(task: Reconstruction, data: SequenceData, *, seed: int, say: Callable[[str], None]) -> tuple[dict[str, Any], Ints, Floats]:
    """Return the metrics, and the rows of the test split that were looked at with their latents."""
    rows = _rows_by_split(data, seed)
    say("measuring what is given back of held-out sequences")
    metrics: dict[str, Any] = {split: given_back(task, data.codes[of], seed=seed) for split, of in rows.items() if len(of)}
    train, test = data.codes[rows["train"]], data.codes[rows["test"]]
    metrics["baselines"] = reconstruction_floor(train, test, latent=task.latent)
    if task.bottleneck == "sites":
        metrics["baselines"]["pca"]["detail"] += "; the network's decoder is told places besides"
    latents = {split: embed_codes(task, data.codes[of]) for split, of in rows.items() if split != "val"}
    kl_bits = latent_bits(task, test) if isinstance(task, VAE) else None
    collapsed, text = collapse(metrics["test"]["accuracy"]["value"], metrics["baselines"], kl_bits)
    metrics["latent"] = {"n": task.latent, "kl_bits": kl_bits, "collapsed": collapsed, "text": text}
    metrics["latent"]["strand_agreement"] = strand_agreement(latents["test"], embed_codes(task, reverse_complement(test)))
    if isinstance(task, Autoencoder) and task.damage:
        metrics["restored"] = restored(task, train, test, seed=seed)
    labels = label_numbers(data)
    if labels is not None:
        say("reading labels off the latents, beside PCA of one-hot and of k-mers")
        by_split = {split: data.codes[of] for split, of in rows.items()}
        metrics["probe"] = probes(latents, by_split, {split: labels[of] for split, of in rows.items()}, seed=seed)
    return metrics, rows["test"], latents["test"]


def evaluate_autoencoder(run: Run, split: str) -> dict[str, Any]:
    """Return the share of bases given back and bits per base of a split with intervals, without baselines."""
    rows = _rows_by_split(run.data, run.seed)[split]
    return given_back(cast("Reconstruction", run.task), run.data.codes[rows], seed=run.seed) if len(rows) else {}


def _rows_by_split(data: SequenceData, seed: int) -> dict[str, Ints]:
    """Return the rows of each split that are looked at."""
    rng = np.random.default_rng(seed)
    return {split: _some(data.rows(split), rng) for split in ("train", "val", "test")}


def _some(rows: Ints, rng: np.random.Generator) -> Ints:
    return rows if len(rows) <= MOST_ROWS else np.sort(rng.choice(rows, MOST_ROWS, replace=False))


def label_numbers(data: SequenceData) -> NDArray[np.int64] | None:
    """Return the class of each example as a number, or None where there are no classes."""
    if data.kind not in ("binary", "multiclass") or len(data.outputs) != 1:
        return None
    return data.targets()[:, 0].astype(np.int64)


def _batches(codes: Codes, size: int, word: str) -> Any:
    for start in track(range(0, len(codes), size), word):
        yield torch.from_numpy(np.ascontiguousarray(codes[start : start + size]))


@torch.inference_mode()
def back_from(task: Reconstruction, codes: Codes, *, batch_size: int = 512) -> tuple[Codes, Floats]:
    """Return the likeliest bases (N, L) that sequences are decoded to, and the information of each known base in bits (N, L), 0 elsewhere."""
    task.eval()
    found, bits = [], []
    for part in _batches(codes, batch_size, "reconstructing"):
        logits = task.logits(task.one_hot(part))
        found.append(logits.argmax(1).to(torch.uint8).numpy())
        bits.append(torch.nn.functional.cross_entropy(logits, part.long(), ignore_index=PAD, reduction="none").numpy() / np.log(2))
    return np.concatenate(found), np.concatenate(bits)


def given_back(task: Reconstruction, codes: Codes, *, seed: int) -> dict[str, Any]:
    """Return accuracy and bits per base with intervals."""
    back, bits = back_from(task, codes)
    known = codes < PAD
    return reconstruction_intervals(((back == codes) & known).sum(1), bits.sum(1), known.sum(1), seed=seed)


@torch.inference_mode()
def latent_bits(task: VAE, codes: Codes) -> float:
    """Return how much the latents of a sequence tell, in bits: their divergence from the prior."""
    task.eval()
    parts = [divergence(*task.posterior(task.one_hot(part))).sum(1) for part in _batches(codes, 512, "measuring")]
    return float(torch.cat(parts).mean()) / float(np.log(2))


def restored(task: Reconstruction, train: Codes, test: Codes, *, seed: int) -> dict[str, Any]:
    """Return the share of damaged bases that are restored, beside the position-wise guess and the base between its flanks.

    Which bases are damaged is known, so that nobody is asked for the base that stands there instead. Few sequences are damaged several times.

    Returns
    -------
    dict
        "damage", "n_bases"; "network", "positions", "flanks4": the share of all damaged bases; the same in "hidden" and in "replaced", of
        the bases that were hidden and of those that another stood for.
    """
    known, draw = test < PAD, torch.Generator().manual_seed(seed)
    frequency = np.stack([(train == base).mean(axis=0) for base in range(4)])  # (4, L)
    flanks, name = FlankModel.fit(train, FLANKS), f"flanks{FLANKS}"
    right: dict[str, list[NDArray[np.bool_]]] = {"hidden": [], "replaced": []}
    for _ in range(max(1, min(MOST_DRAWS, round(N_DAMAGED / max(1.0, DAMAGE * float(known.sum())))))):
        seen = damaged(torch.from_numpy(test), DAMAGE, generator=draw).numpy()
        replaced = known & (seen < PAD) & (seen != test)
        barred = (seen[:, None] == np.arange(4)[:, None]) & replaced[:, None]  # (N, 4, L)
        odds = (base_logits(task, seen), np.broadcast_to(frequency, barred.shape), flanks.probabilities(seen).transpose(0, 2, 1))
        hits = np.stack([np.where(barred, -np.inf, values).argmax(axis=1) == test for values in odds])
        for part, of in {"hidden": known & (seen == PAD), "replaced": replaced}.items():
            right[part].append(hits[:, of])
    found = {part: np.concatenate(hits, axis=1) for part, hits in right.items()}
    every = np.concatenate(list(found.values()), axis=1)
    names = ("network", "positions", name)
    shares = {part: dict(zip(names, hits.mean(axis=1).tolist(), strict=True)) for part, hits in found.items()}
    return {"damage": DAMAGE, "n_bases": every.shape[1], **dict(zip(names, every.mean(axis=1).tolist(), strict=True)), **shares}


@torch.inference_mode()
def base_logits(task: Reconstruction, codes: Codes, *, batch_size: int = 512) -> Floats:
    """Return the logits (N, 4, L) of what sequences are given back as."""
    task.eval()
    return np.concatenate([task.logits(task.one_hot(part)).numpy() for part in _batches(codes, batch_size, "restoring")])


def probes(latents: dict[str, Floats], codes: dict[str, Codes], labels: dict[str, NDArray[np.int64]], *, seed: int) -> dict[str, Any]:
    """Return what can be read off the latents, and off as many principal components of one-hot and of k-mers."""
    n = latents["train"].shape[1]
    spaces = {"network": (latents["train"], latents["test"])}
    for name, flat in (("pca_one_hot", _flat), ("pca_kmers", kmer_roots)):
        rows = flat(codes["train"])
        (a, b), _, _ = principal_components(rows, [rows, flat(codes["test"])], n)
        spaces[name] = (a, b)
    return {name: asdict(probe((a, labels["train"]), (b, labels["test"]), seed=seed)) for name, (a, b) in spaces.items()}


def _flat(codes: Codes) -> Floats:
    return one_hot(codes).reshape(len(codes), -1)


def kmer_roots(codes: Codes) -> Floats:
    """Return the roots of the k-mer counts of sequences, (N, 4 ** k)."""
    return np.sqrt(kmer_counts(codes, PROBE_K))


def map_table(data: SequenceData, rows: Ints, latents: Floats, *, seed: int) -> pd.DataFrame:
    """Return id, label where there is one, a map in two dimensions by t-SNE, and the latents of at most 2,000 sequences."""
    from sklearn.manifold import TSNE

    n = min(len(rows), MAP_ROWS)
    tsne: Any = TSNE
    points = tsne(2, init="pca", perplexity=min(30, max(2, n // 4)), random_state=seed).fit_transform(latents[:n]) if n > 4 else np.zeros((n, 2))
    chosen = data.examples.iloc[rows[:n]]
    label = {"label": chosen[data.outputs[0]].to_numpy()} if label_numbers(data) is not None else {}
    columns = {f"z{k}": latents[:n, k - 1] for k in range(1, latents.shape[1] + 1)}
    return pd.DataFrame({"id": chosen["id"].to_numpy(), **label, "map1": points[:, 0], "map2": points[:, 1], **columns})
