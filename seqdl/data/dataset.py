"""Examples in memory: codes, targets and splits, and how batches are gathered from them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from seqdl.data.augment import Augmentation
from seqdl.data.examples import interval_examples, within
from seqdl.data.flanks import Flanks
from seqdl.data.genome import Genome
from seqdl.data.split import split_by_chromosome
from seqdl.errors import DataError, InputError
from seqdl.io.cache import take_rows
from seqdl.ledger import Ledger
from seqdl.sequence.encode import one_hot
from seqdl.types import PAD, SPLITS, Ambiguous, Batch, Codes, Floats, Ints


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
        The target columns of `examples`; none where nothing is known of the sequences.
    classes : list of str, optional
        Where the one target column names a class: the classes, in the order of their numbers.
    numeric : bool, default False
        Whether targets are numbers to be predicted, rather than 0 and 1.
    counts : bool, default False
        Whether those numbers count something, and are never negative.
    tracks : array (N, T, L), optional
        The truth of every base, where targets lie along the sequence; the target columns then sum them up: the share of the
        labelled bases, the total of a signal.
    labels : bool, default False
        Whether `tracks` are 0 and 1, rather than numbers.
    signal : float array (N, C, L), optional
        Measured tracks that the network reads beside the bases.
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
    context : int, default 0
        How many of a sequence's bases at either end surround the window that was asked for (bp).
    ambiguous : {"zero", "uniform"}, default "zero"
        How a network reads an ambiguous base: as no base at all, or as a quarter of each. Padding is no base in either.
    """

    codes: Codes
    examples: pd.DataFrame
    outputs: list[str]
    classes: list[str] | None = None
    numeric: bool = False
    counts: bool = False
    tracks: NDArray[Any] | None = None
    labels: bool = False
    signal: NDArray[np.float32] | None = None
    lengths: Ints | None = None
    reverse_complement: bool = False
    negatives: pd.DataFrame | None = None
    ledger: Ledger = field(default_factory=Ledger)
    inputs: list[Path] = field(default_factory=list)
    genome: Genome | None = None
    context: int = 0
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
        context: int = 0,
    ) -> SequenceData:
        """Make a two-class set from intervals whose splits are known: those of the positives, then of the negatives.

        Of the intervals `context` bp at either end surround the window that an example is named after.
        """
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
        examples["id"] = interval_examples(within(intervals, context), target, split, output=output)["id"]
        return cls(genome.fetch(intervals), examples, [output], negatives=within(negatives, context), inputs=inputs, genome=genome, context=context)

    @classmethod
    def from_sequences(
        cls, sequences: Sequence[Codes], target: Floats | None, split: Sequence[str], *, names: Sequence[str] | None = None, output: str = "target"
    ) -> SequenceData:
        """Make a set from sequences of equal or different lengths; the shorter are padded at their end.

        Parameters
        ----------
        sequences : sequence of Codes
        target : float array, (N,), or None
            None where nothing is known of the sequences but their bases.
        split : sequence of str
            "train", "val" or "test" of each.
        names : sequence of str, optional
            Unique names; by default sequence1, sequence2, ...
        output : str, default "target"
        """
        sizes = np.array([len(s) for s in sequences])
        codes = np.full((len(sequences), int(sizes.max())), PAD, dtype=np.uint8)
        for row, sequence in zip(codes, sequences, strict=True):
            row[: len(sequence)] = sequence
        ids = [f"sequence{i}" for i in range(1, len(sizes) + 1)] if names is None else list(names)
        known = {} if target is None else {output: target}
        examples = pd.DataFrame({"id": ids, "chrom": "", "start": "", "end": "", "strand": "", **known, "split": list(split)})
        return cls(codes, examples, list(known), lengths=sizes if len(set(sizes)) > 1 else None)

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

    def truth(self) -> NDArray[Any]:
        """Return what batches hold as targets: the tracks (N, T, L) where there are any, else the targets (N, T)."""
        return self.targets() if self.tracks is None else self.tracks

    def take(self, rows: Ints) -> SequenceData:
        """Return a set of these rows alone, in this order; its ledger and inputs are this one's."""
        held = {name: getattr(self, name) for name in ("codes", "tracks", "signal", "lengths")}
        parts: dict[str, Any] = {name: None if array is None else take_rows(array, rows) for name, array in held.items()}
        return replace(self, examples=self.examples.iloc[rows].reset_index(drop=True), **parts)

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
        if self.tracks is not None or self.signal is not None:
            raise InputError(
                f"jitter is {reach} bp, but the examples have a truth or a signal at every base, which a moved window would leave behind: sequences "
                "with one target each were expected. Leave jitter out; --step below --window gives windows that overlap."
            )
        if self.genome is None:
            raise InputError(
                f"jitter is {reach} bp, but the examples are sequences, without the flanks that a window could be moved over: intervals of a "
                "genome were expected. Leave jitter out, or give --genome and --peaks."
            )
        return Flanks.of(self.genome, self.examples, reach)

    @property
    def kind(self) -> str:
        """What is known of an example.

        binary: yes or no, for one output or several; multiclass: one of several classes; regression: numbers; labels and signal: yes or no,
        and numbers, for every base; none: nothing.
        """
        if not self.outputs:
            return "none"
        if self.tracks is not None:
            return "labels" if self.labels else "signal"
        return "multiclass" if self.classes else "regression" if self.numeric else "binary"

    def sizes(self) -> dict[str, dict[str, int]]:
        """Return how many examples of each class there are in each split; without classes how many there are at all."""
        if self.kind != "binary" or len(self.outputs) > 1:
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
        counts = self.sizes()
        for split in splits:
            for kind, n in counts[split].items():
                if n < least:
                    raise DataError(
                        f"the {split} split holds {n} {kind}: at least {least} of either class are needed in {', '.join(splits)} "
                        f"({self.summary()}). Give more examples, or name other chromosomes or files for the splits."
                    )

    def summary(self) -> str:
        """Return one line on the size of each split."""
        return ", ".join(f"{split} {' + '.join(f'{count:,}' for count in n.values())}" for split, n in self.sizes().items())


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
        self.data, self.rows = data, rows
        self.codes = np.ascontiguousarray(data.codes)  # take() would copy any other as a whole
        self.targets = np.ascontiguousarray(data.truth())
        self.signal = data.signal
        self.lengths = data.lengths
        self.flanks: Flanks | None = None
        self._vary(augmentation or Augmentation(), seed)

    def _vary(self, augmentation: Augmentation, seed: Sequence[int]) -> None:
        self.augmentation, self.seed = augmentation, tuple(seed)
        if augmentation.jitter and self.flanks is None:
            self.flanks = self.data.flanks(augmentation.jitter)

    def varied(self, augmentation: Augmentation, *, seed: Sequence[int]) -> CodesDataset:
        """Return a data set of the same examples, varied anew; what is known of them is not looked up again."""
        found = copy(self)
        found._vary(augmentation, seed)
        return found

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.rows)

    def __getitem__(self, item: int) -> Batch:
        """Return a batch of one."""
        return self.__getitems__([item])

    def __getitems__(self, items: Sequence[int] | Ints) -> Batch:
        """Return the batch of these items, gathered in one go."""
        (batch,) = self.gather(np.asarray(items)[None])
        return batch

    def gather(self, items: Ints) -> Iterator[Batch]:
        """Yield n batches of items (n, B), all gathered in one go; each is what it would be by itself."""
        rows = self.rows.take(items)
        none = [None] * len(rows)
        codes, targets = _taken(self.codes, rows), _taken(self.targets, rows).float()
        lengths, signal = (none if array is None else _taken(array, rows).unbind() for array in (self.lengths, self.signal))
        batches = map(Batch, codes.unbind(), targets.unbind(), torch.from_numpy(rows).unbind(), lengths, signal)
        return map(self._varied, batches) if self.augmentation else batches

    def _varied(self, batch: Batch) -> Batch:
        """Return a batch varied by what its rows and the seed decide."""
        rows, shown = batch.index.numpy(), batch.codes.numpy()
        rng = np.random.default_rng([*self.seed, zlib.crc32(rows.tobytes())])
        moved = shown if self.flanks is None else self.flanks.moved(shown, rows, rng)
        along = [part.numpy() for part in (batch.targets, batch.signal) if part is not None and part.ndim == 3]  # this batch's own: turned in place
        varied = self.augmentation.apply(moved, rng, lengths=None if batch.lengths is None else batch.lengths.numpy(), along=along)
        return replace(batch, codes=torch.from_numpy(varied))


def _taken(array: NDArray[Any], rows: Ints) -> Tensor:
    """Return some rows of an array, several times as fast as an index in brackets does."""
    return torch.from_numpy(array.take(rows, axis=0))
