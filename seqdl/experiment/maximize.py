"""Inputs that drive a run's filters or outputs, beside the best that real sequences reach."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from seqdl.errors import UnknownNameError
from seqdl.experiment.motif_members import place_of
from seqdl.interpret.filters import filter_activations
from seqdl.interpret.inputs import scores_of
from seqdl.interpret.maximize import Ascent, maximize_input
from seqdl.interpret.readout import Readout
from seqdl.io.files import writing
from seqdl.io.meme import write_meme
from seqdl.io.table import write_tsv
from seqdl.plot.gallery import gallery_svg
from seqdl.sequence.encode import decode
from seqdl.tasks.ensemble import Ensemble

if TYPE_CHECKING:
    from seqdl.experiment.run import Run
    from seqdl.motif.motif import Motif
    from seqdl.types import Floats

COLUMNS = ("name", "activation", "activation_relaxed", "best_real", "best_real_id", "sequence")


@dataclass(frozen=True)
class Driven:
    """Inputs that were driven.

    Attributes
    ----------
    motifs : list of Motif
        The relaxed inputs, their blank flanks cut off, the best first.
    table : DataFrame
        A row each: name, activation (of the discrete sequence), activation_relaxed, best_real (of the test split), best_real_id, sequence.
    """

    motifs: list[Motif]
    table: pd.DataFrame

    def verdict(self) -> str:
        """Return how far the best went, in a line."""
        row = self.table.iloc[0]
        return (
            f"{row['name'].rpartition('_')[0]} is driven to {row['activation']:.3f}; "
            f"the best test sequence, {row['best_real_id']}, reaches {row['best_real']:.3f}"
        )


def drive(run: Run, *, filter_name: str | None = None, output: int = 0, layer: str | None = None, n: int = 5, seed: int = 0) -> Driven:
    """Drive a filter, or an output, of a run.

    Parameters
    ----------
    run : Run
    filter_name : str, optional
        A filter of `layer` by its name in motifs.tsv: filter3, or of a member of an ensemble member1_filter3; filter3 alone is of the first.
    output : int, default 0
        Driven where no filter is named; of an ensemble the mean of its members.
    layer : str, optional
        By default the first convolution over the bases.
    n : int, default 5
        Number of starts.
    seed : int, default 0

    Raises
    ------
    UnknownNameError
        If there is no such member, filter or layer.
    """
    task, data, ascent = run.task, run.data, Ascent(seed=seed)
    rows = data.rows("test") if len(data.rows("test")) else data.rows()
    length = int(task.recipe.get("length") or data.length)
    if filter_name is None:
        name = task.outputs[output]
        found = maximize_input(task, length, output=output, n=n, ascent=ascent)
        real: Floats = scores_of(Readout(task, output), data.one_hot_of(rows))
    else:
        member, filter_index = place_of(filter_name)
        networks = task.tasks if isinstance(task, Ensemble) else [task]
        if member >= len(networks):
            raise UnknownNameError("member", f"member{member}", [f"member{k}" for k in range(len(networks))])
        reader, name = networks[member], filter_name
        whole = length if layer is not None else None
        found = maximize_input(reader, whole, filter_index=filter_index, layer=layer, n=n, ascent=ascent)
        real = filter_activations(reader, data.codes[rows], layer=layer)[:, filter_index]
    best = int(np.argmax(real))
    motifs = found.motifs(name.replace(" ", "_"))
    table = pd.DataFrame(
        {
            "name": [motif.name for motif in motifs],
            "activation": found.activation,
            "activation_relaxed": found.relaxed,
            "best_real": real[best],
            "best_real_id": str(data.examples["id"].iloc[rows[best]]),
            "sequence": [decode(codes) for codes in found.codes],
        }
    )
    return Driven(motifs, table[list(COLUMNS)])


def write_driven(folder: Path, found: Driven) -> None:
    """Write maximized.tsv, maximized.meme, logos/NAME.svg and gallery.svg."""
    from seqdl.plot.logos import save_logo

    (folder / "logos").mkdir(parents=True, exist_ok=True)
    write_tsv(folder / "maximized.tsv", found.table, force=True, float_format="%.6g")
    write_meme(folder / "maximized.meme", found.motifs, force=True)
    for motif in found.motifs:
        save_logo(motif, folder / "logos" / f"{motif.name}.svg", force=True)
    with writing(folder / "gallery.svg", force=True) as stream:
        stream.write(gallery_svg(found.motifs, columns=1) + "\n")
