"""Pictures by matplotlib; every function takes ax=None and returns Axes.

The functions are loaded when they are first used: ``seqdl.plot.logo(motif)``, ``seqdl.plot.track(scores, x)``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqdl.plot.along import profile as profile
    from seqdl.plot.curves import confusion as confusion
    from seqdl.plot.curves import histogram as histogram
    from seqdl.plot.curves import loss as loss
    from seqdl.plot.curves import precision_recall as precision_recall
    from seqdl.plot.curves import reliability as reliability
    from seqdl.plot.curves import roc as roc
    from seqdl.plot.curves import scatter as scatter
    from seqdl.plot.experiments import by_position as by_position
    from seqdl.plot.experiments import firing as firing
    from seqdl.plot.experiments import spacing as spacing
    from seqdl.plot.gallery import gallery_svg as gallery_svg
    from seqdl.plot.inside import attention as attention
    from seqdl.plot.inside import states as states
    from seqdl.plot.logos import logo as logo
    from seqdl.plot.logos import save_logo as save_logo
    from seqdl.plot.maps import embedding as embedding
    from seqdl.plot.svg_logos import logo_svg as logo_svg
    from seqdl.plot.tracks import track as track
    from seqdl.plot.tracks import track_svg as track_svg

_HOME = {
    "attention": "inside",
    "by_position": "experiments",
    "confusion": "curves",
    "embedding": "maps",
    "firing": "experiments",
    "gallery_svg": "gallery",
    "histogram": "curves",
    "logo": "logos",
    "logo_svg": "svg_logos",
    "loss": "curves",
    "precision_recall": "curves",
    "profile": "along",
    "reliability": "curves",
    "roc": "curves",
    "save_logo": "logos",
    "scatter": "curves",
    "spacing": "experiments",
    "states": "inside",
    "track": "tracks",
    "track_svg": "tracks",
}

__all__ = [*_HOME]  # noqa: PLE0604  # the names are strings of a table


def __getattr__(name: str) -> Any:
    """Import a function when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'seqdl.plot' has no attribute '{name}'")
    return getattr(importlib.import_module(f"seqdl.plot.{_HOME[name]}"), name)
