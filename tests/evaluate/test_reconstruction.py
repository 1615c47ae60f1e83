"""What is given back, and what needs no network, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from seqdl.evaluate.reconstruction import collapse, reconstruction_floor, reconstruction_intervals

RNG = np.random.default_rng(0)
TRAIN = RNG.choice(4, (500, 20), p=[0.5, 0.2, 0.2, 0.1]).astype(np.uint8)
TEST = RNG.choice(4, (300, 20), p=[0.5, 0.2, 0.2, 0.1]).astype(np.uint8)


def test_rates_are_of_all_bases_and_lie_within_their_interval():
    n, right, bits = np.array([10, 30]), np.array([10, 15]), np.array([5.0, 45.0])
    found = reconstruction_intervals(right, bits, n)
    assert found["accuracy"]["value"] == 25 / 40
    assert found["bits_per_base"]["value"] == 50 / 40
    assert found["accuracy"]["low"] <= 25 / 40 <= found["accuracy"]["high"]


def test_the_majority_and_the_positions_are_counted():
    floor = reconstruction_floor(TRAIN, TEST, latent=5)
    assert floor["majority"]["accuracy"]["value"] == (TEST == 0).mean()
    assert floor["positions"]["accuracy"]["value"] == pytest.approx((TEST == 0).mean())  # A is the most frequent at every position
    assert floor["positions"]["bits_per_base"]["value"] == pytest.approx(1.76, abs=0.02)  # the entropy of .5 .2 .2 .1


def test_as_many_components_as_the_input_has_give_everything_back():
    assert reconstruction_floor(TRAIN, TEST, latent=80)["pca"]["accuracy"]["value"] == 1.0
    assert reconstruction_floor(TRAIN, TEST, latent=4)["pca"]["accuracy"]["value"] < 0.8


@pytest.mark.parametrize(
    ("accuracy", "kl_bits", "collapsed"),
    [(0.9, 60.0, False), (0.9, None, False), (0.51, 60.0, True), (0.9, 0.3, True), (0.505, None, True)],
)
def test_latents_that_carry_nothing_or_give_nothing_back_have_collapsed(accuracy, kl_bits, collapsed):
    found, text = collapse(accuracy, {"positions": {"accuracy": {"value": 0.503}}}, kl_bits)
    assert found is collapsed
    assert text.startswith("collapsed" if collapsed else "not collapsed")


@pytest.mark.parametrize(("accuracy", "kl_bits", "collapsed"), [(0.342, 2.0, True), (0.471, 27.0, False), (0.342, None, False), (0.357, 2.0, True)])
def test_a_vae_that_gives_back_a_small_part_of_what_principal_components_do_has_collapsed(accuracy, kl_bits, collapsed):
    floor = {name: {"accuracy": {"value": value}} for name, value in {"positions": 0.328, "pca": 0.480}.items()}
    found, text = collapse(accuracy, floor, kl_bits)
    assert found is collapsed
    assert ("0.480 by as many principal components" in text) is (kl_bits is not None)
