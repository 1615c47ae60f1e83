"""Variants against their genome."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdl.data.chromosomes import rename_chromosomes
from seqdl.data.genome import Genome
from seqdl.data.variants import WRONG_BOTH, WRONG_REF, check_reference
from seqdl.errors import InputError
from seqdl.io.vcf import read_vcf
from seqdl.ledger import Ledger
from seqdl.sequence.encode import encode

GENOME = Genome.from_codes({"chr1": encode("ACGTACGTN"), "chr2": encode("GGCA")})


def table(*rows):
    rows = [(chrom, start, start + len(ref), ref, alt, f"v{i}") for i, (chrom, start, ref, alt) in enumerate(rows)]
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "ref", "alt", "id"])


RIGHT = table(("chr1", 0, "A", "T"), ("chr1", 1, "CGT", "C"), ("chr2", 2, "CA", "CATT"), ("chr1", 8, "N", "A"))
MIXED = table(
    ("chr1", 0, "A", "T"), ("chr1", 1, "T", "C"), ("chr1", 2, "C", "GTA"), ("chr2", 3, "C", "T"), ("chr2", 3, "T", "AA"), ("chr1", 8, "A", "C")
)


@pytest.mark.parametrize("on_mismatch", ["error", "skip", "swap"])
def test_variants_that_fit_stay_as_they_are(on_mismatch):
    ledger = Ledger()
    found = check_reference(RIGHT, GENOME, on_mismatch=on_mismatch, ledger=ledger)
    pd.testing.assert_frame_equal(found[RIGHT.columns], RIGHT)
    assert (ledger.notes, ledger.rows) == ([], [])
    assert ("swapped" in found) == (on_mismatch == "swap")


def test_a_wrong_ref_is_an_error_with_place_count_and_both_alleles():
    with pytest.raises(
        InputError,
        match=r"5 of 6 variants have another REF than the genome; first: chr1, position 2: REF is T, the genome has C\..*same genome build",
    ):
        check_reference(MIXED, GENOME)


def test_a_wrong_ref_may_be_left_out_into_the_ledger():
    ledger = Ledger()
    found = check_reference(MIXED, GENOME, on_mismatch="skip", ledger=ledger)
    assert found["id"].tolist() == ["v0"]
    assert [row["id"] for row in ledger.rows] == ["v1", "v2", "v3", "v4", "v5"]
    assert ledger.counts() == {WRONG_REF: 5}
    assert ledger.notes == [f"5 of 6 variants are left out: {WRONG_REF}"]
    assert len(check_reference(MIXED.drop(columns="id"), GENOME, on_mismatch="skip", ledger=ledger)) == 1
    assert ledger.rows[5]["id"] == "chr1:2:T>C"


def test_alleles_are_swapped_where_the_genome_has_alt_and_left_out_where_it_has_neither():
    ledger = Ledger()
    found = check_reference(MIXED, GENOME, on_mismatch="swap", ledger=ledger)
    assert found[["id", "start", "end", "ref", "alt", "swapped"]].to_numpy().tolist() == [
        ["v0", 0, 1, "A", "T", False],
        ["v1", 1, 2, "C", "T", True],
        ["v2", 2, 5, "GTA", "C", True],
    ]
    assert ledger.counts() == {WRONG_BOTH: 3}
    assert ledger.notes == [
        "2 of 6 variants have the genome's allele as ALT; REF and ALT were swapped",
        f"3 of 6 variants are left out: {WRONG_BOTH}",
    ]
    check_reference(found, GENOME)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.text("ACGT", min_size=1, max_size=4), st.text("ACGT", min_size=1, max_size=4)), max_size=15),
    st.integers(0, 99),
)
def test_every_verdict_is_that_of_a_plain_loop(rows, seed):
    text = "".join(np.random.default_rng(seed).choice(list("ACGT"), 50))
    genome = Genome.from_codes({"c": encode(text)})
    variants = table(*(("c", start, ref, alt) for start, ref, alt in rows))
    fits = [text.startswith(ref, start) for start, ref, _ in rows]
    turned = [text.startswith(alt, start) for start, _, alt in rows]
    skipped, swapped = (check_reference(variants, genome, on_mismatch=word)["id"].tolist() for word in ("skip", "swap"))
    assert skipped == [f"v{i}" for i, good in enumerate(fits) if good]
    assert swapped == [f"v{i}" for i in range(len(rows)) if fits[i] or turned[i]]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (table(("1", 0, "A", "T")), r"variants: 1 of 1 intervals are on chromosomes the genome does not have: 1\..*rename"),
        (table(("chr2", 3, "AC", "A")), r"not inside their chromosome; first: chr2:3-5 \(chr2 is 4 bp\)"),
        (RIGHT.assign(end=RIGHT["start"] + 1), r"2 of 4 variants are not as long as their REF; first: chr1:1-2 with REF 'CGT'"),
        (RIGHT.drop(columns="ref"), r"has no column 'ref'"),
    ],
)
def test_variants_that_cannot_be_of_the_genome_are_refused(variants, message):
    with pytest.raises(InputError, match=message):
        check_reference(variants, GENOME, on_mismatch="swap")


def test_an_unknown_way_is_refused():
    with pytest.raises(InputError, match="on_mismatch is 'drop'; 'error', 'skip' or 'swap' was expected"):
        check_reference(RIGHT, GENOME, on_mismatch="drop")


@pytest.mark.parametrize(("strain", "n"), [("W303", 981), ("JK9-3d", 662)])
def test_every_ref_of_real_variants_is_that_of_the_genome(shared_data, strain, n):
    genome = Genome(shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz")
    variants = read_vcf(shared_data / "yeast_vcf" / f"{strain}.gatk.vcf.gz")
    with pytest.raises(InputError, match=r"chromosomes the genome does not have: chr1, "):
        check_reference(variants, genome)
    variants = rename_chromosomes(variants, genome.lengths)
    assert len(check_reference(variants, genome)) == n
    with pytest.raises(InputError, match="have another REF than the genome"):
        check_reference(variants.assign(start=variants["start"] + 1, end=variants["end"] + 1), genome)
