"""Attributions of chosen sequences by a trained task, with their checks, seqlets and motifs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome
from seqdl.data.intervals import check_intervals, clip_to_genome, resize
from seqdl.errors import InputError, SeqdlError, UnknownNameError
from seqdl.experiment.predict import device_name, predict_logits, prediction_columns
from seqdl.experiment.tile import check_signals, read_signals, trained_length
from seqdl.interpret.attribute import attribute, completeness_error
from seqdl.interpret.checks import Checks, check_attributions, shares_missed, track_of
from seqdl.interpret.method import METHODS
from seqdl.interpret.readout import as_tensor
from seqdl.interpret.references import ReferenceSpec
from seqdl.interpret.seqlets import find_seqlets
from seqdl.io.bed import read_bed
from seqdl.io.fasta import read_fasta, unique_names
from seqdl.sequence.encode import decode, one_hot
from seqdl.sequence.shuffle import dinucleotide_shuffle

if TYPE_CHECKING:
    from seqdl.experiment.run import Run
    from seqdl.io.signal import Signal
    from seqdl.ledger import Ledger
    from seqdl.tasks.base import Task
    from seqdl.types import Codes, Floats, Ints

N_OWN = 200
"""Sequences of a run's own test split that are explained where nothing else is said."""
N_CHECKED = 20
"""Sequences that the checks are made on: each explains them several times over."""
ALL_BASES = ("ism", "saliency")
"""Methods whose values off the sequence are what the other bases would do."""
NARROWEST, WIDEST = 5, 25
"""Widths of seqlets (bp)."""
N_CONTROL = 100
"""Shuffled sequences, at least, that seqlets are held against."""


@dataclass(frozen=True)
class Asked:
    """Sequences to be explained.

    Attributes
    ----------
    table : DataFrame, n rows
        id; of windows of a genome also chrom, start, end, strand.
    codes : Codes, (n, L)
    lengths : int array (n,)
        Their own lengths; the shorter are padded at their end.
    signal : array (n, C, L), optional
        What the network reads beside the bases.
    """

    table: pd.DataFrame
    codes: Codes
    lengths: Ints
    signal: Floats | None = None

    def first(self, limit: int | None) -> Asked:
        """Return the first sequences alone."""
        signal = None if self.signal is None else self.signal[:limit]
        return Asked(self.table.iloc[:limit].reset_index(drop=True), self.codes[:limit], self.lengths[:limit], signal)

    def inputs(self, task: Task, codes: Codes | None = None) -> Floats:
        """Return what the network reads, (n, 4 + C, L); of other codes in the place of these where they are given."""
        bases = one_hot(self.codes if codes is None else codes, ambiguous=task.ambiguous, lengths=self.lengths)
        return bases if self.signal is None else np.concatenate([bases, self.signal.astype(np.float32)], axis=1)


@dataclass(frozen=True)
class How:
    """How sequences are explained.

    Parameters
    ----------
    method : str, default "deeplift"
        A name of `METHODS`.
    output : str, optional
        Which output of the task; by default the first, and of classes that exclude each other the one that is called.
    references : int, "uniform" or "zeros", default 10
        Of the methods that compare with references.
    seed : int, default 0
    device : str, default "auto"
    options : dict
        Further options of the method.
    """

    method: str = "deeplift"
    output: str | None = None
    references: ReferenceSpec = 10
    seed: int = 0
    device: str = "auto"
    options: dict[str, Any] = field(default_factory=dict)

    def check(self, outputs: Sequence[str]) -> None:
        """Raise where a method, an option or an output has no such name, before anything runs."""
        METHODS.check_options(self.method, self.options)
        if self.output is not None and self.output not in outputs:
            raise UnknownNameError("output of this network", self.output, outputs)


@dataclass(frozen=True)
class Explained:
    """Sequences with their attributions.

    Attributes
    ----------
    asked : Asked
    how : How
    scores : array, (n, 4, L), float32
    every_base : array, (n, 4, L), or None
        What each base would contribute if it stood there, where the method says so.
    table : DataFrame, n rows
        Of each sequence its id and place, the output that is explained, its prediction and logit; of methods whose values add up also
        their sum, and what of the change against the references it misses.
    notes : list of str
        What was said while they were made.
    """

    asked: Asked
    how: How
    scores: NDArray[np.float32]
    every_base: NDArray[np.float32] | None
    table: pd.DataFrame
    notes: list[str]

    @property
    def track(self) -> Floats:
        """The attributions at the bases themselves, (n, L)."""
        return track_of(self.scores, as_tensor(one_hot(self.asked.codes, lengths=self.asked.lengths)))


def from_fasta(task: Task, path: str, ledger: Ledger) -> Asked:
    """Return the sequences of a FASTA."""
    check_signals(task, 0)
    records = read_fasta(path, ledger=ledger)
    names = unique_names([record.name for record in records])
    data = SequenceData.from_sequences([record.codes for record in records], np.zeros(len(records)), ["test"] * len(records), names=names)
    return Asked(data.examples[["id"]], data.codes, np.array([len(record.codes) for record in records]))


def from_regions(task: Task, genome: Genome, path: str, *, ledger: Ledger, signals: Sequence[Signal] = ()) -> Asked:
    """Return windows around the middle of the intervals of a BED, as wide as those of the training."""
    check_signals(task, len(signals))
    intervals = read_bed(path, ledger=ledger)
    check_intervals(intervals, genome.lengths, source=path)
    windows = clip_to_genome(resize(intervals, trained_length(task)), genome.lengths, ledger)
    if not len(windows):
        raise InputError(f"{path}: no window of {trained_length(task)} bp lies within the genome; at least one was expected. See what was dropped.")
    table = windows[["name", "chrom", "start", "end", "strand"]].rename(columns={"name": "id"}).reset_index(drop=True)
    codes = genome.fetch(windows)
    return Asked(table, codes, np.full(len(codes), codes.shape[1]), read_signals(signals, windows))


def from_run(run: Run) -> Asked:
    """Return the test examples of a run: of two classes the positives, else all."""
    data = run.data
    rows = data.rows("test")
    if data.kind == "binary":
        rows = rows[(data.targets()[rows] > 0).any(1)]
    if not len(rows):
        raise InputError(f"{run.folder}: its test split holds no example to explain; at least one was expected. Give sequences with --fasta.")
    chosen = data.examples.iloc[rows].reset_index(drop=True)
    columns = ["id", "chrom", "start", "end", "strand"] if (chosen["chrom"] != "").all() else ["id"]
    lengths = np.full(len(rows), data.length) if data.lengths is None else data.lengths[rows]
    return Asked(chosen[columns], data.codes[rows], lengths, None if data.signal is None else data.signal[rows])


def explain(task: Task, asked: Asked, how: How) -> Explained:
    """Attribute the predictions of a task to the bases of some sequences.

    Parameters
    ----------
    task : Task
    asked : Asked
    how : How

    Raises
    ------
    UnknownNameError
        If there is no such method, option or output.
    InputError
        If the network cannot take the sequences, or the method has no rule for one of its layers.
    """
    how.check(task.outputs)
    columns = _predictions(task, asked, how.device)
    output = _outputs(task, how.output, columns)
    several = len(task.outputs) > 1
    table = asked.table.assign(
        output=output,
        prediction=[columns[f"prediction_{name}" if several else "prediction"][row] for row, name in enumerate(output)],
        logit=[columns[f"logit_{name}" if several else "logit"][row] for row, name in enumerate(output)],
    )
    x, scores = asked.inputs(task), np.zeros((len(asked.codes), 4, asked.codes.shape[1]), dtype=np.float32)
    every, missed = np.zeros_like(scores), np.full(len(x), np.nan)
    hypothetical = bool(how.options.get("hypothetical"))
    task.to(device_name(how.device))
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", UserWarning)
            for rows, length, name in _groups(asked.lengths, output):
                part = x[rows, :, :length]
                shared: dict[str, Any] = {"output": name, "references": how.references, "seed": how.seed}
                every[rows, :, :length] = attribute(task, part, method=how.method, **shared, **how.options)
                scores[rows, :, :length] = every[rows, :, :length] * (part[:, :4] if hypothetical else 1)
                if "references" in METHODS.options(how.method):
                    missed[rows] = completeness_error(task, part, scores[rows, :, :length], **shared)
    finally:
        task.to("cpu")
    if np.isfinite(missed).any():
        table = table.assign(sum=scores.sum((1, 2)), missed=missed)
    notes = [str(one.message) for one in said if issubclass(one.category, UserWarning)]
    tells = hypothetical or (how.method in ALL_BASES and not how.options.get("deletions"))
    return Explained(asked, how, scores, every if tells else None, table, list(dict.fromkeys(notes)))


def sums(found: Explained) -> dict[str, float] | None:
    """Return what the sums of the contributions miss; None of methods whose values are not meant to add up."""
    if "missed" not in found.table:
        return None
    return shares_missed(found.table["sum"].to_numpy(), found.table["missed"].to_numpy(), method=found.how.method)


def check(task: Task, found: Explained) -> Checks:
    """Check the attributions of the first sequences of the commonest output and length: sums, randomised weights, other methods, the other strand."""
    groups = _groups(found.asked.lengths, found.table["output"].to_list())
    rows, length, name = max(groups, key=lambda group: len(group[0]))
    rows = rows[:N_CHECKED]
    how, x = found.how, found.asked.inputs(task)[rows, :, :length]
    options = {key: value for key, value in how.options.items() if key != "hypothetical"}
    shared: dict[str, Any] = {"output": name, "references": how.references, "seed": how.seed}
    task.to(device_name(how.device))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # said when they were made
            scores = attribute(task, x, method=how.method, **shared, **options)  # references go by the row among those explained together
            return check_attributions(task, x, scores, method=how.method, **shared, **options)
    finally:
        task.to("cpu")


def check_seqlets(asked: Asked, *, pvalue: float) -> None:
    """Raise `InputError` where no seqlet can be found in what is asked for, before anything runs."""
    if not 0 < pvalue < 1:
        raise InputError(f"--pvalue {pvalue}: a probability between 0 and 1 was expected. Try 1e-3.")
    longest = int(asked.lengths.max())
    if longest < NARROWEST:
        raise InputError(
            f"the sequences are at most {longest} bp long, and a seqlet has at least {NARROWEST}: longer ones were expected. Leave --seqlets out."
        )


def seqlets(task: Task, found: Explained, *, pvalue: float) -> pd.DataFrame:
    """Return the seqlets of attributions, held against those of shuffles of the same sequences.

    Returns
    -------
    DataFrame
        id, start, end (within the sequence), score, p, q, bases, and of windows of a genome chrom, chrom_start, chrom_end.
    """
    asked = found.asked
    rounds = int(np.ceil(N_CONTROL / len(asked.codes)))
    controls = []
    for number in range(rounds):
        shuffled = Asked(asked.table, dinucleotide_shuffle(asked.codes, seed=found.how.seed + 1000 + number), asked.lengths, asked.signal)
        controls.append(_padded(explain(task, shuffled, found.how)))
    widths = (NARROWEST, min(WIDEST, int(asked.lengths.max())))
    table = find_seqlets(_padded(found), control=np.concatenate(controls), pvalue=pvalue, widths=widths)
    rows, starts, ends = (table[name].to_numpy() for name in ("sequence", "start", "end"))
    table.insert(0, "id", asked.table["id"].to_numpy()[rows])
    table["bases"] = [decode(asked.codes[row, start:end]) for row, start, end in zip(rows, starts, ends, strict=True)]
    if "chrom" in asked.table:
        place = asked.table.iloc[rows]
        turned = (place["strand"] == "-").to_numpy()
        first, last = place["start"].to_numpy(np.int64), place["end"].to_numpy(np.int64)
        table["chrom"] = place["chrom"].to_numpy()
        table["chrom_start"] = np.where(turned, last - ends, first + starts)
        table["chrom_end"] = np.where(turned, last - starts, first + ends)
    return table.drop(columns="sequence")


def _padded(found: Explained) -> Floats:
    """Return the attributions at the bases, NaN where a sequence is padded."""
    beyond = np.arange(found.asked.codes.shape[1]) >= found.asked.lengths[:, None]
    return np.where(beyond, np.nan, found.track)


def _predictions(task: Task, asked: Asked, device: str) -> dict[str, NDArray[Any]]:
    """Return the columns of predictions and logits; a network that cannot take the sequences says so in a sentence."""
    lengths = asked.lengths if (asked.lengths != asked.codes.shape[1]).any() else None
    try:
        logits = predict_logits(task, asked.codes, lengths=lengths, signal=asked.signal, device=device)
    except RuntimeError as error:
        if isinstance(error, SeqdlError):
            raise
        sizes = f"{asked.lengths.min()} to {asked.lengths.max()}" if lengths is not None else f"{asked.codes.shape[1]}"
        trained = task.recipe.get("length")
        raise InputError(
            f"the network cannot take sequences of {sizes} bp ({str(error).splitlines()[0]}); "
            f"{f'{trained} bp, as in its training,' if trained else 'longer ones'} were expected. Give sequences of another length."
        ) from error
    return prediction_columns(task, logits, lengths=lengths)


def _outputs(task: Task, asked: str | None, columns: dict[str, NDArray[Any]]) -> list[str]:
    """Return which output is explained for each sequence."""
    n = len(next(iter(columns.values())))
    if asked is not None or not task.exclusive:
        return [asked or task.outputs[0]] * n
    return [str(name) for name in columns["prediction"]]


def _groups(lengths: Ints, outputs: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], int, str]]:
    """Yield the rows of each length and output."""
    names = np.array(outputs, dtype=object)
    for length in np.unique(lengths):
        for name in dict.fromkeys(outputs):
            rows = np.flatnonzero((lengths == length) & (names == name))
            if len(rows):
                yield rows, int(length), name
