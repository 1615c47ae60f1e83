"""In-silico experiments on a run: a motif put in, taken out, moved, and beside another; as tables, curves and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from seqdl.errors import InputError
from seqdl.experiment.motif_files import write_figure
from seqdl.experiment.provenance import write_json
from seqdl.interpret.knockout import knock_out
from seqdl.interpret.spike import Trial, intervals_of, marginalise, position_curve, spacing_curve
from seqdl.io.fasta import read_fasta
from seqdl.io.table import write_tsv
from seqdl.sequence.edit import crop_or_pad
from seqdl.sequence.shuffle import dinucleotide_shuffle

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.run import Run
    from seqdl.motif.motif import Motif
    from seqdl.types import Codes

SHUFFLED = "shuffled"
MOST_KNOCKED = 1_000
APART = 3
"""Spacings that differ by no more than so many bp are one peak of a spacing curve (bp)."""


@dataclass(frozen=True)
class Findings:
    """What experiments found.

    Attributes
    ----------
    verdict : list of str
        A line each.
    tables : dict of str to DataFrame
        "effect" (a row a background), "position", "knockout" (a row a sequence), "spacing".
    """

    verdict: list[str]
    tables: dict[str, pd.DataFrame] = field(repr=False)


def backgrounds_of(data: SequenceData, source: str, *, n: int, length: int | None, seed: int = 0) -> Codes:
    """Return sequences to put motifs into.

    Parameters
    ----------
    data : SequenceData
    source : str
        "shuffled" (dinucleotide shuffles of sequences of the test split), or a FASTA.
    n : int
        How many, at most where they come from a FASTA.
    length : int, optional
        Length they are cropped to (bp), the middle kept; by default what half of the sequences have.
    seed : int

    Returns
    -------
    codes, (n, L)
    """
    rng = np.random.default_rng(seed)
    if source == SHUFFLED:
        rows = data.rows("test") if len(data.rows("test")) else data.rows()
        sequences = data.sequences(rows)
    else:
        sequences = [record.codes for record in read_fasta(source)]
    size = length or int(np.median([len(codes) for codes in sequences]))
    whole = [codes for codes in sequences if len(codes) >= size]
    if not whole:
        raise InputError(f"{source}: no sequence has the {size} bp that the network reads; some were expected. Give longer sequences.")
    if source == SHUFFLED:
        chosen = rng.choice(len(whole), n, replace=len(whole) < n)
    else:
        chosen = np.arange(len(whole)) if len(whole) <= n else np.sort(rng.choice(len(whole), n, replace=False))
    codes = np.stack([crop_or_pad(whole[i], size) for i in chosen])
    return dinucleotide_shuffle(codes, seed=seed) if source == SHUFFLED else codes


def spike(run: Run, motif: Motif, backgrounds: Codes, *, trial: Trial, step: int = 5) -> Findings:
    """Put a motif into backgrounds, at every place, and take it out of the positives of the test split.

    Parameters
    ----------
    run : Run
    motif : Motif
    backgrounds : codes (N, L)
    trial : Trial
    step : int, default 5
        Bases from place to place.
    """
    task = run.task
    effect = marginalise(task, motif, backgrounds, trial=trial)
    positions = position_curve(task, motif, backgrounds, step=step, trial=trial)
    knocked = _knock_out(run, motif, length=backgrounds.shape[1], trial=trial)
    share = f"{abs(effect.value) / max(_spread(run, trial), 1e-12):.1f} SD of the logits of the test split"
    shown = "raises" if effect.low > 0 else "lowers" if effect.high < 0 else "is not shown to change"
    lines = [f"{motif.label} {shown} the logit: {effect}; that is {share}", _position_line(positions), _knockout_line(knocked, trial)]
    table = pd.DataFrame({"background": np.arange(len(backgrounds)), "before": effect.before, "after": effect.after})
    return Findings(lines, {"effect": table.assign(effect=effect.after - effect.before), "position": positions, "knockout": knocked})


def spike_pair(run: Run, motif: Motif, other: Motif, *, backgrounds: Codes, spacings: Sequence[int], trial: Trial) -> Findings:
    """Put a pair of motifs into backgrounds at every distance and orientation."""
    table = spacing_curve(run.task, motif, other, backgrounds=backgrounds, spacings=spacings, trial=trial)
    return Findings([spacing_line(table, motif.label, other.label)], {"spacing": table})


def spacing_line(table: pd.DataFrame, motif: str, other: str) -> str:
    """Return what a spacing curve says, in a line.

    An arrangement stands out where the low end of its interval lies over every other arrangement's mean, its neighbours of up to 3 bp
    left out.
    """
    best = table.iloc[int(table["interaction"].to_numpy().argmax())]
    near = (table["orientation"] == best["orientation"]) & ((table["spacing"] - best["spacing"]).abs() <= APART)
    rest = table.loc[~near, "interaction"]
    found = (
        f"{best['interaction']:+.3f} ({best['interaction_low']:+.3f} to {best['interaction_high']:+.3f}) beyond the single effects "
        f"at {best['spacing']} bp, {best['orientation']}"
    )
    middle = f"; the median over all arrangements is {table['interaction'].median():+.3f}"
    if len(rest) and best["interaction_low"] > rest.max():
        return f"{motif} and {other} do most together {found}{middle}"
    return f"{motif} and {other}: no arrangement stands out; the highest is {found}{middle}"


def _spread(run: Run, trial: Trial) -> float:
    """Return the standard deviation of the logits on the test split."""
    table = run.predictions[run.predictions["split"] == "test"]
    outputs = run.task.outputs
    name = outputs[trial.output] if isinstance(trial.output, int) else trial.output
    column = "logit" if len(outputs) == 1 else f"logit_{name}"
    return float(table[column].std()) if column in table else float("nan")


def _knock_out(run: Run, motif: Motif, *, length: int, trial: Trial) -> pd.DataFrame:
    """Take the motif out of the positives of the test split."""
    data = run.data
    rows = data.rows("test")
    if data.kind == "binary":
        rows = rows[(data.targets()[rows] > 0).any(1)]
    rows = np.array([row for row, codes in zip(rows, data.sequences(rows), strict=True) if len(codes) >= length], dtype=np.int64)
    rows = rows if len(rows) <= MOST_KNOCKED else np.sort(np.random.default_rng(trial.seed).choice(rows, MOST_KNOCKED, replace=False))
    if not len(rows):
        return pd.DataFrame(columns=["id", "n_hits", "before", "after", "effect", "control"])
    codes = np.stack([crop_or_pad(codes, length) for codes in data.sequences(rows)])
    table = knock_out(run.task, motif, codes, trial=trial)
    table.insert(0, "id", data.examples["id"].to_numpy()[rows[table["sequence"].to_numpy()]])
    return table.drop(columns="sequence")


def _position_line(table: pd.DataFrame) -> str:
    best = table.iloc[int(table["effect"].abs().to_numpy().argmax())]
    return (
        f"by place it does most at {best['position']:+.0f} bp from the middle, strand {best['strand']}: {best['effect']:+.3f} "
        f"({best['effect_low']:+.3f} to {best['effect_high']:+.3f}); the median place has {table['effect'].median():+.3f}"
    )


def _knockout_line(table: pd.DataFrame, trial: Trial) -> str:
    if not len(table):
        return "no positive of the test split has a hit at p < 1e-4 to take out"
    values = table[["effect", "control"]].to_numpy(dtype=np.float64)
    mean, low, high = intervals_of(values, trial)
    return (
        f"taking its {int(table['n_hits'].sum()):,} hits out of {len(table):,} positives of the test split changes the logit by {mean[0]:+.3f} "
        f"({low[0]:+.3f} to {high[0]:+.3f}); spoiling as many bases elsewhere by {mean[1]:+.3f} ({low[1]:+.3f} to {high[1]:+.3f})"
    )


def write_findings(folder: Path, findings: Findings) -> None:
    """Write NAME.tsv of each table, the curves as SVG, and the verdict."""
    from seqdl.plot.experiments import by_position, spacing

    folder.mkdir(parents=True, exist_ok=True)
    for name, table in findings.tables.items():
        write_tsv(folder / f"{name}.tsv", table, force=True, float_format="%.6g")
    if "position" in findings.tables:
        write_figure(folder / "position.svg", lambda ax: by_position(findings.tables["position"], ax=ax))
    if "spacing" in findings.tables:
        write_figure(folder / "spacing.svg", lambda ax: spacing(findings.tables["spacing"], ax=ax))
    write_json(folder / "verdict.json", {"verdict": findings.verdict})
