"""The motifs of a network as files: every common format, logos, a gallery, where the filters fire."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.interpret.families import merged
from seqdl.io.files import writing
from seqdl.io.meme import write_meme
from seqdl.io.motifs import write_jaspar, write_transfac
from seqdl.io.table import write_tsv
from seqdl.report.belief_data import SIGNIFICANT, VAGUE_BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes

    from seqdl.experiment.motifs import Extraction
    from seqdl.motif.motif import Motif

N_DRAWN = 8
"""Families whose places are drawn: more lines cannot be told apart."""


def write_motifs(folder: Path, found: Extraction, *, length: int) -> None:
    """Write motifs, their table and their pictures into a folder.

    Parameters
    ----------
    folder : Path
        Gets motifs.meme, motifs.jaspar, motifs.transfac, families.meme (a motif a family, its filters laid over each other),
        motifs.tsv, logos/NAME.svg, gallery.svg and positions.svg; of an ensemble also filters.meme and filters.tsv, every filter with its family.
    found : Extraction
    length : int
        Length of the sequences that were read (bp).
    """
    write_motif_table(folder, found.motifs, found.table)
    for stale in ("filters.meme", "filters.tsv"):
        (folder / stale).unlink(missing_ok=True)
    if found.families:
        write_meme(folder / "filters.meme", [motif for family in found.families.values() for motif in family], force=True)
        write_tsv(folder / "filters.tsv", found.filters, force=True)
    leaders = list(dict.fromkeys(found.table["family"]))[:N_DRAWN]
    if leaders:
        write_figure(folder / "positions.svg", lambda ax: _draw_positions(ax, found, leaders, length=length))
    else:
        (folder / "positions.svg").unlink(missing_ok=True)


def write_motif_table(folder: Path, motifs: list[Motif], table: pd.DataFrame) -> None:
    """Write motifs in every format, their table, their logos and their gallery."""
    from seqdl.plot.gallery import gallery_svg
    from seqdl.plot.logos import save_logo

    logos = folder / "logos"
    logos.mkdir(parents=True, exist_ok=True)
    for stale in [*logos.glob("*.svg"), folder / "gallery.svg"]:
        stale.unlink(missing_ok=True)
    for name, write in (("meme", write_meme), ("jaspar", write_jaspar), ("transfac", write_transfac)):
        write(folder / f"motifs.{name}", motifs, force=True)
    write_meme(folder / "families.meme", family_motifs(motifs, table), force=True)
    write_tsv(folder / "motifs.tsv", table, force=True)
    for motif in motifs:
        save_logo(motif, logos / f"{motif.name}.svg", force=True)
    if motifs:
        drawn, left_out = _drawn(table)
        rows = table[drawn].to_dict("records")
        with writing(folder / "gallery.svg", force=True) as stream:
            stream.write(gallery_svg([motif for motif, shown in zip(motifs, drawn, strict=True) if shown], rows, left_out=left_out) + "\n")


def _drawn(table: pd.DataFrame) -> tuple[pd.Series, str]:
    """Return which motifs are drawn side by side, and what is left out in words: of families over several networks the vague ones."""
    vague = table["information_bits"] < VAGUE_BITS
    if "members" not in table or vague.all() or not vague.any():
        return vague | True, ""
    return ~vague, f"{int(vague.sum())} vague ones (under {VAGUE_BITS:g} bits) are in motifs.tsv only"


def family_motifs(motifs: list[Motif], table: pd.DataFrame) -> list[Motif]:
    """Return one motif a family: its members laid over each other and added up, named after the first."""
    by_name = {motif.name: motif for motif in motifs}
    return [merged([by_name[name] for name in rows["name"]]) for _, rows in table.groupby("family", sort=False)]


def write_figure(path: Path, draw: Callable[[Axes], object], *, inches: tuple[float, float] = (6.4, 3.8)) -> None:
    """Draw on new axes and write them as SVG, the same bytes each time."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    draw(figure.subplots())
    with mpl.rc_context({"svg.hashsalt": "seqdl"}), writing(path, force=True, binary=True) as stream:
        target: Any = stream  # matplotlib's types do not know every binary stream
        figure.savefig(target, format="svg", metadata={"Date": None})


def _draw_positions(ax: Axes, found: Extraction, leaders: list[str], *, length: int) -> None:
    """Draw where the first filter of each family fires."""
    from seqdl.plot.experiments import firing

    known = found.table[found.table["match_q"] < SIGNIFICANT].set_index("name")["match"]
    named = {name: f"{name} {known[name].partition(' ')[2] or known[name]}" if name in known else name for name in leaders}
    firing({named[name]: found.centres[name] for name in leaders}, length, ax=ax)
