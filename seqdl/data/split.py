"""Which examples train, which validate, which test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqdl.data.chromosomes import organelles
from seqdl.data.homology import SharedKmers, families_of, sequence_families
from seqdl.errors import DataError, InputError, UnknownNameError, listing
from seqdl.types import SPLITS, Codes

Splits = NDArray[np.str_]
Fractions = tuple[float, float, float]
_DEFAULT: Fractions = (0.8, 0.1, 0.1)
_MOSAIC = 0.78  # a leak is 0.8 of the 24-mers; a little below, since repeats may be counted in either way


def split_by_chromosome(
    chroms: ArrayLike | pd.Series[Any],
    lengths: Mapping[str, int],
    *,
    val: Iterable[str] | None = None,
    test: Iterable[str] | None = None,
) -> Splits:
    """Hold whole chromosomes out.

    Parameters
    ----------
    chroms : array of str, (N,)
        Chromosome of each example.
    lengths : mapping of str to int
        Chromosome lengths in bp, in the order of the genome.
    val, test : iterable of str, optional
        Chromosomes to validate and test on. What is not given is chosen: about a tenth of the examples and of the
        genome each. Organelles are never chosen.

    Returns
    -------
    str array, (N,)
        ``"train"``, ``"val"`` or ``"test"``.

    Raises
    ------
    UnknownNameError
        If a chromosome that is named is not in the genome.
    InputError
        If one is named for both.
    DataError
        If there are too few chromosomes with examples, or a split would hold none.

    Examples
    --------
    >>> split_by_chromosome(["chrI", "chrII", "chrIII", "chrM"], {"chrI": 9, "chrII": 4, "chrIII": 4, "chrM": 1}, test=["chrII"]).tolist()
    ['train', 'test', 'val', 'train']
    """
    of = np.asarray(chroms, dtype=str)
    named = {kind: None if given is None else _known(given, lengths) for kind, given in (("val", val), ("test", test))}
    both = set(named["val"] or ()) & set(named["test"] or ())
    if both:
        raise InputError(f"{listing(sorted(both))} is named for validation and for test; expected no chromosome in both. Take it out of one.")
    chosen = {name: kind for kind, names in named.items() for name in names or ()}
    open_kinds = [kind for kind, names in named.items() if names is None]
    chosen |= _choose(of, lengths, open_kinds, fixed=set(chosen))
    found = np.array([chosen.get(name, "train") for name in lengths], dtype="<U5")
    result = pd.Series(found, index=list(lengths)).reindex(of).to_numpy()
    _check_filled(result, "Name other chromosomes: --val-chromosomes, --test-chromosomes")
    return np.asarray(result, dtype="<U5")


def _known(names: Iterable[str], lengths: Mapping[str, int]) -> list[str]:
    asked = [names] if isinstance(names, str) else list(names)
    for name in asked:
        if name not in lengths:
            raise UnknownNameError("chromosome", name, lengths)
    return asked


def _choose(of: NDArray[np.str_], lengths: Mapping[str, int], kinds: list[str], *, fixed: set[str]) -> dict[str, str]:
    """Choose chromosomes for `kinds`, a tenth each: the largest go first, each to where most is still missing."""
    if not kinds:
        return {}
    examples = pd.Series(of).value_counts()
    bodies = organelles(lengths)
    usable = [name for name in lengths if name in examples and name not in bodies and name not in fixed]
    if len(usable) <= len(kinds):
        raise DataError(
            f"{len(usable)} chromosomes with examples are left to choose {' and '.join(kinds)} from; expected at least {len(kinds) + 1}. "
            "Organelles always train. Give a genome with more chromosomes, or the sequences as FASTA files, which are split by homology."
        )
    n_examples, size = float(examples[usable].sum()), float(sum(lengths[name] for name in usable))
    share = {name: (examples[name] / n_examples + lengths[name] / size) / 2 for name in usable}
    missing = {"train": 1 - 0.1 * len(kinds)} | dict.fromkeys(kinds, 0.1)
    chosen: dict[str, str] = {}
    for name in sorted(usable, key=lambda name: -share[name]):
        kind = max(missing, key=lambda kind: missing[kind])
        chosen[name] = kind
        missing[kind] -= share[name]
    for kind in kinds:  # of few chromosomes none may have come so far: the smallest that trains gives way
        if kind not in chosen.values():
            training = [name for name in usable if chosen[name] == "train"]
            chosen[min(training, key=lambda name: share[name])] = kind
    return chosen


def fold_chromosomes(lengths: Mapping[str, int], *, k: int, fold: int) -> tuple[list[str], list[str]]:
    """Return the chromosomes that one of `k` folds validates and tests on.

    Fold f tests the chromosomes whose index in the genome is f modulo k and validates on those of the next fold;
    organelles stay in training.

    Returns
    -------
    val, test : list of str

    Raises
    ------
    InputError
        If `k` is less than 3 or `fold` is not one of 0 to k - 1.
    DataError
        If a fold has no chromosome.

    Examples
    --------
    >>> fold_chromosomes({"chrI": 9, "chrII": 8, "chrIII": 7, "chrIV": 6, "chrM": 1}, k=4, fold=3)
    (['chrI'], ['chrIV'])
    """
    _check_fold(k, fold)
    bodies = organelles(lengths)
    of: dict[int, list[str]] = {f: [] for f in range(k)}
    for index, name in enumerate(lengths):
        if name not in bodies:
            of[index % k].append(name)
    empty = [f for f, names in of.items() if not names]
    if empty:
        raise DataError(
            f"fold {empty[0]} of {k} has no chromosome; the genome has {len(lengths) - len(bodies)} that may be held out. Use fewer folds."
        )
    return of[(fold + 1) % k], of[fold]


def _check_fold(k: int, fold: int) -> None:
    if k < 3:
        raise InputError(
            f"{k} folds were asked for; expected 3 or more, since one tests, the next validates and the others train. Give --folds 4, for example."
        )
    if not 0 <= fold < k:
        raise InputError(f"there is no fold {fold} of {k}; expected 0 to {k - 1}. Folds are counted from 0.")


def split_by_homology(
    sequences: Sequence[Codes],
    *,
    labels: ArrayLike | None = None,
    seed: int = 0,
    fractions: Fractions = _DEFAULT,
    k: int = 24,
    containment: float = 0.5,
) -> Splits:
    """Split at random, but keep sequences that are near copies of each other together.

    Parameters
    ----------
    sequences : sequence of N uint8 arrays, each (L_i,)
        Codes.
    labels : array, (N,), optional
        Classes; each split gets its share of each.
    seed : int, default 0
        Seed of the draw.
    fractions : tuple of 3 floats
        Shares of train, val and test; 0 leaves one empty.
    k, containment : int, float
        See `seqdl.data.homology.sequence_families`.

    Returns
    -------
    str array, (N,)
        ``"train"``, ``"val"`` or ``"test"``.

    Raises
    ------
    DataError
        If there are too few sequences, or too few that are not copies of each other, to fill every split.
    """
    _check_enough(len(sequences), fractions)
    shared = SharedKmers(sequences, k)
    families = families_of(sequences, shared, containment)
    found = _deal(families, labels, fractions, seed=seed)
    hint = "the sequences form too few families of near copies. Trim flanks that all of them share, give a split of your own or use --split random"
    _check_filled(found, hint, needed=fractions)
    # a mosaic of several training sequences is no near copy of one of them, but of the training set
    while (late := shared.in_training(found == "train", containment=_MOSAIC)).any():
        found[np.isin(families, families[late])] = "train"
    _check_filled(found, hint, needed=fractions)
    return found


def split_at_random(n: int, *, labels: ArrayLike | None = None, seed: int = 0, fractions: Fractions = _DEFAULT) -> Splits:
    """Split `n` examples at random, near copies or not.

    Parameters
    ----------
    n : int
        Number of examples N.
    labels : array, (N,), optional
        Classes; each split gets its share of each.
    seed : int, default 0
        Seed of the draw.
    fractions : tuple of 3 floats
        Shares of train, val and test; 0 leaves one empty.

    Examples
    --------
    >>> split, n = np.unique(split_at_random(50), return_counts=True)
    >>> dict(zip(split.tolist(), n.tolist()))
    {'test': 5, 'train': 40, 'val': 5}
    """
    _check_enough(n, fractions)
    found = _deal(np.arange(n), labels, fractions, seed=seed)
    _check_filled(found, "Give more examples", needed=fractions)
    return found


def homology_folds(
    sequences: Sequence[Codes], n_folds: int, *, labels: ArrayLike | None = None, seed: int = 0, k: int = 24, containment: float = 0.5
) -> NDArray[np.int64]:
    """Deal sequences to folds, near copies to the same one.

    Fold f tests what has the number f and validates on what has the next: see `splits_of_fold`.

    Returns
    -------
    int64 array, (N,)
        From 0 to ``n_folds - 1``.
    """
    _check_fold(n_folds, 0)
    return _fold_parts(sequence_families(sequences, k=k, containment=containment), n_folds, labels, seed=seed)


def random_folds(n: int, n_folds: int, *, labels: ArrayLike | None = None, seed: int = 0) -> NDArray[np.int64]:
    """Deal `n` examples to folds at random, near copies or not: int64 (n,), from 0 to ``n_folds - 1``; see `homology_folds`.

    Examples
    --------
    >>> np.bincount(random_folds(50, 5)).tolist()
    [10, 10, 10, 10, 10]
    """
    _check_fold(n_folds, 0)
    return _fold_parts(np.arange(n), n_folds, labels, seed=seed)


def _fold_parts(families: NDArray[np.int64], n_folds: int, labels: ArrayLike | None, *, seed: int) -> NDArray[np.int64]:
    """Deal whole families to folds, of which none may stay empty."""
    shares = (1 / n_folds,) * n_folds
    _check_enough(len(families), shares)
    found = _deal_parts(families, labels, shares, seed=seed)
    if len(np.unique(found)) < n_folds:
        raise DataError(
            f"{len(families):,} examples in {len(np.unique(families)):,} families of near copies are too few for {n_folds} folds that each hold "
            "some: more were expected. Use fewer folds."
        )
    return found


def splits_of_fold(folds: NDArray[np.int64], fold: int, *, k: int) -> Splits:
    """Return the splits of one fold: it tests, the next validates, the others train.

    Examples
    --------
    >>> splits_of_fold(np.array([0, 1, 2]), 2, k=3).tolist()
    ['val', 'train', 'test']
    """
    _check_fold(k, fold)
    return np.select([folds == fold, folds == (fold + 1) % k], ["test", "val"], "train").astype("<U5")


def _deal(families: NDArray[np.int64], labels: ArrayLike | None, fractions: Fractions, *, seed: int) -> Splits:
    return np.array(SPLITS, dtype="<U5")[_deal_parts(families, labels, fractions, seed=seed)]


def _deal_parts(families: NDArray[np.int64], labels: ArrayLike | None, shares: Sequence[float], *, seed: int) -> NDArray[np.int64]:
    """Deal whole families to parts so that each part gets its share of each class.

    No family may make up more than a quarter of a part, unless a part would stay empty otherwise.
    """
    strata = _strata(labels, len(families))
    aim = np.outer(np.bincount(strata), np.asarray(shares) / np.sum(shares))  # (classes, parts)
    part = _deal_families(families, strata, aim, most=0.25, rng=np.random.default_rng(seed & 0xFFFFFFFF))
    if len(np.unique(part)) < np.count_nonzero(shares):
        part = _deal_families(families, strata, aim, most=1.0, rng=np.random.default_rng(seed & 0xFFFFFFFF))
    return part


def _deal_families(
    families: NDArray[np.int64], strata: NDArray[np.intp], aim: NDArray[np.float64], *, most: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Deal families, the largest first, each to the part that is least filled; single sequences fill up what is missing."""
    missing = aim.copy()
    part = np.full(len(families), -1, dtype=np.int64)
    sizes = np.bincount(families)
    members = np.split(np.argsort(families, kind="stable"), np.cumsum(sizes)[:-1])
    large = rng.permutation(np.flatnonzero(sizes > 1))
    for family in large[np.argsort(-sizes[large], kind="stable")]:
        counts = np.bincount(strata[members[family]], minlength=len(aim))
        main = int(np.argmax(counts))
        fits = (counts[main] <= most * aim[main]) & (counts[main] <= missing[main])
        to = int(np.argmax(np.where(fits, missing[main] / np.maximum(aim[main], 1e-9), -1) if fits.any() else missing[main]))
        part[members[family]] = to
        missing[:, to] -= counts
    for stratum in range(len(aim)):
        single = rng.permutation(np.flatnonzero((part < 0) & (strata == stratum)))
        part[single] = np.repeat(np.arange(aim.shape[1]), _whole(np.maximum(missing[stratum], 1e-9 * aim[stratum]), len(single)))
    return part


def _whole(shares: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Round shares to whole numbers that sum to `n`, the largest remainders up."""
    exact = shares / shares.sum() * n
    whole: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: n - whole.sum()]] += 1
    for part in np.flatnonzero((whole == 0) & (exact > 0.2)):  # of a rare class, every split should see one
        if whole.max() > 1:
            whole[np.argmax(whole)] -= 1
            whole[part] += 1
    return whole


def _strata(labels: ArrayLike | None, n: int) -> NDArray[np.intp]:
    """Give each class a number; what has too many different values to be classes is one."""
    if labels is None:
        return np.zeros(n, dtype=np.intp)
    values = np.asarray(labels)
    if values.shape != (n,):
        raise InputError(
            f"the labels have the shape {values.shape}; expected one for each of the {n:,} examples. Give a class number or name a sequence."
        )
    names, found = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
    numbers: NDArray[np.intp] = found
    return numbers if len(names) <= max(2, min(1000, n // 10)) else np.zeros(n, dtype=np.intp)


def _check_enough(n: int, fractions: Sequence[float]) -> None:
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise InputError(f"the fractions are {tuple(fractions)}; expected shares of 0 or more that sum to 1. The usual ones are (0.8, 0.1, 0.1).")
    needed = int(np.ceil(1 / min(share for share in fractions if share > 0) - 1e-9))
    if n < needed:
        raise DataError(
            f"there are {n:,} examples to split; expected at least {needed}, so that each part holds one. Give more examples or ready-made splits."
        )


def _check_filled(found: ArrayLike, hint: str, *, needed: Fractions | None = None) -> None:
    """Raise if a split holds no example."""
    result = np.asarray(found)
    counts = {split: int((result == split).sum()) for split in SPLITS}
    empty = [split for split, share in zip(SPLITS, needed or _DEFAULT, strict=True) if share > 0 and not counts[split]]
    if empty:
        wanted = f" (shares {needed} were asked for)" if needed else ""
        raise DataError(
            f"no example is left for {' and '.join(empty)}: the splits hold {counts}{wanted}; "
            f"expected at least one in each. {hint[0].upper()}{hint[1:]}."
        )
