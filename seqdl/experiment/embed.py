"""Latents of sequences: streamed through a trained network, mapped, clustered and written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdl.errors import InputError, UnknownNameError
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.experiment.given import Given, read_sequences
from seqdl.experiment.predict import device_name
from seqdl.io.fasta import FastaRecord, iter_fasta
from seqdl.progress import track
from seqdl.tasks.reconstruction import Reconstruction
from seqdl.types import Codes, Floats

if TYPE_CHECKING:
    from seqdl.tasks.base import Task

MAPS = ("pca", "tsne", "umap")
MOST_MAPPED = 20_000
"""Sequences that t-SNE or UMAP lay out in minutes."""
AT_ONCE = 4_096
BATCH = 512


def embed_fasta(task: Task, path: str, *, device: str = "auto", at_once: int = AT_ONCE) -> Iterator[tuple[list[str], Floats]]:
    """Yield names and embeddings (n, Z) of the sequences of a FASTA, piece by piece.

    An autoencoder gives its latents; any other task the mean of its encoder's features over the sequence.

    Raises
    ------
    InputError
        If a sequence has a length that the network cannot take.
    """
    for records, values in embed_records(task, path, device=device, at_once=at_once):
        yield [record.name for record in records], values


def embed_records(task: Task, path: str, *, device: str = "auto", at_once: int = AT_ONCE) -> Iterator[tuple[list[FastaRecord], Floats]]:
    """Yield the records of a FASTA and their embeddings (n, Z), piece by piece; see `embed_fasta`."""
    place = torch.device(device_name(device))
    task.to(place).eval()
    for piece in track(iter_fasta(path, at_once=at_once), "embedding", unit="seq", size=len):
        codes, lengths = packed(task, piece, path)
        yield piece, _embedded(task, codes, lengths, place=place)
    task.to("cpu")


def packed(task: Task, records: list[FastaRecord], path: str) -> tuple[Codes, NDArray[np.int64] | None]:
    """Return records as codes (n, L) and their lengths where they differ.

    Raises
    ------
    InputError
        If an autoencoder is given another length than its own.
    """
    some = SequenceSet.of([record.codes for record in records])
    check_length(task, [record.name for record in records], some, where=path)
    return some.codes, None if some.length else some.lengths


def check_length(task: Task, names: list[str], some: SequenceSet, *, where: str) -> None:
    """Raise `InputError` if an autoencoder is given another length than its own."""
    own = int(task.length) if isinstance(task, Reconstruction) else None
    if own is not None and (some.lengths != own).any():
        first = int(np.flatnonzero(some.lengths != own)[0])
        raise InputError(
            f"{where}: '{names[first]}' has {some.lengths[first]:,} bp, and the network was made for {own:,} bp: sequences of that length were "
            "expected. Cut them to the same window as in training."
        )


def embed_sequences(task: Task, sequences: Given, *, device: str = "auto") -> Floats:
    """Return the embeddings (N, Z) of sequences in any of the forms that `read_sequences` takes."""
    names, some = read_sequences(sequences)
    check_length(task, names, some, where="the sequences")
    return embed_codes(task, some.codes, None if some.length else some.lengths, device=device)


def embed_codes(task: Task, codes: Codes, lengths: NDArray[np.int64] | None = None, *, device: str = "auto") -> Floats:
    """Return the embeddings (N, Z) of one sequence or more."""
    place = torch.device(device_name(device))
    task.to(place).eval()
    starts = track(range(0, len(codes), AT_ONCE), "embedding")
    parts = [_embedded(task, codes[i : i + AT_ONCE], None if lengths is None else lengths[i : i + AT_ONCE], place=place) for i in starts]
    task.to("cpu")
    return np.concatenate(parts)


@torch.inference_mode()
def _embedded(task: Task, codes: Codes, lengths: NDArray[np.int64] | None, *, place: torch.device) -> Floats:
    """Return the embeddings (n, Z) of a piece, with a task that is there already."""
    parts = []
    for start in range(0, len(codes), BATCH):
        chunk = torch.from_numpy(np.ascontiguousarray(codes[start : start + BATCH])).to(place)
        size = None if lengths is None else torch.from_numpy(lengths[start : start + BATCH]).to(place)
        parts.append(_embedding(task, task.one_hot(chunk, size), size).float().cpu().numpy())
    return np.concatenate(parts)


def _embedding(task: Task, x: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    from seqdl.layers.onehot import lengths_of_features
    from seqdl.layers.pooling import MeanPool

    if isinstance(task, Reconstruction):
        return task.embed(x)
    encoder: Any = getattr(task, "reader", task).encoder
    features = encoder(x, lengths)
    pooled: torch.Tensor = MeanPool(int(encoder.channels))(features, lengths_of_features(lengths, int(encoder.stride), features.shape[-1]))
    return pooled


# maps and clusters ----------------------------------------------------------------------------------


def map_of(embedding: Floats, kind: str, *, seed: int = 0) -> Floats:
    """Return a map (N, 2) of embeddings (N, Z).

    Parameters
    ----------
    embedding : array, (N, Z)
    kind : {"pca", "tsne", "umap"}
    seed : int

    Raises
    ------
    UnknownNameError
        If there is no such map.
    InputError
        If there are too few or too many sequences for it, or umap-learn is missing.
    """
    if kind not in MAPS:
        raise UnknownNameError("map", kind, MAPS)
    n = len(embedding)
    if n < 3:
        raise InputError(f"a map of {n} sequences was asked for: 3 or more were expected. Leave --map out.")
    if kind == "pca":
        from seqdl.evaluate.latent_space import principal_components

        (found,), _, _ = principal_components(embedding, [embedding], 2)
        return found
    if n > MOST_MAPPED:
        raise InputError(f"--map {kind} of {n:,} sequences: up to {MOST_MAPPED:,} were expected, since it looks at all pairs. Use --map pca.")
    made = _layout(kind, n, seed)
    return np.asarray(made.fit_transform(embedding), dtype=np.float64)


def _layout(kind: str, n: int, seed: int) -> Any:
    if kind == "tsne":
        from sklearn.manifold import TSNE

        tsne: Any = TSNE
        return tsne(2, init="pca" if n > 3 else "random", perplexity=max(1.0, min(30.0, (n - 1) / 4)), random_state=seed)
    try:
        import umap
    except ImportError:
        raise InputError("--map umap needs the library umap-learn, which is not installed. pip install 'seqdl[umap]', or use --map tsne.") from None
    made: Any = umap
    return made.UMAP(n_components=2, random_state=seed)


def clusters_of(embedding: Floats, how: str, *, seed: int = 0) -> NDArray[np.int64]:
    """Return the cluster of each embedding: k-means with a number, or HDBSCAN, for which -1 is no cluster.

    Parameters
    ----------
    embedding : array, (N, Z)
    how : str
        A number of clusters, or "hdbscan".
    seed : int
    """
    spread = embedding.std(axis=0)
    scaled = (embedding - embedding.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    if how == "hdbscan":
        from sklearn.cluster import HDBSCAN

        hdbscan: Any = HDBSCAN
        return np.asarray(hdbscan(min_cluster_size=max(5, len(scaled) // 100), copy=True).fit_predict(scaled), dtype=np.int64)
    if not how.isdigit() or not 2 <= int(how) <= len(scaled):
        raise InputError(f"--clusters is {how}: a number from 2 to the number of sequences ({len(scaled):,}), or hdbscan, was expected.")
    from sklearn.cluster import KMeans

    means: Any = KMeans
    return np.asarray(means(int(how), n_init=10, random_state=seed).fit_predict(scaled), dtype=np.int64)


def nearest(embedding: Floats, query: Floats, *, n: int = 10) -> tuple[NDArray[np.int64], Floats]:
    """Return the rows (Q, n) that are nearest to each query and their Euclidean distances (Q, n), nearest first."""
    from sklearn.neighbors import NearestNeighbors

    search: Any = NearestNeighbors
    distance, rows = search(n_neighbors=min(n, len(embedding))).fit(embedding).kneighbors(query)
    return np.asarray(rows, dtype=np.int64), np.asarray(distance, dtype=np.float64)
