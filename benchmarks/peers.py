"""What the default is held against: a gapped k-mer support vector machine, and the convolutional network of the textbooks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD, KEPT = 8, 6
PENALTY = 1.0
CHUNK = 5_000


@dataclass
class GappedKmers:
    """A linear machine on counts of gapped k-mers: words of 8 bp of which 6 count, both strands as one.

    With counts scaled to length one this is the kernel of gkm-SVM [1]_, fitted in its own feature space.

    References
    ----------
    .. [1] Ghandi et al., Enhanced regulatory sequence prediction using gapped k-mer features, PLoS Computational Biology 10 (2014).
    """

    machine: Any = None

    def fit(self, codes: NDArray[np.uint8], target: NDArray[np.bool_], *, seed: int = 0) -> GappedKmers:
        """Fit to codes (N, L), 4 where no base is known, and a target (N,)."""
        from sklearn.svm import LinearSVC

        machine: Any = LinearSVC
        self.machine = machine(C=PENALTY, class_weight="balanced", loss="hinge", dual=True, random_state=seed, max_iter=5_000, tol=1e-3)
        self.machine.fit(gapped_counts(codes), target)
        return self

    def predict(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return a score for each sequence, (N,)."""
        return np.asarray(self.machine.decision_function(gapped_counts(codes)))


def gapped_counts(codes: NDArray[np.uint8]) -> Any:
    """Return counts of gapped k-mers of codes (N, L), scaled to length one: float32 (N, 28 * 4^6), sparse."""
    from scipy.sparse import vstack
    from sklearn.preprocessing import normalize

    return normalize(vstack([_counts(codes[start : start + CHUNK]) for start in range(0, len(codes), CHUNK)], format="csr"), copy=False)


def _counts(codes: NDArray[np.uint8]) -> Any:
    """Return the counts of a few sequences."""
    from scipy.sparse import csr_matrix

    words = np.lib.stride_tricks.sliding_window_view(codes, WORD, axis=1)  # (N, P, 8)
    known = (words < 4).all(-1)
    row = np.nonzero(known)[0]
    words = words[known].astype(np.int32)
    masks = list(combinations(range(WORD), KEPT))
    number = {mask: place for place, mask in enumerate(masks)}
    powers = 4 ** np.arange(KEPT - 1, -1, -1, dtype=np.int32)
    columns = []
    for mask in masks:
        turned = tuple(sorted(WORD - 1 - place for place in mask))
        ahead = words[:, mask] @ powers
        back = (3 - words[:, mask[::-1]]) @ powers  # the same bases, read on the other strand
        columns.append(np.minimum(number[mask] * 4**KEPT + ahead, number[turned] * 4**KEPT + back))
    flat = np.concatenate(columns)
    shape = (len(codes), len(masks) * 4**KEPT)
    found = csr_matrix((np.ones(flat.size, dtype=np.float32), (np.tile(row.astype(np.int32), len(masks)), flat)), shape=shape)
    found.sum_duplicates()
    return found


TEXTBOOK: dict[str, Any] = {
    "model": {"name": "cnn", "filters": 32, "width": 19},
    "task": {"name": "binary", "dropout": 0.1},
    "strands": "single",
    "training": {"optimiser": "adam", "lr": 0.001, "schedule": "constant", "weight_decay": 0.0, "max_steps": 2_000, "positive_share": 0.0},
}
"""One convolution of 32 filters, maximum over the sequence, 32 dense units, Adam at .001 for 2,000 batches of 64; the best on validation is kept."""
