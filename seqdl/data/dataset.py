"""Examples in memory: codes, targets and splits, and how batches are gathered from them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from seqdl.data.augment import Augmentation
from seqdl.data.flanks import Flanks
from seqdl.data.genome import Genome
from seqdl.data.split import split_by_chromosome
from seqdl.errors import DataError, InputError
from seqdl.ledger import Ledger
from seqdl.sequence.encode import one_hot
from seqdl.types import SPLITS, Ambiguous, Batch, Codes, Floats, Ints

PAD = 4


@dataclass
class SequenceData:
    """Examples with their targets and splits.

    Parameters
    ----------
    codes : Codes, (N, L)
        Bases; shorter sequences are padded at their end with 4.
    examples : DataFrame, N rows
        id, chrom, start, end, strand, one column an output, split ("train", "val" or "test").
    outputs : list of str
        The target columns of `examples`.
    classes : list of str, optional
        Where the one target column names a class: the classes, in the order of their numbers.
    numeric : bool, default False
        Whether targets are numbers to be predicted, rather than 0 and 1.
    lengths : int array (N,), optional
        True lengths, where they differ.
    reverse_complement : bool, default False
        Whether training batches show the other strand of half the sequences.
    negatives : DataFrame, optional
        Intervals that were sampled as background.
    ledger : Ledger
        What was dropped, and why.
    inputs : list of Path
        The files all this came from.
    genome : Genome, optional
        Where the intervals of `examples` lie, so that training windows can be moved over real bases.
    ambiguous : {"zero", "uniform"}, default "zero"
        How a network reads an ambiguous base: as no base at all, or as a quarter of each. Padding is no base in either.
    """

    codes: Codes
    examples: pd.DataFrame
    outputs: list[str]
    classes: list[str] | None = None
    numeric: bool = False
    lengths: Ints | None = None
    reverse_complement: bool = False
    negatives: pd.DataFrame | None = None
    ledger: Ledger = field(default_factory=Ledger)
    inputs: list[Path] = field(default_factory=list)
    genome: Genome | None = None
    ambiguous: Ambiguous = "zero"

    @classmethod
    def binary(
        cls,
        genome: Genome,
        *,
        positives: pd.DataFrame,
        negatives: pd.DataFrame,
        val: Sequence[str] | None = None,
        test: Sequence[str] | None = None,
        reverse_complement: bool = False,
        output: str = "target",
    ) -> SequenceData:
        """Make a two-class set from intervals of equal width, split by chromosome.

        Parameters
        ----------
        genome : Genome
        positives, negatives : DataFrame
            Intervals (chrom start end name score strand), all of one width.
        val, test : sequence of str, optional
            Chromosomes held out; by default about a tenth each.
        reverse_complement : bool, default False
            Whether training batches show the other strand of half the sequences.
        output : str, default "target"
            Name of the target column.

        Raises
        ------
        DataError
            If widths differ, or a split holds one class only.
        """
        chroms = pd.concat([positives["chrom"], negatives["chrom"]], ignore_index=True)
        split = split_by_chromosome(chroms, genome.lengths, val=val, test=test)
        data = cls.from_intervals(genome, positives, negatives, split=split, output=output)
        data.reverse_complement = reverse_complement
        data.check_classes()
        return data

    @classmethod
    def from_intervals(
        cls,
        genome: Genome,
        positives: pd.DataFrame,
        negatives: pd.DataFrame,
        *,
        split: Sequence[str] | NDArray[np.str_],
        output: str = "target",
    ) -> SequenceData:
        """Make a two-class set from intervals whose splits are known: those of the positives, then of the negatives."""
        intervals = pd.concat([positives, negatives], ignore_index=True)
        widths = (intervals["end"] - intervals["start"]).unique()
        if len(widths) != 1:
            raise DataError(
                f"the intervals have {len(widths)} widths, such as {widths[:3].tolist()} bp: one was expected. "
                "Use seqdl.resize(intervals, width) first."
            )
        target = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
        inputs = [genome.path] if genome.path else []
        examples = interval_examples(intervals, target, split, output=output)
        return cls(genome.fetch(intervals), examples, [output], negatives=negatives, inputs=inputs, genome=genome)

    @classmethod
    def from_sequences(
        cls, sequences: Sequence[Codes], target: Floats, split: Sequence[str], *, names: Sequence[str], output: str = "target"
    ) -> SequenceData:
        """Make a set from sequences of equal or different lengths; the shorter are padded at their end.

        Parameters
        ----------
        sequences : sequence of Codes
        target : float array, (N,)
        split : sequence of str
            "train", "val" or "test" of each.
        names : sequence of str
            Unique names.
        output : str, default "target"
        """
        sizes = np.array([len(s) for s in sequences])
        codes = np.full((len(sequences), int(sizes.max())), PAD, dtype=np.uint8)
        for row, sequence in zip(codes, sequences, strict=True):
            row[: len(sequence)] = sequence
        examples = pd.DataFrame({"id": list(names), "chrom": "", "start": "", "end": "", "strand": "", output: target, "split": list(split)})
        return cls(codes, examples, [output], lengths=sizes if len(set(sizes)) > 1 else None)

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.examples)

    @property
    def length(self) -> int:
        """Length of the sequences, padding included (bp)."""
        return int(self.codes.shape[1])

    def rows(self, split: str | None = None) -> Ints:
        """Return the row numbers of a split, or of all examples."""
        if split is None:
            return np.arange(len(self))
        if split not in SPLITS:
            raise InputError(f"no split is called '{split}': train, val or test was expected.")
        return np.flatnonzero((self.examples["split"] == split).to_numpy())

    def held_out_rows(self) -> Ints:
        """Return the rows of validation, then those of test."""
        return np.concatenate([self.rows("val"), self.rows("test")])

    def targets(self, split: str | None = None) -> Floats:
        """Return the targets of a split, (n, T) float32; for classes their numbers, (n, 1)."""
        table = self.examples[self.outputs].iloc[self.rows(split)]
        if self.classes is None:
            return table.to_numpy(dtype=np.float32)
        number = {name: float(k) for k, name in enumerate(self.classes)}
        return table[self.outputs[0]].map(number).to_numpy(dtype=np.float32)[:, None]

    def codes_of(self, split: str | None = None) -> Codes:
        """Return the codes of a split, (n, L)."""
        found: Codes = self.codes[self.rows(split)]
        return found

    def sequences(self, rows: Ints) -> list[Codes]:
        """Return the sequences of some rows at their own lengths, so that an N at an end is not taken for padding."""
        lengths = np.full(len(self), self.length) if self.lengths is None else self.lengths
        return [self.codes[row, : lengths[row]] for row in rows]

    def one_hot(self, split: str | None = None, *, limit: int | None = None) -> Floats:
        """Return the first `limit` sequences of a split as one-hot, (n, 4, L) float32, ambiguous bases as `ambiguous` says."""
        return self.one_hot_of(self.rows(split)[:limit])

    def one_hot_of(self, rows: Ints) -> Floats:
        """Return some rows as one-hot, (n, 4, L) float32."""
        return one_hot(self.codes[rows], ambiguous=self.ambiguous, lengths=None if self.lengths is None else self.lengths[rows])

    def flanks(self, reach: int) -> Flanks:
        """Return how the windows may be moved by up to `reach` bp.

        Raises
        ------
        InputError
            If the examples did not come from a genome.
        """
        if self.genome is None:
            raise InputError(
                f"jitter is {reach} bp, but the examples are sequences, without the flanks that a window could be moved over: intervals of a "
                "genome were expected. Leave jitter out, or give --genome and --peaks."
            )
        return Flanks.of(self.genome, self.examples, reach)

    @property
    def kind(self) -> str:
        """The task that these targets ask for: binary, multiclass or regression."""
        return "multiclass" if self.classes else "regression" if self.numeric else "binary"

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many examples of each class there are in each split; for numbers how many there are at all."""
        if self.kind != "binary":
            column = self.examples[self.outputs[0]] if self.classes else pd.Series("examples", index=self.examples.index)
            names = self.classes or ["examples"]
            return {split: {name: int((column.iloc[self.rows(split)] == name).sum()) for name in names} for split in SPLITS}
        target = self.examples[self.outputs[0]].to_numpy()
        table: dict[str, dict[str, int]] = {}
        for split in SPLITS:
            rows = self.rows(split)
            table[split] = {"positives": int((target[rows] > 0).sum()), "negatives": int((target[rows] <= 0).sum())}
        return table

    def check_classes(self, least: int = 2, *, splits: Sequence[str] = SPLITS) -> None:
        """Raise `DataError` unless each of the splits holds at least `least` of either class."""
        counts = self.counts()
        for split in splits:
            for kind, n in counts[split].items():
                if n < least:
                    raise DataError(
                        f"the {split} split holds {n} {kind}: at least {least} of either class are needed in {', '.join(splits)} "
                        f"({self.summary()}). Give more examples, or name other chromosomes or files for the splits."
                    )

    def summary(self) -> str:
        """Return one line on the size of each split."""
        return ", ".join(f"{split} {' + '.join(f'{count:,}' for count in n.values())}" for split, n in self.counts().items())


def interval_examples(intervals: pd.DataFrame, target: Floats, split: Sequence[str] | Any, *, output: str = "target") -> pd.DataFrame:
    """Return an examples table for intervals; the id is the place and, where several share it, a number."""
    place = intervals["chrom"] + ":" + intervals["start"].astype(str) + "-" + intervals["end"].astype(str) + "(" + intervals["strand"] + ")"
    repeat = place.groupby(place).cumcount()
    ids = place.where(repeat == 0, place + "_" + (repeat + 1).astype(str))
    table = intervals[["chrom", "start", "end", "strand"]].reset_index(drop=True)
    table.insert(0, "id", ids.to_numpy())
    table[output] = target
    table["split"] = np.asarray(split)
    return table


class CodesDataset(Dataset[Batch]):
    """Gathers whole batches of codes; nothing is done sequence by sequence.

    What is random in a batch depends on the seed and on which examples it holds, in which order: not on the batches
    before it, and not on the process that gathers it.

    Parameters
    ----------
    data : SequenceData
    rows : int array
        The rows of `data` this data set shows.
    augmentation : Augmentation, optional
        How the examples are varied; without it they are shown as they are.
    seed : sequence of int
        Numbers that a batch's randomness begins from, such as those of the run and of the epoch.

    Raises
    ------
    InputError
        If windows are to be moved and the data have no genome.
    """

    def __init__(self, data: SequenceData, rows: Ints, augmentation: Augmentation | None = None, *, seed: Sequence[int] = (0,)) -> None:
        self.rows = rows
        self.codes = data.codes
        self.targets = data.targets()
        self.lengths = data.lengths
        self.augmentation = augmentation or Augmentation()
        self.flanks = data.flanks(self.augmentation.jitter) if self.augmentation.jitter else None
        self.seed = tuple(seed)

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.rows)

    def __getitem__(self, item: int) -> Batch:
        """Return a batch of one."""
        return self.__getitems__([item])

    def __getitems__(self, items: Sequence[int] | Ints) -> Batch:
        """Return the batch of these items, gathered in one go."""
        rows = self.rows[np.asarray(items)]
        codes = self.codes[rows]
        lengths = None if self.lengths is None else self.lengths[rows]
        if self.augmentation:
            rng = np.random.default_rng([*self.seed, zlib.crc32(rows.tobytes())])
            codes = codes if self.flanks is None else self.flanks.moved(codes, rows, rng)
            codes = self.augmentation.apply(codes, rng, lengths=lengths)
        sizes = None if lengths is None else torch.from_numpy(lengths)
        return Batch(torch.from_numpy(codes), torch.from_numpy(self.targets[rows]), torch.from_numpy(rows), sizes)
