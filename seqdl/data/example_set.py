"""Examples in memory: what is known of them, and the views that training and measuring take of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.flanks import Flanks
from seqdl.data.genome import Genome
from seqdl.errors import DataError, InputError
from seqdl.io.cache import take_rows
from seqdl.ledger import Ledger
from seqdl.sequence.encode import one_hot
from seqdl.types import SPLITS, Ambiguous, Codes, Floats, Ints


@dataclass
class ExampleSet:
    """Examples with their targets and splits, however they were made: `SequenceData` makes them, and says what each field is."""

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

    def take(self, rows: Ints) -> Self:
        """Return a set of these rows alone, in this order; its ledger and inputs are this one's."""
        held = {name: getattr(self, name) for name in ("codes", "tracks", "signal", "lengths")}
        parts: dict[str, Any] = {name: None if array is None else take_rows(array, rows) for name, array in held.items()}
        return replace(self, examples=self.examples.iloc[rows].reset_index(drop=True), **parts)

    def subset(self, share: float, *, seed: int = 0) -> Self:
        """Return the set with a share of its training split, drawn from each class; validation and test stay whole.

        A smaller share of the same seed lies within a larger one.

        Parameters
        ----------
        share : float, in (0, 1]
            Of the training examples; of each class at least two are kept.
        seed : int, default 0

        Raises
        ------
        InputError
            If the share is out of range.
        """
        if not 0 < share <= 1:
            raise InputError(f"a share of {share:g} of the training examples was asked for; more than 0 and at most 1 was expected. Try 0.1.")
        rng, rows = np.random.default_rng(seed), self.rows("train")
        number = self.targets("train")[:, 0] if self.kind in ("binary", "multiclass") else np.zeros(len(rows))
        kept = []
        for value in np.unique(number):
            order = rng.permutation(np.flatnonzero(number == value))
            kept.append(rows[order[: max(2, round(share * len(order)))]])
        return self.take(np.concatenate([np.sort(np.concatenate(kept)), self.held_out_rows()]))

    def permuted(self, *, seed: int = 0) -> Self:
        """Return the set with the targets of training and validation dealt out anew within each split; the test split stays as it is.

        What a network learns of it, it has learnt by heart.
        """
        rng, order = np.random.default_rng(seed), np.arange(len(self))
        for rows in (self.rows("train"), self.rows("val")):
            order[rows] = rng.permutation(rows)
        table = self.examples.assign(**{name: self.examples[name].to_numpy()[order] for name in self.outputs})
        return replace(self, examples=table, tracks=None if self.tracks is None else take_rows(self.tracks, order))

    def set_targets(self, names: Sequence[str], values: Floats) -> None:
        """Put targets (N, T) into the table of examples, before the column of the split, under the names of the outputs."""
        self.outputs = list(names)
        table = self.examples.drop(columns="split")
        self.examples = table.assign(**{name: values[:, t] for t, name in enumerate(names)}, split=self.examples["split"])

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
