from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdl.data.homology import SharedKmers, sequence_families
from seqdl.sequence.edit import reverse_complement


def kmers(codes, k):
    words = set()
    for i in range(len(codes) - k + 1):
        word = codes[i : i + k]
        if (word < 4).all():
            words.add(min(word.tobytes(), reverse_complement(word).tobytes()))
    return words


def families_by_brute_force(sequences, k, containment):
    """Link every pair by the definition, then number the components."""
    sets = [kmers(codes, k) for codes in sequences]
    number = list(range(len(sequences)))
    for i, one in enumerate(sequences):
        for j in range(i):
            smaller = min(len(sets[i]), len(sets[j]))
            near = smaller and len(sets[i] & sets[j]) >= containment * smaller
            if near or any(np.array_equal(one, other) for other in (sequences[j], reverse_complement(sequences[j]))):
                number = [number[j] if n == number[i] else n for n in number]
    return [sorted(set(number), key=number.index).index(n) for n in number]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([5, 8]), st.sampled_from([0.3, 0.5, 0.9]))
def test_families_agree_with_their_definition(seed, k, containment):
    rng = np.random.default_rng(seed)
    pool = rng.integers(0, 4, (4, 60), dtype=np.uint8)
    sequences = []
    for _ in range(9):  # pieces of four parents, some turned round, some ambiguous or shorter than k
        start, size = rng.integers(0, 30), rng.integers(3, 30)
        piece = pool[rng.integers(4), start : start + size].copy()
        piece[rng.random(len(piece)) < 0.03] = 4
        sequences.append(reverse_complement(piece) if rng.random() < 0.5 else piece)
    assert sequence_families(sequences, k=k, containment=containment).tolist() == families_by_brute_force(sequences, k, containment)


def test_constant_flanks_do_not_make_a_family():
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 4, (2, 70), dtype=np.uint8)
    sequences = [np.r_[left, insert, right] for insert in rng.integers(0, 4, (50, 60), dtype=np.uint8)]
    assert len(set(sequence_families(sequences))) == 50


def test_variants_of_one_element_are_one_family():
    element = np.random.default_rng(0).integers(0, 4, 150, dtype=np.uint8)
    sequences = []
    for position in range(150):
        sequences.append(element.copy())
        sequences[-1][position] = (element[position] + 1) % 4
    assert set(sequence_families(sequences)) == {0}


def test_a_family_larger_than_the_pair_limit_is_still_one():
    rng = np.random.default_rng(2)
    parent = rng.integers(0, 4, 100, dtype=np.uint8)
    sequences = [*rng.integers(0, 4, (90, 100), dtype=np.uint8), *([parent] * 10), *([np.r_[parent[:80], parent[:20]]] * 10)]
    assert len(set(sequence_families(sequences)[90:])) == 1


@pytest.mark.parametrize("sequences", [[], [np.empty(0, dtype=np.uint8)], [np.full(40, 4, dtype=np.uint8)]])
def test_nothing_to_compare_is_no_trouble(sequences):
    assert sequence_families(sequences).tolist() == list(range(len(sequences)))


def test_a_mosaic_of_training_sequences_is_seen():
    one, two, other = np.random.default_rng(0).integers(0, 4, (3, 100), dtype=np.uint8)
    shared = SharedKmers([one, two, np.r_[one[:50], two[:50]], other])
    assert shared.in_training(np.array([True, True, False, False]), containment=0.6).tolist() == [False, False, True, False]
    assert not shared.in_training(np.array([True, False, False, False]), containment=0.6).any()
