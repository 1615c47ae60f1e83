"""The motifs of several runs that differ in their seed or their fold: which come back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from seqdl.errors import MissingFileError
from seqdl.experiment.motif_files import write_motif_table
from seqdl.experiment.provenance import MANIFEST, refresh_outputs
from seqdl.interpret.families import families_of, recurrence
from seqdl.io.meme import read_meme
from seqdl.io.table import read_tsv, write_tsv

if TYPE_CHECKING:
    from seqdl.motif.motif import Motif

STABILITY = "stability"


def runs_below(folder: Path) -> list[Path]:
    """Return the run folders seed0, seed1 ... or fold0, fold1 ... of a folder; none where it is a run itself.

    Parameters
    ----------
    folder : Path
        What `seqdl train --seeds` or ``--folds`` wrote.
    """
    if (folder / "config.yaml").is_file():
        return []
    found = {kind: [path for path in folder.glob(f"{kind}*") if path.name.removeprefix(kind).isdigit()] for kind in ("seed", "fold")}
    chosen = found["seed"] or found["fold"]
    return sorted(chosen, key=lambda path: int(path.name[4:]))


def motifs_over_runs(runs: list[Path]) -> tuple[list[Motif], pd.DataFrame]:
    """Add to the motifs of each run how many of the runs they come back in, and put them together.

    Parameters
    ----------
    runs : list of Path
        Run folders, each with its motifs/; their motifs.tsv gets the column ``stability``: the share of the runs that have a
        motif like it (Tomtom p < 1e-4), its own included.

    Returns
    -------
    motifs : list of Motif
        One for each family of motifs that look alike over all runs, its most important member, named ``RUN_filterK``.
    table : DataFrame
        Its rows of motifs.tsv, with ``stability`` and ``runs`` (the runs it is in); what is in most runs first, then what matters most.

    Raises
    ------
    MissingFileError
        If a run has no motifs.
    """
    motifs, tables = [], []
    for run in runs:
        if not (run / "motifs" / "motifs.tsv").is_file():
            raise MissingFileError(f"{run}: there is no motifs/motifs.tsv; the motifs of each run were expected. Make them with seqdl motifs {run}.")
        motifs.append(read_meme(run / "motifs" / "motifs.meme"))
        tables.append(read_tsv(run / "motifs" / "motifs.tsv"))
    for run, table, shares in zip(runs, tables, recurrence(motifs), strict=True):
        table[STABILITY] = shares
        write_tsv(run / "motifs" / "motifs.tsv", table, force=True)
        if (run / MANIFEST).is_file():
            refresh_outputs(run)
    return _together([run.name for run in runs], motifs, tables)


def _together(names: list[str], motifs: list[list[Motif]], tables: list[pd.DataFrame]) -> tuple[list[Motif], pd.DataFrame]:
    """Return the first of each family over all runs."""
    from dataclasses import replace

    everything = pd.concat([table.assign(run=name) for name, table in zip(names, tables, strict=True)], ignore_index=True)
    flat = [motif for some in motifs for motif in some]
    order = everything.sort_values(["family_importance", "importance", "information_bits"], ascending=False, kind="stable").index.to_list()
    rows, kept = [], []
    for family in families_of([flat[i] for i in order]):
        members = everything.loc[[order[place] for place in family]]
        first = members.iloc[0]
        name = f"{first['run']}_{first['name']}"
        inside = [run for run in names if run in set(members["run"])]
        rows.append(first.drop("run").to_dict() | {"name": name, "family": name, STABILITY: len(inside) / len(names), "runs": " ".join(inside)})
        kept.append(replace(flat[order[family[0]]], name=name))
    table = pd.DataFrame(rows)
    order = table.sort_values([STABILITY, "family_importance"], ascending=False, kind="stable").index.to_list()
    return [kept[i] for i in order], table.loc[order].reset_index(drop=True)


def write_over_runs(folder: Path, runs: list[Path]) -> pd.DataFrame:
    """Write the motifs over several runs into a folder, and return their table."""
    motifs, table = motifs_over_runs(runs)
    write_motif_table(folder, motifs, table)
    return table
