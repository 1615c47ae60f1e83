"""The figures of the report card that matter, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def card_table(card: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row for the samples, for held-out real sequences and for each simple generator; what is undefined is NaN.

    Parameters
    ----------
    card : mapping
        What `Card.to_dict` returns, or card.json holds.

    Returns
    -------
    DataFrame
        js_3, js_6: divergence of k-mer spectra (bits); kmer_auroc, cnn_auroc: how well a fresh classifier tells a set from real
        sequences; motifs_off: motifs at half or twice their rate; place_r: correlation of where they stand; nearest: median distance
        to the nearest other of the set (bp, or edits a base); copies: share that is near a training sequence; recall: share of real
        sequences that lie among the set.
    """
    sets = {"samples": card["sample"], "real, held out": card["real"]}
    sets |= {name.replace("_", " "): figures for name, figures in card["baselines"].items()}
    return pd.DataFrame({name: _row(figures) for name, figures in sets.items()}, dtype=float).T


def _row(figures: Mapping[str, Any] | None) -> dict[str, float | None]:
    found = figures or {}
    kmers, tests, motifs = (found.get(group) or {} for group in ("kmers", "two_sample", "motifs"))
    return {
        "js_3": kmers.get("js_3"),
        "js_6": kmers.get("js_6"),
        "kmer_auroc": (tests.get("kmer") or {}).get("value"),
        "cnn_auroc": (tests.get("cnn") or {}).get("value"),
        "motifs_off": None if motifs.get("too_rare") is None else motifs["too_rare"] + motifs["too_frequent"],
        "place_r": motifs.get("position_r"),
        "nearest": (found.get("diversity") or {}).get("nearest_median"),
        "copies": (found.get("novelty") or {}).get("near_rate"),
        "recall": (found.get("embedding") or {}).get("recall"),
    }
