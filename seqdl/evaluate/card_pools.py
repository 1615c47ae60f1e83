"""Which sequences the report card compares: as many synthetic as held-out real ones, each against the other real ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqdl.errors import DataError
from seqdl.evaluate.novelty import Known
from seqdl.evaluate.sequence_set import SequenceSet

LEAST_SAMPLES, LEAST_REAL = 50, 100
MOST_SEQUENCES = 10_000
MOST_BASES = 2_000_000
"""Sequences of each kind are drawn down to this many bases: time and memory are bounded, whatever is given."""
MOST_KNOWN_BASES = 6_000_000
"""The same for training sequences and the real reference."""
SAME_AS_TRAINING = 0.5
_STREAM = 7_102


@dataclass(frozen=True, eq=False)
class Pools:
    """The sequences that are compared.

    Attributes
    ----------
    sample, held_out : SequenceSet
        As many synthetic as real sequences.
    reference : SequenceSet
        The other real sequences, which both are held against.
    known : SequenceSet
        What the generator may have copied: the training sequences, or else the reference.
    source : SequenceSet
        What the simple generators are fitted on: the training sequences, or else those held out.
    notes : list of str
    """

    sample: SequenceSet
    held_out: SequenceSet
    reference: SequenceSet
    known: SequenceSet
    source: SequenceSet
    notes: list[str]


def make_pools(sample: SequenceSet, real: SequenceSet, train: SequenceSet | None = None, *, seed: int = 0) -> Pools:
    """Divide real sequences into held-out ones and a reference, and bring samples and held-out ones to one size.

    Parameters
    ----------
    sample, real : SequenceSet
    train : SequenceSet, optional
        What the generator was trained on; `real` are then sequences that it has not seen.
    seed : int, default 0
        Of what is drawn.

    Raises
    ------
    DataError
        If there are fewer than 50 samples or 100 real sequences, or half of the real sequences are training sequences.
    """
    for some, least, name in ((sample, LEAST_SAMPLES, "synthetic"), (real, LEAST_REAL, "real")):
        if len(some) < least:
            raise DataError(
                f"there are {len(some):,} {name} sequences: {least} or more were expected, or no figure means anything. "
                f"Give {least - len(some):,} more."
            )
    rng, notes = np.random.default_rng([seed, _STREAM]), []  # not the permutation that somebody else split by with this seed
    longest = max(int(np.quantile(some.lengths, 0.99)) for some in (sample, real))
    n = min(len(sample), len(real) // 2, MOST_SEQUENCES, max(LEAST_SAMPLES, MOST_BASES // longest))
    order = rng.permutation(len(real))
    held_out, rest = real.take(np.sort(order[:n])), real.take(np.sort(order[n:]))
    reference = _at_most(rest, MOST_KNOWN_BASES, rng)
    if n < len(sample):
        notes.append(f"{n:,} of the {len(sample):,} synthetic sequences were drawn, as many as real ones can be held out for comparison")
    notes.append(f"{n:,} of the {len(real):,} real sequences were held out; all others are what both are compared with")
    known, source = reference, held_out
    if train is None:
        notes.append(
            "no training sequences were given: copies are looked for among the real sequences that were not held out. "
            "Name them with --train to look in all"
        )
    else:
        known = source = _at_most(train, MOST_KNOWN_BASES, rng)
        if len(known) < len(train):
            notes.append(f"copies were looked for among {len(known):,} of the {len(train):,} training sequences, drawn at random")
        shared = float(Known(known, "mismatches").copies(held_out).mean())
        if shared > SAME_AS_TRAINING:
            raise DataError(
                f"{100 * shared:.0f} % of the real sequences are training sequences: others, that the generator has not seen, were expected, since "
                "copies are told by how many more there are than among real sequences. Hold some out, or leave the training sequences out."
            )
    return Pools(sample.drawn(n, rng), held_out, reference, known, source, notes)


def _at_most(some: SequenceSet, n_bases: int, rng: np.random.Generator) -> SequenceSet:
    return some.drawn(max(LEAST_REAL, int(n_bases / some.lengths.mean())), rng)
