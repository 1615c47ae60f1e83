"""The motif baseline: the best site of one motif, known or made from the training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdl.evaluate.baseline import Baseline, LogisticCurve, balanced_rows, check_codes
from seqdl.evaluate.metrics import auroc
from seqdl.motif.motif import Motif
from seqdl.motif.scan import best_scores
from seqdl.sequence.composition import kmer_windows
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes

N_RANKED = 1_000  # training sequences, balanced, on which every motif is ranked
N_FINAL = 10  # the motifs that go on ...
N_RERANKED = 10_000  # ... to this many training sequences
SEED_LENGTHS = (6, 7, 8)
FLANKS = (4, 8)
"""Widths in bp tried on each side of the seed k-mer: 8 finds the far half of a gapped site such as Abf1's, 4 keeps base composition out."""
N_REFINEMENTS = 3
_FALSE_POSITIVE_RATE = 0.05  # of training negatives that may hold a site while a motif is refined


@dataclass(frozen=True, eq=False)
class MotifBaseline(Baseline):
    """The best log-odds score of one motif over positions and both strands; build it with `fit_motif`."""

    name: str
    detail: str
    motif: Motif
    curve: LogisticCurve

    def predict(self, codes: Codes) -> NDArray[np.float64]:
        """Return the probability of the positive class, (N,)."""
        return self.curve(best_scores([self.motif], check_codes(codes))[:, 0])


def fit_motif(codes: Codes, target: NDArray[np.bool_], *, motifs: Sequence[Motif] | None = None, seed: int = 0) -> MotifBaseline:
    """Choose, on the training set, the one motif whose best site separates the classes most.

    Parameters
    ----------
    codes : uint8, (N, L)
        Training sequences.
    target : bool, (N,)
        The truth, both classes.
    motifs : sequence of Motif, optional
        The known motifs to choose from. All are ranked on a balanced 1,000 sequences, the best 10 again on up to 10,000.
        Without any, a motif is made from the most enriched k-mer of the positives.
    seed : int, default 0
        Seed of the subsamples.

    Returns
    -------
    MotifBaseline
    """
    rng = np.random.default_rng(seed)
    if motifs:
        rows = balanced_rows(target, N_RANKED, rng)
        final = [motifs[i] for i in _ranking(motifs, codes[rows], target[rows])[:N_FINAL]]
        rows = balanced_rows(target, N_RERANKED, rng)
        motif = final[_ranking(final, codes[rows], target[rows])[0]]
        among = "the only one given" if len(motifs) == 1 else f"of {len(motifs):,}, chosen on the training set"
        detail = f"best known motif {motif.label} ({among}), best site on either strand"
    else:
        rows = balanced_rows(target, N_RERANKED, rng)
        motif, seed_kmer = enriched_motif(codes[rows], target[rows])
        detail = f"motif made from {seed_kmer}, the most enriched k-mer of the training positives (no known motifs given), best site on either strand"
    score = best_scores([motif], codes[rows])[:, 0]
    return MotifBaseline("pwm", detail, motif, LogisticCurve.fit(score, target[rows]))


def _ranking(motifs: Sequence[Motif], codes: Codes, target: NDArray[np.bool_]) -> list[int]:
    """Return the indices of the motifs by the AUROC of their best score, best first."""
    scores = np.nan_to_num(best_scores(motifs, codes), nan=-1e9, neginf=-1e9, posinf=1e9)
    reached = np.array([auroc(target, scores[:, i]) for i in range(len(motifs))])
    return [int(i) for i in np.argsort(-reached, kind="stable")]


def enriched_motif(codes: Codes, target: NDArray[np.bool_]) -> tuple[Motif, str]:
    """Make a motif from the k-mer that is most enriched in the positives.

    Parameters
    ----------
    codes : uint8, (N, L)
        Sequences.
    target : bool, (N,)
        The truth, both classes.

    Returns
    -------
    Motif, str
        The motif of the aligned sites, and the k-mer (6 to 8 bp) it grew from.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 4, (400, 60)).astype(np.uint8)
    >>> codes[:200, 20:28] = [2, 0, 3, 3, 0, 1, 0, 2]                   # GATTACAG
    >>> motif, seed_kmer = enriched_motif(codes, np.arange(400) < 200)
    >>> seed_kmer in ("GATTACAG", "CTGTAATC")
    True
    """
    seed = _seed(codes, target)
    flanks = [flank for flank in FLANKS if seed.size + 2 * flank <= codes.shape[1]] or [0]
    grown = [_grow(seed, flank, codes, target=target) for flank in flanks]
    return grown[_ranking(grown, codes, target)[0]], grown[0].name


def _grow(seed: NDArray[np.intp], flank: int, codes: Codes, *, target: NDArray[np.bool_]) -> Motif:
    """Align the sites of a seed k-mer with its flanks, then collect the sites of the motif itself, a few times over."""
    name = "".join("ACGT"[base] for base in seed)
    matrix = np.zeros((4, seed.size + 2 * flank))
    matrix[:, flank : flank + seed.size] = -1.0
    matrix[seed, flank + np.arange(seed.size)] = 1.0
    score, site = _best_sites(matrix, codes[target])
    exact = score >= seed.size - 0.5
    sites = site[exact] if exact.any() else site
    motif = Motif.from_sites(name, sites)
    for _ in range(N_REFINEMENTS):
        weights = motif.pwm()
        score, site = _best_sites(weights, codes[target])
        background, _ = _best_sites(weights, codes[~target])
        chosen = score > np.quantile(background, 1 - _FALSE_POSITIVE_RATE)
        if chosen.sum() < min(10, sites.shape[0]):
            break
        motif = Motif.from_sites(name, site[chosen])
    return motif.trim()


def _seed(codes: Codes, target: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the canonical k-mer with the highest z-score of its presence in positives against negatives, (k,)."""
    n_positive, n_negative = int(target.sum()), int((~target).sum())
    best, seed = -np.inf, np.zeros(min(SEED_LENGTHS[0], codes.shape[1]), dtype=np.intp)
    for k in SEED_LENGTHS:
        if k > codes.shape[1]:
            break
        windows, valid = kmer_windows(codes, k, canonical=True)
        row, place = np.nonzero(valid)
        if not row.size:
            continue
        known, first, column = np.unique(windows[valid], return_index=True, return_inverse=True)
        present = np.unique(column.astype(np.int64) * codes.shape[0] + row)  # each sequence counts once
        column, positive = present // codes.shape[0], target[present % codes.shape[0]]
        in_positive = np.bincount(column[positive], minlength=known.size)
        in_negative = np.bincount(column[~positive], minlength=known.size)
        share = (in_positive + in_negative + 1) / (n_positive + n_negative + 2)
        z = (in_positive / n_positive - in_negative / n_negative) / np.sqrt(share * (1 - share) * (1 / n_positive + 1 / n_negative))
        top = int(np.argmax(z))
        if z[top] > best:
            r, p = row[first[top]], place[first[top]]
            best, seed = float(z[top]), codes[r, p : p + k].astype(np.intp)
    return seed


def _best_sites(matrix: NDArray[np.float64], codes: Codes) -> tuple[NDArray[np.float64], Codes]:
    """Return each sequence's best score under `matrix` (4, W) over both strands, and the site as the motif reads it, (N, W)."""
    width = matrix.shape[1]
    table = np.concatenate([matrix, matrix.min(axis=0, keepdims=True)])  # an ambiguous base scores like the worst
    n_starts = codes.shape[1] - width + 1
    best = np.full(codes.shape[0], -np.inf)
    site = np.full((codes.shape[0], width), 4, dtype=np.uint8)
    for strand in (codes, reverse_complement(codes)):
        score = np.zeros((codes.shape[0], n_starts))
        for offset in range(width):
            score += table[strand[:, offset : offset + n_starts], offset]
        start = score.argmax(axis=1)
        top = np.take_along_axis(score, start[:, None], axis=1)[:, 0]
        better = top > best
        best[better] = top[better]
        site[better] = np.take_along_axis(strand, start[:, None] + np.arange(width), axis=1)[better]
    return best, site
