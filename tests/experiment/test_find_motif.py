"""A motif by what a user types."""

import numpy as np
import pytest

from seqdl.errors import InputError, UnknownNameError
from seqdl.experiment.find_motif import find_motif
from seqdl.io.meme import write_meme
from seqdl.motif.motif import Motif


@pytest.fixture
def database(tmp_path):
    rng = np.random.default_rng(0)
    names = [("MA1.1", "REB1"), ("MA1.2", "REB1"), ("MA2.1", "SRY"), ("MA3.1", "")]
    write_meme(tmp_path / "known.meme", [Motif(name, rng.dirichlet([0.2] * 4, 8).T, alt_name=factor) for name, factor in names])
    write_meme(tmp_path / "one.meme", [Motif("alone", np.eye(4))])
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [("MA1.2", "MA1.2"), ("ma2.1", "MA2.1"), ("reb1", "MA1.1"), ("MA1", "MA1.1"), ("SRY", "MA2.1"), ("TTACCCG", "TTACCCG"), ("rtcaynn", "RTCAYNN")],
)
def test_names_come_before_letters(text, expected, database):
    assert find_motif(text, str(database / "known.meme")).name == expected


def test_letters_stand_for_their_bases_alike(database):
    assert find_motif("RNC", str(database / "known.meme")).ppm.T.tolist() == [[0.5, 0, 0.5, 0], [0.25] * 4, [0, 1, 0, 0]]


def test_a_file_gives_its_only_motif_or_the_one_that_is_named(database):
    assert find_motif(str(database / "one.meme")).name == "alone"
    assert find_motif(f"{database}/known.meme:MA3.1").name == "MA3.1"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("REB2", UnknownNameError, "no motif named 'REB2'. Did you mean 'REB1'"),
        ("{}/known.meme", InputError, "holds 4 motifs, and one was expected. Name it"),
        ("{}/known.meme:MA9", UnknownNameError, "no motif in .*known.meme named 'MA9'"),
    ],
)
def test_what_stands_for_no_motif_is_said(text, error, message, database):
    with pytest.raises(error, match=message):
        find_motif(text.format(database), str(database / "known.meme"))
