"""Filters of a trained network as named motifs, with logos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from seqdl.interpret.importance import family_importance, filter_importance
from seqdl.io.meme import write_meme
from seqdl.io.table import write_tsv
from seqdl.motif.compare import match_motifs

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task
    from seqdl.types import Ints

MOTIF_COLUMNS = (
    "name",
    "n_sites",
    "information_bits",
    "consensus",
    "importance",
    "match",
    "match_p",
    "match_q",
    "offset",
    "strand",
    "also_matches",
    "family",
    "family_importance",
    "direction",
    "position",
)
N_MATCHES, SURE_Q = 5, 0.01
"""Known motifs looked at for each filter; those below this q-value besides the best are listed too."""
ALIKE_P = 1e-4
"""Tomtom p-value below which two filters of one network are taken to look for the same."""
MOST_SEQUENCES = 20_000
MOST_TESTED = 1_000


def extract_motifs(task: Task, data: SequenceData, database: list[Motif], *, seed: int = 0) -> tuple[list[Motif], pd.DataFrame]:
    """Turn the first layer's filters into motifs, weigh them and name them.

    Sites are taken from the positives of all splits: this describes the network and scores nothing. The
    importance is measured on the test split.

    Parameters
    ----------
    task : Task
        Of an ensemble its first member is read.
    data : SequenceData
    database : list of Motif
        Known motifs; names come from these.
    seed : int
        Of the draw where there are very many sequences.

    Returns
    -------
    motifs : list of Motif
        Those of the most important family first: filters that look alike stand in for each other, so that each alone
        seems to matter little.
    table : DataFrame
        One row a motif: name, n_sites, information_bits, consensus, importance, match, match_p, match_q, offset,
        strand, also_matches (others with q < .01), family (its first member), family_importance (loss where the whole family is
        silenced), direction, position.
    """
    from seqdl.interpret.filters import filter_motifs

    task = getattr(task, "reader", task)
    rng = np.random.default_rng(seed)
    shown = np.flatnonzero(data.targets()[:, 0] > 0) if data.kind == "binary" else data.rows()
    found = [motif.trim() for motif in filter_motifs(task, data.one_hot_of(_at_most(shown, MOST_SEQUENCES, rng)))]
    tested = _at_most(data.rows("test"), MOST_TESTED, rng)
    importance = _importance(task, data, tested)
    table = pd.DataFrame(
        {
            "name": [motif.name for motif in found],
            "n_sites": [round(motif.n_sites) for motif in found],
            "information_bits": [motif.information_bits for motif in found],
            "consensus": [motif.consensus for motif in found],
        }
    )
    table = table.merge(importance.rename(columns={"filter": "name"}), on="name", how="left").merge(_names(found, database), on="name", how="left")
    table = table.sort_values(["importance", "information_bits"], ascending=False, kind="stable").reset_index(drop=True)
    by_name = {motif.name: motif for motif in found}
    table = _by_family(table, by_name, task, data=data, rows=tested)
    return [by_name[name] for name in table["name"]], table[list(MOTIF_COLUMNS)]


def _importance(task: Task, data: SequenceData, rows: Ints) -> pd.DataFrame:
    """Return what the predictions lose without each filter; of several classes the class that loses most."""
    x, target = data.one_hot_of(rows), data.targets()[rows, 0]
    if data.kind != "multiclass":
        return filter_importance(task, x, target, metric="pearson" if data.numeric else "auroc")
    tables = [filter_importance(task, x, target == k, output=k) for k in range(len(task.outputs))]
    everything = pd.concat(tables, ignore_index=True)
    return everything.sort_values("importance", ascending=False, kind="stable").drop_duplicates("filter").reset_index(drop=True)


def _by_family(table: pd.DataFrame, motifs: dict[str, Motif], task: Task, *, data: SequenceData, rows: Ints) -> pd.DataFrame:
    """Return the table ordered by families of filters that look alike, each weighed as a whole."""
    if len(table) < 2 or data.kind == "multiclass":
        return table.assign(family=table["name"], family_importance=table["importance"])
    ordered = [motifs[name] for name in table["name"]]
    matches = match_motifs(ordered, ordered, top=None)
    label_of = {motif.label: motif.name for motif in ordered}
    alike = matches[matches["p"] < ALIKE_P]
    family: dict[str, str] = {}
    for name in table["name"]:  # the most important first: each takes in what looks like it and is still free
        if name not in family:
            family[name] = name
            family.update({label_of[other]: name for other in alike.loc[alike["query"] == name, "target"] if label_of[other] not in family})
    leaders = list(dict.fromkeys(family.values()))
    numbers = [[int(name.removeprefix("filter")) for name, leader in family.items() if leader == first] for first in leaders]
    metric = "pearson" if data.numeric else "auroc"
    weights = dict(
        zip(leaders, family_importance(task, data.one_hot_of(rows), data.targets()[rows, 0], families=numbers, metric=metric), strict=True)
    )
    found = table.assign(family=table["name"].map(family), family_importance=table["name"].map(family).map(weights))
    return found.sort_values(["family_importance", "importance"], ascending=False, kind="stable").reset_index(drop=True)


def _names(found: list[Motif], database: list[Motif]) -> pd.DataFrame:
    """Return the best match of each motif, and what else it matches as surely."""
    columns = {"query": "name", "target": "match", "p": "match_p", "q": "match_q"}
    if not found or not database:
        return pd.DataFrame(columns=[*columns.values(), "offset", "strand", "also_matches"])
    matches = match_motifs(found, database, top=min(N_MATCHES, len(database)))
    best = matches.drop_duplicates("query").rename(columns=columns)[[*columns.values(), "offset", "strand"]]
    rest = matches[matches.duplicated("query") & (matches["q"] < SURE_Q)]
    also = rest.groupby("query")["target"].agg("; ".join)
    return best.assign(also_matches=best["name"].map(also).astype(object).fillna(""))


def _at_most(rows: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Return the rows, or a draw of n of them in order."""
    return rows if len(rows) <= n else np.sort(rng.choice(rows, n, replace=False))


def write_motifs(folder: Path, motifs: list[Motif], table: pd.DataFrame) -> None:
    """Write motifs.meme, motifs.tsv and a logo a motif into `folder`."""
    from seqdl.plot.logos import save_logo

    logos = folder / "logos"
    logos.mkdir(parents=True, exist_ok=True)
    for stale in logos.glob("*.svg"):
        stale.unlink()
    write_meme(folder / "motifs.meme", motifs, force=True)
    write_tsv(folder / "motifs.tsv", table, force=True)
    for motif in motifs:
        save_logo(motif, logos / f"{motif.name}.svg", force=True)
