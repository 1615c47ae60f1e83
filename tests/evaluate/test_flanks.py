"""The base between its flanks, against counting by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from seqdl.errors import InputError
from seqdl.evaluate.flanks import FlankModel
from seqdl.sequence.encode import decode

CODES = np.random.default_rng(0).integers(0, 4, (200, 60)).astype(np.uint8)


@pytest.mark.parametrize("k", [1, 2])
def test_probabilities_are_counts_of_words_smoothed_with_the_next_shorter_flanks(k):
    model = FlankModel.fit(CODES, k)
    words = Counter(text[i - k : i + k + 1] for text in map(decode, CODES) for i in range(k, 60 - k))
    row, place = 3, 30
    text = decode(CODES[row])
    left, right = text[place - k : place], text[place + 1 : place + k + 1]
    counts = np.array([words[left + base + right] for base in "ACGT"], dtype=float)
    shorter = FlankModel(model.tables[:k]).probabilities(CODES[row : row + 1])[0, place]
    np.testing.assert_allclose(model.probabilities(CODES[row : row + 1])[0, place], (counts + shorter) / (counts.sum() + 1))


def test_the_ends_are_predicted_by_the_flanks_they_have():
    model = FlankModel.fit(CODES, 2)
    shorter = FlankModel(model.tables[:2]).probabilities(CODES[:1])
    np.testing.assert_allclose(model.probabilities(CODES[:1])[0, 1], shorter[0, 1])
    np.testing.assert_allclose(model.probabilities(CODES[:1])[0, 0], model.tables[0][0])


def test_the_base_itself_is_not_looked_at_and_ambiguous_flanks_are_left_out():
    model = FlankModel.fit(CODES, 1)
    text = CODES[:1].copy()
    before = model.probabilities(text)[0, 10]
    text[0, 10] = 4
    np.testing.assert_allclose(model.probabilities(text)[0, 10], before)
    np.testing.assert_allclose(model.probabilities(text)[0, 11], model.tables[0][0])


def test_more_flanks_than_can_be_counted_are_refused():
    with pytest.raises(InputError, match="6 bases on either side were asked for; 0 to 5"):
        FlankModel.fit(CODES, 6)
