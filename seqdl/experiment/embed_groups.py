"""Groups of embedded sequences: labels that are known, clusters that are found, and both beside the same made of k-mers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqdl.data.split import split_at_random, split_by_homology
from seqdl.errors import DataError, InputError, listing
from seqdl.evaluate.clusters import rand_index
from seqdl.evaluate.latent_space import principal_components
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.experiment.autoencoder import PROBE_K, kmer_roots, probes
from seqdl.experiment.embed import clusters_of, embed_records
from seqdl.io.fasta import unique_names
from seqdl.io.table import read_table, require_columns
from seqdl.types import Floats

if TYPE_CHECKING:
    from seqdl.tasks.base import Task

MOST_PROBED = 20_000
LEAST_OF_A_LABEL = 5
SHARES = (0.7, 0.0, 0.3)
"""Of the labelled sequences: what labels are learned from, and what they are predicted for."""
RATES = {"rate": "of it", "rate_elsewhere": "elsewhere", "rate_shuffled": "of its shuffles"}
SPACES = {"network": "the network", "pca_one_hot": "PCA of one-hot", "pca_kmers": f"PCA of {PROBE_K}-mers"}


@dataclass(frozen=True, eq=False)
class Embedded:
    """Sequences with their embeddings.

    Attributes
    ----------
    names : list of str
        Unique.
    values : array, (N, Z)
    sequences : SequenceSet
    labels : text array (N,), or None
    """

    names: list[str]
    values: Floats
    sequences: SequenceSet
    labels: NDArray[Any] | None


def embed_files(task: Task, files: Sequence[str], *, labels: str | None = None, device: str = "auto") -> Embedded:
    """Embed the sequences of one FASTA, or of several that are a class each.

    Parameters
    ----------
    task : Task
    files : sequence of str
        One FASTA, or ``NAME=FILE`` for each class.
    labels : str, optional
        A table with the columns id and label.
    device : str

    Raises
    ------
    InputError
        If several files are not named, or there is not one label a sequence.
    """
    pairs = named_files(files)
    if pairs[0][0] and labels:
        raise InputError("--labels was given with files that are a class each: one source of labels was expected. Leave one of the two out.")
    names, codes, values, classes = [], [], [], []
    for label, path in pairs:
        for records, found in embed_records(task, path, device=device):
            names += [record.name for record in records]
            codes += [record.codes for record in records]
            classes += [label] * len(records)
            values.append(found)
    if len({part.shape[1] for part in values}) > 1:
        raise InputError("the files give embeddings of different sizes: sequences of one length were expected. Cut them to one.")
    names = unique_names(names)
    known = read_labels(labels, names, source=files[0]) if labels else np.array(classes) if pairs[0][0] else None
    if known is not None:
        _check_labels(known)
    return Embedded(names, np.concatenate(values), SequenceSet.of(codes), known)


def named_files(files: Sequence[str]) -> list[tuple[str, str]]:
    """Return class and path of each file; the class is empty where there is one file without a name.

    Examples
    --------
    >>> named_files(["a=x.fa", "b=y.fa"]), named_files(["x.fa"])
    ([('a', 'x.fa'), ('b', 'y.fa')], [('', 'x.fa')])
    """
    if len(files) == 1 and ("=" not in files[0] or Path(files[0]).exists()):
        return [("", files[0])]
    pairs = [(name, path) for name, sign, path in (word.partition("=") for word in files) if sign and name and path]
    if len(pairs) < len(files) or len({name for name, _ in pairs}) < len(files):
        raise InputError(f"--fasta {listing(files)}: one file, or NAME=FILE for each class, was expected. Name every file, each otherwise.")
    return pairs


def read_labels(path: str, names: Sequence[str], *, source: str) -> NDArray[Any]:
    """Return the label of each sequence, (N,) text, from a table with the columns id and label.

    Raises
    ------
    InputError
        If a column is missing, an id is repeated, or there is not one label a sequence.
    """
    table = read_table(path)
    require_columns(table, ("id", "label"), path)
    ids = [str(name) for name in table["id"]]
    label = dict(zip(ids, (str(word) for word in table["label"]), strict=True))
    if len(label) < len(ids):
        repeated = next(name for k, name in enumerate(ids) if name in ids[:k])
        raise InputError(f"{path}: the id '{repeated}' is there more than once: one label a sequence was expected. Leave one of its lines out.")
    without, unknown = [name for name in names if not label.get(name)], set(ids) - set(names)
    if without or unknown:
        first = f"'{without[0]}' has no label" if without else f"'{next(name for name in ids if name in unknown)}' is no sequence"
        raise InputError(
            f"{path} has {len(ids):,} labels for the {len(names):,} sequences of {source}, and {first}: one for each sequence was expected. "
            "Add the missing lines, and leave out those of other sequences."
        )
    return np.array([label[name] for name in names])


def _check_labels(labels: NDArray[Any]) -> None:
    words, n = np.unique(labels, return_counts=True)
    if len(words) < 2:
        raise InputError(f"the labels hold one class, {words[0]}: two or more were expected, to be told apart. Leave the labels out.")
    if n.min() < LEAST_OF_A_LABEL:
        raise InputError(
            f"the label {words[n.argmin()]} is that of {n.min()} sequences: {LEAST_OF_A_LABEL} or more of each were expected. Join rare ones."
        )


# what the groups are worth --------------------------------------------------------------------------


def read_off(some: Embedded, *, seed: int) -> dict[str, Any]:
    """Return how well labels are read off the embeddings, and off as many principal components of one-hot and of k-mers.

    Labels of 70 % of the sequences are learned and those of the others predicted, near copies kept together where that can be.

    Returns
    -------
    dict
        "n", how many sequences were looked at, "split", how they were parted, and "spaces": accuracy, auroc, knn_accuracy of each.
    """
    assert some.labels is not None
    rng = np.random.default_rng(seed)
    n = min(len(some.values), MOST_PROBED)
    rows = np.sort(rng.choice(len(some.values), n, replace=False))
    sequences, (words, numbers) = some.sequences.take(rows), np.unique(some.labels[rows], return_inverse=True)
    try:
        split, how = split_by_homology(sequences.list(), labels=numbers, seed=seed, fractions=SHARES), "near copies together"
    except DataError:
        split, how = split_at_random(n, labels=numbers, seed=seed, fractions=SHARES), "at random"
    if len(np.unique(numbers[split == "train"])) < len(words):
        split, how = split_at_random(n, labels=numbers, seed=seed, fractions=SHARES), "at random"
    parts = {name: split == name for name in ("train", "test")}
    values = some.values[rows]
    spaces = probes(
        {name: values[of] for name, of in parts.items()},
        {name: sequences.codes[of] for name, of in parts.items()},
        {name: numbers[of] for name, of in parts.items()},
        seed=seed,
    )
    return {"n": n, "split": how, "spaces": spaces}


def kmer_clusters(some: Embedded, how: str, *, seed: int) -> NDArray[np.int64]:
    """Return the clusters of as many principal components of k-mer counts, made as those of the embeddings are."""
    counts = kmer_roots(some.sequences.codes)
    (found,), _, _ = principal_components(counts, [counts], some.values.shape[1])
    return clusters_of(found, how, seed=seed)


def agreement(clusters: NDArray[np.int64], kmers: NDArray[np.int64], labels: NDArray[Any] | None) -> dict[str, float]:
    """Return the adjusted Rand index of the clusters with those of k-mers, and of both with the labels where there are any."""
    found = {"network_kmers": rand_index(clusters, kmers)}
    return found if labels is None else found | {"network_labels": rand_index(clusters, labels), "kmers_labels": rand_index(kmers, labels)}


# in words -------------------------------------------------------------------------------------------


def in_words(found: dict[str, Any]) -> str:
    """Return what was found of labels and clusters, line by line."""
    lines = []
    if "probe" in found:
        probe = found["probe"]
        lines.append(f"labels of {probe['n']:,} sequences, learned from 70 % and predicted for 30 % ({probe['split']}):")
        lines.append(f"  {'':18}{'AUROC, linear':>16}{'accuracy, linear':>18}{'accuracy, neighbours':>22}")
        for name, row in probe["spaces"].items():
            lines.append(f"  {SPACES.get(name, name):18}{row['auroc']:16.3f}{row['accuracy']:18.3f}{row['knn_accuracy']:22.3f}")
        if probe.get("learned_from_labels"):
            lines.append(
                "  WARNING: the network learned from labels, and knows those of its training examples: these figures hold for new sequences only"
            )
    if "clusters" in found:
        lines.append("clusters: " + ", ".join(f"{k}: {n:,}" for k, n in found["clusters"].items()))
        index = found["rand_index"]
        lines.append(f"adjusted Rand index of clusters: {index['network_kmers']:.3f} with those of PCA of {PROBE_K}-mers")
        if "network_labels" in index:
            lines.append(f"  with the labels: {index['network_labels']:.3f}; those of {PROBE_K}-mers with the labels: {index['kmers_labels']:.3f}")
    if "motifs" in found:
        for k, row in found["motifs"].items():
            told = [*filter(None, [row["family"]]), *(f"{row[name]:.0%} {of}" for name, of in RATES.items())] if row["n"] else []
            best = f"; first {row['best']} ({', '.join(told)})" if row["n"] else ""
            lines.append(f"cluster {k}: {row['n']:,} motifs at q below 0.05{best}")
        lines.append(f"motifs of clusters of {PROBE_K}-mers at q below 0.05: {found['n_motifs_kmers']:,}; of the network: {found['n_motifs']:,}")
    return "\n".join(lines)
