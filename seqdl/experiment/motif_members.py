"""The filters of one network or of all members of an ensemble: read, named after their member, and parted into families."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import NoFiltersError
from seqdl.interpret.committee import Committee
from seqdl.interpret.families import families_of
from seqdl.interpret.filters import filter_motifs, motifs_of
from seqdl.interpret.locate import filter_bank, find_layer
from seqdl.interpret.sites import find_sites
from seqdl.tasks.ensemble import Ensemble

if TYPE_CHECKING:
    from torch import nn

    from seqdl.experiment.motifs import Reading
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task
    from seqdl.types import Codes


@dataclass(frozen=True)
class Filters:
    """The filters of one network.

    Attributes
    ----------
    layer : str
        The layer that was read.
    n_filters : int
    motifs : list of Motif
        Of those that respond, trimmed.
    dead : list of str
        Those that respond the same to everything.
    turned : set of str
        Those that a batch norm turns round.
    centres : dict of str to array
        Where the sites of each motif lie, in bp from the middle of the sequence.
    """

    layer: str
    n_filters: int
    motifs: list[Motif]
    dead: list[str]
    turned: set[str]
    centres: dict[str, NDArray[np.float64]]


def networks_of(task: Task, layer: str | None = None) -> dict[str, Task]:
    """Return the networks of a task that have filters, by what the names of their filters begin with.

    Of an ensemble these are its members, ``member0_`` and so on; a task of its own has no name.

    Parameters
    ----------
    task : Task
    layer : str, optional
        Name of the layer in each; by default the first convolution over the bases.

    Raises
    ------
    NoFiltersError
        If none has a convolution over the bases.
    UnknownNameError
        If a network has no layer of that name.
    """
    members = {f"member{k}_": member for k, member in enumerate(task.tasks)} if isinstance(task, Ensemble) else {"": task}
    found, refused = {}, None
    for name, member in (members if len(members) > 1 else {"": next(iter(members.values()))}).items():
        try:
            find_layer(member, layer)
        except NoFiltersError as error:
            refused = error
        else:
            found[name] = member
    if not found and refused is not None:
        raise refused
    return found


def read_filters(network: nn.Module, codes: Codes, how: Reading, *, prefix: str = "") -> Filters:
    """Turn the filters of one network into motifs.

    Parameters
    ----------
    network : nn.Module
    codes : array, (N, L), uint8
        Sequences to read them on.
    how : Reading
    prefix : str
        What the names begin with: ``filter3`` without, ``member1_filter3`` with the prefix of "member1".
    """
    sites = find_sites(network, codes, layer=how.layer, n_sites=how.n_sites, both_strands=how.both_strands)
    made = (
        motifs_of(sites) if how.method == "top" else filter_motifs(network, codes, layer=how.layer, method=how.method, both_strands=how.both_strands)
    )
    bank = filter_bank(network, how.layer, length=codes.shape[1])
    names = [f"{prefix}filter{f}" for f in range(len(sites.alive))]
    centres = sites.centres(codes.shape[1])
    return Filters(
        bank.name,
        len(names),
        [replace(motif.trim(), name=f"{prefix}{motif.name}") for motif in made],
        [names[f] for f in np.flatnonzero(~sites.alive)],
        {names[f] for f in np.flatnonzero(_turned(bank.layer, len(names)))},
        {names[f]: centres[f][np.isfinite(centres[f])] for f in np.flatnonzero(sites.alive)},
    )


def committee_of(task: Task) -> Committee:
    """Return the members of an ensemble as a committee that answers as the ensemble does.

    Of a task per base, whose logits are summed up over the sequence, it answers with the mean of its members.
    """
    if not isinstance(task, Ensemble) or task.per_base:
        return Committee(task.tasks if isinstance(task, Ensemble) else [task])
    return Committee(task.tasks, lambda logits: task.combined(logits.to(task.device)).cpu())


def place_of(name: str) -> tuple[int, int]:
    """Return the member and the number of a filter by its name; the member of one network alone is 0.

    Examples
    --------
    >>> place_of("member2_filter31"), place_of("filter7")
    ((2, 31), (0, 7))
    """
    member, _, number = name.rpartition("filter")
    return int(member.removeprefix("member").rstrip("_") or 0), int(number)


def common_families(motifs: list[Motif]) -> list[list[Motif]]:
    """Part the motifs of all members into families of those that look alike; the one with most information leads its family.

    The families do not depend on the order of the members.

    Parameters
    ----------
    motifs : list of Motif

    Returns
    -------
    list of list of Motif
        The sharpest first.
    """
    ranked = sorted(motifs, key=lambda motif: (-motif.information_bits, motif.consensus))
    return [[ranked[place] for place in family] for family in families_of(ranked)]


def _turned(layer: nn.Module, n_filters: int) -> NDArray[np.bool_]:
    """Return which filters (F,) a batch norm turns round."""
    weight = getattr(layer, "weight", None)
    if weight is None or not hasattr(layer, "running_mean"):
        return np.zeros(n_filters, dtype=bool)
    turned: NDArray[np.bool_] = (weight < 0).cpu().numpy()
    return turned
