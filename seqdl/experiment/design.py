"""Designed sequences of a run: towards a prediction, under constraints, checked by another network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from seqdl.errors import InputError, MissingFileError
from seqdl.experiment.design_scores import Checked, Predictor, best_real, check_lengths, predictors
from seqdl.experiment.design_starts import Starts
from seqdl.experiment.predict import device_name
from seqdl.experiment.provenance import write_json
from seqdl.interpret.constraints import Constraints
from seqdl.interpret.design import Designs, design_latents, design_sequences
from seqdl.interpret.inputs import scores_of
from seqdl.interpret.readout import Readout
from seqdl.interpret.search import Search
from seqdl.io.fasta import write_fasta
from seqdl.io.motifs import read_motifs
from seqdl.io.table import write_tsv
from seqdl.sequence.alphabet import IUPAC
from seqdl.sequence.composition import gc_content

if TYPE_CHECKING:
    from seqdl.experiment.run import Run
    from seqdl.motif.motif import Motif
    from seqdl.types import Codes, Floats

COLUMNS = ("id", "start", "score_before", "score_after", "prediction_before", "prediction_after", "check_before", "check_after", "changes", "gc")
UNCHECKED = (
    "WARNING: nothing checked these designs. A network can be fooled by its own optimum: score them with one that was trained apart, "
    "--check RUN2, before any is believed or ordered."
)


@dataclass(frozen=True)
class Wanted:
    """What is designed.

    Attributes
    ----------
    output : int
        Of the network.
    towards : "max", "min" or float
        A number is a prediction, behind the link.
    constraints : Constraints
    search : Search
    device : str
    """

    output: int = 0
    towards: Literal["max", "min"] | float = "max"
    constraints: Constraints = field(default_factory=Constraints)
    search: Search = field(default_factory=Search)
    device: str = "auto"


@dataclass(frozen=True)
class Found:
    """What was designed.

    Attributes
    ----------
    table : DataFrame
        A row each: id, start, the score (before the link) and the prediction before and after, the score of the check before and after
        (empty without one), the number of changes, GC, and whether every constraint is met.
    codes : list of Codes
    verdict : list of str
        A line each.
    settings : dict
        How it was searched, as plain data.
    """

    table: pd.DataFrame
    codes: list[Codes]
    verdict: list[str]
    settings: dict[str, Any]


def design(run: Run, starts: Starts, wanted: Wanted, *, check: Run | None = None) -> Found:
    """Design sequences towards a prediction of a run.

    Parameters
    ----------
    run : Run
    starts : Starts
    wanted : Wanted
    check : Run, optional
        Trained apart. Without it the last member of an ensemble is left out of the optimisation and checks; of a single network nothing does.

    Raises
    ------
    InputError
        If a run predicts nothing of a sequence, cannot take the starts, or the constraints cannot be kept.
    UnknownNameError
        If there is no such output or method.
    """
    predictor, checked = predictors(run, wanted.output, check)
    towards = wanted.towards if isinstance(wanted.towards, str) else predictor.score_of(wanted.towards)
    first = starts.codes if starts.codes is not None else list(_required(starts).likeliest(_required(starts).latents[:1])[0])
    check_lengths(predictor, first)
    if checked is not None:
        check_lengths(checked.predictor, first, what=checked.said)
    place = device_name(wanted.device)
    for one in (predictor, *([checked.predictor] if checked else [])):
        one.to(place)
    try:
        asked: dict[str, Any] = {"towards": towards, "constraints": wanted.constraints, "search": wanted.search}
        if starts.writer is None:
            found = design_sequences(predictor, first, **asked)
        else:
            found = design_latents(predictor, starts.writer, starts.codes, **asked)
        table = _table(starts.names, found, predictor, checked=checked)
    finally:
        for one in (predictor, *([checked.predictor] if checked else [])):
            one.to("cpu")
    lines = [
        _reached(run, table, wanted, by_all=predictor.members is None),
        _checked_line(table, towards, checked),
        f"every design keeps its constraints: {wanted.constraints.text()}",
    ]
    settings = {
        "output": run.task.outputs[wanted.output],
        "towards": wanted.towards,
        "constraints": wanted.constraints.text(),
        "check": None if checked is None else checked.said,
        "search": asdict(wanted.search),
    }
    return Found(table, found.codes, lines, settings)


def _required(starts: Starts) -> Any:
    assert starts.writer is not None, "starts are sequences, or latents of a writer"
    return starts.writer


def _table(names: Sequence[str], found: Designs, predictor: Predictor, *, checked: Checked | None) -> pd.DataFrame:
    """Return the row of each design."""
    nothing = np.full(len(names), np.nan)
    before, after = (nothing if checked is None else _scores(checked.predictor, some) for some in (found.starts, found.codes))
    columns = (
        [f"{name}_design" for name in names],
        list(names),
        found.before,
        found.after,
        predictor.prediction(found.before),
        predictor.prediction(found.after),
        before,
        after,
        found.changes,
        [float(gc_content(codes)) for codes in found.codes],
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))).assign(constraints="met")


def _scores(predictor: Predictor, codes: Sequence[Codes]) -> Floats:
    readout = Readout(predictor)
    return np.array([float(scores_of(readout, one[None])[0]) for one in codes])


def _reached(run: Run, table: pd.DataFrame, wanted: Wanted, *, by_all: bool) -> str:
    """Return how far the designs went, in a line, beside the best real sequence, which the whole of an ensemble predicted."""
    before, after = table["prediction_before"], table["prediction_after"]
    name = run.task.outputs[wanted.output]
    n = f"{len(table)} design{'s' if len(table) > 1 else ''} by {wanted.search.method}"
    line = (
        f"{n} towards {'the ' + wanted.towards if isinstance(wanted.towards, str) else f'{wanted.towards:g}'} of {name}: the median prediction"
        f"{'' if by_all else ' of the members that were optimised'} goes"
    )
    line += f" from {before.median():.4g} to {after.median():.4g} (score {table['score_before'].median():.3f} to {table['score_after'].median():.3f})"
    line += f" with {table['changes'].median():g} changes"
    if not isinstance(wanted.towards, str):
        return f"{line}; the farthest from {wanted.towards:g} is {after.iloc[int((after - wanted.towards).abs().to_numpy().argmax())]:.4g}"
    real = best_real(run, wanted.output, towards=wanted.towards)
    if real is None:
        return line
    kind = "highest" if wanted.towards == "max" else "lowest"
    return f"{line}; the {kind} test example, {real[0]}, has {real[1]:.4g}{'' if by_all else ' by all members'}"


def _checked_line(table: pd.DataFrame, towards: str | float, checked: Checked | None) -> str:
    """Return what the check says, in a line."""
    if checked is None:
        return UNCHECKED
    before, after = table["check_before"], table["check_after"]
    if isinstance(towards, str):
        agrees = (after > before) if towards == "max" else (after < before)
    else:
        agrees = (after - towards).abs() < (before - towards).abs()
    line = (
        f"checked by {checked.said}: its median score goes from {before.median():.3f} to {after.median():.3f}, the wanted way in "
        f"{int(agrees.sum())} of {len(table)}"
    )
    return (
        line
        if checked.apart
        else f"{line}. It learnt from the same examples, so it shares their faults: --check RUN2 with a run trained apart says more"
    )


def forbidden(text: str) -> tuple[tuple[str, ...], tuple[Motif, ...]]:
    """Return the IUPAC words and the motifs that a list forbids, ``WORD,FILE,...``.

    Raises
    ------
    MissingFileError
        If an entry is neither a word nor a file.

    Examples
    --------
    >>> forbidden("GGTACC,rtcay")
    (('GGTACC', 'RTCAY'), ())
    """
    words: list[str] = []
    motifs: list[Motif] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        if Path(entry).is_file():
            motifs += read_motifs(entry)
        elif all(letter in IUPAC for letter in entry.upper()):
            words.append(entry.upper())
        else:
            raise MissingFileError(f"--forbid {entry}: is no IUPAC word, and there is no such file; either was expected. Check its spelling.")
    if not words and not motifs:
        raise InputError(f"--forbid {text!r}: forbids nothing; IUPAC words or a motif file were expected, such as GGTACC,motifs.meme. Name some.")
    return tuple(words), tuple(motifs)


def write_designs(folder: Path, found: Found) -> None:
    """Write designs.fa, designs.tsv and design.json."""
    folder.mkdir(parents=True, exist_ok=True)
    write_fasta(folder / "designs.fa", found.table["id"].tolist(), found.codes, force=True)
    write_tsv(folder / "designs.tsv", found.table, force=True, float_format="%.7g")
    write_json(folder / "design.json", {"verdict": found.verdict, **found.settings})
