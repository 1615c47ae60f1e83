"""Examples from FASTA files: two classes, or sequences of which nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from seqdl.data.dataset import SequenceData
from seqdl.errors import InputError
from seqdl.experiment.tables import note_lengths, split_sequences
from seqdl.io.fasta import FastaRecord, read_fasta, unique_names
from seqdl.ledger import Ledger
from seqdl.sequence.shuffle import dinucleotide_shuffle

if TYPE_CHECKING:
    from seqdl.experiment.data_config import DataConfig


def from_fasta(data: DataConfig, seed: int, *, whole: bool) -> SequenceData:
    """Make two classes of FASTA files: positives, and negatives that are given or shuffled."""
    ledger = Ledger()
    train, target = _read_classes(data.fasta or [], "--fasta", ledger)
    parts: dict[str, tuple[list[FastaRecord], list[float]]] = {}
    for name, files in (("val", data.val_fasta), ("test", data.test_fasta)):
        if files:
            if len(files) != 2:
                raise InputError(f"--{name}-fasta was given {len(files)} file: two were expected, positives and negatives. Add the negatives.")
            parts[name] = _read_classes(files, f"--{name}-fasta", ledger)
    split = (
        ["test"] * len(train)
        if whole
        else split_sequences([record.codes for record in train], np.asarray(target), data, seed=seed, given=list(parts))
    )
    records, targets = list(train), list(target)
    for name, (more, labels) in parts.items():
        records, targets, split = records + more, targets + labels, split + [name] * len(more)
    names = unique_names([record.name for record in records])
    made = SequenceData.from_sequences([record.codes for record in records], np.array(targets), split, names=names)
    note_lengths(made, ledger)
    if not (made.targets() == 0).any() or (len(data.fasta or []) == 1):
        if data.negatives != "dinuc":
            raise InputError("one FASTA was given and no negatives: two classes were expected. Give a second file, or --negatives dinuc.")
        made = with_shuffles(made, data, seed=seed, skip=tuple(parts))
    made.ledger = ledger
    made.inputs = [Path(name) for name in [*(data.fasta or []), *(data.val_fasta or []), *(data.test_fasta or [])]]
    return made


def _read_classes(files: Sequence[str], flag: str, ledger: Ledger) -> tuple[list[FastaRecord], list[float]]:
    if len(files) > 2:
        raise InputError(f"{flag} was given {len(files)} files: one (positives) or two (positives, negatives) were expected.")
    records: list[FastaRecord] = []
    labels: list[float] = []
    for name, label in zip(files, (1.0, 0.0), strict=False):
        found = read_fasta(name, ledger=ledger)
        records += found
        labels += [label] * len(found)
    return records, labels


def with_shuffles(positives: SequenceData, data: DataConfig, *, seed: int, skip: tuple[str, ...] = ()) -> SequenceData:
    """Return the set with dinucleotide-shuffled copies of its positives as negatives, each in its parent's split."""
    table = positives.examples
    parents, copies = [], []
    for name, ratio in (("train", data.train_ratio), ("val", data.ratio), ("test", data.ratio)):
        rows = np.flatnonzero((table["target"] > 0) & (table["split"] == name))
        if name not in skip:
            parents.append(np.tile(rows, ratio))
            copies.append(np.repeat(np.arange(1, ratio + 1), len(rows)))
    of = np.concatenate(parents)
    names = table["id"].iloc[of].reset_index(drop=True) + "_shuffle" + pd.Series(np.concatenate(copies)).astype(str)
    shuffled = table.iloc[of].reset_index(drop=True).assign(id=names, chrom="", start="", end="", strand="", target=0.0)
    positives.codes = np.concatenate([positives.codes, dinucleotide_shuffle(positives.codes[of], seed=seed)])
    if positives.lengths is not None:
        positives.lengths = np.r_[positives.lengths, positives.lengths[of]]
    positives.examples = pd.concat([table, shuffled], ignore_index=True)
    return positives


def from_unlabelled_fasta(data: DataConfig, seed: int, *, whole: bool) -> SequenceData:
    """Make examples of one FASTA file, and of a held-out one where it is given, of which nothing is known but the bases."""
    ledger = Ledger()
    files = {"": data.fasta or [], "val": data.val_fasta or [], "test": data.test_fasta or []}
    found = {name: [record for path in paths for record in read_fasta(path, ledger=ledger)] for name, paths in files.items()}
    given = [name for name in ("val", "test") if found[name]]
    codes = [record.codes for record in found[""]]
    split = ["test"] * len(codes) if whole else split_sequences(codes, None, data, seed=seed, given=given)
    for name in given:
        split = [*split, *[name] * len(found[name])]
    records = [record for name in ("", *given) for record in found[name]]
    made = SequenceData.from_sequences(
        [record.codes for record in records], np.zeros(len(records)), split, names=unique_names([record.name for record in records])
    )
    made.examples, made.outputs = made.examples.drop(columns="target"), []
    note_lengths(made, ledger)
    made.ledger, made.inputs = ledger, [Path(path) for paths in files.values() for path in paths]
    return made
