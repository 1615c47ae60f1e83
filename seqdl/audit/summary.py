"""The audit: leaks, shortcuts, balance and ledger in one dictionary, with a verdict in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqdl.audit.leakage import LeakTable, count_contradictions, find_leaks, find_repeats
from seqdl.audit.ragged import Ragged, check_split
from seqdl.audit.shortcuts import Shortcut, find_shortcuts
from seqdl.errors import ShapeError
from seqdl.ledger import Ledger
from seqdl.types import SPLITS, Codes

if TYPE_CHECKING:
    import pandas as pd

MANY_RELATED = 0.05
"""Above this share of test sequences with relatives in training, the verdict says so."""
FEW = 30
"""Below this many examples of a class in the test set, the verdict says that intervals will be wide."""
_WORDS = {"gc": "GC content", "length": "length", "n_content": "N content"}
_KINDS = {
    "exact": ("exact copy", "exact copies"),
    "reverse_complement": ("reverse complement", "reverse complements"),
    "near_copy": ("near-copy, with 80 % or more of its 24-mers", "near-copies, with 80 % or more of their 24-mers"),
    "overlap": ("overlapping interval, with half or more of it", "overlapping intervals, with half or more of each"),
}
_CURES = {
    "gc": "Take negatives with the same GC content (--negatives gc or dinuc)",
    "length": "Cut all sequences to one length (--window)",
    "n_content": "Drop sequences with unknown bases (--ambiguous drop), or take negatives with as many",
}


def audit_examples(
    codes: Codes | Sequence[Codes],
    target: ArrayLike | None,
    split: object,
    *,
    lengths: ArrayLike | None = None,
    intervals: pd.DataFrame | None = None,
    ledger: Ledger | None = None,
    leaks: LeakTable | None = None,
) -> dict[str, Any]:
    """Audit examples before a network sees them; nothing is removed.

    Parameters
    ----------
    codes : uint8, (N, L), or a list of N arrays (L,)
        Sequences.
    target : array_like, (N,), or None
        The truth. Balance and shortcuts are taken for a binary target (0 or 1) only.
    split : array_like of str, (N,)
        train, val or test for each.
    lengths : int array, (N,), optional
        True lengths of the rows of an array; without them ambiguous bases at the ends of a row are taken for padding.
    intervals : DataFrame, optional
        Columns chrom, start, end, one row per sequence in the same order.
    ledger : Ledger, optional
        What was dropped or changed on the way here.
    leaks : LeakTable, optional
        What `find_leaks` has found in the same examples, where it was asked already.

    Returns
    -------
    dict
        Ready for JSON (undefined is None): ``n`` per split; ``leakage`` per split val and test, as `LeakTable.as_dict`;
        ``shortcuts``, a list of `Shortcut.as_dict`; ``leak`` (any test example leaks) and ``shortcut`` (any feature is one);
        ``n_duplicates``, sequences that stand earlier already, on either strand; ``n_contradictions``; ``dropped``, reason to
        count; ``notes``; ``verdict``, a list of sentences.

    Raises
    ------
    ShapeError, InputError
        If the inputs do not fit together.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 4, (400, 50)).astype(np.uint8)
    >>> audit = audit_examples(codes, np.arange(400) < 200, np.tile(["train", "train", "val", "test"], 100))
    >>> audit["leak"], audit["shortcut"]
    (False, False)
    >>> audit["verdict"][0]
    'No leak: none of the 100 test sequences is in the training set as a copy, a reverse complement or a near-copy.'
    """
    sequences = Ragged.of(codes, lengths)
    leaks = leaks or find_leaks(sequences, split, intervals=intervals)
    names = check_split(split, len(codes))
    truth = _binary(target, len(codes))
    leakage = leaks.as_dict()
    shortcuts = find_shortcuts(sequences, truth, names) if truth is not None else []
    n_contradictions = count_contradictions(sequences, truth) if truth is not None else 0
    n_duplicates = int(find_repeats(sequences).sum())
    sizes = _sizes(names, truth)
    dropped = ledger.counts() if ledger is not None else {}
    verdict = [
        *_on_leaks(leakage, has_intervals=intervals is not None),
        *_on_thinning(leaks),
        *_on_related(leakage["test"], has_intervals=intervals is not None),
        *_on_duplicates(n_duplicates, len(codes)),
        *_on_shortcuts(shortcuts),
        *_on_balance(sizes, n_contradictions),
        *_on_dropped(dropped, len(codes)),
    ]
    return {
        "n": sizes,
        "leakage": leakage,
        "leak": bool(leakage["test"]["n_leaky"]),
        "shortcuts": [shortcut.as_dict() for shortcut in shortcuts],
        "shortcut": any(shortcut.is_shortcut for shortcut in shortcuts),
        "n_duplicates": n_duplicates,
        "n_contradictions": n_contradictions,
        "dropped": dropped,
        "notes": list(ledger.notes) if ledger is not None else [],
        "verdict": verdict,
    }


def _binary(target: ArrayLike | None, n: int) -> NDArray[np.bool_] | None:
    """Return the target as booleans, or None where it is not binary."""
    if target is None:
        return None
    values = np.asarray(target)
    if values.shape[:1] != (n,):
        raise ShapeError(f"target has shape {values.shape}; one value for each of the {n} sequences is needed.")
    if values.ndim != 1 or values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        return None
    return values.astype(bool)


def _sizes(split: NDArray[np.str_], truth: NDArray[np.bool_] | None) -> dict[str, dict[str, int]]:
    sizes: dict[str, dict[str, int]] = {}
    for name in SPLITS:
        here = split == name
        if truth is None:
            sizes[name] = {"examples": int(here.sum())}
        else:
            sizes[name] = {"positives": int((here & truth).sum()), "negatives": int((here & ~truth).sum())}
    return sizes


def _on_leaks(leakage: dict[str, dict[str, Any]], *, has_intervals: bool) -> list[str]:
    sentences = []
    ways = "a copy, a reverse complement, a near-copy or an overlapping interval" if has_intervals else "a copy, a reverse complement or a near-copy"
    for name, said in (("test", "test"), ("val", "validation")):
        row = leakage[name]
        if not row["n"]:
            if name == "test":
                sentences.append("There is no test set: nothing can be said about leaks, nor about how well a network does.")
        elif row["n_leaky"]:
            kinds = "; ".join(f"{row[f'n_{kind}']:,} {words[row[f'n_{kind}'] != 1]}" for kind, words in _KINDS.items() if row[f"n_{kind}"])
            hurt = "test scores will be too high" if name == "test" else "the epoch that is kept may be one that memorises"
            cure = _cure(row, has_intervals=has_intervals) if name == "test" else ""
            sentences.append(
                f"Leak: {row['n_leaky']:,} of the {row['n']:,} {said} sequences ({_percent(row['leaky_rate'])}) {_are(row['n_leaky'])} "
                f"also in the training set ({kinds}), so {hurt}.{cure}"
            )
        elif name == "test":
            sentences.append(f"No leak: none of the {row['n']:,} test sequences is in the training set as {ways}.")
    return sentences


def _on_thinning(leaks: LeakTable) -> list[str]:
    if leaks.every == 1:
        return []
    return [f"Sampled: of so many 24-mers one in {leaks.every} was looked up, the same ones everywhere; near-copies close to 80 % are estimates."]


def _cure(row: dict[str, Any], *, has_intervals: bool) -> str:
    """Return the advice on a leak: --deduplicate takes out copies and nothing else, and places are not split by homology."""
    advice = []
    n_copies = row["n_exact"] + row["n_reverse_complement"]
    if n_copies:
        advice.append(f"remove {'them' if n_copies == row['n_leaky'] else 'the copies'} with --deduplicate")
    if row["n_overlap"] or not has_intervals:
        advice.append(f"try --split {'chromosome' if row['n_overlap'] else 'homology'}")
    advice.append("read the score without them (test_leak_free)")
    text = ", ".join(advice[:-1]) + (", or " if advice[:-1] else "") + advice[-1]
    return f" {text[0].upper()}{text[1:]}."


def _on_related(row: dict[str, Any], *, has_intervals: bool) -> list[str]:
    n = row["n_related"]
    if n <= MANY_RELATED * row["n"]:
        return []
    cure = "" if has_intervals else "; --split homology keeps relatives together"
    return [
        f"Related: {n:,} {'further' if row['n_leaky'] else 'of the'} test sequences ({_percent(row['related_rate'])}) share half or more of "
        "their 24-mers with the training set, as variants of one sequence do. By definition this is no leak, yet what was learned from the "
        f"relatives helps here{cure}."
    ]


def _on_duplicates(n: int, n_all: int) -> list[str]:
    if not n:
        return []
    return [
        f"Duplicates: {n:,} of the {n_all:,} sequences {'repeats' if n == 1 else 'repeat'} an earlier one, on one strand or the other; "
        "--deduplicate drops them."
    ]


def _on_shortcuts(shortcuts: list[Shortcut]) -> list[str]:
    if not shortcuts:
        return ["Shortcuts were not looked for: the target is not a plain 0 or 1."]
    measured = [shortcut for shortcut in shortcuts if shortcut.auroc is not None]
    if not measured:
        return ["Shortcuts could not be looked for: the test set does not hold both classes."]
    found = [shortcut for shortcut in measured if shortcut.is_shortcut]
    sentences = []
    for shortcut in found:
        more = (shortcut.positive_mean or 0) > (shortcut.negative_mean or 0)
        sentences.append(
            f"Shortcut: {_WORDS[shortcut.name]} alone tells positives from negatives (AUROC {shortcut.auroc:.2f}, 95 % interval "
            f"{shortcut.low:.2f} to {shortcut.high:.2f}, where 0.5 is chance): it is {'higher' if more else 'lower'} in positives, "
            f"{_mean(shortcut.name, shortcut.positive_mean)} against {_mean(shortcut.name, shortcut.negative_mean)} on average. "
            f"A network may learn this and nothing else. {_CURES[shortcut.name]}."
        )
    if not found:
        each = ", ".join(f"{_WORDS[shortcut.name]} {shortcut.auroc:.2f}" for shortcut in measured)
        sentences.append(f"No shortcut: alone, none of these separates the classes (AUROC on the test set: {each}; 0.5 is chance).")
    return sentences


def _on_balance(sizes: dict[str, dict[str, int]], n_contradictions: int) -> list[str]:
    if "positives" not in sizes["train"]:
        return []
    train, test = sizes["train"], sizes["test"]
    sentences = []
    if train["positives"] and train["negatives"]:
        ratio = train["negatives"] / train["positives"]
        sentences.append(
            f"Balance: {train['positives']:,} positives and {train['negatives']:,} negatives in training, {ratio:.1f} negatives a positive."
        )
    else:
        sentences.append(
            f"Balance: {train['positives']:,} positives and {train['negatives']:,} negatives in training; both are needed to learn a difference."
        )
    fewest = min(test["positives"], test["negatives"])
    if 0 < fewest < FEW:
        which = "positives" if test["positives"] == fewest else "negatives"
        sentences.append(f"Few: the test set holds {fewest} {which} only, so its scores will be uncertain (wide intervals).")
    if n_contradictions:
        sentences.append(
            f"Contradiction: {n_contradictions:,} sequences are there both as a positive and as a negative (either strand); "
            "no network can get both right. Check how the negatives were made."
        )
    return sentences


def _on_dropped(dropped: dict[str, int], n_kept: int) -> list[str]:
    if not dropped:
        return []
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items(), key=lambda item: -item[1]))
    total = sum(dropped.values())
    return [f"Dropped: {total:,} of {total + n_kept:,} examples were left out ({reasons})."]


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _percent(rate: float) -> str:
    return f"{100 * rate:.0f} %" if rate >= 0.1 else f"{100 * rate:.2g} %"


def _mean(name: str, value: float | None) -> str:
    if value is None:
        return "nothing"
    return f"{value:.0f} bp" if name == "length" else f"{100 * value:.1f} %"
