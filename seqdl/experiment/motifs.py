"""Filters of a trained network as named motifs: read, weighed, named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.errors import InputError
from seqdl.experiment.motif_members import committee_of, common_families, networks_of, place_of, read_filters
from seqdl.experiment.motif_names import NAME_COLUMNS, names_of
from seqdl.interpret.committee import committee_importance
from seqdl.interpret.families import families_of, merged
from seqdl.interpret.filters import Extraction as Method
from seqdl.interpret.importance import family_importance, filter_importance
from seqdl.interpret.inputs import SequenceInput
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
    *NAME_COLUMNS,
    "family",
    "family_importance",
    "output",
    "direction",
    "position",
    "position_sd",
    "note",
)
OVER_MEMBERS = ("members", "of_members", "filters")
"""Further columns where the filters of several networks were read: in how many of them the family is, of how many, and its number of filters."""
FILTER_COLUMNS = ("name", "member", "filter", "family", "n_sites", "information_bits", "consensus")
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
        Those of the most important family first; of an ensemble one a family, its filters laid over each other.
    table : DataFrame
        One row a motif, in the same order: the columns of `MOTIF_COLUMNS`, and of an ensemble `OVER_MEMBERS`.
    layer : str
        The layer that was read.
    n_filters : int
    dead : list of str
        Filters that respond the same to everything, and make no motif.
    source : str
        What was read, in words.
    centres : dict of str to array
        Where the sites of each motif lie, in bp from the middle of the sequence.
    families : dict of str to list of Motif
        Of an ensemble, the filters of all its members that each motif is made of, the sharpest, whose name it has, first.
    n_networks : int
    """

    motifs: list[Motif]
    table: pd.DataFrame
    layer: str
    n_filters: int
    dead: list[str]
    source: str
    centres: dict[str, NDArray[np.float64]] = field(repr=False)
    families: dict[str, list[Motif]] = field(default_factory=dict, repr=False)
    n_networks: int = 1

    def summary(self) -> str:
        """Return what was read and found, in a sentence."""
        dead = f", {len(self.dead)} of them dead (they respond the same to everything)" if self.dead else ""
        if self.n_networks == 1:
            families = self.table["family"].nunique()
            return f"{self.n_filters} filters of layer '{self.layer}'{dead}, read on {self.source}: {len(self.motifs)} motifs in {families} families"
        shared, vague = int((self.table["members"] > 1).sum()), int((self.table["information_bits"] < VAGUE_BITS).sum())
        undrawn = " and not in the gallery" if vague < len(self.motifs) else ""
        left_out = f", {vague} are vague (under {VAGUE_BITS:g} bits){undrawn}" if vague else ""
        return (
            f"{self.n_filters} filters of layer '{self.layer}' in {self.n_networks} networks{dead}, read on {self.source}: "
            f"{len(self.motifs)} families of filters that look alike, a motif each; {shared} are in more than one network{left_out}"
        )

    @property
    def filters(self) -> pd.DataFrame:
        """One row a filter of an ensemble: the columns of `FILTER_COLUMNS`, the families in the order of the motifs."""
        rows = [
            (motif.name, *place_of(motif.name), family, round(motif.n_sites), motif.information_bits, motif.consensus)
            for family, motifs in self.families.items()
            for motif in motifs
        ]
        return pd.DataFrame(rows, columns=list(FILTER_COLUMNS))


def extract_motifs(task: Task, data: SequenceData, database: list[Motif], *, reading: Reading | None = None, seed: int = 0) -> Extraction:
    """Turn filters into motifs, weigh them and name them.

    Sites are taken from the positives of all splits unless `reading` says otherwise: this describes the network and scores nothing.
    The importance is measured on the test split.

    Parameters
    ----------
    task : Task
        Of an ensemble the filters of all members are read.
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
        its family; NaN for a network that predicts nothing. Of an ensemble there is one row a family over all its members, and both are what
        the ensemble loses without the family; a motif that several members found, each from its own start, is more believable. Of twelve planted
        motifs, over three seeds, the filters of a family laid over each other recovered 12, 12 and 12 (mean r .983, .978, .987), the sharpest
        filter alone 12, 11 and 11 (.975, .964, .973).

    Raises
    ------
    NoFiltersError
        If the network has no convolution over the bases.
    """
    how, rng = reading or Reading(), np.random.default_rng(seed)
    networks = networks_of(task, how.layer)
    codes, source = _shown(data, how, rng)
    read = [read_filters(network, codes, how, prefix=prefix) for prefix, network in networks.items()]
    tested = _at_most(data.rows("test"), max(LEAST_TESTED, min(MOST_TESTED, MOST_TESTED_BASES // data.length)), rng)
    everything = {motif.name: motif for filters in read for motif in filters.motifs}
    centres = {name: values for filters in read for name, values in filters.centres.items()}
    weights = _Weights(networks.get("", task), data, tested, layer=how.layer)
    families: dict[str, list[Motif]] = {}
    if "" in networks:
        table = _of_one(list(everything.values()), database, weights, n_filters=read[0].n_filters)
    else:
        families = {family[0].name: family for family in common_families(list(everything.values()))}
        everything = {name: merged(family) for name, family in families.items()}
        table = _over_members(families, list(everything.values()), database, weights=weights, centres=centres).assign(of_members=len(networks))
        families = {name: families[name] for name in table["name"]}
    turned = {name for filters in read for name in filters.turned}
    table["note"] = [_note(row, turned=str(row["name"]) in turned) for row in table.to_dict("records")]
    return Extraction(
        [everything[name] for name in table["name"]],
        table[[*MOTIF_COLUMNS, *(OVER_MEMBERS if families else ())]],
        read[0].layer,
        sum(filters.n_filters for filters in read),
        [name for filters in read for name in filters.dead],
        source,
        centres,
        families,
        len(networks),
    )


def _described(found: list[Motif], database: list[Motif]) -> pd.DataFrame:
    """Return what can be said of motifs by themselves: sites, information, consensus, and the known motifs they match."""
    table = pd.DataFrame(
        {
            "name": [motif.name for motif in found],
            "n_sites": [round(motif.n_sites) for motif in found],
            "information_bits": [motif.information_bits for motif in found],
            "consensus": [motif.consensus for motif in found],
        }
    )
    return table.merge(names_of(found, database), on="name", how="left")


def _of_one(found: list[Motif], database: list[Motif], weights: _Weights, *, n_filters: int) -> pd.DataFrame:
    """Return a row a filter of one network, the most important family first."""
    table = _described(found, database).merge(weights.of_filters(n_filters), on="name", how="left")
    table = table.sort_values(["importance", "information_bits"], ascending=False, kind="stable").reset_index(drop=True)
    return _by_family(table, {motif.name: motif for motif in found}, weights)


def _over_members(
    families: dict[str, list[Motif]], found: list[Motif], database: list[Motif], *, weights: _Weights, centres: dict[str, NDArray[np.float64]]
) -> pd.DataFrame:
    """Return a row a family of filters over all members, what matters most first; its place is that of its sharpest filter."""
    places = [[place_of(motif.name) for motif in family] for family in families.values()]
    table = _described(found, database).assign(
        family=list(families),
        position=[centres[name].mean() for name in families],
        position_sd=[centres[name].std() for name in families],
        members=[len({member for member, _ in family}) for family in places],
        filters=[len(family) for family in places],
    )
    weighed = weights.over_members(places)
    table = table.assign(**{str(column): weighed[column].to_numpy() for column in weighed}, family_importance=weighed["importance"].to_numpy())
    return table.sort_values(["importance", "information_bits"], ascending=False, kind="stable").reset_index(drop=True)


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

    def over_members(self, families: list[list[tuple[int, int]]]) -> pd.DataFrame:
        """Return importance, output and direction of families of filters (member, number) of an ensemble."""
        if not self.known:
            return pd.DataFrame({"importance": np.full(len(families), np.nan), "output": "", "direction": 0})
        table = committee_importance(committee_of(self.task), self.x, self.target, families=families, layer=self.layer, **self.how)
        return table.assign(output=[self.task.outputs[k] for k in table["output"]])


def _by_family(table: pd.DataFrame, motifs: dict[str, Motif], weights: _Weights) -> pd.DataFrame:
    """Return the table ordered by families of filters that look alike, each weighed as a whole."""
    names = list(table["name"])
    families = families_of([motifs[name] for name in names])
    numbers = [[place_of(names[member])[1] for member in family] for family in families]
    lost = weights.of_families(numbers)
    family, loss = np.empty(len(names), dtype=object), np.full(len(names), np.nan)
    for members, value in zip(families, lost, strict=True):
        family[members], loss[members] = names[members[0]], value
    found = table.assign(family=family, family_importance=loss)
    return found.sort_values(["family_importance", "importance"], ascending=False, kind="stable").reset_index(drop=True)


def _note(row: dict[Any, Any], *, turned: bool) -> str:
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
    if turned:
        notes.append("the norm turns this filter round: the sites are where its convolution is lowest")
    return "; ".join(notes)


def _at_most(rows: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Return the rows, or a draw of n of them in order."""
    return rows if len(rows) <= n else np.sort(rng.choice(rows, n, replace=False))
