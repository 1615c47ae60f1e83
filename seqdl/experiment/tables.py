"""Examples from tables, and from several FASTA files as classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqdl.data.dataset import SequenceData
from seqdl.data.split import homology_folds, random_folds, split_at_random, split_by_homology, splits_of_fold
from seqdl.errors import DataError, FormatError, InputError, listing
from seqdl.io.fasta import read_fasta, unique_names
from seqdl.io.table import read_table, require_columns
from seqdl.ledger import Ledger
from seqdl.sequence.encode import encode
from seqdl.types import Codes, Floats

if TYPE_CHECKING:
    from seqdl.experiment.data_config import DataConfig

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


def split_sequences(codes: Sequence[Codes], labels: Any, data: DataConfig, *, seed: int, given: Sequence[str] = ()) -> list[str]:
    """Return train, val or test of each sequence; splits that came as files of their own take nothing from these.

    Parameters
    ----------
    codes : sequence of Codes
    labels : array (N,) or None
        Classes; each split gets its share of each.
    data : DataConfig
    seed : int
    given : sequence of str
        Splits that are ready-made.
    """
    if data.split == "chromosome":
        raise InputError("--split chromosome was given with sequences, which say nothing of chromosomes. Use homology (the default) or random.")
    if data.fold is not None:
        if given or data.n_folds is None:
            raise InputError("folds were asked for together with a ready-made split, or without their number: leave the ready-made split out.")
        if data.split == "random":
            folds = random_folds(len(codes), data.n_folds, labels=labels, seed=seed)
        else:
            folds = homology_folds(codes, data.n_folds, labels=labels, seed=seed)
        return list(splits_of_fold(folds, data.fold, k=data.n_folds))
    fractions = (0.8, 0.0 if "val" in given else 0.1, 0.0 if "test" in given else 0.1)
    total = sum(fractions)
    shares = (fractions[0] / total, fractions[1] / total, fractions[2] / total)
    if data.split == "random":
        return list(split_at_random(len(codes), labels=labels, seed=seed, fractions=shares))
    return list(split_by_homology(codes, labels=labels, seed=seed, fractions=shares))


def from_table(data: DataConfig, seed: int, *, whole: bool) -> SequenceData:
    """Make examples of a table with a column of sequences and a column of targets.

    A target of words makes classes, one of 0 and 1 makes two classes, any other numbers are predicted as such.

    Raises
    ------
    FormatError, InputError, DataError
        If a column is missing, or a sequence or a target cannot be read; rows are counted from 1, below the header.
    """
    ledger, path = Ledger(), str(data.table)
    columns = list(data.target_columns or [])
    texts = [name for name in (data.sequence_column, data.split_column, data.id_column) if name]
    table = read_table(path, text=texts)
    require_columns(table, [*texts, *columns], path)
    codes = _encode_column(table[data.sequence_column], path, data.sequence_column)
    read = [_read_target(table[column], path, column) for column in columns]
    classes = _one_kind(read, columns, path)
    names = table[data.id_column].tolist() if data.id_column else [f"row{row}" for row in range(1, len(table) + 1)]
    numeric = bool(columns) and classes is None and not all(_two_classes(target) for target, _ in read)
    strata = None if numeric or len(read) != 1 else read[0][0]
    split = _table_split(table, codes, strata, data=data, seed=seed, whole=whole)
    made = SequenceData.from_sequences(codes, np.zeros(len(codes)), split, names=unique_names(names))
    made.examples = made.examples.drop(columns=["target", "split"]).assign(
        **{name: target for name, (target, _) in zip(output_names(columns), read, strict=True)}, split=made.examples["split"]
    )
    made.outputs, made.classes, made.numeric = output_names(columns), classes, numeric
    made.counts = numeric and all(bool((target >= 0).all()) and bool((target == np.round(target)).all()) for target, _ in read)
    note_lengths(made, ledger)
    made.ledger, made.inputs = ledger, [Path(path)]
    return made


def output_names(columns: list[str]) -> list[str]:
    """Return the names of the outputs: a single one is called target, several by their columns.

    Examples
    --------
    >>> output_names(["psi"]), output_names(["liver", "brain"])
    (['target'], ['liver', 'brain'])
    """
    return ["target"] if len(columns) == 1 else columns


def _one_kind(read: list[tuple[Any, list[str] | None]], columns: list[str], path: str) -> list[str] | None:
    """Return the classes where the one target is words, or raise `InputError` if several columns do not go together."""
    if len(read) == 1:
        return read[0][1]
    words = [column for column, (_, classes) in zip(columns, read, strict=True) if classes]
    if words:
        raise InputError(f"{path}: column '{words[0]}' holds words, beside other targets: several targets are numbers. Train on the classes alone.")
    if len(set(columns)) < len(columns) or set(columns) & {"id", "chrom", "start", "end", "strand", "split"}:
        raise InputError(f"--target-columns names {listing(columns)}: different names were expected, and not id, chrom, start, end, strand or split.")
    return None


def _encode_column(column: pd.Series[Any], path: str, name: str) -> list[Codes]:
    found = []
    for row, text in enumerate(column, start=1):
        if not str(text).strip():
            raise FormatError(f"{path}, row {row}: column '{name}' is empty; a sequence was expected. Fill it or drop the row.")
        try:
            found.append(encode(str(text).strip()))
        except InputError as error:
            raise FormatError(f"{path}, row {row}, column '{name}': {error}") from None
    return found


def _read_target(column: pd.Series[Any], path: str, name: str) -> tuple[Any, list[str] | None]:
    """Return the targets, and the classes where they are words."""
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise DataError(f"{path}: column '{name}' holds no number in {len(bad):,} rows; first: row {bad[0] + 1}. Fill them or drop the rows.")
        return values, None
    words = column.astype(str).str.strip()
    empty = np.flatnonzero(words.isin(["", "nan", "NA", "NaN"]))
    if len(empty):
        raise DataError(f"{path}: column '{name}' is empty in {len(empty):,} rows; first: row {empty[0] + 1}. Fill them or drop the rows.")
    classes = sorted(set(words))
    if len(classes) < 2:
        raise DataError(f"{path}: column '{name}' holds one class, {listing(classes)}: two or more were expected.")
    if len(classes) > max(20, len(words) // 10):
        raise DataError(
            f"{path}: column '{name}' holds {len(classes):,} different words: classes or numbers were expected. First: {listing(classes, 3)}."
        )
    return words.to_numpy(dtype=object), classes


def _two_classes(target: Floats) -> bool:
    return target.dtype != object and set(np.unique(target)) <= {0.0, 1.0}


def _table_split(table: pd.DataFrame, codes: list[Codes], labels: Any, *, data: DataConfig, seed: int, whole: bool) -> list[str]:
    if whole:
        return ["test"] * len(table)
    if data.split_column is None:
        if data.split == "column":
            raise InputError("--split column was given without --split-column: the name of the column was expected. Add --split-column C.")
        return split_sequences(codes, labels, data, seed=seed)
    if data.fold is not None:
        raise InputError(f"folds were asked for together with the split in column '{data.split_column}': one of them was expected. Leave one out.")
    words = table[data.split_column].astype(str).str.strip().str.lower()
    unknown = sorted(set(words) - set(SPLIT_WORDS))
    if unknown:
        raise DataError(
            f"{data.table}: column '{data.split_column}' holds {listing(unknown, 4)}: train, val or test (or training, validation) were expected."
        )
    return list(words.map(SPLIT_WORDS))


def from_class_files(data: DataConfig, seed: int, *, whole: bool) -> SequenceData:
    """Make examples of several FASTA files, ``name=FILE``, each of them a class."""
    ledger = Ledger()
    files = dict(word.split("=", 1) for word in data.fasta or [])
    if len(files) != len(data.fasta or []):
        raise InputError(f"--fasta names a class twice: {listing(data.fasta or [])}. Put sequences of one class into one file.")
    records = {name: read_fasta(path, ledger=ledger) for name, path in files.items()}
    codes = [record.codes for found in records.values() for record in found]
    target = np.array([name for name, found in records.items() for _ in found], dtype=object)
    split = ["test"] * len(codes) if whole else split_sequences(codes, target, data, seed=seed)
    names = unique_names([record.name for found in records.values() for record in found])
    made = SequenceData.from_sequences(codes, target, split, names=names)
    made.classes = list(files)
    note_lengths(made, ledger)
    made.ledger, made.inputs = ledger, [Path(path) for path in files.values()]
    return made


def note_lengths(made: SequenceData, ledger: Ledger) -> None:
    """Enter in the ledger that sequences differ in length, where they do."""
    if made.lengths is not None:
        ledger.note(f"sequences are {made.lengths.min()} to {made.lengths.max()} bp long; the shorter are padded at their end, and padding is masked")
