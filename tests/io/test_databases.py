from __future__ import annotations

import gzip
import re

import numpy as np
import pytest
from pyjaspar import jaspardb

from seqdl.errors import MissingFileError, UnknownNameError
from seqdl.io.databases import is_database, load_database
from seqdl.io.motifs import write_meme
from seqdl.motif.motif import Motif

COUNTS = {
    "H12CORE_meme_format.meme.gz": 1443,
    "HOCOMOCOv11_HUMAN.pfm.gz": 401,
    "JASPAR2020.pfm.gz": None,
    "JASPAR2022.pfm.gz": None,
    "JASPAR2022_fungi.pfm.gz": None,
    "JASPAR2022_vertebrates.pfm.gz": None,
    "SwissRegulon_s_cer.meme.gz": 158,
    "YEASTRACT_20130918.meme.gz": 732,
    "jaspar2024_core.transfac.gz": 2346,
    "jaspar_2024_consensus.meme.gz": None,
    "macisaac_yeast.v1.meme.gz": 124,
    "yeast_uniprobe_GR09.meme.gz": 89,
    "yetfasco_all.meme.gz": 1883,
}


@pytest.mark.parametrize("group", ["fungi", "nematodes"])
def test_jaspar_is_what_pyjaspar_fetches(group):
    expected = jaspardb(release="JASPAR2024").fetch_motifs(collection="CORE", tax_group=[group])
    found = {motif.name: motif for motif in load_database(f"jaspar2024:{group}")}
    assert set(found) == {motif.matrix_id for motif in expected}
    for motif in expected:
        assert found[motif.matrix_id].alt_name == motif.name
        np.testing.assert_array_equal(found[motif.matrix_id].pfm, [motif.counts[base] for base in "ACGT"])


def test_jaspar_holds_each_matrix_once_in_its_newest_version():
    motifs = load_database("jaspar")
    bases = [motif.name.split(".")[0] for motif in motifs]
    assert len(motifs) > 2000
    assert len(set(bases)) == len(bases)
    assert any(motif.alt_name == "REB1" for motif in motifs)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("jaspar:fungus", "no taxonomic group of JASPAR named 'fungus'. Did you mean 'fungi'"),
        ("jasper", "no motif database or file named 'jasper'. Did you mean 'jaspar'"),
        ("jaspar1999", "no JASPAR release named 'jaspar1999'.*Available: .*jaspar2024"),
    ],
)
def test_unknown_names_are_answered_with_those_there_are(name, message):
    with pytest.raises(UnknownNameError, match=message):
        load_database(name)


def test_anything_else_is_a_file(tmp_path):
    with pytest.raises(MissingFileError, match=r"there is no file jasper\.meme"):
        load_database("jasper.meme")
    write_meme(tmp_path / "mine.meme", [Motif("m", np.ones((4, 3)))])
    assert load_database(tmp_path / "mine.meme")[0].name == "m"


def test_a_file_of_that_name_comes_before_the_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_database("jaspar")
    write_meme("jaspar", [Motif("mine", np.ones((4, 3)))])
    assert not is_database("jaspar")
    assert [motif.name for motif in load_database("jaspar")] == ["mine"]


@pytest.mark.parametrize("name", COUNTS)
def test_every_real_database_is_read_whole(shared_data, name):
    path = shared_data / "motifs" / name
    with gzip.open(path, "rt") as stream:
        text = stream.read()
    expected = len(re.findall({"meme": r"^MOTIF ", "pfm": r"^>", "transfac": r"^//"}[name.split(".")[-2]], text, re.MULTILINE))
    motifs = load_database(path)
    assert len(motifs) == expected
    assert COUNTS[name] in (None, expected)
    assert all(motif.width >= 2 for motif in motifs)


def test_the_factor_of_a_yeast_motif_is_its_second_name(shared_data):
    motifs = load_database(shared_data / "motifs" / "yetfasco_all.meme.gz")
    assert sum(motif.alt_name == "REB1" for motif in motifs) == 17  # (the matrices of this file have C and T exchanged)
    assert (motifs[0].name, motifs[0].alt_name) == ("MAL63_136", "")  # NA in the file


@pytest.mark.parametrize("name", ["JASPAR2020.pfm.gz", "JASPAR2022_fungi.pfm.gz", "jaspar2024_core.transfac.gz"])
def test_identifier_and_factor_make_the_label(shared_data, name):
    reb1 = next(motif for motif in load_database(shared_data / "motifs" / name) if motif.alt_name == "REB1")
    assert re.fullmatch(r"MA0363\.\d REB1", reb1.label)
    assert "TTACCC" in reb1.consensus
