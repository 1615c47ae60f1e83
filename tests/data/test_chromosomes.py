from __future__ import annotations

import pandas as pd
import pytest

from seqdl.data.chromosomes import organelles, rename_chromosomes
from seqdl.errors import FormatError, InputError

ROMAN = ["chrI", "chrII", "chrIII", "chrIV", "chrV", "chrIX", "chrX", "chrXVI", "chrmt"]
HUMAN = ["chr1", "chr2", "chr10", "chrX", "chrY", "chrM"]


def rename(names, genome, **options):
    return list(rename_chromosomes(pd.DataFrame({"chrom": names}), genome, **options)["chrom"])


@pytest.mark.parametrize(
    ("names", "genome", "expected"),
    [
        (["chr1", "chr10", "chr16", "chrM"], ROMAN, ["chrI", "chrX", "chrXVI", "chrmt"]),
        (["1", "9", "MT"], ROMAN, ["chrI", "chrIX", "chrmt"]),
        (["IV", "Mito"], ROMAN, ["chrIV", "chrmt"]),
        (["chrX", "chrIV"], ROMAN, ["chrX", "chrIV"]),
        (["1", "X", "MT"], HUMAN, ["chr1", "chrX", "chrM"]),
        (["chr1", "chrX", "chrM"], ["1", "2", "X", "MT"], ["1", "X", "MT"]),
        (["chrI", "chrX", "chrIX"], ["1", "9", "10"], ["1", "10", "9"]),
        (["Chr01", "CHR2", "chromosome_10"], HUMAN, ["chr1", "chr2", "chr10"]),
        (["Chr1", "ChrC", "ChrM"], ["1", "2", "Pt", "Mt"], ["1", "Pt", "Mt"]),
        (["scaffold_3", "chr7"], HUMAN, ["scaffold_3", "chr7"]),
    ],
)
def test_names_are_written_as_the_genome_writes_them(names, genome, expected):
    assert rename(names, genome) == expected


def test_a_name_that_fits_two_is_refused():
    with pytest.raises(InputError, match=r"'Chr1' fits \['1', 'chr1'\] of the genome alike"):
        rename(["Chr1"], ["1", "chr1"])


def test_names_the_genome_has_stay():
    assert rename(["1", "chr1"], ["1", "chr1"]) == ["1", "chr1"]


def test_an_alias_table_comes_first(tmp_path):
    aliases = tmp_path / "aliases.tsv"
    aliases.write_text("# ucsc\tassembly\tgenbank\nchrI\tI\tNC_001133.9\nchrmt\tMito\tNC_001224.1\n")
    assert rename(["NC_001133.9", "NC_001224.1", "II"], ROMAN, aliases=aliases) == ["chrI", "chrmt", "chrII"]


def test_an_alias_table_of_one_column_is_refused(tmp_path):
    aliases = tmp_path / "aliases.tsv"
    aliases.write_text("chr1\tchrI\nchr2\n")
    with pytest.raises(FormatError, match=r"row 2 has one name only"):
        rename(["chr2"], ROMAN, aliases=aliases)


def test_the_yeast_alias_table_agrees_with_the_rules(shared_data):
    path = shared_data / "yeast_genome" / "chrom_alias_arabic_to_roman.tsv"
    arabic, roman = zip(*(line.split() for line in path.read_text().splitlines()), strict=True)
    assert rename(arabic, [*roman, "chrmt"], aliases=path) == list(roman)
    assert rename(arabic, [*roman, "chrmt"]) == list(roman)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (ROMAN, {"chrmt"}),
        (HUMAN, {"chrM"}),
        (["1", "2", "MT", "Pt"], {"MT", "Pt"}),
        (["Chr1", "Chr2", "ChrC", "ChrM"], {"ChrC", "ChrM"}),
        (["A", "B", "C", "D", "L", "M"], set()),
        (["chrI", "MtDNA"], {"MtDNA"}),
        (["chr1", "chrC"], set()),
    ],
)
def test_organelles_are_known_by_their_names(names, expected):
    assert organelles(names) == expected
