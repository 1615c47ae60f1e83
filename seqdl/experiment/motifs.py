"""Filters of a trained network as named motifs: read, weighed, named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.interpret.families import families_of
from seqdl.interpret.filters import Extraction as Method
from seqdl.interpret.filters import filter_motifs, motifs_of
from seqdl.interpret.importance import family_importance, filter_importance
from seqdl.interpret.inputs import SequenceInput
from seqdl.interpret.locate import filter_bank
from seqdl.interpret.sites import Sites, find_sites
from seqdl.motif.compare import match_motifs
from seqdl.report.belief_data import SIGNIFICANT, VAGUE_BITS

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task
    from seqdl.types import Codes, Ints

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
    "output",
    "direction",
    "position",
    "position_sd",
    "note",
)
N_MATCHES, SURE_Q = 5, 0.01
"""Known motifs looked at for each filter; those below this q-value besides the best are listed too."""
MOST_SEQUENCES = 20_000
MOST_TESTED, LEAST_TESTED, MOST_TESTED_BASES = 1_000, 100, 200_000
"""Sequences that filters are weighed on: the whole network is run on each of them once a filter."""
FEW_SITES = 20


@dataclass(frozen=True)
class Reading:
    """How the filters of a network are read.

    Parameters
    ----------
    layer : str, optional
        Name of the layer; by default the first convolution over the bases.
    method : {"top", "fraction", "weighted"}, default "top"
        Which windows make a motif, as for `seqdl.filter_motifs`.
    n_sites : int, default 100
        Windows a filter, of the method "top".
    both_strands : bool, default True
        Run the filters over both strands.
    split : {"all", "train", "val", "test"}, default "all"
        Whose positives are read.
    codes : array (N, L) uint8, optional
        Other sequences, to be read instead.
    """

    layer: str | None = None
    method: Method = "top"
    n_sites: int = 100
    both_strands: bool = True
    split: Literal["all", "train", "val", "test"] = "all"
    codes: Codes | None = None


@dataclass(frozen=True)
class Extraction:
    """The motifs of a network.

    Attributes
    ----------
    motifs : list of Motif
        Those of the most important family first.
    table : DataFrame
        One row a motif, in the same order: the columns of `MOTIF_COLUMNS`.
    layer : str
        The layer that was read.
    n_filters : int
    dead : list of str
        Filters that respond the same to everything, and make no motif.
    source : str
        What was read, in words.
    centres : dict of str to array
        Where the sites of each motif lie, in bp from the middle of the sequence.
    """

    motifs: list[Motif]
    table: pd.DataFrame
    layer: str
    n_filters: int
    dead: list[str]
    source: str
    centres: dict[str, NDArray[np.float64]] = field(repr=False)

    def summary(self) -> str:
        """Return what was read and found, in a sentence."""
        dead = f", {len(self.dead)} of them dead (they respond the same to everything)" if self.dead else ""
        families = self.table["family"].nunique()
        return f"{self.n_filters} filters of layer '{self.layer}'{dead}, read on {self.source}: {len(self.motifs)} motifs in {families} families"


def extract_motifs(task: Task, data: SequenceData, database: list[Motif], *, reading: Reading | None = None, seed: int = 0) -> Extraction:
    """Turn filters into motifs, weigh them and name them.

    Sites are taken from the positives of all splits unless `reading` says otherwise: this describes the network and scores nothing.
    The importance is measured on the test split.

    Parameters
    ----------
    task : Task
        Of an ensemble its first member is read.
    data : SequenceData
    database : list of Motif
        Known motifs; names come from these.
    reading : Reading, optional
    seed : int
        Of the draw where there are very many sequences.

    Returns
    -------
    Extraction
        The most important family first: filters that look alike stand in for each other, so that each alone seems to matter little.
        ``importance`` and ``family_importance`` are what the network's measure loses without the filter, and without all of
        its family; NaN for a network that predicts nothing.

    Raises
    ------
    NoFiltersError
        If the network has no convolution over the bases.
    """
    how, task = reading or Reading(), getattr(task, "reader", task)
    rng = np.random.default_rng(seed)
    codes, source = _shown(data, how, rng)
    sites = find_sites(task, codes, layer=how.layer, n_sites=how.n_sites, both_strands=how.both_strands)
    made = motifs_of(sites) if how.method == "top" else _made(task, codes, how)
    found = [motif.trim() for motif in made]
    tested = _at_most(data.rows("test"), max(LEAST_TESTED, min(MOST_TESTED, MOST_TESTED_BASES // data.length)), rng)
    table = pd.DataFrame(
        {
            "name": [motif.name for motif in found],
            "n_sites": [round(motif.n_sites) for motif in found],
            "information_bits": [motif.information_bits for motif in found],
            "consensus": [motif.consensus for motif in found],
        }
    )
    weights = _Weights(task, data, tested, layer=how.layer)
    table = table.merge(weights.of_filters(len(sites.alive)), on="name", how="left").merge(names_of(found, database), on="name", how="left")
    table = table.sort_values(["importance", "information_bits"], ascending=False, kind="stable").reset_index(drop=True)
    by_name = {motif.name: motif for motif in found}
    table = _by_family(table, by_name, weights)
    bank = filter_bank(task, how.layer, length=codes.shape[1])
    table["note"] = [_note(row, turned=_turned(bank.layer)) for row in table.to_dict("records")]
    dead = [f"filter{f}" for f in np.flatnonzero(~sites.alive)]
    centres = _centres(sites, codes.shape[1])
    return Extraction([by_name[name] for name in table["name"]], table[list(MOTIF_COLUMNS)], bank.name, len(sites.alive), dead, source, centres)


def _made(task: Task, codes: Codes, how: Reading) -> list[Motif]:
    """Return the motifs by the ways that take every strong window."""
    return filter_motifs(task, codes, layer=how.layer, method=how.method, both_strands=how.both_strands)


def _shown(data: SequenceData, how: Reading, rng: np.random.Generator) -> tuple[Codes, str]:
    """Return the sequences to read filters on, and what they are."""
    if how.codes is not None:
        return how.codes, f"{len(how.codes):,} given sequences"
    rows = data.rows(None if how.split == "all" else how.split)
    what = "sequences"
    if data.kind == "binary":
        rows, what = rows[(data.targets()[rows] > 0).any(1)], "positives"
    where = "all splits" if how.split == "all" else f"the {how.split} split"
    if not len(rows):
        raise InputError(
            f"there are no {what} in {where} to read the filters on; expected some hundreds. Give others with --fasta, or another --split."
        )
    rows = _at_most(rows, MOST_SEQUENCES, rng)
    found: Codes = data.codes[rows]
    return found, f"{len(rows):,} {what} of {where}"


class _Weights:
    """What the predictions of a task lose without some of its filters, on some rows."""

    def __init__(self, task: Task, data: SequenceData, rows: Ints, *, layer: str | None) -> None:
        self.task, self.layer = task, layer
        self.x: SequenceInput = data.one_hot_of(rows)
        target = data.targets()[rows] if data.outputs else np.zeros((len(rows), 0))
        several = data.kind == "multiclass" or target.shape[1] > 1
        self.target = target[:, :1] == np.arange(len(task.outputs)) if data.kind == "multiclass" else target
        self.how: dict[str, Any] = {"metric": "auroc" if data.kind in ("binary", "multiclass") else "pearson", "output": None if several else 0}
        self.known = task.family == "supervised" and data.kind != "none" and len(rows) > 0

    def of_filters(self, n_filters: int) -> pd.DataFrame:
        """Return name, importance, output, direction, position and its spread of each filter."""
        if self.known:
            table = filter_importance(self.task, self.x, self.target, layer=self.layer, **self.how)
            return table.rename(columns={"filter": "name"}).assign(output=[self.task.outputs[k] for k in table["output"]])
        names = [f"filter{f}" for f in range(n_filters)]
        return pd.DataFrame({"name": names, "importance": np.nan, "output": "", "direction": 0, "position": np.nan, "position_sd": np.nan})

    def of_families(self, families: list[list[int]]) -> NDArray[np.float64]:
        """Return what is lost without each family."""
        if not self.known:
            return np.full(len(families), np.nan)
        return family_importance(self.task, self.x, self.target, families=families, layer=self.layer, **self.how)


def _by_family(table: pd.DataFrame, motifs: dict[str, Motif], weights: _Weights) -> pd.DataFrame:
    """Return the table ordered by families of filters that look alike, each weighed as a whole."""
    names = list(table["name"])
    families = families_of([motifs[name] for name in names])
    numbers = [[int(names[member].removeprefix("filter")) for member in family] for family in families]
    lost = weights.of_families(numbers)
    family, loss = np.empty(len(names), dtype=object), np.full(len(names), np.nan)
    for members, value in zip(families, lost, strict=True):
        family[members], loss[members] = names[members[0]], value
    found = table.assign(family=family, family_importance=loss)
    return found.sort_values(["family_importance", "importance"], ascending=False, kind="stable").reset_index(drop=True)


def names_of(found: list[Motif], database: list[Motif]) -> pd.DataFrame:
    """Return the best match of each motif, and what else it matches as surely."""
    columns = {"query": "name", "target": "match", "p": "match_p", "q": "match_q"}
    if not found or not database:
        return pd.DataFrame(columns=[*columns.values(), "offset", "strand", "also_matches"])
    matches = match_motifs(found, database, top=min(N_MATCHES, len(database)))
    best = matches.drop_duplicates("query").rename(columns=columns)[[*columns.values(), "offset", "strand"]]
    rest = matches[matches.duplicated("query") & (matches["q"] < SURE_Q)]
    also = rest.groupby("query")["target"].agg("; ".join)
    return best.assign(also_matches=best["name"].map(also).astype(object).fillna(""))


def _note(row: dict[Any, Any], *, turned: NDArray[np.bool_] | None) -> str:
    """Return what a reader of the row should know before believing it."""
    notes = []
    bits, q = row["information_bits"], row["match_q"]
    if bits < VAGUE_BITS:
        weak = ": a match says little of a motif so vague" if q < SIGNIFICANT else ": too vague to be named"
        notes.append(f"{bits:.1f} bits{weak}")
    elif not q < SIGNIFICANT:
        notes.append("like no known motif")
    if row["n_sites"] < FEW_SITES:
        notes.append(f"made of {row['n_sites']} sites only")
    if turned is not None and turned[int(str(row["name"]).removeprefix("filter"))]:
        notes.append("the norm turns this filter round: the sites are where its convolution is lowest")
    return "; ".join(notes)


def _turned(layer: Any) -> NDArray[np.bool_] | None:
    """Return which filters (F,) a batch norm turns round; None where the layer is no norm."""
    weight = getattr(layer, "weight", None)
    return (weight < 0).cpu().numpy() if hasattr(layer, "running_mean") and weight is not None else None


def _centres(sites: Sites, length: int) -> dict[str, NDArray[np.float64]]:
    """Return where the sites of each filter that responds lie."""
    centres = sites.centres(length)
    return {f"filter{f}": centres[f][np.isfinite(centres[f])] for f in np.flatnonzero(sites.alive)}


def _at_most(rows: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Return the rows, or a draw of n of them in order."""
    return rows if len(rows) <= n else np.sort(rng.choice(rows, n, replace=False))
