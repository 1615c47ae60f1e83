"""Where a plot goes that was given no place of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes_of(ax: Axes | None, width: float, height: float) -> Axes:
    """Return the axes, or those of a new figure of some inches where there are none; matplotlib is loaded only then."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    made: Axes = plt.subplots(figsize=(width, height), layout="constrained")[1]
    return made
