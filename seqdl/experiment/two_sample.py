"""A fresh CNN, told to separate synthetic from real sequences.

It reads each sequence twice: the best window of every filter anywhere, and which filters answer where. It sees motifs at their places sooner
than motifs anywhere, so its AUROC never stands alone: 4-mers and motif rates stand beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.evaluate.two_sample import auroc_interval, folds
from seqdl.types import Codes

N_FOLDS = 2
MOST_SEQUENCES = 5_000
MOST_BASES = 1_000_000
"""Of each set; more are not looked at."""
LONGEST = 2_000
"""bp; of longer sequences the middle is looked at."""
PASSES, LEAST_STEPS = 6, 150
BATCH, RATE, DECAY, CLIP, WARM_UP = 128, 1e-2, 0.3, 1.0, 0.4
"""On 5,000 simulated promoters of 64 bp against a Markov chain of order 3: AUROC .944 (two seeds); with a rate of 5e-3 the same; without the
clipping some runs on 200 bp fell from .90 to .68."""
FILTERS, WIDTH, MIXED, HIDDEN = 64, 11, 8, 32
"""The exponential in place of relu: .917 to .929; dropout of .4 on places: to .936; two positions pooled and not four: .940 to .944."""
BINS = 32
DROPOUT, PLACE_DROPOUT = 0.2, 0.4
SLOPE = 0.1
_TOP = 5.0  # the exponential is cut here


class JudgeNet(nn.Module):
    """Filters, their best windows, and where they answer.

    Parameters
    ----------
    length : int
        bp.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length
        self.pool = -(-length // BINS)
        self.bins = -(-length // self.pool)
        self.filters = nn.Linear(4 * WIDTH, FILTERS, bias=False)  # a convolution as one product: half the time on a processor
        self.norm = nn.BatchNorm1d(FILTERS)
        self.mix = nn.Linear(FILTERS, MIXED)
        self.hidden = nn.Linear(FILTERS + MIXED * self.bins, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B,) for one-hot (B, L + 10, 4), bases last and five empty columns at each end."""
        windows = x.as_strided((len(x), self.length, 4 * WIDTH), (x.stride(0), 4, 1))
        found = F.pad(self.filters(windows), (0, 0, 0, self.bins * self.pool - self.length), value=-1e4)
        found = found.view(len(x), self.bins, self.pool, FILTERS).amax(2)
        found = self.norm(found.reshape(-1, FILTERS)).view(len(x), self.bins, FILTERS).clamp(max=_TOP).exp()
        best = F.dropout(found.amax(1), DROPOUT, self.training)
        places = F.dropout(F.leaky_relu(self.mix(found), SLOPE).flatten(1), PLACE_DROPOUT, self.training)
        hidden = F.dropout(F.leaky_relu(self.hidden(torch.cat([best, places], 1)), SLOPE), DROPOUT, self.training)
        logits: Tensor = self.out(hidden)[:, 0]
        return logits


def cnn_test(first: SequenceSet, second: SequenceSet, *, seed: int = 0) -> dict[str, float]:
    """Return the cross-validated AUROC with which a fresh CNN tells two sets apart, with its 95 % interval; .5 is not at all.

    Parameters
    ----------
    first, second : SequenceSet
        Best of equal sizes; at most 5,000 sequences and a million bases of each are looked at.
    seed : int, default 0
        Of folds, weights, batches and dropout; the same seed gives the same figure.

    Returns
    -------
    dict
        "value", "low", "high".
    """
    truth, score = cnn_scores(first, second, seed=seed)
    return auroc_interval(truth, score)


def cnn_scores(first: SequenceSet, second: SequenceSet, *, seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Score how much every sequence looks like one of the first set, by a network that never saw it.

    Returns
    -------
    of_first : bool array, (N,)
        The truth: first the one set, then the other.
    score : float64 array, (N,)
        Ranks within each half, 0 to 1: the logits of two networks have two scales.
    """
    rng = np.random.default_rng(seed)
    codes = [some.drawn(_most(some), rng) for some in (first, second)]
    length = min(LONGEST, max(some.codes.shape[1] for some in codes))
    x = torch.cat([_one_hot(some, length) for some in codes])
    truth = np.arange(len(x)) < len(codes[0])
    fold = folds((len(codes[0]), len(codes[1])), N_FOLDS, seed=seed)
    score = np.empty(len(x))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # steps are too small to share out
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for held in range(N_FOLDS):
                net = _trained(x, truth, np.flatnonzero(fold != held), rng=rng)
                rows = np.flatnonzero(fold == held)
                score[rows] = _ranks(_logits(net, x, rows))
    finally:
        torch.set_num_threads(threads)
    return truth, score


def _most(some: SequenceSet) -> int:
    return max(50, min(MOST_SEQUENCES, MOST_BASES // min(LONGEST, int(some.codes.shape[1]))))


def _one_hot(some: SequenceSet, length: int) -> Tensor:
    """Return one-hot (N, length + 10, 4): bases last, five empty columns at each end, longer sequences cut to their middle."""
    side = WIDTH // 2
    codes: Codes = np.full((len(some), length + 2 * side), 4, dtype=np.uint8)
    for row, sequence in enumerate(some.list()):
        start = max(0, (len(sequence) - length) // 2)
        middle = sequence[start : start + length]
        codes[row, side : side + len(middle)] = middle
    return torch.from_numpy(np.eye(5, 4, dtype=np.float32)[codes])


def _trained(x: Tensor, truth: NDArray[np.bool_], rows: NDArray[np.int64], *, rng: np.random.Generator) -> JudgeNet:
    net = JudgeNet(x.shape[1] - WIDTH + 1)
    target = torch.from_numpy(truth.astype(np.float32))
    batch = min(BATCH, max(8, len(rows) // 4))
    a_pass = len(rows) // batch
    steps = max(LEAST_STEPS, PASSES * a_pass)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=WARM_UP)
    net.train()
    order: Any = None
    for step in range(steps):
        at = step % a_pass
        if at == 0:
            order = torch.from_numpy(rng.permutation(rows))
        chosen = order[at * batch : (at + 1) * batch]
        loss = F.binary_cross_entropy_with_logits(net(x[chosen]), target[chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch types it so
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimiser.step()
        schedule.step()
    return net


@torch.inference_mode()
def _logits(net: JudgeNet, x: Tensor, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    net.eval()
    parts = [net(x[torch.from_numpy(rows[first : first + 512])]) for first in range(0, len(rows), 512)]
    return torch.cat(parts).double().numpy()


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values) / len(values), dtype=np.float64)
