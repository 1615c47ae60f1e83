"""How examples are made: of intervals, of sequences, of windows with something known of every base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqdl.data.example_set import ExampleSet
from seqdl.data.examples import interval_examples, within
from seqdl.data.genome import Genome
from seqdl.data.split import split_by_chromosome
from seqdl.data.targets import base_labels, base_profile
from seqdl.errors import DataError, InputError, ShapeError
from seqdl.io.signal import Signal
from seqdl.ledger import Ledger
from seqdl.types import PAD, Codes, Floats


class SequenceData(ExampleSet):
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
        cls,
        sequences: Sequence[Codes],
        target: Floats | Sequence[str] | None,
        split: Sequence[str],
        *,
        names: Sequence[str] | None = None,
        output: str = "target",
        numeric: bool = False,
        classes: Sequence[str] | None = None,
    ) -> SequenceData:
        """Make a set from sequences of equal or different lengths; the shorter are padded at their end.

        Parameters
        ----------
        sequences : sequence of Codes
        target : float array, (N,), sequence of str, or None
            0 and 1; numbers, where `numeric` says so; of classes their names; None where nothing is known of the sequences but their bases.
        split : sequence of str
            "train", "val" or "test" of each.
        names : sequence of str, optional
            Unique names; by default sequence1, sequence2, ...
        output : str, default "target"
        numeric : bool, default False
            Whether the targets are numbers to be predicted, rather than 0 and 1; they are counts where all are whole and none is negative.
        classes : sequence of str, optional
            The classes in the order of their numbers, where the targets name them.

        Raises
        ------
        InputError
            If a target names no class.
        """
        sizes = np.array([len(s) for s in sequences])
        codes = np.full((len(sequences), int(sizes.max())), PAD, dtype=np.uint8)
        for row, sequence in zip(codes, sequences, strict=True):
            row[: len(sequence)] = sequence
        ids = [f"sequence{i}" for i in range(1, len(sizes) + 1)] if names is None else list(names)
        known = {} if target is None else {output: target}
        examples = pd.DataFrame({"id": ids, "chrom": "", "start": "", "end": "", "strand": "", **known, "split": list(split)})
        made = cls(codes, examples, list(known), lengths=sizes if len(set(sizes)) > 1 else None, numeric=numeric)
        if numeric and target is not None:
            numbers = np.asarray(target, dtype=np.float64)
            made.counts = bool((numbers >= 0).all() and (numbers == np.round(numbers)).all())
        if classes is not None:
            strangers = sorted(set(map(str, target if target is not None else ())) - set(classes))
            if strangers:
                raise InputError(f"the targets hold '{strangers[0]}'; one of {', '.join(classes)} was expected. Name all classes.")
            made.classes = list(classes)
        return made

    @classmethod
    def along(
        cls,
        codes: Codes,
        tracks: ArrayLike,
        split: Sequence[str] | NDArray[np.str_],
        *,
        outputs: Sequence[str],
        names: Sequence[str] | None = None,
        labels: bool | None = None,
        signal: ArrayLike | None = None,
    ) -> SequenceData:
        """Make a set whose truth lies along the sequence: a label or a number at every base.

        Parameters
        ----------
        codes : Codes, (N, L)
            Sequences of one length.
        tracks : array_like, (N, T, L), or (N, L) of one output
            The truth of every base; see `seqdl.base_labels` and `seqdl.base_profile`.
        split : sequence of str
            "train", "val" or "test" of each.
        outputs : sequence of T str
            What the tracks are called.
        names : sequence of str, optional
            Unique names of the sequences; by default sequence1, sequence2, ...
        labels : bool, optional
            Whether the tracks are labels, 0 or 1, rather than numbers; by default whether they hold nothing else.
        signal : array_like, (N, C, L), or (N, L) of one, optional
            Measured tracks that the network reads beside the bases.

        Raises
        ------
        ShapeError
            If the arrays do not fit each other, or the outputs.
        DataError
            If a value is not finite, or labels are other than 0 and 1.

        Examples
        --------
        >>> codes = np.zeros((3, 8), dtype=np.uint8)
        >>> data = SequenceData.along(codes, np.eye(3, 8), ["train", "val", "test"], outputs=["site"])
        >>> data.kind, data.tracks.shape, data.examples["site"].tolist()
        ('labels', (3, 1, 8), [0.125, 0.125, 0.125])
        """
        codes = np.asarray(codes, dtype=np.uint8)
        if codes.ndim != 2:
            raise ShapeError(f"the codes have the shape {codes.shape}; (N, L) was expected: sequences of one length. Cut them to one window.")
        made = cls.from_sequences(list(codes), None, list(split), names=names)
        made._set_tracks(outputs, tracks_of(tracks, codes, "tracks"), labels=labels)
        if signal is not None:
            made.signal = tracks_of(signal, codes, "signals")
        return made

    @classmethod
    def from_windows(
        cls,
        genome: Genome,
        windows: pd.DataFrame,
        *,
        labels: Mapping[str, pd.DataFrame] | None = None,
        signals: Mapping[str, Signal] | None = None,
        input_signals: Sequence[Signal] = (),
        val: Sequence[str] | None = None,
        test: Sequence[str] | None = None,
    ) -> SequenceData:
        """Make a set of windows of a genome, with a label or a signal at every base or nothing but the bases, split by chromosome.

        Parameters
        ----------
        genome : Genome
        windows : DataFrame
            Intervals (chrom start end name score strand), all of one width, such as `seqdl.tile` makes; those of the minus strand are
            read from right to left, and so is what is known of them.
        labels : dict of str to DataFrame, optional
            Of each output the intervals whose bases are labelled 1; see `seqdl.read_bed` and `seqdl.read_gff`.
        signals : dict of str to Signal, optional
            Of each output the signal that is to be predicted, instead of labels; see `seqdl.open_signal`. A base without a value counts 0.
        input_signals : sequence of Signal, optional
            What the network reads beside the bases.
        val, test : sequence of str, optional
            Chromosomes held out; by default about a tenth each.

        Raises
        ------
        InputError
            If labels and signals are given together, or the windows do not fit them.

        Examples
        --------
        >>> genome = Genome.from_codes({name: np.zeros(8, dtype=np.uint8) for name in ("a", "b", "c")})
        >>> windows = pd.DataFrame({"chrom": list("abc"), "start": 0, "end": 8, "name": ".", "score": 0.0, "strand": "."})
        >>> site = pd.DataFrame({"chrom": list("abc"), "start": 2, "end": 4})
        >>> data = SequenceData.from_windows(genome, windows, labels={"site": site}, val=["b"], test=["c"])
        >>> data.kind, data.tracks[0, 0].tolist()
        ('labels', [0, 0, 1, 1, 0, 0, 0, 0])
        """
        if labels and signals:
            raise InputError("labels and signals were given together; one kind of target was expected. Train a network for each.")
        ledger = Ledger()
        split = split_by_chromosome(windows["chrom"], genome.lengths, val=val, test=test)
        examples = interval_examples(windows, np.zeros(len(windows)), split).drop(columns="target")
        made = cls(genome.fetch(windows), examples, [], ledger=ledger, inputs=[genome.path] if genome.path else [], genome=genome)
        if labels:
            made._set_tracks(list(labels), np.stack([_merged(one, windows) for one in labels.values()], axis=1), labels=True)
        elif signals:
            made._set_tracks(list(signals), np.stack([base_profile(one, windows, ledger=ledger) for one in signals.values()], axis=1), labels=False)
        if input_signals:
            made.signal = np.stack([base_profile(one, windows, ledger=ledger) for one in input_signals], axis=1)
        return made

    def _set_tracks(self, outputs: Sequence[str], tracks: NDArray[Any], *, labels: bool | None) -> None:
        """Take tracks (N, T, L) as the truth, and as targets what sums them up: the share of labelled bases, the total of a signal."""
        if isinstance(outputs, str) or len(outputs) != tracks.shape[1] or len(set(outputs)) < len(outputs) or set(outputs) & set(self.examples):
            raise ShapeError(
                f"the outputs are {outputs!r} and there are {tracks.shape[1]} tracks; a list of as many different names was expected, none of them "
                f"{', '.join(map(str, self.examples))}. Name each track."
            )
        zero_one = bool(np.isin(tracks, (0, 1)).all())
        if labels and not zero_one:
            raise DataError(f"the labels hold {tracks[~np.isin(tracks, (0, 1))][0]:g}; 0 and 1 were expected. Pass labels=False for numbers.")
        self.labels = zero_one if labels is None else labels
        self.numeric = not self.labels
        self.tracks = tracks.astype(np.uint8 if self.labels else np.float32)
        sums = (tracks.mean if self.labels else tracks.sum)(axis=2, dtype=np.float64)
        self.counts = self.numeric and bool((sums >= 0).all())
        self.set_targets(outputs, sums)


def tracks_of(values: ArrayLike, codes: Codes, what: str) -> NDArray[np.float32]:
    """Return values at every base of codes (N, L) as (N, T, L); those of one track may lack the dimension in the middle."""
    found = np.asarray(values, dtype=np.float32)
    found = found[:, None] if found.ndim == 2 else found
    if found.ndim != 3 or (found.shape[0], found.shape[2]) != codes.shape:
        n, length = codes.shape
        raise ShapeError(
            f"the {what} have the shape {np.shape(values)} and the codes {codes.shape}; ({n}, T, {length}) was expected, or {codes.shape} of one. "
            "Pass a value for every base of every sequence."
        )
    if not np.isfinite(found).all():
        raise DataError(f"the {what} hold {found[~np.isfinite(found)][0]}; finite numbers were expected. Give 0 where nothing was seen.")
    return found


def _merged(features: pd.DataFrame, windows: pd.DataFrame) -> NDArray[np.uint8]:
    """Return 1 at every base of windows that lies in a feature of any kind, (I, L)."""
    return base_labels(features[["chrom", "start", "end"]], windows)
