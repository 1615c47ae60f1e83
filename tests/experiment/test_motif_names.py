"""What found motifs are called, and the family that their matches are of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seqdl.experiment.motif_names import NAME_COLUMNS, names_of
from seqdl.io.databases import load_database
from seqdl.motif.motif import Motif


@pytest.fixture(scope="module")
def jaspar():
    return load_database("jaspar")


def of_factor(database, name):
    return next(motif for motif in database if motif.alt_name == name)


def test_jaspar_tells_the_families_of_factors(jaspar):
    assert of_factor(jaspar, "GABPA").families == ("Ets-related",)
    assert of_factor(jaspar, "FOSL1::JUND").families == ("Fos-related", "Jun-related")


@pytest.mark.parametrize(
    ("factor", "family"), [("GABPA", "Ets-related"), ("SP1", "Three-zinc finger Kruppel-related"), ("FOXA1", "FOX"), ("CEBPA", "CEBP-related")]
)
def test_a_factor_that_is_not_in_the_database_is_known_by_its_family(jaspar, factor, family):
    """Taken out of the database, its motif still matches its relatives."""
    rest = [motif for motif in jaspar if motif.alt_name != factor]
    row = names_of([replace(of_factor(jaspar, factor), name="filter0")], rest).iloc[0]
    assert row["match_family"].startswith(f"{family} (")
    shared, all_of_them = map(int, row["match_family"].rpartition("(")[2].rstrip(")").split(" of "))
    assert all_of_them / 2 < shared <= all_of_them <= 50


def test_the_family_is_that_of_most_matches_not_of_the_best(jaspar):
    """A lone factor of another family with the very matrix does not rename the motif."""
    elk = of_factor(jaspar, "ELK1")
    row = names_of([replace(elk, name="filter0")], [*jaspar, Motif("M1", elk.pfm * 2, alt_name="ODD", families=("odd",))]).iloc[0]
    assert row["match_family"].startswith("Ets-related (")


def test_best_match_and_at_most_four_others_are_named(jaspar):
    elk = replace(of_factor(jaspar, "ELK1"), name="filter0")
    row = names_of([elk], jaspar).iloc[0]
    assert row["match"].endswith(" ELK1")
    assert len(row["also_matches"].split("; ")) == 4
    assert row["match"] not in row["also_matches"]


def test_without_families_or_sure_matches_the_cell_is_empty(jaspar):
    elk, rng = replace(of_factor(jaspar, "ELK1"), name="elk"), np.random.default_rng(0)
    assert names_of([elk], [replace(motif, families=()) for motif in jaspar])["match_family"].tolist() == [""]
    others = [Motif(f"M{k}", rng.dirichlet([0.1] * 4, 10).T, families=("random",)) for k in range(40)]
    assert names_of([elk], others)["match_family"].tolist() == [""]


def test_no_motif_or_no_database_gives_a_table_without_rows(jaspar):
    for table in (names_of([], jaspar), names_of([Motif("flat", np.full((4, 8), 5.0))], [])):
        assert list(table.columns) == ["name", *NAME_COLUMNS]
        assert len(table) == 0
