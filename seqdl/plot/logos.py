"""Sequence logos by matplotlib, and files of logos in any format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from seqdl.errors import InputError
from seqdl.io.files import writing
from seqdl.motif.motif import Motif
from seqdl.plot.figure import axes_of
from seqdl.plot.letters import BASES, COLOURS
from seqdl.plot.svg_logos import GREY, Kind, logo_svg, stack_heights

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["logo", "logo_svg", "save_logo"]

_DRAWN = {".png", ".pdf", ".jpg", ".jpeg"}
_PER_POSITION, _HEIGHT = 0.35, 1.8  # inches


def logo(motif: Motif | ArrayLike, *, ax: Axes | None = None, kind: Kind = "bits", reverse_complement: bool = False) -> Axes:
    """Draw a sequence logo.

    Parameters
    ----------
    motif : Motif or array (4, W)
        What to draw; an array holds counts or probabilities.
    ax : Axes, optional
        Where to draw; a new figure by default.
    kind : {"bits", "probability"}
        Height of a stack: its information content (axis 0 to 2 bits), or 1.
    reverse_complement : bool, default False
        Draw the other strand.

    Returns
    -------
    Axes
        With the positions counted from 1 and the y axis labelled.

    Raises
    ------
    InputError
        If `kind` is unknown or an array is not counts or probabilities.
    """
    import pandas as pd
    from logomaker.src.Logo import Logo

    name, heights = stack_heights(motif, kind=kind, reverse_complement=reverse_complement)
    n_positions = heights.shape[1]
    ax = axes_of(ax, _inches(n_positions), _HEIGHT)
    Logo(pd.DataFrame(heights.T, columns=list(BASES)), ax=ax, color_scheme=dict(COLOURS), show_spines=False)
    ax.spines["left"].set_visible(True)
    every = 1 if n_positions <= 25 else 5
    shown = [i for i in range(n_positions) if (i + 1) % every == 0 or i == 0]
    ax.set_xticks(shown, [str(i + 1) for i in shown])
    ax.tick_params(axis="x", length=0)
    ax.set_ylim(0, 2 if kind == "bits" else 1)
    ax.set_yticks([0, 1, 2] if kind == "bits" else [0, 0.5, 1])
    ax.set_ylabel("bits" if kind == "bits" else "probability")
    if name:
        ax.set_title(name, loc="left", fontsize="medium")
    return ax


def save_logo(motif: Motif | ArrayLike, path: str | Path, *, force: bool = False, kind: Kind = "bits", reverse_complement: bool = False) -> None:
    """Write a logo to a file, .svg by the fast way, .png, .pdf or .jpg by matplotlib.

    Parameters
    ----------
    motif : Motif or array (4, W)
        What to draw.
    path : str or Path
        The file; its ending names the format.
    force : bool, default False
        Overwrite an existing file.
    kind, reverse_complement
        As in `logo`.

    Raises
    ------
    InputError
        If the ending is none of these.
    OutputExistsError
        If the file exists and `force` is not set.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".svg" or str(path) == "-":
        title = (motif.label or None) if isinstance(motif, Motif) else None
        with writing(path, force=force) as stream:
            stream.write(logo_svg(motif, kind=kind, reverse_complement=reverse_complement, title=title, ink=GREY) + "\n")
        return
    if suffix not in _DRAWN:
        raise InputError(f"a logo cannot be written to '{path}': unknown ending '{suffix}'; expected .svg, .png, .pdf or .jpg. Rename it.")
    from matplotlib.figure import Figure

    n_positions = (motif.pfm if isinstance(motif, Motif) else np.asarray(motif)).shape[-1]
    figure = Figure(figsize=(_inches(n_positions), _HEIGHT), layout="constrained")
    logo(motif, ax=figure.subplots(), kind=kind, reverse_complement=reverse_complement)
    with writing(path, force=force, binary=True) as binary:
        figure.savefig(_target(binary), format=suffix[1:], dpi=200)


def _target(stream: Any) -> Any:
    """Pass a stream to matplotlib, whose types do not know every binary stream."""
    return stream


def _inches(n_positions: int) -> float:
    return max(2.0, 0.7 + _PER_POSITION * n_positions)
