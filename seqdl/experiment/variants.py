"""Effects of variants by a run: scored, with what the members of an ensemble disagree on, and the motifs made and broken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from seqdl.data.chromosomes import rename_chromosomes
from seqdl.data.variants import check_reference
from seqdl.errors import InputError
from seqdl.experiment.predict import linked
from seqdl.experiment.tile import trained_length
from seqdl.interpret.motif_changes import motif_changes
from seqdl.interpret.variants import Effects, Members, Windowing, variant_effects
from seqdl.io.databases import load_database
from seqdl.io.meme import read_meme
from seqdl.io.table import read_tsv, write_tsv
from seqdl.io.vcf import read_vcf, write_vcf
from seqdl.report.belief_data import SIGNIFICANT, VAGUE_BITS
from seqdl.tasks.ensemble import Ensemble

if TYPE_CHECKING:
    from seqdl.data.genome import Genome
    from seqdl.experiment.run import Run
    from seqdl.ledger import Ledger
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task
    from seqdl.types import Floats

VCF_ENDINGS = (".vcf", ".vcf.gz")
TOO_LONG = "an allele is longer than half of the network's window"
MEANINGS = {
    "logit_ref": "logit with the reference allele",
    "logit_alt": "logit with the alternative allele",
    "effect": "change of the logit, alternative less reference",
    "effect_sd": "standard deviation of the change over the members of the ensemble",
    "prediction_ref": "prediction with the reference allele",
    "prediction_alt": "prediction with the alternative allele",
    "prediction_effect": "change of the prediction",
    "motif_lost": "motif with a hit on the reference allele only",
    "motif_gained": "motif with a hit on the alternative allele only",
    "swapped": "REF and ALT were swapped, since the genome has ALT",
}


def read_variants(
    path: str, genome: Genome, *, mismatch: Literal["error", "skip", "swap"], rename: bool, aliases: str | None = None, ledger: Ledger
) -> pd.DataFrame:
    """Read variants and hold them against the genome.

    Parameters
    ----------
    path : str
        A VCF; ``-`` is stdin.
    genome : Genome
    mismatch : {"error", "skip", "swap"}
        What to do where REF is not what the genome has.
    rename : bool
        Write chromosomes as the genome does (chr1, chrI, 1; chrM, chrmt).
    aliases : str, optional
        A table of names of chromosomes, asked first.
    ledger : Ledger
        Takes what is left out, and the counts.
    """
    variants = read_vcf(path, ledger=ledger)
    if rename or aliases:
        named = rename_chromosomes(variants, genome.lengths, aliases=aliases)
        n_renamed = int((named["chrom"] != variants["chrom"]).sum())
        ledger.note(f"{n_renamed:,} of {len(variants):,} variants have their chromosome under the genome's name now")
        variants = named
    return check_reference(variants, genome, on_mismatch=mismatch, ledger=ledger)


def windowing_of(task: Task, *, shifts: Sequence[int] = (0,), both_strands: bool | None = None) -> Windowing:
    """Return how variants are shown to a task: at the length it was trained on, on both strands unless it was trained on the given one alone."""
    both = getattr(task, "strands", "shared") != "single" if both_strands is None else both_strands
    return Windowing(trained_length(task), tuple(shifts), both, task.ambiguous)


def score_variants(
    task: Task, variants: pd.DataFrame, genome: Genome, *, windowing: Windowing, motifs: Sequence[Motif] = (), ledger: Ledger | None = None
) -> pd.DataFrame:
    """Score variants.

    Parameters
    ----------
    task : Task
    variants : DataFrame
        As from `read_variants`; what has an allele of more than half of the window is left out, into the ledger.
    genome : Genome
    windowing : Windowing
        From `windowing_of`.
    motifs : sequence of Motif, optional
        Motifs that may be lost or gained.
    ledger : Ledger, optional

    Returns
    -------
    DataFrame
        The variants with logit_ref, logit_alt, effect (their difference), effect_sd (over the members of an ensemble), prediction_ref,
        prediction_alt, prediction_effect, each with the output's name behind it where there are several; motif_lost and motif_gained.

    Raises
    ------
    InputError
        If the network reads measured tracks beside the bases.
    """
    recipe = task.recipe.get("members", [task.recipe])[0]
    channels = int((recipe.get("model") or {}).get("in_channels", 4))
    if channels != 4:
        raise InputError(f"the network reads {channels - 4} measured tracks beside the bases: one of bases alone was expected. Train one without.")
    longest = np.maximum(variants["ref"].str.len().to_numpy(), variants["alt"].str.len().to_numpy())
    short = longest <= windowing.length // 2
    if not short.all() and ledger is not None:
        ledger.drop_intervals(variants[~short].assign(name=variants.loc[~short, "id"]), TOO_LONG)
        ledger.note(f"{(~short).sum():,} of {len(variants):,} variants are left out: {TOO_LONG} ({windowing.length} bp)")
    kept = variants[short].reset_index(drop=True)
    effects = variant_effects(task, kept, genome, windowing=windowing, members=members_of(task))
    columns = _columns(task, effects) if len(kept) else {}
    table = kept.assign(**columns)
    if len(motifs) and len(kept):
        changes = motif_changes(kept, genome, motifs)
        table = table.assign(motif_lost=changes["motif_lost"], motif_gained=changes["motif_gained"])
    return table


def members_of(task: Task) -> Members | None:
    """Return the calibrated logits of each member of an ensemble, so that their mean is what the ensemble says.

    None of a single network, and where members for numbers count differently: their effects are then no draws of one.
    """
    if not isinstance(task, Ensemble) or not (task.two_classes or bool((task.weights == task.weights[0]).all())):
        return None
    return lambda x: task.weighed(task.member_logits(x)) * task.scale + task.shift


def _columns(task: Task, effects: Effects) -> dict[str, Floats]:
    """Return the columns of each output."""
    columns: dict[str, Floats] = {}
    predictions = None if task.per_base else (linked(task, effects.ref), linked(task, effects.alt))
    for t, name in enumerate(task.outputs):
        suffix = f"_{name}" if len(task.outputs) > 1 else ""
        found: dict[str, Floats] = {"logit_ref": effects.ref, "logit_alt": effects.alt, "effect": effects.effect}
        if not np.isnan(effects.spread).all():
            found["effect_sd"] = effects.spread
        if predictions is not None:
            found |= {"prediction_ref": predictions[0], "prediction_alt": predictions[1], "prediction_effect": predictions[1] - predictions[0]}
        columns |= {key + suffix: values[:, t] for key, values in found.items()}
    return columns


def motifs_of_run(run: Run, database: str | None = None) -> list[Motif]:
    """Return the motifs that variants may break: those of a database, or the run's own that are not vague, with the names they were given.

    Parameters
    ----------
    run : Run
    database : str, optional
        As for `seqdl.load_database`; "none" for no motif.
    """
    from dataclasses import replace

    if database is not None:
        return [] if database == "none" else load_database(database)
    path = run.folder / "motifs" / "motifs.tsv"
    if not path.is_file():
        return []
    table = read_tsv(path).set_index("name")
    known = table[table["match_q"] < SIGNIFICANT]["match"] if "match_q" in table else pd.Series(dtype=str)
    sharp = [motif for motif in read_meme(path.with_name("motifs.meme")) if motif.information_bits >= VAGUE_BITS]
    return [replace(motif, alt_name=str(known.get(motif.name, ""))) for motif in sharp]


def write_variants(path: str, table: pd.DataFrame, *, force: bool = False) -> None:
    """Write scored variants as VCF where the name says so, else as TSV."""
    if not Path(path).name.endswith(VCF_ENDINGS):
        write_tsv(path, table, force=force, float_format="%.6g")
        return
    info = {str(name): text for name in table for text in [_meaning(str(name))] if text}
    blank = {name: table[name].replace("", None) for name in ("motif_lost", "motif_gained") if name in table}
    write_vcf(path, table.assign(**blank), info=info, force=force)


def _meaning(column: str) -> str:
    """Return what a column says; empty for those that a VCF holds anyway."""
    if column in MEANINGS:
        return MEANINGS[column]
    key = next((key for key in sorted(MEANINGS, key=len, reverse=True) if column.startswith(f"{key}_")), None)
    return f"{MEANINGS[key]}, output {column.removeprefix(key + '_')}" if key else ""
