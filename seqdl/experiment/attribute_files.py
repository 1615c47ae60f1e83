"""Attributions as files: arrays, tables, pictures, checks, seqlets, motifs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqdl.experiment.motif_files import write_motif_table
from seqdl.experiment.motif_names import names_of
from seqdl.interpret.method import METHODS
from seqdl.io.bed import write_bed
from seqdl.io.files import writing
from seqdl.io.table import write_tsv
from seqdl.plot.tracks import track_svg
from seqdl.sequence.encode import one_hot

if TYPE_CHECKING:
    from seqdl.experiment.attribute import Explained
    from seqdl.interpret.modisco import Pattern
    from seqdl.motif.motif import Motif

BASE_PIXELS = 8
"""Width of a letter in a track."""
NARROWEST, HEIGHT = 640, 160


def write_arrays(path: Path, found: Explained, *, force: bool = False) -> None:
    """Write attributions.npz, as `seqdl.io.attributions.read_attributions` reads it.

    Parameters
    ----------
    path : Path
        Gets codes (n, L), attributions (n, 4, L), lengths, id, output, prediction, logit (each n) and method; also hypothetical (n, 4, L)
        where that was asked for.
    found : Explained
    force : bool, default False
        Replace what is there.
    """
    table = found.table
    columns: dict[str, Any] = {name: table[name].to_numpy(dtype=str) for name in ("id", "output")}
    if found.how.options.get("hypothetical") and found.every_base is not None:
        columns["hypothetical"] = found.every_base
    with writing(path, force=force, binary=True) as handle:
        np.savez_compressed(
            handle,
            codes=found.asked.codes,
            attributions=found.scores,
            lengths=found.asked.lengths,
            prediction=table["prediction"].to_numpy(dtype=float),
            logit=table["logit"].to_numpy(dtype=float),
            method=np.array(found.how.method),
            **columns,
        )


def write_tracks(folder: Path, found: Explained, *, n: int) -> list[Path]:
    """Write the first tracks as SVG, letters as high as they count; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.svg"):
        stale.unlink()
    paths = []
    for row, line in enumerate(found.table.head(n).to_dict("records")):
        length = int(found.asked.lengths[row])
        onehot = one_hot(found.asked.codes[row, :length])
        picture = track_svg(
            found.scores[row, :, :length],
            onehot,
            width=max(NARROWEST, BASE_PIXELS * length),
            height=HEIGHT,
            label=found.how.method,
            title=f"{line['id']}: {line['output']} {line['prediction']:.3g}",
        )
        name = re.sub(r"[^\w.+-]+", "_", str(line["id"]))[:80].strip("_.") or "sequence"
        paths.append(folder / f"{row + 1:03d}_{name}.svg")
        with writing(paths[-1], force=True) as stream:
            stream.write(picture + "\n")
    return paths


def write_seqlets(folder: Path, table: pd.DataFrame) -> None:
    """Write seqlets.tsv and seqlets.bed; the BED is of the genome where the sequences lie in one, else of the sequences."""
    write_tsv(folder / "seqlets.tsv", table, force=True, float_format="%.6g")
    placed = "chrom" in table
    p = np.maximum(table["p"].to_numpy(dtype=float), 1e-300)
    bed = pd.DataFrame(
        {
            "chrom": table["chrom" if placed else "id"],
            "start": table["chrom_start" if placed else "start"],
            "end": table["chrom_end" if placed else "end"],
            "name": [f"{bases}{'' if score > 0 else '(lowers)'}" for bases, score in zip(table["bases"], table["score"], strict=True)],
            "score": np.minimum(np.rint(-10 * np.log10(p)), 1000).astype(np.int64),
            "strand": ".",
        }
    )
    write_bed(folder / "seqlets.bed", bed, force=True)


def motif_table(patterns: list[Pattern], database: list[Motif]) -> tuple[list[Motif], pd.DataFrame]:
    """Return the motifs of patterns, and their table with the columns that those of filters have.

    Parameters
    ----------
    patterns : list of Pattern
        What motif discovery found.
    database : list of Motif
        Known motifs; names come from these.

    Returns
    -------
    motifs : list of Motif
        Trimmed to where they say something.
    table : DataFrame
        name, n_sites, information_bits, consensus, importance (mean sum of the attributions of a seqlet), match, match_p, match_q,
        offset, strand, also_matches, match_family, family, family_importance, direction.
    """
    motifs = [pattern.motif.trim() for pattern in patterns]
    contribution = [pattern.contribution for pattern in patterns]
    table = pd.DataFrame(
        {
            "name": pd.Series([motif.name for motif in motifs], dtype=object),  # of no motif at all pandas would make numbers
            "n_sites": [round(motif.n_sites) for motif in motifs],
            "information_bits": [motif.information_bits for motif in motifs],
            "consensus": [motif.consensus for motif in motifs],
            "importance": contribution,
        }
    ).merge(names_of(motifs, database), on="name", how="left")
    return motifs, table.assign(family=table["name"], family_importance=contribution, direction=np.sign(contribution).astype(int))


def write_patterns(folder: Path, patterns: list[Pattern], database: list[Motif]) -> pd.DataFrame:
    """Write the motifs of patterns with their table and logos, as for filters; return the table."""
    motifs, table = motif_table(patterns, database)
    write_motif_table(folder, motifs, table)
    return table


def tells_of_all_bases(method: str) -> bool:
    """Tell whether a method can say what every base would contribute, which motif discovery needs."""
    return "hypothetical" in METHODS.options(method) or method in ("ism", "saliency")
