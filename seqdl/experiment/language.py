"""What is written of a language model: bits per base beside simple models, the likelihood of each sequence, and samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from seqdl.evaluate.flanks import MOST_FLANKS, FlankModel
from seqdl.evaluate.markov_ladder import MarkovChain
from seqdl.evaluate.resampling import resampled
from seqdl.evaluate.spectra import jensen_shannon, kmer_spectrum
from seqdl.experiment.complete import leaks_of
from seqdl.experiment.predict import device_name
from seqdl.experiment.provenance import write_json
from seqdl.experiment.samples import draw, write_samples
from seqdl.io.table import write_tsv
from seqdl.progress import track
from seqdl.tasks.language import Language
from seqdl.tasks.next_base import NextBase
from seqdl.types import PAD, Codes, Floats

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.types import Ints

HIGHEST_ORDER = 10
"""Of the Markov ladder."""
HEADLINE = ("bits_per_base",)
N_SAMPLES = 1_000
SPECTRUM_K = 6
MASK_SEED = 0


def write_outcome(run: Run, say: Callable[[str], None]) -> list[Path]:
    """Write metrics.json and scores.tsv, and samples.fa where the model can write."""
    data, task = run.data, cast("Language", run.task)
    metrics, table = _looked_at(run, data, seed=run.seed, say=say)
    write_tsv(run.folder / "scores.tsv", table, force=True, float_format="%.9g")
    head: dict[str, Any] = {"task": run.config["task"]["name"], "kind": data.kind, "family": task.family, "headline": HEADLINE, "n": data.sizes()}
    if isinstance(task, NextBase):
        say(f"drawing {N_SAMPLES:,} sequences")
        samples = draw(task, N_SAMPLES, data.length, seed=run.seed)
        write_samples(run.folder / "samples.fa", samples, force=True)
        metrics["spectra"] = spectra(samples, data.codes_of("train"), data.codes_of("test"), seed=run.seed)
    write_json(run.folder / "metrics.json", head | metrics)
    return []


def measured(run: Run, data: SequenceData, *, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return bits per base with intervals, beside the Markov ladder and, of a masked model, tables of the flanks."""
    return _looked_at(run, data, seed=seed, say=say)[0] | {"headline": HEADLINE}


def evaluate_language(run: Run, split: str) -> dict[str, Any]:
    """Return bits per base and perplexity of a split with intervals, without baselines."""
    table = score_table(cast("Language", run.task), run.data, run.data.held_out_rows(), device=str(run.config.get("device", "auto")))
    return bits_per_base(table[table["split"] == split], seed=run.seed)


def _looked_at(run: Run, data: SequenceData, *, seed: int, say: Callable[[str], None]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the metrics, and the likelihood of each held-out sequence."""
    task = cast("Language", run.task)
    say("measuring bits per base on held-out sequences")
    rows = data.held_out_rows()
    table = score_table(task, data, rows, device=str(run.config.get("device", "auto")))
    leaks = leaks_of(data).leaky[rows]
    parts = {name: table["split"].to_numpy() == name for name in ("val", "test")}
    parts["test_leak_free"] = parts["test"] & ~leaks
    metrics: dict[str, Any] = {name: bits_per_base(table[of], seed=seed) for name, of in parts.items()}
    say(f"counting words for the Markov ladder, orders 0 to {HIGHEST_ORDER}")
    train, test = data.codes_of("train"), data.codes_of("test")
    metrics["baselines"] = markov_ladder(train, test)
    if not isinstance(task, NextBase):
        metrics["baselines"] |= flank_ladder(train, test, hidden=hidden_places(task, test))
    return metrics, table


def score_table(task: Language, data: SequenceData, rows: Ints, *, device: str = "auto", batch_size: int = 128) -> pd.DataFrame:
    """Return the likelihood of sequences.

    Returns
    -------
    DataFrame
        id, split, n_bases (that were asked), bits (of all of them), bits_per_base, log_likelihood (nats).
    """
    bits, asked = sequence_bits(
        task, data.codes[rows], lengths=None if data.lengths is None else data.lengths[rows], device=device, batch_size=batch_size
    )
    chosen = data.examples.iloc[rows]
    each = np.divide(bits, asked, out=np.full(len(bits), np.nan), where=asked > 0)
    return pd.DataFrame(
        {
            "id": chosen["id"].to_numpy(),
            "split": chosen["split"].to_numpy(),
            "n_bases": asked,
            "bits": bits,
            "bits_per_base": each,
            "log_likelihood": -bits * np.log(2),
        }
    )


def sequence_bits(
    task: Language, codes: Codes, *, lengths: Ints | None = None, device: str = "auto", batch_size: int = 128
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the information of each sequence in bits (N,), and how many of its bases were asked (N,)."""
    bits, asked = np.zeros(len(codes)), np.zeros(len(codes), dtype=np.int64)
    for part, found in _bits_by_batch(task, codes, lengths=lengths, device=device, batch_size=batch_size):
        bits[part], asked[part] = np.nansum(found, axis=1), (~np.isnan(found)).sum(axis=1)
    return bits, asked


def base_bits(task: Language, codes: Codes, *, lengths: Ints | None = None, device: str = "auto", batch_size: int = 128) -> Floats:
    """Return the information of each base in bits, (N, L) float32; NaN where it is not asked."""
    bits = np.full(codes.shape, np.nan, dtype=np.float32)
    for part, found in _bits_by_batch(task, codes, lengths=lengths, device=device, batch_size=batch_size):
        bits[part] = found
    return bits


def _bits_by_batch(task: Language, codes: Codes, *, lengths: Ints | None, device: str, batch_size: int) -> Iterator[tuple[slice, Floats]]:
    """Yield rows and the information of their bases in bits (B, L); what is hidden of a batch depends on its place."""
    place = torch.device(device_name(device))
    task.to(place).eval()
    for start in track(range(0, len(codes), batch_size), "measuring"):
        part = slice(start, start + batch_size)
        size = None if lengths is None else torch.from_numpy(lengths[part]).to(place)
        with torch.inference_mode():
            found = task.base_bits(torch.from_numpy(np.ascontiguousarray(codes[part])).to(place), size, seed=MASK_SEED + start)
        yield part, found.double().cpu().numpy()
    task.to("cpu")


def bits_per_base(table: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """Return bits per base and perplexity with intervals by bootstrap over sequences."""
    if not len(table):
        return {}
    bits, asked = table["bits"].to_numpy(), table["n_bases"].to_numpy()

    def measure(counts: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
        mean = (counts @ bits) / (counts @ asked)
        return {"bits_per_base": mean, "perplexity": 2.0**mean}

    return dict(resampled(measure, [np.arange(len(table))], seed=seed))


def markov_ladder(train: Codes, test: Codes) -> dict[str, Any]:
    """Return the bits per base of Markov chains of rising order, fitted on one split and measured on another."""
    chain = MarkovChain.fit(train, HIGHEST_ORDER)
    return {
        f"markov{order}": {
            "bits_per_base": {"value": MarkovChain(chain.tables[: order + 1]).bits_per_base(test)},
            "detail": f"the next base from the {order} before it" if order else "how frequent each base is",
        }
        for order in range(HIGHEST_ORDER + 1)
    }


def hidden_places(task: Language, codes: Codes, batch_size: int = 128) -> NDArray[np.bool_]:
    """Return which bases the task hides when it is measured, (N, L)."""
    parts = [
        task.examine(torch.from_numpy(np.ascontiguousarray(codes[start : start + batch_size])), seed=MASK_SEED + start)[1].numpy() < PAD
        for start in range(0, len(codes), batch_size)
    ]
    return np.concatenate(parts)


def flank_ladder(train: Codes, test: Codes, *, hidden: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the bits per base of tables that know the k bases on either side, at the places that are hidden from the network."""
    model, found = FlankModel.fit(train, MOST_FLANKS), {}
    asked = hidden & (test < PAD)
    for k in range(1, MOST_FLANKS + 1):
        odds = FlankModel(model.tables[: k + 1]).probabilities(test)
        truth = np.take_along_axis(odds, np.minimum(test, 3)[..., None].astype(np.int64), axis=2)[..., 0]
        found[f"flanks{k}"] = {
            "bits_per_base": {"value": float(-np.log2(truth[asked]).mean())},
            "detail": f"the base from {k} on either side, all of them shown",
        }
    return found


def spectra(samples: Codes, train: Codes, test: Codes, *, seed: int) -> dict[str, Any]:
    """Return how far the 6-mer spectrum of samples is from that of held-out sequences, beside Markov chains and training sequences."""
    rng = np.random.default_rng(seed)
    real = kmer_spectrum(test, SPECTRUM_K)
    chain = MarkovChain.fit(train, 5)
    others = {f"markov{k}": MarkovChain(chain.tables[: k + 1]).sample(len(samples), samples.shape[1], rng=rng) for k in (0, 1, 3, 5)}
    others["training"] = train[rng.choice(len(train), min(len(train), len(samples)), replace=False)]
    found = {"sample": jensen_shannon(kmer_spectrum(samples, SPECTRUM_K), real)}
    return {"k": SPECTRUM_K, "js": found | {name: jensen_shannon(kmer_spectrum(codes, SPECTRUM_K), real) for name, codes in others.items()}}
